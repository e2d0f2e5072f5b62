"""A transcript is cut into units at which a discussion may start."""

import pytest

from pipeline.align.units import split_units
from pipeline.core.schema import Segment, Transcript, Word


def speak(text: str, start: float = 0.0, pace: float = 0.4, gap_after: dict[int, float] | None = None) -> Segment:
    """Return a segment whose words follow each other at an even pace, with pauses after the words named."""
    words, now = [], start
    for index, word in enumerate(text.split()):
        words.append(Word(now, now + pace, f" {word}"))
        now += pace + (gap_after or {}).get(index, 0.0)
    return Segment(start, words[-1].end, text, tuple(words))


def test_empty_transcript_has_no_units() -> None:
    assert split_units(Transcript(())) == []


def test_cut_at_full_stops_with_the_first_words_time() -> None:
    units = split_units(Transcript((speak("That was it. Next one is fun."),)))
    assert [(unit.text, round(unit.start, 1)) for unit in units] == [("That was it.", 0.0), ("Next one is fun.", 1.2)]


def test_cut_at_a_pause_without_punctuation() -> None:
    units = split_units(Transcript((speak("and so on now the lamps", gap_after={2: 1.5}),)))
    assert [unit.text for unit in units] == ["and so on", "now the lamps"]
    assert [unit.starts_sentence for unit in units] == [True, False]


def test_decimal_point_is_no_end_of_a_sentence() -> None:
    words = (Word(0, 0.5, " Version"), Word(0.5, 0.8, " 2."), Word(0.8, 1.2, "204"), Word(1.2, 1.5, " is"))
    units = split_units(Transcript((Segment(0, 1.5, "Version 2.204 is", words),)))
    assert [unit.text for unit in units] == ["Version 2.204 is"]


def test_long_sentence_is_cut_at_a_comma() -> None:
    text = "we talked about the lamp and about the table and about the door and about the rest, and now it ends"
    assert len(split_units(Transcript((speak(text),)))) == 2


def test_short_segment_without_words_stays_whole() -> None:
    units = split_units(Transcript((Segment(4.0, 5.5, "Fine. Next."),)))
    assert [(unit.start, unit.text) for unit in units] == [(4.0, "Fine. Next.")]


def test_minute_long_paragraph_is_cut_at_interpolated_times() -> None:
    text = "One sentence here. " * 10
    units = split_units(Transcript((Segment(60.0, 120.0, text),)))
    assert len(units) == 10
    assert units[5].start == pytest.approx(90.0, abs=1.0)


def test_units_rise_in_time_even_where_segments_overlap() -> None:
    units = split_units(Transcript((speak("Late one. Here.", 5.0), speak("Early. One that reaches over it.", 3.0))))
    starts = [unit.start for unit in units]
    assert starts == sorted(starts)


def test_segments_of_blanks_give_nothing() -> None:
    assert split_units(Transcript((Segment(0, 1, "  "), Segment(1, 40, "")))) == []
