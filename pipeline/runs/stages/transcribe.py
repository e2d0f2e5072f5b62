"""The stages of an episode: for each what it depends on, what it writes, and the work itself."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

from pipeline.core.errors import InputError
from pipeline.core.project import place_file
from pipeline.core.serialization import (
    transcript_to_json,
)
from pipeline.core.storage import write_json
from pipeline.download.captions import check_captions, keep_captions
from pipeline.download.fetch_audio import allow_access
from pipeline.download.record import METADATA, Audio, drop_renditions, read_audio
from pipeline.download.retry import take_turn
from pipeline.runs.job import Job
from pipeline.runs.stages.base import _find_version, _need
from pipeline.transcribe.transcriber import OPTIONS
from pipeline.transcribe.transcript_files import load_transcript


def _transcribe_inputs(job: Job) -> dict[str, str]:
    folder = job.project.raw(job.episode_id)
    _need(job, folder / METADATA, "download")
    # The digest of the audio stands beside it: hundreds of megabytes need not be read to know it.
    audio = read_audio(folder)
    if not audio.path.is_file():
        raise InputError(f"{audio.path} is missing: run `catalog download {job.episode_id} --force`")
    if (given := _find_transcript(job)) is not None:
        return {"audio": audio.sha256, "transcript file": job.state.digest(given)}
    if (captions := _find_captions(job, audio)) is not None:
        return {"audio": audio.sha256, "captions": job.state.digest(captions)}
    return {
        "audio": audio.sha256,
        "speech model": job.show.model,
        "language": job.show.language or "",
        # What changes the words; what changes only the speed is left out.
        "options": json.dumps(OPTIONS, sort_keys=True),
        "glossary": "; ".join(job.show.glossary) if job.show.retranscribe_on_glossary_change else "",
        # Another version may hear other words from the same sound.
        "recogniser": f"faster-whisper {_find_version('faster-whisper')}",
    }


def _find_transcript(job: Job) -> Path | None:
    """The transcript that the settings name in place of speech recognition."""
    if job.config.transcript is None:
        return None
    path = place_file(job.config.transcript, job.project.root)
    if not path.is_file():
        raise InputError(f"the transcript {path} is not there: correct `transcript` in the episode's settings")
    return path


def _find_captions(job: Job, audio: Audio) -> Path | None:
    """The publisher's captions, where they are asked for and there are any."""
    if not (job.options.captions or job.show.captions):
        return None
    return keep_captions(
        job.config.source,
        job.config.entry,
        job.project.raw(job.episode_id),
        root=job.project.root,
        access=allow_access(job.show.download, job.project.root),
        language=job.show.language,
        audio_sha256=audio.sha256,
        offline=job.options.offline,
        turn=take_turn(job.project.turns, job.show.download.pause),
    )


def _transcribe_outputs(job: Job) -> list[Path]:
    return [job.project.transcript(job.episode_id)]


def _transcribe(job: Job) -> None:
    audio = read_audio(job.project.raw(job.episode_id))
    checkpoints = job.project.transcript_checkpoints(job.episode_id)
    if (given := _find_transcript(job)) is not None:
        transcript = load_transcript(given)
    elif (captions := _find_captions(job, audio)) is not None:
        transcript = replace(load_transcript(captions), source="captions")
        for warning in check_captions(transcript, audio.duration):
            job.warn(warning)
    else:
        transcript = job.transcriber.transcribe(
            audio.path, language=job.show.language, on_progress=job.reporter.stage_progress, checkpoints=checkpoints
        )
    for remark in transcript.remarks:
        job.warn(remark)
    # The checkpoints and the old rendition go once the whole is on disk, and not before.
    record = transcript_to_json(replace(transcript, audio_sha256=audio.sha256))
    write_json(job.project.transcript(job.episode_id), record)
    shutil.rmtree(checkpoints, ignore_errors=True)
    drop_renditions(job.project.raw(job.episode_id))
