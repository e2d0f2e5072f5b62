"""The parser of a page's lines: entries, their descriptions, headings, highlights, and lines that are none of these.

Every line gets a report. Pages have two shapes: in a *marked* list the entries have an id, a version or a time, and
their descriptions stand between them; in a *bare* list each line is an entry.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from pipeline.core.schema import Feature, LineReport, LineRole
from pipeline.feature_lists.lines import UNPLACED, Entry, Line, LineKind, parse_line


@dataclass
class Section:
    """One episode's part of a page: its entries, its highlights, and a report for each line with the line's entry."""

    episode: str | None
    entries: list[Entry] = field(default_factory=list)
    highlights: list[Entry] = field(default_factory=list)
    reports: list[tuple[LineReport, Entry | None]] = field(default_factory=list)

    def report(self, line: Line, role: LineRole, entry: Entry | None = None, reason: str = "") -> None:
        """Add the report for a line."""
        self.reports.append((LineReport(line.number, role, line.text, reason=reason), entry))

    def ignore(self, line: Line, reason: str) -> None:
        """Add the report for a line that is not part of the list."""
        self.report(line, LineRole.IGNORED, reason=reason)


# A line that names an episode, at its beginning ("Episode 12 …") or at its end ("The Kite Show: Episode 12").
_EPISODE = re.compile(
    r"^(?:in\s+)?episode\s+#?(?P<start>\d{1,4})\b|^.{0,80}:\s*episode\s+#?(?P<end>\d{1,4})\W*$", re.IGNORECASE
)
# The heading of the list: "Feature review:", "Full list", "Updates".
_LIST_HEADING = re.compile(
    r"^\W*(?:(?:(?:full|complete|all|the)\s+)*(?:feature|update|change|release)s?(?:\s+(?:list|review|overview|notes|log))*"
    r"|(?:the\s+)?(?:full|complete)\s+(?:list|review))\W*$",
    re.IGNORECASE,
)
# The heading of a complete list, which opens the list even after other entries.
_FULL_LIST = re.compile(r"^\W*(?:full|complete|all)\b", re.IGNORECASE)
# The heading of highlights: "Highlights:", "Here are a few key updates:", "Important mentions".
_HIGHLIGHT_HEADING = re.compile(
    r"^\W*(?:here(?:'s|’s|\s+are)\b.{0,60}\b(?:key|impactful|highlights?)\b.{0,80}"
    r"|(?:key|important|top|notable|main)\s+(?:\w+\s+)?(?:mentions?|features?|updates?|highlights?|changes?)\b.{0,60}"
    r"|highlights?\b.{0,60})$",
    re.IGNORECASE,
)
# Lines that occur on pages of any show, and the reasons that their reports give.
_BOILERPLATE = (
    (re.compile(r"^[\W_]+$"), "a separator"),
    (re.compile(r"^(?:in\s+)?(?:this\s+)?episode\s+(?:#?\d+|of)\b.{50,}", re.IGNORECASE), "introduces the episode"),
    (re.compile(r"^(?:watch|listen|stream|subscribe)\b.{0,120}$", re.IGNORECASE), "a link to the episode"),
    (re.compile(r"^https?://\S+$"), "a URL"),
    (re.compile(r"^\d{1,3}\s+min(?:ute)?s?(?:\s+read)?$", re.IGNORECASE), "the reading time"),
    (
        re.compile(r"^(?:[A-Z][a-z]+\.?\s+\d{1,2},?\s+\d{4}|\d{1,2}\.?\s+[A-Z][a-z]+\.?\s+\d{4}|\d{4}-\d\d-\d\d)$"),
        "a date",
    ),
    (re.compile(r"^[Bb]y(?:\s+(?:the\s+)?[A-Z\[][\w\[\]’'-]*){0,4}$"), "the author"),
)
# The words that send readers to another site; `_SITE` matches the name of one.
_POINTER = re.compile(r"\b(?:check out|head (?:over )?to|visit|find us|follow us|sign up)\b", re.IGNORECASE)
_SITE = re.compile(r"\w\.[a-z]{2,}")
# The beginning of a line that continues the description above.
_CONTINUATION = re.compile(r"^(?:[a-z(…]|(?i:note|warning|tip|caution|important|nb|example)\b\s*[:!–-])")
# The most lines an entry of a marked list has on average: where fewer lines have markers, the list is bare.
MAX_LINES_AN_ENTRY = 4
# The longest first line of a marked list, in characters, that can be an entry: a longer one introduces the list.
MAX_FIRST_TITLE = 160
# The most sentences before a heading such as "Changes" that are the page's introduction; more are entries themselves.
MAX_SENTENCES_IN_HEAD = 2
# The most short lines (a name, tags) between two lines of boilerplate in a page's head.
MAX_GAP_IN_HEAD = 4
# The shortest text, in characters, that can be a sentence.
MIN_SENTENCE = 13
# A first line that is not a sentence is the title of a bare list where this share of the lines below it are sentences.
MIN_SENTENCE_SHARE = 0.8
# The fewest headings of one level, each followed by text, that are the entries of a bare list.
MIN_ENTRY_HEADINGS = 3
# The kinds of lines in which markers are not searched.
_WITHOUT_MARKERS = {LineKind.ROW, LineKind.COLUMNS, LineKind.MARKUP}


def read_page(lines: Sequence[Line]) -> list[Section]:
    """Return the sections of a page's episodes, in page order; one section where the page names at most one episode."""
    marked = [line if line.kind in _WITHOUT_MARKERS else replace(line, entry=parse_line(line.text)) for line in lines]
    return [_SectionReader(episode, part).read() for episode, part in _split_episodes(marked)]


