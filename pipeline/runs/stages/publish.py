"""The stage `publish`: write the episode's catalog rows, show notes, chapters and subtitles."""

from importlib.util import find_spec
from pathlib import Path

from pipeline.core.schema import Episode
from pipeline.core.serialization import transcript_from_json
from pipeline.core.storage import read_record
from pipeline.core.version import __version__
from pipeline.download.record import AUDIO_RECORD, read_audio
from pipeline.publish.formats import FORMATS, TAGGED_AUDIO, publish_notes
from pipeline.publish.rows import build_rows
from pipeline.runs.history import find_latest_file, save_snapshot
from pipeline.runs.job import EpisodeRun
from pipeline.runs.result import StageName
from pipeline.runs.stages.base import Stage, digest_output_of, parse_found


def _list_inputs(run: EpisodeRun) -> dict[str, str]:
    return {
        "alignment": digest_output_of(run, run.project.alignment(run.episode_id), StageName.ALIGN),
        "transcript": digest_output_of(run, run.project.transcript(run.episode_id), StageName.TRANSCRIBE),
        # Of the settings only what appears in the rows: another glossary, for example, publishes nothing again.
        "show": run.show.name,
        "title": run.config.title,
        "published date": str(run.config.published or ""),
        "link": run.config.link or run.show.link or "",
        "doubtful starts": "published" if run.include_review else "left out",
        "mp3 with chapters": digest_output_of(run, mp3, StageName.DOWNLOAD) if (mp3 := _find_mp3(run)) else "",
        "episode-catalog": __version__,
    }


def _find_mp3(run: EpisodeRun) -> Path | None:
    """The episode's audio, where a copy of it can take ID3 chapters."""
    if run.config.source is None or not run.show.id3_chapters or not (run.raw / AUDIO_RECORD).is_file():
        return None
    path = read_audio(run.raw).path
    return path if path.suffix == ".mp3" and path.is_file() else None


def _list_outputs(run: EpisodeRun) -> list[Path]:
    folder = run.project.notes(run.episode_id)
    # Without mutagen (extra `id3`) no copy is written, so none can be missing.
    tagged = [folder / TAGGED_AUDIO] if _find_mp3(run) and find_spec("mutagen") else []
    history = [snapshot] if (snapshot := find_latest_file(run.project, run.episode_id)) else []
    return [run.project.catalog(run.episode_id), *(folder / name for name in FORMATS), *tagged, *history]


def _work(run: EpisodeRun) -> None:
    from pipeline.publish.tables import write_catalog

    features, alignment, provenance = read_record(run.project.alignment(run.episode_id), parse_found)
    config = run.config
    episode = Episode(run.show.name, run.episode_id, config.title, config.published, config.link or run.show.link)
    rows = build_rows(episode, features, alignment, provenance)
    publish_notes(
        rows,
        read_record(run.project.transcript(run.episode_id), transcript_from_json),
        run.project.notes(run.episode_id),
        include_review=run.include_review,
        audio=_find_mp3(run),
        warn=run.warn,
    )
    # The history comes first: every published catalog has its snapshot there.
    save_snapshot(run.project, run.episode_id, rows)
    write_catalog(rows, run.project.catalog(run.episode_id))
    run.result.rows[run.episode_id] = rows
    run.result.written += [run.project.catalog(run.episode_id), run.project.notes(run.episode_id)]


STAGE = Stage(StageName.PUBLISH, _list_inputs, _list_outputs, _work)
