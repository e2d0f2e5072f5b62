"""The stages in their order: for each episode run what is not up to date, and report what was done."""

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cached_property
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from pipeline import __version__
from pipeline.addresses import is_address, without_secrets
from pipeline.catalog import CatalogRow, build_rows
from pipeline.config import EpisodeConfig, ShowConfig, check_episode_id, load_episode, load_show
from pipeline.download import METADATA, download_audio, find_source, read_audio
from pipeline.errors import ConfigError, InputError, LockHeldError, PipelineError
from pipeline.features import load_features
from pipeline.list_checks import check_duration
from pipeline.list_revisions import find_revision, keep_revision, refresh_revision
from pipeline.publish import NOTES, TAGGED_AUDIO, publish_catalog, publish_notes
from pipeline.schema import Episode, Provenance, Transcript
from pipeline.staleness import StateFile
from pipeline.storage import (
    Project,
    alignment_from_json,
    alignment_to_json,
    features_from_json,
    features_to_json,
    read_json,
    transcript_from_json,
    transcript_to_json,
    write_json,
)
from pipeline.transcribe import OPTIONS, Transcriber


class Reporter(Protocol):
    """Who is told how a run gets on."""

    def stage_started(self, episode_id: str, stage: str, reason: str) -> None:
        """A stage begins, and why."""

    def stage_progress(self, done: float, total: float) -> None:
        """So much of the stage is done; `total` is 0 where nobody knows."""

    def stage_ended(self, result: "StageResult") -> None:
        """A stage is done, or failed."""

    def warn(self, episode_id: str, message: str) -> None:
        """Something a person should look at."""


@dataclass(frozen=True, slots=True)
class StageResult:
    """What one stage did for one episode: why it ran, seconds taken, and the error where it failed."""

    episode_id: str
    stage: str
    reason: str
    seconds: float
    error: str | None = None


@dataclass
class RunResult:
    """What a run did; `rows` holds the catalog of the episodes that were published."""

    stages: list[StageResult] = field(default_factory=list)
    rows: dict[str, tuple[CatalogRow, ...]] = field(default_factory=dict)
    written: list[Path] = field(default_factory=list)
    exit_code: int = 0

    @property
    def failures(self) -> list[StageResult]:
        """The stages that failed, at most one an episode."""
        return [result for result in self.stages if result.error is not None]


@dataclass
class Job:
    """One episode in the hands of a run."""

    project: Project
    show: ShowConfig
    episode_id: str
    transcriber: Transcriber
    reporter: Reporter
    result: RunResult
    force: bool
    offline: bool
    refresh: bool
    include_review: bool

    @cached_property
    def config(self) -> EpisodeConfig:
        """The episode's settings."""
        return load_episode(self.project.episode(self.episode_id))

    @cached_property
    def state(self) -> StateFile:
        """What the episode's files were made from."""
        return StateFile.load(self.project.state(self.episode_id), self.project.root)

    def end_stage(self, result: StageResult) -> None:
        """Keep what a stage did, and tell it."""
        self.result.stages.append(result)
        self.reporter.stage_ended(result)

    @cached_property
    def feature_list(self) -> Path:
        """The file with the feature list: the one the settings name, or what their address gave last."""
        source = self.config.features
        if not is_address(source):
            return self.project.root / Path(source).expanduser()
        folder = self.project.lists(self.episode_id)
        known = find_revision(source, folder)
        if known is not None and not self.refresh:
            return known
        if self.offline:
            raise InputError(f"{without_secrets(source)} is on the network, and --offline forbids fetching it")
        return refresh_revision(source, folder)


@dataclass(frozen=True, slots=True)
class Stage:
    """A step from files to files: what it depends on, what it writes, and the work itself."""

    name: str
    inputs: Callable[[Job], dict[str, str]]
    outputs: Callable[[Job], list[Path]]
    work: Callable[[Job], None]


def run_stages(
    project: Project,
    episode_ids: Sequence[str],
    stages: Sequence[str],
    *,
    transcriber: Callable[[ShowConfig], Transcriber],
    reporter: Reporter,
    force: bool = False,
    offline: bool = False,
    refresh: bool = False,
    include_review: bool = False,
) -> RunResult:
    """Run the named stages for each episode where they are not up to date; a bad episode does not stop the others.

    PipelineError where nothing could start: no such project or episode, or another run at work.
    """
    show = load_show(project.show)
    ids = [_check_known(project, episode_id) for episode_id in dict.fromkeys(episode_ids)]
    result = RunResult()
    with _hold_lock(project):
        speaker = transcriber(show)
        for episode_id in ids:
            job = Job(project, show, episode_id, speaker, reporter, result, force, offline, refresh, include_review)
            _run_episode(job, stages)
        if "publish" in stages:
            _write_csv(project, result)
        if result.stages:
            result.written.append(_write_report(project, result))
    failed = {failure.episode_id for failure in result.failures}
    if failed:
        result.exit_code = 3 if len(failed) < len(ids) else 1
    return result


