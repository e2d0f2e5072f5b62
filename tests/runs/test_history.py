"""Snapshots of rows, and the comparison of any two runs."""

import pytest

from pipeline.core.errors import InputError
from pipeline.core.project import Project
from pipeline.runs.history import choose_runs, compare_runs, find_run, list_runs, list_snapshots, read_snapshot
from tests.support.project import FakeTranscriber
from tests.support.revisions import run_revisions


@pytest.fixture
def revised(project: Project, transcriber: FakeTranscriber) -> Project:
    """A project with three revisions of its list, each of them run."""
    return run_revisions(project, transcriber)


def test_changes_of_three_revisions_are_distinguished(revised: Project) -> None:
    runs = list_runs(revised)
    first, second, third = (find_run(revised, name) for name in runs)
    changes = compare_runs(revised, first, second)["one"].to_json()
    assert [entry["title"] for entry in changes["added"]] == ["Offline maps"]
    assert [(entry["feature_id"], entry["before"]) for entry in changes["renamed"]] == [
        (500122, "Added a dark theme to the mobile app")
    ]
    edits = {entry["title"]: entry["columns"] for entry in changes["edited"]}
    assert edits == {
        "Invoices can be sorted by due date": {"published_s": [11.0, 12.0]},
        "Reminders can be sent twice": {"feature_id": [500130, 500139]},
    }
    changes = compare_runs(revised, second, third)["one"].to_json()
    assert [entry["feature_id"] for entry in changes["removed"]] == [500139]
    (moved,) = [entry for entry in changes["moved"] if entry["feature_id"] == 500122]
    assert (moved["after_s"], moved["by_s"]) == (33.5, round(33.5 - moved["before_s"], 3))
    assert ("confident", "corrected") in {(change["before"], change["after"]) for change in changes["status_changed"]}
    assert "two" not in compare_runs(revised, first, third)


def test_every_snapshot_can_be_read(revised: Project) -> None:
    states = list_snapshots(revised, "one")
    assert [name.partition("-")[0] for name in states] == ["0001", "0002", "0003"]
    assert [len(read_snapshot(revised, "one", name)) for name in states] == [3, 4, 3]
    assert list_snapshots(revised, "two")[1:] == []


def test_last_change_of_an_episode_is_found(revised: Project) -> None:
    older, newer = choose_runs(revised, ["two"], None, None)
    assert (older.name, newer.name) == ("nothing", list_runs(revised)[0])


def test_nothing_to_compare_before_the_first_run(project: Project) -> None:
    with pytest.raises(InputError, match="nothing was published yet"):
        choose_runs(project, None, None, None)


def test_killed_run_is_compared_too(revised: Project) -> None:
    (revised.runs / f"{list_runs(revised)[-1]}.json").unlink()
    older, newer = choose_runs(revised, None, None, None)
    assert (older.name, newer.name) == (list_runs(revised)[-1], "now")
    assert "one" in compare_runs(revised, older, newer)
