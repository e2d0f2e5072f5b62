"""The records of a feature list while it is read, and the parser of a line with markers.

A *marker* is an id, a version or a time in a line: it marks the line as an entry of the list.
"""

import re
from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum

from pipeline.core.schema import Feature
from pipeline.core.times import CLOCK, parse_time

# The position of every entry until its list is complete.
UNPLACED = 1


@dataclass(slots=True)
class Entry:
    """An entry of a feature list while its page is read.

    `feature` has the values known so far, except the lines of the `description`. `line` is the number of the line that
    holds the title.
    """

    feature: Feature
    description: list[str] = field(default_factory=list)
    line: int = 0
    other_ids: tuple[int, ...] = ()  # ids in the same line after the first
    merged_into: "Entry | None" = None  # the entry that this one repeats

    def complete(self, position: int) -> None:
        """Give the feature its position and its whole description."""
        self.feature = replace(self.feature, position=position, description=" ".join(self.description))


class LineKind(Enum):
    """The form of a line in its document."""

    TEXT = "text"
    BULLET = "bullet"
    HEADING = "heading"
    COLUMNS = "columns"  # a table's header
    ROW = "row"  # a row of a table whose columns are known
    MARKUP = "markup"  # signs without visible text


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a document: `number` counts from 1, `level` is its depth as a bullet or heading.

    `spaced` is true where a blank line precedes it. `entry` is the entry whose title the line holds, where the columns
    of a table or the line's markers show one.
    """

    number: int
    text: str
    kind: LineKind = LineKind.TEXT
    level: int = 0
    spaced: bool = False
    entry: Entry | None = None


class WarningKind(StrEnum):
    """What is doubtful in a feature list."""

    UNREADABLE_CELL = "unreadable_cell"
    ID_OUTSIDE_ARTICLE = "id_outside_article"
    REPEATED_ID = "repeated_id"
    CONFLICTING_ID = "conflicting_id"
    UNCERTAIN_HIGHLIGHT = "uncertain_highlight"
    UNLISTED_HIGHLIGHT = "unlisted_highlight"
    NO_ID = "no_id"
    NO_VERSION = "no_version"
    NO_DESCRIPTION = "no_description"
    SEVERAL_IDS = "several_ids"
    ODD_VERSION = "odd_version"
    FALLING_TIME = "falling_time"
    LATE_TIME = "late_time"
    NO_SUBJECT = "no_subject"
    PROBABLE_REPEAT = "probable_repeat"


@dataclass(frozen=True, slots=True)
class ListWarning:
    """A doubt about a feature list: its kind, the lines in question, what is wrong there and what to do."""

    kind: WarningKind
    lines: tuple[int, ...]
    text: str

    def describe(self, unit: str) -> str:
        """Return `line 3: …` or `lines 3, 5-8: …`; `unit` is the singular of what the numbers count."""
        if not self.lines:
            return self.text
        plural = f"{unit[:-1]}ies" if unit.endswith("y") else f"{unit}s"
        return f"{unit if len(self.lines) == 1 else plural} {_format_ranges(self.lines)}: {self.text}"


def _format_ranges(numbers: tuple[int, ...]) -> str:
    """Return `3, 5-8, 10` for the numbers 3, 5, 6, 7, 8 and 10."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


@dataclass(frozen=True, slots=True)
class Document:
    """The lines of a document, the noun for what their numbers count (line, row, item), and the reader's warnings."""

    lines: tuple[Line, ...]
    unit: str = "line"
    warnings: tuple[ListWarning, ...] = ()


# Signs that stand between two markers of an entry, and around its title.
_SEPARATORS = " \t|,;:/–—−•·-"
# Separators that prose does not use before a number.
_HARD_SEPARATORS = "|\t•·–—"
# An id: `#998146`, `(998146)`, `ID 998146`; not `&#8217;` or the fragment of a URL.
_ID = re.compile(
    r"(?<![\w/&#])(?:#\s?(?P<hash>\d{3,9})|(?P<open>[(\[])\s?#?\s?(?P<bracket>\d{5,9})\s?[)\]]"
    r"|(?:ID|Id)\s?[:#]?\s?(?P<word>\d{3,9}))(?![\d]|[.,]\d)"
)
# A version of two to four parts: `v2.204`, `V. 2.204.1`.
_VERSION = re.compile(r"(?<![\w.])[vV]\.?\s?(?P<version>\d{1,4}(?:\.\d{1,5}){1,3})(?!\w|\.\d)")
# A time, or the start of a range of times.
_TIME = re.compile(rf"(?<![\d:.,])(?P<time>{CLOCK})(?![\d:])(?:\s?(?:-|–|—|to)\s?{CLOCK}(?![\d:]))?")
# A number without # or v is an id or a version only where it stands alone between separators.
_BARE_NUMBER = re.compile(
    r"(?:(?<=[|\t•·–—])|^)\s*(?:(?P<id>\d{5,9})|(?P<version>\d{1,4}(?:\.\d{1,5}){1,3}))(?=\s*(?:$|[|\t•·–—]))"
)


class _MarkerKind(Enum):
    """The kinds of markers; each value is the name of a group in `_BARE_NUMBER`."""

    ID = "id"
    VERSION = "version"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class _Marker:
    """One marker, and its place in the line."""

    kind: _MarkerKind
    start: int
    end: int
    value: str


