"""Readers of the formats in which people keep feature lists: text, Markdown, HTML, CSV, TSV, XLSX, JSON.

Every reader returns numbered lines of visible text with their place in the page's structure; a table whose columns are
known gives rows. `page` decides which lines are entries.
"""

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipeline.core.errors import InputError
from pipeline.core.text import INVISIBLE, REPLACED, clean_line, clean_text, decode_declared, decode_text, is_text
from pipeline.feature_lists.lines import Document, Line, LineKind, ListWarning, WarningKind
from pipeline.feature_lists.table_files import read_csv_lines, read_json_lines
from pipeline.feature_lists.tables import parse_rows
from pipeline.feature_lists.workbooks import read_xlsx_lines

if TYPE_CHECKING:
    from lxml.etree import _Element

# The endings of files that are read as plain text.
TEXT_SUFFIXES = frozenset({".txt", ".text", ""})
# The endings of all files that can hold a feature list.
SUFFIXES = TEXT_SUFFIXES | {".md", ".markdown", ".html", ".htm", ".csv", ".tsv", ".xlsx", ".json"}
# The longest line, in characters, that is parsed as Markdown: the parser takes seconds for a longer one.
MAX_MARKDOWN_LINE = 20_000
# The most lines of a document, elements of a page, and characters of either: a page of 1,000 entries has a tenth.
MAX_LINES = 20_000
MAX_ELEMENTS = 50_000
MAX_CHARACTERS = 8_000_000
# The first bytes of a page, in which it declares its encoding, and the declaration.
CHARSET_BYTES = 4096
_CHARSET = re.compile(
    rb"<(?:meta\b[^<>]{0,300}?|\?xml\b[^<>]{0,300}?en)c(?:harset|oding)\s*=\s*[\"']?\s*(?P<name>[\w.:-]{1,40})", re.I
)
# The most brackets of a text that is parsed as Markdown: the parser compares each with all others of its paragraph.
MAX_BRACKETS = 5_000
# The number of missing ids that a warning names.
MAX_IDS_NAMED = 5
_BULLET = re.compile(r"(?P<indent>\s*)(?:[-*•·‣◦▪●–]\s+|[•·‣◦▪●]|\*\)\s+|\d{1,3}[.)]\s+)")
# A heading of Markdown or of a wiki, in plain text.
_HEADING = re.compile(r"(?P<signs>#{2,6}(?=\s)|#(?=\s+[^\s\d])|={2,60}(?=\s?\w))\s*(?P<text>[^\s#=].*?)[\s=#]*$")
_UNDERLINED = re.compile(r"\s*(?P<text>.*\S)")
_UNDERLINE = re.compile(r"={3,}|-{3,}|~{3,}|\^{3,}|\*{3,}")
# Stands for `<br>` in the text of a source line, so that the parts keep the number of that line.
_BREAK = "\v"
# What stands for the link to a commit, and the brackets around it.
_REMOVED = re.compile(r"\s?[(\[]\ufffc[)\]]|\ufffc")


def read_document(content: bytes, suffix: str, *, columns: Mapping[str, str] | None = None) -> Document:
    """Return the lines of a document in the format of `suffix`; `columns` maps a table's own column names to COLUMNS.

    InputError where the format is unknown, or the bytes are not in it.
    """
    suffix = suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"a feature list cannot be a {suffix} file; known are {', '.join(sorted(SUFFIXES - {''}))}")
    text = "" if suffix == ".xlsx" else _decode(content, suffix)
    if not is_text(text):
        raise InputError("this is a binary file: save the text of the page, and name that file")
    _check_size(text, suffix)
    document = _read_format(content, text, suffix, columns or {})
    if REPLACED not in text:
        return document
    spoiled = text.count(REPLACED)
    noun = "character is" if spoiled == 1 else "characters are"
    warning = f"{spoiled} {noun} not UTF-8 and shown as {REPLACED}: save the file in that encoding"
    numbers = tuple(line.number for line in document.lines if REPLACED in line.text)[:MAX_IDS_NAMED]
    return replace(document, warnings=(*document.warnings, ListWarning(WarningKind.BAD_CHARACTER, numbers, warning)))


