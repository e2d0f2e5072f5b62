"""The text of a page, line by line: which are entries, which describe them, which are something else, and why.

Every line gets a role; none is lost and none is made up. Pages come in two shapes: *marked* lists, whose entries carry
an id, a version or a time, with descriptions between them; and *bare* lists, where each line is an entry.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from pipeline.core.schema import LineRole
from pipeline.feature_lists.lines import Line, MarkedLine, read_line


@dataclass
class Draft:
    """An entry while its list is read: where it stands and what is known of it."""

    line: int
    title: str
    feature_id: int | None = None
    version: str | None = None
    published_s: float | None = None
    description: list[str] = field(default_factory=list)
    highlight: bool = False
    other_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """What became of one line: its role, the line of the entry it belongs to, and the reason."""

    line: int
    role: LineRole
    text: str
    entry: int | None = None
    reason: str = ""


@dataclass
class Section:
    """One episode's part of a page, read."""

    episode: str | None
    entries: list[Draft] = field(default_factory=list)
    highlights: list[Draft] = field(default_factory=list)
    accounts: list[Account] = field(default_factory=list)

    def account(self, line: Line, role: LineRole, entry: int | None = None, reason: str = "") -> None:
        """Note what became of a line."""
        self.accounts.append(Account(line.number, role, line.text, entry, reason))


_EPISODE = re.compile(
    r"^(?:in\s+)?episode\s+#?(?P<start>\d{1,4})\b|^.{0,80}:\s*episode\s+#?(?P<end>\d{1,4})\W*$", re.IGNORECASE
)
_LIST_HEADING = re.compile(
    r"^\W*(?:(?:(?:full|complete|all|the)\s+)*(?:feature|update|change|release)s?(?:\s+(?:list|review|overview|notes|log))*"
    r"|(?:the\s+)?(?:full|complete)\s+(?:list|review))\W*$",
    re.IGNORECASE,
)
_WHOLE_LIST = re.compile(r"^\W*(?:full|complete|all)\b", re.IGNORECASE)
_HIGHLIGHT_HEADING = re.compile(
    r"^\W*(?:here(?:'s|’s|\s+are)\b.{0,60}\b(?:key|impactful|highlights?)\b.{0,80}"
    r"|(?:key|important|top|notable|main)\s+(?:\w+\s+)?(?:mentions?|features?|updates?|highlights?|changes?)\b.{0,60}"
    r"|highlights?\b.{0,60})$",
    re.IGNORECASE,
)
_BOILERPLATE = (
    (re.compile(r"^[\W_]+$"), "a separator"),
    (re.compile(r"^(?:in\s+)?(?:this\s+)?episode\s+(?:#?\d+|of)\b.{50,}", re.IGNORECASE), "introduces the episode"),
    (re.compile(r"^(?:watch|listen|stream|subscribe)\b.{0,120}$", re.IGNORECASE), "a link to the episode"),
    (re.compile(r"^https?://\S+$"), "an address"),
    (re.compile(r"^\d{1,3}\s+min(?:ute)?s?(?:\s+read)?$", re.IGNORECASE), "the reading time"),
    (
        re.compile(r"^(?:[A-Z][a-z]+\.?\s+\d{1,2},?\s+\d{4}|\d{1,2}\.?\s+[A-Z][a-z]+\.?\s+\d{4}|\d{4}-\d\d-\d\d)$"),
        "a date",
    ),
    (re.compile(r"^[Bb]y(?:\s+(?:the\s+)?[A-Z\[][\w\[\]’'-]*){0,4}$"), "who wrote it"),
)
_POINTER = re.compile(r"\b(?:check out|head (?:over )?to|visit|find us|follow us|sign up)\b", re.IGNORECASE)
_SITE = re.compile(r"\w\.[a-z]{2,}")
_CONTINUES = re.compile(r"^(?:[a-z(…]|(?i:note|warning|tip|caution|important|nb|example)\b\s*[:!–-])")
_LONG_HEAD = 160  # characters: a paragraph before the first entry introduces the page
_SENTENCES_IN_HEAD = 2  # more of them before a heading such as "Changes" are entries themselves
_GAP_IN_HEAD = 4  # short lines (a name, tags) that may stand between two lines of a page's head


def read_page(lines: Sequence[Line]) -> list[Section]:
    """Return the episodes of a page, in its order; a page that names no episode, or one, is a single section."""
    sections = []
    for episode, part in _split_episodes(lines):
        section = Section(episode)
        _SectionReader(section, part).read()
        sections.append(section)
    return sections


def _split_episodes(lines: Sequence[Line]) -> list[tuple[str | None, Sequence[Line]]]:
    """Cut the page before each line that names another episode; what precedes the first belongs to it."""
    starts: list[tuple[int, str]] = []
    for index, line in enumerate(lines):
        found = _EPISODE.match(line.text)
        if found is None or _read_marks(line) is not None:
            continue
        number = found["start"] or found["end"]
        if not starts or starts[-1][1] != number:
            starts.append((index, number))
    if not starts:
        return [(None, lines)]
    bounds = [0, *(index for index, _ in starts[1:]), len(lines)]
    return [(number, lines[bounds[i] : bounds[i + 1]]) for i, (_, number) in enumerate(starts)]


