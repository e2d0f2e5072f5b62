"""Write what is published of an episode in addition to its catalog: show notes, chapters and subtitles."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pipeline.core.extras import describe_installation
from pipeline.core.schema import Transcript
from pipeline.core.storage import atomic_write, write_bytes
from pipeline.publish import chapters as chapter_formats
from pipeline.publish import show_notes, subtitles
from pipeline.publish.chapters import Chapter
from pipeline.publish.rows import CatalogRow, title_of

# The copy of an episode's mp3 that carries its chapters.
TAGGED_AUDIO = "audio.mp3"


@dataclass(frozen=True, slots=True)
class PublishedEpisode:
    """What a format is made from: the episode's rows, its transcript, its chapters, and the description of its video.

    `duration` is in seconds; `video` is the schema.org description of the episode, an object for JSON.
    """

    rows: Sequence[CatalogRow]
    transcript: Transcript
    chapters: Sequence[Chapter]
    duration: float
    video: dict[str, Any]


# The files in addition to the catalog, and what returns the text of each: a new format is a line here.
FORMATS: Mapping[str, Callable[[PublishedEpisode], str]] = {
    "show-notes.txt": lambda episode: show_notes.format_text(episode.rows, episode.chapters),
    "show-notes.md": lambda episode: show_notes.format_markdown(episode.rows, episode.chapters),
    "show-notes.html": lambda episode: show_notes.format_html(episode.rows, episode.chapters, episode.video),
    "chapters-youtube.txt": lambda episode: chapter_formats.format_youtube(episode.chapters, episode.duration)[0],
    "chapters.json": lambda episode: chapter_formats.format_podcasting(episode.chapters),
    "chapters.vtt": lambda episode: chapter_formats.format_webvtt(episode.chapters),
    "chapters.psc.xml": lambda episode: chapter_formats.format_podlove(episode.chapters),
    "video.jsonld": lambda episode: show_notes.dump_json_ld(episode.video, indent=1) + "\n",
    "transcript.srt": lambda episode: subtitles.format_srt(episode.transcript),
    "transcript.vtt": lambda episode: subtitles.format_vtt(episode.transcript),
    "transcript.txt": lambda episode: subtitles.format_plain(episode.transcript),
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
    """Write the files of FORMATS to `folder`; with `audio`, an mp3, also a copy of it with ID3 chapters.

    With `include_review`, doubtful starts are published too. `warn` receives a message for each change that the rules
    of a format require. OSError where a file cannot be written; each file is then complete or as before.
    """
    chapters = chapter_formats.list_chapters(rows, include_review=include_review)
    # A caption file does not state the duration: the end of its last segment is the best estimate.
    duration = transcript.duration or max((segment.end for segment in transcript.segments), default=0.0)
    video = chapter_formats.describe_video(rows, chapters, transcript.duration)
    episode = PublishedEpisode(rows, transcript, chapters, duration, video)
    for name, format_episode in FORMATS.items():
        # A lone surrogate, half of a character, cannot be encoded: it becomes a question mark.
        write_bytes(folder / name, format_episode(episode).encode("utf-8", "replace"))
    for message in chapter_formats.format_youtube(chapters, duration)[1]:
        warn(f"chapters-youtube.txt: {message}")
    if audio is not None and find_spec("mutagen") is None:
        how = f"`{describe_installation('id3')}`, or set id3_chapters: false"
        warn(f"{TAGGED_AUDIO}: not written, as the extra `id3` is missing: {how}")
    elif audio is not None:
        with atomic_write(folder / TAGGED_AUDIO) as temporary:
            shutil.copyfile(audio, temporary)
            chapter_formats.write_id3(temporary, chapters, title_of(rows))
