"""Texts in CSV files that a spreadsheet would run as formulas: told by an apostrophe before them to be text."""

import re

# What a spreadsheet takes for a formula, behind any apostrophes of its own; some take the wide signs of East Asia, too.
FORMULA = "'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
_FORMULA = re.compile(FORMULA)


def disarm(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula; `rearm` takes it back."""
    return f"'{text}" if _FORMULA.match(text) else text


def rearm(text: str) -> str:
    """Return the text that `disarm` was given, and any other as it is."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text[1:]) else text
