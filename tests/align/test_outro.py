"""The last feature ends where hosts take their leave, not with the recording."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.align.cues import LAST_FEATURE_MIN_S, OUTRO_MAX_S, find_outro
from pipeline.align.units import Unit


def say(*lines: str, every: float = 5.0) -> list[Unit]:
    """Return one unit a line."""
    return [Unit(number * every, (number + 0.9) * every, line) for number, line in enumerate(lines)]


@pytest.mark.parametrize(
    "leave",
    [
        "That's the lot.",
        "So, favourites?",
        "Thank you so much for listening.",
        "See you next week.",
        "Bye, bye everybody.",
    ],
)
def test_leave_is_heard_in_many_words(leave: str) -> None:
    units = say("The boiler is louder.", "You hear it from the hall.", "And it hums.", leave, "Mind the step.")
    assert find_outro(units, 0.0) == 15.0


def test_the_look_back_comes_before_the_goodbye() -> None:
    units = say("It hums.", "A lot.", "What was your favorite?", "The hum.", "Bye.")
    assert find_outro(units, 0.0) == 10.0


@pytest.mark.parametrize(
    "lines", [(), ("It hums.", "It hums on."), ("My favorite is the hum.", "It hums on.", "Still.")]
)
def test_no_leave_and_none_right_at_the_start_of_the_last_feature(lines: Sequence[str]) -> None:
    assert find_outro(say(*lines), 0.0) is None


def test_what_is_said_long_before_the_end_is_no_leave() -> None:
    units = say("Thanks for joining us, Ana.", *["More on that."] * 60)
    assert find_outro(units, -20.0) is None


@given(st.lists(st.sampled_from(["Bye.", "It hums.", "That's us."]), max_size=60), st.floats(-10, 400))
def test_leave_lies_behind_the_last_start_and_near_the_end(lines: list[str], start: float) -> None:
    units = say(*lines)
    found = find_outro(units, start)
    assert found is None or (found >= start + LAST_FEATURE_MIN_S and found >= units[-1].end - OUTRO_MAX_S)
