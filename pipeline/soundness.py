"""Is a media file whole? Every packet is decoded, and the sound in it held against what is said of it."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pipeline.audio import CONTAINERS
from pipeline.errors import InputError
from pipeline.marks import format_time
from pipeline.metadata import Metadata

# By how much a file may be shorter than it says before we call it cut off: players and encoders round, and pad.
SLACK_SECONDS, SLACK_SHARE = 3.0, 0.01
# Feeds state durations by hand, and advertisements come and go: only a large part that is missing says something.
FEED_SLACK_SHARE = 0.2
MAX_DAMAGED = 0.01  # share of packets that may fail to decode

# The endings that go with a container, the usual one first.
_SUFFIXES = {
    "mp3": (".mp3",),
    "mov,mp4,m4a,3gp,3g2,mj2": (".m4a", ".mp4", ".mov", ".m4b", ".m4v", ".3gp"),
    "matroska,webm": (".webm", ".mkv", ".mka"),
    "ogg": (".ogg", ".oga", ".opus", ".ogv"),
    "wav": (".wav",),
    "flac": (".flac",),
    "mpegts": (".ts",),
    "aac": (".aac",),
}


@dataclass(frozen=True, slots=True)
class Sound:
    """What is in a media file: seconds that decode and that its header states, share of packets that do not decode.

    `suffix` is the file's own ending where it fits what is in it, else one that does.
    """

    seconds: float
    stated: float | None
    damaged: float
    suffix: str


def measure_sound(path: Path, shown: object = None) -> Sound:
    """Return what decodes of a file's sound; InputError, naming it as `shown`, where it holds none that we can read."""
    import av

    shown = shown or path
    with path.open("rb") as opened:
        head = opened.read(512)
    if not head:
        raise InputError(f"{shown} is empty: fetch it again, or name another file")
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype html", b"<html", b"<head", b"<?xml")):
        raise InputError(f"{shown} is a web page, not audio: name the address of the audio itself")
    try:
        with av.open(str(path), metadata_errors="ignore", options={"format_whitelist": CONTAINERS}) as container:
            if not container.streams.audio:
                raise InputError(f"{shown} has no audio stream: name the file with the episode's sound")
            stream = container.streams.audio[0]
            stated = _find_stated(path, container, stream)
            seconds, packets, damaged = _decode(container, stream)
            suffixes = _SUFFIXES.get(container.format.name, (path.suffix.lower(),))
    except (av.FFmpegError, ValueError) as error:
        raise InputError(
            f"{shown} is not audio or video that we can read ({_reason(error)}): name another file"
        ) from error
    if seconds == 0:
        raise InputError(f"{shown} holds no sound that can be decoded: name another file")
    own = path.suffix.lower()
    return Sound(seconds, stated, damaged / packets, own if own in suffixes else suffixes[0])


def check_sound(shown: object, sound: Sound, expected: float | None, *, roughly: bool = False) -> None:
    """InputError where the sound is shorter than its file states, or than `expected` seconds, or is damaged.

    `roughly`: `expected` is a feed's word, which advertisements move.
    """
    if sound.damaged > MAX_DAMAGED:
        raise InputError(
            f"{shown} is damaged: {sound.damaged:.0%} of it cannot be decoded: fetch it again, or name another file"
        )
    if sound.stated is not None and is_cut(sound.seconds, sound.stated):
        raise InputError(
            f"{shown} is cut off: {format_time(sound.seconds)} of sound where the file itself states "
            f"{format_time(sound.stated)}: fetch it again, or name another file"
        )
    if expected is not None and is_cut(sound.seconds, expected, FEED_SLACK_SHARE if roughly else SLACK_SHARE):
        raise InputError(
            f"{shown} is cut off: {format_time(sound.seconds)} of sound where the publisher states "
            f"{format_time(expected)}: fetch it again, or correct `duration` in the episode's settings"
        )


def is_cut(seconds: float, expected: float, share: float = SLACK_SHARE) -> bool:
    """Tell whether so much sound is missing that a file must have been cut off."""
    return seconds < expected - max(SLACK_SECONDS, share * expected)


def read_tags(path: Path) -> Metadata:
    """Return what a file's own tags say: its title (else its name), its date, its length."""
    import av

    try:
        with av.open(str(path), metadata_errors="ignore", options={"format_whitelist": CONTAINERS}) as container:
            tags = {name.lower(): value for name, value in container.metadata.items()}
            stated = float(container.duration) / av.time_base if container.duration else None
    except (av.FFmpegError, ValueError) as error:
        raise InputError(
            f"{path} is not audio or video that we can read ({_reason(error)}): name another file"
        ) from error
    try:
        published = date.fromisoformat(tags.get("date", "")[:10])
    except ValueError:
        published = None
    title = " ".join(tags.get("title", "").split()) or path.stem
    return Metadata(title=title, published=published, duration=stated)


def _reason(error: Exception) -> str:
    """What the decoder says, without its number and our path."""
    return str(getattr(error, "strerror", None) or error)


def _find_stated(path: Path, container: Any, stream: Any) -> float | None:
    """The seconds that a file's header states; None where the length is only guessed from the file's size."""
    import av

    if container.format.name in {"mpegts", "aac", "hls"} or (container.format.name == "mp3" and not _has_length(path)):
        return None
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return float(container.duration) / av.time_base if container.duration is not None else None


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


def _decode(container: Any, stream: Any) -> tuple[float, int, int]:
    """The seconds that decode, the number of packets, and how many of them do not."""
    import av

    seconds, packets, damaged = 0.0, 0, 0
    packages = container.demux(stream)
    while True:
        try:
            packet = next(packages)
        except StopIteration:
            break
        except av.FFmpegError:  # the file ends in the middle of something: what came before counts
            damaged += 1
            break
        packets += packet.size > 0
        try:
            seconds += sum(frame.samples / frame.sample_rate for frame in packet.decode())
        except av.FFmpegError:
            damaged += 1
    return seconds, max(packets, 1), damaged
