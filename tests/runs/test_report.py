"""The report of a run, and its mail."""

import json

import pandas as pd
import pytest

from pipeline.core.project import Project
from pipeline.runs.history import list_runs
from pipeline.runs.report import describe_run
from tests.support.project import ALL_STAGES as ALL
from tests.support.project import (
    FakeTranscriber,
    add_episode,
    make_transcript,
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


def test_mail_counts_statuses_and_names_the_next_command(project: Project) -> None:
    add_episode(project, "two")
    unclear = make_transcript(["Nothing here is about the list.", "Nor is this sentence."])
    run(project, FakeTranscriber(unclear), "one", "two")
    (report,) = project.runs.glob("*.json")
    record = json.loads(report.read_text())
    rows = {name: pd.read_parquet(project.catalog(name))["status"].value_counts().to_dict() for name in ("one", "two")}
    assert record["statuses"] == rows
    mail = report.with_suffix(".txt").read_text()
    assert "\none: 1 to check, 1 not found\ntwo: 1 to check, 1 not found\n" in mail
    assert mail.endswith("\nnext: catalog review one  # then 1 more episode\n")
    record["statuses"]["one"] = {"confident": 2}
    assert describe_run(record).endswith("\nnext: catalog review two\n")


def test_report_lists_each_stage(project: Project, transcriber: FakeTranscriber) -> None:
    run(project, transcriber)
    run(project, transcriber)  # nothing to do, nothing to report
    (report,) = project.runs.glob("*.json")
    record = json.loads(report.read_text())
    assert [stage["stage"] for stage in record["stages"]] == list(ALL)
    assert all(stage["seconds"] >= 0 and stage["error"] is None for stage in record["stages"])
