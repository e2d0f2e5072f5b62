"""One episode's stages in their order: run what is not up to date, say why, and keep what went wrong."""

import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.align.corrections import describe_changes
from pipeline.core.config import ShowConfig
from pipeline.core.corrections import Correction, load_corrections
from pipeline.core.errors import InputError, PipelineError
from pipeline.core.serialization import features_from_json
from pipeline.core.state import Reason
from pipeline.core.storage import read_record
from pipeline.feature_lists.diff import compare_lists
from pipeline.feature_lists.load import load_features
from pipeline.runs.job import EpisodeRun, Reporter, RunResult, StageResult, Task
from pipeline.runs.stages import STAGES
from pipeline.runs.stages.base import Stage
from pipeline.transcribe.transcriber import Transcriber

# A source that changed has another digest and names another file, too.
SAID_BY_SOURCE = {"exact source", "source file"}


def run_episode(run: EpisodeRun, stages: Sequence[str]) -> None:
    """Bring one episode up to date, stage by stage; the first failure ends it and is kept in the result.

    Whatever goes wrong with one episode, foreseen or not, is no reason for the others to wait.
    """
    name, reason, began = stages[0], "", time.monotonic()
    try:
        for stage in (stage for stage in STAGES if stage.name in stages):
            name, reason, began = stage.name, "", time.monotonic()
            inputs = stage.inputs(run)
            reason = find_reason(run, stage, inputs) or ("asked for by --force" if run.options.force else "")
            if reason:
                run.reporter.stage_started(run.episode_id, name, reason)
                run.project.unfinished.touch()
                stage.work(run)
                run.state.record(name, inputs, stage.outputs(run))
                run.end_stage(StageResult(run.episode_id, name, reason, time.monotonic() - began))
        run.state.save_fingerprints()
    except Exception as error:
        # An error that we word ourselves needs no trace; one that nobody foresaw is only mended with it.
        trace = None if isinstance(error, PipelineError | OSError) else traceback.format_exc()
        run.end_stage(StageResult(run.episode_id, name, reason, time.monotonic() - began, explain_error(error), trace))


def find_reason(run: EpisodeRun, stage: Stage, inputs: dict[str, str]) -> str | None:
    """Every reason why a stage must run, in words; None where it is up to date."""
    outputs = stage.outputs(run) if stage.name in run.state.stages else []
    reasons = list(run.state.find_reasons(stage.name, inputs, outputs))
    if any(reason.changed == "source" for reason in reasons):
        reasons = [reason for reason in reasons if reason.changed not in SAID_BY_SOURCE]
    return "; ".join(_describe_reason(run, reason) for reason in reasons) or None


def _describe_reason(run: EpisodeRun, reason: Reason) -> str:
    """A reason in words, with what changed in a file that people edit."""
    match reason.changed:
        case "feature list":
            return f"{reason.text}: {_describe_list(run)}"
        case "corrections":
            return f"{reason.text}: {_describe_corrections(run)}"
        case _:
            return reason.text


def _describe_corrections(run: EpisodeRun) -> str:
    """What changed in the corrections since they were applied last."""

    def parse(record: dict[str, Any]) -> list[Correction]:
        return [Correction.model_validate(one) for one in record.get("corrections", [])]

    try:
        before = read_record(run.project.alignment(run.episode_id), parse)
    except InputError:
        return "they cannot be compared with those before"
    return describe_changes(before, load_corrections(run.project.corrections(run.episode_id)))


def _describe_list(run: EpisodeRun) -> str:
    """What changed in the feature list since it was aligned last."""
    try:
        before = read_record(
            run.project.alignment(run.episode_id), lambda record: features_from_json(record["features"])
        )
        listed = load_features(run.feature_list, episode=run.config.features_episode, columns=run.show.columns)
    except InputError:
        return "it cannot be compared with the one before"
    return compare_lists(before, listed.features).describe()


def explain_error(error: Exception) -> str:
    """Return what went wrong in one line; an error that nobody foresaw is named as one of the program."""
    if isinstance(error, PipelineError):
        return str(error)
    if isinstance(error, OSError):
        return explain_os_error(error)
    told = " ".join(str(error).split()) or "nothing more is known"
    return f"the program did not foresee this ({type(error).__name__}: {told}); the run report has the details"


def explain_os_error(error: OSError) -> str:
    """Return what the operating system refused, and for which file."""
    return f"{error.filename or 'a file'}: {error.strerror or error}"


@dataclass
class ReporterProxy:
    """Tells the run's own reporter, in another process, how an episode gets on; progress four times a second."""

    send: Callable[[tuple[Any, ...]], None]
    episode_id: str
    _told: float = 0.0

    def stage_started(self, episode_id: str, stage: str, reason: str) -> None:
        """Pass it on."""
        self.send(("stage_started", episode_id, stage, reason))

    def stage_progress(self, done: float, total: float) -> None:
        """Pass it on with the episode's id, as several are under way."""
        # Each message wakes the process that draws; nobody sees more than four a second.
        if time.monotonic() - self._told >= 0.25 or done >= total:
            self._told = time.monotonic()
            self.send(("episode_progress", self.episode_id, done, total))

    def episode_progress(self, episode_id: str, done: float, total: float) -> None:
        """Pass it on."""
        self.send(("episode_progress", episode_id, done, total))

    def stage_ended(self, result: StageResult) -> None:
        """Pass it on."""
        self.send(("stage_ended", result))

    def warn(self, episode_id: str, message: str) -> None:
        """Pass it on."""
        self.send(("warn", episode_id, message))

    def waiting(self, root: Path) -> None:
        """Never asked of a worker: the run holds the lock."""


def run_task(task: Task, transcriber: Transcriber, show: ShowConfig, reporter: Reporter) -> RunResult:
    """Bring one episode up to date and return what was done: what every engine does with a task."""
    result = RunResult()
    run_episode(
        EpisodeRun(task.project, show, task.episode_id, transcriber, reporter, result, task.options), task.stages
    )
    return result
