"""The lines of a document in any format people keep lists in: text, Markdown, HTML, CSV, TSV, XLSX, JSON.

Whatever the format, the result is the same: numbered lines of visible text with their place in the page's structure, or
rows whose columns are known. What a line means is for `page` to say.
"""

import csv
import io
import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from datetime import time as clock_time
from typing import TYPE_CHECKING, Any

from pipeline.errors import InputError
from pipeline.marks import MarkedLine, parse_time
from pipeline.page import Line

if TYPE_CHECKING:
    from lxml.etree import _Element

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
TEXT_SUFFIXES = frozenset({".txt", ".text", ""})
SUFFIXES = TEXT_SUFFIXES | {".md", ".markdown", ".html", ".htm", ".csv", ".tsv", ".xlsx", ".json"}

SHEET_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet's day 0 has no zone
MAX_LINE = 20_000  # characters: a longer line is not Markdown that a person wrote, and would take its parser seconds

_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f\u202a\u202b\u202c\u202d\u202e"))
_BULLET = re.compile(r"(?P<indent>\s*)(?:[-*•·‣◦▪●–]\s+|[•·‣◦▪●]|\d{1,3}[.)]\s+)")


@dataclass(frozen=True, slots=True)
class Document:
    """A document's lines, what its numbers count (line, row, item), and what was odd about it."""

    lines: tuple[Line, ...]
    unit: str = "line"
    warnings: tuple[str, ...] = ()


def read_document(content: bytes, suffix: str, *, columns: Mapping[str, str] | None = None) -> Document:
    """Return the lines of a document by the ending of its name; `columns` maps a table's own names to ours.

    InputError where the bytes are not what the ending says.
    """
    match suffix.lower():
        case ".csv" | ".tsv":
            return _read_csv(decode_text(content), suffix.lower(), columns or {})
        case ".xlsx":
            return _read_xlsx(content, columns or {})
        case ".json":
            return _read_json(decode_text(content), columns or {})
        case ".html" | ".htm":
            return _read_html(content, columns or {})
        case ".md" | ".markdown":
            return _read_markdown(decode_text(content), columns or {})
        case other if other in TEXT_SUFFIXES:
            return _read_text(decode_text(content))
        case other:
            raise InputError(f"a feature list cannot be a {other} file; known are {', '.join(sorted(SUFFIXES - {''}))}")


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
    visible = text.translate(_INVISIBLE)
    return " ".join("".join(c if c.isprintable() else " " for c in visible).split())


def _clean_line(text: str) -> str:
    """As `clean_text`, but a tab stays: it separates an entry's parts."""
    return "\t".join(part for part in map(clean_text, text.split("\t")) if part)


def _read_text(text: str) -> Document:
    lines, spaced = [], False
    for number, raw in enumerate(text.split("\n"), start=1):
        bullet = _BULLET.match(raw.translate(_INVISIBLE))
        visible = _clean_line(raw.translate(_INVISIBLE)[bullet.end() :] if bullet else raw)
        if not visible:
            if raw.strip():
                lines.append(Line(number, clean_text(raw) or "…", "markup"))
            spaced = True
            continue
        level = len(bullet["indent"].expandtabs(4)) // 2 + 1 if bullet else 0
        lines.append(Line(number, visible, "bullet" if bullet else "text", level, spaced))
        spaced = False
    return Document(tuple(lines))


def _read_markdown(text: str, columns: Mapping[str, str]) -> Document:
    """The lines of CommonMark with tables; marked-up text becomes the text one reads."""
    from markdown_it import MarkdownIt

    if max(map(len, text.split("\n"))) > MAX_LINE:
        return _read_text(text)
    reader = _MarkdownReader(columns)
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        reader.take(token)
    seen = {line.number for line in reader.lines}
    for number, raw in enumerate(text.split("\n"), start=1):
        if number not in seen and raw.strip():
            reader.lines.append(Line(number, clean_text(raw) or "…", "markup"))
    return Document(tuple(sorted(reader.lines, key=lambda line: line.number)))


