"""Run episodes on several machines with Ray (extra `ray`): one actor for each GPU, or for every few cores.

The project's folder must have the same path on every machine, on shared storage: actors read episodes and write results
there. Files are written atomically, so an episode whose machine is lost is run again on another one.
"""

import signal
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.core.errors import InputError, ModelError, PipelineError
from pipeline.core.extras import describe_installation
from pipeline.core.storage import sha256_of
from pipeline.runs.episode import MakeTranscriber, TaskRunner, fail_task
from pipeline.runs.job import Task
from pipeline.runs.reporter import Reporter
from pipeline.runs.result import RunResult

# The number of machines on which an episode is tried: two may be lost by chance, a third is not.
MAX_TRIES = 3

# Cores of an actor without a GPU: faster-whisper gains from a second core, and hardly from a third.
CORES_PER_ACTOR = 2

# Seconds between two looks at the results, the events and the size of the cluster.
POLL_INTERVAL_S = 0.5


class EpisodeActor:
    """Runs episodes on one machine of the cluster; the speech model is loaded once."""

    def __init__(self, make_transcriber: MakeTranscriber) -> None:
        self.runner = TaskRunner(make_transcriber)

    def run(self, task: Task, show_sha256: str, events: Any) -> RunResult:
        """Bring one episode up to date and return its result; the queue `events` takes the calls of the reporter.

        InputError where the project's path is another folder on this machine: its show.yaml has another digest.
        """
        project = task.project
        if not project.show.is_file() or sha256_of(project.show) != show_sha256:
            raise InputError(f"{project.root} is not the same folder on every machine", "put it on shared storage")
        return self.runner.run(task, events.put)


@dataclass
class RayEngine:
    """An engine for `pipeline.runs.workflow.run_stages` on a Ray cluster; without an address it starts one here.

    `jobs` limits the number of actors; by default the size of the cluster does.
    """

    make_transcriber: MakeTranscriber
    address: str | None = None
    jobs: int | None = None

    def __call__(self, tasks: Sequence[Task], reporter: Reporter) -> Iterator[RunResult]:
        """Yield the result of each task as it ends."""
        ray = import_ray()
        started = not ray.is_initialized()
        if started:
            self._connect(ray)
        try:
            yield from ActorPool(ray, self.make_transcriber, self.jobs).run(tasks, reporter)
        finally:
            if started:
                ray.shutdown()

    def _connect(self, ray: Any) -> None:
        handler = signal.getsignal(signal.SIGTERM)
        try:
            ray.init(address=self.address, log_to_driver=False, logging_level="error", configure_logging=False)
        except (ConnectionError, ValueError, RuntimeError) as error:
            cause = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise InputError(f"no Ray cluster at {self.address or 'this machine'} ({cause})") from error
        # Ray's own handler would end the program before the run writes its report.
        signal.signal(signal.SIGTERM, handler)


class ActorPool:
    """The actors of a run and their tasks."""

    def __init__(self, ray: Any, make_transcriber: MakeTranscriber, jobs: int | None) -> None:
        self.ray, self.make_transcriber, self.jobs = ray, make_transcriber, jobs
        self.running: dict[Any, tuple[Any, Task]] = {}
        self.idle: list[Any] = []
        self.tries: dict[str, int] = {}
        # The queue stays on the machine of the run: on any other one it could be lost.
        here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
            ray.get_runtime_context().get_node_id(), soft=False
        )
        self.events = ray.util.queue.Queue(actor_options={"num_cpus": 0, "scheduling_strategy": here})

    def run(self, tasks: Sequence[Task], reporter: Reporter) -> Iterator[RunResult]:
        """Yield the result of each task as it ends; a task whose machine is lost is tried on another one."""
        show_sha256 = sha256_of(tasks[0].project.show)
        waiting = deque(tasks)
        while waiting or self.running:
            # Counted again each time: machines join and leave the cluster during a run.
            limit = min(self._count_places(), self.jobs or len(tasks))
            # An idle actor has its cores; a new one may have to wait for them.
            while waiting and (self.idle or len(self.running) < limit):
                actor = self.idle.pop() if self.idle else self.add_actor()
                task = waiting.popleft()
                self.running[actor.run.remote(task, show_sha256, self.events)] = (actor, task)
            while self.idle and not waiting:
                # An actor holds its cores until it is killed, and a new actor may wait for them.
                self.ray.kill(self.idle.pop())
            ended, _ = self.ray.wait(list(self.running), timeout=POLL_INTERVAL_S)
            self._deliver_events(reporter)
            for reference in ended:
                yield from self._collect(reference, waiting, reporter)

    def _collect(self, reference: Any, waiting: deque[Task], reporter: Reporter) -> Iterator[RunResult]:
        """Yield the result of an ended call, unless its actor was lost and the task is tried again."""
        actor, task = self.running.pop(reference)
        try:
            result = self.ray.get(reference)
        except self.ray.exceptions.RayActorError:
            yield from self.retry_lost(task, waiting, reporter)
            return
        except self.ray.exceptions.RayTaskError as error:
            cause = error.cause if isinstance(error.cause, PipelineError) else error
            result = fail_task(task, str(cause).strip().splitlines()[-1], reporter)
        yield result
        self.idle.append(actor)

    def _deliver_events(self, reporter: Reporter) -> None:
        """Pass the calls that actors sent to the reporter; those of ended tasks have all arrived."""
        for event in self.events.get_nowait_batch(self.events.size()):
            event(reporter)

    def _count_places(self) -> int:
        """The number of actors that the cluster has room for: one for each GPU, else for every CORES_PER_ACTOR."""
        resources = self.ray.cluster_resources()
        return max(1, int(resources.get("GPU", 0)) or int(resources.get("CPU", 1)) // CORES_PER_ACTOR)

    def add_actor(self) -> Any:
        """Return a new actor; it starts once the cluster has a GPU, or cores, for it."""
        resources = self.ray.cluster_resources()
        gpu = resources.get("GPU", 0)
        needed = {"num_gpus": 1} if gpu else {"num_cpus": min(CORES_PER_ACTOR, int(resources["CPU"]))}
        return self.ray.remote(**needed)(EpisodeActor).remote(self.make_transcriber)

    def retry_lost(self, task: Task, waiting: deque[Task], reporter: Reporter) -> Iterator[RunResult]:
        """Put a task whose machine was lost back in front, or yield a failure after MAX_TRIES."""
        tries = self.tries[task.episode_id] = self.tries.get(task.episode_id, 0) + 1
        if tries < MAX_TRIES:
            reporter.warn(task.episode_id, "the machine that worked on it was lost: trying on another one")
            waiting.appendleft(task)
            time.sleep(POLL_INTERVAL_S)  # the cluster needs a moment to notice the loss
        else:
            yield fail_task(task, f"{MAX_TRIES} workers were lost with it: check that there is enough memory", reporter)


def import_ray() -> Any:
    """Return the library; ModelError where it is not installed."""
    try:
        import ray
        import ray.util.queue
        import ray.util.scheduling_strategies
    except ImportError:
        raise ModelError("Ray is not installed", f"{describe_installation('ray')}, on every machine") from None
    return ray
