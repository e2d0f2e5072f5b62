"""The stages of an episode: for each what it depends on, what it writes, and the work itself."""

from importlib.util import find_spec
from pathlib import Path

from pipeline.core.schema import Episode
from pipeline.core.serialization import transcript_from_json
from pipeline.core.storage import read_record
from pipeline.core.version import __version__
from pipeline.download.record import AUDIO_RECORD, read_audio
from pipeline.publish.formats import FORMATS, TAGGED_AUDIO, publish_notes
from pipeline.publish.rows import build_rows
from pipeline.runs.history import find_latest_file, keep_state
from pipeline.runs.job import EpisodeRun
from pipeline.runs.stages.base import _need, _parse_alignment


def _publish_inputs(run: EpisodeRun) -> dict[str, str]:
    return {
        "alignment": _need(run, run.project.alignment(run.episode_id), "align"),
        "transcript": _need(run, run.project.transcript(run.episode_id), "transcribe"),
        # What appears in the rows, and nothing else: another model or glossary publishes nothing anew.
        "show": run.show.name,
        "title": run.config.title,
        "published date": str(run.config.published or ""),
        "link": run.config.link or run.show.link or "",
        "doubtful starts": "published" if run.options.include_review or run.show.include_review else "left out",
        "mp3 with chapters": (_need(run, tagged, "download") if (tagged := _find_mp3(run)) else ""),
        "episode-catalog": __version__,
    }


def _find_mp3(run: EpisodeRun) -> Path | None:
    """The episode's audio, where its chapters can be written into a copy of it."""
    folder = run.project.raw(run.episode_id)
    if not run.show.id3_chapters or not (folder / AUDIO_RECORD).is_file():
        return None
    path = read_audio(folder).path
    return path if path.suffix == ".mp3" and path.is_file() else None


def _publish_outputs(run: EpisodeRun) -> list[Path]:
    folder = run.project.notes(run.episode_id)
    # Without the extra no copy is written, and one that is missing must not be missed.
    tagged = [folder / TAGGED_AUDIO] if _find_mp3(run) and find_spec("mutagen") else []
    kept = [state] if (state := find_latest_file(run.project, run.episode_id)) else []
    return [run.project.catalog(run.episode_id), *(folder / name for name in FORMATS), *tagged, *kept]


def _publish(run: EpisodeRun) -> None:
    from pipeline.publish.tables import write_catalog

    features, alignment, provenance = read_record(run.project.alignment(run.episode_id), _parse_alignment)
    config = run.config
    episode = Episode(run.show.name, run.episode_id, config.title, config.published, config.link or run.show.link)
    rows = build_rows(episode, features, alignment, provenance)
    publish_notes(
        rows,
        read_record(run.project.transcript(run.episode_id), transcript_from_json),
        run.project.notes(run.episode_id),
        include_review=run.options.include_review or run.show.include_review,
        audio=_find_mp3(run),
        warn=run.warn,
    )
    # The state comes before the catalog: where rows are published, what they were can be told.
    keep_state(run.project, run.episode_id, rows)
    write_catalog(rows, run.project.catalog(run.episode_id))
    run.result.rows[run.episode_id] = rows
    run.result.written += [run.project.catalog(run.episode_id), run.project.notes(run.episode_id)]
