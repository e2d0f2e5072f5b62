"""The lines of a document in any format people keep lists in: text, Markdown, HTML, CSV, TSV, XLSX, JSON.

Whatever the format, the result is the same: numbered lines of visible text with their place in the page's structure, or
rows whose columns are known. What a line means is for `page` to say.
"""

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipeline.core.errors import InputError
from pipeline.core.text import INVISIBLE, clean_line, clean_text, decode_text, is_text
from pipeline.feature_lists.lines import Document, Line
from pipeline.feature_lists.tables import read_csv_lines, read_json_lines, read_rows, read_xlsx_lines

if TYPE_CHECKING:
    from lxml.etree import _Element

TEXT_SUFFIXES = frozenset({".txt", ".text", ""})
SUFFIXES = TEXT_SUFFIXES | {".md", ".markdown", ".html", ".htm", ".csv", ".tsv", ".xlsx", ".json"}
MAX_LINE = 20_000  # characters: a longer line is not Markdown that a person wrote, and would take its parser seconds
_BULLET = re.compile(r"(?P<indent>\s*)(?:[-*•·‣◦▪●–]\s+|[•·‣◦▪●]|\d{1,3}[.)]\s+)")


def read_document(content: bytes, suffix: str, *, columns: Mapping[str, str] | None = None) -> Document:
    """Return the lines of a document by the ending of its name; `columns` maps a table's own names to ours.

    InputError where the bytes are not what the ending says.
    """
    if suffix.lower() not in SUFFIXES:
        raise InputError(f"a feature list cannot be a {suffix} file; known are {', '.join(sorted(SUFFIXES - {''}))}")
    text = "" if suffix.lower() == ".xlsx" else decode_text(content)
    if not is_text(text):
        raise InputError(
            "this is not text, but the bytes of some other kind of file: save the page's text, or name that"
        )
    match suffix.lower():
        case ".csv" | ".tsv":
            return read_csv_lines(text, suffix.lower(), columns or {})
        case ".xlsx":
            return read_xlsx_lines(content, columns or {})
        case ".json":
            return read_json_lines(text, columns or {})
        case ".html" | ".htm":
            return _read_html(content, columns or {})
        case ".md" | ".markdown":
            return _read_markdown(text, columns or {})
        case _:
            return _read_text(text)


def _read_text(text: str) -> Document:
    lines, spaced = [], False
    for number, raw in enumerate(text.split("\n"), start=1):
        bullet = _BULLET.match(raw.translate(INVISIBLE))
        visible = clean_line(raw.translate(INVISIBLE)[bullet.end() :] if bullet else raw)
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
            self.lines += read_rows(self.table, self.columns)
            self.table = None

    def _take_text(self, token: Any, start: int) -> None:
        plain = _plain(token.children) if token.children else _strip_tags(token.content)
        if self.table:
            self.table[-1][1].append(clean_text(plain))
            return
        first = start + 1 + (token.type == "fence")
        for number, part in enumerate(plain.split("\n"), start=first):
            if visible := clean_line(part):
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
        return read_rows([(0, cells) for cells in rows], columns)
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
        if visible := clean_line(part):
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
