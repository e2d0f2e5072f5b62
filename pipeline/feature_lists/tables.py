"""Feature lists in tables: CSV, TSV, XLSX and JSON, their columns known by the names people give them."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from datetime import time as clock_time
from itertools import islice
from typing import Any

from pipeline.core.errors import InputError
from pipeline.core.text import clean_text, unescape_formula
from pipeline.core.times import parse_time
from pipeline.feature_lists.lines import Document, Line, MarkedLine

# The names people give their columns, in small letters without blanks and signs.
COLUMNS: dict[str, frozenset[str]] = {
    "position": frozenset({"position", "pos", "no", "nr", "number"}),
    "feature_id": frozenset({"featureid", "id", "ticket", "ticketid", "issue", "key", "reference", "ref"}),
    "version": frozenset({"version", "release", "ver", "build", "fixversion"}),
    "title": frozenset({"title", "feature", "name", "summary", "featuretitle", "headline", "change"}),
    "description": frozenset({"description", "details", "notes", "body", "text", "desc"}),
    "highlight": frozenset({"highlight", "highlights", "highlighted", "important"}),
    "published_s": frozenset({"publisheds", "published", "timestamp", "time", "start", "starts", "at", "timecode"}),
}

# A list of 1,000 entries is a tenth of this. Zip packs a thousand times as much into a file that passes for small, and
# one cell in the last corner of a sheet makes it 17 thousand million cells large.
MAX_SHEET_BYTES, MAX_ROWS, MAX_COLUMNS = 16 << 20, 20_000, 64
SHEET_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet's day 0 has no zone


def read_csv_lines(text: str, suffix: str, columns: Mapping[str, str]) -> Document:
    """Return the rows of a table whose first line names the columns, which `columns` maps to ours where they differ.

    The separator of a .csv may be another than the comma. InputError where no column holds titles.
    """
    delimiter = "\t" if suffix == ".tsv" else _find_delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows = []
    try:
        begin = 1
        for cells in reader:
            rows.append((begin, [unescape_formula(clean_text(cell)) for cell in cells]))
            begin = reader.line_num + 1
    except csv.Error as error:
        raise InputError(f"line {reader.line_num}: {error}") from error
    return _as_table(rows, columns, "line")


def _find_delimiter(text: str) -> str:
    header = next((line for line in text.splitlines() if line.strip()), "")
    return max(",;\t|", key=header.count)


def read_xlsx_lines(content: bytes, columns: Mapping[str, str]) -> Document:
    """Return the rows of a workbook's first sheet; InputError where it is none, is too large, or has no titles."""
    try:
        rows = list(_read_cells(content))
    except InputError:
        raise
    except Exception as error:  # a damaged workbook fails in zipfile, XML or openpyxl, each in its own way
        raise InputError(f"this is not an .xlsx workbook ({type(error).__name__})") from error
    if len(rows) > MAX_ROWS:
        raise InputError(f"the sheet has more than {MAX_ROWS} rows: this must be something else than a feature list")
    clocks = [clock for cells in rows for cell in cells if (clock := _read_clock(cell)) is not None]
    # A spreadsheet takes 16:36, typed for minutes and seconds, for hours and minutes.
    unit = 60 if all(clock % 60 == 0 for clock in clocks) else 1
    return _as_table(
        [(number, [_show_cell(cell, unit) for cell in cells]) for number, cells in enumerate(rows, start=1)],
        columns,
        "row",
    )


def _read_cells(content: bytes) -> Iterator[list[Any]]:
    """The rows of a workbook's first sheet, one too many at most; errors and empty cells as empty text."""
    import openpyxl

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        # What zipfile gives of a member is never more than the size that it states.
        size = sum(member.file_size for member in archive.infolist() if member.filename.lower().endswith(".xml"))
    if size > MAX_SHEET_BYTES:
        raise InputError(f"the sheet unpacks to {size >> 20} MB: this must be something else than a feature list")
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    try:
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # programs write wrong ones
        for cells in islice(sheet.iter_rows(max_col=MAX_COLUMNS), MAX_ROWS + 1):
            yield ["" if cell.value is None or cell.data_type == "e" else _as_integer(cell.value) for cell in cells]
    finally:
        book.close()


