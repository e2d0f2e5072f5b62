"""The filters give what the matrix gives, and the same bytes on however many cores."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

from pipeline.transcribe.cpu_tuning import MelBands
from tests.support.project import REPOSITORY


def make_filters(mels: int = 80, frequencies: int = 201) -> np.ndarray:
    """Overlapping triangles, narrow to wide."""
    edges = np.geomspace(1, frequencies - 1, mels + 2)
    at = np.arange(frequencies)
    rising = (at - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - at) / np.diff(edges)[1:, None]
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)


def make_power(frames: int = 2_000) -> np.ndarray:
    return np.random.default_rng(1).exponential(size=(frames, 201)).astype(np.float32).T


def test_the_bands_give_what_the_matrix_gives() -> None:
    filters, power = make_filters(), make_power()
    found = MelBands(filters) @ power
    assert found.shape == (80, 2_000)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, filters @ power, rtol=1e-5)


def test_a_filter_that_hears_nothing_gives_nothing() -> None:
    filters = make_filters()
    filters[40] = 0
    found = MelBands(filters) @ make_power(10)
    assert not found[40].any()
    assert found[41:].all()


def digest() -> str:
    return hashlib.sha256((MelBands(make_filters()) @ make_power()).tobytes()).hexdigest()


@pytest.mark.parametrize("threads", ["1", "2", "3"])
def test_the_number_of_threads_changes_no_bit(threads: str) -> None:
    """The words of a transcript must not depend on how many cores there are."""
    done = subprocess.run(
        [sys.executable, "-c", "from tests.transcribe.test_mel_bands import digest; print(digest())"],
        env={**os.environ, "OPENBLAS_NUM_THREADS": threads}, cwd=REPOSITORY,
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.strip() == digest()


def test_the_frames_beside_a_frame_change_no_bit() -> None:
    bands, power = MelBands(make_filters()), make_power()
    assert np.array_equal(bands @ power[:, :700], (bands @ power)[:, :700])
