"""Readers of feature lists in CSV, TSV and JSON, as spreadsheets and trackers write them."""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.core.errors import InputError
from pipeline.core.text import clean_text, unescape_formula
from pipeline.feature_lists.lines import Document, ListWarning
from pipeline.feature_lists.tables import Header, find_header, parse_row, read_table

# The separators of .csv files.
DELIMITERS = (",", ";", "\t", "|")
# The first line by which Excel names the separator.
_SEPARATOR_LINE = re.compile(r"\s*\"?sep=(?P<sign>.)\"?[,;\t]*\s*", re.IGNORECASE)
# The characters at the beginning of a file by which its separator is found.
SAMPLE_CHARACTERS = 20_000
# The depth at which the list of a JSON document is searched.
MAX_DEPTH = 4
# The members of an object that hold its text: of a milestone, a version, a user.
_NAMES = ("title", "name", "displayName", "value", "text", "content")


def read_csv_lines(text: str, suffix: str, columns: Mapping[str, str]) -> Document:
    """Return the rows of a table, one of whose first lines names the columns; `columns` maps its names to COLUMNS.

    InputError where no column holds titles.
    """
    first, _, rest = text.partition("\n")
    skipped = 0
    delimiter = "\t" if suffix == ".tsv" else ""
    if match := _SEPARATOR_LINE.fullmatch(first):
        delimiter, text, skipped = match["sign"], rest, 1
    rows = _read_rows(text, delimiter or _find_delimiter(text, columns), skipped)
    return read_table(rows, columns, "line")


def _read_rows(text: str, delimiter: str, skipped: int) -> list[tuple[int, list[str]]]:
    """Return the rows of a text, each with the number of its first line, after `skipped` lines."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows = []
    try:
        first_line = 1
        for cells in reader:
            rows.append((first_line + skipped, [unescape_formula(clean_text(cell)) for cell in cells]))
            first_line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(f"line {reader.line_num + skipped}: {error}") from error
    return rows


def _find_delimiter(text: str, columns: Mapping[str, str]) -> str:
    """Return the separator with which the table has a header, and most known columns; signs in quotes do not count."""
    sample = text[:SAMPLE_CHARACTERS]

    def rate(delimiter: str) -> tuple[int, int]:
        try:
            rows = _read_rows(sample, delimiter, 0)
        except InputError:
            return (0, 0)
        header = find_header([row for row in rows if any(row[1])], columns)
        widest = max((len(cells) for _, cells in rows), default=0)
        return (0 if header is None else sum(name is not None for name in header.names), widest)

    return max(DELIMITERS, key=rate)


def read_json_lines(text: str, columns: Mapping[str, str]) -> Document:
    """Return the items of the list of objects in a JSON document; InputError for JSON without one.

    `columns` maps the names of the objects' members to COLUMNS.
    """
    try:
        # A version such as 2.10 is not the number 2.1.
        value = json.loads(text, parse_float=str)
    except (ValueError, RecursionError) as error:
        raise InputError(f"this is not JSON: {error}") from error
    items = _find_items(value, columns)
    if items is None:
        raise InputError("expected a list of objects with `title`, `feature_id`, `version`, …")
    lines, warnings = [], list[ListWarning]()
    headers: dict[tuple[str, ...], Header | None] = {}
    for number, item in enumerate(items, start=1):
        names = tuple(item)
        cells = [_read_value(cell) for cell in item.values()]
        if names not in headers:
            rows = [[_read_value(cell) for cell in other.values()] for other in items if tuple(other) == names]
            headers[names] = find_header([(0, list(names)), *((0, row) for row in rows)], columns)
        header = headers[names] or Header((None,) * len(names), 0)
        line, unreadable = parse_row(number, cells, header, " ".join(filter(None, cells)))
        lines.append(line)
        warnings += unreadable
    return Document(tuple(lines), "item", tuple(warnings))


def _find_items(value: Any, columns: Mapping[str, str]) -> list[dict[str, Any]] | None:
    """Return the longest list of objects with a title in a JSON value; its own `features` come first."""
    if isinstance(value, dict) and isinstance(value.get("features"), list):
        value = value["features"]
    if isinstance(value, list):
        return [_flatten(item) for item in value] if all(isinstance(item, dict) for item in value) else None
    found = [items for items in _list_items(value, 0) if any(_has_title(item, columns) for item in items)]
    return max(found, key=len, default=None)


def _list_items(value: Any, depth: int) -> Iterator[list[dict[str, Any]]]:
    """Yield the lists of objects in a JSON object, down to `MAX_DEPTH`."""
    if depth > MAX_DEPTH or not isinstance(value, dict):
        return
    for member in value.values():
        if isinstance(member, list) and member and all(isinstance(item, dict) for item in member):
            yield [_flatten(item) for item in member]
        elif isinstance(member, dict):
            yield from _list_items(member, depth + 1)


def _has_title(item: Mapping[str, Any], columns: Mapping[str, str]) -> bool:
    return find_header([(0, list(item))], columns) is not None


def _flatten(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object with the members of its `fields`, `node` or `content`, as trackers nest them."""
    flat = {str(name): value for name, value in item.items()}
    for nest in ("fields", "node", "content"):
        if isinstance(flat.get(nest), dict):
            flat |= {str(name): value for name, value in flat.pop(nest).items() if str(name) not in flat}
    return flat


def _read_value(value: Any, depth: int = 0) -> str:
    """Return a member's text: the name of an object, the first of a list."""
    if value is None or depth > MAX_DEPTH:
        return ""
    if isinstance(value, dict):
        name = next((value[name] for name in _NAMES if value.get(name) not in (None, "")), None)
        return _read_value(name, depth + 1)
    if isinstance(value, list):
        texts = (_read_value(item, depth + 1) for item in value)
        return next((text for text in texts if text), "")
    return clean_text(str(value))