def list_episodes(project: Project) -> list[str]:
    """Return the ids of the episodes that have settings, in order of their names."""
    return sorted(path.stem for path in project.episodes.glob("*.yaml"))


def _check_known(project: Project, episode_id: str) -> str:
    if not project.episode(check_episode_id(episode_id)).is_file():
        known = ", ".join(list_episodes(project)) or "none yet"
        missing = project.episode(episode_id)
        raise ConfigError(f"there is no episode {episode_id}: {missing} is missing (known: {known})")
    return episode_id


@contextmanager
def _hold_lock(project: Project) -> Iterator[None]:
    project.processed.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(project.lock, timeout=0):
            yield
    except Timeout:
        raise LockHeldError(f"another run is at work on {project.root}: wait for it to end") from None


def _run_episode(job: Job, stages: Sequence[str]) -> None:
    """Bring one episode up to date, stage by stage; the first failure ends it and is kept in the result."""
    name, reason, began = stages[0], "", time.monotonic()
    try:
        for stage in (stage for stage in STAGES if stage.name in stages):
            name, reason, began = stage.name, "", time.monotonic()
            inputs = stage.inputs(job)
            outputs = stage.outputs(job) if stage.name in job.state.stages else []
            reason = job.state.find_reason(name, inputs, outputs) or ("asked for by --force" if job.force else "")
            if reason:
                job.reporter.stage_started(job.episode_id, name, reason)
                stage.work(job)
                job.state.record(name, inputs, stage.outputs(job))
                job.end_stage(StageResult(job.episode_id, name, reason, time.monotonic() - began))
    except (PipelineError, OSError) as error:
        message = str(error) if isinstance(error, PipelineError) else explain_os_error(error)
        job.end_stage(StageResult(job.episode_id, name, reason, time.monotonic() - began, message))


def explain_os_error(error: OSError) -> str:
    """Return what the operating system refused, and for which file."""
    return f"{error.filename or 'a file'}: {error.strerror or error}"


def _download_inputs(job: Job) -> dict[str, str]:
    local = find_source(job.config.source, job.project.root)
    return {"source": job.config.source, "source file": job.state.digest(local) if local else ""}


def _download_outputs(job: Job) -> list[Path]:
    metadata_file = job.project.raw(job.episode_id) / METADATA
    if not metadata_file.is_file():
        return [metadata_file]
    return [metadata_file, read_audio(metadata_file.parent).path]


def _download(job: Job) -> None:
    download_audio(
        job.config.source,
        job.project.raw(job.episode_id),
        root=job.project.root,
        offline=job.offline,
        on_progress=job.reporter.stage_progress,
    )


def _transcribe_inputs(job: Job) -> dict[str, str]:
    folder = job.project.raw(job.episode_id)
    _need(job, folder / METADATA, "download")
    return {
        "audio": read_audio(folder).sha256,
        "speech model": job.show.model,
        "language": job.show.language or "detected",
        "settings": json.dumps(OPTIONS, sort_keys=True),
        "recogniser": f"faster-whisper {metadata.version('faster-whisper')}",
    }


def _transcribe_outputs(job: Job) -> list[Path]:
    return [job.project.transcript(job.episode_id)]


def _transcribe(job: Job) -> None:
    audio = read_audio(job.project.raw(job.episode_id))
    transcript = job.transcriber.transcribe(
        audio.path, language=job.show.language, on_progress=job.reporter.stage_progress
    )
    record = {**transcript_to_json(transcript), "audio_sha256": audio.sha256}
    write_json(job.project.transcript(job.episode_id), record)


def _align_inputs(job: Job) -> dict[str, str]:
    transcript = _need(job, job.project.transcript(job.episode_id), "transcribe")
    if not job.feature_list.is_file():
        raise InputError(f"the feature list {job.feature_list} is not there: correct `features` in the settings")
    return {
        "transcript": transcript,
        "feature list": job.state.digest(job.feature_list),
        "episode in the list": job.config.features_episode or "",
        "columns": json.dumps(job.show.columns, sort_keys=True),
        "episode-catalog": __version__,
    }


def _align_outputs(job: Job) -> list[Path]:
    return [job.project.alignment(job.episode_id)]


