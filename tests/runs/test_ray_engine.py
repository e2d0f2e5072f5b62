"""A real Ray cluster of two nodes: it writes the same files as this machine alone."""

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

# Everything on 127.0.0.1; Ray reads this when it is imported.
os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
ray = pytest.importorskip("ray", reason="needs the extra ray, as in requirements/ray.txt")

pytestmark = pytest.mark.filterwarnings("ignore")  # Ray's own warnings, of many kinds

EPISODES = [f"ep{number}" for number in range(1, 9)]


@dataclass
class SlowTranscriber:
    """A slow transcriber that writes to a file when it begins: a machine can be lost meanwhile."""

    began: Path

    def transcribe(
        self,
        audio: Path,
        *,
        language: str | None,
        on_progress: Progress,
        checkpoints: Path | None = None,
        whole: bool = False,
    ) -> Transcript:
        with self.began.open("a") as opened:
            opened.write(f"{ray.get_runtime_context().get_node_id()} {audio.parent.name}\n")
        on_progress(1.0, 2.0)
        time.sleep(1.5)
        on_progress(2.0, 2.0)
        return make_transcript(LINES)


@dataclass(frozen=True)
class SlowTranscriberFactory:
    """Makes the slow transcriber on any machine."""

    began: Path

    def __call__(self, show: ShowConfig) -> Transcriber:
        return SlowTranscriber(self.began)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A cluster whose workers find the modules of the tests; a test adds the second node."""
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


def run_all(project: Project, engine: Engine | None, reporter: RecordingReporter) -> int:
    transcriber = FakeTranscriber(make_transcript(LINES))
    return run_stages(
        project, EPISODES, faults.STAGES, transcriber=lambda show: transcriber, reporter=reporter, engine=engine
    ).exit_code


def test_lost_node_costs_only_time(cluster: Any, tmp_path: Path) -> None:
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
    reporter = RecordingReporter()
    code = run_all(shared, RayEngine(SlowTranscriberFactory(began), address=cluster.address), reporter)
    killer.join()
    assert code == 0, [result.error for result in reporter.results]
    starts = [line.split() for line in began.read_text().splitlines()]
    on_lost = [name for where, name in starts if where == lost]
    assert on_lost, "the node that was to be lost never worked"
    assert any("was lost: trying on another one" in warning for warning in reporter.warnings)
    assert {name for _, name in starts} == set(EPISODES)
    assert run_all(alone, None, RecordingReporter()) == 0
    assert faults.snapshot(shared) == faults.snapshot(alone) | {
        name: digest for name, digest in faults.snapshot(shared).items() if name.startswith("configs/")
    }


@dataclass
class LiveReporter(RecordingReporter):
    """A reporter that records which episodes reported progress before they ended."""

    under_way: set[str] = field(default_factory=set)

    def episode_progress(self, episode_id: str, done: float, total: float) -> None:
        super().episode_progress(episode_id, done, total)
        ended = {(result.episode_id, result.stage) for result in self.results}
        if done < total and (episode_id, "transcribe") not in ended:
            self.under_way.add(episode_id)


def test_progress_of_other_machines_is_reported_live(cluster: Any, tmp_path: Path) -> None:
    reporter = LiveReporter()
    assert (
        run_all(
            make_project(tmp_path),
            RayEngine(SlowTranscriberFactory(tmp_path / "began.txt"), address=cluster.address),
            reporter,
        )
        == 0
    )
    assert reporter.under_way == set(EPISODES)


def test_error_on_another_machine_is_one_line(cluster: Any, tmp_path: Path) -> None:
    project = make_project(tmp_path)
    (project.root / "ep3.txt").write_text("\n")
    reporter = RecordingReporter()
    assert (
        run_all(project, RayEngine(SlowTranscriberFactory(tmp_path / "began.txt"), address=cluster.address), reporter)
        == 3
    )
    failed = [result for result in reporter.results if result.error]
    assert [(result.episode_id, result.stage) for result in failed] == [("ep3", "align")]
    assert "ep3.txt: no feature found" in str(failed[0].error)


def test_nothing_to_do_needs_no_cluster(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    assert run_all(project, None, RecordingReporter()) == 0
    assert (
        run_all(project, RayEngine(SlowTranscriberFactory(tmp_path / "x"), address="127.0.0.1:1"), RecordingReporter())
        == 0
    )


def test_missing_cluster_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**settings: object) -> None:
        raise ConnectionError("Could not find any running Ray instance.\nPlease ...")

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", refuse)
    with pytest.raises(InputError, match=r"no Ray cluster at auto \(Could not find any running Ray instance\.\)"):
        run_all(
            make_project(tmp_path),
            RayEngine(SlowTranscriberFactory(tmp_path / "x"), address="auto"),
            RecordingReporter(),
        )
