"""Chunks and windows are cut in silence, do not depend on the size of blocks, and hold all the speech."""

from itertools import accumulate, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.audio.file import SAMPLE_RATE
from pipeline.transcribe.chunking import (
    MAX_CHUNK_S,
    MAX_SILENCE_S,
    MAX_WINDOW_S,
    MIN_CHUNK_S,
    SpeechSpan,
    cut_chunks,
    pack_windows,
)


def make_audio(*pieces: tuple[bool, float]) -> np.ndarray:
    """Loud or silent pieces, each of a number of seconds."""
    parts = [np.full(int(seconds * SAMPLE_RATE), 0.5 if loud else 0.0, dtype=np.float32) for loud, seconds in pieces]
    return np.concatenate(parts)


def find_loud(samples: np.ndarray) -> list[SpeechSpan]:
    """A fake VAD: every sample above zero is speech."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], (samples > 0).astype(np.int8), [0]])))
    return [(int(begin), int(end)) for begin, end in zip(edges[::2], edges[1::2], strict=True)]


def cut_blocks(samples: np.ndarray, size: int) -> list[np.ndarray]:
    return [samples[begin : begin + size] for begin in range(0, len(samples), size)]


def test_cut_is_in_middle_of_longest_silence() -> None:
    audio = make_audio((True, 100), (False, 1), (True, 20), (False, 4), (True, 30), (False, 2), (True, 60))
    first, second = cut_chunks([audio], find_loud)
    assert first.end == second.begin == 123 * SAMPLE_RATE
    assert first.speech == ((0, 100 * SAMPLE_RATE), (101 * SAMPLE_RATE, 121 * SAMPLE_RATE))
    assert (first.number, second.number) == (0, 1)


def test_audio_without_silence_is_cut_where_quietest() -> None:
    audio = make_audio((True, 400))
    audio[130 * SAMPLE_RATE : 131 * SAMPLE_RATE] = 0.1
    first = next(cut_chunks([audio], find_loud))
    assert 130 <= first.end / SAMPLE_RATE <= 131
    assert first.speech[-1][1] == first.end


def test_short_audio_is_one_chunk() -> None:
    (only,) = cut_chunks(cut_blocks(make_audio((True, 5), (False, 1)), 1000), find_loud)
    assert (only.begin, only.end, only.speech) == (0, 6 * SAMPLE_RATE, ((0, 5 * SAMPLE_RATE),))


def test_no_audio_gives_no_chunks() -> None:
    assert list(cut_chunks([], find_loud)) == []


PIECES = st.lists(st.tuples(st.booleans(), st.floats(0.1, 90.0)), min_size=1, max_size=12)


@given(pieces=PIECES, size=st.integers(2000, 3_000_000))
def test_chunks_join_up_whatever_the_block_size(pieces: list[tuple[bool, float]], size: int) -> None:
    audio = make_audio(*pieces)
    chunks = list(cut_chunks(cut_blocks(audio, size), find_loud))
    assert [chunk.begin for chunk in chunks] == [0, *accumulate(len(chunk.samples) for chunk in chunks)][:-1]
    assert sum(len(chunk.samples) for chunk in chunks) == len(audio)
    assert all(MIN_CHUNK_S <= len(chunk.samples) / SAMPLE_RATE <= MAX_CHUNK_S for chunk in chunks[:-1])
    others = cut_chunks(cut_blocks(audio, 500_000), find_loud)
    assert [(chunk.begin, chunk.end, chunk.speech) for chunk in others] == [
        (chunk.begin, chunk.end, chunk.speech) for chunk in chunks
    ]


@st.composite
def speeches(draw: st.DrawFn) -> tuple[list[SpeechSpan], int]:
    """Spans of speech in order, and the number of samples of the chunk that holds them."""
    edges = draw(
        st.lists(st.integers(1, 40 * SAMPLE_RATE), min_size=2, max_size=24).map(lambda gaps: [*accumulate(gaps)])
    )
    spans = list(zip(edges[::2], edges[1::2], strict=False))
    return spans, edges[-1] + draw(st.integers(0, SAMPLE_RATE))


@given(speeches())
def test_windows_hold_all_speech_without_overlap(case: tuple[list[SpeechSpan], int]) -> None:
    speech, samples = case
    windows = pack_windows(speech, samples)
    assert all(0 <= begin < end <= samples for begin, end in windows)
    assert all(end - begin <= MAX_WINDOW_S * SAMPLE_RATE for begin, end in windows)
    assert all(before[1] <= after[0] for before, after in pairwise(windows))
    covered = np.zeros(samples, dtype=bool)
    for begin, end in windows:
        covered[begin:end] = True
    assert all(covered[begin:end].all() for begin, end in speech)


@pytest.mark.parametrize(("pause_s", "windows"), [(0.5, 1), (MAX_SILENCE_S + 0.5, 2)])
def test_long_pause_separates_windows(pause_s: float, windows: int) -> None:
    second = int((2 + pause_s) * SAMPLE_RATE)
    speech = [(0, 2 * SAMPLE_RATE), (second, second + 2 * SAMPLE_RATE)]
    assert len(pack_windows(speech, 20 * SAMPLE_RATE)) == windows


def make_spans(*seconds: tuple[float, float]) -> list[SpeechSpan]:
    return [(round(begin * SAMPLE_RATE), round(end * SAMPLE_RATE)) for begin, end in seconds]


def test_windows_end_in_long_pauses_before_full() -> None:
    speech = make_spans((0, 8), (8.2, 14), (15, 22.4), (22.6, 30))
    assert [round(end / SAMPLE_RATE) for _, end in pack_windows(speech, 30 * SAMPLE_RATE)] == [14, 30]


def test_speech_without_pause_fills_the_window() -> None:
    (first, second) = pack_windows(make_spans((0, 40)), 40 * SAMPLE_RATE)
    assert first[1] == second[0]
    assert first[1] == pytest.approx(MAX_WINDOW_S * SAMPLE_RATE, abs=SAMPLE_RATE)
