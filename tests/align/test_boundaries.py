"""What hosts say when they go on is heard, and what only sounds like it is not."""

import pytest

from pipeline.align.cues import BOUNDARY_CUES, BOUNDARY_NAMES, measure_boundaries
from pipeline.align.units import Unit

PLAIN = "we had soup for lunch and it was very nice"
SAID = {
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


def hear(*texts: str) -> dict[str, list[float]]:
    """Each column of what is measured, a value a unit; units follow each other every ten seconds."""
    units = [Unit(10.0 * n, 10.0 * n + 9.0, text) for n, text in enumerate(texts)]
    rows = measure_boundaries(units, [text.lower().split() for text in texts])
    return {name: rows[:, place].tolist() for place, name in enumerate(BOUNDARY_NAMES)}


@pytest.mark.parametrize("cue", SAID)
def test_a_cue_is_heard_where_it_is_said(cue: str) -> None:
    assert cue in BOUNDARY_CUES
    assert hear(PLAIN, SAID[cue], PLAIN)[cue][1] == 1.0
    assert hear(PLAIN, PLAIN)[cue] == [0.0, 0.0]


@pytest.mark.parametrize(
    ("cue", "text"),
    [
        ("next_one", "he sat next to the window all day long"),
        ("put_off", "they keep it simple and it works well now"),
        ("all_right", "it was all right in the end they said"),
        ("number_long", "it costs 12 dollars for each of the seats"),
    ],
)
def test_what_only_sounds_like_a_cue_is_none(cue: str, text: str) -> None:
    assert hear(PLAIN, text, PLAIN)[cue][1] == 0.0


def test_new_words_after_a_topic_and_old_ones_within_it() -> None:
    heard = hear(*("lamps dim the ceiling lamps",) * 4, *("doors report jammed rollers now",) * 4)
    assert heard["novelty"][4] == max(heard["novelty"][1:])
    assert heard["cohesion"][4] == min(heard["cohesion"][1:])


def test_pauses_are_told_by_their_length() -> None:
    units = [Unit(0.0, 5.0, PLAIN), Unit(5.2, 9.0, PLAIN), Unit(9.5, 14.0, PLAIN), Unit(16.0, 20.0, PLAIN)]
    rows = measure_boundaries(units, [PLAIN.split()] * 4)
    short, long = (rows[1:, BOUNDARY_NAMES.index(name)].tolist() for name in ("pause_short", "pause_long"))
    assert (short, long) == ([0.0, 1.0, 1.0], [0.0, 0.0, 1.0])
