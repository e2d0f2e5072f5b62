"""Open, check and decode audio files.

Only this module decides whether a file is damaged or truncated. Download and transcription therefore agree.
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


# Accepted containers, by FFmpeg's names. Its other formats include playlists (HLS, concat, DASH, SDP), through which a
# foreign file could make FFmpeg read any file of this machine.
CONTAINERS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dts,eac3,flac,flv,loas,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mp3,mpc,mpc8,"
    "mpeg,mpegts,mxf,nut,ogg,rm,tta,w64,wav,wv"
)

# Seconds that a file may lack of its stated duration: encoders round and pad.
SLACK_SECONDS = 3.0
# The same as a share of the stated duration; the larger of the two counts.
SLACK_SHARE = 0.01

# Share of packets that may fail to decode. Players skip a damaged packet; above this share the file is damaged.
MAX_DAMAGED = 0.01

# Above this share of failed packets, the file is encrypted or holds no audio.
ENCRYPTED = 0.9
# WAV data sizes from here on mean that the length was unknown when the header was written.
_UNKNOWN = 0xFFFF_FF00
# The first bytes of a web page or feed saved in place of audio.
_WEB_PAGE = (b"<!doctype html", b"<html", b"<head", b"<?xml")


@dataclass
class Tally:
    """Counts of a file: its packets, those that failed to decode, and the decoded frames."""

    packets: int = 0
    damaged: int = 0
    frames: int = 0


@contextmanager
def open_audio(path: Path, shown: object = None) -> "Iterator[tuple[av.container.InputContainer, av.AudioStream]]":
    """Yield an open media file and its first audio stream.

    Raises InputError where there is none; the message calls the file `shown`.
    """
    import av

    shown = shown or path
    with path.open("rb") as opened:
        head = opened.read(1024)
    if not head:
        raise InputError(f"{shown} is empty: fetch it again, or name another file")
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_WEB_PAGE):
        raise InputError(f"{shown} is a web page, not audio: give the URL of the audio itself")
    # FFmpeg would decode text as a telephone codec.
    if all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in head):
        raise InputError(f"{shown} is text, not audio or video: name the recording, or fetch it again")
    try:
        container = av.open(str(path), metadata_errors="ignore", options={"format_whitelist": CONTAINERS})
    except (av.FFmpegError, ValueError) as error:
        raise InputError(
            f"{shown} is not audio or video that FFmpeg can read ({describe_decoder_error(error)}): name another file"
        ) from error
    with container:
        if not container.streams.audio:
            raise InputError(f"{shown} has no audio stream: name the file with the episode's audio")
        yield container, container.streams.audio[0]


def decode_audio(
    container: "av.container.InputContainer", stream: "av.AudioStream", tally: Tally
) -> "Iterator[av.AudioFrame]":
    """Yield the frames of a stream; a damaged packet is counted in `tally` and skipped, as players do."""
    import av

    packets = container.demux(stream)
    broken = False
    while True:
        try:
            packet = next(packets)
        # FFmpegError: the file ends inside a packet. IndexError: PyAV flushes a stream that starts inside the file and
        # that it does not know; the audio stream has ended by then.
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
    # A truncated file ends with half a packet. Its duration reveals that, so the packet does not count as damaged.
    tally.damaged -= broken


def check_complete(shown: object, tally: Tally, seconds: float, stated: float | None) -> None:
    """Raise InputError for a file that is undecodable, damaged, or much shorter than its `stated` seconds."""
    damaged = tally.damaged / max(tally.packets, 1)
    # A frame of an encrypted file can decode by chance.
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
    """Return whether audio is so much shorter than expected that it must be truncated."""
    return seconds < expected - max(SLACK_SECONDS, share * expected)


def container_duration(container: "av.container.InputContainer", stream: "av.AudioStream") -> float | None:
    """Return the seconds of audio by the file's header, possibly an estimate; None where it states none."""
    import av

    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return float(container.duration) / av.time_base if container.duration is not None else None


def stated_duration(path: Path, container: "av.container.InputContainer", stream: "av.AudioStream") -> float | None:
    """Return the seconds that a file's header states; None where FFmpeg estimates them from the file's size."""
    name = container.format.name
    if name in {"mpegts", "aac", "hls"} or (name == "mp3" and not _has_frame_count(path)):
        return None
    # FFmpeg takes the duration of a WAV file from its size where the header states more.
    return (_wav_duration(path) if name == "wav" else None) or container_duration(container, stream)


