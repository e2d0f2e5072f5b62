"""Run the stages of one episode in their order: only those that are not up to date, until one fails."""

import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.align.corrections import describe_changes
from pipeline.core.config import ShowConfig, load_show
from pipeline.core.corrections import Correction, load_corrections
from pipeline.core.errors import InputError, PipelineError, explain_error
from pipeline.core.state import Reason
from pipeline.core.storage import read_record
from pipeline.runs.episode_list import describe_changes as describe_list_changes
from pipeline.runs.episode_list import is_list_digest
from pipeline.runs.job import EpisodeRun, Task
from pipeline.runs.reporter import Reporter, ReporterEvent, ReporterProxy
from pipeline.runs.result import RunResult, StageResult
from pipeline.runs.stages import STAGES
from pipeline.runs.stages.base import Stage
from pipeline.transcribe.transcriber import Transcriber

# Inputs of the stage `download` that always change with its input `source`: one reason is enough.
IMPLIED_BY_SOURCE = {"exact source", "source file"}

MakeTranscriber = Callable[[ShowConfig], Transcriber]


def run_episode(run: EpisodeRun, stages: Sequence[str]) -> None:
    """Bring one episode up to date, stage by stage; the first failure ends it.

    Every failure, expected or not, becomes a stage result: the other episodes of the run go on.
    """
    name, reason, began = stages[0], "", time.monotonic()
    try:
        for stage in (stage for stage in STAGES if stage.name in stages and stage.applies(run)):
            name, reason, began = stage.name, "", time.monotonic()
            inputs = stage.list_inputs(run)
            reason = find_reason(run, stage, inputs) or ("asked for by --force" if run.options.force else "")
            if reason:
                run.reporter.stage_started(run.episode_id, name, reason)
                run.project.unfinished.touch()
                stage.work(run)
                run.state.record(name, inputs, stage.list_outputs(run))
                run.end_stage(StageResult(run.episode_id, name, reason, time.monotonic() - began))
        run.state.save_fingerprints()
    except KeyboardInterrupt:
        raise
    # Libraries raise SystemExit, and exceptions of native code that are no Exception.
    except BaseException as error:
        message, trace = explain_error(error), None
        # The traceback of an expected error, whose message we wrote, helps nobody.
        if not isinstance(error, PipelineError | OSError):
            message, trace = f"{message}; the run report has the traceback", traceback.format_exc()
        run.end_stage(StageResult(run.episode_id, name, reason, time.monotonic() - began, message, trace))


def find_reason(run: EpisodeRun, stage: Stage, inputs: dict[str, str]) -> str | None:
    """Return every reason why a stage must run, in words; None where it is up to date."""
    run.state.convert_inputs(stage.name, stage.convert_inputs)
    outputs = stage.list_outputs(run) if stage.name in run.state.stages else []
    reasons = list(run.state.find_reasons(stage.name, inputs, outputs))
    if any(reason.changed == "source" for reason in reasons):
        reasons = [reason for reason in reasons if reason.changed not in IMPLIED_BY_SOURCE]
    return "; ".join(_describe_reason(run, reason) for reason in reasons) or None


def _describe_reason(run: EpisodeRun, reason: Reason) -> str:
    """A reason in words, with the changes in a file that people edit."""
    match reason.changed:
        case name if is_list_digest(name):
            return f"{reason.text}: {describe_list_changes(run, name)}"
        case "corrections":
            return f"{reason.text}: {_describe_correction_changes(run)}"
        case _:
            return reason.text


def _describe_correction_changes(run: EpisodeRun) -> str:
    """The changes in the corrections since they were last applied."""

    def parse(record: dict[str, Any]) -> list[Correction]:
        return [Correction.model_validate(correction) for correction in record.get("corrections", [])]

    try:
        before = read_record(run.project.alignment(run.episode_id), parse)
    except InputError:
        return "they cannot be compared with those before"
    return describe_changes(before, load_corrections(run.project.corrections(run.episode_id)))


@dataclass
class TaskRunner:
    """Runs tasks in a worker; the transcriber is made once and kept while the show's settings stay the same."""

    make_transcriber: MakeTranscriber
    _made: tuple[ShowConfig, Transcriber] | None = None

    def run(self, task: Task, send: Callable[[ReporterEvent], None]) -> RunResult:
        """Bring one episode up to date and return its result; `send` takes the calls of the run's reporter."""
        show = load_show(task.project.show)
        if self._made is None or self._made[0] != show:
            self._made = show, self.make_transcriber(show)
        result, reporter = RunResult(), ReporterProxy(send, task.episode_id)
        run = EpisodeRun(task.project, show, task.episode_id, self._made[1], reporter, result, task.options)
        run_episode(run, task.stages)
        return result


def fail_task(task: Task, error: str, reporter: Reporter) -> RunResult:
    """Report a task that no worker could finish as failed, and return its result."""
    failed = StageResult(task.episode_id, task.stages[0], "", 0.0, error)
    reporter.stage_ended(failed)
    return RunResult(stages=[failed])
