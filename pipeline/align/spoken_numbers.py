"""Find the known ids and versions of a feature list in speech, as written and as spoken.

Speech is matched against the numbers of the list only: any other number is ignored.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pipeline.align.cues import (
    AMOUNT_WORDS,
    DIGIT_WORDS,
    ENDING_PREPOSITIONS,
    ENDING_VERBS,
    ID_CUES,
    LINKING_WORD,
    MONEY_SIGNS,
    OH_WORDS,
    POINT_WORDS,
    REPEAT_WORDS,
    SCALE_WORDS,
    TEEN_WORDS,
    TENS_WORDS,
)
from pipeline.align.units import Unit, split_units
from pipeline.core.schema import NumberKind, Transcript

# Digits from which on an id is matched inside longer runs of numbers, and with one digit wrong.
LONG_ID = 6

# Digits from which on an id is matched without a cue before it.
CLEAR_ID = 4

# Fewest digits that name an id by its ending.
MIN_ENDING = 3

# Characters of a version from which on its point may stay unspoken: "two two oh four".
MIN_POINTLESS_VERSION = 5

# Signs inside a number as it is written.
_SEPARATORS = frozenset({",", ".", "/"})

_TOKEN = re.compile(r"\d+|[a-z]+|[#$€£%.,/]", re.IGNORECASE)
_VERSION = re.compile(r"\d+(?:\.\d+)+")


@dataclass(frozen=True, slots=True)
class Token:
    """A word, number or sign of the speech: the number of its unit, its first character there and the one after it."""

    text: str
    unit: int
    begin: int
    stop: int


@dataclass(frozen=True, slots=True)
class NumberMatch:
    """A known id or version that is spoken: its `name` as listed, times in seconds, and the words that spell it."""

    name: str
    kind: NumberKind
    start: float
    end: float
    text: str


# One way to read some tokens: the digits that they spell, and the index of the token after them.
Reading = tuple[str, int]


def find_ids(units: Sequence[Unit], ids: Sequence[int]) -> list[NumberMatch]:
    """Return where the known ids are spoken, in order of time."""
    tokens = list_tokens(units)
    names = sorted({str(number) for number in ids})
    exact = [match for at in range(len(tokens)) for match in _match_ids(tokens, at, names, units)]
    near = [
        match
        for match in _match_near_ids(tokens, names, units)
        if not any(other.start < match.end and match.start < other.end for other in exact)
    ]
    matches = [*exact, *near, *_match_endings(tokens, names, units)]
    return sorted(matches, key=lambda match: (match.start, match.name))


def find_versions(units: Sequence[Unit], versions: Sequence[str]) -> list[NumberMatch]:
    """Return where the known versions, such as `v2.204`, are spoken, in order of time."""
    tokens = list_tokens(units)
    matches = []
    for version in sorted(set(versions)):
        digits = version.lower().lstrip("v").strip()
        if not _VERSION.fullmatch(digits):
            continue
        for at in range(len(tokens)):
            stop = _spell(tokens, at, digits, read_version)
            if stop is not None and _is_complete(tokens, at, stop) and not _is_amount(tokens, at, stop):
                matches.append(_make_match(tokens[at:stop], version, NumberKind.VERSION, units))
    return sorted(matches, key=lambda match: (match.start, match.name))


def find_spoken_versions(transcript: Transcript, versions: Sequence[str]) -> list[str]:
    """Return which of the known versions a transcript speaks of, in the order of `versions`.

    A version without a point, such as `24H2`, is found only as it is written.
    """
    units = split_units(transcript)
    spoken = {match.name for match in find_versions(units, versions)}
    text = "\n".join(unit.text for unit in units)
    for version in versions:
        name = version.strip()
        if not _VERSION.fullmatch(name.lower().lstrip("v").strip()):
            words = r"[\W_]*".join(map(re.escape, re.findall(r"[^\W_]+", name)))
            if words and re.search(rf"(?<![^\W_]){words}(?![^\W_])", text, re.IGNORECASE):
                spoken.add(version)
    return [version for version in versions if version in spoken]


def list_tokens(units: Sequence[Unit]) -> list[Token]:
    """Return the words, numbers and signs of all units; hyphens and other signs are left out."""
    return [
        Token(match.group().lower(), number, match.start(), match.end())
        for number, unit in enumerate(units)
        for match in _TOKEN.finditer(unit.text)
    ]


def read_numbers(tokens: Sequence[Token], at: int, first: bool) -> Iterator[Reading]:
    """Yield the readings of the tokens from `at`; as the `first` word of a number, "oh" is not a zero."""
    if at >= len(tokens):
        return
    word = tokens[at].text
    if word.isdigit():
        yield word, at + 1
    if word in OH_WORDS and not first:
        yield "0", at + 1
    if word in REPEAT_WORDS and at + 1 < len(tokens):
        following = tokens[at + 1].text
        digit = DIGIT_WORDS.get(following) or ("0" if following in OH_WORDS else following)
        if len(digit) == 1 and digit.isdigit():
            yield digit * REPEAT_WORDS[word], at + 2
    small = _read_below_hundred(tokens, at)
    yield from small
    for digits, stop in [*small, *([(word, at + 1)] if word.isdigit() and len(word) <= 3 else [])]:
        yield from _read_scale(tokens, stop, int(digits))


def _read_below_hundred(tokens: Sequence[Token], at: int) -> list[Reading]:
    """Return the readings below 100 in words: "ninety nine" is 99, or 90 before another 9."""
    word = tokens[at].text if at < len(tokens) else ""
    if word in DIGIT_WORDS:
        return [(DIGIT_WORDS[word], at + 1)]
    if word in TEEN_WORDS:
        return [(TEEN_WORDS[word], at + 1)]
    if word not in TENS_WORDS:
        return []
    readings = [(TENS_WORDS[word], at + 1)]
    ones = DIGIT_WORDS.get(tokens[at + 1].text, "0") if at + 1 < len(tokens) else "0"
    if ones != "0":
        readings.append((TENS_WORDS[word][0] + ones, at + 2))
    return readings


def _read_scale(tokens: Sequence[Token], at: int, value: int) -> Iterator[Reading]:
    """Yield the readings of "hundred" or "thousand" at `at` and of what follows; `value` was read before it."""
    scale = _find_scale(tokens, at)
    if scale is None or value >= 1000 or (scale == 100 and value >= 100):
        return
    value *= scale
    yield str(value), at + 1
    rest = [reading for reading in _read_below_thousand(tokens, _skip_and(tokens, at + 1)) if int(reading[0]) < scale]
    for digits, stop in rest:
        yield str(value + int(digits)), stop
    if scale == 100:
        yield from _read_scale(tokens, at + 1, value)
        for digits, stop in rest:
            yield from _read_scale(tokens, stop, value + int(digits))


def _read_below_thousand(tokens: Sequence[Token], at: int) -> list[Reading]:
    """Return the readings below 1000, in words or digits."""
    readings = _read_below_hundred(tokens, at)
    if at < len(tokens) and tokens[at].text.isdigit() and len(tokens[at].text) <= 3:
        readings.append((tokens[at].text, at + 1))
    for digits, stop in list(readings):
        if _find_scale(tokens, stop) == 100 and int(digits) < 10:
            rest = _read_below_hundred(tokens, _skip_and(tokens, stop + 1))
            readings.append((str(int(digits) * 100), stop + 1))
            readings.extend((str(int(digits) * 100 + int(more)), end) for more, end in rest)
    return readings


def _find_scale(tokens: Sequence[Token], at: int) -> int | None:
    """Return 100 or 1000 where the token at `at` is the word for it."""
    return SCALE_WORDS.get(tokens[at].text) if at < len(tokens) else None


def _skip_and(tokens: Sequence[Token], at: int) -> int:
    """Return the index after the "and" of "one hundred and six", or `at` where there is none."""
    return at + (at < len(tokens) and tokens[at].text == LINKING_WORD)


def read_version(tokens: Sequence[Token], at: int, first: bool) -> Iterator[Reading]:
    """Yield the readings of the tokens from `at` in a version: digits, or the point between them."""
    if at < len(tokens) and tokens[at].text in POINT_WORDS and not first:
        yield ".", at + 1
    yield from read_numbers(tokens, at, first)


def _spell(
    tokens: Sequence[Token], at: int, target: str, read: Callable[[Sequence[Token], int, bool], Iterator[Reading]]
) -> int | None:
    """Return the index after the tokens that spell `target` from `at`, or None."""
    may_omit_point = target.count(".") == 1 and len(target) >= MIN_POINTLESS_VERSION
    agenda = [(at, 0)]
    seen = set()
    while agenda:
        index, offset = agenda.pop()
        if offset == len(target):
            return index
        if (index, offset) in seen:
            continue
        seen.add((index, offset))
        if offset and index < len(tokens) and tokens[index].text in _SEPARATORS and "." not in target:
            agenda.append((index + 1, offset))
        if may_omit_point and offset and target[offset] == ".":
            agenda.append((index, offset + 1))
        for digits, stop in read(tokens, index, offset == 0):
            if target.startswith(digits, offset):
                agenda.append((stop, offset + len(digits)))
    return None


def _match_ids(tokens: Sequence[Token], at: int, names: Sequence[str], units: Sequence[Unit]) -> Iterator[NumberMatch]:
    """Yield the ids that are spelled from the token at `at`."""
    if not _is_number(tokens, at):
        return
    for name in names:
        stop = _spell(tokens, at, name, read_numbers)
        if stop is None or _is_amount(tokens, at, stop):
            continue
        has_cue = any(token.text in ID_CUES for token in tokens[max(0, at - 2) : at])
        resembles_year = len(name) == 4 and name[:2] in ("19", "20")
        if not has_cue and (len(name) < CLEAR_ID or resembles_year):
            continue
        if len(name) < LONG_ID and not _is_complete(tokens, at, stop):
            continue
        yield _make_match(tokens[at:stop], name, NumberKind.ID, units)


def _match_near_ids(tokens: Sequence[Token], names: Sequence[str], units: Sequence[Unit]) -> Iterator[NumberMatch]:
    """Yield long ids of which one digit is wrong, missing or extra, where only one id is that close."""
    from rapidfuzz.distance import Levenshtein

    long_names = [name for name in names if len(name) >= LONG_ID]
    for at, stop, digits in _list_runs(tokens) if long_names else ():
        if len(digits) < LONG_ID or digits in long_names or _is_amount(tokens, at, stop):
            continue
        close = [name for name in long_names if Levenshtein.distance(digits, name, score_cutoff=1) <= 1]
        if len(close) == 1:
            yield _make_match(tokens[at:stop], close[0], NumberKind.NEAR_ID, units)


def _list_runs(tokens: Sequence[Token]) -> Iterator[tuple[int, int, str]]:
    """Yield each run of numbers: first index, index after it, and the digits of the plainest reading."""
    at = 0
    while at < len(tokens):
        index, digits = at, ""
        while index < len(tokens):
            if digits and tokens[index].text in _SEPARATORS and _is_number(tokens, index + 1):
                index += 1
                continue
            readings = list(read_numbers(tokens, index, not digits))
            if not readings:
                break
            longest, index = max(readings, key=lambda reading: (reading[1], -len(reading[0])))
            digits += longest
        if digits:
            yield at, index, digits
        at = max(index, at + 1)


def _match_endings(tokens: Sequence[Token], names: Sequence[str], units: Sequence[Unit]) -> Iterator[NumberMatch]:
    """Yield ids that are named by their last digits: "the one ending in 163"."""
    for at, token in enumerate(tokens[:-2]):
        if token.text not in ENDING_VERBS or tokens[at + 1].text not in ENDING_PREPOSITIONS:
            continue
        for name in names:
            for length in range(MIN_ENDING, len(name)):
                ending = name[-length:]
                stop = _spell(tokens, at + 2, ending, read_numbers)
                is_unique = sum(other.endswith(ending) for other in names) == 1
                if stop is not None and _is_complete(tokens, at + 2, stop) and is_unique:
                    yield _make_match(tokens[at:stop], name, NumberKind.ID_ENDING, units)


def _is_number(tokens: Sequence[Token], at: int) -> bool:
    """Return whether a number may start at a token."""
    return next(read_numbers(tokens, at, True), None) is not None


def _is_complete(tokens: Sequence[Token], at: int, stop: int) -> bool:
    """Return whether the numbers from `at` to before `stop` are not part of a longer number."""
    is_joined = at >= 1 and _is_number(tokens, at - 1)
    # A decimal point or a comma without a blank joins two numbers.
    has_sign_before = at >= 2 and tokens[at - 1].text in _SEPARATORS and tokens[at - 1].stop == tokens[at].begin
    is_joined = is_joined or (has_sign_before and _is_number(tokens, at - 2))
    has_sign_after = stop < len(tokens) and tokens[stop].text in _SEPARATORS
    return not is_joined and not (_is_number(tokens, stop) or (has_sign_after and _touches_number(tokens, stop)))


def _touches_number(tokens: Sequence[Token], at: int) -> bool:
    """Return whether digits follow the sign at `at` without a blank."""
    return (
        at + 1 < len(tokens)
        and tokens[at + 1].text.isdigit()
        and tokens[at].unit == tokens[at + 1].unit
        and tokens[at].stop == tokens[at + 1].begin
    )


def _is_amount(tokens: Sequence[Token], at: int, stop: int) -> bool:
    """Return whether the numbers are a price or a percentage."""
    before = tokens[at - 1].text if at else ""
    after = tokens[stop].text if stop < len(tokens) else ""
    return before in MONEY_SIGNS or after in AMOUNT_WORDS


def _make_match(tokens: Sequence[Token], name: str, kind: NumberKind, units: Sequence[Unit]) -> NumberMatch:
    """Return the match for tokens; times inside a unit are interpolated by characters."""
    first, last = tokens[0], tokens[-1]
    text = units[first.unit].text[first.begin :]
    if first.unit == last.unit:
        text = units[first.unit].text[first.begin : last.stop]
    start = _interpolate(units[first.unit], first.begin)
    return NumberMatch(name, kind, start, _interpolate(units[last.unit], last.stop), text)


def _interpolate(unit: Unit, character: int) -> float:
    """Return the second at which a character of a unit is spoken."""
    return unit.start + (unit.end - unit.start) * character / max(1, len(unit.text))
