"""The columns of a table of features: their names, the header that has them, and the rows below it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipeline.core.errors import InputError
from pipeline.core.schema import Feature
from pipeline.core.times import parse_time
from pipeline.feature_lists.dates import is_date
from pipeline.feature_lists.lines import UNPLACED, Document, Entry, Line, LineKind, ListWarning, WarningKind
from pipeline.feature_lists.markers import make_key, normalize_version

# The latest time, in seconds, that a cell can hold: 100 hours.
MAX_SECONDS = 360_000
# Below this number a time with a fraction can be minutes, hours or a part of a day.
MIN_EXACT_SECONDS = 100
# The most rows at the beginning of a table in which its header is searched.
MAX_ROWS_TO_HEADER = 40
# The most characters of a header that an error quotes.
MAX_HEADER_QUOTED = 200


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table of features.

    `aliases` are the names that people give it, in lower case, letters only. `parse` returns the value of a cell that
    is not empty, and raises ValueError where the cell is not `noun`; without it the column is not read.
    """

    aliases: frozenset[str]
    parse: Callable[[str], Any] | None = None
    noun: str = "a value"


def _parse_id(cell: str) -> int | None:
    """Return the number of `#998146` or `998146.0`; None for the id of another tracker, such as `PROJ-1234`."""
    if digits := re.fullmatch(r"#?\s*(\d{1,15})(?:\.0)?", cell):
        return int(digits[1])
    _parse_key(cell)
    return None


def _parse_key(cell: str) -> str:
    """Return an id as published; ValueError for a cell without digits, which is no id."""
    if len(cell) > 60 or not any(map(str.isdigit, cell)):
        raise ValueError(cell)
    return make_key(cell.removesuffix(".0"))[1]


def _parse_version(cell: str) -> str:
    if is_date(cell) or re.fullmatch(r"\d{4}-\d\d-\d\d[ T][\d:.]+|\d{1,2}-[A-Z][a-z]{2}|[A-Z][a-z]{2}-\d\d", cell):
        raise ValueError(cell)
    return normalize_version(cell)


def _parse_flag(cell: str) -> bool:
    return cell.lower() in {"true", "1", "yes", "y", "x"}


def _parse_seconds(cell: str) -> float:
    """Return the seconds of `996`, `996.0`, `16:36` or a spreadsheet's `00:16:36`; ValueError for other cells."""
    seconds = parse_time(cell) if ":" in cell else float(cell)
    if not 0 <= seconds < MAX_SECONDS:
        raise ValueError(cell)
    return seconds


def _parse_exact_seconds(cell: str) -> float:
    """Return the seconds of a cell; ValueError also for a number such as 0.5 or 16.36, whose unit nobody knows."""
    seconds = _parse_seconds(cell)
    if ":" not in cell and seconds < MIN_EXACT_SECONDS and not seconds.is_integer():
        raise ValueError(cell)
    return seconds


# The columns by the names of the fields of `Feature`, in the order in which they are written.
COLUMNS = {
    # The order of the rows gives the positions.
    "position": Column(frozenset({"position", "pos", "no", "nr"})),
    "feature_id": Column(
        frozenset(
            "featureid id ticket ticketid ticketnumber ticketno issue issueid issuenumber issueno reference ref number "
            "iid idshort workitemid itemid caseid casenumber bugid bug taskid storyid changeid cardnumber".split()
        ),
        _parse_id,
        "an id",
    ),
    "version": Column(
        frozenset(
            "version versions release releases ver build fixversion fixversions milestone milestonetitle "
            "releaseversion "
            "fixedinversion fixedin targetversion targetmilestone targetrelease availablein shippedin "
            "productversion iterationpath".split()
        ),
        _parse_version,
        "a version",
    ),
    "title": Column(
        frozenset(
            "title feature name summary featuretitle featurename headline change subject cardname taskname itemname "
            "issuetitle worktitle workitemtitle systemtitle tasktitle tickettitle issuesummary shortdescription what "
            "releasenote enhancement".split()
        ),
        str,
    ),
    "description": Column(
        frozenset(
            "description details detail notes note body text desc carddescription issuedescription systemdescription "
            "featuredescription taskcontent longdescription comments comment releasenotes".split()
        ),
        str,
    ),
    "highlight": Column(frozenset({"highlight", "highlights", "highlighted", "important"}), _parse_flag),
    "published_s": Column(
        frozenset(
            "publisheds published timestamp time start starts at timecode startsat starttime seconds "
            "startseconds".split()
        ),
        _parse_seconds,
        "a time",
    ),
    "feature_key": Column(
        frozenset({"featurekey", "issuekey", "key", "ticketkey", "identifier", "kb", "kbarticle"}), _parse_key, "an id"
    ),
}
# The names of columns that only this program writes: their seconds may have fractions.
_EXACT_COLUMNS = frozenset({"publisheds", "starts", "seconds", "startseconds"})
# Words of names that look like a known column and are none.
_OTHER_WORDS = frozenset(
    "parent epic project assigned assignee reporter author user owner list board team sprint creator label type status "
    "file path link url date created updated closed count".split()
)


