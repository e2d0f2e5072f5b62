"""A feature that hosts name only to pass it over is not discussed."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.align.cues import SKIPPED_MAX_S, find_skipped
from pipeline.align.units import Unit


def say(*lines: str, every: float = 5.0) -> list[Unit]:
    """Return one unit a line."""
    return [Unit(number * every, (number + 0.9) * every, line) for number, line in enumerate(lines)]


def tell(lines: Sequence[str], times: Sequence[float], every: float = 5.0) -> list[bool]:
    """Return which of the features found at `times` are passed over."""
    return [
        bool(one) for one in find_skipped(say(*lines, every=every), np.array(times), np.ones(len(times), dtype=bool))
    ]


@pytest.mark.parametrize(
    "words",
    [
        "I'll jump over the paper sizes.",
        "Paper sizes we're going to skip.",
        "We left something about paper sizes out.",
        "Let's skip the paper sizes.",
        "We don’t do paper, so.",
        "Paper sizes, neither of us prints.",
        "I won't cover the paper sizes.",
        "Paper sizes, I never got round to it.",
        "The paper sizes you can read for yourselves.",
    ],
)
def test_passing_over_is_heard_in_many_words(words: str) -> None:
    lines = ("The bell is louder.", "It really is.", words, "The cord is longer.", "It reaches the door.")
    assert tell(lines, [0.0, 10.0, 15.0]) == [False, True, False]


@pytest.mark.parametrize(
    "words",
    [
        "You can skip the paper sizes now.",
        "It skips empty pages.",
        "They left out the margins.",
        "We left out of the back door.",
        "We don't use it much.",
        "We can leave out the jokes.",
    ],
)
def test_what_a_feature_does_is_not_what_hosts_do(words: str) -> None:
    assert tell(("The bell is louder.", words, "The cord is longer."), [0.0, 5.0, 10.0]) == [False] * 3


def test_who_talks_on_discusses_it_after_all() -> None:
    lines = ("I skipped the paper sizes.", *["More on paper."] * 4, "The cord is longer.")
    assert tell(lines, [0.0, 25.0]) == [False, False]
    assert tell(lines[:2] + lines[-1:], [0.0, SKIPPED_MAX_S - 5.0]) == [True, False]


def test_the_next_feature_is_passed_over_and_not_the_one_before() -> None:
    lines = ("The bell is louder.", "It is.", "We're going to skip the paper sizes.", "The cord is longer.", "Much.")
    assert tell(lines, [0.0, 15.0]) == [False, False]


def test_the_last_feature_may_be_passed_over_too() -> None:
    assert tell(("The bell is louder.", "It is.", "We skipped the paper sizes.", "Bye."), [0.0, 10.0]) == [False, True]


def test_a_feature_that_was_not_found_ends_nothing() -> None:
    units = say("The bell is louder.", "I'd skip the old one.", *["It rings."] * 4, "The cord is longer.")
    times, found = np.array([0.0, 10.0, 30.0]), np.array([True, False, True])
    assert find_skipped(units, times, found).tolist() == [False, False, False]


@given(
    st.lists(st.sampled_from(["We skip it.", "It rings.", "Neither of us."]), max_size=12),
    st.lists(st.tuples(st.floats(0, 60), st.booleans()), max_size=6),
)
def test_only_what_was_found_is_passed_over(lines: list[str], features: list[tuple[float, bool]]) -> None:
    times, found = np.array([time for time, _ in features]), np.array([one for _, one in features], dtype=bool)
    passed = find_skipped(say(*lines), times, found)
    assert passed.shape == found.shape
    assert not (passed & ~found).any()
    assert not passed.any() or any("We skip" in line or "Neither" in line for line in lines)
