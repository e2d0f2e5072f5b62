"""Write what is published of an episode beside its catalog: show notes, chapters and subtitles."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pipeline.core.schema import Transcript
from pipeline.core.storage import atomic_write, write_bytes
from pipeline.publish import chapters as chapter_formats
from pipeline.publish import show_notes as notes
from pipeline.publish import subtitles
from pipeline.publish.chapters import Chapter
from pipeline.publish.rows import CatalogRow

TAGGED_AUDIO = "audio.mp3"


@dataclass(frozen=True, slots=True)
class Published:
    """What the published files of an episode are made of: its rows, what was said, the chapters and the video.

    `duration` is in seconds; `video` is the schema.org description of the episode, an object for JSON.
    """

    rows: Sequence[CatalogRow]
    transcript: Transcript
    chapters: Sequence[Chapter]
    duration: float
    video: dict[str, Any]


# The files beside the catalog, and what writes the text of each: a new format is a line here.
FORMATS: Mapping[str, Callable[[Published], str]] = {
    "show-notes.txt": lambda it: notes.format_text(it.rows, it.chapters),
    "show-notes.md": lambda it: notes.format_markdown(it.rows, it.chapters),
    "show-notes.html": lambda it: notes.format_html(it.rows, it.chapters, it.video),
    "chapters-youtube.txt": lambda it: chapter_formats.format_youtube(it.chapters, it.duration)[0],
    "chapters.json": lambda it: chapter_formats.format_podcasting(it.chapters),
    "chapters.vtt": lambda it: chapter_formats.format_webvtt(it.chapters),
    "chapters.psc.xml": lambda it: chapter_formats.format_podlove(it.chapters),
    "video.jsonld": lambda it: json.dumps(it.video, ensure_ascii=False, indent=1) + "\n",
    "transcript.srt": lambda it: subtitles.format_srt(it.transcript),
    "transcript.vtt": lambda it: subtitles.format_vtt(it.transcript),
    "transcript.txt": lambda it: subtitles.format_plain(it.transcript),
}


def publish_notes(
    rows: Sequence[CatalogRow],
    transcript: Transcript,
    folder: Path,
    *,
    include_review: bool = False,
    audio: Path | None = None,
    warn: Callable[[str], None],
) -> None:
    """Write the files of `FORMATS` to `folder`; with `audio`, also a copy of that mp3 with ID3 chapters.

    With `include_review` doubtful starts are published, too. `warn` is told what the rules of a format changed.
    OSError where the disk refuses; each file is whole or as before.
    """
    chapters = chapter_formats.list_chapters(rows, include_review=include_review)
    # A caption file says nothing of silence at the end; the last thing said is then the best we know.
    duration = transcript.duration or max((segment.end for segment in transcript.segments), default=0.0)
    video = chapter_formats.describe_video(rows, chapters, transcript.duration)
    published = Published(rows, transcript, chapters, duration, video)
    for name, write in FORMATS.items():
        # Half a character, as careless software cuts them, cannot be written: it becomes a question mark.
        write_bytes(folder / name, write(published).encode("utf-8", "replace"))
    for note in chapter_formats.format_youtube(chapters, duration)[1]:
        warn(f"chapters-youtube.txt: {note}")
    if audio is not None and find_spec("mutagen") is None:
        warn(f"{TAGGED_AUDIO}: not written, the extra `id3` is not installed (or set id3_chapters: false)")
    elif audio is not None:
        with atomic_write(folder / TAGGED_AUDIO) as temporary:
            shutil.copyfile(audio, temporary)
            chapter_formats.write_id3(temporary, chapters, rows[0].episode_title)