@dataclass(frozen=True, slots=True)
class Header:
    """The columns of a table: our name of each, None where it is not read, and the row that names them."""

    names: tuple[str | None, ...]
    row: int
    is_exact: bool = False  # the times are certainly seconds
    keys_in_ids: bool = True  # the ids are also the keys


def find_header(rows: Sequence[tuple[int, list[str]]], columns: Mapping[str, str]) -> Header | None:
    """Return the header of a table: the first row that names a title, with most known columns; None without one.

    `columns` maps the table's own names to COLUMNS.
    """
    best: tuple[int, Header] | None = None
    for index, (_, cells) in enumerate(rows[:MAX_ROWS_TO_HEADER]):
        header = _read_header(index, cells, rows[index + 1 :], columns)
        known = sum(name is not None for name in header.names)
        # A row of prose, such as "Release", names one column at most.
        filled = sum(bool(cell) for cell in cells)
        is_prose = filled > 1 and known == 1 and index + 1 < len(rows) and len(rows[index + 1][1]) != len(cells)
        if "title" in header.names and not is_prose and (best is None or known > best[0]):
            best = (known, header)
    return None if best is None else best[1]


def _read_header(
    index: int, cells: Sequence[str], below: Sequence[tuple[int, list[str]]], columns: Mapping[str, str]
) -> Header:
    """Return our names for the cells of a row; a second column of the same kind keeps the name as well."""
    names = [columns.get(cell) or _name_column(cell) for cell in cells]
    letters = [_letters(cell) for cell in cells]
    if "title" not in names:
        # "Feature (short)" or "Titel of the card": a name that contains a known one.
        names = [name or _guess_column(cell) for name, cell in zip(names, cells, strict=True)]
    if "title" not in names and "description" in names:
        names[names.index("description")] = "title"
    numbers = [i for i, text in enumerate(letters) if text == "number" and names[i] == "feature_id"]
    for i in numbers:
        values = [row[i] for _, row in below if i < len(row) and row[i]]
        if values == [str(n) for n in range(1, len(values) + 1)]:
            names[i] = "position"
    # A column "#" has the ids of a tracker, or only counts the rows of a table.
    if "#" in cells and not {"feature_id", "feature_key"} & set(names):
        values = [row[cells.index("#")] for _, row in below if len(row) > cells.index("#")]
        if values != [str(n) for n in range(1, len(values) + 1)]:
            names[cells.index("#")] = "feature_id"
    # Trackers have numbers of their own beside those that people see.
    if any(text in {"number", "iid", "idshort"} and names[i] == "feature_id" for i, text in enumerate(letters)):
        names = [None if text == "id" else name for name, text in zip(names, letters, strict=True)]
    if "feature_key" in names and "issueid" in letters:
        # Jira's own number of an issue, which nobody sees.
        names = [None if text == "issueid" else name for name, text in zip(names, letters, strict=True)]
    is_exact = any(text in _EXACT_COLUMNS for text in letters)
    return Header(tuple(names), index, is_exact, "feature_key" not in names)


def _letters(cell: str) -> str:
    """Return the letters of a column's name in lower case, without what is in brackets and without numbers."""
    return re.sub(r"[^a-z]", "", re.sub(r"\(.*?\)|\[.*?\]", "", cell.lower()))


def _name_column(cell: str) -> str | None:
    letters = _letters(cell)
    return next((name for name, column in COLUMNS.items() if letters in column.aliases), None)


