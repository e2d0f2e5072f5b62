"""Where sound is cut: in silence, in the same places however it comes, and with all the speech in some window."""

from itertools import accumulate, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.audio_file import SAMPLE_RATE
from pipeline.transcribe.chunking import LONGEST_S, PAUSE_S, SHORTEST_S, WINDOW_S, Speech, cut_chunks, pack_windows


def sound_of(*pieces: tuple[bool, float]) -> np.ndarray:
    """Loud or silent pieces of so many seconds."""
    parts = [np.full(int(seconds * SAMPLE_RATE), 0.5 if loud else 0.0, dtype=np.float32) for loud, seconds in pieces]
    return np.concatenate(parts)


def find_loud(samples: np.ndarray) -> list[Speech]:
    """A voice filter for tests: loud is speech."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], (samples > 0).astype(np.int8), [0]])))
    return [(int(begin), int(end)) for begin, end in zip(edges[::2], edges[1::2], strict=True)]


def blocks_of(sound: np.ndarray, size: int) -> list[np.ndarray]:
    return [sound[begin : begin + size] for begin in range(0, len(sound), size)]


def test_a_long_sound_is_cut_in_the_middle_of_its_longest_silence() -> None:
    sound = sound_of((True, 100), (False, 1), (True, 20), (False, 4), (True, 30), (False, 2), (True, 60))
    first, second = cut_chunks([sound], find_loud)
    assert first.end == second.begin == 123 * SAMPLE_RATE
    assert first.speech == ((0, 100 * SAMPLE_RATE), (101 * SAMPLE_RATE, 121 * SAMPLE_RATE))
    assert (first.number, second.number) == (0, 1)


def test_sound_without_any_silence_is_cut_where_it_is_quietest() -> None:
    sound = sound_of((True, 400))
    sound[130 * SAMPLE_RATE : 131 * SAMPLE_RATE] = 0.1
    first = next(cut_chunks([sound], find_loud))
    assert 130 <= first.end / SAMPLE_RATE <= 131
    assert first.speech[-1][1] == first.end


def test_a_sound_shorter_than_a_stretch_is_one() -> None:
    (only,) = cut_chunks(blocks_of(sound_of((True, 5), (False, 1)), 1000), find_loud)
    assert (only.begin, only.end, only.speech) == (0, 6 * SAMPLE_RATE, ((0, 5 * SAMPLE_RATE),))


def test_no_sound_is_no_stretch() -> None:
    assert list(cut_chunks([], find_loud)) == []


PIECES = st.lists(st.tuples(st.booleans(), st.floats(0.1, 90.0)), min_size=1, max_size=12)


@given(pieces=PIECES, size=st.integers(2000, 3_000_000))
def test_stretches_join_up_to_the_whole_however_the_sound_comes(pieces: list[tuple[bool, float]], size: int) -> None:
    sound = sound_of(*pieces)
    chunks = list(cut_chunks(blocks_of(sound, size), find_loud))
    assert [one.begin for one in chunks] == [0, *accumulate(len(one.samples) for one in chunks)][:-1]
    assert sum(len(one.samples) for one in chunks) == len(sound)
    assert all(SHORTEST_S <= len(one.samples) / SAMPLE_RATE <= LONGEST_S for one in chunks[:-1])
    again = cut_chunks(blocks_of(sound, 500_000), find_loud)
    assert [(one.begin, one.end, one.speech) for one in again] == [(one.begin, one.end, one.speech) for one in chunks]


@st.composite
def speeches(draw: st.DrawFn) -> tuple[list[Speech], int]:
    """Pieces of speech in order, and the samples of the chunk that holds them."""
    edges = draw(
        st.lists(st.integers(1, 40 * SAMPLE_RATE), min_size=2, max_size=24).map(lambda gaps: [*accumulate(gaps)])
    )
    pieces = list(zip(edges[::2], edges[1::2], strict=False))
    return pieces, edges[-1] + draw(st.integers(0, SAMPLE_RATE))


@given(speeches())
def test_windows_hold_all_the_speech_are_short_and_do_not_overlap(case: tuple[list[Speech], int]) -> None:
    speech, samples = case
    windows = pack_windows(speech, samples)
    assert all(0 <= begin < end <= samples for begin, end in windows)
    assert all(end - begin <= WINDOW_S * SAMPLE_RATE for begin, end in windows)
    assert all(before[1] <= after[0] for before, after in pairwise(windows))
    covered = np.zeros(samples, dtype=bool)
    for begin, end in windows:
        covered[begin:end] = True
    assert all(covered[begin:end].all() for begin, end in speech)


@pytest.mark.parametrize(("pause_s", "windows"), [(0.5, 1), (PAUSE_S + 0.5, 2)])
def test_a_long_pause_separates_windows(pause_s: float, windows: int) -> None:
    second = int((2 + pause_s) * SAMPLE_RATE)
    speech = [(0, 2 * SAMPLE_RATE), (second, second + 2 * SAMPLE_RATE)]
    assert len(pack_windows(speech, 20 * SAMPLE_RATE)) == windows


def pieces(*seconds: tuple[float, float]) -> list[Speech]:
    return [(round(begin * SAMPLE_RATE), round(end * SAMPLE_RATE)) for begin, end in seconds]


def test_windows_are_cut_in_long_pauses_rather_than_full() -> None:
    speech = pieces((0, 8), (8.2, 14), (15, 22.4), (22.6, 30))
    assert [round(end / SAMPLE_RATE) for _, end in pack_windows(speech, 30 * SAMPLE_RATE)] == [14, 30]


def test_speech_without_a_pause_is_cut_where_the_window_is_full() -> None:
    (first, second) = pack_windows(pieces((0, 40)), 40 * SAMPLE_RATE)
    assert first[1] == second[0]
    assert first[1] == pytest.approx(WINDOW_S * SAMPLE_RATE, abs=SAMPLE_RATE)
