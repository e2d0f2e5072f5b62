"""Chapters of an episode in the formats players read: YouTube, Podcasting 2.0, WebVTT, Podlove, ID3, schema.org.

All are pure functions from the catalog's rows to text, but for ID3, which is written into a file.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from pipeline.core.schema import Status
from pipeline.core.times import format_time, format_timestamp
from pipeline.publish.rows import CatalogRow

# What YouTube asks of a list of chapters in a description; one that breaks a rule is ignored in silence.
YOUTUBE_FEWEST = 3
YOUTUBE_SHORTEST_S = 10.0
YOUTUBE_LONGEST_TITLE = 100
PODLOVE = "http://podlove.org/simple-chapters"

# A table of contents counts its entries in one byte (ID3v2 Chapter Frame Addendum, 3.2).
ID3_MOST_ENTRIES = 255

# Control codes cannot be written in XML 1.0, not even escaped.
_XML_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Chapter:
    """A stretch of an episode with a title, in seconds, and its deep link."""

    start: float
    end: float
    title: str
    url: str | None = None


def list_chapters(rows: Sequence[CatalogRow], *, include_review: bool = False) -> tuple[Chapter, ...]:
    """Return the starts fit to publish, in order of time: confident and corrected ones, others only if asked for."""
    trusted = {Status.CONFIDENT, Status.CORRECTED} | ({Status.REVIEW} if include_review else set())
    chapters = [
        Chapter(row.start_s, max(row.start_s, row.end_s or row.start_s), row.title, row.url)
        for row in rows
        if row.status in trusted and row.start_s is not None
    ]
    return tuple(sorted(chapters, key=lambda chapter: chapter.start))


def format_youtube(chapters: Sequence[Chapter], duration: float) -> tuple[str, tuple[str, ...]]:
    """Return the lines for a video's description, and notes on what its rules changed; no lines where they cannot hold.

    The first chapter starts at 0:00, there are three or more, and none is shorter than 10 s: shorter ones are merged.
    """
    notes: list[str] = []
    merged: list[Chapter] = []
    for chapter in chapters:
        too_late = duration - int(chapter.start) < YOUTUBE_SHORTEST_S
        if merged and (int(chapter.start) - int(merged[-1].start) < YOUTUBE_SHORTEST_S or too_late):
            before = merged[-1]
            merged[-1] = Chapter(before.start, chapter.end, f"{before.title} / {chapter.title}", before.url)
            notes.append(f"{format_time(chapter.start)} {chapter.title}: merged, YouTube wants 10 s for each chapter")
        else:
            merged.append(chapter)
    if merged and merged[0].start >= YOUTUBE_SHORTEST_S:
        merged.insert(0, Chapter(0.0, merged[0].start, "Intro"))
    elif merged:
        merged[0] = Chapter(0.0, merged[0].end, merged[0].title, merged[0].url)
    if len(merged) < YOUTUBE_FEWEST:
        return "", (*notes, f"{len(merged)} chapters: YouTube wants {YOUTUBE_FEWEST} or more, so none are written")
    lines = [f"{format_time(chapter.start)} {_youtube_title(chapter.title)}" for chapter in merged]
    return "\n".join(lines) + "\n", tuple(notes)


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
    """Return WebVTT for a `<track kind="chapters">`: a cue a chapter, its text the title."""
    cues = ["WEBVTT"]
    for chapter in chapters:
        # A cue of no length is none.
        end = max(chapter.end, chapter.start + 0.001)
        cues.append(f"{format_timestamp(chapter.start)} --> {format_timestamp(end)}\n{escape_cue(chapter.title)}")
    return "\n\n".join(cues) + "\n"


def format_podlove(chapters: Sequence[Chapter]) -> str:
    """Return Podlove Simple Chapters 1.2 (podlove.org/simple-chapters), as XML."""
    ElementTree.register_namespace("psc", PODLOVE)
    root = ElementTree.Element(f"{{{PODLOVE}}}chapters", version="1.2")
    for chapter in chapters:
        marks = {"start": format_timestamp(chapter.start), "title": _XML_ILLEGAL.sub("", chapter.title)}
        if chapter.url:
            marks["href"] = chapter.url
        ElementTree.SubElement(root, f"{{{PODLOVE}}}chapter", marks)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def describe_video(rows: Sequence[CatalogRow], chapters: Sequence[Chapter], duration: float | None) -> dict[str, Any]:
    """Return schema.org's `VideoObject` with a `Clip` for each chapter; a clip without a deep link has no `url`."""
    first = rows[0]
    video: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "VideoObject",
        "name": first.episode_title,
        "description": "; ".join(chapter.title for chapter in chapters) or first.episode_title,
    }
    if first.published_on:
        video["uploadDate"] = first.published_on.isoformat()
    if duration:
        video["duration"] = f"PT{round(duration)}S"
    video["hasPart"] = [
        {
            "@type": "Clip",
            "name": chapter.title,
            "startOffset": int(chapter.start),
            # Whole seconds, of which a short clip may have none left.
            "endOffset": max(int(chapter.start) + 1, int(chapter.end)),
            **({"url": chapter.url} if chapter.url else {}),
        }
        for chapter in chapters
    ]
    return video


def write_id3(path: Path, chapters: Sequence[Chapter], title: str) -> None:
    """Write chapters (CHAP) and their table of contents (CTOC) into the mp3 at `path`, in place of those it has.

    Of more chapters than one table may name there are several tables, and one above them.
    """
    from mutagen import id3, mp3

    # mutagen carries no types.
    frames: Any = id3
    files: Any = mp3
    audio = files.MP3(path)
    if audio.tags is None:
        audio.add_tags()
    # Chapters of the publisher would stand beside ours, at other times.
    for name in ("CHAP", "CTOC"):
        audio.tags.delall(name)
    names = [f"chp{number}" for number in range(len(chapters))]
    ordered, listed = frames.CTOCFlags.ORDERED, names
    if len(names) > ID3_MOST_ENTRIES:
        tables = {
            f"toc{first}": names[first : first + ID3_MOST_ENTRIES] for first in range(0, len(names), ID3_MOST_ENTRIES)
        }
        for table, part in tables.items():
            audio.tags.add(frames.CTOC(element_id=table, flags=ordered, child_element_ids=part, sub_frames=[]))
        listed = list(tables)
    flags, contents = frames.CTOCFlags.TOP_LEVEL | ordered, [frames.TIT2(text=[title])]
    audio.tags.add(frames.CTOC(element_id="toc", flags=flags, child_element_ids=listed, sub_frames=contents))
    for name, chapter in zip(names, chapters, strict=True):
        start, end = round(chapter.start * 1000), round(chapter.end * 1000)
        heading = [frames.TIT2(text=[chapter.title])]
        audio.tags.add(frames.CHAP(element_id=name, start_time=start, end_time=end, sub_frames=heading))
    audio.save()


def escape_cue(text: str) -> str:
    """Return text fit for a WebVTT cue: one line, and no markup."""
    return " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _youtube_title(title: str) -> str:
    """A title of one line, without the angle brackets that a description must not have."""
    plain = " ".join(title.split()).replace("<", "‹").replace(">", "›")
    return plain if len(plain) <= YOUTUBE_LONGEST_TITLE else plain[: YOUTUBE_LONGEST_TITLE - 1] + "…"