class _MarkdownReader:
    """Turns markdown-it's tokens into lines: where they stand in headings, lists and tables."""

    def __init__(self, columns: Mapping[str, str]) -> None:
        self.columns = columns
        self.lines: list[Line] = []
        self.kind, self.level = "text", 0
        self.depth = 0  # of lists
        self.end = 0  # the source line after the last block
        self.table: list[tuple[int, list[str]]] | None = None

    def take(self, token: Any) -> None:
        """Read one token."""
        start = token.map[0] if token.map else self.end
        if token.type in {"inline", "fence", "code_block", "html_block"}:
            self._take_text(token, start)
        elif token.type.startswith(("table", "tr")):
            self._take_table(token, start)
        else:
            self._take_structure(token)
        if token.map and token.type not in {"bullet_list_open", "ordered_list_open", "list_item_open", "table_open"}:
            self.end = token.map[1]

    def _take_structure(self, token: Any) -> None:
        match token.type:
            case "heading_open":
                self.kind, self.level = "heading", int(token.tag[1:])
            case "heading_close":
                self.kind, self.level = "text", 0
            case "bullet_list_open" | "ordered_list_open":
                self.depth += 1
            case "bullet_list_close" | "ordered_list_close":
                self.depth -= 1
                self.kind, self.level = "text", 0
            case "list_item_open":
                self.kind, self.level = "bullet", self.depth

    def _take_table(self, token: Any, start: int) -> None:
        if token.type == "table_open":
            self.table = []
        elif token.type == "tr_open" and self.table is not None:
            self.table.append((start + 1, []))
        elif token.type == "table_close" and self.table is not None:
            self.lines += _read_rows(self.table, self.columns)
            self.table = None

    def _take_text(self, token: Any, start: int) -> None:
        plain = _plain(token.children) if token.children else _strip_tags(token.content)
        if self.table:
            self.table[-1][1].append(clean_text(plain))
            return
        first = start + 1 + (token.type == "fence")
        for number, part in enumerate(plain.split("\n"), start=first):
            if visible := _clean_line(part):
                spaced = number == first and start > self.end
                self.lines.append(Line(number, visible, self.kind, self.level, spaced))
                # What goes on in an item's next line or paragraph is text about it.
                if self.kind == "bullet":
                    self.kind, self.level = "text", 0


def _plain(tokens: Sequence[Any]) -> str:
    """The text of inline Markdown as one reads it."""
    text = ""
    for token in tokens:
        if token.type in {"softbreak", "hardbreak"}:
            text += "\n"
        elif token.type == "image":
            text += _plain(token.children or [])
        elif token.type == "html_inline":
            text += "\n" if token.content.lower().startswith("<br") else ""
        else:
            text += token.content
    return text


def _strip_tags(text: str) -> str:
    return re.sub(r"<[^<>]{0,500}>", " ", text)


def _read_html(content: bytes, columns: Mapping[str, str]) -> Document:
    """The article of a page, by trafilatura: headings, paragraphs, lists and tables, without menus and footers."""
    import trafilatura

    # What it could not read reaches us as an empty result; its own complaints would only confuse.
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    found: Any = trafilatura.bare_extraction(
        decode_text(content), include_tables=True, include_comments=False, favor_recall=True
    )
    if found is None or found.body is None:
        raise InputError("no article was found in this page: save its text as .txt, and name that")
    lines: list[Line] = []
    for block in found.body:
        lines += _read_block(block, 0, columns)
    numbered = [replace(line, number=number) for number, line in enumerate(lines, start=1)]
    return Document(tuple(numbered), "line", _find_left_out(decode_text(content), numbered))


