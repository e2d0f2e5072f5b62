"""A stdout or stderr that is closed, full or no longer read ends a command in one line, and no run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.core.project import Project
from tests.support.project import REPOSITORY, give_transcript, make_project

FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")


@pytest.fixture
def told(tmp_path: Path) -> Project:
    """A project whose episode has a transcript, so that a run needs no speech model."""
    project = make_project(tmp_path)
    give_transcript(project, "one")
    return project


def shell(project: Project, command: str) -> subprocess.CompletedProcess[str]:
    """Run a shell command in which `catalog` is this program."""
    catalog = f"catalog() {{ '{sys.executable}' -m pipeline \"$@\"; }}; set -o pipefail; "
    return subprocess.run(
        ["bash", "-c", catalog + command],
        cwd=project.root,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    "streams",
    [
        pytest.param(">/dev/full 2>/dev/full", marks=FULL),
        "2>&1 | true",
        "<&- >&- 2>&-",
    ],
)
def test_run_is_complete_without_streams(told: Project, streams: str) -> None:
    shell(told, f"catalog run --all {streams}")
    (report,) = told.runs.glob("*.json")
    assert json.loads(report.read_text())["exit_code"] == 0
    assert told.catalog_csv.is_file()
    assert told.lock.read_bytes() == b""


@pytest.mark.parametrize("streams", [">&-", pytest.param(">/dev/full", marks=FULL)])
def test_lost_table_of_a_run_is_reported(told: Project, streams: str) -> None:
    result = shell(told, f"catalog run --all {streams}")
    assert (result.returncode, result.stdout) == (0, "")
    assert "the result cannot be printed" in result.stderr
    assert "Traceback" not in result.stderr
    assert shell(told, f"catalog run --all --force --json {streams}").returncode == 1


@pytest.mark.parametrize("command", ["status", "status --json", "--version"])
@pytest.mark.parametrize("streams", [">&-", pytest.param(">/dev/full", marks=FULL)])
def test_lost_output_is_one_line(told: Project, command: str, streams: str) -> None:
    result = shell(told, f"catalog {command} {streams}")
    assert (result.returncode, len(result.stderr.splitlines())) == (1, 1)
    assert result.stderr.startswith("error: ")
