"""What is named before guests and listeners are greeted is announced, not discussed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.align.cues import OVERVIEW_MAX_S, OVERVIEW_MAX_SHARE, find_overview_end
from pipeline.align.units import Unit


def say(*lines: str, every: float = 5.0, begin: float = 0.0) -> list[Unit]:
    """Return one unit a line."""
    return [Unit(begin + number * every, begin + (number + 0.9) * every, line) for number, line in enumerate(lines)]


TALK = ("And so it goes on.",) * 60


@pytest.mark.parametrize(
    "greeting",
    [
        "Welcome back to the boiler show.",
        "Welcome, Ana.",
        "A warm welcome to Ana.",
        "Let's welcome Ana Silva to the show.",
        "And thanks so much for having me.",
        "Thank you for coming by, Ana.",
        "It's great to be here.",
        "So good to have Ana back with us.",
        "I'm so glad you could make it.",
        "A pleasure to be on.",
    ],
)
def test_people_are_greeted_in_many_words(greeting: str) -> None:
    units = say("Today it is boilers.", "Who is our guest?", greeting, "So what is new?", *TALK)
    assert find_overview_end(units) == 10.0


@pytest.mark.parametrize(
    "line",
    [
        "A welcome change in the boiler menu.",
        "And a welcome addition to the boiler menu.",
        "It's good to know that it hums.",
        "Thanks for nothing.",
        "You are welcome.",
        "It is nice to see a log.",
    ],
)
def test_the_same_words_greet_nobody(line: str) -> None:
    assert find_overview_end(say("It hums.", line, *TALK)) is None


def test_the_last_greeting_of_the_opening_counts() -> None:
    units = say("Welcome to the show.", "Today it is boilers.", "Hi.", "Thanks for having me.", "So?", *TALK, begin=7.0)
    assert find_overview_end(units) == 22.0


def test_a_greeting_in_the_middle_ends_no_overview() -> None:
    at = int(OVERVIEW_MAX_SHARE * 100)
    early, late = (
        ["It hums."] * at + ["Welcome to the new menu."] + ["It hums."] * (100 - at),
        ["It hums."] * (at + 1) + ["Welcome to the new menu."] + ["It hums."] * (99 - at),
    )
    assert find_overview_end(say(*early)) == 5.0 * at
    assert find_overview_end(say(*late)) is None
    assert find_overview_end(say(*early, every=60.0)) is None, f"beyond {OVERVIEW_MAX_S} s"


def test_nobody_speaks() -> None:
    assert find_overview_end([]) is None


@given(st.lists(st.sampled_from(["Welcome, Ana.", "It hums.", "Thanks for having me."]), max_size=80))
def test_an_overview_ends_with_a_greeting_in_the_opening(lines: list[str]) -> None:
    units = say(*lines)
    end = find_overview_end(units)
    opening = [unit for unit in units if unit.start <= OVERVIEW_MAX_SHARE * units[-1].start]
    greeted = [unit.start for unit in opening if unit.text != "It hums."]
    assert end == (greeted[-1] if greeted else None)
