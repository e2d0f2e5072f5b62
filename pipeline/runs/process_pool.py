"""Several episodes at once on this machine: worker processes, each with a speech model of its own.

A worker that dies (killed, out of memory) loses its episode once to another worker; files are only ever replaced
whole, so nothing of it is left half written. Workers end with the run that started them, however that ends.
"""

import contextlib
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from pipeline.core.config import ShowConfig, load_show
from pipeline.runs.episode import ReporterProxy, run_task
from pipeline.runs.job import Reporter, RunResult, StageResult, Task
from pipeline.transcribe.transcriber import Transcriber

# What a worker needs at its peak: see docs/evaluation/scaling.md. A hundredth of the machine is left to the rest.
WORKER_BYTES = 1_200 << 20
TRIES = 2
PATIENCE_S = 5.0
MakeTranscriber = Callable[[ShowConfig], Transcriber]


@dataclass
class _Worker:
    """A process, the pipe to it, and what it works on."""

    process: BaseProcess
    pipe: Connection
    task: Task | None = None


@dataclass
class WorkerPool:
    """An engine for `pipeline.runs.workflow.run_stages`: at most `jobs` episodes at once, fewer where memory is short.

    `make_transcriber` must be picklable: each worker makes its own.
    """

    jobs: int
    make_transcriber: MakeTranscriber
    worker_bytes: int = WORKER_BYTES
    _workers: list[_Worker] = field(default_factory=list)
    _tries: dict[str, int] = field(default_factory=dict)

    def __call__(self, tasks: Sequence[Task], reporter: Reporter) -> Iterator[RunResult]:
        """Yield what became of each episode, as they end."""
        jobs = min(self.jobs, len(tasks), self._fit_memory(reporter))
        waiting = deque(tasks)
        try:
            for number in range(jobs):
                self._workers.append(self._start(number, jobs))
            while waiting or any(worker.task for worker in self._workers):
                for worker in self._workers:
                    if worker.task is None and waiting:
                        self._give(worker, waiting.popleft())
                yield from self._listen(waiting, reporter)
        finally:
            for worker in self._workers:
                # One that has nothing to do leaves by itself when its pipe is closed.
                worker.pipe.close()
            for worker in self._workers:
                worker.process.join(0.0 if worker.task else PATIENCE_S)
                end_group(worker.process)
                worker.process.join()
            self._workers.clear()

    def _fit_memory(self, reporter: Reporter) -> int:
        """How many workers the free memory is enough for; at least one."""
        free = free_memory()
        fitting = self.jobs if free is None else max(1, free // self.worker_bytes)
        if free is not None and fitting < self.jobs:
            needed = f"{self.worker_bytes >> 20} MB each, {free >> 20} MB are free"
            reporter.warn("memory", f"{fitting} of {self.jobs} jobs at once: a worker may need {needed}")
        return fitting

    def _start(self, number: int, jobs: int) -> _Worker:
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=serve, args=(theirs, self.make_transcriber, share_cores(number, jobs)), daemon=False
        )
        process.start()
        theirs.close()
        return _Worker(process, ours)

    def _give(self, worker: _Worker, task: Task) -> None:
        worker.task = task
        with contextlib.suppress(OSError):  # a worker that just died is noticed by its silence
            worker.pipe.send(task)

    def _listen(self, waiting: deque[Task], reporter: Reporter) -> Iterator[RunResult]:
        """Take in what the workers have to say."""
        for ready in wait([worker.pipe for worker in self._workers]):
            number = next(n for n, worker in enumerate(self._workers) if worker.pipe is ready)
            worker = self._workers[number]
            try:
                kind, *what = worker.pipe.recv()
            except (EOFError, OSError):
                yield from self._replace(number, waiting, reporter)
                continue
            if kind == "result":
                worker.task = None
                yield what[0]
            else:
                getattr(reporter, kind)(*what)

    def _replace(self, number: int, waiting: deque[Task], reporter: Reporter) -> Iterator[RunResult]:
        """Start a worker for the one that died, and give its episode another try."""
        dead = self._workers[number]
        dead.pipe.close()
        dead.process.join()
        task, code = dead.task, dead.process.exitcode
        self._workers[number] = self._start(number, len(self._workers))
        if task is None:
            return
        self._tries[task.episode_id] = self._tries.get(task.episode_id, 1) + 1
        if self._tries[task.episode_id] <= TRIES:
            reporter.warn(task.episode_id, f"its worker died ({explain_exit(code)}): trying once more")
            waiting.appendleft(task)
            return
        error = f"its worker died {TRIES} times ({explain_exit(code)}): is there memory enough? Try fewer --jobs"
        failed = StageResult(task.episode_id, task.stages[0], "", 0.0, error)
        reporter.stage_ended(failed)
        yield RunResult(stages=[failed])


def serve(pipe: Connection, make_transcriber: MakeTranscriber, cores: set[int]) -> None:
    """Work on what comes through the pipe, until it is closed: the body of a worker process."""
    # A group of its own: Ctrl-C reaches the run alone, which then ends its workers, and what they started with them.
    os.setpgrp()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
    made: tuple[ShowConfig, Transcriber] | None = None
    while True:
        try:
            task: Task = pipe.recv()
        except EOFError:
            return
        show = load_show(task.project.show)
        if made is None or made[0] != show:
            made = show, make_transcriber(show)
        result = run_task(task, made[1], show, ReporterProxy(pipe.send, task.episode_id))
        pipe.send(("result", result))


def _end_with_parent() -> None:
    """Leave at once when the run is gone, even by kill -9: another run may start, and two must not write."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os.killpg(0, signal.SIGKILL)


def end_group(process: BaseProcess) -> None:
    """Kill a worker and whatever it started: files are replaced whole, so nothing is left half written."""
    # Not yet in a group of its own where it only just began; it has started nothing then.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if process.pid:
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()


def share_cores(number: int, jobs: int) -> set[int]:
    """Return the cores of one of several workers: what each finds is what it uses."""
    if not hasattr(os, "sched_getaffinity"):
        return set()
    cores = sorted(os.sched_getaffinity(0))
    return set(cores[number % len(cores) :: jobs]) or {cores[number % len(cores)]}


def free_memory(root: Path = Path("/")) -> int | None:
    """Return the bytes that may still be used, by the machine or the container we run in; None where nobody says."""
    found = []
    with contextlib.suppress(OSError, ValueError, StopIteration):
        lines = (root / "proc/meminfo").read_text().splitlines()
        found.append(int(next(line for line in lines if line.startswith("MemAvailable:")).split()[1]) << 10)
    with contextlib.suppress(OSError, ValueError):
        limit = (root / "sys/fs/cgroup/memory.max").read_text().strip()
        used = int((root / "sys/fs/cgroup/memory.current").read_text())
        if limit != "max":
            found.append(max(0, int(limit) - used))
    return min(found, default=None)


def explain_exit(code: int | None) -> str:
    """Return how a process ended, in words."""
    if code is not None and code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        return f"killed by {name}"
    return f"exit code {code}"
