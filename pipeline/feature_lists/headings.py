"""Recognize the lines that divide a page, and the lines that stand on pages of any show, by their words."""

import re
from dataclasses import dataclass
from enum import Enum

from pipeline.feature_lists.dates import is_date, remove_dates
from pipeline.feature_lists.markers import VERSION_NUMBER, normalize_version


class HeadingKind(Enum):
    """What stands below a heading."""

    LIST = "list"  # the feature list
    HIGHLIGHTS = "highlights"
    RELEASE = "release"  # the changes of one version or day
    CATEGORY = "category"  # changes of one kind: Added, Bug fixes
    BACK_MATTER = "back matter"  # people, downloads, instructions
    PLAIN = "plain"  # a heading whose words say nothing of these


@dataclass(frozen=True, slots=True)
class Heading:
    """A line that divides the page; `level` counts from 1, `version` is the one that its entries have."""

    kind: HeadingKind
    level: int
    version: str | None = None


# The heading of the list: "Feature review:", "Full list", "Updates".
_LIST = re.compile(
    r"^\W*(?:(?:(?:full|complete|all|the)\s+)*(?:feature|update|change|release)s?(?:\s+(?:list|review|overview|notes|log))*"
    r"|(?:the\s+)?(?:full|complete)\s+(?:list|review))\W*$",
    re.IGNORECASE,
)
# The heading of a list that is complete, whatever stands before it.
_FULL_LIST = re.compile(r"^\W*(?:full|complete|all)\b", re.IGNORECASE)
# The heading of highlights: "Highlights:", "Here are a few key updates:", "Important mentions", "Highlights of 4.10".
_HIGHLIGHTS = re.compile(
    r"^\W*(?:here(?:'s|’s|\s+are)\b.{0,60}\b(?:key|impactful|highlights?)\b.{0,80}"
    r"|(?:key|important|top|notable|main)\s+(?:\w+\s+)?(?:mentions?|features?|updates?|highlights?|changes?)"
    r"(?:\W*|\s+(?:of|in|from|for|to|we|at|this)\b.{0,60}|.{0,60}:)"
    r"|(?:(?:release|version|episode|show)\s+)?highlights?(?:\W*|\s+(?:of|from|for|this|at)\b.{0,60}|.{0,60}:))$",
    re.IGNORECASE,
)
_CATEGORY = re.compile(
    r"(?:the )?(?:(?:new|added|additions?|changed|changes|fixed|fix(?:es)?|bug ?fix(?:es)?|bugs?(?: fixed)?|improved|"
    r"improvements?|enhanced|enhancements?|features?|new features?|(?:new )?functionality|deprecat(?:ed|ions?)|removed|"
    r"removals?|security(?: fixes| updates)?|performance(?: improvements)?|documentation|docs|"
    r"breaking(?: changes)?|"
    r"other(?: changes| improvements| fixes)?|misc(?:ellaneous)?|general|maintenance|refactor(?:ing|ings|s)?|tests?|"
    r"dependenc(?:y|ies)(?: updates?)?|api(?: changes?)?|updates?|updated|resolved(?: issues)?|reverted|"
    r"notable changes|"
    r"build(?: system)?|chores?|core|what(?:'s|’s)(?: been)? (?:new|changed|fixed|improved)|bug or regression|story|"
    r"stories|tasks?|epics?|sub-task|quality of life|user interface|usability|accessibility|internal(?: changes)?|"
    r"deprecation|regressions?|improvement|new in this release|all (?:changes|commits))"
    r"(?: ?(?:and|&|,|/) ?(?:new|changes?|fixe?s?|bug ?fixes|improvements?|enhancements?|features?|performance|"
    r"removals?|security|updates?|deprecations?|other|regressions?))*)",
    re.IGNORECASE,
)
_BACK_MATTER = re.compile(
    r"(?:new )?contributors|full changelog|(?:special )?thanks(?: to.{0,40})?|thank you.{0,30}"
    r"|acknowledge?ments?"
    r"|credits|checksums?|assets|(?:how to )?(?:install|upgrade|update)(?:ing)?(?: instructions| notes| guide)?"
    r"|installation"
    r"(?: instructions| notes)?|known (?:issues|problems|bugs)(?: .{0,30})?|system requirements|release team"
    r"|docker images?|licen[cs]e|statistics|see also|further reading|translators?|sponsors|commits",
    re.IGNORECASE,
)
# Words of a heading of a release that say nothing of its contents.
_RELEASE_WORDS = frozenset(
    "version release released releases notes note changelog change changes changed log in with on the what's what’s "
    "whats new of for stable latest beta update build lts unreleased upcoming current tag and history yanked by "
    "noteworthy date day is out now available general availability ga rc v".split()
)
_VERSION = re.compile(rf"(?<![\w.])(?:[vV]\.?\s?)?({VERSION_NUMBER}|\d\dH[12]|(?<=[vV])\d{{1,4}})(?![\w]|\.\d)")
_DEBIAN = re.compile(r"^[a-z0-9][\w.+-]* \((?P<version>[\w.+~:-]+)\) [\w -]+; urgency=\w+")
_RPM = re.compile(
    r"^\W{0,3}(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) \w{3} \d\d? \d{4} .{0,120}?(?:[-\s](?P<version>\d[\w.~+-]*))?$"
)
# The beginnings of a heading of a release, whatever the product's name is.
_ANNOUNCES = re.compile(r"\W*(?:release notes|change ?log|what(?:'s|’s) new|changes in|new in)\b", re.IGNORECASE)
_VERSION_FIRST = re.compile(r"\W*(?:version|release)?\s?v?\d+\.\d", re.IGNORECASE)
# The version before the release that is meant: "Changes since 11.2.0".
_OLDER = re.compile(r"\b(?:since|after|from|before)\s+(?:version\s+)?v?\d", re.IGNORECASE)
# The most words that a heading of a release has besides: the product's name.
MAX_NAME_WORDS = 6
# The longest text of a release's heading, in characters.
MAX_RELEASE = 120
# Lines that stand on pages of any show, and the reasons that their reports give.
_BOILERPLATE = (
    (re.compile(r"^[\W_]+$"), "a separator"),
    (re.compile(r"^(?:in\s+)?(?:this\s+)?episode\s+(?:#?\d+|of)\b.{50,}", re.IGNORECASE), "introduces the episode"),
    (
        re.compile(
            r"^(?:watch|listen|stream|subscribe)(?:\W*|\s+(?:now|here|live|it|us|on|below|today|this)\b.{0,120}"
            r"|\b.{0,60}\b(?:episode \d|(?:our|the|this) (?:[\w ]{1,20} )?(?:episode|podcast|show|channel|"
            r"newsletter|video)"
            r"|(?:on|via) (?:youtube|spotify|apple podcasts)).{0,60})$",
            re.IGNORECASE,
        ),
        "a link to the episode",
    ),
    (re.compile(r"^<?https?://\S+$"), "a URL"),
    (
        re.compile(r"^(?:full )?(?:changelog|diff|compare|commits|downloads?)\W{1,5}https?://\S+$", re.IGNORECASE),
        "a URL",
    ),
    (re.compile(r"^\d{1,3}\s+min(?:ute)?s?(?:\s+read)?$", re.IGNORECASE), "the reading time"),
    (
        re.compile(r"^(?:[A-Z][a-z]+\.?\s+\d{1,2},?\s+\d{4}|\d{1,2}\.?\s+[A-Z][a-z]+\.?\s+\d{4}|\d{4}-\d\d-\d\d)$"),
        "a date",
    ),
    (re.compile(r"^[Bb]y(?:\s+(?:the\s+)?[A-Z\[][\w\[\]’'-]*){0,4}$"), "the author"),
)
# The words that send readers to another site; `_SITE` matches the name of one.
_POINTER = re.compile(r"\b(?:check out|head (?:over )?to|visit|find us|follow us|sign up)\b", re.IGNORECASE)
_SITE = re.compile(
    r"https?://|\bwww\.|\b[\w-]{1,60}\.(?:com|org|net|io|dev|app|example|info|tv|fm|ai|co|uk|de|eu|me)\b", re.IGNORECASE
)
# A line that names who made or paid for an entry.
_CREDIT = re.compile(
    r"^\W*(?:(?:sponsored|contributed|reported|authored|developed|funded|signed-off|co-authored|tested|reviewed|written)"
    r"[- ]by\b|--\s.{1,80}<\S+@\S+>)",
    re.IGNORECASE,
)


