"""A transcript is cut into units at which a discussion may start; fast lists get scaled time."""

import numpy as np
import pytest

from pipeline.align.evidence import measure_evidence
from pipeline.align.units import (
    MAX_TIME_SCALE,
    MIN_SECONDS_PER_FEATURE,
    Unit,
    scale_times,
    seconds_per_feature,
    split_units,
    time_scale,
)
from pipeline.core.schema import Feature, Segment, Transcript, Word

FEATURES = [Feature(1, "Louder bell"), Feature(2, "Longer cord")]
LINES = [
    "Hello there.",
    "The bell is louder.",
    "You hear it upstairs.",
    "The cord is longer now.",
    "It reaches.",
    "Bye.",
]


def make_segment(
    text: str, start: float = 0.0, pace: float = 0.4, pause_after: dict[int, float] | None = None
) -> Segment:
    """Return a segment with a word every `pace` seconds, and with pauses after the given words."""
    words, now = [], start
    for index, word in enumerate(text.split()):
        words.append(Word(now, now + pace, f" {word}"))
        now += pace + (pause_after or {}).get(index, 0.0)
    return Segment(start, words[-1].end, text, tuple(words))


def make_units(every: float) -> list[Unit]:
    """Return LINES as units, one every `every` seconds."""
    return [Unit(number * every, (number + 0.9) * every, line) for number, line in enumerate(LINES)]


# Cuts.


def test_empty_transcript_has_no_units() -> None:
    assert split_units(Transcript(())) == []


def test_unit_starts_with_first_word_of_sentence() -> None:
    units = split_units(Transcript((make_segment("That was it. Next one is fun."),)))
    assert [(unit.text, round(unit.start, 1)) for unit in units] == [("That was it.", 0.0), ("Next one is fun.", 1.2)]


def test_pause_ends_unit_but_not_sentence() -> None:
    units = split_units(Transcript((make_segment("and so on now the lamps", pause_after={2: 1.5}),)))
    assert [unit.text for unit in units] == ["and so on", "now the lamps"]
    assert [unit.starts_sentence for unit in units] == [True, False]


def test_decimal_point_ends_no_unit() -> None:
    words = (Word(0, 0.5, " Version"), Word(0.5, 0.8, " 2."), Word(0.8, 1.2, "204"), Word(1.2, 1.5, " is"))
    units = split_units(Transcript((Segment(0, 1.5, "Version 2.204 is", words),)))
    assert [unit.text for unit in units] == ["Version 2.204 is"]


def test_comma_ends_unit_in_long_sentence() -> None:
    text = "we talked about the lamp and about the table and about the door and about the rest, and now it ends"
    assert len(split_units(Transcript((make_segment(text),)))) == 2


def test_short_segment_without_words_stays_whole() -> None:
    units = split_units(Transcript((Segment(4.0, 5.5, "Fine. Next."),)))
    assert [(unit.start, unit.text) for unit in units] == [(4.0, "Fine. Next.")]


def test_long_segment_is_cut_at_interpolated_times() -> None:
    text = "One sentence here. " * 10
    units = split_units(Transcript((Segment(60.0, 120.0, text),)))
    assert len(units) == 10
    assert units[5].start == pytest.approx(90.0, abs=1.0)


def test_units_rise_in_time_where_segments_overlap() -> None:
    segments = (make_segment("Late one. Here.", 5.0), make_segment("Early. One that reaches over it.", 3.0))
    starts = [unit.start for unit in split_units(Transcript(segments))]
    assert starts == sorted(starts)


def test_blank_segments_give_no_units() -> None:
    assert split_units(Transcript((Segment(0, 1, "  "), Segment(1, 40, "")))) == []


# Scaled time.


@pytest.mark.parametrize(
    ("pace", "factor"),
    [
        (200.0, 1.0),
        (MIN_SECONDS_PER_FEATURE, 1.0),
        (MIN_SECONDS_PER_FEATURE / 2, 2.0),
        (1.0, MAX_TIME_SCALE),
        (0.0, MAX_TIME_SCALE),
    ],
)
def test_time_is_scaled_for_fast_lists(pace: float, factor: float) -> None:
    assert time_scale(pace) == factor


def test_pace_is_speech_divided_by_features() -> None:
    assert seconds_per_feature(np.array([5.0, 20.0, 65.0]), 3) == 20.0


def test_faster_speech_gives_equal_evidence_at_own_times() -> None:
    fast, slow = (measure_evidence(make_units(every), FEATURES, [], "en") for every in (8.0, 16.0))
    assert np.array_equal(fast.pairs, slow.pairs)
    assert np.array_equal(fast.passages, slow.passages)
    assert np.array_equal(2 * fast.starts, slow.starts)


def test_scaled_units_keep_their_words() -> None:
    (unit,) = scale_times([Unit(10.0, 14.0, "The bell is louder.")], 3.0)
    assert unit == Unit(30.0, 42.0, "The bell is louder.")
