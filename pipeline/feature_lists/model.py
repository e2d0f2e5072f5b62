"""Find the shape of a list: which headings divide it, which lines continue others, and which blocks are its entries.

The structure of the document comes first, then what most of its blocks look like, then the words of single lines.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from pipeline.core.text import clean_line
from pipeline.feature_lists.credits import Habits, blank_credits, find_habits
from pipeline.feature_lists.dates import remove_dates
from pipeline.feature_lists.headings import (
    Heading,
    HeadingKind,
    find_boilerplate,
    find_release,
    is_back_matter,
    is_category,
    is_highlight_heading,
    is_list_heading,
)
from pipeline.feature_lists.lines import Line, LineKind
from pipeline.feature_lists.markers import find_prefixes, parse_entries, parse_line

# The most lines an entry of a marked list has on average: where fewer lines have markers, the list is bare.
MAX_LINES_AN_ENTRY = 4
# The fewest headings of one level, each followed by text, that are the entries of a list.
MIN_ENTRY_HEADINGS = 3
# The most bullets below a heading or a line of text that describe it; more are entries themselves.
MAX_DETAILS = 4
# The fewest words of the usual title: headings of fewer words are the names of areas.
MIN_TITLE_WORDS = 4
# The widest column, in characters, at which text is wrapped, and the narrowest.
MAX_WIDTH, MIN_WIDTH = 120, 48
# The share of lines at one level whose form decides about the others.
MOST = 0.6
# The kinds of lines in which markers are not searched.
_WITHOUT_MARKERS = {LineKind.ROW, LineKind.COLUMNS, LineKind.MARKUP, LineKind.QUOTE}


@dataclass(frozen=True, slots=True)
class Model:
    """The shape of a list.

    `headings` has the lines, by index, that divide the page. `is_marked` is true where the entries have markers.
    `bullet_level` is the level of the bullets that are entries, 0 where plain lines are; `heading_level` is that of the
    headings that are entries, 0 where none are.
    """

    headings: Mapping[int, Heading]
    is_marked: bool
    bullet_level: int
    heading_level: int


def parse_markers(lines: Sequence[Line]) -> list[Line]:
    """Return the lines with wrapped ones joined, and with the entries that their markers show."""
    texts = [line.text for line in lines if line.kind not in _WITHOUT_MARKERS]
    habits = find_habits(texts, find_prefixes(texts))
    marked: list[Line] = []
    for line in _join_wrapped(lines, habits):
        if line.kind in _WITHOUT_MARKERS or _is_dated(line):
            marked.append(line)
            continue
        entries = parse_entries(line.text, habits)
        title = clean_line(blank_credits(line.text, habits))
        marked += [replace(line, entry=entry) for entry in entries] or [replace(line, title=title)]
    return marked


def _is_dated(line: Line) -> bool:
    """Return whether a line is only a release: its version is no marker of an entry."""
    return line.kind is not LineKind.ROW and find_release(line.text) is not None


def _join_wrapped(lines: Sequence[Line], habits: Habits) -> list[Line]:
    """Return the lines with those joined that an editor wrapped at a fixed width."""
    follow = [below for below in lines if below.joins]
    lengths = sorted(len(line.text) for line, below in pairwise(lines) if below.joins)
    if not follow or not MIN_WIDTH <= lengths[int(0.9 * (len(lengths) - 1))] <= MAX_WIDTH:
        return list(lines)
    width = lengths[int(0.9 * (len(lengths) - 1))]
    joined: list[Line] = []
    last = ""  # the text of the document's line above
    for line in lines:
        above = joined[-1] if joined else None
        if above is not None and line.joins and _is_wrapped(above, last, line, width, habits):
            text = f"{above.text} {line.text}"
            joined[-1] = replace(above, text=text, wrapped=(*above.wrapped, line))
        else:
            joined.append(line)
        last = line.text
    return joined


def _is_wrapped(above: Line, last: str, line: Line, width: int, habits: Habits) -> bool:
    """Return whether a line goes on with the sentence above: its first word did not fit there."""
    word = line.text.split(" ", 1)[0]
    if line.kind not in {LineKind.TEXT, LineKind.QUOTE} or len(last) + 1 + len(word) < 0.88 * width:
        return False
    if len(above.wrapped) > 30 or last.endswith((".", "!", "?", ":", "|")):
        return False
    is_plain = not line.inside and line.kind is LineKind.TEXT
    if is_plain and not (above.spaced and (line.text[:1].islower() or line.text[:1] in "([")):
        return False
    entry = parse_line(above.text, habits)
    return entry is None or (bool(line.inside) and above.text.endswith(entry.feature.title) and not entry.description)


def find_model(lines: Sequence[Line]) -> Model:
    """Return the shape of one episode's lines."""
    headings = _find_headings(lines)
    blocks = [i for i, line in enumerate(lines) if i not in headings and _is_block(line)]
    heading_level = _find_entry_headings(lines, headings)
    marked_headings = any(lines[i].entry is not None for i in headings)
    marked = sum(lines[i].entry is not None for i in blocks)
    is_marked = marked_headings or (marked > 0 and marked * MAX_LINES_AN_ENTRY >= len(blocks))
    level = 0 if marked_headings else _find_entry_bullets(lines, headings, blocks, heading_level)
    if level:
        headings = headings | _find_groups(lines, headings, level)
    return Model(headings, is_marked, level, heading_level)


