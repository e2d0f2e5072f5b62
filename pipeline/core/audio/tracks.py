"""Choose among several audio tracks of one file: the one with the most speech, not the first."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import av
    import numpy as np
    import numpy.typing as npt

# Seconds of each period that are listened to.
PROBE_S = 30.0
PERIOD_S = 300.0

# A later track is taken if it has this many times the speech of the first, and this many seconds more.
CLEARLY_MORE = 1.25
MIN_MORE_S = 1.0

# Samples a second for the voice activity detection.
_RATE = 16_000

# Tracks that are compared, at most.
_MAX_TRACKS = 8


def choose_track(path: Path) -> int:
    """Return the index, among the audio tracks, of the one to use: the first unless another has clearly more speech."""
    status = path.stat()
    return _choose_track(str(path.absolute()), status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=32)
def _choose_track(path: str, size: int, modified: int) -> int:  # noqa: ARG001 - the size and time identify the content
    import av

    from pipeline.core.audio.file import OPEN_OPTIONS

    with av.open(path, metadata_errors="ignore", options=OPEN_OPTIONS) as container:
        streams = container.streams.audio[:_MAX_TRACKS]
        blocks: list[list[Any]] = [[] for _ in streams]
        places = {stream.index: place for place, stream in enumerate(streams)}
        resamplers = [av.AudioResampler("flt", "mono", _RATE) for _ in streams]
        for frame, index in _probe(container, streams):
            for converted in resamplers[places[index]].resample(frame):
                blocks[places[index]].append(converted.to_ndarray().reshape(-1))
    speech = [_measure_speech(samples) for samples in blocks]
    best = max(range(len(speech)), key=lambda place: speech[place])
    return best if speech[best] > max(speech[0] * CLEARLY_MORE, speech[0] + MIN_MORE_S) else 0


def _probe(
    container: "av.container.InputContainer", streams: "tuple[av.AudioStream, ...]"
) -> "Iterator[tuple[av.AudioFrame, int]]":
    """Yield the frames of the first PROBE_S of each PERIOD_S, with the index of their stream."""
    import av

    packets = container.demux(*streams)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.FFmpegError, IndexError):
            return
        at = float(packet.pts * packet.time_base) if packet.pts is not None and packet.time_base else 0.0
        if at % PERIOD_S >= PROBE_S:
            continue
        try:
            frames = packet.decode()
        except av.FFmpegError:
            continue
        for frame in frames:
            if not isinstance(frame, av.AudioFrame):
                continue
            # The parts are joined: their timestamps would make the resampler fill the gaps.
            frame.pts = None
            yield frame, packet.stream.index


def _measure_speech(blocks: "list[npt.NDArray[np.float32]]") -> float:
    """Return the seconds of speech in samples."""
    import numpy as np
    from faster_whisper.vad import get_speech_timestamps

    if not blocks:
        return 0.0
    samples = np.concatenate(blocks)
    # A quiet microphone counts as much as a loud game.
    samples = samples / max(1e-3, float(np.abs(samples).max()))
    return sum(float(span["end"] - span["start"]) for span in get_speech_timestamps(samples)) / _RATE