def _guess_column(cell: str) -> str | None:
    """Return our name of a column whose own name contains a known one, such as `Name of the feature`."""
    words = set(re.findall(r"[a-z]+", cell.lower()))
    if not words or words & _OTHER_WORDS or len(words) > 4:
        return None
    for name, signs in (("title", {"title", "summary", "subject", "headline"}), ("version", {"version", "milestone"})):
        if words & signs:
            return name
    return "title" if "name" in words and words & {"feature", "item", "change"} else None


def read_table(rows: Sequence[tuple[int, list[str]]], columns: Mapping[str, str], unit: str) -> Document:
    """Return the document of a table's numbered rows; InputError where it is empty or no column holds titles."""
    filled = [(number, cells) for number, cells in rows if any(cells)]
    if not filled:
        raise InputError("the table is empty")
    if find_header(filled, columns) is None:
        raise InputError(explain_no_header(filled, unit))
    lines, warnings = parse_rows(filled, columns)
    return Document(tuple(lines), unit, tuple(warnings))


def explain_no_header(filled: Sequence[tuple[int, list[str]]], unit: str) -> str:
    """Return why a table is refused: the columns found, and the setting that names them."""
    number, header = max(filled[:MAX_ROWS_TO_HEADER], key=lambda row: sum(bool(cell) for cell in row[1]))
    names = ", ".join(cell for cell in header if cell)
    example = next((cell for cell in header if cell and not _name_column(cell)), "Kurzbeschreibung")
    setting = f"columns: {{{_quote(example)}: title}}"
    return (
        f"{unit} {number}: no column is called title (found: {names[:MAX_HEADER_QUOTED]}); name it in "
        f"configs/show.yaml, for example {setting}"
    )


def _quote(name: str) -> str:
    """Return a column's name as a string of YAML."""
    short = name[:60].replace("\\", "\\\\").replace('"', '\\"')
    return f'"{short}"'


def parse_rows(
    rows: Sequence[tuple[int, list[str]]], columns: Mapping[str, str]
) -> tuple[list[Line], list[ListWarning]]:
    """Return a table's numbered rows as lines, and a warning for each unreadable cell.

    The rows above the header are lines that no entry is in. Where no column holds titles, each row is a line of text.
    """
    header = find_header(rows, columns)
    if header is None:
        return [Line(number, " | ".join(filter(None, cells))) for number, cells in rows if any(cells)], []
    lines: list[Line] = []
    warnings: list[ListWarning] = []
    for index, (number, cells) in enumerate(rows):
        text = " | ".join(filter(None, cells))
        if index == header.row:
            lines.append(Line(number, text, LineKind.COLUMNS))
        elif index < header.row and text:
            lines.append(Line(number, text, LineKind.ROW))
        elif text:
            line, unreadable = parse_row(number, cells, header, text)
            lines.append(line)
            warnings += unreadable
    return lines, warnings


def parse_row(number: int, cells: Sequence[str], header: Header, text: str) -> tuple[Line, list[ListWarning]]:
    """Return a row as a line, with its entry where it has a title, and a warning for each unreadable cell.

    Of several columns of the same kind, the first that is filled counts.
    """
    record = _name_cells(cells, header)
    values: dict[str, Any] = {}
    warnings = []
    for name, column in COLUMNS.items():
        is_inexact = name == "published_s" and not header.is_exact
        parse = _parse_exact_seconds if is_inexact else column.parse
        if (cell := record.get(name, "")) and parse is not None:
            try:
                values[name] = parse(cell)
            except ValueError:
                message = f"{cell!r} is not {column.noun}; left empty"
                warnings.append(ListWarning(WarningKind.UNREADABLE_CELL, (number,), message))
    if header.keys_in_ids and "feature_id" in values:
        values["feature_key"] = _parse_key(record["feature_id"])
    line = Line(number, text or "-", LineKind.ROW)
    if "title" not in values:
        return line, warnings
    description = [values.pop("description")] if "description" in values else []
    return replace(line, entry=Entry(Feature(position=UNPLACED, **values), description)), warnings


def _name_cells(cells: Sequence[str], header: Header) -> dict[str, str]:
    """Return the cells of a row by our names of their columns; a key that is a number is the id as well."""
    record: dict[str, str] = {}
    for name, cell in zip(header.names, cells, strict=False):
        if name is not None and cell:
            record.setdefault(name, cell)
    if record.get("feature_key", "").removeprefix("#").isdecimal():
        record.setdefault("feature_id", record["feature_key"])
    return record
