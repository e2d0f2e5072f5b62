"""Word times hold: rising, cut to the speech they are in, and no longer than the word can be said."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.schema import Word
from pipeline.transcribe.word_timestamps import cut_segments, longest_said, mend_times


def word(start: float, end: float, text: str = " word") -> Word:
    return Word(start, end, text, 0.9)


def times(words: tuple[Word, ...]) -> list[tuple[float, float]]:
    return [(one.start, one.end) for one in words]


def test_a_word_that_reaches_back_into_silence_starts_at_the_onset() -> None:
    """Whisper gives the first word after a silence the silence as well, up to ten seconds of it."""
    mended = mend_times([word(0.0, 0.9), word(0.9, 9.4, " Next")], [(0.0, 1.1), (9.0, 9.6)])
    assert times(mended) == [(0.0, 0.9), (pytest.approx(9.0, abs=0.1), 9.4)]


def test_a_word_that_reaches_on_into_silence_ends_with_the_speech() -> None:
    mended = mend_times([word(0.0, 6.0), word(6.0, 6.4)], [(0.0, 0.8), (6.0, 7.0)])
    assert times(mended) == [(0.0, 0.8), (6.0, 6.4)]


def test_the_silence_inside_a_word_is_a_closed_consonant_where_it_is_short() -> None:
    mended = mend_times([word(1.0, 1.9, " bookkeeper")], [(0.9, 1.3), (1.5, 2.0)])
    assert times(mended) == [(1.0, 1.9)]


def test_a_word_that_opens_a_sentence_keeps_its_end_and_others_their_start() -> None:
    mended = mend_times([word(0.0, 4.0, " So"), word(4.0, 9.0, " on.")], [(0.0, 20.0)])
    assert times(mended) == [(pytest.approx(4.0 - longest_said(" So")), 4.0), (4.0, 4.0 + longest_said(" on."))]


def test_an_id_spelled_out_may_take_seconds() -> None:
    assert longest_said(" 998146") > 4
    assert longest_said(" word") < 1.2


WORDS = st.lists(st.tuples(st.floats(0, 30), st.floats(0, 30), st.text(max_size=12)), max_size=30)
SPEECH = st.lists(st.floats(0, 30), max_size=12).map(lambda at: [*zip(sorted(at)[::2], sorted(at)[1::2], strict=False)])


@given(words=WORDS, speech=SPEECH)
def test_whatever_comes_words_rise_and_none_is_too_long(
    words: list[tuple[float, float, str]], speech: list[tuple[float, float]]
) -> None:
    mended = mend_times([word(*one) for one in words], speech)
    assert [one.word for one in mended] == [text for _, _, text in words]
    assert all(before.end <= after.start for before, after in pairwise(mended))
    assert all(0 <= one.end - one.start <= longest_said(one.word) + 0.002 for one in mended)


def test_segments_are_sentences_or_end_at_a_pause() -> None:
    said = [word(0, 1, " One"), word(1, 2, " two."), word(2, 3, " Three"), word(5, 6, " four")]
    assert [one.text for one in cut_segments(said)] == ["One two.", "Three", "four"]
    assert cut_segments([]) == []


def test_a_decimal_point_ends_no_segment() -> None:
    (only,) = cut_segments([word(0, 2, " version 2."), word(2, 3, "204")])
    assert only.text == "version 2.204"


def test_what_is_suspect_is_marked_in_every_segment() -> None:
    assert all(one.suspect for one in cut_segments([word(0, 2, " One."), word(2, 3, " Two.")], suspect=True))
