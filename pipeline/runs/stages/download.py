"""The stages of an episode: for each what it depends on, what it writes, and the work itself."""

import hashlib
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from pipeline.core.errors import InputError
from pipeline.core.urls import is_url, redact_url
from pipeline.download.fetch_audio import download_audio, find_source_file, make_fetch_policy
from pipeline.download.record import AUDIO_RECORD, read_audio
from pipeline.download.retry import rate_limit
from pipeline.runs.job import EpisodeRun


def _download_inputs(run: EpisodeRun) -> dict[str, str]:
    local = find_source_file(run.config.source, run.project.root)
    source, entry = run.config.source, run.config.entry
    return {
        # The record must not keep what an address holds of secrets, and still notice any change of it.
        "source": redact_url(source),
        "exact source": hashlib.sha256("\n".join(filter(None, (source, entry))).encode()).hexdigest(),
        "source file": run.state.digest(local) if local else "",
        **({"entry": redact_url(entry)} if entry else {}),
    }


def _download_outputs(run: EpisodeRun) -> list[Path]:
    # The name of the audio is only known once it was fetched: it stands in the metadata.
    metadata_file = run.project.raw(run.episode_id) / AUDIO_RECORD
    if not metadata_file.is_file():
        return [metadata_file]
    try:
        return [metadata_file, read_audio(metadata_file.parent).path]
    except InputError:
        # Nothing can be read there: it was harmed, and what it is to name is made again with it.
        return [metadata_file]


def _mend_record(run: EpisodeRun) -> bool:
    """Make a harmed record of fetched audio again; False where there is more to do, which a download must."""
    inputs, record = run.state.recorded_inputs("download"), run.project.raw(run.episode_id) / AUDIO_RECORD
    # A file of this machine is at hand, and all that its record says is found out from it again.
    if inputs is None or not record.is_file() or (inputs.get("source file") and "entry" not in inputs):
        return False
    known = {path.name: digest for path, digest in run.state.recorded_outputs("download").items()}
    if run.state.digest(record) == known.get(AUDIO_RECORD):
        return False
    from pipeline.download.record import repair_record

    # Before a download, too: it keeps the rendition that it replaces, if it can read what that is.
    told = repair_record(record.parent, inputs.get("source", ""), known)
    if told:
        run.warn(told)
    return told is not None and not run.options.force and inputs == _download_inputs(run)


def _download(run: EpisodeRun) -> None:
    if _mend_record(run):
        return
    # Hosts are asked one episode at a time, however many are under way here.
    networked = is_url(run.config.source) or run.config.entry is not None
    turn = (
        rate_limit(run.project.turns, run.show.download.pause)
        if networked and not run.options.offline
        else nullcontext()
    )
    with turn:
        download_audio(
            run.config.source,
            run.project.raw(run.episode_id),
            root=run.project.root,
            entry=run.config.entry,
            duration=run.config.duration,
            policy=replace(
                make_fetch_policy(run.show.download, run.project.root),
                on_wait=run.warn,
            ),
            offline=run.options.offline,
            on_progress=run.reporter.stage_progress,
        )
