"""Open, check and decode audio files.

Only this module decides whether a file is damaged or truncated. Download and transcription therefore agree.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.core.audio.channels import restore_cancelled
from pipeline.core.audio.headers import has_sound_beyond_header, mp3_duration, wav_duration
from pipeline.core.audio.tracks import choose_track
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

# Options of FFmpeg for every file.
OPEN_OPTIONS = {"format_whitelist": CONTAINERS}

# Seconds that a file may lack of its stated duration: encoders round and pad.
SLACK_SECONDS = 3.0
# The same as a share of the stated duration; the larger of the two counts.
SLACK_SHARE = 0.01

# Share of packets that may fail to decode. Players skip a damaged packet; above this share the file is damaged.
MAX_DAMAGED = 0.01

# Above this share of failed packets, the file is encrypted or holds no audio.
ENCRYPTED = 0.9
# Containers without a header that states a length: FFmpeg divides the file's size by the bitrate of its beginning.
_WITHOUT_LENGTH = {"aac", "ac3", "amr", "dts", "eac3", "hls", "loas", "mpeg", "mpegts"}
# The first bytes of a web page or feed saved in place of audio.
_WEB_PAGE = (b"<!doctype html", b"<html", b"<head", b"<?xml")


@dataclass
class Tally:
    """Counts of a file: its packets, those that failed to decode, the decoded frames; `cut` if the last packet is."""

    packets: int = 0
    damaged: int = 0
    frames: int = 0
    cut: bool = False


@contextmanager
def open_audio(path: Path, shown: object = None) -> "Iterator[tuple[av.container.InputContainer, av.AudioStream]]":
    """Yield an open media file and its audio stream; of several, the one with the most speech.

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
    # FFmpeg would take the part of a bare name before a colon for a protocol.
    options = {**OPEN_OPTIONS, **({"ignore_length": "1"} if has_sound_beyond_header(path) else {})}
    try:
        container = av.open(str(path.absolute()), metadata_errors="ignore", options=options)
    except (av.FFmpegError, ValueError) as error:
        raise InputError(
            f"{shown} is not audio or video that FFmpeg can read ({describe_decoder_error(error)}): name another file"
        ) from error
    with container:
        if not container.streams.audio:
            raise InputError(f"{shown} has no audio stream: name the file with the episode's audio")
        tracks = container.streams.audio
        yield container, tracks[choose_track(path)] if len(tracks) > 1 else tracks[0]


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
    tally.cut = broken


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
            f"{shown} is cut off: {format_time(seconds)} of sound where the file itself states {format_time(stated)}",
            "fetch it again, or name another file; if it is whole, say so: `whole: true` in the episode's settings, "
            "or --whole",
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
    if name in _WITHOUT_LENGTH:
        return None
    # FFmpeg guesses the length of joined files.
    if name == "mp3":
        return mp3_duration(path)
    if name == "wav" and has_sound_beyond_header(path):
        return None
    # FFmpeg takes the duration of a WAV file from its size where the header states more.
    return (wav_duration(path) if name == "wav" else None) or container_duration(container, stream)


def describe_decoder_error(error: Exception) -> str:
    """Return the decoder's message without its error number and the path."""
    return str(getattr(error, "strerror", None) or error)


# Samples per second, the rate of Whisper and of its voice activity detection.
SAMPLE_RATE = 16_000

# Seconds by which timestamps may jump through rounding; a longer jump means missing audio.
_GAP_S = 0.25

# Seconds of channels that cancel each other from which a person is told.
_MIN_CANCELLED_S = 1.0

# Seconds of the longest gap. A longer jump means that timestamps restart or are wrong.
_LONGEST_GAP_S = 600.0


def probe_duration(path: Path) -> float:
    """Return the seconds of audio in a media file; InputError where it holds no readable audio."""
    with open_audio(path) as (container, stream):
        return container_duration(container, stream) or 0.0


def read_samples(path: Path, *, whole: bool = False, remarks: list[str] | None = None) -> Iterator["Samples"]:
    """Yield the audio of a media file in blocks of mono samples at SAMPLE_RATE, in constant memory.

    Samples stand at their timestamps: a gap in the file becomes silence. Channels that cancel each other are not mixed:
    the louder one is used. `remarks` takes what a person should know of the choices made. Raises InputError where the
    file holds no audio, is damaged, or, unless a person says that it is `whole`, ends before its stated duration.
    """
    import av

    timeline, tally = _Timeline(), Tally()
    cancelled = 0.0

    def restore(frame: "av.AudioFrame") -> "av.AudioFrame":
        nonlocal cancelled
        restored = restore_cancelled(frame)
        cancelled += 0.0 if restored is frame else frame.samples / frame.sample_rate
        return restored

    with open_audio(path) as (container, stream):
        stated = None if whole else stated_duration(path, container, stream)
        if remarks is not None:
            remarks += _describe_choices(path, container, stream)
        origin = (container.start_time or 0) / av.time_base
        try:
            yield from _resample(map(restore, decode_audio(container, stream, tally)), timeline, origin)
        except (av.FFmpegError, ValueError) as error:
            raise InputError(
                f"{path} is damaged ({describe_decoder_error(error)}): fetch it again, or name another file"
            ) from error
    check_complete(path, tally, timeline.samples / SAMPLE_RATE, stated)
    if remarks is not None and cancelled >= _MIN_CANCELLED_S:
        remarks.append(f"the two channels of {path.name} cancel each other: the louder one is used")


def _describe_choices(path: Path, container: "av.container.InputContainer", stream: "av.AudioStream") -> Iterator[str]:
    """Yield how a file is read that can be read in more than one way."""
    tracks = container.streams.audio
    if len(tracks) > 1:
        number = list(tracks).index(stream) + 1
        yield (
            f"{path.name} has {len(tracks)} audio tracks: number {number} is used, which has the most speech; "
            "for another, name a file with that track alone"
        )
    if container.format.name == "wav" and has_sound_beyond_header(path):
        yield f"{path.name} goes on after the length that its header states: it is read to its end"


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
