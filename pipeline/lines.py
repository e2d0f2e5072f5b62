"""The numbered lines that every document of a feature list becomes, and the cleaning of their text."""

from dataclasses import dataclass

from pipeline.marks import MarkedLine

# Characters nobody sees: zero-width ones, soft hyphens, marks of direction and byte order.
INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f\u202a\u202b\u202c\u202d\u202e"))
# So many control codes, or one in so many characters, may be slips of an editor; other files have one in ten.
SLIPS, CHARACTERS_A_SLIP = 20, 30


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a document: `number` counts from 1, `level` is its depth as a bullet or heading.

    `spaced` tells whether a blank line precedes it.
    """

    number: int
    text: str
    kind: str = "text"  # text, bullet, heading, row, columns, or markup, which says nothing
    level: int = 0
    spaced: bool = False
    row: MarkedLine | None = None  # what a table's row says, its columns being known


@dataclass(frozen=True, slots=True)
class Document:
    """A document's lines, what its numbers count (line, row, item), and what was odd about it."""

    lines: tuple[Line, ...]
    unit: str = "line"
    warnings: tuple[str, ...] = ()


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