def _decode(content: bytes, suffix: str) -> str:
    """Return the text of a document, in the encoding that a page declares itself, else in the one that fits."""
    if suffix in {".html", ".htm"} and not content.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        declared = _CHARSET.search(content[:CHARSET_BYTES])
        text = decode_declared(content, declared["name"].decode("ascii")) if declared else None
        if text is not None:
            return text
    return decode_text(content)


def _check_size(text: str, suffix: str) -> None:
    """InputError where a document is larger than any list, before its parser takes minutes and gigabytes."""
    sign, noun, most = ("<", "elements", MAX_ELEMENTS) if suffix in {".html", ".htm"} else ("\n", "lines", MAX_LINES)
    if suffix != ".json" and (count := text.count(sign)) > most:
        raise InputError(f"the document has {count} {noun}, more than the {most} that are read: is this another file?")
    if len(text) > MAX_CHARACTERS:
        raise InputError(
            f"the document has {len(text) / 1e6:.1f} million characters, more than the {MAX_CHARACTERS // 1_000_000} "
            "million that are read: is this another file?"
        )


def _read_format(content: bytes, text: str, suffix: str, columns: Mapping[str, str]) -> Document:
    match suffix:
        case ".csv" | ".tsv":
            return read_csv_lines(text, suffix, columns)
        case ".xlsx":
            return read_xlsx_lines(content, columns)
        case ".json":
            return read_json_lines(text, columns)
        case ".html" | ".htm":
            return _read_html(text, columns)
        case ".md" | ".markdown":
            return _read_markdown(text, columns)
        case _:
            return _read_text(text)


def _read_text(text: str) -> Document:
    lines: list[Line] = []
    spaced = False
    indent = 0  # the indent of the bullet above whose item goes on
    item = 0  # its level
    rows = text.split("\n")
    for number, raw in enumerate(rows, start=1):
        source = raw.translate(INVISIBLE)
        depth = len(source.expandtabs(4)) - len(source.expandtabs(4).lstrip())
        heading = _HEADING.match(source) or _match_underlined(source, rows[number : number + 1])
        bullet = None if heading else _BULLET.match(source)
        visible = clean_line(source[bullet.end() :] if bullet else heading["text"] if heading else raw)
        if not visible:
            if raw.strip():
                lines.append(_make_markup(number, raw))
            spaced = True
            continue
        if bullet:
            indent, item = depth, depth // 2 + 1
            lines.append(Line(number, visible, LineKind.BULLET, item, spaced))
        elif heading:
            item = 0
            is_overlined = number > 1 and _UNDERLINE.fullmatch(rows[number - 2].strip()) is not None
            lines.append(Line(number, visible, LineKind.HEADING, _measure_heading(heading, is_overlined), spaced))
        else:
            item = item if depth > indent else 0
            joins = not spaced and bool(lines) and lines[-1].number == number - 1
            joins = (
                joins and lines[-1].kind in {LineKind.TEXT, LineKind.BULLET} and (bool(item) or not lines[-1].inside)
            )
            lines.append(Line(number, visible, LineKind.TEXT, 0, spaced, inside=item, joins=joins))
        spaced = False
    return Document(tuple(lines))


def _match_underlined(text: str, below: Sequence[str]) -> re.Match[str] | None:
    """Return the match of a heading's text where the next line underlines it."""
    words = text.strip()
    line = below[0].strip() if below else ""
    is_underlined = 0.8 * len(words) <= len(line) <= 1.5 * len(words) + 3 and _UNDERLINE.fullmatch(line)
    return _UNDERLINED.match(text) if is_underlined and len(words) > 2 and any(map(str.isalnum, words)) else None


def _measure_heading(heading: re.Match[str], is_overlined: bool) -> int:
    """Return the level of a heading by its signs: `## Added`, `== Added ==`; an underlined one has level 2 or 1."""
    if "signs" in heading.re.groupindex:
        return len(heading["signs"]) if len(heading["signs"]) <= 6 else 1
    return 1 if is_overlined else 2


def _make_markup(number: int, text: str) -> Line:
    return Line(number, clean_text(text) or "…", LineKind.MARKUP)


