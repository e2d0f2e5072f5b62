"""Chapters of an episode in the formats that players read: YouTube, Podcasting 2.0, WebVTT, Podlove, ID3, schema.org.

All are pure functions from the catalog's rows to text, except for ID3, which is written into a file.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from pipeline.core.schema import Status
from pipeline.core.times import format_time, format_timestamp
from pipeline.core.urls import escape_url
from pipeline.publish.rows import CatalogRow, title_of

# The least number of chapters that YouTube shows; it ignores a list that breaks a rule, without a message.
YOUTUBE_FEWEST = 3

# The shortest chapter that YouTube accepts, in seconds.
YOUTUBE_SHORTEST_S = 10.0

# The longest title of a YouTube chapter, in characters.
YOUTUBE_LONGEST_TITLE = 100

# The longest description of a YouTube video, in bytes of UTF-8 (YouTube Data API, `snippet.description`).
YOUTUBE_LONGEST_DESCRIPTION = 5000

# The shortest that chapter titles are cut to where a description is too long, in characters.
YOUTUBE_SHORTEST_TITLE = 20

# The XML namespace of Podlove Simple Chapters.
PODLOVE = "http://podlove.org/simple-chapters"

# Most entries of an ID3 table of contents, whose count is one byte (ID3v2 Chapter Frame Addendum, 3.2).
ID3_MOST_ENTRIES = 255

# The shortest cue of WebVTT and SubRip, in seconds: players ignore a cue without a duration.
SHORTEST_CUE_S = 0.001

# Control codes, which XML 1.0 does not allow, not even escaped.
_XML_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Chapter:
    """A titled part of an episode, with its deep link; times are in seconds."""

    start: float
    end: float
    title: str
    url: str | None = None


def list_chapters(rows: Sequence[CatalogRow], *, include_review: bool = False) -> tuple[Chapter, ...]:
    """Return the chapters to publish, in order of time: confident and corrected starts, and on request doubtful ones.

    `include_review` adds the starts whose status is `review`.
    """
    published = {Status.CONFIDENT, Status.CORRECTED} | ({Status.REVIEW} if include_review else set())
    chapters = [
        Chapter(row.start_s, max(row.start_s, row.end_s or row.start_s), row.title, escape_url(row.url))
        for row in rows
        if row.status in published and row.start_s is not None
    ]
    return tuple(sorted(chapters, key=lambda chapter: chapter.start))


def format_youtube(chapters: Sequence[Chapter], duration: float) -> tuple[str, tuple[str, ...]]:
    """Return the lines for a video's description, and a message for each change that YouTube's rules require.

    The first chapter starts at 0:00, there are at least three, and none is shorter than 10 s: a shorter one is merged
    with the one before it. The text is empty where there are too few. Titles are cut where the description would be
    longer than YouTube saves. `duration` is the video's, in seconds.
    """
    merged, messages = _merge_short_chapters(chapters, duration)
    if merged and merged[0].start >= YOUTUBE_SHORTEST_S:
        merged.insert(0, Chapter(0.0, merged[0].start, "Intro"))
    elif merged:
        merged[0] = replace(merged[0], start=0.0)
    if len(merged) < YOUTUBE_FEWEST:
        few = f"no chapters are written: YouTube requires {YOUTUBE_FEWEST}, and there are {len(merged)}"
        return "", (*messages, few)
    text, too_long = _fit_description(merged)
    return text, (*messages, *too_long)


def _fit_description(chapters: Sequence[Chapter]) -> tuple[str, tuple[str, ...]]:
    """Return the lines of a description with titles as long as fit into it, and a message where they were cut."""

    def format_lines(longest: int) -> str:
        return "".join(f"{format_time(item.start)} {_format_youtube_title(item.title, longest)}\n" for item in chapters)

    def count_bytes(text: str) -> int:
        return len(text.encode("utf-8", "replace"))

    whole = format_lines(YOUTUBE_LONGEST_TITLE)
    if count_bytes(whole) <= YOUTUBE_LONGEST_DESCRIPTION:
        return whole, ()
    # The shorter the titles, the shorter the text.
    lengths = range(YOUTUBE_SHORTEST_TITLE, YOUTUBE_LONGEST_TITLE)
    fitting = bisect_right(lengths, YOUTUBE_LONGEST_DESCRIPTION, key=lambda length: count_bytes(format_lines(length)))
    longest = lengths[max(0, fitting - 1)]
    text = format_lines(longest)
    limit = f"YouTube saves {YOUTUBE_LONGEST_DESCRIPTION:,} bytes, and the chapters have {count_bytes(whole):,}"
    if count_bytes(text) > YOUTUBE_LONGEST_DESCRIPTION:
        return text, (f"too long for one description, also with titles of {longest} characters: {limit}",)
    return text, (f"titles are cut to {longest} characters: {limit}",)


def _merge_short_chapters(chapters: Sequence[Chapter], duration: float) -> tuple[list[Chapter], list[str]]:
    """Return chapters of at least 10 s in whole seconds, and a message for each merged one."""
    merged: list[Chapter] = []
    messages = []
    for chapter in chapters:
        ends_too_soon = duration - int(chapter.start) < YOUTUBE_SHORTEST_S
        if merged and (int(chapter.start) - int(merged[-1].start) < YOUTUBE_SHORTEST_S or ends_too_soon):
            title = f"{merged[-1].title} / {chapter.title}"
            merged[-1] = replace(merged[-1], end=chapter.end, title=title)
            messages.append(
                f"{format_time(chapter.start)} {chapter.title}: merged with the chapter before it, "
                f"since YouTube requires {YOUTUBE_SHORTEST_S:.0f} s for each"
            )
        else:
            merged.append(chapter)
    return merged, messages


def _format_youtube_title(title: str, longest: int) -> str:
    """Return a title in one line, without angle brackets: YouTube refuses a description that has them."""
    plain = " ".join(title.split()).replace("<", "‹").replace(">", "›")
    return plain if len(plain) <= longest else plain[: longest - 1].rstrip() + "…"


def format_podcasting(chapters: Sequence[Chapter]) -> str:
    """Return Podcasting 2.0 chapters, JSON version 1.2.0 (`application/json+chapters`)."""
    records = []
    for chapter in chapters:
        record: dict[str, Any] = {"startTime": chapter.start, "title": chapter.title}
        if chapter.end > chapter.start:
            record["endTime"] = chapter.end
        if chapter.url:
            record["url"] = chapter.url
        records.append(record)
    return json.dumps({"version": "1.2.0", "chapters": records}, ensure_ascii=False, indent=1) + "\n"


def format_webvtt(chapters: Sequence[Chapter]) -> str:
    """Return WebVTT for a `<track kind="chapters">`: a cue for each chapter, with the title as its text."""
    cues = ["WEBVTT"]
    for chapter in chapters:
        end = max(chapter.end, chapter.start + SHORTEST_CUE_S)
        cues.append(f"{format_timestamp(chapter.start)} --> {format_timestamp(end)}\n{escape_cue(chapter.title)}")
    return "\n\n".join(cues) + "\n"


def escape_cue(text: str) -> str:
    """Return a text for a WebVTT cue: in one line, its markup escaped."""
    return " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def format_podlove(chapters: Sequence[Chapter]) -> str:
    """Return Podlove Simple Chapters 1.2 (podlove.org/simple-chapters), as XML."""
    ElementTree.register_namespace("psc", PODLOVE)
    root = ElementTree.Element(f"{{{PODLOVE}}}chapters", version="1.2")
    for chapter in chapters:
        attributes = {"start": format_timestamp(chapter.start), "title": _XML_ILLEGAL.sub("", chapter.title)}
        if chapter.url:
            attributes["href"] = chapter.url
        ElementTree.SubElement(root, f"{{{PODLOVE}}}chapter", attributes)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def describe_video(rows: Sequence[CatalogRow], chapters: Sequence[Chapter], duration: float | None) -> dict[str, Any]:
    """Return schema.org's `VideoObject` with a `Clip` for each chapter; a clip without a deep link has no `url`."""
    published_on = rows[0].published_on if rows else None
    video: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "VideoObject",
        "name": title_of(rows),
        "description": "; ".join(chapter.title for chapter in chapters) or title_of(rows),
    }
    if published_on:
        video["uploadDate"] = published_on.isoformat()
    if duration:
        video["duration"] = f"PT{round(duration)}S"
    video["hasPart"] = [
        {
            "@type": "Clip",
            "name": chapter.title,
            "startOffset": int(chapter.start),
            # In whole seconds, a short clip would end where it starts.
            "endOffset": max(int(chapter.start) + 1, int(chapter.end)),
            **({"url": chapter.url} if chapter.url else {}),
        }
        for chapter in chapters
    ]
    return video