def _read_block(block: "_Element", depth: int, columns: Mapping[str, str]) -> list[Line]:
    """The lines of one element of the article, not numbered yet."""
    if block.tag == "table":
        rows = [
            [clean_text(" ".join(cell.itertext())) for cell in row if cell.tag == "cell"] for row in block.iter("row")
        ]
        return _read_rows([(0, cells) for cells in rows], columns)
    if block.tag == "list":
        return [line for item in block for line in _read_block(item, depth + 1, columns)]
    kind, level = "text", 0
    if block.tag == "head":
        kind, level = "heading", int(re.sub(r"\D", "", block.get("rend") or "") or 2)
    elif block.tag == "item":
        kind, level = "bullet", depth
    lines: list[Line] = []
    text = block.text or ""
    for child in block:
        if child.tag in {"list", "table", "p", "quote"}:
            lines += _cut_text(text, kind, level, begun=bool(lines))
            lines += _read_block(child, depth, columns)
            text = child.tail or ""
        else:
            text += "\n" if child.tag == "lb" else "".join(child.itertext())
            text += child.tail or ""
    return lines + _cut_text(text, kind, level, begun=bool(lines))


def _cut_text(text: str, kind: str, level: int, *, begun: bool) -> list[Line]:
    """The lines of an element's text; after its first one an item goes on as text about it."""
    lines: list[Line] = []
    for part in text.split("\n"):
        if visible := _clean_line(part):
            first = not begun and not lines
            goes_on = kind == "bullet" and not first
            lines.append(Line(0, visible, "text" if goes_on else kind, 0 if goes_on else level, first))
    return lines


def _find_left_out(html: str, lines: Iterable[Line]) -> tuple[str, ...]:
    """Ids that stand on the page but not in its article: a warning that the extraction may have cut too much."""
    seen = " ".join(f"{line.text} {line.row.feature_id if line.row else ''}" for line in lines)
    ids = dict.fromkeys(re.findall(r"(?<![\w/&#=])#\s?(\d{5,9})(?!\d)", re.sub(r"<[^<>]{0,2000}>", " ", html)))
    missing = [number for number in ids if number not in seen]
    return (f"the page names {', '.join(f'#{n}' for n in missing[:5])} outside its article",) if missing else ()


def _read_csv(text: str, suffix: str, columns: Mapping[str, str]) -> Document:
    """A table whose first line names the columns; the separator is found where a .csv uses another than the comma."""
    delimiter = "\t" if suffix == ".tsv" else _find_delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows = []
    try:
        begin = 1
        for cells in reader:
            rows.append((begin, [clean_text(cell) for cell in cells]))
            begin = reader.line_num + 1
    except csv.Error as error:
        raise InputError(f"line {reader.line_num}: {error}") from error
    return _as_table(rows, columns, "line")


def _find_delimiter(text: str) -> str:
    header = next((line for line in text.splitlines() if line.strip()), "")
    return max(",;\t|", key=header.count)


def _read_xlsx(content: bytes, columns: Mapping[str, str]) -> Document:
    """The first sheet of a workbook."""
    import pandas as pd

    try:
        frame = pd.read_excel(io.BytesIO(content), header=None, dtype=object, engine="openpyxl")
    except Exception as error:  # a damaged workbook fails in zipfile, XML or openpyxl, each in its own way
        raise InputError(f"this is not an .xlsx workbook ({type(error).__name__})") from error
    rows = [["" if pd.isna(cell) else cell for cell in cells] for cells in frame.itertuples(index=False, name=None)]
    clocks = [clock for cells in rows for cell in cells if (clock := _read_clock(cell)) is not None]
    # A spreadsheet takes 16:36, typed for minutes and seconds, for hours and minutes.
    unit = 60 if all(clock % 60 == 0 for clock in clocks) else 1
    return _as_table(
        [(number, [_show_cell(cell, unit) for cell in cells]) for number, cells in enumerate(rows, start=1)],
        columns,
        "row",
    )


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
    return Document(tuple(_read_rows(filled, columns)), unit, tuple(odd))


def _read_json(text: str, columns: Mapping[str, str]) -> Document:
    """A list of objects, or an object whose `features` is one."""
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


def _read_rows(rows: Sequence[tuple[int, list[str]]], columns: Mapping[str, str]) -> list[Line]:
    """A table's rows; where no column is a title, each row is a line of text."""
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
