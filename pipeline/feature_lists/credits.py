"""Remove from a line what is no part of its entry: people's names, commits, and ids of other tickets.

`by @ann in https://…`, `(4f3b2a1)`, `closes #1101`, `Thanks @bo!`, `[SIG Node]`.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

# The longest line, in characters, in which credits are searched.
MAX_LINE = 5_000
# The fewest lines, and the lowest share of them, with a name in brackets that make it the author.
MIN_AUTHORS = 3
MIN_AUTHOR_SHARE = 0.5
# Full-width signs and digits, and the same in ASCII: one character each.
_WIDE = {0xFF01 + offset: 0x21 + offset for offset in range(94)} | {
    0x3000: 0x20,
    0x2236: 0x3A,
    0x2010: 0x2D,
    0x2011: 0x2D,
}


@dataclass(frozen=True, slots=True)
class Habits:
    """What many lines of a list have: letters before ids, commits' lengths, authors in brackets."""

    prefixes: frozenset[str] = frozenset()
    hash_lengths: frozenset[int] = frozenset()
    has_authors: bool = False


_USER = r"@[\w-]{1,40}(?:\[bot\])?(?:/[\w-]{1,40})?"
_REFERENCE = r"(?:[\w.-]{1,40}/[\w.-]{1,40})?(?:#\d{1,9}|[A-Z][A-Z0-9]{1,14}-\d{1,7}|\bGH-\d{1,9})|https?://[^\s)\]]+"
_HEX = r"(?=[0-9a-f]{0,39}\d)(?=[0-9a-f]{0,39}[a-f])[0-9a-f]{7,40}(?![0-9a-z])"
_RELATION = (
    r"(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?|refs?|references|see(?: also)?|related(?: to)?|relates to|part of)"
)
_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        # The author on GitHub, and the address of the change.
        rf"[(\[]?\b[Bb]y {_USER}(?:(?:, | and | & ){_USER}){{0,20}}[)\]]?(?:\s+in\s+(?:{_REFERENCE}))?",
        # Tickets that the change closes.
        rf"(?i)(?:[,;.(\[)\]]\s{{0,3}}|\s(?=close|resolve|fixes)){_RELATION}:?\s(?:issue |bug |pr )?(?:{_REFERENCE})"
        rf"(?:(?:,\s?|\sand\s|\s&\s|\s)(?:{_RELATION}\s)?(?:{_REFERENCE})){{0,20}}[)\]]?(?=[\s.,;]{{0,4}}$|\s{{0,3}}[(\[])",
        # Commits.
        rf"[(\[]\s?(?:commits?\s)?(?:{_HEX}(?:,\s?)?){{1,9}}\s?[)\]]",
        rf"^\s?{_HEX}\s?[-:–]?\s|\s{_HEX}$",
        r"[(\[]?\b[\w./-]{1,60}@[0-9a-f]{7,40}\b[)\]]?|[(\[]?\br[A-Z][0-9a-f]{8,40}\b[)\]]?",
        r"[(\[]?https?://[^\s)\]]+/(?:commit|compare)/[^\s)\]]+[)\]]?",
        # Thanks and credits at the end.
        rf"[,;.(\[–—-]?\s?\(?[Tt]hanks?(?: to)?,? {_USER}(?:(?:, | and | & ){_USER}){{0,20}}[!.)\]\s]{{0,4}}$",
        r"\(?\b(?:[Cc]ontributed|[Rr]eported|[Ss]ubmitted|[Pp]atch|[Ss]uggested|[Ss]ponsored|[Dd]onated"
        r"|Patch contributed) by "
        r"[A-Z@][\w.@'’ -]{1,60}(?:(?:,| and|,? &) [A-Z@][\w.@'’ -]{1,60}){0,9}(?: in)?(?=[.)\]]{0,2}$)[.)\]]{0,2}$",
        rf"\s[-–—,]?\s?{_USER}$",
        # Labels and addresses after the id.
        r"(?<=\))\s?\[[^\[\]]{1,160}\]\s?$|(?<=\))\s?\([\w .-]{1,40} docs?\)\s?$",
        r"[(\[]\s?https?://[^\s)\]]+\s?[)\]]\s?$",
        # What a bug's finder was paid.
        r"^\[(?:\$[\d,.]{1,12}(?:\+\$[\d,.]{1,12})?|TBD|N/?A)\]",
    )
)
_BY_AUTHORS = re.compile(r"^(?:Issue )?#\d{3,9}( by [^:|]{1,200}):")
_GROUP = re.compile(r"[(\[][^()\[\]]{1,300}[)\]]")
_USERS = re.compile(rf"[,;&–—-]?\s?{_USER}\s?(?:[–—-]\s)?")
_PERSON = r"[A-Z][^\W\d_]{1,30}(?:[ '’.-]{1,2}[A-Z][^\W\d_]{1,30}){0,3}"
_AUTHOR = re.compile(
    rf"(?:\({_PERSON}(?:, {_PERSON}){{0,9}}\)|\[{_PERSON}(?:, {_PERSON}){{0,9}}\])(?=[\s.]{{0,3}}(?:$|[(\[#§]))"
)
_COMMIT_DIGITS = re.compile(r"[(\[](\d{7,12})[)\]]")
_COMMIT = re.compile(rf"[(\[\s]({_HEX})(?:[)\]]|\s|$)|^({_HEX})\s")
_EMPTY = re.compile(r"[(\[][\s,;–—-]*[)\]]")


