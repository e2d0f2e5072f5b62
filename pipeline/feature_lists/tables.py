"""Readers of feature lists in tables (CSV, TSV, XLSX, JSON), and the columns that they know."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from datetime import time as clock_time
from itertools import islice
from typing import Any

from pipeline.core.errors import InputError
from pipeline.core.schema import Feature
from pipeline.core.text import clean_text, unescape_formula
from pipeline.core.times import parse_time
from pipeline.feature_lists.lines import UNPLACED, Document, Entry, Line, LineKind, ListWarning, WarningKind

# The latest time, in seconds, that a cell can hold: 100 hours.
MAX_SECONDS = 360_000
# The largest workbook, in unpacked bytes: ten times a list of 1,000 entries. A zip can unpack to 1,000 times its size.
MAX_SHEET_BYTES = 16 << 20
# The most rows of a sheet that are read.
MAX_ROWS = 20_000
# The most columns of a sheet that are read: a single cell in its last corner makes a sheet 17 billion cells large.
MAX_COLUMNS = 64
# The most characters of a header that an error quotes.
MAX_HEADER_QUOTED = 200
# Day 0 of a spreadsheet, which knows no time zone.
SHEET_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table of features.

    `aliases` are the names that people give it, in lower case, letters only. `parse` returns the value of a cell that
    is not empty, and raises ValueError where the cell is not `noun`; without it the column is not read.
    """

    aliases: frozenset[str]
    parse: Callable[[str], Any] | None = None
    noun: str = "a value"


def _parse_id(cell: str) -> int:
    if digits := re.fullmatch(r"#?\s*(\d{1,15})(?:\.0)?", cell):
        return int(digits[1])
    raise ValueError(cell)


def _parse_version(cell: str) -> str:
    return f"v{cell.lstrip('vV ')}" if re.match(r"[vV]?\s?\d", cell) else cell


def _parse_flag(cell: str) -> bool:
    return cell.lower() in {"true", "1", "yes", "y", "x"}


def _parse_seconds(cell: str) -> float:
    """Return the seconds of `996`, `996.0`, `16:36` or a spreadsheet's `00:16:36`; ValueError for other cells."""
    seconds = parse_time(cell) if ":" in cell else float(cell)
    if not 0 <= seconds < MAX_SECONDS:
        raise ValueError(cell)
    return seconds


# The columns by the names of the fields of `Feature`, in the order in which they are written.
COLUMNS = {
    # The order of the rows gives the positions.
    "position": Column(frozenset({"position", "pos", "no", "nr", "number"})),
    "feature_id": Column(
        frozenset({"featureid", "id", "ticket", "ticketid", "issue", "key", "reference", "ref"}), _parse_id, "an id"
    ),
    "version": Column(frozenset({"version", "release", "ver", "build", "fixversion"}), _parse_version),
    "title": Column(frozenset({"title", "feature", "name", "summary", "featuretitle", "headline", "change"}), str),
    "description": Column(frozenset({"description", "details", "notes", "body", "text", "desc"}), str),
    "highlight": Column(frozenset({"highlight", "highlights", "highlighted", "important"}), _parse_flag),
    "published_s": Column(
        frozenset({"publisheds", "published", "timestamp", "time", "start", "starts", "at", "timecode"}),
        _parse_seconds,
        "a time",
    ),
    "feature_key": Column(frozenset({"featurekey", "issuekey"}), str),
}


def read_csv_lines(text: str, suffix: str, columns: Mapping[str, str]) -> Document:
    """Return the rows of a table whose first line names the columns; `columns` maps its names to COLUMNS.

    The separator of a .csv file is the comma, semicolon, tab or bar that its first line has most. InputError where no
    column holds titles.
    """
    delimiter = "\t" if suffix == ".tsv" else _find_delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows = []
    try:
        first_line = 1
        for cells in reader:
            rows.append((first_line, [unescape_formula(clean_text(cell)) for cell in cells]))
            first_line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(f"line {reader.line_num}: {error}") from error
    return _read_table(rows, columns, "line")


def _find_delimiter(text: str) -> str:
    header = next((line for line in text.splitlines() if line.strip()), "")
    return max(",;\t|", key=header.count)


def read_xlsx_lines(content: bytes, columns: Mapping[str, str]) -> Document:
    """Return the rows of a workbook's first sheet; `columns` maps its column names to COLUMNS.

    InputError where the bytes are not a workbook, the sheet is too large, or no column holds titles.
    """
    try:
        rows = list(_read_cells(content))
    except InputError:
        raise
    except Exception as error:  # a damaged workbook fails in zipfile, XML or openpyxl, each in its own way
        raise InputError(f"this is not an .xlsx workbook ({type(error).__name__})") from error
    if len(rows) > MAX_ROWS:
        raise InputError(f"the sheet has more than {MAX_ROWS} rows, too many for a feature list: is this another file?")
    clocks = [clock for cells in rows for cell in cells if (clock := _read_clock(cell)) is not None]
    # A spreadsheet reads 16:36, typed as minutes and seconds, as hours and minutes.
    divisor = 60 if all(clock % 60 == 0 for clock in clocks) else 1
    return _read_table(
        [(number, [_format_cell(cell, divisor) for cell in cells]) for number, cells in enumerate(rows, start=1)],
        columns,
        "row",
    )


