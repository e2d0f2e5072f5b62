"""What changed from run to run, as people and programs read it."""

import json

import pytest

from pipeline.core.corrections import Correction, Decision, save_correction
from pipeline.core.errors import InputError
from pipeline.core.project import Project
from pipeline.runs.history import choose_runs, compare_runs, find_run, list_runs, list_snapshots, read_snapshot
from tests.support.command import catalog as call
from tests.support.project import FakeTranscriber, add_episode, run

FIRST = """Kite release notes
Full Feature review:
Invoices can be sorted by due date | v4.10 #500111 | 0:11
The invoice list gets a sort button.
Added a dark theme to the mobile app | v4.10 #500122
Follows the setting of the phone.
Reminders can be sent twice | v4.10 #500130
A second mail goes out.
"""
# A time is fixed, an entry added, an id corrected, another renamed.
SECOND = (
    FIRST.replace("0:11", "0:12")
    .replace("#500130", "#500139")
    .replace("Added a dark theme to the mobile app", "A dark theme for the mobile app")
    + "Offline maps | v4.10 #500140\nMaps work without a network.\n"
)
# An entry is taken out again.
THIRD = SECOND.replace("Reminders can be sent twice | v4.10 #500139\nA second mail goes out.\n", "")


@pytest.fixture
def revised(project: Project, transcriber: FakeTranscriber) -> Project:
    """A project whose list came in three revisions, the last one with a correction; a second episode stays as it is."""
    add_episode(project, "two")
    for page in (FIRST, SECOND, THIRD):
        (project.root / "one.txt").write_text(page)
        if page is THIRD:
            one = Correction(feature_id=500122, decision=Decision.MOVED, start=33.5, who="Anna", why="later")
            save_correction(project, "one", one)
        assert run(project, transcriber, "one", "two").exit_code == 0
    return project


def test_three_revisions_of_a_list_are_told_apart(revised: Project) -> None:
    runs = list_runs(revised)
    first, second, third = (find_run(revised, name) for name in runs)
    told = compare_runs(revised, first, second)["one"].to_json()
    assert [entry["title"] for entry in told["added"]] == ["Offline maps"]
    assert [(entry["feature_id"], entry["before"]) for entry in told["renamed"]] == [
        (500122, "Added a dark theme to the mobile app")
    ]
    edits = {entry["title"]: entry["columns"] for entry in told["edited"]}
    assert edits == {
        "Invoices can be sorted by due date": {"published_s": [11.0, 12.0]},
        "Reminders can be sent twice": {"feature_id": [500130, 500139]},
    }
    told = compare_runs(revised, second, third)["one"].to_json()
    assert [entry["feature_id"] for entry in told["removed"]] == [500139]
    (moved,) = [entry for entry in told["moved"] if entry["feature_id"] == 500122]
    assert (moved["after_s"], moved["by_s"]) == (33.5, round(33.5 - moved["before_s"], 3))
    assert ("confident", "corrected") in {(one["before"], one["after"]) for one in told["status_changed"]}
    assert "two" not in compare_runs(revised, first, third)


def test_every_earlier_catalog_can_be_read_again(revised: Project) -> None:
    states = list_snapshots(revised, "one")
    assert [name.partition("-")[0] for name in states] == ["0001", "0002", "0003"]
    assert [len(read_snapshot(revised, "one", name)) for name in states] == [3, 4, 3]
    assert list_snapshots(revised, "two")[1:] == []


def test_the_command_tells_people_and_programs(revised: Project) -> None:
    told = call("diff", "--root", str(revised.root))
    runs = list_runs(revised)
    assert told.returncode == 0
    lines = told.stdout.splitlines()
    assert lines[:2] == [f"from {runs[1]} to {runs[2]}:", "one:"]
    assert "  removed   #500139 Reminders can be sent twice" in lines
    assert any(line.startswith("  moved     #500122 A dark theme for the mobile app: 0:") for line in lines)
    record = json.loads(call("diff", "one", "--from", "1", "--to", "2", "--json", "--root", str(revised.root)).stdout)
    assert (record["from"], record["to"]) == (runs[0], runs[1])
    assert record["episodes"]["one"]["added"][0]["feature_id"] == 500140
    assert call("diff", "--exit-code", "--root", str(revised.root)).returncode == 1
    same = call("diff", "two", "--from", "1", "--to", "3", "--exit-code", "--root", str(revised.root))
    assert (same.returncode, same.stdout.strip()) == (0, f"from {runs[0]} to {runs[2]}: nothing changed")
    unknown = call("diff", "--from", "17", "--root", str(revised.root))
    assert (unknown.returncode, unknown.stderr.count("\n")) == (1, 1)
    assert "no runs are called 17" in unknown.stderr


def test_an_episode_s_last_change_may_lie_further_back(revised: Project) -> None:
    older, newer = choose_runs(revised, ["two"], None, None)
    assert (older.name, newer.name) == ("nothing", list_runs(revised)[0])


def test_before_the_first_run_there_is_nothing_to_compare(project: Project) -> None:
    with pytest.raises(InputError, match="nothing was published yet"):
        choose_runs(project, None, None, None)


def test_what_a_killed_run_published_is_compared_too(revised: Project) -> None:
    (revised.runs / f"{list_runs(revised)[-1]}.json").unlink()
    older, newer = choose_runs(revised, None, None, None)
    assert (older.name, newer.name) == (list_runs(revised)[-1], "now")
    assert "one" in compare_runs(revised, older, newer)


def test_a_report_says_what_ran_what_changed_and_what_needs_a_person(
    revised: Project, transcriber: FakeTranscriber
) -> None:
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
