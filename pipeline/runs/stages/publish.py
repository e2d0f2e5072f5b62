"""The stages of an episode: for each what it depends on, what it writes, and the work itself."""

from importlib.util import find_spec
from pathlib import Path

from pipeline.core.schema import Episode
from pipeline.core.serialization import transcript_from_json
from pipeline.core.storage import read_record
from pipeline.core.version import __version__
from pipeline.download.record import METADATA, read_audio
from pipeline.publish.formats import FORMATS, TAGGED_AUDIO, publish_notes
from pipeline.publish.rows import build_rows
from pipeline.runs.history import find_latest_file, keep_state
from pipeline.runs.job import Job
from pipeline.runs.stages.base import _need, _parse_alignment


def _publish_inputs(job: Job) -> dict[str, str]:
    return {
        "alignment": _need(job, job.project.alignment(job.episode_id), "align"),
        "transcript": _need(job, job.project.transcript(job.episode_id), "transcribe"),
        # What appears in the rows, and nothing else: another model or glossary publishes nothing anew.
        "show": job.show.name,
        "title": job.config.title,
        "published date": str(job.config.published or ""),
        "link": job.config.link or job.show.link or "",
        "doubtful starts": "published" if job.options.include_review or job.show.include_review else "left out",
        "mp3 with chapters": (_need(job, tagged, "download") if (tagged := _find_mp3(job)) else ""),
        "episode-catalog": __version__,
    }


def _find_mp3(job: Job) -> Path | None:
    """The episode's audio, where its chapters can be written into a copy of it."""
    folder = job.project.raw(job.episode_id)
    if not job.show.id3_chapters or not (folder / METADATA).is_file():
        return None
    path = read_audio(folder).path
    return path if path.suffix == ".mp3" and path.is_file() else None


def _publish_outputs(job: Job) -> list[Path]:
    folder = job.project.notes(job.episode_id)
    # Without the extra no copy is written, and one that is missing must not be missed.
    tagged = [folder / TAGGED_AUDIO] if _find_mp3(job) and find_spec("mutagen") else []
    kept = [state] if (state := find_latest_file(job.project, job.episode_id)) else []
    return [job.project.catalog(job.episode_id), *(folder / name for name in FORMATS), *tagged, *kept]


def _publish(job: Job) -> None:
    from pipeline.publish.tables import write_catalog

    features, alignment, provenance = read_record(job.project.alignment(job.episode_id), _parse_alignment)
    config = job.config
    episode = Episode(job.show.name, job.episode_id, config.title, config.published, config.link or job.show.link)
    rows = build_rows(episode, features, alignment, provenance)
    publish_notes(
        rows,
        read_record(job.project.transcript(job.episode_id), transcript_from_json),
        job.project.notes(job.episode_id),
        include_review=job.options.include_review or job.show.include_review,
        audio=_find_mp3(job),
        warn=job.warn,
    )
    # The state comes before the catalog: where rows are published, what they were can be told.
    keep_state(job.project, job.episode_id, rows)
    write_catalog(rows, job.project.catalog(job.episode_id))
    job.result.rows[job.episode_id] = rows
    job.result.written += [job.project.catalog(job.episode_id), job.project.notes(job.episode_id)]
