"""The stage `download`: fetch the episode's audio into data/raw, with a record of where it came from."""

import hashlib
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path

from pipeline.core.errors import InputError
from pipeline.core.storage import read_json
from pipeline.core.urls import is_url, redact_url
from pipeline.download.fetch_audio import download_audio, find_source_file, make_fetch_policy
from pipeline.download.record import AUDIO_RECORD, read_audio, repair_record
from pipeline.download.retry import rate_limit
from pipeline.runs.job import EpisodeRun
from pipeline.runs.result import StageName
from pipeline.runs.stages.base import Stage


def _source_of(run: EpisodeRun) -> str:
    # The stage does not apply without a source.
    return run.config.source or ""


def _list_inputs(run: EpisodeRun) -> dict[str, str]:
    source, entry = _source_of(run), run.config.entry
    local = find_source_file(source, run.project.root)
    return {
        # The state file must hold no secret of a URL: the digest next to it still reveals any change.
        "source": redact_url(source),
        "exact source": hashlib.sha256("\n".join(filter(None, (source, entry))).encode()).hexdigest(),
        "source file": run.state.digest(local) if local else "",
        **({"entry": redact_url(entry)} if entry else {}),
    }


def _list_outputs(run: EpisodeRun) -> list[Path]:
    # Only the record knows the name of the audio file: its ending depends on the source.
    record = run.raw / AUDIO_RECORD
    try:
        return [record, read_audio(run.raw).path] if record.is_file() else [record]
    except InputError:
        # A damaged record names no audio; both are written again.
        return [record]


def _work(run: EpisodeRun) -> None:
    if _repair_record(run):
        return
    # One download at a time from all episodes that run at once, with a pause between two, to spare the hosts.
    networked = is_url(_source_of(run)) or run.config.entry is not None
    limiter = (
        rate_limit(run.project.turns, run.show.download.pause)
        if networked and not run.options.offline
        else nullcontext()
    )
    with limiter:
        download_audio(
            _source_of(run),
            run.raw,
            root=run.project.root,
            entry=run.config.entry,
            known_entry=_find_known_entry(run),
            duration=run.config.duration,
            whole=run.config.whole,
            policy=replace(make_fetch_policy(run.show.download, run.project.root), on_wait=run.warn),
            offline=run.options.offline,
            on_progress=run.reporter.stage_progress,
            warn=run.warn,
        )


def _find_known_entry(run: EpisodeRun) -> str | None:
    """Return the guid of the entry that was fetched with the same `source` and `entry`; None where that is unknown."""
    names = ("exact source", "entry")
    inputs, now = run.state.recorded_inputs("download") or {}, _list_inputs(run)
    if run.config.entry is None or any(inputs.get(name) != now.get(name) for name in names):
        return None
    with suppress(InputError):
        guid = read_json(run.raw / AUDIO_RECORD).get("entry")
        return guid if isinstance(guid, str) else None
    return None


def _repair_record(run: EpisodeRun) -> bool:
    """Write a damaged record of fetched audio again; return whether that makes a download unnecessary."""
    inputs, record = run.state.recorded_inputs("download"), run.raw / AUDIO_RECORD
    # The record of a local file needs no repair: copying the file again gives all of its facts.
    if inputs is None or not record.is_file() or (inputs.get("source file") and "entry" not in inputs):
        return False
    known = {path.name: digest for path, digest in run.state.recorded_outputs("download").items()}
    if run.state.digest(record) == known.get(AUDIO_RECORD):
        return False
    # A download needs the repaired record, too: it keeps the previous version of the audio that the record names.
    repaired = repair_record(record.parent, inputs.get("source", ""), known)
    if repaired is not None and repaired.warning:
        run.warn(repaired.warning)
    return repaired is not None and not run.options.force and inputs == _list_inputs(run)


STAGE = Stage(StageName.DOWNLOAD, _list_inputs, _list_outputs, _work, applies=lambda run: run.config.source is not None)
