"""Open the file of a recording, decode its sound packet by packet, and judge whether it is whole.

The one place that says when a file is damaged or cut off: a file that a download takes can also be transcribed.
"""

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.core.errors import InputError
from pipeline.core.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable

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

# By how much a file may be shorter than it says before we call it cut off: players and encoders round, and pad.
SLACK_SECONDS, SLACK_SHARE = 3.0, 0.01

# Players skip a damaged packet now and then, and so do we; beyond this share the file is not the recording.
MAX_DAMAGED = 0.01

# Where this share is lost, it is not damage but encryption, or no sound at all.
ENCRYPTED = 0.9
_UNKNOWN = 0xFFFF_FF00  # a size from here on means: written as a stream, to an unknown end
_WEB_PAGE = (b"<!doctype html", b"<html", b"<head", b"<?xml")


@dataclass
class Tally:
    """What came of the packets of a file so far: how many there were, and how many did not decode."""

    packets: int = 0
    damaged: int = 0
    frames: int = 0


@contextmanager
def open_audio(path: Path, shown: object = None) -> "Iterator[tuple[av.container.InputContainer, av.AudioStream]]":
    """Yield an open media file and its first stream of sound; InputError, naming it as `shown`, where there is none."""
    import av

    shown = shown or path
    with path.open("rb") as opened:
        head = opened.read(1024)
    if not head:
        raise InputError(f"{shown} is empty: fetch it again, or name another file")
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_WEB_PAGE):
        raise InputError(f"{shown} is a web page, not audio: name the address of the audio itself")
    # FFmpeg would find a telephone codec in it.
    if all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in head):
        raise InputError(f"{shown} is text, not audio or video: name the recording, or fetch it again")
    try:
        container = av.open(str(path), metadata_errors="ignore", options={"format_whitelist": CONTAINERS})
    except (av.FFmpegError, ValueError) as error:
        raise InputError(
            f"{shown} is not audio or video that we can read ({explain(error)}): name another file"
        ) from error
    with container:
        if not container.streams.audio:
            raise InputError(f"{shown} has no audio stream: name the file with the episode's sound")
        yield container, container.streams.audio[0]


def decode_audio(
    container: "av.container.InputContainer", stream: "av.AudioStream", tally: Tally
) -> "Iterator[av.AudioFrame]":
    """Yield the frames of a stream; a damaged packet is counted in `tally` and passed over, as players do."""
    import av

    packets = container.demux(stream)
    broken = False
    while True:
        try:
            packet = next(packets)
        # An error: the file ends in the middle of something. An index: PyAV would end a stream that began within the
        # file, and which it does not know; ours comes before, and has ended.
        except (StopIteration, av.FFmpegError, IndexError):
            break
        tally.packets += packet.size > 0
        try:
            frames = packet.decode()
            broken &= packet.size == 0
        except av.FFmpegError:
            tally.damaged += 1
            broken = True
            continue
        for frame in frames:
            if isinstance(frame, av.AudioFrame):
                tally.frames += 1
                yield frame
    # A file that is cut off ends with half a packet, which is no damage: its length tells.
    tally.damaged -= broken


def check_complete(shown: object, tally: Tally, seconds: float, stated: float | None) -> None:
    """Raise InputError where nothing decoded, too much did not, or much less than the `stated` seconds did."""
    damaged = tally.damaged / max(tally.packets, 1)
    # Of an encrypted file a frame decodes by chance.
    if not tally.frames or damaged > ENCRYPTED:
        raise InputError(
            f"{shown} holds no sound that can be decoded: fetch it again, or name a file that plays and is not "
            "encrypted"
        )
    if damaged > MAX_DAMAGED:
        raise InputError(
            f"{shown} is damaged: {damaged:.0%} of it cannot be decoded: fetch it again, or name another file"
        )
    if stated is not None and is_truncated(seconds, stated):
        raise InputError(
            f"{shown} is cut off: {format_time(seconds)} of sound where the file itself states "
            f"{format_time(stated)}: fetch it again, or name another file"
        )