def _read_cells(content: bytes) -> Iterator[list[Any]]:
    """Yield at most `MAX_ROWS` + 1 rows of a workbook's first sheet; errors and empty cells are empty text."""
    import openpyxl

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        # zipfile never unpacks more of a member than the size that the archive states.
        size = sum(member.file_size for member in archive.infolist() if member.filename.lower().endswith(".xml"))
    if size > MAX_SHEET_BYTES:
        raise InputError(f"the sheet unpacks to {size >> 20} MB, too many for a feature list: is this another file?")
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    try:
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # some programs write wrong dimensions
        for cells in islice(sheet.iter_rows(max_col=MAX_COLUMNS), MAX_ROWS + 1):
            yield ["" if cell.value is None or cell.data_type == "e" else _as_integer(cell.value) for cell in cells]
    finally:
        book.close()


def _as_integer(value: Any) -> Any:
    """Return a float without a fraction as an integer: spreadsheets have no integers, and 979667.0 is not an id."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _format_cell(cell: Any, divisor: int) -> str:
    clock = _read_clock(cell)
    return clean_text(str(cell)) if clock is None else f"{clock / divisor:g}"


def _read_clock(cell: Any) -> int | None:
    """Return the seconds of a cell that holds a time of day or a duration; None for other cells."""
    if isinstance(cell, datetime):
        # A duration of a day or more reads as a date in the first year of the spreadsheet's calendar.
        return int((cell - SHEET_ZERO).total_seconds()) if cell.year == SHEET_ZERO.year + 1 else None
    if isinstance(cell, timedelta):
        return int(cell.total_seconds())
    return cell.hour * 3600 + cell.minute * 60 + cell.second if isinstance(cell, clock_time) else None


def _read_table(rows: Sequence[tuple[int, list[str]]], columns: Mapping[str, str], unit: str) -> Document:
    """Return the document of a table's numbered rows; InputError where it is empty or no column holds titles."""
    filled = [(number, cells) for number, cells in rows if any(cells)]
    if not filled:
        raise InputError("the table is empty")
    number, header = filled[0]
    if "title" not in _name_columns(header, columns):
        names = ", ".join(cell for cell in header if cell) or "nothing"
        raise InputError(f"{unit} {number}: no column is called title (found: {names[:MAX_HEADER_QUOTED]})")
    lines, warnings = parse_rows(filled, columns)
    return Document(tuple(lines), unit, tuple(warnings))


def read_json_lines(text: str, columns: Mapping[str, str]) -> Document:
    """Return the items of a list of objects, or of an object whose `features` is one; InputError for other JSON.

    `columns` maps the names of the objects' members to COLUMNS.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"this is not JSON: {error}") from error
    if isinstance(value, dict):
        value = value.get("features")
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise InputError("expected a list of objects with `title`, `feature_id`, `version`, …")
    lines, warnings = [], []
    for number, item in enumerate(value, start=1):
        names = _name_columns([str(name) for name in item], columns)
        cells = ["" if cell is None else clean_text(str(cell)) for cell in item.values()]
        record = dict(zip(names, cells, strict=True))
        line, unreadable = _parse_row(number, record, " ".join(record.values()))
        lines.append(line)
        warnings += unreadable
    return Document(tuple(lines), "item", tuple(warnings))


def parse_rows(
    rows: Sequence[tuple[int, list[str]]], columns: Mapping[str, str]
) -> tuple[list[Line], list[ListWarning]]:
    """Return a table's numbered rows as lines, and a warning for each unreadable cell; the first row is the header.

    Where no column holds titles, each row is a line of text.
    """
    if not rows:
        return [], []
    number, header = rows[0]
    names = _name_columns(header, columns)
    if "title" not in names:
        return [Line(number, " | ".join(filter(None, cells))) for number, cells in rows if any(cells)], []
    lines = [Line(number, " | ".join(filter(None, header)), LineKind.COLUMNS)]
    warnings: list[ListWarning] = []
    for number, cells in rows[1:]:
        if any(cells):
            record = dict(zip(names, cells, strict=False))
            line, unreadable = _parse_row(number, record, " | ".join(filter(None, cells)))
            lines.append(line)
            warnings += unreadable
    return lines, warnings


def _name_columns(header: Sequence[str], columns: Mapping[str, str]) -> list[str]:
    """Return the names in COLUMNS of a table's columns; an unknown column, and a second of one kind, keeps its own."""
    names: list[str] = []
    for cell in header:
        letters = re.sub(r"[^a-z]", "", cell.lower())
        known = next((name for name, column in COLUMNS.items() if letters in column.aliases), cell)
        name = columns.get(cell) or known
        names.append(cell if name in names else name)
    return names


def _parse_row(number: int, record: Mapping[str, str], text: str) -> tuple[Line, list[ListWarning]]:
    """Return a row as a line, with its entry where it has a title, and a warning for each unreadable cell."""
    values: dict[str, Any] = {}
    warnings = []
    for name, column in COLUMNS.items():
        if (cell := record.get(name, "")) and column.parse is not None:
            try:
                values[name] = column.parse(cell)
            except ValueError:
                message = f"{cell!r} is not {column.noun}; left empty"
                warnings.append(ListWarning(WarningKind.UNREADABLE_CELL, (number,), message))
    line = Line(number, text or "-", LineKind.ROW)
    if "title" not in values:
        return line, warnings
    description = [values.pop("description")] if "description" in values else []
    return replace(line, entry=Entry(Feature(position=UNPLACED, **values), description)), warnings
