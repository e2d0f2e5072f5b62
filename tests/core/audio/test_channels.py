"""Channels that cancel each other are not mixed; all others are left as they are."""

import av
import numpy as np
import pytest

from pipeline.core.audio.channels import restore_cancelled

SOUND = (0.3 * np.sin(np.arange(1600) / 7)).astype(np.float32)


def make_frame(left: np.ndarray, right: np.ndarray, sample_format: str, layout: str = "stereo") -> av.AudioFrame:
    sides = np.stack([left, right])
    if sample_format.startswith("s16"):
        sides = (sides * 32_000).astype(np.int16)
    elif sample_format == "u8":
        sides = (sides * 127 + 128).astype(np.uint8)
    content = sides if sample_format.endswith("p") else np.ascontiguousarray(sides.T).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(content), sample_format, layout)
    frame.sample_rate, frame.pts = 16_000, 320
    return frame


@pytest.mark.parametrize("sample_format", ["fltp", "flt", "s16", "s16p", "u8"])
@pytest.mark.parametrize(("gain", "layout"), [(-0.9, "stereo"), (-0.7, "2 channels")])
def test_louder_of_opposite_channels_is_kept(sample_format: str, gain: float, layout: str) -> None:
    # A WAV file may leave the places of its channels open.
    frame = make_frame(SOUND, gain * SOUND, sample_format, layout)
    restored = restore_cancelled(frame)
    assert (restored.pts, restored.sample_rate, restored.samples) == (frame.pts, frame.sample_rate, frame.samples)
    expected = make_frame(SOUND, SOUND, sample_format)
    assert np.array_equal(restored.to_ndarray(), expected.to_ndarray())


@pytest.mark.parametrize("gain", [1.0, 0.0, 0.4, -0.1])
def test_other_channels_are_left_alone(gain: float) -> None:
    frame = make_frame(SOUND, gain * SOUND, "fltp")
    assert restore_cancelled(frame) is frame
    silence = make_frame(0 * SOUND, 0 * SOUND, "s16")
    assert restore_cancelled(silence) is silence
