"""Phrases of hosts are detected; similar sentences are not."""

import re
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.align import cues
from pipeline.align.cues import (
    BOUNDARY_CUES,
    BOUNDARY_NAMES,
    LAST_FEATURE_MIN_S,
    OUTRO_MAX_S,
    OVERVIEW_MAX_S,
    OVERVIEW_MAX_SHARE,
    SKIPPED_MAX_S,
    find_outro,
    find_overview_end,
    find_skipped,
    is_callback,
    measure_boundaries,
    phrases_digest,
)
from pipeline.align.units import Unit

PLAIN = "we had soup for lunch and it was very nice"
CUE_EXAMPLES = {
    "next_one": "and the next one is short",
    "move_on": "shall we move on from here",
    "all_right": "all right that was long",
    "ordinal": "first we have a small change",
    "another": "there is one more of these",
    "speaking": "speaking of invoices they sort now",
    "talk": "they talk about the new list here",
    "lets": "let's see what comes now",
    "question": "did you see the new list there?",
    "number_long": "that is ticket 998 146 in the list",
    "that_it": "well that's it for this one then",
    "put_off": "we will save that for later in the show",
}
EPISODE = ("And so it goes on.",) * 60


def make_units(*lines: str, every: float = 5.0, begin: float = 0.0) -> list[Unit]:
    """Return a unit a line, one every `every` seconds, with pauses of a tenth of that."""
    return [Unit(begin + number * every, begin + (number + 0.9) * every, line) for number, line in enumerate(lines)]


def measure_lines(*lines: str) -> dict[str, list[float]]:
    """Return each boundary column, one value a unit; units follow each other every ten seconds."""
    rows = measure_boundaries(make_units(*lines, every=10.0), [line.lower().split() for line in lines])
    return {name: rows[:, place].tolist() for place, name in enumerate(BOUNDARY_NAMES)}


def list_skipped(lines: Sequence[str], times: Sequence[float], every: float = 5.0) -> list[bool]:
    """Return which of the features found at `times` are skipped."""
    found = np.ones(len(times), dtype=bool)
    return [bool(is_skipped) for is_skipped in find_skipped(make_units(*lines, every=every), np.array(times), found)]


# The digest.


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GREETING", re.compile("hello")),
        ("BOUNDARY_CUES", {**BOUNDARY_CUES, "so": "^so well$"}),
        ("MONEY_SIGNS", frozenset({"$"})),
        ("SKIP_DELAY_S", 7.0),
    ],
)
def test_changed_constant_changes_digest(monkeypatch: pytest.MonkeyPatch, name: str, value: object) -> None:
    before = phrases_digest()
    monkeypatch.setattr(cues, name, value)
    assert re.fullmatch(r"[0-9a-f]{64}", before)
    assert phrases_digest() != before


def test_equal_constants_give_equal_digests() -> None:
    assert phrases_digest() == phrases_digest()


# Boundaries.


@pytest.mark.parametrize("cue", CUE_EXAMPLES)
def test_cue_is_found_where_it_is_said(cue: str) -> None:
    assert cue in BOUNDARY_CUES
    assert measure_lines(PLAIN, CUE_EXAMPLES[cue], PLAIN)[cue][1] == 1.0
    assert measure_lines(PLAIN, PLAIN)[cue] == [0.0, 0.0]


@pytest.mark.parametrize(
    ("cue", "text"),
    [
        ("next_one", "he sat next to the window all day long"),
        ("put_off", "they keep it simple and it works well now"),
        ("all_right", "it was all right in the end they said"),
        ("number_long", "it costs 12 dollars for each of the seats"),
    ],
)
def test_similar_words_are_not_a_cue(cue: str, text: str) -> None:
    assert measure_lines(PLAIN, text, PLAIN)[cue][1] == 0.0


def test_short_unit_also_has_cues_of_next() -> None:
    columns = measure_lines(PLAIN, "All right, next one is the pool.")
    assert columns["all_right"][1] == columns["next_one"][1] == 1.0
    assert measure_lines("So.", "move on from here")["move_on"] == [1.0, 1.0]