def _is_block(line: Line) -> bool:
    """Return whether a line can hold an entry or its description."""
    if line.kind in {LineKind.HEADING, LineKind.COLUMNS, LineKind.MARKUP, LineKind.QUOTE} or line.inside:
        return False
    return line.entry is not None or find_boilerplate(line.text) is None


def _find_headings(lines: Sequence[Line]) -> dict[int, Heading]:
    """Return the lines that divide the page, by their index."""
    headings: dict[int, Heading] = {}
    for index, line in enumerate(lines):
        below = lines[index + 1] if index + 1 < len(lines) else None
        if line.kind is LineKind.HEADING:
            headings[index] = _classify_heading(line, below)
        elif heading := _classify_text(line, below):
            above = headings.get(index - 1)
            if above is not None and above.kind is heading.kind is HeadingKind.RELEASE and heading.version is None:
                # The date below a release's name belongs to that release.
                heading = replace(heading, version=above.version)
            headings[index] = heading
    return headings


def _classify_heading(line: Line, below: Line | None) -> Heading:
    """Return what a heading of the document divides."""
    if line.entry is not None:
        return Heading(HeadingKind.PLAIN, line.level)
    if is_highlight_heading(line.text):
        return Heading(HeadingKind.HIGHLIGHTS, line.level)
    # The heading of an entry is followed by text; that of a release by bullets or further headings.
    opens_list = below is not None and below.kind in {LineKind.BULLET, LineKind.HEADING}
    is_container = line.level == 1 or opens_list or _is_release_date(below)
    if release := find_release(line.text, name_words=4 if is_container else 0):
        return replace(release, level=line.level)
    for kind, matches in (
        (HeadingKind.LIST, is_list_heading),
        (HeadingKind.BACK_MATTER, is_back_matter),
        (HeadingKind.CATEGORY, is_category),
    ):
        if matches(line.text):
            return Heading(kind, line.level)
    return Heading(HeadingKind.PLAIN, line.level)


def _is_release_date(line: Line | None) -> bool:
    """Return whether a line holds only a date, such as `Released 2026-10-12`: the line above it names a release."""
    if line is None or line.entry is not None or line.kind is not LineKind.TEXT:
        return False
    release = find_release(line.text)
    return release is not None and release.version is None and remove_dates(line.text) != line.text


def _classify_text(line: Line, below: Line | None) -> Heading | None:
    """Return what a line without the signs of a heading divides; None for a line that divides nothing."""
    text = line.text
    if line.entry is not None or line.kind not in {LineKind.TEXT, LineKind.BULLET} or line.inside:
        return None
    if line.kind is LineKind.TEXT or text.endswith(":"):
        if is_list_heading(text):
            return Heading(HeadingKind.LIST, 8)
        if is_highlight_heading(text):
            return Heading(HeadingKind.HIGHLIGHTS, 8)
    opens_bullets = below is not None and below.kind is LineKind.BULLET and line.kind is LineKind.TEXT
    is_named = opens_bullets or _is_release_date(below)
    release = find_release(text, name_words=2 if is_named else 0) if below is not None else None
    # A date alone stands in the head of many pages.
    if release is not None and (release.version is not None or opens_bullets):
        return release
    if line.kind is LineKind.TEXT and below is not None:
        opens_block = line.spaced and not below.spaced
        if is_category(text) and (text.endswith(":") or opens_bullets or opens_block or below.entry is not None):
            return Heading(HeadingKind.CATEGORY, 8)
        if is_back_matter(text) and (text.endswith(":") or opens_bullets):
            return Heading(HeadingKind.BACK_MATTER, 8)
    return None


def _find_entry_headings(lines: Sequence[Line], headings: Mapping[int, Heading]) -> int:
    """Return the deepest level of headings that are entries: most are titles, each followed by what describes it."""
    levels: dict[int, list[tuple[int, int]]] = {}
    bounds = sorted(i for i in headings if lines[i].kind is LineKind.HEADING)
    for index, end in pairwise([*bounds, len(lines)]):
        if headings[index].kind is HeadingKind.PLAIN and end > index + 1:
            levels.setdefault(lines[index].level, []).append((index, end))
    fitting = [level for level, parts in levels.items() if _are_titles(lines, parts)]
    return max(fitting, default=0)


