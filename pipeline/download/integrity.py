"""Check that a media file is complete: decode every packet, and compare the sound with the stated durations."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipeline.core.audio.file import (
    OPEN_OPTIONS,
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


def check_audio(shown: object, audio: DecodedAudio, written: float | None, *, whole: bool = False) -> None:
    """Raise InputError where the audio is damaged, or shorter than its header or the `written` seconds.

    `written` are the seconds that a person wrote into the settings; of `whole` audio only the damage is checked.
    """
    check_complete(shown, audio.tally, audio.seconds, None if whole else audio.stated)
    if written is not None and not whole and is_truncated(audio.seconds, written):
        raise InputError(
            f"{shown} is cut off: {format_time(audio.seconds)} of sound where `duration` in the episode's settings is "
            f"{format_time(written)}",
            "fetch it again, or correct `duration`",
        )


def compare_with_publisher(shown: object, audio: DecodedAudio, stated: float | None, *, from_feed: bool) -> str | None:
    """Return a warning where the audio is shorter than the publisher states; None where it is not.

    Publishers round durations, type them, and insert advertisements: a shorter file that decodes to its end is
    accepted. InputError where its last packet is cut as well. `from_feed`: FEED_SLACK_SHARE may be missing.
    """
    share = FEED_SLACK_SHARE if from_feed else SLACK_SHARE
    if stated is None or not is_truncated(audio.seconds, stated, share):
        return None
    shorter = f"{format_time(audio.seconds)} of sound where the publisher states {format_time(stated)}"
    if audio.tally.cut:
        raise InputError(
            f"{shown} is cut off: {shorter}, and it ends inside a packet",
            "fetch it again; if it is whole, write `whole: true` into the episode's settings",
        )
    return f"{shown} has {shorter}: check that it is whole"


def read_tags(path: Path) -> Metadata:
    """Return a media file's title (its name where it has no title tag), date, and the duration that its header proves.

    InputError where it is not audio or video that FFmpeg can read.
    """
    import av

    try:
        with av.open(str(path.absolute()), metadata_errors="ignore", options=OPEN_OPTIONS) as container:
            tags = {name.lower(): value for name, value in container.metadata.items()}
            streams = container.streams.audio
            stated = stated_duration(path, container, streams[0]) if streams else None
    except (av.FFmpegError, ValueError) as error:
        raise InputError(
            f"{path} is not audio or video that FFmpeg can read ({describe_decoder_error(error)})", "name another file"
        ) from error
    try:
        published = date.fromisoformat(tags.get("date", "")[:10])
    except ValueError:
        published = None
    title = " ".join(tags.get("title", "").split()) or path.stem
    return Metadata(title=title, published=published, duration=stated or None)
