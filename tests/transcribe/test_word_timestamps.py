"""Word times rise, lie in speech and are no longer than the word; segments are sentences or end at a pause."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.schema import Word
from pipeline.transcribe.word_timestamps import clamp_word_times, cut_segments, max_word_duration


def make_word(start: float, end: float, text: str = " word") -> Word:
    return Word(start, end, text, 0.9)


def times_of(words: tuple[Word, ...]) -> list[tuple[float, float]]:
    return [(word.start, word.end) for word in words]


def test_word_reaching_back_into_silence_starts_at_onset() -> None:
    """Whisper includes the silence before a word in its time, up to ten seconds."""
    clamped = clamp_word_times([make_word(0.0, 0.9), make_word(0.9, 9.4, " Next")], [(0.0, 1.1), (9.0, 9.6)])
    assert times_of(clamped) == [(0.0, 0.9), (pytest.approx(9.0, abs=0.1), 9.4)]


def test_word_reaching_on_into_silence_ends_with_speech() -> None:
    clamped = clamp_word_times([make_word(0.0, 6.0), make_word(6.0, 6.4)], [(0.0, 0.8), (6.0, 7.0)])
    assert times_of(clamped) == [(0.0, 0.8), (6.0, 6.4)]


def test_short_silence_inside_a_word_is_kept() -> None:
    """It is a closed consonant."""
    clamped = clamp_word_times([make_word(1.0, 1.9, " bookkeeper")], [(0.9, 1.3), (1.5, 2.0)])
    assert times_of(clamped) == [(1.0, 1.9)]


def test_long_words_keep_end_when_opening_sentences() -> None:
    """Other words keep their start."""
    clamped = clamp_word_times([make_word(0.0, 4.0, " So"), make_word(4.0, 9.0, " on.")], [(0.0, 20.0)])
    assert times_of(clamped) == [
        (pytest.approx(4.0 - max_word_duration(" So")), 4.0), (4.0, 4.0 + max_word_duration(" on."))
    ]  # fmt: skip


def test_spelled_out_id_may_take_seconds() -> None:
    assert max_word_duration(" 998146") > 4
    assert max_word_duration(" word") < 1.2


WORDS = st.lists(st.tuples(st.floats(0, 30), st.floats(0, 30), st.text(max_size=12)), max_size=30)
SPEECH = st.lists(st.floats(0, 30), max_size=12).map(lambda at: [*zip(sorted(at)[::2], sorted(at)[1::2], strict=False)])


@given(words=WORDS, speech=SPEECH)
def test_times_rise_and_durations_are_bounded(
    words: list[tuple[float, float, str]], speech: list[tuple[float, float]]
) -> None:
    clamped = clamp_word_times([make_word(*fields) for fields in words], speech)
    assert [word.word for word in clamped] == [text for _, _, text in words]
    assert all(before.end <= after.start for before, after in pairwise(clamped))
    assert all(0 <= word.end - word.start <= max_word_duration(word.word) + 0.002 for word in clamped)


def test_segments_are_sentences_or_end_at_pauses() -> None:
    words = [make_word(0, 1, " One"), make_word(1, 2, " two."), make_word(2, 3, " Three"), make_word(5, 6, " four")]
    assert [segment.text for segment in cut_segments(words)] == ["One two.", "Three", "four"]
    assert cut_segments([]) == []


def test_decimal_point_does_not_end_a_segment() -> None:
    (segment,) = cut_segments([make_word(0, 2, " version 2."), make_word(2, 3, "204")])
    assert segment.text == "version 2.204"


def test_suspect_is_set_on_every_segment() -> None:
    segments = cut_segments([make_word(0, 2, " One."), make_word(2, 3, " Two.")], suspect=True)
    assert len(segments) == 2
    assert all(segment.suspect for segment in segments)
