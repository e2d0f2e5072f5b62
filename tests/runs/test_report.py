"""The report of a run, and its mail."""

import json

import pytest

from pipeline.core.project import Project
from pipeline.runs.history import list_runs
from tests.support.project import ALL_STAGES as ALL
from tests.support.project import (
    FakeTranscriber,
    add_episode,
    run,
)
from tests.support.revisions import run_revisions


@pytest.fixture
def revised(project: Project, transcriber: FakeTranscriber) -> Project:
    """A project with three revisions of its list, each of them run."""
    return run_revisions(project, transcriber)


def test_report_lists_stages_changes_and_tasks(revised: Project, transcriber: FakeTranscriber) -> None:
    add_episode(revised, "bad", source="missing.mp3")
    assert run(revised, transcriber, "bad", "one", "two").exit_code == 3
    name = list_runs(revised)[-1]
    record = json.loads((revised.runs / f"{name}.json").read_text())
    assert record["exit_code"] == 3
    assert record["needs_a_person"]["bad"]["failed"].startswith("download: ")
    mail = (revised.runs / f"{name}.txt").read_text()
    assert mail.startswith("0 episodes done, 1 failed, in 0:0")
    assert "bad needs a person:\n  failed at download: " in mail
    before = json.loads((revised.runs / f"{list_runs(revised)[2]}.json").read_text())
    assert before["changes"]["one"]["removed"][0]["title"] == "Reminders can be sent twice"


def test_report_lists_each_stage(project: Project, transcriber: FakeTranscriber) -> None:
    run(project, transcriber)
    run(project, transcriber)  # nothing to do, nothing to report
    (report,) = project.runs.glob("*.json")
    record = json.loads(report.read_text())
    assert [stage["stage"] for stage in record["stages"]] == list(ALL)
    assert all(stage["seconds"] >= 0 and stage["error"] is None for stage in record["stages"])