def is_list_heading(text: str) -> bool:
    """Return whether a line's words announce the feature list."""
    return _LIST.match(text) is not None


def is_full_list_heading(text: str) -> bool:
    """Return whether a heading of the list says that the list is complete."""
    return _FULL_LIST.match(text) is not None


def is_highlight_heading(text: str) -> bool:
    """Return whether a line's words announce highlights; a sentence about highlighting does not."""
    return not text.endswith((".", "!", "?")) and _HIGHLIGHTS.match(text) is not None


def strip_heading(text: str) -> str:
    """Return the words of a heading, without its signs, emoji and final colon."""
    return re.sub(r"^[\W_]+|[\W_]+$", "", text)


def is_category(text: str) -> bool:
    """Return whether a line is only the name of a kind of changes, such as `Bug fixes:`."""
    return len(text) < 80 and _CATEGORY.fullmatch(strip_heading(text)) is not None


def is_back_matter(text: str) -> bool:
    """Return whether a heading's words announce people, downloads or instructions."""
    return len(text) < 80 and _BACK_MATTER.fullmatch(strip_heading(text)) is not None


def find_release(text: str, *, name_words: int = 0) -> Heading | None:
    """Return the release that a line names, and nothing else but at most `name_words` words of a product's name.

    None for other lines. The version is None where the line has only a date, or says "Unreleased".
    """
    if len(text) > MAX_RELEASE:
        return None
    if match := _DEBIAN.match(text) or _RPM.match(text):
        version = match["version"]
        return Heading(HeadingKind.RELEASE, 7, None if version is None else normalize_version(version))
    rest = remove_dates(text)
    if _ANNOUNCES.match(text) or (rest != text and _VERSION_FIRST.match(text)):
        name_words = max(name_words, MAX_NAME_WORDS)
    versions = list(dict.fromkeys(match[1] for match in _VERSION.finditer(rest)))
    words = [
        word for word in re.findall(r"[^\W\d_][\w'’.-]*", _VERSION.sub(" ", rest)) if word.lower() not in _RELEASE_WORDS
    ]
    is_release = len(versions) == 1 or (not versions and (rest != text or strip_heading(text).lower() == "unreleased"))
    if not is_release or len(words) > name_words or re.search(r"#\s?\d{3}|\d:\d\d|\|", rest):
        return None
    is_own = bool(versions) and not _OLDER.search(rest)
    return Heading(HeadingKind.RELEASE, 7, normalize_version(versions[0]) if is_own else None)


def find_boilerplate(text: str) -> str | None:
    """Return why a line that stands on pages of any show is no entry; None for other lines."""
    if is_date(text):
        return "a date"
    # Two patterns in turn: a single one would take quadratic time on a hostile line.
    if (pointer := _POINTER.search(text)) and _SITE.search(text, pointer.end()):
        return "points to another site"
    return next((reason for pattern, reason in _BOILERPLATE if pattern.search(text)), None)


def is_credit(text: str) -> bool:
    """Return whether a line only names who made or paid for an entry."""
    return len(text) < 300 and _CREDIT.match(text) is not None
