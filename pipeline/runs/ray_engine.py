"""Several machines at once, by Ray (extra `ray`): one actor a place, each with a speech model of its own.

The project's folder must be the same path on every machine, on storage that they share: episodes are read there and
results written there, whole files only, so that an episode lost with its machine is simply done again elsewhere.
"""

import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.core.config import ShowConfig, load_show
from pipeline.core.errors import InputError, ModelError, PipelineError
from pipeline.core.storage import sha256_of
from pipeline.runs.episode import ReporterProxy, run_task
from pipeline.runs.job import Reporter, RunResult, StageResult, Task
from pipeline.transcribe.transcriber import Transcriber

# An episode is tried on so many machines; a second loss may be chance, a third is not.
TRIES = 3

# Cores of an actor without a GPU: a second core still helps faster-whisper, a third hardly.
CORES = 2
POLL_S = 0.5


class EpisodeActor:
    """Works on episodes on one machine of the cluster; the model is loaded once and kept."""

    def __init__(self, make_transcriber: Callable[[ShowConfig], Transcriber]) -> None:
        """Load nothing yet."""
        self.make_transcriber = make_transcriber
        self.made: tuple[ShowConfig, Transcriber] | None = None

    def run(self, task: Task, show_sha256: str, told: Any) -> RunResult:
        """Bring one episode up to date and return what was done; the queue `told` takes what a reporter is told.

        InputError where this machine has another folder at the project's path.
        """
        project = task.project
        if not project.show.is_file() or sha256_of(project.show) != show_sha256:
            raise InputError(f"{project.root} is not the same folder on every machine: put it on shared storage")
        show = load_show(project.show)
        if self.made is None or self.made[0] != show:
            self.made = show, self.make_transcriber(show)
        return run_task(task, self.made[1], show, ReporterProxy(told.put, task.episode_id))


@dataclass
class RayEngine:
    """An engine for `pipeline.runs.workflow.run_stages` on a Ray cluster; without an address one is started here.

    `jobs` limits the actors; by default there are as many as the cluster has places for.
    """

    make_transcriber: Callable[[ShowConfig], Transcriber]
    address: str | None = None
    jobs: int | None = None

    def __call__(self, tasks: Sequence[Task], reporter: Reporter) -> Iterator[RunResult]:
        """Yield what became of each episode, as they end."""
        ray = import_ray()
        started = not ray.is_initialized()
        if started:
            term = signal.getsignal(signal.SIGTERM)
            try:
                ray.init(address=self.address, log_to_driver=False, logging_level="error", configure_logging=False)
            except (ConnectionError, ValueError, RuntimeError) as error:
                told = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
                raise InputError(f"no Ray cluster at {self.address or 'this machine'} ({told})") from error
            # Ray would end the program at once where the run wants to write its report.
            signal.signal(signal.SIGTERM, term)
        try:
            yield from _Crew(ray, self.make_transcriber, self.jobs).work(tasks, reporter)
        finally:
            if started:
                ray.shutdown()


class _Crew:
    """The actors of a run, and what each works on."""

    def __init__(self, ray: Any, make_transcriber: Callable[[ShowConfig], Transcriber], jobs: int | None) -> None:
        self.ray, self.make_transcriber, self.jobs = ray, make_transcriber, jobs
        self.actors: list[Any] = []
        self.running: dict[Any, tuple[Any, Task]] = {}
        self.tries: dict[str, int] = {}
        # Kept where the run itself is: on any other machine it could be lost with it.
        here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
            ray.get_runtime_context().get_node_id(), soft=False
        )
        self.told = ray.util.queue.Queue(actor_options={"num_cpus": 0, "scheduling_strategy": here})

    def work(self, tasks: Sequence[Task], reporter: Reporter) -> Iterator[RunResult]:
        """Yield what became of each episode; one whose machine is lost is tried on another one."""
        show_sha256 = sha256_of(tasks[0].project.show)
        waiting = deque(tasks)
        idle: list[Any] = []
        while waiting or self.running:
            # Asked again each time: machines come and go while a run goes on.
            places = min(self._count_places(), self.jobs or len(tasks))
            # One that is hired may have to wait for cores, so whoever is idle goes first.
            while waiting and (idle or len(self.running) < places):
                actor = idle.pop() if idle else self._hire()
                task = waiting.popleft()
                self.running[actor.run.remote(task, show_sha256, self.told)] = (actor, task)
            while idle and not waiting:
                # An actor keeps its cores as long as it lives, and one that was just hired may wait for them.
                self.ray.kill(idle.pop())
            ended, _ = self.ray.wait(list(self.running), timeout=POLL_S)
            self._tell(reporter)
            for reference in ended:
                actor, task = self.running.pop(reference)
                try:
                    result = self.ray.get(reference)
                except self.ray.exceptions.RayActorError:
                    yield from self._lose(task, waiting, reporter)
                    continue
                except self.ray.exceptions.RayTaskError as error:
                    cause = error.cause if isinstance(error.cause, PipelineError) else error
                    yield self._fail(task, str(cause).strip().splitlines()[-1], reporter)
                else:
                    yield result
                idle.append(actor)

    def _tell(self, reporter: Reporter) -> None:
        """Tell what actors said until now: all of it, for those that have ended, since each waits until it is heard."""
        for kind, *what in self.told.get_nowait_batch(self.told.size()):
            getattr(reporter, kind)(*what)

    def _count_places(self) -> int:
        """How many actors the cluster has room for: one a GPU, else one for every few cores."""
        resources = self.ray.cluster_resources()
        return max(1, int(resources.get("GPU", 0)) or int(resources.get("CPU", 1)) // CORES)

    def _hire(self) -> Any:
        resources = self.ray.cluster_resources()
        wanted = {"num_gpus": 1} if resources.get("GPU", 0) else {"num_cpus": min(CORES, int(resources["CPU"]))}
        return self.ray.remote(**wanted)(EpisodeActor).remote(self.make_transcriber)

    def _lose(self, task: Task, waiting: deque[Task], reporter: Reporter) -> Iterator[RunResult]:
        """Give an episode another try, unless it took several machines with it."""
        self.tries[task.episode_id] = self.tries.get(task.episode_id, 1) + 1
        if self.tries[task.episode_id] <= TRIES:
            reporter.warn(task.episode_id, "the machine that worked on it was lost: trying on another one")
            waiting.appendleft(task)
            time.sleep(POLL_S)  # the cluster needs a moment to notice what it lost
        else:
            yield self._fail(task, f"{TRIES} workers were lost with it: is there memory enough?", reporter)

    def _fail(self, task: Task, error: str, reporter: Reporter) -> RunResult:
        failed = StageResult(task.episode_id, task.stages[0], "", 0.0, error)
        reporter.stage_ended(failed)
        return RunResult(stages=[failed])


def import_ray() -> Any:
    """Return the library; ModelError tells how to get it."""
    try:
        import ray
        import ray.util.queue
        import ray.util.scheduling_strategies
    except ImportError:
        raise ModelError("Ray is not installed: pip install 'episode-catalog[ray]', on every machine") from None
    return ray