def _are_titles(lines: Sequence[Line], parts: Sequence[tuple[int, int]]) -> bool:
    """Return whether headings are titles of entries, not names of areas with entries below them.

    `parts` has the index of each heading, and that of the first line which is not below it.
    """
    marked = sum(lines[index].entry is not None for index, _ in parts)
    if marked:
        return marked >= 2 and marked >= MOST * len(parts)
    if len(parts) < MIN_ENTRY_HEADINGS or max(Counter(lines[i].text for i, _ in parts).values()) > 1:
        return False
    below = [[line for line in lines[index + 1 : end] if line.kind is LineKind.BULLET] for index, end in parts]
    bullets = [line for part in below for line in part]
    if sum(line.entry is not None for line in bullets) >= max(1, len(bullets) / 2):
        return False
    opens_with_text = sum(lines[index + 1].kind in {LineKind.TEXT, LineKind.QUOTE} for index, _ in parts)
    is_short = median(len(lines[index].text.split()) for index, _ in parts) < MIN_TITLE_WORDS
    per_heading = len(bullets) / len(parts)
    if opens_with_text >= MOST * len(parts):
        return not (is_short and per_heading > MAX_DETAILS)
    return not is_short and per_heading <= MAX_DETAILS


def _find_entry_bullets(
    lines: Sequence[Line], headings: Mapping[int, Heading], blocks: Sequence[int], heading_level: int
) -> int:
    """Return the level of the bullets that are entries; 0 where they describe lines, or plain lines are entries."""
    described = _list_described(lines, headings, heading_level)
    free = [i for i in blocks if lines[i].kind is LineKind.TEXT and i not in described]
    bullets = [i for i in blocks if lines[i].kind is LineKind.BULLET and i not in described]
    marked_text = sum(lines[i].entry is not None for i in free)
    marked_bullets = sum(lines[i].entry is not None for i in bullets)
    if not bullets or marked_text > marked_bullets or (not marked_bullets and _are_text_titles(lines, free)):
        return 0
    opens = [i for i, heading in headings.items() if heading.kind in {HeadingKind.RELEASE, HeadingKind.CATEGORY}]
    is_divided = any(i + 1 < len(lines) and lines[i + 1].kind is LineKind.BULLET for i in opens)
    if not is_divided and (len(bullets) < 2 or len(bullets) <= len(free)):
        return 0
    # A reading that loses most blocks is wrong, whatever the headings are.
    if len(free) > MAX_DETAILS * len(bullets):
        return 0
    return _find_base_level([lines[i] for i in bullets])


def _list_described(lines: Sequence[Line], headings: Mapping[int, Heading], heading_level: int) -> set[int]:
    """Return the indices of the lines below headings that are entries."""
    described: set[int] = set()
    is_entry = False
    for index, line in enumerate(lines):
        if index in headings:
            is_plain = headings[index].kind is HeadingKind.PLAIN and line.kind is LineKind.HEADING
            is_entry = is_plain and line.level == heading_level
        elif is_entry:
            described.add(index)
    return described


def _are_text_titles(lines: Sequence[Line], free: Sequence[int]) -> bool:
    """Return whether lines of text are titles, each with a few bullets about it."""
    opening = [i for i in free if i + 1 < len(lines) and lines[i + 1].kind is LineKind.BULLET]
    if len(opening) < MIN_ENTRY_HEADINGS or len(opening) < 0.8 * len(free):
        return False
    bullets = sum(line.kind is LineKind.BULLET for line in lines)
    is_short = median(len(lines[i].text.split()) for i in opening) < MIN_TITLE_WORDS
    return not is_short and bullets <= MAX_DETAILS * len(opening)


def _find_base_level(bullets: Sequence[Line]) -> int:
    """Return the level of the entries among bullets: the outermost, or the next where those are names of areas."""
    levels = sorted({line.level for line in bullets})
    base = levels[0]
    if len(levels) == 1:
        return base
    parents = [line for line, below in pairwise(bullets) if line.level == base and below.level > base]
    outer = [line for line in bullets if line.level == base]
    inner = [line for line in bullets if line.level == levels[1]]
    if any(line.entry is not None for line in parents) or len(parents) < MOST * len(outer):
        return base
    marked = sum(line.entry is not None for line in inner)
    is_short = all(len(line.text.split()) < MIN_TITLE_WORDS or line.text.endswith(":") for line in parents)
    return levels[1] if marked > len(inner) / 2 or (is_short and len(inner) > len(parents)) else base


def _find_groups(lines: Sequence[Line], headings: Mapping[int, Heading], level: int) -> dict[int, Heading]:
    """Return the lines that name a group of the bullets below them."""
    groups: dict[int, Heading] = {}
    for index, (line, below) in enumerate(pairwise(lines)):
        if index in headings or line.entry is not None or below.kind is not LineKind.BULLET:
            continue
        is_outer = line.kind is LineKind.BULLET and line.level < level <= below.level
        is_text = line.kind is LineKind.TEXT and not line.inside and below.level <= level
        if is_outer or (is_text and (line.text.endswith(":") or _is_short_name(line.text))):
            groups[index] = Heading(HeadingKind.CATEGORY, 9)
    return groups


def _is_short_name(text: str) -> bool:
    return len(text) <= 60 and not text.endswith((".", "!", "?"))