def test_novelty_peaks_and_cohesion_drops_between_topics() -> None:
    columns = measure_lines(*("lamps dim the ceiling lamps",) * 4, *("doors report jammed rollers now",) * 4)
    assert columns["novelty"][4] == max(columns["novelty"][1:])
    assert columns["cohesion"][4] == min(columns["cohesion"][1:])


def test_pauses_are_distinguished_by_length() -> None:
    units = [Unit(0.0, 5.0, PLAIN), Unit(5.2, 9.0, PLAIN), Unit(9.5, 14.0, PLAIN), Unit(16.0, 20.0, PLAIN)]
    rows = measure_boundaries(units, [PLAIN.split()] * 4)
    short, long = (rows[1:, BOUNDARY_NAMES.index(name)].tolist() for name in ("pause_short", "pause_long"))
    assert (short, long) == ([0.0, 1.0, 1.0], [0.0, 0.0, 1.0])


def test_pause_before_short_unit_is_long() -> None:
    rows = measure_boundaries([Unit(0, 5, "So that is it."), Unit(8, 9, "Lamps.")], [[], []])
    assert rows[1, BOUNDARY_NAMES.index("pause_long")] == 1.0


# The overview.


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
def test_greeting_ends_the_overview(greeting: str) -> None:
    units = make_units("Today it is boilers.", "Who is our guest?", greeting, "So what is new?", *EPISODE)
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
def test_similar_words_are_not_a_greeting(line: str) -> None:
    assert find_overview_end(make_units("It hums.", line, *EPISODE)) is None


def test_last_greeting_of_the_opening_counts() -> None:
    lines = ("Welcome to the show.", "Today it is boilers.", "Hi.", "Thanks for having me.", "So?", *EPISODE)
    assert find_overview_end(make_units(*lines, begin=7.0)) == 22.0


def test_greeting_in_the_middle_ends_no_overview() -> None:
    at = int(OVERVIEW_MAX_SHARE * 100)
    early, late = (
        ["It hums."] * at + ["Welcome to the new menu."] + ["It hums."] * (100 - at),
        ["It hums."] * (at + 1) + ["Welcome to the new menu."] + ["It hums."] * (99 - at),
    )
    assert find_overview_end(make_units(*early)) == 5.0 * at
    assert find_overview_end(make_units(*late)) is None
    assert find_overview_end(make_units(*early, every=60.0)) is None, f"beyond {OVERVIEW_MAX_S} s"


def test_no_speech_has_no_overview() -> None:
    assert find_overview_end([]) is None


@given(st.lists(st.sampled_from(["Welcome, Ana.", "It hums.", "Thanks for having me."]), max_size=80))
def test_overview_ends_with_greeting_in_opening(lines: list[str]) -> None:
    units = make_units(*lines)
    end = find_overview_end(units)
    opening = [unit for unit in units if unit.start <= OVERVIEW_MAX_SHARE * units[-1].start]
    greetings = [unit.start for unit in opening if unit.text != "It hums."]
    assert end == (greetings[-1] if greetings else None)


# The sign-off.


@pytest.mark.parametrize(
    "sign_off",
    [
        "That's the lot.",
        "So, favourites?",
        "Thank you so much for listening.",
        "See you next week.",
        "Bye, bye everybody.",
    ],
)
def test_sign_off_starts_the_outro(sign_off: str) -> None:
    lines = ("The boiler is louder.", "You hear it from the hall.", "And it hums.", sign_off, "Mind the step.")
    assert find_outro(make_units(*lines), 0.0) == 15.0


def test_look_back_comes_before_goodbye() -> None:
    units = make_units("It hums.", "A lot.", "What was your favorite?", "The hum.", "Bye.")
    assert find_outro(units, 0.0) == 10.0


@pytest.mark.parametrize(
    "lines", [(), ("It hums.", "It hums on."), ("My favorite is the hum.", "It hums on.", "Still.")]
)
def test_no_outro_right_after_last_start(lines: Sequence[str]) -> None:
    assert find_outro(make_units(*lines), 0.0) is None


