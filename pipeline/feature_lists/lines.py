"""The numbered lines that every document of a feature list becomes, and the cleaning of their text."""

import re
from dataclasses import dataclass
from enum import Enum

from pipeline.core.times import CLOCK, parse_time


@dataclass(frozen=True, slots=True)
class MarkedLine:
    """An entry's line taken apart; `other_ids` are further ids beside the first."""

    title: str
    description: str
    feature_id: int | None
    version: str | None
    published_s: float | None
    other_ids: tuple[int, ...] = ()
    highlight: bool = False


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


# What may stand between two marks that belong together, and around a title.
_SEPARATORS = " \t|,;:/–—−•·-"
_HARD = "|\t•·–—"  # separators that prose does not use before a number
_ID = re.compile(
    r"(?<![\w/&#])(?:#\s?(?P<hash>\d{3,9})|(?P<open>[(\[])\s?#?\s?(?P<bracket>\d{5,9})\s?[)\]]"
    r"|(?:ID|Id)\s?[:#]?\s?(?P<word>\d{3,9}))(?![\d]|[.,]\d)"
)
_VERSION = re.compile(r"(?<![\w.])[vV]\.?\s?(?P<version>\d{1,4}(?:\.\d{1,5}){1,3})(?!\w|\.\d)")
_TIME = re.compile(rf"(?<![\d:.,])(?P<time>{CLOCK})(?![\d:])(?:\s?(?:-|–|—|to)\s?{CLOCK}(?![\d:]))?")

# Without # or v, a number is an id or a version only where it stands alone between separators.
_ALONE = re.compile(
    r"(?:(?<=[|\t•·–—])|^)\s*(?:(?P<id>\d{5,9})|(?P<version>\d{1,4}(?:\.\d{1,5}){1,3}))(?=\s*(?:$|[|\t•·–—]))"
)


class Kind(Enum):
    """What a mark says."""

    ID = "id"
    VERSION = "version"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark and where it stands in its line."""

    kind: Kind
    start: int
    end: int
    value: str


def read_line(line: str) -> MarkedLine | None:
    """Return an entry's parts; None for a line without a title, or without marks that stand apart from its prose."""
    clusters = [cluster for cluster in _cluster(line, _find_marks(line)) if _stands_apart(line, cluster)]
    if not clusters:
        return None
    chosen = _choose(clusters)
    pieces, at = [], 0
    for cluster in chosen:
        begin, end = _span(line, cluster)
        pieces.append(line[at:begin].strip(_SEPARATORS))
        at = end
    pieces = [piece for piece in (*pieces, line[at:].strip(_SEPARATORS)) if piece]
    if not pieces:
        return None
    marks = [mark for cluster in chosen for mark in cluster]
    ids = [int(mark.value) for mark in marks if mark.kind is Kind.ID]
    version = next((mark.value for mark in marks if mark.kind is Kind.VERSION), None)
    time = next((mark.value for mark in marks if mark.kind is Kind.TIME), None)
    return MarkedLine(
        pieces[0],
        " ".join(pieces[1:]),
        ids[0] if ids else None,
        f"v{version}" if version else None,
        parse_time(time) if time else None,
        tuple(ids[1:]),
    )


def _find_marks(line: str) -> list[Mark]:
    """Every id, version and time in the line, none overlapping an earlier one."""
    found = [
        *(Mark(Kind.ID, m.start(), m.end(), m["hash"] or m["bracket"] or m["word"]) for m in _ID.finditer(line)),
        *(Mark(Kind.VERSION, m.start(), m.end(), m["version"]) for m in _VERSION.finditer(line)),
        *(Mark(Kind.TIME, m.start(), m.end(), m["time"]) for m in _TIME.finditer(line)),
    ]
    for m in _ALONE.finditer(line):
        kind = Kind.ID if m["id"] else Kind.VERSION
        found.append(Mark(kind, m.start(kind.value), m.end(), m[kind.value]))
    marks: list[Mark] = []
    for mark in sorted(found, key=lambda mark: (mark.start, -mark.end)):
        if not marks or mark.start >= marks[-1].end:
            marks.append(mark)
    return marks


def _cluster(line: str, marks: list[Mark]) -> list[list[Mark]]:
    """Marks with nothing but separators and brackets between them, together."""
    clusters: list[list[Mark]] = []
    for mark in marks:
        if clusters and not line[clusters[-1][-1].end : mark.start].strip(_SEPARATORS + "()[]"):
            clusters[-1].append(mark)
        else:
            clusters.append([mark])
    return clusters


def _span(line: str, cluster: list[Mark]) -> tuple[int, int]:
    """Where a cluster stands, with the brackets around it."""
    begin, end = cluster[0].start, cluster[-1].end
    before, after = line[:begin].rstrip(), line[end:].lstrip()
    opened = sum(line.count(sign, begin, end) for sign in "([")
    closed = sum(line.count(sign, begin, end) for sign in ")]")
    opens, closes = before.endswith(("(", "[")), after.startswith((")", "]"))
    if opens and (closes or closed > opened):
        begin = len(before) - 1
    if closes and (opens or opened > closed):
        end = len(line) - len(after) + 1
    return begin, end


def _stands_apart(line: str, cluster: list[Mark]) -> bool:
    """Tell marks from numbers in prose: by company, by separators, by brackets, or by their place in the line."""
    begin, end = _span(line, cluster)
    before, after = line[:begin].rstrip(" "), line[end:]
    kinds = {mark.kind for mark in cluster}
    if len(kinds) > 1 or before.endswith(tuple(_HARD)) or before.endswith(" -"):
        return True
    if (begin, end) != (cluster[0].start, cluster[-1].end) or line[begin] in "([":
        return not before or _opens_sentence(after) or not after.strip(_SEPARATORS + ")]")
    if not before.strip(_SEPARATORS):
        return kinds != {Kind.VERSION} or after.lstrip(" ")[:1] in set(_HARD) | {":", "-"}
    if kinds != {Kind.ID}:
        return False
    # "Title #794180 Description" goes on like a new sentence; "see #4512 for details" does not, nor does "in #4512."
    return not after.strip(_SEPARATORS) or _opens_sentence(after)


def _opens_sentence(text: str) -> bool:
    first = text.lstrip(_SEPARATORS)[:1]
    return first.isupper() or first in set("“\"‘'")


def _choose(clusters: list[list[Mark]]) -> list[list[Mark]]:
    """The clusters of one entry, in order: that with the most marks, and others that add what it lacks."""
    best = max(clusters, key=lambda cluster: (len({mark.kind for mark in cluster}), cluster[0].start))
    kinds = {mark.kind for mark in best}
    chosen = [best]
    for cluster in clusters:
        if cluster is not best and not kinds & {mark.kind for mark in cluster}:
            kinds |= {mark.kind for mark in cluster}
            chosen.append(cluster)
    return sorted(chosen, key=lambda cluster: cluster[0].start)
