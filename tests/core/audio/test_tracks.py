"""Of several audio tracks the one with speech is used, and it is said."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from pipeline.core.audio.file import SAMPLE_RATE, read_samples
from pipeline.core.audio.tracks import choose_track
from tests.support.project import DEMO_AUDIO

SECONDS = 12


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    return np.concatenate(list(read_samples(DEMO_AUDIO)))[: SECONDS * SAMPLE_RATE]


def write_tracks(path: Path, *tracks: np.ndarray) -> Path:
    with av.open(str(path), "w") as out:
        streams: list[Any] = [out.add_stream("pcm_s16le", rate=SAMPLE_RATE, layout="mono") for _ in tracks]
        for begin in range(0, SECONDS * SAMPLE_RATE, 1600):
            for stream, track in zip(streams, tracks, strict=True):
                samples = (track[begin : begin + 1600] * 32_000).astype(np.int16)
                frame = av.AudioFrame.from_ndarray(samples[None, :], format="s16", layout="mono")
                frame.sample_rate, frame.pts = SAMPLE_RATE, begin
                out.mux(stream.encode(frame))
    return path


def make_noise() -> np.ndarray:
    return (0.02 * np.random.default_rng(3).standard_normal(SECONDS * SAMPLE_RATE)).astype(np.float32)


@pytest.mark.parametrize("loudness", [1.0, 0.05])
def test_track_with_speech_is_used_and_said(tmp_path: Path, speech: np.ndarray, loudness: float) -> None:
    path = write_tracks(tmp_path / "talk.mkv", make_noise(), loudness * speech)
    remarks: list[str] = []
    samples = np.concatenate(list(read_samples(path, remarks=remarks)))
    assert np.abs(samples - loudness * speech).max() < 0.1 * loudness
    assert remarks[0].startswith("talk.mkv has 2 audio tracks: number 2 is used, which has the most speech")


def test_first_of_equal_tracks_is_used(tmp_path: Path, speech: np.ndarray) -> None:
    assert choose_track(write_tracks(tmp_path / "talk.mkv", speech, np.roll(speech, 800), make_noise())) == 0