def parse_line(text: str) -> Entry | None:
    """Return the entry in a line; None where the line has no title, or no markers that stand apart from its prose."""
    clusters = [cluster for cluster in _cluster_markers(text) if _stands_apart(text, cluster)]
    if not clusters:
        return None
    chosen = _choose_clusters(clusters)
    parts, end = [], 0
    for cluster in chosen:
        start, next_end = _measure_cluster(text, cluster)
        parts.append(text[end:start].strip(_SEPARATORS))
        end = next_end
    parts = [part for part in (*parts, text[end:].strip(_SEPARATORS)) if part.strip()]
    if not parts:
        return None
    values: dict[_MarkerKind, list[str]] = {kind: [] for kind in _MarkerKind}
    for marker in (marker for cluster in chosen for marker in cluster):
        values[marker.kind].append(marker.value)
    ids = [int(value) for value in values[_MarkerKind.ID]]
    feature = Feature(
        position=UNPLACED,
        title=parts[0],
        feature_id=ids[0] if ids else None,
        version=next((f"v{version}" for version in values[_MarkerKind.VERSION]), None),
        published_s=next((parse_time(time) for time in values[_MarkerKind.TIME]), None),
    )
    return Entry(feature, [" ".join(parts[1:])] if len(parts) > 1 else [], other_ids=tuple(ids[1:]))


def _find_markers(text: str) -> list[_Marker]:
    """Return the ids, versions and times in a line; of two that overlap, the first."""
    matches = [
        *(
            _Marker(_MarkerKind.ID, m.start(), m.end(), m["hash"] or m["bracket"] or m["word"])
            for m in _ID.finditer(text)
        ),
        *(_Marker(_MarkerKind.VERSION, m.start(), m.end(), m["version"]) for m in _VERSION.finditer(text)),
        *(_Marker(_MarkerKind.TIME, m.start(), m.end(), m["time"]) for m in _TIME.finditer(text)),
    ]
    for m in _BARE_NUMBER.finditer(text):
        kind = _MarkerKind.ID if m["id"] else _MarkerKind.VERSION
        matches.append(_Marker(kind, m.start(kind.value), m.end(), m[kind.value]))
    markers: list[_Marker] = []
    for marker in sorted(matches, key=lambda marker: (marker.start, -marker.end)):
        if not markers or marker.start >= markers[-1].end:
            markers.append(marker)
    return markers


def _cluster_markers(text: str) -> list[list[_Marker]]:
    """Return a line's markers, grouped where only separators and brackets stand between them."""
    clusters: list[list[_Marker]] = []
    for marker in _find_markers(text):
        if clusters and not text[clusters[-1][-1].end : marker.start].strip(_SEPARATORS + "()[]"):
            clusters[-1].append(marker)
        else:
            clusters.append([marker])
    return clusters


def _measure_cluster(text: str, cluster: list[_Marker]) -> tuple[int, int]:
    """Return the start and end of a cluster, including the brackets around it."""
    start, end = cluster[0].start, cluster[-1].end
    before, after = text[:start].rstrip(), text[end:].lstrip()
    opened = sum(text.count(sign, start, end) for sign in "([")
    closed = sum(text.count(sign, start, end) for sign in ")]")
    opens, closes = before.endswith(("(", "[")), after.startswith((")", "]"))
    if opens and (closes or closed > opened):
        start = len(before) - 1
    if closes and (opens or opened > closed):
        end = len(text) - len(after) + 1
    return start, end


def _stands_apart(text: str, cluster: list[_Marker]) -> bool:
    """Return whether a cluster is not a number in prose: its kinds, separators, brackets or place show it."""
    start, end = _measure_cluster(text, cluster)
    before, after = text[:start].rstrip(" "), text[end:]
    kinds = {marker.kind for marker in cluster}
    if len(kinds) > 1 or before.endswith(tuple(_HARD_SEPARATORS)) or before.endswith(" -"):
        return True
    if (start, end) != (cluster[0].start, cluster[-1].end) or text[start] in "([":
        return not before or _opens_sentence(after) or not after.strip(_SEPARATORS + ")]")
    if not before.strip(_SEPARATORS):
        return kinds != {_MarkerKind.VERSION} or after.lstrip(" ")[:1] in set(_HARD_SEPARATORS) | {":", "-"}
    if kinds != {_MarkerKind.ID}:
        return False
    # After "Title #794180" a new sentence begins; "see #4512 for details" and "in #4512." are prose.
    return not after.strip(_SEPARATORS) or _opens_sentence(after)


def _opens_sentence(text: str) -> bool:
    first = text.lstrip(_SEPARATORS)[:1]
    return first.isupper() or first in set("“\"‘'")


def _choose_clusters(clusters: list[list[_Marker]]) -> list[list[_Marker]]:
    """Return the clusters of one entry, in order: the one with the most kinds, and others that add a new kind."""
    best = max(clusters, key=lambda cluster: (len({marker.kind for marker in cluster}), cluster[0].start))
    kinds = {marker.kind for marker in best}
    chosen = [best]
    for cluster in clusters:
        if cluster is not best and not kinds & {marker.kind for marker in cluster}:
            kinds |= {marker.kind for marker in cluster}
            chosen.append(cluster)
    return sorted(chosen, key=lambda cluster: cluster[0].start)
