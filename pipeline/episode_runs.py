"""One episode's stages in their order: run what is not up to date, say why, and keep what went wrong."""

import time
import traceback
from collections.abc import Sequence
from typing import Any

from pipeline.corrections import Correction, load_corrections
from pipeline.errors import InputError, PipelineError
from pipeline.features import load_features
from pipeline.fitting import describe_changes
from pipeline.jobs import Job, StageResult
from pipeline.list_changes import compare_lists
from pipeline.records import features_from_json
from pipeline.stages import STAGES, Stage
from pipeline.staleness import Reason
from pipeline.storage import read_record

# A source that changed has another digest and names another file, too.
SAID_BY_SOURCE = {"exact source", "source file"}


def run_episode(job: Job, stages: Sequence[str]) -> None:
    """Bring one episode up to date, stage by stage; the first failure ends it and is kept in the result.

    Whatever goes wrong with one episode, foreseen or not, is no reason for the others to wait.
    """
    name, reason, began = stages[0], "", time.monotonic()
    try:
        for stage in (stage for stage in STAGES if stage.name in stages):
            name, reason, began = stage.name, "", time.monotonic()
            inputs = stage.inputs(job)
            reason = find_reason(job, stage, inputs) or ("asked for by --force" if job.options.force else "")
            if reason:
                job.reporter.stage_started(job.episode_id, name, reason)
                job.project.unfinished.touch()
                stage.work(job)
                job.state.record(name, inputs, stage.outputs(job))
                job.end_stage(StageResult(job.episode_id, name, reason, time.monotonic() - began))
        job.state.save_stamps()
    except Exception as error:
        # An error that we word ourselves needs no trace; one that nobody foresaw is only mended with it.
        trace = None if isinstance(error, PipelineError | OSError) else traceback.format_exc()
        job.end_stage(StageResult(job.episode_id, name, reason, time.monotonic() - began, explain_error(error), trace))


def find_reason(job: Job, stage: Stage, inputs: dict[str, str]) -> str | None:
    """Every reason why a stage must run, in words; None where it is up to date."""
    outputs = stage.outputs(job) if stage.name in job.state.stages else []
    reasons = list(job.state.find_reasons(stage.name, inputs, outputs))
    if any(reason.changed == "source" for reason in reasons):
        reasons = [reason for reason in reasons if reason.changed not in SAID_BY_SOURCE]
    return "; ".join(_describe_reason(job, reason) for reason in reasons) or None


def _describe_reason(job: Job, reason: Reason) -> str:
    """A reason in words, with what changed in a file that people edit."""
    match reason.changed:
        case "feature list":
            return f"{reason.text}: {_describe_list(job)}"
        case "corrections":
            return f"{reason.text}: {_describe_corrections(job)}"
        case _:
            return reason.text


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