def write_id3(path: Path, chapters: Sequence[Chapter], title: str) -> None:
    """Write chapters (CHAP) and a table of contents (CTOC) named `title` into an mp3, in place of those it has."""
    from mutagen import id3, mp3

    # mutagen has no type annotations.
    frames: Any = id3
    files: Any = mp3
    audio = files.MP3(path)
    if audio.tags is None:
        audio.add_tags()
    # A player would show the publisher's chapters next to these.
    for name in ("CHAP", "CTOC"):
        audio.tags.delall(name)
    ids = [f"chp{number}" for number in range(len(chapters))]
    for contents in _build_contents(frames, ids, title):
        audio.tags.add(contents)
    for element_id, chapter in zip(ids, chapters, strict=True):
        start, end = round(chapter.start * 1000), round(chapter.end * 1000)
        heading = [frames.TIT2(text=[chapter.title])]
        audio.tags.add(frames.CHAP(element_id=element_id, start_time=start, end_time=end, sub_frames=heading))
    audio.save()


def _build_contents(frames: Any, ids: Sequence[str], title: str) -> list[Any]:
    """Return the tables of contents (CTOC) of chapters: the top one, before it those that it lists where it is full."""
    ordered = frames.CTOCFlags.ORDERED
    tables = []
    children = list(ids)
    if len(ids) > ID3_MOST_ENTRIES:
        parts = {
            f"toc{first}": children[first : first + ID3_MOST_ENTRIES] for first in range(0, len(ids), ID3_MOST_ENTRIES)
        }
        tables = [
            frames.CTOC(element_id=table, flags=ordered, child_element_ids=part, sub_frames=[])
            for table, part in parts.items()
        ]
        children = list(parts)
    flags, heading = frames.CTOCFlags.TOP_LEVEL | ordered, [frames.TIT2(text=[title])]
    return [*tables, frames.CTOC(element_id="toc", flags=flags, child_element_ids=children, sub_frames=heading)]
