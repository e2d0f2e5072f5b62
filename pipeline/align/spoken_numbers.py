"""Find known ids and versions in speech, as written and as spoken.

What is said is held against the ids of the feature list, which is closed: a number that is not in it is nothing.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pipeline.align.units import Unit
from pipeline.core.schema import NumberKind

_TOKEN = re.compile(r"\d+|[a-z]+|[#$€£%.,/]", re.IGNORECASE)
_ONES = {word: str(value) for value, word in enumerate("zero one two three four five six seven eight nine".split())} | {
    "nought": "0"
}
_TEENS = {
    word: str(value)
    for value, word in enumerate(
        "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(), start=10
    )
}
_TENS = {
    word: str(value * 10)
    for value, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)
}
_OH = frozenset({"oh", "o"})
_REPEATS = {"double": 2, "triple": 3}
_POINTS = frozenset({"point", "dot", "."})
_SEPARATORS = frozenset({",", ".", "/"})

# Short ids and ids that look like years count only after one of these.
_ID_CUES = frozenset("# id ids number no issue ticket pr pull request feature item case bug story".split())
_MONEY = frozenset("$ € £".split())
_AMOUNTS = frozenset("% percent dollars dollar bucks euros euro pounds quid cents".split())
_LONG_ID = 6
_CLEAR_ID = 4


@dataclass(frozen=True, slots=True)
class Token:
    """A word, number or sign of the speech: its unit's number, and its first character there and the one after it."""

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


# What tokens may stand for: digits, and the index of the token after them.
Reading = tuple[str, int]


def find_ids(units: Sequence[Unit], ids: Sequence[int]) -> list[NumberMatch]:
    """Return where the known ids are said, in order of time."""
    tokens = list_tokens(units)
    names = sorted({str(number) for number in ids})
    hits = [hit for at in range(len(tokens)) for hit in _match_ids(tokens, at, names, units)]
    exact = list(hits)
    for near in _match_near(tokens, names, units):
        hits += [] if any(hit.start < near.end and near.start < hit.end for hit in exact) else [near]
    hits += _match_endings(tokens, names, units)
    return sorted(hits, key=lambda hit: (hit.start, hit.name))


def find_versions(units: Sequence[Unit], versions: Sequence[str]) -> list[NumberMatch]:
    """Return where the known versions, such as `v2.204`, are said, in order of time."""
    tokens = list_tokens(units)
    hits = []
    for version in sorted(set(versions)):
        digits = version.lower().lstrip("v").strip()
        if not re.fullmatch(r"\d+(?:\.\d+)+", digits):
            continue
        for at in range(len(tokens)):
            stop = _follow(tokens, at, digits, read_version)
            if stop is not None and _is_whole(tokens, at, stop):
                hits.append(_make_match(tokens, at, stop, version, NumberKind.VERSION, units))
    return sorted(hits, key=lambda hit: (hit.start, hit.name))


def list_tokens(units: Sequence[Unit]) -> list[Token]:
    """Return the words, numbers and signs of all units; hyphens and the like are dropped."""
    return [
        Token(match.group().lower(), number, match.start(), match.end())
        for number, unit in enumerate(units)
        for match in _TOKEN.finditer(unit.text)
    ]


def read_numbers(tokens: Sequence[Token], at: int, first: bool) -> Iterator[Reading]:
    """Yield what digits the tokens from `at` may stand for; at the `first` of a number, "oh" is no zero."""
    if at >= len(tokens):
        return
    word = tokens[at].text
    if word.isdigit():
        yield word, at + 1
    if word in _OH and not first:
        yield "0", at + 1
    if word in _REPEATS and at + 1 < len(tokens):
        digit = _ONES.get(tokens[at + 1].text) or ("0" if tokens[at + 1].text in _OH else tokens[at + 1].text)
        if len(digit) == 1 and digit.isdigit():
            yield digit * _REPEATS[word], at + 2
    small = _read_small(tokens, at)
    for digits, stop in small:
        yield digits, stop
    for digits, stop in [*small, *([(word, at + 1)] if word.isdigit() and len(word) <= 3 else [])]:
        yield from _read_large(tokens, stop, int(digits))