def test_sign_off_long_before_end_is_ignored() -> None:
    units = make_units("Thanks for joining us, Ana.", *["More on that."] * 60)
    assert find_outro(units, -20.0) is None


@given(st.lists(st.sampled_from(["Bye.", "It hums.", "That's us."]), max_size=60), st.floats(-10, 400))
def test_outro_lies_after_last_start_near_end(lines: list[str], start: float) -> None:
    units = make_units(*lines)
    outro = find_outro(units, start)
    assert outro is None or (outro >= start + LAST_FEATURE_MIN_S and outro >= units[-1].end - OUTRO_MAX_S)


# Skipped features.


@pytest.mark.parametrize(
    "phrase",
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
def test_skipping_phrase_marks_feature_as_skipped(phrase: str) -> None:
    lines = ("The bell is louder.", "It really is.", phrase, "The cord is longer.", "It reaches the door.")
    assert list_skipped(lines, [0.0, 10.0, 15.0]) == [False, True, False]


@pytest.mark.parametrize(
    "line",
    [
        "You can skip the paper sizes now.",
        "It skips empty pages.",
        "They left out the margins.",
        "We left out of the back door.",
        "We don't use it much.",
        "We can leave out the jokes.",
    ],
)
def test_feature_that_skips_something_is_not_skipped(line: str) -> None:
    assert list_skipped(("The bell is louder.", line, "The cord is longer."), [0.0, 5.0, 10.0]) == [False] * 3


def test_long_passage_is_not_a_skipped_feature() -> None:
    lines = ("I skipped the paper sizes.", *["More on paper."] * 4, "The cord is longer.")
    assert list_skipped(lines, [0.0, 25.0]) == [False, False]
    assert list_skipped(lines[:2] + lines[-1:], [0.0, SKIPPED_MAX_S - 5.0]) == [True, False]


def test_late_skipping_phrase_is_about_next_feature() -> None:
    lines = ("The bell is louder.", "It is.", "We're going to skip the paper sizes.", "The cord is longer.", "Much.")
    assert list_skipped(lines, [0.0, 15.0]) == [False, False]


def test_last_feature_can_be_skipped() -> None:
    lines = ("The bell is louder.", "It is.", "We skipped the paper sizes.", "Bye.")
    assert list_skipped(lines, [0.0, 10.0]) == [False, True]


def test_feature_not_found_ends_no_passage() -> None:
    units = make_units("The bell is louder.", "I'd skip the old one.", *["It rings."] * 4, "The cord is longer.")
    times, found = np.array([0.0, 10.0, 30.0]), np.array([True, False, True])
    assert find_skipped(units, times, found).tolist() == [False, False, False]


@given(
    st.lists(st.sampled_from(["We skip it.", "It rings.", "Neither of us."]), max_size=12),
    st.lists(st.tuples(st.floats(0, 60), st.booleans()), max_size=6),
)
def test_only_found_features_are_skipped(lines: list[str], features: list[tuple[float, bool]]) -> None:
    times = np.array([time for time, _ in features])
    found = np.array([is_found for _, is_found in features], dtype=bool)
    skipped = find_skipped(make_units(*lines), times, found)
    assert skipped.shape == found.shape
    assert not (skipped & ~found).any()
    assert not skipped.any() or any("We skip" in line or "Neither" in line for line in lines)


@pytest.mark.parametrize(
    ("quote", "expected"),
    [
        ("As we said last week, invoices can be sorted.", True),
        ("Remember the dark theme we covered last time?", True),
        ("Last week we looked at maps.", True),
        ("We’ve shown this a few episodes ago.", True),
        ("In last month's show, the maps.", True),
        ("All right, next one, the dark theme.", False),
        ("You can see the last week of invoices.", False),
        ("So this is what we did with the invoices: a button.", False),
        (f"{'The invoice list has a button for the due date. ' * 3}As we said last week, it is useful.", False),
    ],
)
def test_callback_refers_to_earlier_episode(quote: str, expected: bool) -> None:
    assert is_callback(quote) is expected
