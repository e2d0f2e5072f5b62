"""After a run that was stopped at any moment, the next run writes the bytes of an undisturbed run."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from pipeline.core.corrections import Correction, Decision, save_correction
from pipeline.core.errors import explain_os_error
from pipeline.core.project import Project
from pipeline.core.storage import atomic_write
from pipeline.runs.job import EpisodeRun
from pipeline.runs.workflow import list_episodes
from tests.support import faults
from tests.support.project import PAGE, FakeTranscriber, RecordingReporter, add_episode, done, run

CATALOG = [sys.executable, "-m", "pipeline"]


@pytest.fixture(scope="module", autouse=True)
def warm() -> None:
    """Import the modules of the forked child processes once."""
    faults.warm_up()


@pytest.mark.slow
def test_next_run_finishes_a_killed_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.align.encoder.load_encoder", lambda language: None)
    killed, differences = faults.try_kills(6, 11, tmp_path)
    assert differences == []
    assert killed > 0


@pytest.mark.slow
def test_two_hundred_kills_make_no_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.align.encoder.load_encoder", lambda language: None)
    killed, differences = faults.try_kills(260, 7, tmp_path)
    assert differences == []
    assert killed >= 200


@pytest.mark.slow
@pytest.mark.parametrize("campaign", [faults.try_small_disks, faults.try_denials])
def test_full_disk_or_denied_folder_makes_no_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, campaign: Callable[[int, int, Path], tuple[int, list[str]]]
) -> None:
    monkeypatch.setattr("pipeline.align.encoder.load_encoder", lambda language: None)
    try:
        failed, differences = campaign(30, 5, tmp_path)
    except PermissionError as error:
        pytest.skip(str(error))
    assert differences == []
    assert failed >= 10


@pytest.mark.slow
def test_full_disk_fails_the_run_without_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.align.encoder.load_encoder", lambda language: None)
    undisturbed = faults.make_project(tmp_path / "undisturbed")
    moments = faults.count_moments(undisturbed)
    expected = faults.snapshot(undisturbed)
    drawn = random.Random(3)
    for number in range(4):
        project = faults.make_project(tmp_path / str(number))
        assert faults.fill_disk_at(project, drawn.randint(1, moments)) in {1, 3}
        assert faults.in_child(lambda project=project: faults.run_project(project)) == 0  # type: ignore[misc]
        assert faults.snapshot(project) == expected


def test_full_disk_is_named_in_one_line(
    project: Project, transcriber: FakeTranscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device", "transcripts/one.json")

    monkeypatch.setattr("os.fsync", full)
    notes = RecordingReporter()
    with pytest.raises(OSError, match="No space left"):
        run(project, transcriber, notes=notes)
    assert [result.error for result in notes.results] == ["transcripts/one.json: No space left on device"]
    assert not list(project.root.rglob("*.tmp"))


def catalog(project: Project, *arguments: str, **settings: object) -> "subprocess.Popen[str]":
    command = [*CATALOG, *arguments, "--root", str(project.root)]
    return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **settings)  # type: ignore[call-overload, no-any-return]


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="POSIX permissions")
def test_unwritable_folder_is_named(project: Project) -> None:
    def work() -> int:
        if os.geteuid() == 0:  # root may write anywhere
            os.setgid(65534)
            os.setuid(65534)
        try:
            return faults.run_project(project)
        except OSError as error:
            return 41 if explain_os_error(error) == f"{project.root / 'data'}: Permission denied" else 42

    for folder in (project.root, *project.root.parents):
        if folder.stat().st_uid == os.geteuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    project.root.chmod(0o555)
    code = faults.in_child(work)
    project.root.chmod(0o755)
    assert code == 41
    assert not (project.root / "data").exists()


class InterruptedTranscriber(FakeTranscriber):
    """A transcriber that Ctrl-C interrupts."""

    def transcribe(  # type: ignore[override]
        self,
        audio: Path,
        *,
        language: str | None,
        on_progress: object,
        checkpoints: Path | None = None,
        whole: bool = False,
    ) -> object:
        raise KeyboardInterrupt


def test_interrupted_run_keeps_results_and_writes_report(project: Project, transcriber: FakeTranscriber) -> None:
    result = run(project, InterruptedTranscriber(transcriber.transcript))
    assert (result.exit_code, result.interrupted) == (130, True)
    (report,) = project.runs.glob("*.json")
    record = json.loads(report.read_text())
    assert (record["interrupted"], [stage["stage"] for stage in record["stages"]]) == (True, ["download"])
    assert [stage for stage, _ in done(run(project, transcriber))] == ["transcribe", "align", "publish"]


@pytest.mark.model
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("jobs", [(), ("--jobs", "2")], ids=["one", "two"])
def test_signal_exits_130(project: Project, stop: signal.Signals, jobs: tuple[str, ...]) -> None:
    add_episode(project, "two")
    project.show.write_text(project.show.read_text() + "model: tiny.en\n")
    process = catalog(project, "run", "--all", *jobs)
    assert process.stderr is not None
    output = ""
    while "transcribe" not in output:
        output = process.stderr.readline()
        assert output, "it ended too early"
    process.send_signal(stop)
    _, rest = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "interrupted: finished stages are kept" in rest
    assert "Traceback" not in rest
    with FileLock(project.lock, timeout=0):
        assert not list(project.processed.rglob("*.tmp")) or project.unfinished.exists()


def test_second_run_waits_with_wait(project: Project) -> None:
    project.processed.mkdir(parents=True)
    project.episode("one").unlink()
    with FileLock(project.lock):
        refused = catalog(project, "run", "--all")
        assert "another run is at work" in refused.communicate(timeout=60)[1]
        assert refused.returncode == 4
        waiting = catalog(project, "run", "--all", "--wait")
        assert waiting.stderr is not None
        assert "waiting for another run" in waiting.stderr.readline()
    assert "there is no episode yet" in waiting.communicate(timeout=60)[0]
    assert waiting.returncode == 0


def test_unexpected_exception_fails_one_episode(
    project: Project, transcriber: FakeTranscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_episode(project, "two")
    real = EpisodeRun.feature_list.func  # type: ignore[attr-defined]

    def list_of(job: EpisodeRun) -> Path:
        if job.episode_id == "one":
            raise ZeroDivisionError("oh\nno")
        return real(job)  # type: ignore[no-any-return]

    monkeypatch.setattr(EpisodeRun, "feature_list", property(list_of))
    result = run(project, transcriber, *list_episodes(project))
    assert result.exit_code == 3
    assert re.fullmatch(
        r"internal error \(ZeroDivisionError: oh no\) at test_faults\.py:\d+; the run report has the traceback",
        result.failures[0].error or "",
    )
    (report,) = project.runs.glob("*.json")
    assert "list_of" in json.loads(report.read_text())["stages"][2]["trace"]


@pytest.mark.parametrize("jump", [-400 * 86400, 400 * 86400], ids=["back", "ahead"])
def test_clock_jump_changes_nothing(
    project: Project, transcriber: FakeTranscriber, monkeypatch: pytest.MonkeyPatch, jump: int
) -> None:
    run(project, transcriber)
    gmtime = time.gmtime
    monkeypatch.setattr("time.gmtime", lambda *seconds: gmtime((seconds or (time.time(),))[0] + jump))
    page = project.root / "one.txt"
    page.write_text(PAGE + "Offline maps | v4.10 #500133\n")
    then = page.stat().st_mtime + jump
    os.utime(page, (then, then))
    assert done(run(project, transcriber))[0][1] == "feature list changed: 1 entry added"
    assert done(run(project, transcriber)) == []
    numbers = [path.name.partition("-")[0] for path in sorted(project.runs.glob("*.json"))]
    assert numbers == ["0001", "0002"]


def test_only_our_temporary_files_are_removed(project: Project, transcriber: FakeTranscriber) -> None:
    run(project, transcriber)
    left = project.processed / "notes" / "one" / ".chapters.json.0a1b2c3d.tmp"
    left.write_text("half")
    own = project.processed / ".mine.tmp"
    own.write_text("a person's")
    project.unfinished.touch()
    assert done(run(project, transcriber)) == []
    assert (left.exists(), own.exists(), project.unfinished.exists()) == (False, True, False)


def test_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "kept.txt"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), atomic_write(path) as temporary:
        temporary.write_text("new")
        raise ZeroDivisionError
    assert [kept.read_text() for kept in tmp_path.iterdir()] == ["old"]


def test_corrections_need_no_run_lock(project: Project) -> None:
    """People correct starts during a long run."""
    project.processed.mkdir(parents=True)
    with FileLock(project.lock):
        save_correction(project, "one", Correction(feature_id=1, decision=Decision.NOT_DISCUSSED))
    assert project.corrections("one").is_file()