def _read_markdown(text: str, columns: Mapping[str, str]) -> Document:
    """Return the lines of CommonMark with tables, each at its source line, without the signs of the markup."""
    from markdown_it import MarkdownIt

    if max(map(len, text.split("\n"))) > MAX_MARKDOWN_LINE or text.count("[") > MAX_BRACKETS:
        return _read_text(text)
    # Lines of other white space are blank: the parser cuts them off without counting them.
    text = "\n".join(line if line.strip() else "" for line in text.split("\n"))
    reader = _MarkdownReader(columns)
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        reader.read_token(token)
    read = {line.number for line in reader.lines}
    for number, raw in enumerate(text.split("\n"), start=1):
        if number not in read and raw.strip():
            reader.lines.append(_make_markup(number, raw))
    return Document(tuple(sorted(reader.lines, key=lambda line: line.number)))


class _MarkdownReader:
    """Turns the tokens of markdown-it into lines with their place in headings, lists and tables."""

    def __init__(self, columns: Mapping[str, str]) -> None:
        self.columns = columns
        self.lines: list[Line] = []
        self.kind, self.level = LineKind.TEXT, 0
        self.list_depth = self.quote_depth = 0
        self.end = 0  # the source line after the last block
        self.table: list[tuple[int, list[str]]] | None = None

    def read_token(self, token: Any) -> None:
        """Add the lines of one token."""
        start = token.map[0] if token.map else self.end
        if token.type in {"inline", "fence", "code_block", "html_block"}:
            self._read_text(token, start)
        elif token.type.startswith(("table", "tr")):
            self._read_table(token, start)
        else:
            self._read_structure(token)
        if token.map and token.type not in {"bullet_list_open", "ordered_list_open", "list_item_open", "table_open"}:
            self.end = token.map[1]

    def _read_structure(self, token: Any) -> None:
        match token.type:
            case "heading_open":
                self.kind, self.level = LineKind.HEADING, int(token.tag[1:])
            case "heading_close":
                self.kind, self.level = LineKind.TEXT, 0
            case "bullet_list_open" | "ordered_list_open":
                self.list_depth += 1
            case "bullet_list_close" | "ordered_list_close":
                self.list_depth -= 1
                self.kind, self.level = LineKind.TEXT, 0
            case "list_item_open":
                self.kind, self.level = LineKind.BULLET, self.list_depth
            case "blockquote_open":
                self.quote_depth += 1
                self.kind, self.level = LineKind.QUOTE, 0
            case "blockquote_close":
                self.quote_depth -= 1
                self.kind = LineKind.QUOTE if self.quote_depth else LineKind.TEXT

    def _read_table(self, token: Any, start: int) -> None:
        if token.type == "table_open":
            self.table = []
        elif token.type == "tr_open" and self.table is not None:
            self.table.append((start + 1, []))
        elif token.type == "table_close" and self.table is not None:
            self.lines += parse_rows(self.table, self.columns)[0]
            self.table = None

    def _read_text(self, token: Any, start: int) -> None:
        text = _join_inline(token.children) if token.children else _strip_tags(token.content)
        if self.table:
            self.table[-1][1].append(clean_text(text))
            return
        first = start + 1 + (token.type == "fence")
        joins = False
        for number, source_line in enumerate(text.split("\n"), start=first):
            for part in source_line.split(_BREAK):
                if visible := clean_line(part):
                    spaced = number == first and start > self.end
                    inside = 0 if self.kind in {LineKind.BULLET, LineKind.HEADING} else self.list_depth
                    self.lines.append(Line(number, visible, self.kind, self.level, spaced, inside=inside, joins=joins))
                    # The further lines and paragraphs of an item are text about it.
                    if self.kind is LineKind.BULLET:
                        self.kind, self.level = LineKind.QUOTE if self.quote_depth else LineKind.TEXT, 0
                joins = False
            joins = token.type == "inline" and not source_line.endswith(_BREAK) and bool(source_line.strip())


def _join_inline(tokens: Sequence[Any]) -> str:
    """Return the visible text of inline Markdown."""
    text = ""
    links: list[tuple[int, str]] = []  # where the text of each open link begins, and its target
    for token in tokens:
        if token.type == "link_open":
            links.append((len(text), str(token.attrGet("href") or "")))
        elif token.type == "link_close" and links:
            start, target = links.pop()
            text = text[:start] + _name_link(text[start:], target, is_first=not text[:start].strip(" *["))
        elif token.type in {"softbreak", "hardbreak"}:
            text += "\n" if token.type == "softbreak" else f"{_BREAK}\n"
        elif token.type == "image":
            text += _join_inline(token.children or [])
        elif token.type == "html_inline":
            text += _BREAK if token.content.lower().startswith("<br") else ""
        else:
            text += token.content
    return _REMOVED.sub("", text)


