"""Decode, clean and compare text."""

import re
from collections.abc import Callable, Iterable
from typing import TypeVar

Entry = TypeVar("Entry")


def normalize_wording(text: str) -> str:
    """Return a wording's letters and digits alone: pages lose spaces, signs and capitals."""
    return re.sub(r"[\W_]+", "", text).casefold()


def same_wording(one: str | None, other: str | None) -> bool:
    """Tell whether two titles are known and are the same, spaces, signs and capitals apart."""
    return one is not None and other is not None and normalize_wording(one) == normalize_wording(other)


def wording_similarity(one: str, other: str) -> float:
    """Return how near two wordings are, 0 to 100, spaces, signs and capitals apart."""
    from rapidfuzz import fuzz

    return float(fuzz.ratio(normalize_wording(one), normalize_wording(other)))


def index_by_key(entries: Iterable[Entry], name: Callable[[Entry], tuple[int | None, str]]) -> dict[object, Entry]:
    """Return entries by id, else by title, in their order; a second of the same key by its number as well.

    `name` gives an entry's id and title.
    """
    keyed: dict[object, Entry] = {}
    for entry in entries:
        feature_id, title = name(entry)
        key: object = title if feature_id is None else feature_id
        count = 1
        while key in keyed:
            count += 1
            key = (title, feature_id, count)
        keyed[key] = entry
    return keyed


# What a spreadsheet takes for a formula, behind any apostrophes of its own; some take the wide signs of East Asia, too.
FORMULA = "'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
_FORMULA = re.compile(FORMULA)


def escape_formula(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula; `unescape_formula` takes it back."""
    return f"'{text}" if _FORMULA.match(text) else text


def unescape_formula(text: str) -> str:
    """Return the text that `escape_formula` was given, and any other as it is."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text[1:]) else text


# Characters nobody sees: zero-width ones, soft hyphens, marks of direction and byte order.
INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f\u202a\u202b\u202c\u202d\u202e"))

# So many control codes, or one in so many characters, may be slips of an editor; other files have one in ten.
SLIPS, CHARACTERS_A_SLIP = 20, 30


def decode_text(content: bytes) -> str:
    """Return the text of a file: UTF-8 or UTF-16 by its mark or looks, else UTF-8, else Windows' Latin-1.

    Lines end with a line feed, or with what Windows writes; where a file has neither, as from old Macs, they do here.
    """
    text = _decode(content)
    return text if "\n" in text else text.replace("\r", "\n")


def _decode(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    # Without a mark: most letters of most languages of the West have a zero for their other half.
    for codec, zeros in (("utf-16-le", content[1::2]), ("utf-16-be", content[::2])):
        if zeros.count(0) > max(1, len(zeros) // 2):
            return content.decode(codec, errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def is_text(text: str) -> bool:
    """Tell whether what a file's bytes were read as is text: in sound, pictures and archives, control codes abound."""
    beginning = text[:10_000]
    slips = sum(sign < " " and sign not in "\t\n\v\f\r" for sign in beginning)
    return slips <= max(SLIPS, len(beginning) // CHARACTERS_A_SLIP)


def clean_text(text: str) -> str:
    """Return text without what cannot be seen and without control codes, which could drive a terminal."""
    visible = text.translate(INVISIBLE)
    return " ".join("".join(c if c.isprintable() else " " for c in visible).split())


def printable(text: str) -> str:
    """Return text in which a sign stands for each control code and mark of direction: they could drive a terminal."""
    return text if text.isprintable() else "".join(c if c.isprintable() or c == "\n" else "�" for c in text)


def clean_line(text: str) -> str:
    """As `clean_text`, but a tab stays: it separates an entry's parts."""
    return "\t".join(part for part in map(clean_text, text.split("\t")) if part)
