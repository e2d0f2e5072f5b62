"""How loud an audio file is over time, for a picture of it."""

from pathlib import Path

from pipeline.errors import InputError

# A telephone's rate is enough for a picture, and quick to decode to.
SAMPLE_RATE = 8000
PER_SECOND = 25


def measure_loudness(path: Path) -> bytes:
    """Return `PER_SECOND` values for each second of sound, 0 (silence) to 255 (the loudest of the file).

    InputError where the file cannot be decoded.
    """
    import av
    import numpy as np

    window = SAMPLE_RATE // PER_SECOND
    peaks = []
    rest = np.zeros(0, dtype=np.int16)
    try:
        with av.open(str(path), metadata_errors="ignore") as container:
            resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
            for frame in container.decode(audio=0):
                parts = [part.to_ndarray().ravel() for part in resampler.resample(frame)]
                rest = np.concatenate([rest, *parts])
                whole = len(rest) // window * window
                peaks.append(np.abs(rest[:whole].astype(np.int32)).reshape(-1, window).max(axis=1))
                rest = rest[whole:]
    except (av.FFmpegError, OSError, IndexError, ValueError) as error:
        raise InputError(f"{path} cannot be decoded ({error}): download it again") from error
    loudness = np.concatenate([*peaks, np.zeros(0, dtype=np.int32)])
    # Speech spans a wide range of levels: the root keeps quiet words visible beside loud ones.
    share = np.sqrt(loudness / max(1, loudness.max(initial=1)))
    return bytes((255 * share).astype(np.uint8))
