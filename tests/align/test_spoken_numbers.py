"""Known ids and versions are found as written and as spoken; other numbers are not."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.align.mentions import NUMBER_SCORES
from pipeline.align.spoken_numbers import find_ids, find_spoken_versions, find_versions
from pipeline.align.units import Unit
from pipeline.core.schema import NumberKind
from tests.support.project import make_transcript

KNOWN = [998146, 993194, 987889, 417125, 18204, 9841]
ONES = "zero one two three four five six seven eight nine".split()
TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
TENS = "zero ten twenty thirty forty fifty sixty seventy eighty ninety".split()


def make_unit(text: str) -> list[Unit]:
    """Return one unit of speech."""
    return [Unit(10.0, 20.0, text)]


def find_names(text: str) -> list[str]:
    """Return the known ids found in a text."""
    return [match.name for match in find_ids(make_unit(text), KNOWN)]


@pytest.mark.parametrize(
    "text",
    [
        "#998146",
        "# 998146",
        "it is (998146), the first",
        "ID 998146.",
        "998 146",
        "99 81 46",
        "998,146",
        "998, 146",
        "998-146",
        "998.146",
        "9 9 8 1 4 6",
        "nine nine eight one four six",
        "Nine, nine, eight, one, four, six.",
        "ninety-nine eighty-one forty-six",
        "double nine eight one four six",
        "nine hundred ninety-eight thousand one hundred and forty-six",
        "998 thousand 146",
        "nine ninety-eight one forty-six",
    ],
)
def test_id_is_found_in_any_rendering(text: str) -> None:
    assert find_names(f"so this is {text} on the list") == ["998146"]


def test_oh_between_digits_is_zero() -> None:
    assert find_names("ticket one eight two oh four") == ["18204"]


def test_oh_before_number_is_exclamation() -> None:
    assert [match.text for match in find_ids(make_unit("oh 18204"), KNOWN)] == ["18204"]


def test_double_digits() -> None:
    assert find_names("nine eight seven double eight nine") == ["987889"]


def test_id_one_digit_off_is_a_near_match() -> None:
    matches = find_ids(make_unit("that is 998147"), KNOWN)
    assert [(match.name, match.kind) for match in matches] == [("998146", NumberKind.NEAR_ID)]
    assert NUMBER_SCORES[NumberKind.NEAR_ID] < NUMBER_SCORES[NumberKind.ID]


def test_near_match_of_two_ids_is_ignored() -> None:
    assert find_ids(make_unit("412345"), [412344, 412346]) == []


def test_id_is_found_by_last_digits() -> None:
    assert find_names("it's the one ending in 194") == ["993194"]


def test_last_digits_of_two_ids_are_ignored() -> None:
    assert find_ids(make_unit("the one ending in 777"), [111777, 222777]) == []


@pytest.mark.parametrize(
    "text",
    [
        "in 2019 we had three of them",
        "it costs $9841 a year",
        "9841 dollars",
        "nine eight four one percent",
        "twenty twenty six",
        "call 555 0199",
        "0.25 of a slot or more, 600 requests a minute",
        "we sold 18204.5 of them",
        "29841",
        "one or two, oh, four",
    ],
)
def test_other_numbers_are_not_ids(text: str) -> None:
    assert find_names(text) == []


def test_id_like_year_needs_cue() -> None:
    assert find_ids(make_unit("back in 2019"), [2019]) == []
    assert len(find_ids(make_unit("issue 2019"), [2019])) == 1


def test_short_id_needs_cue() -> None:
    assert find_ids(make_unit("about 42 people"), [42]) == []
    assert len(find_ids(make_unit("number 42"), [42])) == 1


def test_id_across_units_starts_in_first() -> None:
    units = [Unit(1.0, 2.0, "that's 987,"), Unit(2.0, 3.0, "889 for those at home")]
    assert [(match.name, match.start < 2.0) for match in find_ids(units, KNOWN)] == [("987889", True)]


@pytest.mark.parametrize(
    "text",
    ["v2.204", "version 2.204", "two point two oh four", "2 dot 204", "two two oh four", "two point two zero four"],
)
def test_version_is_found_in_any_rendering(text: str) -> None:
    assert [match.name for match in find_versions(make_unit(f"today it is {text} again"), ["v2.204"])] == ["v2.204"]


@pytest.mark.parametrize(
    "text",
    ["2.20", "12.204", "2.2041", "two of them", "204 of two", "$2.204", "2.204%"],
)
def test_other_numbers_are_not_versions(text: str) -> None:
    assert find_versions(make_unit(text), ["v2.204"]) == []


def speak_pairs(digits: str, draw: st.DrawFn) -> list[str]:
    """Return a spoken rendering of digits, one or two at a time."""
    words, rest = [], digits
    while rest:
        if len(rest) >= 2 and rest[0] != "0" and draw(st.booleans()):
            pair, rest = rest[:2], rest[2:]
            if pair[0] == "1":
                words.append(TEENS[int(pair[1])])
            else:
                words.append(TENS[int(pair[0])] + ("" if pair[1] == "0" else f"-{ONES[int(pair[1])]}"))
        else:
            words.append("oh" if rest[0] == "0" and words and draw(st.booleans()) else ONES[int(rest[0])])
            rest = rest[1:]
    return words


@st.composite
def spoken_ids(draw: st.DrawFn) -> tuple[int, str]:
    """Draw an id and one way to say it."""
    number = draw(st.integers(100_000, 9_999_999))
    words = speak_pairs(str(number), draw)
    return number, draw(st.sampled_from([" ", ", ", "-"])).join(words)


@settings(max_examples=150, deadline=None)
@given(spoken_ids())
def test_generated_rendering_of_id_is_found(case: tuple[int, str]) -> None:
    number, text = case
    assert str(number) in [match.name for match in find_ids(make_unit(f"so that was {text} and it is good"), [number])]


@settings(max_examples=150, deadline=None)
@given(st.integers(100_000, 9_999_999), st.integers(0, 99_999))
def test_other_generated_numbers_are_not_ids(known: int, other: int) -> None:
    assert find_ids(make_unit(f"we counted {other} of them"), [known]) == []


def test_long_run_of_numbers_is_read_fast() -> None:
    begun = time.perf_counter()
    find_ids(make_unit("nine hundred thousand oh double nine " * 400), KNOWN)
    assert time.perf_counter() - begun < 5.0


@pytest.mark.parametrize(
    ("line", "spoken"),
    [
        ("The tail end of two point two oh four and the first round of v2.216.", ["v2.204", "v2.216"]),
        ("It costs 2.2041 dollars, as in 22H2.", []),
        ("Windows 24H2 is here.", ["24H2"]),
        ("The wave-one updates.", []),
        ("All of Wave 1!", ["Wave 1"]),
        ("All of Wave 12!", []),
    ],
)
def test_spoken_versions_are_those_of_the_releases(line: str, spoken: list[str]) -> None:
    assert find_spoken_versions(make_transcript([line]), ["v2.204", "24H2", "v2.216", "Wave 1"]) == spoken
