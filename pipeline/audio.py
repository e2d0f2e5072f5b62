"""Audio and video files, read with PyAV: no ffmpeg program is needed."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import InputError

if TYPE_CHECKING:
    import av
    import numpy as np
    import numpy.typing as npt

    # Mono sound as numbers in [-1, 1], SAMPLE_RATE of them a second; shape (samples,).
    Samples = npt.NDArray[np.float32]

# The containers we read, by FFmpeg's names. Its others include lists of further files and addresses (HLS, concat, DASH,
# SDP), by which a recording from outside could name any file of this machine as its sound.
CONTAINERS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dts,eac3,flac,flv,loas,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mp3,mpc,mpc8,"
    "mpeg,mpegts,mxf,nut,ogg,rm,tta,w64,wav,wv"
)
SAMPLE_RATE = 16_000  # what Whisper and its voice filter expect

# A step of the time stamps by less than this is rounding; a longer one is sound that is missing.
_GAP_S = 0.25
# No recording pauses for so long: the time stamps start anew, or are wrong.
_LONGEST_GAP_S = 600.0
# Players skip a damaged packet now and then, and so do we; beyond this the file is not the recording.
_MOST_DAMAGED = 0.02
# Containers whose header says how long the sound is; elsewhere the length is an estimate from the bit rate.
_EXACT = frozenset({"mov", "mp4", "wav", "flac"})


def probe_duration(path: Path) -> float:
    """Return the seconds of sound in a media file; InputError where it holds no audio we can read."""
    with _open(path) as (container, stream):
        return _announced(container, stream) or 0.0


def read_samples(path: Path) -> Iterator["Samples"]:
    """Yield the sound of a media file block by block, mono at SAMPLE_RATE; memory does not grow with its length.

    Sound stands where its time stamps say: what is missing in the file becomes silence. InputError where the
    file holds no audio, is damaged, or breaks off before the length that its header gives.
    """
    import av

    timeline = _Timeline()
    with _open(path) as (container, stream):
        try:
            yield from _resample(
                _decode(container, stream, timeline), timeline, (container.start_time or 0) / av.time_base
            )
        except (av.FFmpegError, ValueError) as error:
            raise InputError(f"{path} breaks off or is damaged ({error}): fetch it again") from error
        announced = _announced(container, stream) if _EXACT & set(container.format.name.split(",")) else None
    packets = timeline.frames + timeline.damaged
    if not timeline.frames or timeline.damaged > _MOST_DAMAGED * packets:
        what = (
            f"is damaged: {timeline.damaged} of {packets} packets are lost" if timeline.frames else "cannot be decoded"
        )
        raise InputError(f"{path} {what}: fetch it again, or name a file that plays and is not encrypted")
    found = timeline.samples / SAMPLE_RATE
    if announced is not None and found < announced - max(2.0, announced / 100):
        raise InputError(f"{path} breaks off at {found:.0f} s of {announced:.0f} s: fetch it again")


class _Timeline:
    """How far the sound has come, against what the time stamps say; and what was lost on the way."""

    def __init__(self) -> None:
        self.samples = self.frames = self.damaged = 0
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


def _decode(
    container: "av.container.InputContainer", stream: "av.AudioStream", timeline: _Timeline
) -> "Iterator[av.AudioFrame]":
    """The frames of a stream; a damaged packet is counted and passed over, as players do."""
    import av

    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.FFmpegError:
            timeline.damaged += 1
            continue
        for frame in frames:
            if isinstance(frame, av.AudioFrame):
                timeline.frames += 1
                yield frame


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


@contextmanager
def _open(path: Path) -> "Iterator[tuple[av.container.InputContainer, av.AudioStream]]":
    """A media file and its first stream of sound; InputError where there is none."""
    import av

    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty: fetch it again, or name another file")
    if _is_text(path):
        raise InputError(f"{path} is text, not audio or video: name the recording, or fetch it again")
    try:
        container = av.open(str(path), metadata_errors="ignore", options={"format_whitelist": CONTAINERS})
    except (av.FFmpegError, ValueError) as error:
        raise InputError(f"{path} is not audio or video that we can read ({error}): name another file") from error
    with container:
        if not container.streams.audio:
            raise InputError(f"{path} has no audio stream: name the file with the episode's sound")
        yield container, container.streams.audio[0]


def _is_text(path: Path) -> bool:
    """Whether a file begins as no recording does; FFmpeg would find a telephone codec in a page of HTML."""
    with path.open("rb") as opened:
        beginning = opened.read(1024)
    return all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in beginning)


def _announced(container: "av.container.InputContainer", stream: "av.AudioStream") -> float | None:
    """The seconds of sound according to the file's header."""
    import av

    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return float(container.duration) / av.time_base if container.duration is not None else None