def describe_decoder_error(error: Exception) -> str:
    """Return the decoder's message without its error number and the path."""
    return str(getattr(error, "strerror", None) or error)


def _has_frame_count(path: Path) -> bool:
    """Return whether an mp3 begins with the Xing, Info or VBRI frame, which states the number of frames."""
    with path.open("rb") as opened:
        head = opened.read(10)
        # The size of a leading ID3 tag is four bytes of seven bits.
        size = (
            10 + sum((byte & 0x7F) << 7 * (3 - place) for place, byte in enumerate(head[6:10]))
            if head[:3] == b"ID3"
            else 0
        )
        opened.seek(size)
        frame = opened.read(2048)
    return any(tag in frame for tag in (b"Xing", b"Info", b"VBRI"))


def _wav_duration(path: Path) -> float | None:
    """Return the seconds that a WAV header states; None where the header was written before they were known."""
    rate = 0
    with path.open("rb") as opened:
        if opened.read(4) != b"RIFF":
            return None
        opened.seek(8, os.SEEK_CUR)
        while len(header := opened.read(8)) == 8:
            name, size = struct.unpack("<4sI", header)
            if name == b"data":
                return size / rate if rate and 0 < size < _UNKNOWN else None
            # The format chunk holds the bytes per second. Chunks are padded to even sizes.
            content = opened.read(12) if name == b"fmt " else b""
            rate = struct.unpack("<8xI", content)[0] if len(content) == 12 else rate
            opened.seek(size + size % 2 - len(content), os.SEEK_CUR)
    return None


# Samples per second, the rate of Whisper and of its voice activity detection.
SAMPLE_RATE = 16_000

# Seconds by which timestamps may jump through rounding; a longer jump means missing audio.
_GAP_S = 0.25

# Seconds of the longest gap. A longer jump means that timestamps restart or are wrong.
_LONGEST_GAP_S = 600.0


def probe_duration(path: Path) -> float:
    """Return the seconds of audio in a media file; InputError where it holds no readable audio."""
    with open_audio(path) as (container, stream):
        return container_duration(container, stream) or 0.0


def read_samples(path: Path) -> Iterator["Samples"]:
    """Yield the audio of a media file in blocks of mono samples at SAMPLE_RATE, in constant memory.

    Samples stand at their timestamps: a gap in the file becomes silence. Raises InputError where the file holds no
    audio, is damaged, or ends before its stated duration.
    """
    import av

    timeline, tally = _Timeline(), Tally()
    with open_audio(path) as (container, stream):
        stated = stated_duration(path, container, stream)
        origin = (container.start_time or 0) / av.time_base
        try:
            yield from _resample(decode_audio(container, stream, tally), timeline, origin)
        except (av.FFmpegError, ValueError) as error:
            raise InputError(
                f"{path} is damaged ({describe_decoder_error(error)}): fetch it again, or name another file"
            ) from error
    check_complete(path, tally, timeline.samples / SAMPLE_RATE, stated)


class _Timeline:
    """The number of samples written, compared with the frames' timestamps."""

    def __init__(self) -> None:
        self.samples = 0
        self._offset: float | None = None

    def find_gap(self, time: float | None, origin: float) -> int:
        """Return the samples of silence to write before a frame stamped `time`, and count them as written."""
        if time is None:
            return 0
        at, reached = time - origin, self.samples / SAMPLE_RATE
        if self._offset is None:
            # The first audio frame may start after the video; any other offset is a clock with another origin.
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
    """Yield frames of any rate and layout as mono blocks, with silence for missing frames."""
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
    """Yield the output of a resampler for a frame; for None, the samples it still buffers."""
    import numpy as np

    for converted in resampler.resample(frame) if resampler else ():
        block = np.asarray(converted.to_ndarray(), dtype=np.float32).reshape(-1)
        timeline.samples += len(block)
        yield block


# Loudness values per second of audio.
PER_SECOND = 25


def measure_loudness(path: Path) -> bytes:
    """Return `PER_SECOND` peak values for each second of audio, 0 (silence) to 255 (the file's maximum).

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
    # The square root keeps quiet words visible next to loud ones.
    share = np.sqrt(loudness / max(1e-6, float(loudness.max(initial=0.0))))
    return bytes((255 * share).astype(np.uint8))