def _split_episodes(lines: Sequence[Line]) -> list[tuple[str | None, Sequence[Line]]]:
    """Split the page before each line that names another episode; the lines before the first belong to the first."""
    starts: list[tuple[int, str]] = []
    for index, line in enumerate(lines):
        match = _EPISODE.match(line.text)
        if match is None or line.entry is not None:
            continue
        number = match["start"] or match["end"]
        if not starts or starts[-1][1] != number:
            starts.append((index, number))
    if not starts:
        return [(None, lines)]
    bounds = [0, *(index for index, _ in starts[1:]), len(lines)]
    return [(number, lines[start:end]) for (_, number), (start, end) in zip(starts, pairwise(bounds), strict=True)]


class _SectionReader:
    """Reads the lines of one episode from top to bottom."""

    def __init__(self, episode: str | None, lines: Sequence[Line]) -> None:
        self.section = Section(episode)
        self.lines = lines
        self.is_marked = _is_marked(lines)
        # A blank line sets a paragraph apart where other lines stand close together.
        self.has_close_lines = any(not line.spaced for line in lines[1:])
        self.entry_heading = 0 if self.is_marked else _find_entry_heading(lines)

    def read(self) -> Section:
        """Return the section of the episode."""
        start = self._find_list()
        self._read_head(self.lines[:start])
        self._read_list(start)
        return self.section

    def _find_list(self) -> int:
        """Return the index of the list's first line, or of its heading."""
        for index, line in enumerate(self.lines):
            if line.entry is None and _LIST_HEADING.match(line.text) and self._opens_list(index):
                return index
        return self._find_end_of_head()

    def _opens_list(self, index: int) -> bool:
        """Return whether a heading opens the list: "Changes" after the entries under "New" does not."""
        before = self.lines[:index]
        if _FULL_LIST.match(self.lines[index].text) or any(_HIGHLIGHT_HEADING.match(line.text) for line in before):
            return True
        ids = {line.entry.feature.feature_id for line in before if line.entry is not None}
        ids_after = {line.entry.feature.feature_id for line in self.lines[index:] if line.entry is not None}
        if ids:
            return ids <= ids_after
        sentences = [line for line in before if _is_sentence(line.text) and _find_boilerplate(line.text) is None]
        return len(sentences) <= MAX_SENTENCES_IN_HEAD

    def _find_end_of_head(self) -> int:
        """Return the index of the first line after the page's title and boilerplate."""
        end = gap = 0
        for index, line in enumerate(self.lines):
            if line.entry is not None and not _HIGHLIGHT_HEADING.match(line.text):
                break
            if line.kind in {LineKind.ROW, LineKind.COLUMNS}:
                break
            # A heading above the list that is none of its entries.
            is_page_heading = line.kind is LineKind.HEADING and line.level != self.entry_heading and index == end
            if _find_boilerplate(line.text) is not None or is_page_heading:
                end, gap = index + 1, 0
            else:
                gap += 1
            if gap > MAX_GAP_IN_HEAD or (gap and _is_sentence(line.text)):
                break
        return 1 if end == 0 and self._begins_with_title() else end

    def _begins_with_title(self) -> bool:
        """Return whether the first line is the page's title: it looks different from the entries below."""
        if len(self.lines) <= 2:
            return False
        first, *others = self.lines
        if first.kind not in {LineKind.TEXT, LineKind.HEADING} or first.entry is not None or _is_sentence(first.text):
            return False
        if self.is_marked:
            return others[0].entry is not None
        return sum(_is_sentence(line.text) for line in others) >= MIN_SENTENCE_SHARE * len(others)

    def _read_head(self, lines: Sequence[Line]) -> None:
        """Read the lines before the list: highlights, and the introduction of the page."""
        highlight: Entry | None = None
        opening: Line | None = None
        in_highlights = False
        for line in lines:
            if line.kind is LineKind.MARKUP:
                self.section.ignore(line, "markup")
            elif line.entry is None and _HIGHLIGHT_HEADING.match(line.text):
                self.section.report(line, LineRole.HEADING)
                highlight, in_highlights = None, True
            elif line.entry is None and (reason := _find_boilerplate(line.text)):
                self.section.ignore(line, reason)
                highlight, in_highlights = None, False
            elif highlight is not None and opening is not None and _describes_highlight(line, highlight, opening):
                highlight.description.append(_squeeze(line.text))
                self.section.report(line, LineRole.HIGHLIGHT, highlight)
            elif line.entry is not None or (in_highlights and line.kind is not LineKind.HEADING):
                highlight, opening = _add_entry(self.section.highlights, line), line
                self.section.report(line, LineRole.HIGHLIGHT, highlight)
            else:
                self.section.ignore(line, "stands before the list")
                highlight = None

    def _read_list(self, start: int) -> None:
        """Read the lines from `start` on: the entries with their descriptions, and the highlights among them."""
        entry: Entry | None = None
        opening = start  # the index of the line with the entry's title
        in_highlights = False
        for index, line in enumerate(self.lines[start:], start):
            target = self.section.highlights if in_highlights else self.section.entries
            if line.kind is LineKind.MARKUP:
                self.section.ignore(line, "markup")
            elif line.kind is LineKind.COLUMNS:
                self.section.report(line, LineRole.HEADING, reason="the table's columns")
            elif line.entry is None and self._is_heading(line):
                self.section.report(line, LineRole.HEADING)
                entry, in_highlights = None, _HIGHLIGHT_HEADING.match(line.text) is not None
            elif line.entry is None and (reason := self._explain_ignored(line, is_first=entry is None and not target)):
                self.section.ignore(line, reason)
            elif line.entry is None and entry is not None and self._describes(line, entry, opening):
                entry.description.append(_squeeze(line.text))
                self.section.report(line, LineRole.HIGHLIGHT if in_highlights else LineRole.DESCRIPTION, entry)
            else:
                entry, opening = _add_entry(target, line), index
                self.section.report(line, LineRole.HIGHLIGHT if in_highlights else LineRole.ENTRY, entry)

    def _is_heading(self, line: Line) -> bool:
        if _LIST_HEADING.match(line.text) or _HIGHLIGHT_HEADING.match(line.text):
            return True
        return line.kind is LineKind.HEADING and line.level != self.entry_heading

    def _explain_ignored(self, line: Line, *, is_first: bool) -> str | None:
        """Return why a line without markers is not part of the list; None where it is a part.

        `is_first` is true until the list has an entry.
        """
        if line.kind is LineKind.ROW:
            return "a row without a title"
        if reason := _find_boilerplate(line.text):
            return reason
        if is_first and self.is_marked and (len(line.text) > MAX_FIRST_TITLE or line.text.endswith(":")):
            return "introduces the list"
        return None

    def _describes(self, line: Line, entry: Entry, opening: int) -> bool:
        """Return whether a line is about the entry whose title is at the index `opening`, and no entry itself."""
        title = self.lines[opening]
        if title.kind is LineKind.HEADING:
            return line.kind is not LineKind.HEADING
        if line.kind is LineKind.BULLET and (title.kind is not LineKind.BULLET or line.level > title.level):
            return True
        if not self.is_marked:
            return False
        if title.kind is LineKind.BULLET and line.kind is LineKind.BULLET:
            return False
        if not entry.description:
            return title.entry is not None
        if _CONTINUATION.match(line.text) or entry.description[-1].endswith((":", ",")):
            return True
        # A title with markers, a blank line, then paragraphs: the paragraphs up to the next entry are about this entry.
        return title.entry is not None and self.has_close_lines and self.lines[opening + 1].spaced


