"""Decode, clean and escape text."""

import codecs
import re


def normalize_version(text: str) -> str:
    """Return a version as it is compared: `v2.204`, `V2.204` and `2.204` are one."""
    return " ".join(text.casefold().split()).removeprefix("v").strip()


def normalize_key(feature_key: str | None, feature_id: int | None) -> str | None:
    """Return an id as it is compared: `#979667` and the number 979667 are one, `proj-12` and `PROJ-12` too."""
    key = feature_key or (None if feature_id is None else str(feature_id))
    return None if key is None else key.strip().lstrip("#").casefold()


# A cell that a spreadsheet runs as a formula, behind any apostrophes. Some spreadsheets accept full-width signs.
FORMULA = "'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
_FORMULA = re.compile(FORMULA)


def escape_formula(text: str) -> str:
    """Return a text that no spreadsheet runs as a formula: an apostrophe goes before it if needed."""
    return f"'{text}" if _FORMULA.match(text) else text


def unescape_formula(text: str) -> str:
    """Return the text that `escape_formula` escaped; any other text is returned as it is."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text[1:]) else text


# Invisible characters: zero-width characters, soft hyphens, direction marks and the byte order mark.
INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f\u202a\u202b\u202c\u202d\u202e"))

# What stands for a byte that is no part of a letter.
REPLACED = "\ufffd"

# Codecs of Python that are no encodings of files.
_ESCAPES = {"utf-7", "idna", "punycode", "unicode-escape", "unicode_escape", "raw-unicode-escape", "raw_unicode_escape"}

# Control characters that a text file may hold through an editor's mistakes.
MAX_CONTROL_CHARACTERS = 20
# In a longer text, one control character in this many is allowed; binary files have about one in ten.
CHARACTERS_PER_CONTROL = 30
# Characters at the beginning of a file that decide whether it is text.
SAMPLE_CHARACTERS = 10_000


def decode_text(content: bytes) -> str:
    """Return the text of a file: UTF-16 by its byte order mark or zero bytes, else UTF-8, else Windows-1252.

    A single bad byte in UTF-8 becomes REPLACED, and the rest stays as it is.

    A file without line feeds has its carriage returns (classic Mac OS) replaced by line feeds.
    """
    text = _decode(content)
    return text if "\n" in text else text.replace("\r", "\n")


def _decode(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    # Without a byte order mark: every second byte of Western text in UTF-16 is zero.
    for codec, zeros in (("utf-16-le", content[1::2]), ("utf-16-be", content[::2])):
        if zeros.count(0) > max(1, len(zeros) // 2):
            return content.decode(codec, errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("utf-8-sig", errors="replace")
    # Text of Windows has few letters that are valid UTF-8 by chance; in UTF-8 with a bad byte all others are.
    valid = sum(character > "\x7f" for character in text) - text.count(REPLACED)
    return text if valid > text.count(REPLACED) else content.decode("cp1252", errors="replace")


def decode_declared(content: bytes, charset: str) -> str | None:
    """Return the text of bytes whose encoding is declared; None where it is unknown, or they are not in it."""
    try:
        info = codecs.lookup(charset.strip().strip("\"'"))
        if info.name in _ESCAPES:
            return None
        # Pages that declare Latin-1 are in Windows-1252, as the standard of HTML says.
        name = "cp1252" if info.name in {"iso8859-1", "ascii"} else info.name
        return content.decode(name)
    except (LookupError, UnicodeError, ValueError):
        return None


def is_text(text: str) -> bool:
    """Return whether decoded bytes are text: audio, images and archives are full of control characters."""
    beginning = text[:SAMPLE_CHARACTERS]
    controls = sum(character < " " and character not in "\t\n\v\f\r" for character in beginning)
    return controls <= max(MAX_CONTROL_CHARACTERS, len(beginning) // CHARACTERS_PER_CONTROL)


def clean_text(text: str) -> str:
    """Return text without invisible and control characters, white space collapsed."""
    visible = text.translate(INVISIBLE)
    return " ".join("".join(c if c.isprintable() else " " for c in visible).split())


def printable(text: str) -> str:
    """Return text with control characters and direction marks replaced by `�`: they could control a terminal."""
    return text if text.isprintable() else "".join(c if c.isprintable() or c == "\n" else "�" for c in text)


def clean_line(text: str) -> str:
    """Return text cleaned by `clean_text`, its tabs kept: a tab separates an entry's parts."""
    return "\t".join(part for part in map(clean_text, text.split("\t")) if part)
