"""Whatever is raised, in any stage, command or shared file: one line, and everything else goes on."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.core.errors import InputError
from pipeline.core.project import Project
from pipeline.runs import episode as episode_module
from pipeline.runs import workflow
from pipeline.runs.job import EpisodeRun
from pipeline.runs.stages import STAGES
from pipeline.runs.workflow import list_stage_statuses
from tests.support.project import ALL_STAGES as ALL
from tests.support.project import FakeTranscriber, RecordingReporter, add_episode, make_project, run


class NativePanic(BaseException):
    """What native libraries raise: no Exception."""


ERRORS = [
    InputError("a list is missing"),
    OSError(28, "No space left on device", "a.txt"),
    UnicodeEncodeError("utf-8", "caf\udce9", 3, 4, "surrogates not allowed"),
    RecursionError("too deep"),
    MemoryError(),
    OverflowError("too large"),
    SystemExit(1),
    NativePanic("native code failed"),
]


PARTS = ("list_inputs", "list_outputs", "work")
# Each part of each stage, with the errors in turn, and every error in the work of one stage.
CASES = [(stage, part, ERRORS[(3 * stage + number) % 8]) for stage in range(4) for number, part in enumerate(PARTS)]
CASES += [(0, "work", error) for error in ERRORS]


@pytest.mark.parametrize(("stage", "part", "error"), CASES)
def test_any_error_of_a_stage_fails_one_episode(
    project: Project,
    transcriber: FakeTranscriber,
    monkeypatch: pytest.MonkeyPatch,
    stage: int,
    part: str,
    error: BaseException,
) -> None:
    add_episode(project, "bad")
    add_episode(project, "two")
    real = getattr(STAGES[stage], part)

    def fail(episode: EpisodeRun) -> object:
        if episode.episode_id == "bad":
            raise error
        return real(episode)

    changed = list(STAGES)
    changed[stage] = replace(STAGES[stage], **{part: fail})  # type: ignore[arg-type]
    monkeypatch.setattr(episode_module, "STAGES", tuple(changed))
    result = run(project, transcriber, "one", "bad", "two")
    assert result.exit_code == 3
    (failure,) = result.failures
    assert (failure.episode_id, failure.stage) == ("bad", ALL[stage])
    assert len(str(failure.error).splitlines()) == 1
    assert set(result.rows) >= {"one", "two"}
    assert len(list(project.runs.glob("*.json"))) == 1


@pytest.mark.parametrize("error", ERRORS[:6], ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("part", ["update_csv", "write_site", "read_audio"])
def test_error_of_a_shared_file_keeps_the_report(
    project: Project, transcriber: FakeTranscriber, monkeypatch: pytest.MonkeyPatch, error: Exception, part: str
) -> None:
    project.show.write_text(project.show.read_text() + "site_audio: link\n")

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(workflow, part, fail)
    notes = RecordingReporter()
    result = run(project, transcriber, notes=notes)
    assert bool(notes.warnings)
    assert result.failures == []
    assert len(list(project.runs.glob("*.json"))) == 1


@pytest.mark.parametrize("error", [ValueError("Invalid IPv6 URL"), OSError(5, "Input/output error", "a")])
def test_status_goes_on_after_any_error(project: Project, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    add_episode(project, "two")
    real = STAGES[0].list_inputs

    def fail(episode: EpisodeRun) -> dict[str, str]:
        if episode.episode_id == "one":
            raise error
        return real(episode)

    monkeypatch.setattr(workflow, "STAGES", (replace(STAGES[0], list_inputs=fail), *STAGES[1:]))
    statuses = list_stage_statuses(project, ["one", "two"], RecordingReporter())
    assert [status.reason for status in statuses if status.stage == "download"][1] == "not done yet"
    assert str(error.args[-1]) in statuses[0].reason or "Input/output" in statuses[0].reason


def test_project_in_a_folder_that_is_no_text(tmp_path: Path, transcriber: FakeTranscriber) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    folder.mkdir()
    project = make_project(folder)
    assert run(project, transcriber).exit_code == 0
    add_episode(project, "two", source="missing.mp3")
    assert run(project, transcriber, "one", "two").exit_code == 3
    assert len(list(project.runs.glob("*.json"))) == 2
