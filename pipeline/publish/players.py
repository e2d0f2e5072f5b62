"""Choose what plays an episode on a page: the video or the file that its deep links lead to."""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from urllib.parse import parse_qs, urlsplit

from pipeline.core.urls import is_http_url

# Endings of the files that browsers play in an <audio> element.
AUDIO_SUFFIXES = frozenset({".aac", ".flac", ".m4a", ".mp3", ".oga", ".ogg", ".opus", ".wav", ".weba"})

# Endings of the files that browsers play in a <video> element.
VIDEO_SUFFIXES = frozenset({".m4v", ".mov", ".mp4", ".ogv", ".webm"})

# The origin of YouTube's embedded player, the variant that sets no cookies before a video plays.
YOUTUBE_FRAME = "https://www.youtube-nocookie.com"

# Hosts whose pages show a YouTube video; youtu.be has another form of link.
_YOUTUBE_HOSTS = frozenset(
    {"youtube.com", "www.youtube.com", "m.youtube.com", "music.youtube.com", "www.youtube-nocookie.com"}
)

# The first step of a path such as /live/dQw4w9WgXcQ, where the second is a video's id.
_YOUTUBE_STEPS = frozenset({"embed", "live", "shorts", "v"})

_YOUTUBE_ID = re.compile(r"[\w-]{11}", re.ASCII)


class PlayerKind(StrEnum):
    """How a page plays an episode; with `NONE` it does not, and its links open elsewhere."""

    YOUTUBE = "youtube"
    AUDIO = "audio"
    VIDEO = "video"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Player:
    """What plays an episode: `source` is a file's URL, or path in the site's folder, or the id of a YouTube video."""

    kind: PlayerKind
    source: str = ""

    @property
    def origin(self) -> str:
        """The origin that a page's security policy must allow; empty for a file of the site itself."""
        if self.kind is PlayerKind.YOUTUBE:
            return YOUTUBE_FRAME
        parts = urlsplit(self.source)
        return f"{parts.scheme}://{parts.netloc.lower()}" if parts.netloc else ""


NO_PLAYER = Player(PlayerKind.NONE)


def find_player(url: str | None) -> Player:
    """Return the player of a deep link: a YouTube video, an audio or video file, or NO_PLAYER for any other page."""
    if not is_http_url(url):
        return NO_PLAYER
    parts = urlsplit(str(url))
    video_id = _find_youtube_id(parts.netloc.lower(), parts.path, parts.query)
    if video_id:
        return Player(PlayerKind.YOUTUBE, video_id)
    return find_file_player(parts._replace(fragment="").geturl(), parts.path)


def find_file_player(source: str, name: str) -> Player:
    """Return the player of a media file, by the ending of its name; NO_PLAYER for other endings."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in AUDIO_SUFFIXES:
        return Player(PlayerKind.AUDIO, source)
    return Player(PlayerKind.VIDEO, source) if suffix in VIDEO_SUFFIXES else NO_PLAYER


def _find_youtube_id(host: str, path: str, query: str) -> str | None:
    steps = [step for step in path.split("/") if step]
    if host == "youtu.be":
        ids = steps[:1]
    elif host in _YOUTUBE_HOSTS and steps[:1] == ["watch"]:
        ids = parse_qs(query).get("v", [])[:1]
    elif host in _YOUTUBE_HOSTS and steps and steps[0] in _YOUTUBE_STEPS:
        ids = steps[1:2]
    else:
        ids = []
    return ids[0] if ids and _YOUTUBE_ID.fullmatch(ids[0]) else None