def _name_link(text: str, target: str, *, is_first: bool) -> str:
    """Return the text of a link: without the hash of a commit, and with a sign where it is only a ticket's number."""
    label = text.strip()
    if "/commit/" in target and re.fullmatch(r"[0-9a-f]{6,40}", label):
        return "\ufffc"
    if label.isdecimal() and len(label) <= 9 and label in target:
        return f"[{label}]" if is_first and len(label) > 4 else f"#{label}"
    return text


def _strip_tags(text: str) -> str:
    return re.sub(r"<[^<>]{0,500}>", " ", text)


def _read_html(html: str, columns: Mapping[str, str]) -> Document:
    """Return the lines of a page's article, as trafilatura finds it, without menus and footers."""
    import trafilatura

    # An unreadable page gives an empty result, which is reported below; trafilatura's own messages add nothing.
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    article: Any = trafilatura.bare_extraction(html, include_tables=True, include_comments=False, favor_recall=True)
    if article is None or article.body is None:
        raise InputError("no article was found in this page: save the text of the page as .txt, and name that file")
    lines: list[Line] = []
    for block in article.body:
        lines += _read_block(block, 0, columns)
    numbered = [replace(line, number=number) for number, line in enumerate(lines, start=1)]
    return Document(tuple(numbered), "line", _find_missing_ids(html, numbered))


def _read_block(block: "_Element", depth: int, columns: Mapping[str, str]) -> list[Line]:
    """Return the lines of one element of the article, all with the number 0."""
    if block.tag == "table":
        rows = [
            [clean_text(" ".join(cell.itertext())) for cell in row if cell.tag == "cell"] for row in block.iter("row")
        ]
        return parse_rows([(0, cells) for cells in rows], columns)[0]
    if block.tag == "list":
        return [line for item in block for line in _read_block(item, depth + 1, columns)]
    kind, level = LineKind.TEXT, 0
    if block.tag == "head":
        kind, level = LineKind.HEADING, int(re.sub(r"\D", "", block.get("rend") or "") or 2)
    elif block.tag == "item":
        kind, level = LineKind.BULLET, depth
    elif block.tag == "quote":
        kind = LineKind.QUOTE
    lines: list[Line] = []
    text = block.text or ""
    for child in block:
        if child.tag in {"list", "table", "p", "quote"}:
            lines += _split_text(text, kind, level, depth, begun=bool(lines))
            lines += _read_block(child, depth, columns)
            text = child.tail or ""
        else:
            text += "\n" if child.tag == "lb" else "".join(child.itertext())
            text += child.tail or ""
    return lines + _split_text(text, kind, level, depth, begun=bool(lines))


def _split_text(text: str, kind: LineKind, level: int, depth: int, *, begun: bool) -> list[Line]:
    """Return the lines of an element's text; all but the first line of an item are text about it."""
    lines: list[Line] = []
    for part in text.split("\n"):
        if visible := clean_line(part):
            first = not begun and not lines
            if kind is LineKind.BULLET and not first:
                lines.append(Line(0, visible, LineKind.TEXT, 0, first, inside=depth))
            else:
                inside = 0 if kind in {LineKind.BULLET, LineKind.HEADING} else depth
                lines.append(Line(0, visible, kind, level, first, inside=inside))
    return lines


def _find_missing_ids(html: str, lines: Iterable[Line]) -> tuple[ListWarning, ...]:
    """Return a warning where the page has ids outside its article: the extraction may have cut too much."""
    article = " ".join(f"{line.text} {line.entry.feature.feature_id if line.entry else ''}" for line in lines)
    ids = dict.fromkeys(re.findall(r"(?<![\w/&#=])#\s?(\d{5,9})(?!\d)", re.sub(r"<[^<>]{0,2000}>", " ", html)))
    missing = [f"#{number}" for number in ids if number not in article]
    if not missing:
        return ()
    text = f"the page names {', '.join(missing[:MAX_IDS_NAMED])} outside its article"
    return (ListWarning(WarningKind.ID_OUTSIDE_ARTICLE, (), text),)
