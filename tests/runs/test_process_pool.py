"""Several episodes at once: the same files, one report, and no episode lost with its worker."""

import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pipeline.cli.progress import ConsoleReporter
from pipeline.core.config import ShowConfig
from pipeline.core.project import Project
from pipeline.core.schema import Transcript
from pipeline.runs.process_pool import WorkerPool, explain_exit, free_memory, share_cores
from pipeline.runs.result import StageResult
from pipeline.runs.workflow import Engine, run_stages
from pipeline.transcribe.transcriber import Progress, Transcriber
from tests.support import faults
from tests.support.project import LINES, PAGE, FakeTranscriber, RecordingReporter, add_episode, make_transcript

EPISODES = ["ep1", "ep2", "ep3"]


@dataclass
class Deadly:
    """A transcriber whose worker is killed at episodes named in a file, one time for each line."""

    orders: Path

    def transcribe(
        self, audio: Path, *, language: str | None, on_progress: Progress, checkpoints: Path | None = None
    ) -> Transcript:
        left = self.orders.read_text().split() if self.orders.is_file() else []
        if audio.parent.name in left:
            left.remove(audio.parent.name)
            self.orders.write_text("\n".join(left))
            os.kill(os.getpid(), signal.SIGKILL)
        for second in range(3):
            on_progress(second + 1.0, 3.0)
            time.sleep(0.01)
        return make_transcript(LINES)


@dataclass(frozen=True)
class MakeDeadly:
    """Makes the transcriber in a worker."""

    orders: Path

    def __call__(self, show: ShowConfig) -> Transcriber:
        return Deadly(self.orders)


@dataclass
class Watching(RecordingReporter):
    """A recording reporter that keeps the progress of each episode too."""

    moved: set[str] = field(default_factory=set)

    def episode_progress(self, episode_id: str, done: float, total: float) -> None:
        self.moved.add(episode_id)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(tmp_path / "several")


def make_project(root: Path) -> Project:
    made = Project(root)
    made.episodes.mkdir(parents=True)
    made.show.write_text("name: The Kite Show\nlanguage: en\n")
    for name in EPISODES:
        add_episode(made, name)
    return made


def go(project: Project, engine: Engine | None, notes: RecordingReporter) -> int:
    told = FakeTranscriber(make_transcript(LINES))
    result = run_stages(project, EPISODES, faults.STAGES, transcriber=lambda show: told, reporter=notes, engine=engine)
    assert list(result.rows) == sorted(result.rows)
    return result.exit_code


def test_two_workers_write_what_one_process_writes_and_one_may_die(project: Project, tmp_path: Path) -> None:
    orders = tmp_path / "orders"
    orders.write_text("ep2")
    (project.root / "ep3.txt").write_text(PAGE.replace("dark", "night"))
    notes = Watching()
    assert go(project, WorkerPool(2, MakeDeadly(orders), worker_bytes=1), notes) == 0
    assert notes.moved == set(EPISODES)
    assert [one for one in notes.warnings if "worker" in one] == [
        "ep2: its worker died (killed by SIGKILL): trying once more"
    ]
    alone = make_project(tmp_path / "alone")
    (alone.root / "ep3.txt").write_text(PAGE.replace("dark", "night"))
    assert go(alone, None, RecordingReporter()) == 0
    assert faults.snapshot(project) == faults.snapshot(alone)


def test_an_episode_that_kills_its_workers_fails_alone(project: Project, tmp_path: Path) -> None:
    orders = tmp_path / "orders"
    orders.write_text("ep2 ep2")
    notes = RecordingReporter()
    assert go(project, WorkerPool(2, MakeDeadly(orders), worker_bytes=1), notes) == 3
    (failed,) = [result for result in notes.results if result.error]
    assert failed.episode_id == "ep2"
    assert failed.error == (
        "its worker died 2 times (killed by SIGKILL): check that there is enough memory, or use fewer --jobs"
    )


def test_where_memory_is_short_fewer_work_at_once(project: Project, tmp_path: Path) -> None:
    notes = RecordingReporter()
    pool = WorkerPool(3, MakeDeadly(tmp_path / "none"), worker_bytes=1 << 50)
    assert go(project, pool, notes) == 0
    assert notes.warnings[0].startswith("memory: 1 of 3 jobs at once: a worker may need")


def test_free_memory_is_that_of_the_container_where_there_is_one(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable: 4096 kB\n")
    assert free_memory(tmp_path) == 4096 << 10
    group = tmp_path / "sys" / "fs" / "cgroup"
    group.mkdir(parents=True)
    (group / "memory.max").write_text("3000000\n")
    (group / "memory.current").write_text("1000000\n")
    assert free_memory(tmp_path) == 2_000_000
    (group / "memory.max").write_text("max\n")
    assert free_memory(tmp_path) == 4096 << 10
    assert free_memory(tmp_path / "elsewhere") is None


def test_workers_share_the_cores() -> None:
    cores = os.sched_getaffinity(0)
    shares = [share_cores(number, 2) for number in range(2)]
    assert set().union(*shares) == cores or len(cores) == 1
    assert all(shares)
    assert all(len(share_cores(number, 64)) == 1 for number in range(64))


def test_an_end_is_told_in_words() -> None:
    assert [explain_exit(code) for code in (-9, -15, 3)] == ["killed by SIGKILL", "killed by SIGTERM", "exit code 3"]


def test_the_display_has_a_bar_for_each_episode(monkeypatch: pytest.MonkeyPatch) -> None:
    reporter = ConsoleReporter()
    monkeypatch.setattr(type(reporter.console), "is_terminal", property(lambda self: True))
    for name in ("ep1", "ep2"):
        reporter.stage_started(name, "transcribe", "not done yet")
        reporter.episode_progress(name, 1.0, 4.0)
    assert reporter._bar is not None
    assert [(task.description, task.percentage) for task in reporter._bar.tasks] == [
        ("ep1: transcribe", 25.0), ("ep2: transcribe", 25.0),
    ]  # fmt: skip
    reporter.stage_ended(StageResult("ep1", "transcribe", "", 1.0))
    assert [task.description for task in reporter._bar.tasks] == ["ep2: transcribe"]
    reporter.stage_ended(StageResult("ep2", "transcribe", "", 1.0))
    assert reporter._bar is None