def is_truncated(seconds: float, expected: float, share: float = SLACK_SHARE) -> bool:
    """Tell whether so much sound is missing that a file must have been cut off."""
    return seconds < expected - max(SLACK_SECONDS, share * expected)


def container_duration(container: "av.container.InputContainer", stream: "av.AudioStream") -> float | None:
    """Return the seconds of sound according to the file's header, be it an estimate; None where it says nothing."""
    import av

    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return float(container.duration) / av.time_base if container.duration is not None else None


def stated_duration(path: Path, container: "av.container.InputContainer", stream: "av.AudioStream") -> float | None:
    """Return the seconds that a file's header states; None where they are only guessed from the file's size."""
    name = container.format.name
    if name in {"mpegts", "aac", "hls"} or (name == "mp3" and not _has_length(path)):
        return None
    # FFmpeg takes the length of a WAV file from its size, where the header states more than there is.
    return (_find_wav_length(path) if name == "wav" else None) or container_duration(container, stream)


def explain(error: Exception) -> str:
    """Return what the decoder says, without its number and our path."""
    return str(getattr(error, "strerror", None) or error)


def _has_length(path: Path) -> bool:
    """Tell whether an mp3 begins with the frame in which encoders note how many follow."""
    with path.open("rb") as opened:
        head = opened.read(10)
        # An ID3 tag comes first; its size is four bytes of seven bits.
        size = (
            10 + sum((byte & 0x7F) << 7 * (3 - place) for place, byte in enumerate(head[6:10]))
            if head[:3] == b"ID3"
            else 0
        )
        opened.seek(size)
        frame = opened.read(2048)
    return any(mark in frame for mark in (b"Xing", b"Info", b"VBRI"))


def _find_wav_length(path: Path) -> float | None:
    """The seconds that the header of a WAV file states; None where it was written before they were known."""
    rate = 0
    with path.open("rb") as opened:
        if opened.read(4) != b"RIFF":
            return None
        opened.seek(8, os.SEEK_CUR)
        while len(header := opened.read(8)) == 8:
            name, size = struct.unpack("<4sI", header)
            if name == b"data":
                return size / rate if rate and 0 < size < _UNKNOWN else None
            # Of the format we want the bytes a second; chunks begin at even places.
            content = opened.read(12) if name == b"fmt " else b""
            rate = struct.unpack("<8xI", content)[0] if len(content) == 12 else rate
            opened.seek(size + size % 2 - len(content), os.SEEK_CUR)
    return None


SAMPLE_RATE = 16_000  # what Whisper and its voice filter expect

# A step of the time stamps by less than this is rounding; a longer one is sound that is missing.
_GAP_S = 0.25

# No recording pauses for so long: the time stamps start anew, or are wrong.
_LONGEST_GAP_S = 600.0


def probe_duration(path: Path) -> float:
    """Return the seconds of sound in a media file; InputError where it holds no audio we can read."""
    with open_audio(path) as (container, stream):
        return container_duration(container, stream) or 0.0


def read_samples(path: Path) -> Iterator["Samples"]:
    """Yield the sound of a media file block by block, mono at SAMPLE_RATE; memory does not grow with its length.

    Sound stands where its time stamps say: what is missing in the file becomes silence. InputError where the
    file holds no audio, is damaged, or breaks off before the length that its header gives.
    """
    import av

    timeline, tally = _Timeline(), Tally()
    with open_audio(path) as (container, stream):
        stated = stated_duration(path, container, stream)
        origin = (container.start_time or 0) / av.time_base
        try:
            yield from _resample(decode_audio(container, stream, tally), timeline, origin)
        except (av.FFmpegError, ValueError) as error:
            raise InputError(f"{path} is damaged ({explain(error)}): fetch it again, or name another file") from error
    check_complete(path, tally, timeline.samples / SAMPLE_RATE, stated)


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
