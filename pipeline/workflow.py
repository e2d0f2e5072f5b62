"""The stages in their order: for each episode run what is not up to date, and report what was done."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from pipeline import __version__
from pipeline.config import ShowConfig, check_episode_id, load_show
from pipeline.corrections import Correction, load_corrections
from pipeline.download import METADATA, read_audio
from pipeline.errors import ConfigError, InputError, LockHeldError, PipelineError
from pipeline.features import load_features
from pipeline.fitting import describe_changes
from pipeline.jobs import Job, Reporter, RunResult, StageResult
from pipeline.list_changes import compare_lists
from pipeline.schema import Transcript
from pipeline.site import SiteAudioFile, write_site
from pipeline.stages import STAGES, Stage
from pipeline.staleness import StateFile
from pipeline.storage import (
    Project,
    features_from_json,
    read_record,
    write_json,
)
from pipeline.transcribe import Progress, Transcriber

if TYPE_CHECKING:
    import pyarrow as pa


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
    ids = [check_known(project, episode_id) for episode_id in dict.fromkeys(episode_ids)]
    result = RunResult()
    with _hold_lock(project):
        speaker = transcriber(show)
        for episode_id in ids:
            job = Job(project, show, episode_id, speaker, reporter, result, force, offline, refresh, include_review)
            _run_episode(job, stages)
        if "publish" in stages:
            _write_csv(project, result)
            _write_site(project, show, reporter, result)
        if result.stages:
            result.written.append(_write_report(project, result))
    failed = {failure.episode_id for failure in result.failures}
    if failed:
        result.exit_code = 3 if len(failed) < len(ids) else 1
    return result


def list_episodes(project: Project) -> list[str]:
    """Return the ids of the episodes that have settings, in order of their names."""
    return sorted(path.stem for path in project.episodes.glob("*.yaml"))


def check_known(project: Project, episode_id: str) -> str:
    """Return the id of an episode that has settings; ConfigError where it has none."""
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
            reason = _find_reason(job, stage, inputs) or ("asked for by --force" if job.force else "")
            if reason:
                job.reporter.stage_started(job.episode_id, name, reason)
                stage.work(job)
                job.state.record(name, inputs, stage.outputs(job))
                job.end_stage(StageResult(job.episode_id, name, reason, time.monotonic() - began))
    except (PipelineError, OSError) as error:
        message = str(error) if isinstance(error, PipelineError) else explain_os_error(error)
        job.end_stage(StageResult(job.episode_id, name, reason, time.monotonic() - began, message))


def _find_reason(job: Job, stage: Stage, inputs: dict[str, str]) -> str | None:
    """Why a stage must run, in words; None where it is up to date."""
    outputs = stage.outputs(job) if stage.name in job.state.stages else []
    reason = job.state.find_reason(stage.name, inputs, outputs)
    if reason == "feature list changed":
        return f"{reason}: {_describe_list(job)}"
    return f"{reason}: {_describe_corrections(job)}" if reason == "corrections changed" else reason


def _describe_corrections(job: Job) -> str:
    """What changed in the corrections since they were applied last."""

    def parse(record: dict[str, Any]) -> list[Correction]:
        return [Correction.model_validate(one) for one in record.get("corrections", [])]

    try:
        before = read_record(job.project.alignment(job.episode_id), parse)
    except InputError:
        return "they cannot be compared with those before"
    return describe_changes(before, load_corrections(job.project.corrections(job.episode_id)))


def _describe_list(job: Job) -> str:
    """What changed in the feature list since it was aligned last."""
    try:
        before = read_record(
            job.project.alignment(job.episode_id), lambda record: features_from_json(record["features"])
        )
        listed = load_features(job.feature_list, episode=job.config.features_episode, columns=job.show.columns)
    except InputError:
        return "it cannot be compared with the one before"
    return compare_lists(before, listed.features).describe()


@dataclass(frozen=True, slots=True)
class StageStatus:
    """Whether a stage of an episode is up to date, and if not, why."""

    episode_id: str
    stage: str
    stale: bool
    reason: str


def find_stale(project: Project, episode_ids: Sequence[str], reporter: Reporter) -> list[StageStatus]:
    """Return what `run_stages` would do for each stage of these episodes, and why; nothing is run or written."""
    show = load_show(project.show)
    found = []
    for episode_id in [check_known(project, episode_id) for episode_id in dict.fromkeys(episode_ids)]:
        job = Job(
            project, show, episode_id, _NoTranscriber(), reporter, RunResult(),
            force=False, offline=True, refresh=False, include_review=show.include_review,
        )  # fmt: skip
        before = ""
        for stage in STAGES:
            try:
                reason = f"comes after {before}" if before else _find_reason(job, stage, stage.inputs(job)) or ""
            except (PipelineError, OSError) as error:
                reason = str(error) if isinstance(error, PipelineError) else explain_os_error(error)
            before = before or (stage.name if reason else "")
            found.append(StageStatus(episode_id, stage.name, bool(reason), reason or "up to date"))
    return found


class _NoTranscriber:
    """Stands where a recogniser would, in a job that only looks."""

    def transcribe(
        self, audio: Path, *, language: str | None, on_progress: Progress, parts: Path | None = None
    ) -> Transcript:
        """Never called: looking runs no stage."""
        raise NotImplementedError


def explain_os_error(error: OSError) -> str:
    """Return what the operating system refused, and for which file."""
    return f"{error.filename or 'a file'}: {error.strerror or error}"


def read_everything(project: Project) -> "pa.Table":
    """Return the rows of all episodes; from `catalog.csv` where it is up to date: one file, not hundreds."""
    from pipeline.tables import read_csv, read_dataset

    state, inputs = _open_csv_state(project)
    if inputs and state.find_reason("catalog.csv", inputs, [project.catalog_csv]) is None:
        return read_csv(project.catalog_csv)
    return read_dataset(project.dataset)


def _open_csv_state(project: Project) -> tuple[StateFile, dict[str, str]]:
    """The record of what `catalog.csv` was made from, and what it should be made from."""
    state = StateFile.load(project.state("catalog.csv"), project.root)
    return state, {file.name: state.digest(file) for file in sorted(project.dataset.glob("*.parquet"))}


def _write_csv(project: Project, result: RunResult) -> None:
    """Make `catalog.csv` say what the Parquet files say, where it does not."""
    state, inputs = _open_csv_state(project)
    if not inputs or state.find_reason("catalog.csv", inputs, [project.catalog_csv]) is None:
        return
    from pipeline.tables import read_dataset, write_csv

    write_csv(read_dataset(project.dataset), project.catalog_csv)
    state.record("catalog.csv", inputs, [project.catalog_csv])
    result.written.append(project.catalog_csv)


def _write_site(project: Project, show: ShowConfig, reporter: Reporter, result: RunResult) -> None:
    """Make the search site say what the Parquet files say, where it does not."""

    def find_audio(episode_id: str) -> SiteAudioFile | None:
        folder = project.raw(episode_id)
        if not (folder / METADATA).is_file():
            return None
        audio = read_audio(folder)
        return SiteAudioFile(audio.path, audio.sha256) if audio.path.is_file() else None

    page = write_site(project, show, find_audio=find_audio, warn=reporter.warn)
    if page is not None:
        result.written.append(page)


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
