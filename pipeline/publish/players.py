"""What plays an episode: the video or the file that its deep links lead to."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import parse_qs, urlsplit

from pipeline.core.urls import is_http_url

AUDIO_SUFFIXES = frozenset({".aac", ".flac", ".m4a", ".mp3", ".oga", ".ogg", ".opus", ".wav", ".weba"})
VIDEO_SUFFIXES = frozenset({".m4v", ".mov", ".mp4", ".ogv", ".webm"})
YOUTUBE_FRAME = "https://www.youtube-nocookie.com"
_YOUTUBE_HOSTS = frozenset(
    {"youtube.com", "www.youtube.com", "m.youtube.com", "music.youtube.com", "www.youtube-nocookie.com"}
)
_YOUTUBE_ID = re.compile(r"[\w-]{11}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Player:
    """`kind` is `youtube` (its address is the video's id), `audio`, `video`, or `none`: links open elsewhere."""

    kind: str
    address: str = ""

    @property
    def origin(self) -> str:
        """What a page's security policy must allow for it; empty where the page's own origin is enough."""
        if self.kind == "youtube":
            return YOUTUBE_FRAME
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{parts.netloc.lower()}" if parts.netloc else ""


def find_player(url: str | None) -> Player:
    """Return what plays at the end of a deep link: a YouTube video, an audio or video file, or nothing we can embed."""
    if not is_http_url(url):
        return Player("none")
    parts = urlsplit(str(url))
    video = _find_youtube_id(parts.netloc.lower(), parts.path, parts.query)
    if video:
        return Player("youtube", video)
    return file_player(parts._replace(fragment="").geturl(), parts.path)


def file_player(address: str, name: str) -> Player:
    """Return the player of a media file, told by the ending of its name; none for other endings."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in AUDIO_SUFFIXES:
        return Player("audio", address)
    return Player("video", address) if suffix in VIDEO_SUFFIXES else Player("none")


def _find_youtube_id(host: str, path: str, query: str) -> str | None:
    steps = [step for step in path.split("/") if step]
    if host == "youtu.be":
        found = steps[:1]
    elif host in _YOUTUBE_HOSTS and steps[:1] == ["watch"]:
        found = parse_qs(query).get("v", [])[:1]
    elif host in _YOUTUBE_HOSTS and steps[:1] and steps[0] in {"embed", "live", "shorts", "v"}:
        found = steps[1:2]
    else:
        found = []
    return found[0] if found and _YOUTUBE_ID.fullmatch(found[0]) else None