def _as_integer(value: Any) -> Any:
    """A number without a fraction as an integer: a spreadsheet knows none, and 979667.0 is no id."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _show_cell(cell: Any, unit: int) -> str:
    clock = _read_clock(cell)
    return clean_text(str(cell)) if clock is None else f"{clock / unit:g}"


def _read_clock(cell: Any) -> int | None:
    """The seconds in a cell that a spreadsheet holds as a time of day or a duration; None for any other."""
    if isinstance(cell, datetime):
        # Durations of a day or more are shown as dates of its first days.
        return int((cell - SHEET_ZERO).total_seconds()) if cell.year == SHEET_ZERO.year + 1 else None
    if isinstance(cell, timedelta):
        return int(cell.total_seconds())
    return cell.hour * 3600 + cell.minute * 60 + cell.second if isinstance(cell, clock_time) else None


def _as_table(rows: list[tuple[int, list[str]]], columns: Mapping[str, str], unit: str) -> Document:
    filled = [(number, cells) for number, cells in rows if any(cells)]
    if not filled:
        raise InputError("the table is empty")
    if "title" not in _name_columns(filled[0][1], columns):
        known = ", ".join(cell for cell in filled[0][1] if cell) or "nothing"
        raise InputError(f"{unit} {filled[0][0]}: no column is called title (found: {known[:200]})")
    names = _name_columns(filled[0][1], columns)
    odd = [
        f"{unit} {number}: {complaint}"
        for number, cells in filled[1:]
        for complaint in _find_odd(dict(zip(names, cells, strict=False)))
    ]
    return Document(tuple(read_rows(filled, columns)), unit, tuple(odd))


def read_json_lines(text: str, columns: Mapping[str, str]) -> Document:
    """Return the items of a list of objects, or of an object whose `features` is one; InputError for anything else."""
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
        record = dict(
            zip(names, ("" if cell is None else clean_text(str(cell)) for cell in item.values()), strict=True)
        )
        lines.append(_read_record(number, record, " ".join(record.values())))
        warnings += [f"item {number}: {odd}" for odd in _find_odd(record)]
    return Document(tuple(lines), "item", tuple(warnings))


def read_rows(rows: Sequence[tuple[int, list[str]]], columns: Mapping[str, str]) -> list[Line]:
    """Return a table's numbered rows as lines; where no column is a title, each row is a line of text."""
    if not rows:
        return []
    number, header = rows[0]
    names = _name_columns(header, columns)
    if "title" not in names:
        return [Line(number, " | ".join(filter(None, cells))) for number, cells in rows if any(cells)]
    lines = [Line(number, " | ".join(filter(None, header)), "columns")]
    for number, cells in rows[1:]:
        if any(cells):
            lines.append(_read_record(number, dict(zip(names, cells, strict=False)), " | ".join(filter(None, cells))))
    return lines


def _name_columns(header: Sequence[str], columns: Mapping[str, str]) -> list[str]:
    """Our names for a table's columns; a column we do not know keeps its own, and so does a second of a kind."""
    names: list[str] = []
    for cell in header:
        key = re.sub(r"[^a-z]", "", cell.lower())
        ours = columns.get(cell) or next((name for name, theirs in COLUMNS.items() if key in theirs), cell)
        names.append(cell if ours in names else ours)
    return names


def _read_record(number: int, record: Mapping[str, str], text: str) -> Line:
    """A row as a line that knows its parts; without a title it is no entry."""
    title = record.get("title", "")
    if not title:
        return Line(number, text or "-", "row")
    digits = re.fullmatch(r"#?\s*(\d{1,15})(?:\.0)?", record.get("feature_id", ""))
    version = record.get("version", "")
    marks = MarkedLine(
        title,
        record.get("description", ""),
        int(digits[1]) if digits else None,
        f"v{version.lstrip('vV ')}" if re.match(r"[vV]?\s?\d", version) else version or None,
        _read_seconds(record.get("published_s", "")),
        highlight=record.get("highlight", "").lower() in {"true", "1", "yes", "y", "x"},
    )
    return Line(number, text, "row", row=marks)


def _read_seconds(text: str) -> float | None:
    """Seconds from `996`, `996.0`, `16:36` or a spreadsheet's `00:16:36`; None where it is none of these."""
    try:
        seconds = parse_time(text) if ":" in text else float(text)
    except ValueError:
        return None
    return seconds if 0 <= seconds < 360_000 else None


def _find_odd(record: Mapping[str, str]) -> Iterator[str]:
    """What a table's cells hold that we cannot use."""
    if (cell := record.get("feature_id", "")) and not re.fullmatch(r"#?\s*\d{1,15}(?:\.0)?", cell):
        yield f"{cell!r} is not an id; left empty"
    if (cell := record.get("published_s", "")) and _read_seconds(cell) is None:
        yield f"{cell!r} is not a time; left empty"
