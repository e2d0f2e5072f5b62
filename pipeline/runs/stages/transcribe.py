"""The stages of an episode: for each what it depends on, what it writes, and the work itself."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

from pipeline.core.errors import InputError
from pipeline.core.project import resolve_path
from pipeline.core.serialization import (
    transcript_to_json,
)
from pipeline.core.storage import write_json
from pipeline.download.captions import check_captions, fetch_captions
from pipeline.download.fetch_audio import make_fetch_policy
from pipeline.download.record import AUDIO_RECORD, Audio, read_audio, remove_previous_versions
from pipeline.download.retry import rate_limit
from pipeline.runs.job import EpisodeRun
from pipeline.runs.stages.base import _find_version, _need
from pipeline.transcribe.transcriber import OPTIONS
from pipeline.transcribe.transcript_files import load_transcript


def _transcribe_inputs(run: EpisodeRun) -> dict[str, str]:
    folder = run.project.raw(run.episode_id)
    _need(run, folder / AUDIO_RECORD, "download")
    # The digest of the audio stands beside it: hundreds of megabytes need not be read to know it.
    audio = read_audio(folder)
    if not audio.path.is_file():
        raise InputError(f"{audio.path} is missing: run `catalog download {run.episode_id} --force`")
    if (given := _find_transcript(run)) is not None:
        return {"audio": audio.sha256, "transcript file": run.state.digest(given)}
    if (captions := _find_captions(run, audio)) is not None:
        return {"audio": audio.sha256, "captions": run.state.digest(captions)}
    return {
        "audio": audio.sha256,
        "speech model": run.show.model,
        "language": run.show.language or "",
        # What changes the words; what changes only the speed is left out.
        "options": json.dumps(OPTIONS, sort_keys=True),
        "glossary": "; ".join(run.show.glossary) if run.show.retranscribe_on_glossary_change else "",
        # Another version may hear other words from the same sound.
        "recogniser": f"faster-whisper {_find_version('faster-whisper')}",
    }


def _find_transcript(run: EpisodeRun) -> Path | None:
    """The transcript that the settings name in place of speech recognition."""
    if run.config.transcript is None:
        return None
    path = resolve_path(run.config.transcript, run.project.root)
    if not path.is_file():
        raise InputError(f"the transcript {path} is not there: correct `transcript` in the episode's settings")
    return path


def _find_captions(run: EpisodeRun, audio: Audio) -> Path | None:
    """The publisher's captions, where they are asked for and there are any."""
    if not (run.options.captions or run.show.captions):
        return None
    return fetch_captions(
        run.config.source,
        run.config.entry,
        run.project.raw(run.episode_id),
        root=run.project.root,
        policy=make_fetch_policy(run.show.download, run.project.root),
        language=run.show.language,
        audio_sha256=audio.sha256,
        offline=run.options.offline,
        limiter=rate_limit(run.project.turns, run.show.download.pause),
    )


def _transcribe_outputs(run: EpisodeRun) -> list[Path]:
    return [run.project.transcript(run.episode_id)]


def _transcribe(run: EpisodeRun) -> None:
    audio = read_audio(run.project.raw(run.episode_id))
    checkpoints = run.project.transcript_checkpoints(run.episode_id)
    if (given := _find_transcript(run)) is not None:
        transcript = load_transcript(given)
    elif (captions := _find_captions(run, audio)) is not None:
        transcript = replace(load_transcript(captions), source="captions")
        for warning in check_captions(transcript, audio.duration):
            run.warn(warning)
    else:
        transcript = run.transcriber.transcribe(
            audio.path, language=run.show.language, on_progress=run.reporter.stage_progress, checkpoints=checkpoints
        )
    for remark in transcript.remarks:
        run.warn(remark)
    # The checkpoints and the old rendition go once the whole is on disk, and not before.
    record = transcript_to_json(replace(transcript, audio_sha256=audio.sha256))
    write_json(run.project.transcript(run.episode_id), record)
    shutil.rmtree(checkpoints, ignore_errors=True)
    remove_previous_versions(run.project.raw(run.episode_id))
