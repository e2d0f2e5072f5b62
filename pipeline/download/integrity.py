"""Check that a media file is complete: decode every packet, and compare the sound with the stated durations."""

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

# The share of a feed's stated duration that may be missing: feeds round it, and advertisements come and go.
FEED_SLACK_SHARE = 0.2

# The suffixes that fit a container (by FFmpeg's name), the usual one first.
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
class DecodedAudio:
    """What a media file holds.

    Attributes:
        seconds: the sound that decodes.
        stated: the seconds that the file's header states; None where it states none.
        suffix: the file's own suffix where it fits the container, else the container's usual one.
        tally: how many packets decoded, and how many did not.
    """

    seconds: float
    stated: float | None
    suffix: str
    tally: Tally


def measure_audio(path: Path, shown: object = None) -> DecodedAudio:
    """Decode all of a file's sound; InputError, naming it as `shown`, where none decodes."""
    tally = Tally()
    with open_audio(path, shown) as (container, stream):
        stated = stated_duration(path, container, stream)
        seconds = sum(frame.samples / frame.sample_rate for frame in decode_audio(container, stream, tally))
        suffixes = _SUFFIXES.get(container.format.name, (path.suffix.lower(),))
    if not tally.frames:
        check_complete(shown or path, tally, seconds, None)
    own = path.suffix.lower()
    return DecodedAudio(seconds, stated, own if own in suffixes else suffixes[0], tally)


def check_audio(shown: object, audio: DecodedAudio, expected: float | None, *, from_feed: bool = False) -> None:
    """Raise InputError where the audio is damaged, or shorter than its header or the `expected` seconds.

    `from_feed`: `expected` is a feed's stated duration, of which FEED_SLACK_SHARE may be missing.
    """
    check_complete(shown, audio.tally, audio.seconds, audio.stated)
    if expected is not None and is_truncated(audio.seconds, expected, FEED_SLACK_SHARE if from_feed else SLACK_SHARE):
        raise InputError(
            f"{shown} is cut off: {format_time(audio.seconds)} of sound where the publisher states "
            f"{format_time(expected)}",
            "fetch it again, or correct `duration` in the episode's settings",
        )


def read_tags(path: Path) -> Metadata:
    """Return a media file's title (its name where it has no title tag), date and duration.

    InputError where it is not audio or video that FFmpeg can read.
    """
    import av

    try:
        with av.open(str(path), metadata_errors="ignore", options={"format_whitelist": CONTAINERS}) as container:
            tags = {name.lower(): value for name, value in container.metadata.items()}
            stated = float(container.duration) / av.time_base if container.duration else None
    except (av.FFmpegError, ValueError) as error:
        raise InputError(
            f"{path} is not audio or video that FFmpeg can read ({describe_decoder_error(error)})", "name another file"
        ) from error
    try:
        published = date.fromisoformat(tags.get("date", "")[:10])
    except ValueError:
        published = None
    title = " ".join(tags.get("title", "").split()) or path.stem
    return Metadata(title=title, published=published, duration=stated)
