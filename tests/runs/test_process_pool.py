"""Worker processes: the same files as one process, one report, and no episode lost with its worker."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.core.config import ShowConfig
from pipeline.core.project import Project
from pipeline.core.schema import Transcript
from pipeline.runs.process_pool import WorkerPool, explain_exit, free_memory, share_cores
from pipeline.runs.workflow import Engine, run_stages
from pipeline.transcribe.transcriber import Progress, Transcriber
from tests.support import faults
from tests.support.project import LINES, PAGE, FakeTranscriber, RecordingReporter, add_episode, make_transcript

EPISODES = ["ep1", "ep2", "ep3"]


@dataclass
class KilledTranscriber:
    """A transcriber that kills its worker at the episodes named in a file, once for each line."""

    kills: Path

    def transcribe(
        self,
        audio: Path,
        *,
        language: str | None,
        on_progress: Progress,
        checkpoints: Path | None = None,
        whole: bool = False,
    ) -> Transcript:
        left = self.kills.read_text().split() if self.kills.is_file() else []
        if audio.parent.name in left:
            left.remove(audio.parent.name)
            self.kills.write_text("\n".join(left))
            os.kill(os.getpid(), signal.SIGKILL)
        for second in range(3):
            on_progress(second + 1.0, 3.0)
            time.sleep(0.01)
        return make_transcript(LINES)


@dataclass(frozen=True)
class KilledTranscriberFactory:
    """Makes the transcriber in a worker."""

    kills: Path

    def __call__(self, show: ShowConfig) -> Transcriber:
        return KilledTranscriber(self.kills)


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


def run_all(project: Project, engine: Engine | None, reporter: RecordingReporter) -> int:
    transcriber = FakeTranscriber(make_transcript(LINES))
    result = run_stages(
        project, EPISODES, faults.STAGES, transcriber=lambda show: transcriber, reporter=reporter, engine=engine
    )
    assert list(result.rows) == sorted(result.rows)
    return result.exit_code


@pytest.mark.slow
def test_workers_write_equal_bytes_even_if_one_dies(project: Project, tmp_path: Path) -> None:
    kills = tmp_path / "kills"
    kills.write_text("ep2")
    (project.root / "ep3.txt").write_text(PAGE.replace("dark", "night"))
    reporter = RecordingReporter()
    assert run_all(project, WorkerPool(2, KilledTranscriberFactory(kills), worker_bytes=1), reporter) == 0
    assert {episode_id for episode_id, _, _ in reporter.progress} == set(EPISODES)
    assert [warning for warning in reporter.warnings if "worker" in warning] == [
        "ep2: its worker died (killed by SIGKILL): trying once more"
    ]
    alone = make_project(tmp_path / "alone")
    (alone.root / "ep3.txt").write_text(PAGE.replace("dark", "night"))
    assert run_all(alone, None, RecordingReporter()) == 0
    assert faults.snapshot(project) == faults.snapshot(alone)


def test_episode_that_kills_workers_fails_alone(project: Project, tmp_path: Path) -> None:
    kills = tmp_path / "kills"
    kills.write_text("ep2 ep2")
    reporter = RecordingReporter()
    assert run_all(project, WorkerPool(2, KilledTranscriberFactory(kills), worker_bytes=1), reporter) == 3
    (failed,) = [result for result in reporter.results if result.error]
    assert failed.episode_id == "ep2"
    assert failed.error == (
        "its worker died 2 times (killed by SIGKILL): check that there is enough memory, or use fewer --jobs"
    )


def test_short_memory_reduces_the_number_of_workers(project: Project, tmp_path: Path) -> None:
    reporter = RecordingReporter()
    pool = WorkerPool(3, KilledTranscriberFactory(tmp_path / "none"), worker_bytes=1 << 50)
    assert run_all(project, pool, reporter) == 0
    assert reporter.warnings[0].startswith("memory: 1 of 3 jobs at once: a worker may need")


def test_free_memory_respects_the_container(tmp_path: Path) -> None:
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


def test_exit_is_explained_in_words() -> None:
    assert [explain_exit(code) for code in (-9, -15, 3)] == ["killed by SIGKILL", "killed by SIGTERM", "exit code 3"]