def _read_small(tokens: Sequence[Token], at: int) -> list[Reading]:
    """Return the readings below one hundred in words: "ninety nine" is 99, or 90 before another 9."""
    word = tokens[at].text if at < len(tokens) else ""
    if word in _ONES:
        return [(_ONES[word], at + 1)]
    if word in _TEENS:
        return [(_TEENS[word], at + 1)]
    if word not in _TENS:
        return []
    readings = [(_TENS[word], at + 1)]
    ones = _ONES.get(tokens[at + 1].text, "0") if at + 1 < len(tokens) else "0"
    if ones != "0":
        readings.append((_TENS[word][0] + ones, at + 2))
    return readings


def _read_large(tokens: Sequence[Token], at: int, value: int) -> Iterator[Reading]:
    """Yield the readings with "hundred" and "thousand" that go on from a value already read."""
    word = tokens[at].text if at < len(tokens) else ""
    scale = {"hundred": 100, "thousand": 1000}.get(word)
    if scale is None or value >= 1000 or (scale == 100 and value >= 100):
        return
    value *= scale
    after = at + 1
    if after < len(tokens) and tokens[after].text == "and":
        after += 1
    yield str(value), at + 1
    rest = [reading for reading in _read_below(tokens, after) if int(reading[0]) < scale]
    for digits, stop in rest:
        yield str(value + int(digits)), stop
    if scale == 100:
        yield from _read_large(tokens, at + 1, value)
        for digits, stop in rest:
            yield from _read_large(tokens, stop, value + int(digits))


def _read_below(tokens: Sequence[Token], at: int) -> list[Reading]:
    """Return the readings below one thousand, in words or digits."""
    readings = _read_small(tokens, at)
    if at < len(tokens) and tokens[at].text.isdigit() and len(tokens[at].text) <= 3:
        readings.append((tokens[at].text, at + 1))
    for digits, stop in list(readings):
        if stop < len(tokens) and tokens[stop].text == "hundred" and int(digits) < 10:
            after = stop + 1 + (stop + 1 < len(tokens) and tokens[stop + 1].text == "and")
            readings.append((str(int(digits) * 100), stop + 1))
            readings.extend((str(int(digits) * 100 + int(more)), end) for more, end in _read_small(tokens, after))
    return readings


def read_version(tokens: Sequence[Token], at: int, first: bool) -> Iterator[Reading]:
    """Yield what the tokens from `at` may stand for in a version: digits, or the point between them."""
    if at < len(tokens) and tokens[at].text in _POINTS and not first:
        yield ".", at + 1
    yield from read_numbers(tokens, at, first)


def _follow(
    tokens: Sequence[Token], at: int, target: str, read: Callable[[Sequence[Token], int, bool], Iterator[Reading]]
) -> int | None:
    """Return the index after the tokens that spell `target` from `at`, or None."""
    # Points may stay unsaid ("two two oh four") where enough digits are left to be sure.
    lax = target.count(".") == 1 and len(target) >= 5
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
        if lax and offset and target[offset] == ".":
            agenda.append((index, offset + 1))
        for digits, stop in read(tokens, index, offset == 0):
            if target.startswith(digits, offset):
                agenda.append((stop, offset + len(digits)))
    return None


def _match_ids(tokens: Sequence[Token], at: int, names: Sequence[str], units: Sequence[Unit]) -> Iterator[NumberMatch]:
    """Yield the ids that are said from the token at `at` on."""
    if not _is_number(tokens, at):
        return
    for name in names:
        stop = _follow(tokens, at, name, read_numbers)
        if stop is None or _is_amount(tokens, at, stop):
            continue
        cued = any(token.text in _ID_CUES for token in tokens[max(0, at - 2) : at])
        yearlike = len(name) == 4 and name[:2] in ("19", "20")
        if not cued and (len(name) < _CLEAR_ID or yearlike):
            continue
        if len(name) < _LONG_ID and not _is_whole(tokens, at, stop):
            continue
        yield _make_match(tokens, at, stop, name, NumberKind.ID, units)


