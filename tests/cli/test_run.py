"""The commands that run stages: output and exit codes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from filelock import FileLock

from pipeline.core.project import Project
from pipeline.core.serialization import transcript_to_json
from pipeline.core.storage import write_json
from tests.support.command import catalog
from tests.support.project import LINES, REPOSITORY, add_episode, make_transcript


def test_stages_run_from_an_existing_transcript(project: Project) -> None:
    """Align and publish need no speech model: the transcript may be there already."""
    write_json(project.transcript("one"), transcript_to_json(make_transcript(LINES)))
    assert catalog("align", "one", "--root", project.root).returncode == 0
    result = catalog("publish", "one", cwd=project.root)
    assert result.returncode == 0
    assert "Invoices can be sorted by due date" in result.stdout
    assert (
        "wrote data/processed/catalog/one.parquet, data/processed/notes/one, data/processed/catalog.csv"
        in result.stdout
    )
    # The fixture's list is found as a whole; the command names no folder where it is printed in the project.
    assert result.stdout.splitlines()[-2:] == ["2 confident", "next: catalog open one"]
    forced = catalog("publish", "one", "--force", "--root", project.root)
    assert forced.stdout.splitlines()[-1] == f"next: catalog open one --root {project.root}"
    again = catalog("publish", "one", cwd=project.root)
    assert (again.stdout, again.stderr) == ("everything is up to date\n", "")


def test_missing_project_is_one_line_and_exits_1(tmp_path: Path) -> None:
    result = catalog("run", "one", cwd=tmp_path)
    assert result.returncode == 1
    assert "configs/show.yaml does not exist" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_one_failed_episode_exits_3(project: Project) -> None:
    add_episode(project, "bad", source="gone.mp3")
    result = catalog("download", "--all", "--root", project.root)
    assert result.returncode == 3
    assert "error: bad: download failed" in result.stderr


def test_held_lock_exits_4(project: Project) -> None:
    project.processed.mkdir(parents=True)
    with FileLock(project.lock):
        assert catalog("run", "one", "--root", project.root).returncode == 4


def test_interrupted_run_exits_130_and_leaves_no_fragment(project: Project) -> None:
    """Ctrl-C while yt-dlp waits for a server that never answers."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        add_episode(project, "one", source=f"http://127.0.0.1:{server.getsockname()[1]}/a.mp3")
        running = subprocess.Popen(
            [sys.executable, "-m", "pipeline", "run", "one", "--root", str(project.root)],
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stderr=subprocess.PIPE,
            text=True,
        )
        server.settimeout(30)
        connection, _ = server.accept()
        time.sleep(0.2)
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate(timeout=30)
        connection.close()
    assert running.returncode == 130
    assert "Traceback" not in errors
    assert not list(project.raw("one").glob("audio*"))
