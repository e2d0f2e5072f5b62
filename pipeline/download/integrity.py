"""Is a media file whole? Every packet is decoded, and the sound in it held against what is said of it."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipeline.core.audio_file import (
    CONTAINERS,
    SLACK_SHARE,
    Tally,
    check_complete,
    decode_audio,
    describe_decoder_error,
    is_truncated,
    open_audio,
    stated_duration,
)
from pipeline.core.errors import InputError
from pipeline.core.times import format_time
from pipeline.download.metadata import Metadata

# Feeds state durations by hand, and advertisements come and go: only a large part that is missing says something.
FEED_SLACK_SHARE = 0.2

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
    """What is in a media file: the seconds that decode and those that its header states, and how its packets decoded.

    `suffix` is the file's own ending where it fits what is in it, else one that does.
    """

    seconds: float
    stated: float | None
    suffix: str
    tally: Tally


def measure_audio(path: Path, shown: object = None) -> Sound:
    """Return what decodes of a file's sound; InputError, naming it as `shown`, where it holds none that we can read."""
    tally = Tally()
    with open_audio(path, shown) as (container, stream):
        stated = stated_duration(path, container, stream)
        seconds = sum(frame.samples / frame.sample_rate for frame in decode_audio(container, stream, tally))
        suffixes = _SUFFIXES.get(container.format.name, (path.suffix.lower(),))
    if not tally.frames:
        check_complete(shown or path, tally, seconds, None)
    own = path.suffix.lower()
    return Sound(seconds, stated, own if own in suffixes else suffixes[0], tally)


def check_audio(shown: object, sound: Sound, expected: float | None, *, roughly: bool = False) -> None:
    """Raise InputError where the sound is shorter than its file states, or than `expected` seconds, or is damaged.

    `roughly`: `expected` is a feed's word, which advertisements move.
    """
    check_complete(shown, sound.tally, sound.seconds, sound.stated)
    if expected is not None and is_truncated(sound.seconds, expected, FEED_SLACK_SHARE if roughly else SLACK_SHARE):
        raise InputError(
            f"{shown} is cut off: {format_time(sound.seconds)} of sound where the publisher states "
            f"{format_time(expected)}: fetch it again, or correct `duration` in the episode's settings"
        )


def read_tags(path: Path) -> Metadata:
    """Return what a file's own tags say: its title (else its name), its date, its length.

    InputError where it is no audio or video that we can read.
    """
    import av

    try:
        with av.open(str(path), metadata_errors="ignore", options={"format_whitelist": CONTAINERS}) as container:
            tags = {name.lower(): value for name, value in container.metadata.items()}
            stated = float(container.duration) / av.time_base if container.duration else None
    except (av.FFmpegError, ValueError) as error:
        raise InputError(
            f"{path} is not audio or video that we can read ({describe_decoder_error(error)}): name another file"
        ) from error
    try:
        published = date.fromisoformat(tags.get("date", "")[:10])
    except ValueError:
        published = None
    title = " ".join(tags.get("title", "").split()) or path.stem
    return Metadata(title=title, published=published, duration=stated)
