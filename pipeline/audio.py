"""Audio and video files, read with PyAV: no ffmpeg program is needed."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import InputError
from pipeline.sound_files import Tally, check_whole, decode_frames, explain, find_length, find_stated, open_sound

if TYPE_CHECKING:
    import av
    import numpy as np
    import numpy.typing as npt

    # Mono sound as numbers in [-1, 1], SAMPLE_RATE of them a second; shape (samples,).
    Samples = npt.NDArray[np.float32]

SAMPLE_RATE = 16_000  # what Whisper and its voice filter expect

# A step of the time stamps by less than this is rounding; a longer one is sound that is missing.
_GAP_S = 0.25
# No recording pauses for so long: the time stamps start anew, or are wrong.
_LONGEST_GAP_S = 600.0


def probe_duration(path: Path) -> float:
    """Return the seconds of sound in a media file; InputError where it holds no audio we can read."""
    with open_sound(path) as (container, stream):
        return find_length(container, stream) or 0.0


def read_samples(path: Path) -> Iterator["Samples"]:
    """Yield the sound of a media file block by block, mono at SAMPLE_RATE; memory does not grow with its length.

    Sound stands where its time stamps say: what is missing in the file becomes silence. InputError where the
    file holds no audio, is damaged, or breaks off before the length that its header gives.
    """
    import av

    timeline, tally = _Timeline(), Tally()
    with open_sound(path) as (container, stream):
        stated = find_stated(path, container, stream)
        origin = (container.start_time or 0) / av.time_base
        try:
            yield from _resample(decode_frames(container, stream, tally), timeline, origin)
        except (av.FFmpegError, ValueError) as error:
            raise InputError(f"{path} is damaged ({explain(error)}): fetch it again, or name another file") from error
    check_whole(path, tally, timeline.samples / SAMPLE_RATE, stated)


class _Timeline:
    """How far the sound has come, against what the time stamps say."""

    def __init__(self) -> None:
        self.samples = 0
        self._offset: float | None = None

    def find_gap(self, time: float | None, origin: float) -> int:
        """Return the samples of silence that belong before a frame stamped `time`, and count them as written."""
        if time is None:
            return 0
        at, reached = time - origin, self.samples / SAMPLE_RATE
        if self._offset is None:
            # The first frame may begin after the picture does; anything else is a clock with another zero.
            self._offset = 0.0 if 0 <= at < _LONGEST_GAP_S else at
        missing = at - self._offset - reached
        if not -_GAP_S <= missing < _LONGEST_GAP_S:
            self._offset += missing
        if not _GAP_S < missing < _LONGEST_GAP_S:
            return 0
        gap = round(missing * SAMPLE_RATE)
        self.samples += gap
        return gap


def _resample(frames: "Iterable[av.AudioFrame]", timeline: _Timeline, origin: float) -> "Iterator[Samples]":
    """Frames of any rate and layout as mono blocks, with silence where frames are missing."""
    import av
    import numpy as np

    resampler: av.AudioResampler | None = None
    shape: tuple[str, str, int] | None = None
    for frame in frames:
        if shape != (now := (frame.format.name, frame.layout.name, frame.sample_rate)):
            yield from _convert(resampler, None, timeline)
            resampler, shape = av.AudioResampler("flt", "mono", SAMPLE_RATE), now
        if gap := timeline.find_gap(frame.time, origin):
            yield np.zeros(gap, dtype=np.float32)
        yield from _convert(resampler, frame, timeline)
    yield from _convert(resampler, None, timeline)


def _convert(
    resampler: "av.AudioResampler | None", frame: "av.AudioFrame | None", timeline: _Timeline
) -> "Iterator[Samples]":
    """What a resampler gives for a frame; for None, what it still holds back."""
    import numpy as np

    for converted in resampler.resample(frame) if resampler else ():
        block = np.asarray(converted.to_ndarray(), dtype=np.float32).reshape(-1)
        timeline.samples += len(block)
        yield block
