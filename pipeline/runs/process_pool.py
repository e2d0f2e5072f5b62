"""Run several episodes at once on this machine: worker processes, each with its own speech model.

If a worker dies (killed, out of memory), another one tries its episode once more. Files are written atomically, so a
dead worker leaves none half written. Workers end with the run that started them, however that ends.
"""

import contextlib
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from pipeline.runs.episode import MakeTranscriber, TaskRunner, fail_task
from pipeline.runs.job import Task
from pipeline.runs.reporter import Reporter
from pipeline.runs.result import RunResult

# Bytes of memory of a worker at its peak; measured, see docs/scaling.md.
WORKER_BYTES = 1_200 << 20

# The most attempts at an episode: one worker may be killed by chance, two hardly are.
MAX_TRIES = 2

# Seconds that an idle worker gets to end by itself once its pipe is closed.
EXIT_TIMEOUT_S = 5.0


@dataclass
class _Worker:
    """A worker process, the pipe to it, and its current task."""

    process: BaseProcess
    pipe: Connection
    task: Task | None = None


@dataclass
class WorkerPool:
    """An engine for `pipeline.runs.workflow.run_stages`: at most `jobs` episodes at once, fewer where memory is short.

    `make_transcriber` must be picklable: each worker makes its own transcriber. `worker_bytes` is the memory that one
    worker needs.
    """

    jobs: int
    make_transcriber: MakeTranscriber
    worker_bytes: int = WORKER_BYTES
    _workers: list[_Worker] = field(default_factory=list)
    _tries: dict[str, int] = field(default_factory=dict)

    def __call__(self, tasks: Sequence[Task], reporter: Reporter) -> Iterator[RunResult]:
        """Yield the result of each task as it ends."""
        jobs = min(self.jobs, len(tasks), self._fit_memory(reporter))
        waiting = deque(tasks)
        try:
            for number in range(jobs):
                self._workers.append(self._start_worker(number, jobs))
            while waiting or any(worker.task for worker in self._workers):
                for worker in self._workers:
                    if worker.task is None and waiting:
                        self._send_task(worker, waiting.popleft())
                yield from self._receive(waiting, reporter)
        finally:
            self._stop_workers()

    def _fit_memory(self, reporter: Reporter) -> int:
        """The number of workers that fit into free memory: at least one, at most `jobs`."""
        free = free_memory()
        fitting = self.jobs if free is None else max(1, free // self.worker_bytes)
        if free is not None and fitting < self.jobs:
            needed = f"{self.worker_bytes >> 20} MB each, {free >> 20} MB are free"
            reporter.warn("memory", f"{fitting} of {self.jobs} jobs at once: a worker may need {needed}")
        return fitting

    def _start_worker(self, number: int, jobs: int) -> _Worker:
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=serve, args=(theirs, self.make_transcriber, share_cores(number, jobs)), daemon=False
        )
        process.start()
        theirs.close()
        return _Worker(process, ours)

    def _stop_workers(self) -> None:
        for worker in self._workers:
            # An idle worker ends by itself once its pipe is closed.
            worker.pipe.close()
        for worker in self._workers:
            worker.process.join(0.0 if worker.task else EXIT_TIMEOUT_S)
            end_group(worker.process)
            worker.process.join()
        self._workers.clear()

    def _send_task(self, worker: _Worker, task: Task) -> None:
        worker.task = task
        with contextlib.suppress(OSError):  # a worker that just died: _receive notices its closed pipe
            worker.pipe.send(task)

    def _receive(self, waiting: deque[Task], reporter: Reporter) -> Iterator[RunResult]:
        """Yield the results that workers sent, pass on their calls of the reporter, and replace dead workers."""
        for ready in wait([worker.pipe for worker in self._workers]):
            number = next(n for n, worker in enumerate(self._workers) if worker.pipe is ready)
            worker = self._workers[number]
            try:
                message = worker.pipe.recv()
            except (EOFError, OSError):
                yield from self._replace_worker(number, waiting, reporter)
                continue
            if isinstance(message, RunResult):
                worker.task = None
                yield message
            else:
                message(reporter)

    def _replace_worker(self, number: int, waiting: deque[Task], reporter: Reporter) -> Iterator[RunResult]:
        """Start a new worker for a dead one, and retry its task, or yield a failure after MAX_TRIES."""
        dead = self._workers[number]
        dead.pipe.close()
        dead.process.join()
        task, code = dead.task, dead.process.exitcode
        self._workers[number] = self._start_worker(number, len(self._workers))
        if task is None:
            return
        tries = self._tries[task.episode_id] = self._tries.get(task.episode_id, 0) + 1
        if tries < MAX_TRIES:
            reporter.warn(task.episode_id, f"its worker died ({explain_exit(code)}): trying once more")
            waiting.appendleft(task)
            return
        cause = f"its worker died {MAX_TRIES} times ({explain_exit(code)})"
        yield fail_task(task, f"{cause}: check that there is enough memory, or use fewer --jobs", reporter)


def serve(pipe: Connection, make_transcriber: MakeTranscriber, cores: set[int]) -> None:
    """Run the tasks that come through the pipe until it is closed: the body of a worker process."""
    # In its own process group a worker gets no Ctrl-C: only the run does, which then ends its workers' groups.
    os.setpgrp()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
    runner = TaskRunner(make_transcriber)
    while True:
        try:
            task: Task = pipe.recv()
        except EOFError:
            return
        pipe.send(runner.run(task, pipe.send))


def _end_with_parent() -> None:
    """End at once when the run is gone, even by kill -9: another run may start, and two must not write."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os.killpg(0, signal.SIGKILL)


def end_group(process: BaseProcess) -> None:
    """Kill a worker and the processes that it started; atomic writes leave no file half written."""
    # A worker that just began has no group of its own yet, and no processes either.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if process.pid:
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()


def share_cores(number: int, jobs: int) -> set[int]:
    """Return the cores of worker `number` of `jobs`; empty where the system cannot say which cores there are."""
    if not hasattr(os, "sched_getaffinity"):
        return set()
    cores = sorted(os.sched_getaffinity(0))
    return set(cores[number % len(cores) :: jobs]) or {cores[number % len(cores)]}


def free_memory(root: Path = Path("/")) -> int | None:
    """Return the bytes of memory that are free, in the machine and in the container; None where neither is known.

    `root` is where `/proc` and `/sys` are.
    """
    limits = []
    with contextlib.suppress(OSError, ValueError, StopIteration):
        lines = (root / "proc/meminfo").read_text().splitlines()
        limits.append(int(next(line for line in lines if line.startswith("MemAvailable:")).split()[1]) << 10)
    with contextlib.suppress(OSError, ValueError):
        limit = (root / "sys/fs/cgroup/memory.max").read_text().strip()
        used = int((root / "sys/fs/cgroup/memory.current").read_text())
        if limit != "max":
            limits.append(max(0, int(limit) - used))
    return min(limits, default=None)


def explain_exit(code: int | None) -> str:
    """Return the exit of a process in words: the signal that killed it, or its exit code."""
    if code is not None and code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        return f"killed by {name}"
    return f"exit code {code}"