class _SectionReader:
    """Reads the lines of one episode from top to bottom."""

    def __init__(self, section: Section, lines: Sequence[Line]) -> None:
        self.section = section
        self.lines = lines
        self.marks = {line.number: _read_marks(line) for line in lines}
        plain = [
            line
            for line in lines
            if line.kind not in {"heading", "columns", "markup"} and _find_boilerplate(line.text) is None
        ]
        marked = sum(self.marks[line.number] is not None for line in plain)
        headed = [line for line in lines if line.kind == "heading" and self.marks[line.number] is not None]
        # In a marked list every entry has its marks and at most a few lines of its own.
        self.is_marked = bool(headed) or (marked > 0 and marked * 4 >= len(plain))
        # Where lines stand close together, a blank one sets a paragraph apart; where all are spaced it says nothing.
        self.spacing_tells = any(not line.spaced for line in lines[1:])
        self.entry_heading = 0 if self.is_marked else _find_entry_heading(lines)

    def read(self) -> None:
        start = self._find_list()
        self._read_head(self.lines[:start])
        self._read_list(self.lines[start:])

    def _find_list(self) -> int:
        """The index of the list's first line, or of its heading."""
        for index, line in enumerate(self.lines):
            if self.marks[line.number] is None and _LIST_HEADING.match(line.text) and self._opens_list(index):
                return index
        return self._find_end_of_head()

    def _opens_list(self, index: int) -> bool:
        """Tell the heading of the list from one in its middle ("Changes", after the entries under "New")."""
        before = self.lines[:index]
        if _WHOLE_LIST.match(self.lines[index].text) or any(_HIGHLIGHT_HEADING.match(line.text) for line in before):
            return True
        ids = {marks.feature_id for line in before if (marks := self.marks[line.number]) is not None}
        after = {marks.feature_id for line in self.lines[index:] if (marks := self.marks[line.number]) is not None}
        if ids:
            return ids <= after
        said = [line for line in before if _is_sentence(line.text) and _find_boilerplate(line.text) is None]
        return len(said) <= _SENTENCES_IN_HEAD

    def _find_end_of_head(self) -> int:
        end = gap = 0
        for index, line in enumerate(self.lines):
            if self.marks[line.number] is not None and not _HIGHLIGHT_HEADING.match(line.text):
                break
            if line.kind in {"row", "columns"}:
                break
            if _find_boilerplate(line.text) is not None or self._is_page_heading(line, index, end):
                end, gap = index + 1, 0
            else:
                gap += 1
            if gap > _GAP_IN_HEAD or (gap and _is_sentence(line.text)):
                break
        if end == 0 and self.lines and self.lines[0].kind in {"text", "heading"} and self._is_title(self.lines[0]):
            end = 1
        return end

    def _is_page_heading(self, line: Line, index: int, end: int) -> bool:
        """A heading above the list, which is none of its entries."""
        return line.kind == "heading" and line.level != self.entry_heading and index == end

    def _is_title(self, first: Line) -> bool:
        """The first line of a page is its title where the entries look otherwise."""
        rest = self.lines[1:]
        if self.marks[first.number] is not None or _is_sentence(first.text) or len(rest) < 2:
            return False
        entries = [self.marks[line.number] is not None if self.is_marked else _is_sentence(line.text) for line in rest]
        return entries[0] if self.is_marked else sum(entries) >= 0.8 * len(entries)

    def _read_head(self, lines: Sequence[Line]) -> None:
        """Highlights, and what introduces the page."""
        current: Draft | None = None
        opened: Line | None = None
        in_highlights = False
        for line in lines:
            marks = self.marks[line.number]
            if line.kind == "markup":
                self.section.account(line, LineRole.IGNORED, reason="markup")
            elif marks is None and _HIGHLIGHT_HEADING.match(line.text):
                self.section.account(line, LineRole.HEADING)
                current, in_highlights = None, True
            elif marks is None and (reason := _find_boilerplate(line.text)):
                self.section.account(line, LineRole.IGNORED, reason=reason)
                current, in_highlights = None, False
            elif current is not None and opened is not None and self._describes_highlight(line, current, opened):
                current.description.append(_squeeze(line.text))
                self.section.account(line, LineRole.HIGHLIGHT, current.line)
            elif marks is not None or (in_highlights and line.kind != "heading"):
                current, opened = self._add(self.section.highlights, line, marks), line
                self.section.account(line, LineRole.HIGHLIGHT, line.number)
            else:
                self.section.account(line, LineRole.IGNORED, reason="stands before the list")
                current = None

    def _describes_highlight(self, line: Line, current: Draft, opened: Line) -> bool:
        """Tell a line about the current highlight, which `opened` with its title, from one of its own."""
        if current.description or self.marks[line.number] is not None or line.kind == "heading":
            return False
        if line.kind == opened.kind == "bullet":
            return line.level > opened.level
        if "bullet" in {line.kind, opened.kind} or self.marks[opened.number] is not None:
            return True
        # Nothing sets the titles apart but that they are none of the sentences below them.
        return _is_sentence(line.text) and not _is_sentence(opened.text)

    def _read_list(self, lines: Sequence[Line]) -> None:
        """The entries and their descriptions, and blocks of highlights among them."""
        current: Draft | None = None
        previous: Line | None = None
        into = self.section.entries
        for line in lines:
            marks = self.marks[line.number]
            if line.kind == "markup":
                self.section.account(line, LineRole.IGNORED, reason="markup")
            elif line.kind == "columns":
                self.section.account(line, LineRole.HEADING, reason="the table's columns")
            elif marks is None and self._is_heading(line):
                into = self.section.highlights if _HIGHLIGHT_HEADING.match(line.text) else self.section.entries
                self.section.account(line, LineRole.HEADING)
                current = None
            elif marks is None and line.kind == "row":
                self.section.account(line, LineRole.IGNORED, reason="a row without a title")
            elif marks is None and (reason := _find_boilerplate(line.text)):
                self.section.account(line, LineRole.IGNORED, reason=reason)
            elif marks is None and current is None and not into and self._is_introduction(line):
                self.section.account(line, LineRole.IGNORED, reason="introduces the list")
            elif marks is None and current is not None and self._describes(line, current, previous):
                current.description.append(_squeeze(line.text))
                role = LineRole.HIGHLIGHT if into is self.section.highlights else LineRole.DESCRIPTION
                self.section.account(line, role, current.line)
            else:
                current = self._add(into, line, marks)
                role = LineRole.HIGHLIGHT if into is self.section.highlights else LineRole.ENTRY
                self.section.account(line, role, line.number)
                self._opened = line
            previous = line

    def _is_heading(self, line: Line) -> bool:
        if _LIST_HEADING.match(line.text) or _HIGHLIGHT_HEADING.match(line.text):
            return True
        return line.kind == "heading" and line.level != self.entry_heading

    def _is_introduction(self, line: Line) -> bool:
        """A paragraph, or a line that announces others, before the first entry of a marked list."""
        return self.is_marked and (len(line.text) > _LONG_HEAD or line.text.endswith(":"))

    def _describes(self, line: Line, current: Draft, previous: Line | None) -> bool:
        """Tell a line about the current entry from an entry of its own."""
        opened = self._opened
        if opened.kind == "heading":
            return line.kind != "heading"
        if line.kind == "bullet" and (opened.kind != "bullet" or line.level > opened.level):
            return True
        if not self.is_marked:
            return False
        if opened.kind == "bullet" and line.kind == "bullet":
            return False
        if not current.description:
            return self.marks[current.line] is not None
        if _CONTINUES.match(line.text) or current.description[-1].endswith((":", ",")):
            return True
        # A title, a blank line, then paragraphs: what comes before the next entry is about this one.
        in_paragraphs = previous is not None and self.spacing_tells and self._spaced_description(current)
        return in_paragraphs and self.marks[current.line] is not None

    def _spaced_description(self, current: Draft) -> bool:
        after = next((line for line in self.lines if line.number > current.line), None)
        return after is not None and after.spaced

    @staticmethod
    def _add(into: list[Draft], line: Line, marks: MarkedLine | None) -> Draft:
        if marks is None:
            draft = Draft(line.number, _squeeze(line.text))
        else:
            draft = Draft(line.number, _squeeze(marks.title), marks.feature_id, marks.version, marks.published_s)
            draft.description = [_squeeze(marks.description)] if marks.description else []
            draft.other_ids, draft.highlight = marks.other_ids, marks.highlight
        into.append(draft)
        return draft


def _read_marks(line: Line) -> MarkedLine | None:
    if line.kind in {"row", "columns", "markup"}:
        return line.row
    return read_line(line.text)


def _find_boilerplate(text: str) -> str | None:
    """Why a line that stands on every page is no entry; None for any other line."""
    # Two patterns in turn, since one over both would take quadratic time on a hostile line.
    if (pointer := _POINTER.search(text)) and _SITE.search(text, pointer.end()):
        return "points to another site"
    return next((reason for pattern, reason in _BOILERPLATE if pattern.search(text)), None)


def _find_entry_heading(lines: Sequence[Line]) -> int:
    """The heading level whose headings are the entries of a list without marks: three or more, each with text below."""
    counts: Counter[int] = Counter()
    for line, following in pairwise(lines):
        if line.kind == "heading" and following.kind != "heading" and not _LIST_HEADING.match(line.text):
            counts[line.level] += 1
    return max((level for level, count in counts.items() if count >= 3), default=0)


def _squeeze(text: str) -> str:
    """Text without the tabs that separated an entry's parts."""
    return " ".join(text.split())


def _is_sentence(text: str) -> bool:
    return text.endswith((".", "!", "?", "…", ".”", '."')) and len(text) > 12
