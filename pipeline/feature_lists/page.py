"""The reader of a page's lines: entries, their descriptions, headings, highlights, and lines that are none of these.

Every line gets a report. Pages have three shapes: in a *marked* list the entries have an id, a version or a time, and
their descriptions stand between them; in a *bulleted* list each bullet of one level is an entry; in a *bare* list each
line is one. `model` finds the shape.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise, takewhile

from pipeline.core.schema import Feature, LineReport, LineRole
from pipeline.feature_lists.checks import find_subject_words
from pipeline.feature_lists.headings import (
    HeadingKind,
    find_boilerplate,
    is_credit,
    is_full_list_heading,
)
from pipeline.feature_lists.lines import UNPLACED, Entry, Line, LineKind
from pipeline.feature_lists.model import find_model, parse_markers


@dataclass
class Section:
    """One episode's part of a page: its entries, its highlights, and a report for each line with the line's entry.

    `unread` has the lines that could be entries and are not read as such, each with the reason.
    """

    episode: str | None
    entries: list[Entry] = field(default_factory=list)
    highlights: list[Entry] = field(default_factory=list)
    reports: list[tuple[LineReport, Entry | None]] = field(default_factory=list)
    unread: list[tuple[Line, str]] = field(default_factory=list)

    def report(self, line: Line, role: LineRole, entry: Entry | None = None, reason: str = "") -> None:
        """Add the report for a line, and for the lines of the document that continue it."""
        for part in (replace(line, wrapped=()), *line.wrapped):
            text = line.text if not line.wrapped else part.text
            self.reports.append((LineReport(part.number, role, text, reason=reason), entry))

    def ignore(self, line: Line, reason: str) -> None:
        """Add the report for a line that is no part of the list."""
        self.report(line, LineRole.IGNORED, reason=reason)
        if reason not in _SILENT and any(map(str.isalpha, line.text)):
            self.unread.append((line, reason))


# The reasons for which no entry can be lost.
_SILENT = {
    "markup", "a separator", "a URL", "a date", "the author", "the reading time", "introduces the episode", "the title"
}  # fmt: skip
# A line that names an episode, at its beginning ("Episode 12 of …") or at its end ("The Kite Show: Episode 12").
_EPISODE = re.compile(
    r"^(?:in\s+)?episode\s+#?(?P<start>\d{1,4})\b(?!\s+(?:artwork|number|title|page|can|now|is|are|will)\b)"
    r"|^.{0,80}:\s*episode\s+#?(?P<end>\d{1,4})\W*$",
    re.IGNORECASE,
)
# The beginning of a line that continues the description above.
_CONTINUATION = re.compile(r"^(?:[a-z(…]|(?i:note|warning|tip|caution|important|nb|example)\b\s*[:!–-])")
# The longest first line of a marked list, in characters, that can be an entry: a longer one introduces the list.
MAX_FIRST_TITLE = 160
# The most sentences before a heading such as "Changes" that are the page's introduction; more are entries themselves.
MAX_SENTENCES_IN_HEAD = 2
# The most short lines (a name, tags) between two lines of boilerplate in a page's head.
MAX_GAP_IN_HEAD = 4
# The shortest text, in characters, that can be a sentence.
MIN_SENTENCE = 13
# The lowest share of sentences below a first line that is none, and is therefore the title of a bare list.
MIN_SENTENCE_SHARE = 0.8
# The fewest words, and the lowest share of them, that a line repeats of the title above, which it describes.
MIN_RESTATED_WORDS = 2
MIN_RESTATED_SHARE = 0.4


def read_page(lines: Sequence[Line]) -> list[Section]:
    """Return the sections of a page's episodes, in page order; one section where the page names at most one episode."""
    return [_SectionReader(episode, part).read() for episode, part in _split_episodes(parse_markers(lines))]


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
        self.model = find_model(lines)
        # A blank line sets a paragraph apart where other lines stand close together.
        self.has_close_lines = any(not line.spaced for line in lines[1:])
        self.versions: dict[int, str | None] = {}  # the version of the entries below the headings above, by level
        self.above: int | None = None  # the index of the last heading above
        self.has_bullets: dict[int, bool] = {}  # whether bullets stand below a heading, by its index
        self.is_back_matter = 0  # the level of the heading above that opens back matter; 0 where none does

    def read(self) -> Section:
        """Return the section of the episode."""
        start = self._find_list()
        self._read_head(start)
        self._read_list(start)
        return self.section

    def _kind(self, index: int) -> HeadingKind | None:
        """Return what the line at an index divides; None for a line that can be an entry."""
        heading = self.model.headings.get(index)
        if heading is None:
            return None
        line = self.lines[index]
        is_entry = line.kind is LineKind.HEADING and (line.entry is not None or line.level == self.model.heading_level)
        return None if heading.kind is HeadingKind.PLAIN and is_entry else heading.kind

    def _find_list(self) -> int:
        """Return the index of the list's first line, or of its heading."""
        ids: set[str | None] = set()
        sentences = 0
        has_highlights = False
        total = [line.entry.feature.feature_key for line in self.lines if line.entry is not None]
        seen = 0
        for index, line in enumerate(self.lines):
            kind = self._kind(index)
            if kind is HeadingKind.LIST and line.entry is None:
                is_open = is_full_list_heading(line.text) or has_highlights
                if is_open or (ids <= set(total[seen:]) if ids else sentences <= MAX_SENTENCES_IN_HEAD):
                    return index
            has_highlights |= kind is HeadingKind.HIGHLIGHTS
            if line.entry is not None:
                ids.add(line.entry.feature.feature_key)
                seen += 1
            elif not has_highlights and self._opens_list(index):
                break
            sentences += kind is None and _is_sentence(line.text) and find_boilerplate(line.text) is None
        return self._find_end_of_head()

    def _opens_list(self, index: int) -> bool:
        """Return whether a bulleted list begins at an index, with a bullet or the heading of a release."""
        if not self.model.bullet_level:
            return False
        line, kind = self.lines[index], self._kind(index)
        return (line.kind is LineKind.BULLET and kind is None) or kind in {HeadingKind.RELEASE, HeadingKind.CATEGORY}

    def _find_end_of_head(self) -> int:
        """Return the index of the first line after the page's title and boilerplate."""
        end = gap = 0
        for index, line in enumerate(self.lines):
            kind = self._kind(index)
            if (line.entry is not None and kind is None) or line.kind in {LineKind.ROW, LineKind.COLUMNS}:
                break
            if kind in {HeadingKind.RELEASE, HeadingKind.CATEGORY, HeadingKind.LIST} and (
                index or self.lines[0].level != 1
            ):
                break
            if self.model.bullet_level and line.kind is LineKind.BULLET and kind is not HeadingKind.HIGHLIGHTS:
                break
            # A heading above the list that is none of its entries.
            is_page_heading = line.kind is LineKind.HEADING and kind is not None and index == end
            if find_boilerplate(line.text) is not None or is_page_heading:
                end, gap = index + 1, 0
            else:
                gap += 1
            if not self.model.bullet_level and (gap > MAX_GAP_IN_HEAD or (gap and _is_sentence(line.text))):
                break
        return 1 if end == 0 and self._begins_with_title() else end

    def _begins_with_title(self) -> bool:
        """Return whether the first line is the page's title: it looks different from the entries below."""
        if len(self.lines) <= 2:
            return False
        first, *others = self.lines
        if first.kind not in {LineKind.TEXT, LineKind.HEADING} or first.entry is not None or _is_sentence(first.text):
            return False
        if self.model.is_marked:
            return others[0].entry is not None
        return sum(_is_sentence(line.text) for line in others) >= MIN_SENTENCE_SHARE * len(others)

    def _read_head(self, end: int) -> None:
        """Read the lines before the list: highlights, and the introduction of the page."""
        highlight: Entry | None = None
        opening: Line | None = None
        in_highlights = False
        for index, line in enumerate(self.lines[:end]):
            self._note_heading(index)
            if line.kind is LineKind.MARKUP:
                self.section.ignore(line, "markup")
            elif line.entry is None and self._kind(index) is HeadingKind.HIGHLIGHTS:
                self.section.report(line, LineRole.HEADING)
                highlight, in_highlights = None, True
            elif line.entry is None and (reason := find_boilerplate(line.text)):
                self.section.ignore(line, reason)
                highlight, in_highlights = None, False
            elif highlight is not None and opening is not None and _describes_highlight(line, highlight, opening):
                highlight.description.append(_squeeze(line.text))
                self.section.report(line, LineRole.HIGHLIGHT, highlight)
            elif line.entry is not None or (in_highlights and line.kind is not LineKind.HEADING):
                highlight, opening = self._add_entry(self.section.highlights, line), line
                self.section.report(line, LineRole.HIGHLIGHT, highlight)
            else:
                is_heading = index in self.model.headings or index == 0
                self.section.report(line, LineRole.IGNORED, reason="stands before the list")
                if not is_heading:
                    self.section.unread.append((line, "stands before the list"))
                highlight = None

    def _read_list(self, start: int) -> None:
        """Read the lines from `start` on: the entries with their descriptions, and the highlights among them."""
        entry: Entry | None = None
        opening = start  # the index of the line with the entry's title
        in_highlights = False
        for index, line in enumerate(self.lines[start:], start):
            target = self.section.highlights if in_highlights else self.section.entries
            kind = self._kind(index)
            if line.kind is LineKind.MARKUP:
                self.section.ignore(line, "markup")
            elif line.kind is LineKind.COLUMNS:
                self.section.report(line, LineRole.HEADING, reason="the table's columns")
            elif kind is not None:
                self._note_heading(index)
                self.section.report(line, LineRole.HEADING)
                entry, in_highlights = None, kind is HeadingKind.HIGHLIGHTS
            elif line.entry is None and (reason := self._explain_ignored(index, entry, is_first=not target)):
                self.section.ignore(line, reason)
            elif line.entry is None and entry is not None and self._describes(line, entry, opening):
                entry.description.append(_squeeze(line.text))
                self.section.report(line, LineRole.HIGHLIGHT if in_highlights else LineRole.DESCRIPTION, entry)
            elif line.entry is None and (reason := self._explain_paragraph(index)):
                self.section.ignore(line, reason)
            else:
                entry, opening = self._add_entry(target, line), index
                self.section.report(line, LineRole.HIGHLIGHT if in_highlights else LineRole.ENTRY, entry)

    def _note_heading(self, index: int) -> None:
        """Remember the version of a heading, and whether it opens back matter."""
        if self._kind(index) is None:
            return
        self.above = index
        heading = self.model.headings[index]
        if heading.kind is HeadingKind.RELEASE:
            self.versions = {level: version for level, version in self.versions.items() if level < heading.level}
            self.versions[heading.level] = heading.version
        elif heading.level < 7:
            self.versions = {level: version for level, version in self.versions.items() if level < heading.level}
        if heading.kind is HeadingKind.BACK_MATTER:
            self.is_back_matter = heading.level
        elif heading.level <= self.is_back_matter:
            self.is_back_matter = 0

    def _explain_ignored(self, index: int, entry: Entry | None, *, is_first: bool) -> str | None:
        """Return why a line without markers is no part of the list; None where it is a part.

        `is_first` is true until the list has an entry.
        """
        line = self.lines[index]
        if line.kind is LineKind.ROW:
            return "a row without a title"
        if self.is_back_matter:
            return "below a heading of back matter"
        if line.kind is not LineKind.BULLET and is_credit(line.text):
            return "a credit"
        is_bullet = line.kind is LineKind.BULLET and self.model.bullet_level > 0
        if (reason := find_boilerplate(line.text)) and not (is_bullet and reason not in _SILENT):
            return reason
        is_opening = is_first and entry is None and self.model.is_marked and not self.model.bullet_level
        if is_opening and (len(line.text) > MAX_FIRST_TITLE or line.text.endswith(":")):
            return "introduces the list"
        return None

    def _explain_paragraph(self, index: int) -> str | None:
        """Return why a line of a bulleted list that is no bullet is no entry; None where it is one."""
        line = self.lines[index]
        if line.kind is LineKind.QUOTE:
            return "a quotation without an entry"
        if not (self.model.bullet_level or self.model.heading_level) or line.kind is not LineKind.TEXT:
            return None
        if self._is_section_without_bullets():
            return None
        return "a paragraph between the entries"

    def _is_section_without_bullets(self) -> bool:
        """Return whether a paragraph stands below the heading of a category that has no bullets."""
        above = self.above
        if above is None or self.model.headings[above].kind not in {HeadingKind.CATEGORY, HeadingKind.PLAIN}:
            return False
        heading = self.model.headings[above]
        if heading.level == 1 or (self.model.heading_level and heading.kind is not HeadingKind.CATEGORY):
            return False
        if above not in self.has_bullets:
            below = takewhile(lambda i: i not in self.model.headings, range(above + 1, len(self.lines)))
            self.has_bullets[above] = any(self.lines[i].kind is LineKind.BULLET for i in below)
        return not self.has_bullets[above]

    def _describes(self, line: Line, entry: Entry, opening: int) -> bool:
        """Return whether a line is about the entry whose title is at the index `opening`, and no entry itself."""
        title = self.lines[opening]
        if title.kind is LineKind.HEADING:
            return line.kind is not LineKind.HEADING
        if line.kind is LineKind.QUOTE:
            return True
        if line.inside and title.kind is LineKind.BULLET:
            return True
        if line.kind is LineKind.BULLET and (title.kind is not LineKind.BULLET or line.level > title.level):
            return not self.model.bullet_level or title.kind is LineKind.BULLET
        if self.model.bullet_level:
            return title.kind is line.kind is LineKind.TEXT or (line.kind is LineKind.TEXT and not line.spaced)
        if not self.model.is_marked:
            return title.entry is not None and not entry.description and not line.spaced and _restates(line, entry)
        if title.kind is LineKind.BULLET and line.kind is LineKind.BULLET:
            return False
        if not entry.description:
            return title.entry is not None
        if _CONTINUATION.match(line.text) or entry.description[-1].endswith((":", ",")):
            return True
        # A title with markers, a blank line, then paragraphs: the paragraphs up to the next entry are about this entry.
        return title.entry is not None and self.has_close_lines and self.lines[opening + 1].spaced

    def _add_entry(self, entries: list[Entry], line: Line) -> Entry:
        """Append the entry of a line, and return it; a line without markers is a title."""
        parsed = line.entry or Entry(Feature(position=UNPLACED, title=line.title or line.text))
        inherited = next((self.versions[level] for level in sorted(self.versions, reverse=True)), None)
        title, version = _squeeze(parsed.feature.title), parsed.feature.version or inherited
        description = [_squeeze(text) for text in parsed.description]
        feature = replace(parsed.feature, title=title, version=version)
        entry = replace(parsed, feature=feature, description=description, line=line.number)
        entries.append(entry)
        return entry


def _restates(line: Line, entry: Entry) -> bool:
    """Return whether a line says the title of an entry again, in other words."""
    words = find_subject_words(line.text)
    shared = words & find_subject_words(entry.feature.title)
    return len(shared) >= MIN_RESTATED_WORDS and len(shared) >= MIN_RESTATED_SHARE * len(words)


def _describes_highlight(line: Line, highlight: Entry, opening: Line) -> bool:
    """Return whether a line is about the highlight with its title in the line `opening`, and no highlight itself."""
    if highlight.description or line.entry is not None or line.kind is LineKind.HEADING:
        return False
    if line.kind is opening.kind is LineKind.BULLET:
        return line.level > opening.level
    if LineKind.BULLET in {line.kind, opening.kind} or opening.entry is not None:
        return True
    # Without bullets and markers, titles differ from the sentences below them only in that they are no sentences.
    return _is_sentence(line.text) and not _is_sentence(opening.text)


def _squeeze(text: str) -> str:
    """Return a text without the tabs that separated an entry's parts."""
    return " ".join(text.split())


def _is_sentence(text: str) -> bool:
    return text.endswith((".", "!", "?", "…", ".”", '."')) and len(text) >= MIN_SENTENCE
