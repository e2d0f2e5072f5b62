"""The reader of feature lists in workbooks (.xlsx)."""

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from datetime import time as clock_time
from itertools import islice
from typing import Any

from pipeline.core.errors import InputError
from pipeline.core.text import clean_text
from pipeline.feature_lists.lines import Document, ListWarning, WarningKind
from pipeline.feature_lists.tables import explain_no_header, find_header, read_table

# The largest workbook, in unpacked bytes: ten times a list of 1,000 entries. A zip can unpack to 1,000 times its size.
MAX_SHEET_BYTES = 16 << 20
# The most rows of a sheet that are read.
MAX_ROWS = 20_000
# The most columns of a sheet that are read: a single cell in its last corner makes a sheet 17 billion cells large.
MAX_COLUMNS = 64
# The most sheets that are read.
MAX_SHEETS = 30
# Day 0 of a spreadsheet, which knows no time zone.
SHEET_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001
# A formula that shows a fixed text.
_HYPERLINK = re.compile(r'=HYPERLINK\(\s*"[^"]*"\s*[,;]\s*"([^"]*)"\s*\)', re.IGNORECASE)
# The rows and columns of a sheet, each cell with its value.
Sheet = tuple[str, list[list[Any]]]


def read_xlsx_lines(content: bytes, columns: Mapping[str, str]) -> Document:
    """Return the rows of the first sheet of a workbook that has a header; `columns` maps its column names to COLUMNS.

    InputError where the bytes are no workbook, a sheet is too large, or no column holds titles.
    """
    try:
        sheets = list(_read_sheets(content))
    except InputError:
        raise
    except Exception as error:  # a damaged workbook fails in zipfile, XML or openpyxl, each in its own way
        raise InputError(f"this is not an .xlsx workbook ({type(error).__name__})") from error
    tables = [(name, *_format_rows(cells)) for name, cells in sheets]
    filled = [(name, [row for row in rows if any(row[1])], warnings) for name, rows, warnings in tables]
    with_header = [table for table in filled if find_header(table[1], columns) is not None]
    if not with_header:
        name, rows, _ = max(filled, key=lambda table: sum(map(len, (cells for _, cells in table[1]))))
        if len(filled) > 1 and rows:
            raise InputError(f"sheet {name!r}: {explain_no_header(rows, 'row')}")
        return read_table(rows, columns, "row")
    name, rows, warnings = with_header[0]
    document = read_table(rows, columns, "row")
    others = [f"{other!r} ({len(rows)} rows)" for other, rows, _ in with_header[1:]]
    if others:
        text = f"read from the sheet {name!r}; not read: {', '.join(others)}. Save each as a list of its own"
        warnings = [*warnings, ListWarning(WarningKind.NOT_READ, (), text)]
    return replace(document, warnings=(*document.warnings, *warnings))


def _format_rows(cells: list[list[Any]]) -> tuple[list[tuple[int, list[str]]], list[ListWarning]]:
    """Return a sheet's numbered rows as text, and a warning about the formulas that have no value."""
    if len(cells) > MAX_ROWS:
        raise InputError(f"the sheet has more than {MAX_ROWS} rows, too many for a feature list: is this another file?")
    clocks = [clock for row in cells for cell in row if (clock := _read_clock(cell)) is not None]
    # A spreadsheet reads 16:36, typed as minutes and seconds, as hours and minutes.
    divisor = 60 if all(clock % 60 == 0 for clock in clocks) else 1
    uncomputed = tuple(n for n, row in enumerate(cells, start=1) if any(isinstance(cell, _Formula) for cell in row))
    rows = [(number, [_format_cell(cell, divisor) for cell in row]) for number, row in enumerate(cells, start=1)]
    if not uncomputed:
        return rows, []
    text = "a formula has no value, and its cell is left empty: open the workbook in a spreadsheet and save it"
    return rows, [ListWarning(WarningKind.UNREADABLE_CELL, uncomputed, text)]


class _Formula:
    """A formula that no program has computed."""


def _read_sheets(content: bytes) -> Iterator[Sheet]:
    """Yield the visible sheets, each with at most `MAX_ROWS` + 1 rows; errors and empty cells are empty text."""
    import openpyxl

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        # zipfile never unpacks more of a member than the size that the archive states.
        members = [member for member in archive.infolist() if member.filename.lower().endswith(".xml")]
        size = sum(member.file_size for member in members)
        if size > MAX_SHEET_BYTES:
            raise InputError(
                f"the sheet unpacks to {size >> 20} MB, too many for a feature list: is this another file?"
            )
        has_formulas = any(b"<f" in archive.read(member) for member in members if "/worksheets/" in member.filename)
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    formulas = openpyxl.load_workbook(io.BytesIO(content), read_only=True) if has_formulas else None
    try:
        visible = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"] or book.worksheets[:1]
        for sheet in visible[:MAX_SHEETS]:
            rows = list(_read_cells(sheet))
            if formulas is not None:
                _fill_formulas(rows, formulas[sheet.title])
            yield sheet.title, rows
    finally:
        book.close()
        if formulas is not None:
            formulas.close()


def _read_cells(sheet: Any) -> Iterator[list[Any]]:
    sheet.reset_dimensions()  # some programs write wrong dimensions
    for cells in islice(sheet.iter_rows(max_col=MAX_COLUMNS), MAX_ROWS + 1):
        yield ["" if cell.value is None or cell.data_type == "e" else _as_integer(cell.value) for cell in cells]


def _fill_formulas(rows: list[list[Any]], sheet: Any) -> None:
    """Put the text of links, and a mark for other formulas, into the empty cells that have a formula."""
    sheet.reset_dimensions()
    for row, cells in zip(rows, sheet.iter_rows(max_col=MAX_COLUMNS), strict=False):
        for index, cell in enumerate(cells[: len(row)]):
            if row[index] == "" and isinstance(cell.value, str) and cell.value.startswith("="):
                link = _HYPERLINK.fullmatch(cell.value)
                row[index] = link[1] if link else _Formula()


def _as_integer(value: Any) -> Any:
    """Return a float without a fraction as an integer: spreadsheets have no integers, and 979667.0 is not an id."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _format_cell(cell: Any, divisor: int) -> str:
    if isinstance(cell, _Formula):
        return ""
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