def to_ascii(text: str) -> str:
    """Return a text of the same length with full-width digits and signs in ASCII."""
    return text.translate(_WIDE)


def blank_credits(text: str, habits: Habits) -> str:
    """Return a text of the same length with spaces in place of credits; the text itself where nothing else is in it."""
    if len(text) > MAX_LINE:
        return text
    blanked = text
    if match := _BY_AUTHORS.search(blanked):
        blanked = _blank(blanked, [match.span(1)])
    blanked = _blank(blanked, list(_find_users(blanked)))
    for pattern in _PATTERNS:
        blanked = _blank(blanked, [match.span() for match in pattern.finditer(blanked)])
    if habits.hash_lengths:
        numbers = _COMMIT_DIGITS.finditer(blanked)
        blanked = _blank(blanked, [m.span() for m in numbers if len(m[1]) in habits.hash_lengths])
    if habits.has_authors:
        blanked = _blank(blanked, [match.span() for match in _AUTHOR.finditer(blanked)])
    if blanked != text:
        blanked = _blank(blanked, [match.span() for match in _EMPTY.finditer(blanked)])
    return blanked if any(character.isalnum() for character in blanked) else text


def _blank(text: str, spans: Sequence[tuple[int, int]]) -> str:
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def _find_users(text: str) -> Iterator[tuple[int, int]]:
    """Yield the places of user names in brackets that hold only names and ids."""
    if "@" not in text:
        return
    for group in _GROUP.finditer(text):
        rest = re.sub(_REFERENCE, "", _USERS.sub("", group[0]))
        if "@" in group[0] and not any(character.isalpha() for character in rest):
            for user in _USERS.finditer(text, group.start(), group.end()):
                yield user.span()


def find_habits(texts: Sequence[str], prefixes: frozenset[str]) -> Habits:
    """Return what many lines of a list have; `prefixes` are the letters before their ids."""
    short = [text for text in texts if len(text) <= MAX_LINE]
    lengths = {len(match[1] or match[2]) for text in short for match in _COMMIT.finditer(text)}
    return Habits(prefixes, frozenset(lengths), _have_authors(short))


def _have_authors(texts: Iterable[str]) -> bool:
    """Return whether most lines with a number, or many of all lines, end with a name in brackets."""
    texts = list(texts)
    numbered = [text for text in texts if re.search(r"\d{3}", text)]
    named = sum(_AUTHOR.search(text) is not None for text in numbered)
    in_all = sum(_AUTHOR.search(text) is not None for text in texts)
    return max(named, in_all) >= MIN_AUTHORS and (
        (named >= MIN_AUTHOR_SHARE * len(numbered) >= MIN_AUTHOR_SHARE**2 * len(texts) and named > 0)
        or in_all >= MIN_AUTHOR_SHARE * len(texts)
    )
