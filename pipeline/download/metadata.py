"""What a publisher says of an episode: title, date, chapters and more. Kept and compared, never predicted from."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from pipeline.core.text import clean_text
from pipeline.core.times import parse_time
from pipeline.core.urls import is_http_url, redact_url, redact_urls


@dataclass(frozen=True, slots=True)
class StatedChapter:
    """A chapter as the publisher states it: its start in seconds, and its title."""

    start: float
    title: str


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the publisher says; everything may be missing. `link` is a deep-link template with `{seconds}`.

    `entry` identifies the episode within its feed (its guid), `number` is the one the publisher counts it by,
    `captions` the address of the publisher's transcript.
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
        """Return what is kept beside the audio: only what is known, no secret in it."""
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


# A line that names a chapter is short; in a longer one the patterns would search for minutes.
_LONGEST_LINE = 500
_TIMED_LINE = re.compile(r"^\W*(?P<time>(?:\d{1,2}:)?\d{1,3}:[0-5]\d)\b[\s\W]*(?P<title>\S.*)$")
_TIME_AT_END = re.compile(r"^\s*(?P<title>\S.*?)[\s\W]+(?P<time>(?:\d{1,2}:)?\d{1,3}:[0-5]\d)\W*$")


def find_timestamps(description: str) -> tuple[StatedChapter, ...]:
    """Return the times that lines of a description begin or end with, and what they stand beside, in its order."""
    found = []
    for line in (line for line in description.splitlines() if len(line) <= _LONGEST_LINE):
        match = _TIMED_LINE.match(line) or _TIME_AT_END.match(line)
        if match:
            with suppress(ValueError):  # 1:75:00 is no time
                found.append(StatedChapter(parse_time(match["time"]), match["title"].strip()))
    return tuple(found)


def metadata_of_media(info: Mapping[str, Any]) -> Metadata:
    """Return what yt-dlp found out about one media page; of its fields only these are taken."""
    # Of a bare media file yt-dlp knows its name and when it was put on the server, which is no date of publication.
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

    YouTube and Vimeo take their own parameters; browsers seek in a bare file by a media fragment (W3C Media Fragments).
    """
    site, media_id = str(info.get("extractor_key") or ""), info.get("id")
    if site == "Youtube" and media_id:
        return f"https://www.youtube.com/watch?v={media_id}&t={{seconds}}s"
    page = str(info.get("webpage_url") or "")
    if site == "Vimeo" and page:
        return escape_link(page.partition("#")[0]) + "#t={seconds}s"
    if info.get("direct") and page:
        return make_media_link(page)
    return None


def make_media_link(url: str) -> str | None:
    """Return the deep-link template for a media file's own address; None where it holds secrets, or is no http(s)."""
    bare = url.partition("#")[0]
    safe = is_http_url(bare) and redact_url(bare) == bare
    return None if not safe else escape_link(bare) + "#t={seconds}"


def escape_link(url: str) -> str:
    """Return an address that a template takes as it is."""
    return url.replace("{", "{{").replace("}", "}}")


def _text(value: object) -> str | None:
    return clean_text(str(value or "")) or None


def _seconds(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and 0 < value < 1e6 else None


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