def _align(job: Job) -> None:
    from pipeline.align import align

    transcript = transcript_from_json(read_json(job.project.transcript(job.episode_id)))
    features = load_features(job.feature_list, episode=job.config.features_episode, columns=job.show.columns)
    late = check_duration([feature.published_s for feature in features.features], transcript.duration or math.inf)
    for warning in (*features.warnings, *late):
        job.reporter.warn(job.episode_id, f"{job.config.features}: {warning}")
    # Every revision of the list is kept as it was, since pages are edited after publication.
    keep_revision(job.feature_list.read_bytes(), job.feature_list.suffix, job.project.lists(job.episode_id))
    alignment = align(transcript, features.features)
    write_json(
        job.project.alignment(job.episode_id),
        {
            "provenance": asdict(describe_inputs(transcript, features.sha256)),
            "features": features_to_json(features.features),
            "placements": alignment_to_json(alignment),
        },
    )


def describe_inputs(transcript: Transcript, features_sha256: str | None) -> Provenance:
    """Return which transcript and which list an alignment was made from."""
    return Provenance(transcript.source, transcript.model or "", transcript.audio_sha256, features_sha256)


def _publish_inputs(job: Job) -> dict[str, str]:
    return {
        "alignment": _need(job, job.project.alignment(job.episode_id), "align"),
        "transcript": _need(job, job.project.transcript(job.episode_id), "transcribe"),
        "show": job.show.name,
        "title": job.config.title,
        "published date": str(job.config.published or ""),
        "link": job.config.link or job.show.link or "",
        "doubtful starts": "published" if job.include_review or job.show.include_review else "left out",
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
    tagged = [folder / TAGGED_AUDIO] if _find_mp3(job) and find_spec("mutagen") else []
    return [job.project.catalog(job.episode_id), *(folder / name for name in NOTES), *tagged]


def _publish(job: Job) -> None:
    record = read_json(job.project.alignment(job.episode_id))
    config = job.config
    episode = Episode(job.show.name, job.episode_id, config.title, config.published, config.link or job.show.link)
    rows = build_rows(
        episode,
        features_from_json(record["features"]),
        alignment_from_json(record["placements"]),
        Provenance(**record["provenance"]),
    )
    publish_notes(
        rows,
        transcript_from_json(read_json(job.project.transcript(job.episode_id))),
        job.project.notes(job.episode_id),
        include_review=job.include_review or job.show.include_review,
        audio=_find_mp3(job),
        warn=lambda note: job.reporter.warn(job.episode_id, note),
    )
    publish_catalog(rows, job.project.catalog(job.episode_id))
    job.result.rows[job.episode_id] = rows
    job.result.written += [job.project.catalog(job.episode_id), job.project.notes(job.episode_id)]


def _need(job: Job, path: Path, stage: str) -> str:
    """The digest of the file an earlier stage makes; InputError where it is not there yet."""
    if not path.is_file():
        raise InputError(f"{path} is not there: run `catalog {stage} {job.episode_id}` first, or `catalog run`")
    return job.state.digest(path)


def _write_csv(project: Project, result: RunResult) -> None:
    """Make `catalog.csv` say what the Parquet files say, where it does not."""
    state = StateFile.load(project.state("catalog.csv"), project.root)
    files = sorted(project.dataset.glob("*.parquet"))
    inputs = {file.name: state.digest(file) for file in files}
    if not files or state.find_reason("catalog.csv", inputs, [project.catalog_csv]) is None:
        return
    from pipeline.tables import read_catalogs, write_csv

    write_csv(read_catalogs(files), project.catalog_csv)
    state.record("catalog.csv", inputs, [project.catalog_csv])
    result.written.append(project.catalog_csv)


def _write_report(project: Project, result: RunResult) -> Path:
    """Keep what this run did, and how long each stage took, under the time it ended."""
    ended = time.time()
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(ended)) + f"{ended % 1:.3f}"[1:].replace(".", "-")
    path = project.runs / f"{stamp}Z.json"
    record = {
        "ended": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ended)),
        "pipeline_version": __version__,
        "stages": [{**asdict(stage), "seconds": round(stage.seconds, 3)} for stage in result.stages],
    }
    write_json(path, record)
    return path


STAGES = (
    Stage("download", _download_inputs, _download_outputs, _download),
    Stage("transcribe", _transcribe_inputs, _transcribe_outputs, _transcribe),
    Stage("align", _align_inputs, _align_outputs, _align),
    Stage("publish", _publish_inputs, _publish_outputs, _publish),
)
