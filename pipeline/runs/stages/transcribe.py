"""The stage `transcribe`: turn the audio into a transcript, or take the transcript or captions that exist."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from pipeline.core.errors import InputError
from pipeline.core.project import resolve_path
from pipeline.core.schema import Transcript
from pipeline.core.serialization import transcript_to_json
from pipeline.core.storage import sha256_of, write_json
from pipeline.download.captions import check_captions, fetch_captions
from pipeline.download.fetch_audio import make_fetch_policy
from pipeline.download.record import AUDIO_RECORD, Audio, read_audio, remove_previous_versions
from pipeline.download.retry import rate_limit
from pipeline.runs.job import EpisodeRun
from pipeline.runs.result import StageName
from pipeline.runs.stages.base import Stage, digest_output_of, installed_version
from pipeline.transcribe.models import find_own_model, list_weights
from pipeline.transcribe.transcriber import OPTIONS
from pipeline.transcribe.transcript_files import load_transcript
from pipeline.transcribe.transcript_times import check_against_audio

# The input that is the digest of a model's files.
WEIGHTS = "weights of the speech model"


def _list_inputs(run: EpisodeRun) -> dict[str, str]:
    audio = _find_audio(run)
    known = {"audio": audio.sha256} if audio else {}
    if (transcript := _find_transcript_file(run)) is not None:
        return {**known, "transcript file": run.state.digest(transcript)}
    if audio is None:
        raise _no_words(run)
    if (captions := _find_captions(run, audio)) is not None:
        return {"audio": audio.sha256, "captions": run.state.digest(captions)}
    return {
        "audio": audio.sha256,
        "speech model": run.show.model,
        **_describe_weights(run),
        "language": run.show.language or "",
        # Options that change the words; those that change only the speed are left out.
        "options": json.dumps(OPTIONS, sort_keys=True),
        "glossary": "; ".join(run.show.glossary) if run.show.retranscribe_on_glossary_change else "",
        # Another version may give other words for the same audio.
        "transcriber": f"faster-whisper {installed_version('faster-whisper')}",
    }


def _no_words(run: EpisodeRun) -> InputError:
    return InputError(f"{run.episode_id} has neither audio nor a transcript", "name one of them in its settings")


def _find_audio(run: EpisodeRun) -> Audio | None:
    """The downloaded audio; None for an episode of which there is a transcript only."""
    if run.config.source is None:
        return None
    digest_output_of(run, run.raw / AUDIO_RECORD, StageName.DOWNLOAD)
    # The record holds the digest of the audio: hundreds of megabytes need not be read.
    audio = read_audio(run.raw)
    if not audio.path.is_file():
        raise InputError(f"{audio.path} is missing", f"run `catalog download {run.episode_id} --force`")
    return audio


def _describe_weights(run: EpisodeRun) -> dict[str, str]:
    """The digest of the files of a model that people may exchange under the same name; the published ones are fixed."""
    folder = find_own_model(run.show.model, root=run.project.root)
    files = list_weights(folder) if folder is not None else []
    if not files:
        return {}
    digests = [f"{path.name} {run.state.digest(path, _digest_once)}" for path in files]
    weights = {WEIGHTS: hashlib.sha256("\n".join(digests).encode()).hexdigest()}
    # Version 0.1.0 did not record them: its transcripts count as made with the files of today.
    run.state.convert_inputs(
        StageName.TRANSCRIBE,
        lambda recorded: {**weights, **recorded} if recorded.get("speech model") == run.show.model else recorded,
    )
    return weights


def _digest_once(path: Path) -> str:
    """The digest of a large file, read once in a process for all episodes while it does not change."""
    status = path.stat()
    return _digest_file(path, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


@lru_cache(maxsize=64)
def _digest_file(path: Path, size: int, modified_ns: int, changed_ns: int) -> str:  # noqa: ARG001
    return sha256_of(path)


def _convert_inputs(recorded: Mapping[str, str]) -> Mapping[str, str]:
    """Rename the input that version 0.1.0 recorded as `recogniser`."""
    return {"transcriber" if name == "recogniser" else name: value for name, value in recorded.items()}


def _find_transcript_file(run: EpisodeRun) -> Path | None:
    """The transcript that the settings name in place of speech recognition."""
    if run.config.transcript is None:
        return None
    path = resolve_path(run.config.transcript, run.project.root)
    if not path.is_file():
        raise InputError(f"the transcript {path} is missing", "correct `transcript` in the episode's settings")
    return path


def _find_captions(run: EpisodeRun, audio: Audio) -> Path | None:
    """The publisher's captions, where the options ask for them and the source has any."""
    if run.config.source is None or not (run.options.captions or run.show.captions):
        return None
    return fetch_captions(
        run.config.source,
        run.config.entry,
        run.raw,
        root=run.project.root,
        policy=make_fetch_policy(run.show.download, run.project.root),
        language=run.show.language,
        audio_sha256=audio.sha256,
        offline=run.options.offline,
        limiter=rate_limit(run.project.turns, run.show.download.pause),
    )


def _list_outputs(run: EpisodeRun) -> list[Path]:
    return [run.project.transcript(run.episode_id)]


def _work(run: EpisodeRun) -> None:
    audio = _find_audio(run)
    checkpoints = run.project.transcript_checkpoints(run.episode_id)
    transcript = _make_transcript(run, audio, checkpoints)
    for remark in transcript.remarks:
        run.warn(remark)
    digest = audio.sha256 if audio else None
    write_json(run.project.transcript(run.episode_id), transcript_to_json(replace(transcript, audio_sha256=digest)))
    # Only once the transcript is on disk: until then a killed run continues from the checkpoints.
    shutil.rmtree(checkpoints, ignore_errors=True)
    remove_previous_versions(run.raw)


def _make_transcript(run: EpisodeRun, audio: Audio | None, checkpoints: Path) -> Transcript:
    """The transcript from the file that the settings name, from captions, or from the audio."""
    if (path := _find_transcript_file(run)) is not None:
        transcript = load_transcript(path)
        for warning in check_against_audio(transcript, audio.duration) if audio else ():
            run.warn(warning)
        return transcript
    if audio is None:
        raise _no_words(run)
    if (captions := _find_captions(run, audio)) is not None:
        transcript = replace(load_transcript(captions), source="captions")
        check_against_audio(transcript, audio.duration)
        for warning in check_captions(transcript, audio.duration):
            run.warn(warning)
        return transcript
    return run.transcriber.transcribe(
        audio.path,
        language=run.show.language,
        on_progress=run.reporter.stage_progress,
        checkpoints=checkpoints,
        whole=run.config.whole,
    )


STAGE = Stage(StageName.TRANSCRIBE, _list_inputs, _list_outputs, _work, _convert_inputs)
