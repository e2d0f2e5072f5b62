"""A publisher's metadata of an episode: title, date, chapters and more.

It is stored and compared with; no start is found from it.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from pipeline.core.text import clean_text
from pipeline.core.times import parse_time
from pipeline.core.urls import is_http_url, redact_url, redact_urls

# Characters. A line that names a chapter is short; on a long one the patterns would backtrack for minutes.
_MAX_LINE = 500

# Seconds; yt-dlp's durations from here on (11 days) are errors of a site.
_MAX_DURATION_S = 1e6

# A line that begins with a clock time.
_TIMED_LINE = re.compile(r"^\W*(?P<time>(?:\d{1,2}:)?\d{1,3}:[0-5]\d)\b[\s\W]*(?P<title>\S.*)$")

# A line that ends with a clock time.
_TIME_AT_END = re.compile(r"^\s*(?P<title>\S.*?)[\s\W]+(?P<time>(?:\d{1,2}:)?\d{1,3}:[0-5]\d)\W*$")


@dataclass(frozen=True, slots=True)
class StatedChapter:
    """A chapter in the publisher's metadata: its start in seconds, and its title."""

    start: float
    title: str


@dataclass(frozen=True, slots=True)
class Metadata:
    """A publisher's metadata; every field may be missing.

    Attributes:
        duration: the stated duration, in seconds.
        media_id: the id on a media page; None for an entry of a feed.
        page: the URL of the episode's page.
        language: the language spoken, as an IETF tag.
        entry: the guid within its feed.
        number: the publisher's episode number.
        link: a deep-link template with `{seconds}`.
        captions: the URL of the publisher's transcript.
    """

    title: str | None = None
    published: date | None = None
    duration: float | None = None
    media_id: str | None = None
    page: str | None = None
    language: str | None = None
    chapters: tuple[StatedChapter, ...] = ()
    description: str = ""
    entry: str | None = None
    number: int | None = None
    link: str | None = None
    captions: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the fields of `audio.json`: without missing values and without secrets."""
        record: dict[str, Any] = {
            "title": self.title,
            "published": self.published and self.published.isoformat(),
            "stated_duration": self.duration,
            "id": self.media_id,
            "page": self.page and redact_url(self.page),
            "entry": self.entry and redact_url(self.entry),
            "number": self.number,
            "spoken_language": self.language,
            "description": redact_urls(self.description),
            "chapters": [{"start": chapter.start, "title": chapter.title} for chapter in self.chapters],
            "description_times": [
                {"start": chapter.start, "title": chapter.title} for chapter in find_timestamps(self.description)
            ],
        }
        return {name: value for name, value in record.items() if value not in (None, "", [])}


def find_timestamps(description: str) -> tuple[StatedChapter, ...]:
    """Return the lines of a description that begin or end with a clock time, as chapters, in its order."""
    chapters = []
    for line in (line for line in description.splitlines() if len(line) <= _MAX_LINE):
        match = _TIMED_LINE.match(line) or _TIME_AT_END.match(line)
        if match:
            with suppress(ValueError):  # such as 1:75:00
                chapters.append(StatedChapter(parse_time(match["time"]), match["title"].strip()))
    return tuple(chapters)


def metadata_of_media(info: Mapping[str, Any]) -> Metadata:
    """Return the metadata in yt-dlp's description of one media page; all its other fields are ignored."""
    # For a bare media file yt-dlp gives the time of its upload, which is not a date of publication.
    direct = bool(info.get("direct"))
    chapters = [
        StatedChapter(float(chapter["start_time"]), str(chapter.get("title") or ""))
        for chapter in info.get("chapters") or []
        if isinstance(chapter.get("start_time"), (int, float))
    ]
    page = info.get("webpage_url") or info.get("original_url")
    return Metadata(
        title=_text(info.get("title")),
        published=None if direct else _published(info),
        duration=_seconds(info.get("duration")),
        media_id=_text(info.get("id")),
        page=_text(page),
        language=_text(info.get("language")),
        chapters=tuple(chapters),
        description=str(info.get("description") or ""),
        number=info.get("episode_number") if isinstance(info.get("episode_number"), int) else None,
        link=make_link(info),
    )


def make_link(info: Mapping[str, Any]) -> str | None:
    """Return the deep-link template that a page's player understands; None where none is known.

    YouTube and Vimeo take their own parameters; browsers seek in a bare file by a media fragment (W3C Media Fragments
    URI 1.0, `#t=`).
    """
    site, media_id = str(info.get("extractor_key") or ""), info.get("id")
    if site == "Youtube" and media_id:
        return f"https://www.youtube.com/watch?v={media_id}&t={{seconds}}s"
    page = str(info.get("webpage_url") or "")
    if site == "Vimeo" and page:
        return _escape_braces(page.partition("#")[0]) + "#t={seconds}s"
    if info.get("direct") and page:
        return make_media_link(page)
    return None


def make_media_link(url: str) -> str | None:
    """Return the deep-link template for a media file's URL; None where it holds secrets, or is not an http(s) URL."""
    bare = url.partition("#")[0]
    safe = is_http_url(bare) and redact_url(bare) == bare
    return None if not safe else _escape_braces(bare) + "#t={seconds}"


def _escape_braces(url: str) -> str:
    """Return a URL with its braces doubled, for use in a template."""
    return url.replace("{", "{{").replace("}", "}}")


def _text(value: object) -> str | None:
    return clean_text(str(value or "")) or None


def _seconds(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and 0 < value < _MAX_DURATION_S else None


def _published(info: Mapping[str, Any]) -> date | None:
    for name in ("release_date", "upload_date"):
        try:
            return datetime.strptime(str(info.get(name) or ""), "%Y%m%d").replace(tzinfo=UTC).date()
        except ValueError:
            continue
    stamp = info.get("release_timestamp") or info.get("timestamp")
    with suppress(ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(stamp, UTC).date() if isinstance(stamp, (int, float)) else None
    return None
