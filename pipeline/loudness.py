"""How loud an audio file is over time, for a picture of it."""

from pathlib import Path

from pipeline.audio import SAMPLE_RATE, read_samples

PER_SECOND = 25


def measure_loudness(path: Path) -> bytes:
    """Return `PER_SECOND` values for each second of sound, 0 (silence) to 255 (the loudest of the file).

    InputError where the file cannot be read.
    """
    import numpy as np

    window = SAMPLE_RATE // PER_SECOND
    peaks = []
    rest = np.zeros(0, dtype=np.float32)
    for block in read_samples(path):
        rest = np.concatenate([rest, block])
        whole = len(rest) // window * window
        peaks.append(np.abs(rest[:whole]).reshape(-1, window).max(axis=1))
        rest = rest[whole:]
    loudness = np.concatenate([*peaks, np.zeros(0, dtype=np.float32)])
    # Speech spans a wide range of levels: the root keeps quiet words visible beside loud ones.
    share = np.sqrt(loudness / max(1e-6, float(loudness.max(initial=0.0))))
    return bytes((255 * share).astype(np.uint8))
