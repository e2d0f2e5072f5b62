"""The numbered lines that every document of a feature list becomes, and the cleaning of their text."""

from dataclasses import dataclass

from pipeline.marks import MarkedLine

# Characters nobody sees: zero-width ones, soft hyphens, marks of direction and byte order.
INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f\u202a\u202b\u202c\u202d\u202e"))


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
    """Return the text of a file: UTF-8 or UTF-16 by its mark, else UTF-8, else Windows' Latin-1."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


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
