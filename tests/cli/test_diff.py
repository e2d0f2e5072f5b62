"""The command `diff`."""

import json

import pytest

from pipeline.core.project import Project
from pipeline.runs.history import list_runs
from tests.support.command import catalog
from tests.support.project import (
    FakeTranscriber,
)
from tests.support.revisions import run_revisions


@pytest.fixture
def revised(project: Project, transcriber: FakeTranscriber) -> Project:
    """A project with three revisions of its list, each of them run."""
    return run_revisions(project, transcriber)


def test_diff_prints_lines_and_json(revised: Project) -> None:
    output = catalog("diff", "--root", str(revised.root))
    runs = list_runs(revised)
    assert output.returncode == 0
    lines = output.stdout.splitlines()
    assert lines[:2] == [f"from {runs[1]} to {runs[2]}:", "one:"]
    assert "  removed   #500139 Reminders can be sent twice" in lines
    assert any(line.startswith("  moved     #500122 A dark theme for the mobile app: 0:") for line in lines)
    record = json.loads(
        catalog("diff", "one", "--from", "1", "--to", "2", "--json", "--root", str(revised.root)).stdout
    )
    assert (record["from"], record["to"]) == (runs[0], runs[1])
    assert record["episodes"]["one"]["added"][0]["feature_id"] == 500140
    assert catalog("diff", "--exit-code", "--root", str(revised.root)).returncode == 1
    same = catalog("diff", "two", "--from", "1", "--to", "3", "--exit-code", "--root", str(revised.root))
    assert (same.returncode, same.stdout.strip()) == (0, f"from {runs[0]} to {runs[2]}: nothing changed")
    unknown = catalog("diff", "--from", "17", "--root", str(revised.root))
    assert (unknown.returncode, unknown.stderr.count("\n")) == (1, 1)
    assert "no runs are called 17" in unknown.stderr


def test_unknown_episode_is_refused(aligned: Project) -> None:
    for name, complaint in (("nine", "there is no episode nine"), ("../one", "cannot be an episode's id")):
        result = catalog("diff", name, cwd=aligned.root)
        assert result.returncode == 1
        assert complaint in result.stderr
