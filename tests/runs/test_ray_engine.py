"""Episodes on a real Ray cluster of two nodes: what comes out is what this machine alone would write."""

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.config import ShowConfig
from pipeline.core.errors import InputError
from pipeline.core.project import Project
from pipeline.core.schema import Transcript
from pipeline.runs.ray_engine import RayEngine
from pipeline.runs.workflow import Engine, run_stages
from pipeline.transcribe.transcriber import Progress, Transcriber
from tests.support import faults
from tests.support.project import (
    LINES,
    PAGE,
    REPOSITORY,
    FakeTranscriber,
    RecordingReporter,
    add_episode,
    make_transcript,
)

# Everything on 127.0.0.1: Ray asks this when it is imported.
os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
ray = pytest.importorskip("ray", reason="needs the extra ray, as in requirements/ray.txt")

pytestmark = pytest.mark.filterwarnings("ignore")  # Ray's own, of many kinds

EPISODES = [f"ep{number}" for number in range(1, 9)]


@dataclass
class SlowTranscriber:
    """A transcriber that takes its time, so that a machine can be lost meanwhile, and notes in a file that it began."""

    began: Path

    def transcribe(
        self, audio: Path, *, language: str | None, on_progress: Progress, checkpoints: Path | None = None
    ) -> Transcript:
        with self.began.open("a") as opened:
            opened.write(f"{ray.get_runtime_context().get_node_id()} {audio.parent.name}\n")
        on_progress(1.0, 2.0)
        time.sleep(1.5)
        on_progress(2.0, 2.0)
        return make_transcript(LINES)


@dataclass(frozen=True)
class MakeSlow:
    """Makes the slow transcriber on whatever machine."""

    began: Path

    def __call__(self, show: ShowConfig) -> Transcriber:
        return SlowTranscriber(self.began)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two nodes of two cores each; the workers find the tests' own modules."""
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", f"{REPOSITORY}:{REPOSITORY / 'tests'}")
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_health_check_period_ms", "500")
        made: Any = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False})
        yield made
        ray.shutdown()
        made.shutdown()


def make_project(root: Path) -> Project:
    project = Project(root)
    project.episodes.mkdir(parents=True)
    project.show.write_text("name: The Kite Show\nlanguage: en\n")
    for number, name in enumerate(EPISODES):
        add_episode(project, name, page=PAGE + f"Offline maps | v4.10 #5{number:05}\n")
    return project


def go(project: Project, engine: Engine | None, notes: RecordingReporter) -> int:
    told = FakeTranscriber(make_transcript(LINES))
    return run_stages(
        project, EPISODES, faults.STAGES, transcriber=lambda show: told, reporter=notes, engine=engine
    ).exit_code


def test_a_node_lost_in_the_middle_costs_nothing_but_time(cluster: Any, tmp_path: Path) -> None:
    node = cluster.add_node(num_cpus=2)
    lost = node.node_id if hasattr(node, "node_id") else node.unique_id
    cluster.wait_for_nodes()
    alone, shared = make_project(tmp_path / "alone"), make_project(tmp_path / "shared")
    began = tmp_path / "began.txt"

    def lose_node() -> None:
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline and not (began.is_file() and lost in began.read_text()):
            time.sleep(0.1)
        cluster.remove_node(node, allow_graceful=False)

    killer = threading.Thread(target=lose_node)
    killer.start()
    notes = RecordingReporter()
    code = go(shared, RayEngine(MakeSlow(began), address=cluster.address), notes)
    killer.join()
    assert code == 0, [result.error for result in notes.results]
    starts = [line.split() for line in began.read_text().splitlines()]
    on_lost = [name for where, name in starts if where == lost]
    assert on_lost, "the node that was to be lost never worked"
    assert any("was lost: trying on another one" in warning for warning in notes.warnings)
    assert {name for _, name in starts} == set(EPISODES)
    assert go(alone, None, RecordingReporter()) == 0
    assert faults.snapshot(shared) == faults.snapshot(alone) | {
        name: digest for name, digest in faults.snapshot(shared).items() if name.startswith("configs/")
    }


@dataclass
class Heard(RecordingReporter):
    """A reporter that notes which episodes it heard of while they were still worked on."""

    under_way: set[str] = field(default_factory=set)

    def episode_progress(self, episode_id: str, done: float, total: float) -> None:
        super().episode_progress(episode_id, done, total)
        ended = {(result.episode_id, result.stage) for result in self.results}
        if done < total and (episode_id, "transcribe") not in ended:
            self.under_way.add(episode_id)


def test_progress_on_other_machines_is_told_while_they_work(cluster: Any, tmp_path: Path) -> None:
    heard = Heard()
    assert go(make_project(tmp_path), RayEngine(MakeSlow(tmp_path / "began.txt"), address=cluster.address), heard) == 0
    assert heard.under_way == set(EPISODES)


def test_an_error_on_another_machine_is_one_line_here(cluster: Any, tmp_path: Path) -> None:
    project = make_project(tmp_path)
    (project.root / "ep3.txt").write_text("\n")
    notes = RecordingReporter()
    assert go(project, RayEngine(MakeSlow(tmp_path / "began.txt"), address=cluster.address), notes) == 3
    failed = [result for result in notes.results if result.error]
    assert [(one.episode_id, one.stage) for one in failed] == [("ep3", "align")]
    assert "ep3.txt: no feature found" in str(failed[0].error)


def test_nothing_to_do_needs_no_cluster(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    assert go(project, None, RecordingReporter()) == 0
    assert go(project, RayEngine(MakeSlow(tmp_path / "x"), address="127.0.0.1:1"), RecordingReporter()) == 0


def test_a_cluster_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**settings: object) -> None:
        raise ConnectionError("Could not find any running Ray instance.\nPlease ...")

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", refuse)
    with pytest.raises(InputError, match=r"no Ray cluster at auto \(Could not find any running Ray instance\.\)"):
        go(make_project(tmp_path), RayEngine(MakeSlow(tmp_path / "x"), address="auto"), RecordingReporter())