def _match_near(tokens: Sequence[Token], names: Sequence[str], units: Sequence[Unit]) -> Iterator[NumberMatch]:
    """Yield long ids of which one digit was misheard, missed or added, where only one id is that close."""
    from rapidfuzz.distance import Levenshtein

    known = [name for name in names if len(name) >= _LONG_ID]
    for at, stop, digits in _list_runs(tokens) if known else ():
        if len(digits) < _LONG_ID or digits in known or _is_amount(tokens, at, stop):
            continue
        close = [name for name in known if Levenshtein.distance(digits, name, score_cutoff=1) <= 1]
        if len(close) == 1:
            yield _make_match(tokens, at, stop, close[0], NumberKind.NEAR_ID, units)


def _list_runs(tokens: Sequence[Token]) -> Iterator[tuple[int, int, str]]:
    """Yield each stretch of numbers, begin and stop index, with its digits read in the plainest way."""
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
            more, index = max(readings, key=lambda reading: (reading[1], -len(reading[0])))
            digits += more
        if digits:
            yield at, index, digits
        at = max(index, at + 1)


def _match_endings(tokens: Sequence[Token], names: Sequence[str], units: Sequence[Unit]) -> Iterator[NumberMatch]:
    """Yield ids named by their last digits: "the one ending in 163"."""
    for at, token in enumerate(tokens[:-2]):
        if token.text not in ("ending", "ends") or tokens[at + 1].text not in ("in", "with", "on"):
            continue
        for name in names:
            for length in range(3, len(name)):
                ending = name[-length:]
                stop = _follow(tokens, at + 2, ending, read_numbers)
                if stop is not None and _is_whole(tokens, at + 2, stop) and sum(n.endswith(ending) for n in names) == 1:
                    yield _make_match(tokens, at, stop, name, NumberKind.ID_ENDING, units)


def _is_number(tokens: Sequence[Token], at: int) -> bool:
    """Tell whether a number may begin at a token."""
    return next(read_numbers(tokens, at, True), None) is not None


def _is_whole(tokens: Sequence[Token], at: int, stop: int) -> bool:
    """Tell whether the numbers from `at` to `stop` are not part of a longer one."""
    joined = at >= 1 and _is_number(tokens, at - 1)
    # A decimal point or a comma without a blank glues two numbers together.
    glued = at >= 2 and tokens[at - 1].text in _SEPARATORS and tokens[at - 1].stop == tokens[at].begin
    joined = joined or (glued and _is_number(tokens, at - 2))
    sign = stop < len(tokens) and tokens[stop].text in _SEPARATORS
    return not joined and not (_is_number(tokens, stop) or (sign and _touches(tokens, stop)))


def _touches(tokens: Sequence[Token], at: int) -> bool:
    """Tell whether a number follows the sign at `at` without a blank."""
    return (
        at + 1 < len(tokens)
        and tokens[at + 1].text.isdigit()
        and tokens[at].unit == tokens[at + 1].unit
        and tokens[at].stop == tokens[at + 1].begin
    )


def _is_amount(tokens: Sequence[Token], at: int, stop: int) -> bool:
    """Tell whether the numbers are a price or a percentage."""
    before = tokens[at - 1].text if at else ""
    after = tokens[stop].text if stop < len(tokens) else ""
    return before in _MONEY or after in _AMOUNTS


def _make_match(
    tokens: Sequence[Token], at: int, stop: int, name: str, kind: NumberKind, units: Sequence[Unit]
) -> NumberMatch:
    """Return the hit for the tokens from `at` to `stop`; times inside a unit are interpolated by characters."""
    first, last = tokens[at], tokens[stop - 1]
    text = units[first.unit].text[first.begin :]
    if first.unit == last.unit:
        text = units[first.unit].text[first.begin : last.stop]
    return NumberMatch(name, kind, _time(units, first, first.begin), _time(units, last, last.stop), text)


def _time(units: Sequence[Unit], token: Token, character: int) -> float:
    """Return the second at which a character of a token's unit is said."""
    unit = units[token.unit]
    return unit.start + (unit.end - unit.start) * character / max(1, len(unit.text))
