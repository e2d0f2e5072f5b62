"""Write what is published of an episode beside its catalog: show notes, chapters and subtitles."""

import json
import shutil
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

from pipeline import chapters as chapter_formats
from pipeline import notes, subtitles
from pipeline.catalog import CatalogRow
from pipeline.schema import Transcript
from pipeline.storage import write_bytes, write_whole

NOTES = (
    "show-notes.txt",
    "show-notes.md",
    "show-notes.html",
    "chapters-youtube.txt",
    "chapters.json",
    "chapters.vtt",
    "chapters.psc.xml",
    "video.jsonld",
    "transcript.srt",
    "transcript.vtt",
    "transcript.txt",
)
TAGGED_AUDIO = "audio.mp3"


def publish_notes(
    rows: Sequence[CatalogRow],
    transcript: Transcript,
    folder: Path,
    *,
    include_review: bool = False,
    audio: Path | None = None,
    warn: Callable[[str], None],
) -> None:
    """Write the files of `NOTES` to `folder`; with `audio`, also a copy of that mp3 with ID3 chapters.

    `warn` is told what the rules of a format changed.
    """
    chapters = chapter_formats.list_chapters(rows, include_review=include_review)
    duration = transcript.duration or max((segment.end for segment in transcript.segments), default=0.0)
    video = chapter_formats.describe_video(rows, chapters, transcript.duration)
    youtube, odd = chapter_formats.write_youtube(chapters, duration)
    texts = (
        notes.write_text(rows, chapters),
        notes.write_markdown(rows, chapters),
        notes.write_html(rows, chapters, video),
        youtube,
        chapter_formats.write_podcasting(chapters),
        chapter_formats.write_webvtt(chapters),
        chapter_formats.write_podlove(chapters),
        json.dumps(video, ensure_ascii=False, indent=1) + "\n",
        subtitles.write_srt(transcript),
        subtitles.write_vtt(transcript),
        subtitles.write_plain(transcript),
    )
    for name, text in zip(NOTES, texts, strict=True):
        write_bytes(folder / name, text.encode("utf-8", "replace"))
    for note in odd:
        warn(f"chapters-youtube.txt: {note}")
    if audio is not None and find_spec("mutagen") is None:
        warn(f"{TAGGED_AUDIO}: not written, the extra `id3` is not installed (or set id3_chapters: false)")
    elif audio is not None:
        with write_whole(folder / TAGGED_AUDIO) as temporary:
            shutil.copyfile(audio, temporary)
            chapter_formats.write_id3(temporary, chapters, rows[0].episode_title)
