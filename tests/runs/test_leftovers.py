"""Temporary files that killed commands leave outside of a run."""

import os
import time
from pathlib import Path

import pytest
from filelock import FileLock

from pipeline.core.project import Project
from pipeline.core.storage import atomic_write
from pipeline.runs.leftovers import remove_leftovers
from tests.support.project import FakeTranscriber, run


def leave(path: Path, *, age: float = 0.0) -> Path:
    """Leave what a writer that is killed before the rename leaves."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with pytest.raises(KeyboardInterrupt), atomic_write(path) as temporary:
        left = temporary.with_name(temporary.name)
        raise KeyboardInterrupt
    left.write_text("half")
    os.utime(left, (time.time() - age,) * 2)
    return left


def test_run_removes_files_of_killed_review(project: Project, transcriber: FakeTranscriber) -> None:
    run(project, transcriber)
    left = [leave(project.corrections("one")), leave(project.undo_journal("one"))]
    assert run(project, transcriber).stages == []
    assert [path for path in left if path.exists()] == []


def test_file_of_review_at_work_stays(project: Project) -> None:
    left = leave(project.corrections("one"))
    project.corrections_lock("one").parent.mkdir(parents=True)
    with FileLock(project.corrections_lock("one")):
        remove_leftovers(project)
        assert left.exists()
    remove_leftovers(project)
    assert not left.exists()


def test_only_own_file_beside_shared_corrections_goes(project: Project, tmp_path: Path) -> None:
    shared = tmp_path / "share" / "decisions.yaml"
    left, other = leave(shared), leave(shared.with_name("another-show.yaml"))
    shared.write_text("corrections: []\n")
    project.corrections("one").parent.mkdir(parents=True, exist_ok=True)
    project.corrections("one").symlink_to(shared)
    remove_leftovers(project)
    assert (left.exists(), other.exists(), shared.exists()) == (False, True, True)


def test_files_of_killed_import_go_after_an_hour(project: Project) -> None:
    path = project.episode("two")
    old, new, own = leave(path, age=7200), leave(path), project.episodes / ".notes.tmp"
    own.write_text("mine")
    os.utime(own, (0, 0))
    remove_leftovers(project)
    assert (old.exists(), new.exists(), own.exists()) == (False, True, True)
