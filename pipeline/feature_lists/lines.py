"""The records of a feature list while it is read.

A *marker* is an id, a version or a time in a line: it marks the line as an entry of the list.
"""

from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum

from pipeline.core.schema import Feature

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
    other_ids: tuple[int | str, ...] = ()  # ids in the same line after the first
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
    QUOTE = "quote"
    MARKUP = "markup"  # signs without visible text


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a document: `number` counts from 1, `level` is its depth as a bullet or heading.

    `spaced` is true where a blank line precedes it. `inside` is the level of the bullet to which a text or quotation
    belongs, 0 outside of bullets. `joins` is true where the line is in one paragraph with the line above. `entry` is
    the entry whose title the line holds, where the columns of a table or the line's markers show one; `title` is its
    text without credits, where they show none. `wrapped` are further lines of the document whose words `text` holds.
    """

    number: int
    text: str
    kind: LineKind = LineKind.TEXT
    level: int = 0
    spaced: bool = False
    entry: Entry | None = None
    inside: int = 0
    joins: bool = False
    title: str = ""
    wrapped: "tuple[Line, ...]" = ()


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
    NOT_READ = "not_read"
    BAD_CHARACTER = "bad_character"


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