def _is_marked(lines: Sequence[Line]) -> bool:
    """Return whether the entries of a list have markers."""
    if any(line.kind is LineKind.HEADING and line.entry is not None for line in lines):
        return True
    without_text = {LineKind.HEADING, LineKind.COLUMNS, LineKind.MARKUP}
    content = [line for line in lines if line.kind not in without_text and _find_boilerplate(line.text) is None]
    marked = sum(line.entry is not None for line in content)
    return marked > 0 and marked * MAX_LINES_AN_ENTRY >= len(content)


def _find_entry_heading(lines: Sequence[Line]) -> int:
    """Return the deepest level of headings that are the entries of a bare list; 0 where there is none."""
    counts: Counter[int] = Counter()
    for line, following in pairwise(lines):
        is_followed_by_text = line.kind is LineKind.HEADING and following.kind is not LineKind.HEADING
        if is_followed_by_text and not _LIST_HEADING.match(line.text):
            counts[line.level] += 1
    return max((level for level, count in counts.items() if count >= MIN_ENTRY_HEADINGS), default=0)


def _describes_highlight(line: Line, highlight: Entry, opening: Line) -> bool:
    """Return whether a line is about the highlight with its title in the line `opening`, and no highlight itself."""
    if highlight.description or line.entry is not None or line.kind is LineKind.HEADING:
        return False
    if line.kind is opening.kind is LineKind.BULLET:
        return line.level > opening.level
    if LineKind.BULLET in {line.kind, opening.kind} or opening.entry is not None:
        return True
    # Without bullets and markers, titles differ from the sentences below them only in that they are not sentences.
    return _is_sentence(line.text) and not _is_sentence(opening.text)


def _add_entry(entries: list[Entry], line: Line) -> Entry:
    """Append the entry of a line, and return it; a line without markers is a title."""
    parsed = line.entry or Entry(Feature(position=UNPLACED, title=line.text))
    feature = replace(parsed.feature, title=_squeeze(parsed.feature.title))
    description = [_squeeze(text) for text in parsed.description]
    entry = replace(parsed, feature=feature, description=description, line=line.number)
    entries.append(entry)
    return entry


def _find_boilerplate(text: str) -> str | None:
    """Return why a line that occurs on pages of any show is not an entry; None for other lines."""
    # Two patterns in turn: a single one would take quadratic time on a hostile line.
    if (pointer := _POINTER.search(text)) and _SITE.search(text, pointer.end()):
        return "points to another site"
    return next((reason for pattern, reason in _BOILERPLATE if pattern.search(text)), None)


def _squeeze(text: str) -> str:
    """Return a text without the tabs that separated an entry's parts."""
    return " ".join(text.split())


def _is_sentence(text: str) -> bool:
    return text.endswith((".", "!", "?", "…", ".”", '."')) and len(text) >= MIN_SENTENCE
