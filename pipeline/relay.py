"""An episode worked on elsewhere: what is done there, and how the run's own reporter hears of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.config import ShowConfig
from pipeline.episode_runs import run_episode
from pipeline.jobs import Job, Reporter, RunResult, StageResult, Task
from pipeline.transcribe import Transcriber


@dataclass
class Relay:
    """Tells the run's own reporter, in another process, how an episode gets on; progress four times a second."""

    send: Callable[[tuple[Any, ...]], None]
    episode_id: str
    _told: float = 0.0

    def stage_started(self, episode_id: str, stage: str, reason: str) -> None:
        """Pass it on."""
        self.send(("stage_started", episode_id, stage, reason))

    def stage_progress(self, done: float, total: float) -> None:
        """Pass it on with the episode's id, as several are under way."""
        # Each message wakes the process that draws; nobody sees more than four a second.
        if time.monotonic() - self._told >= 0.25 or done >= total:
            self._told = time.monotonic()
            self.send(("episode_progress", self.episode_id, done, total))

    def episode_progress(self, episode_id: str, done: float, total: float) -> None:
        """Pass it on."""
        self.send(("episode_progress", episode_id, done, total))

    def stage_ended(self, result: StageResult) -> None:
        """Pass it on."""
        self.send(("stage_ended", result))

    def warn(self, episode_id: str, message: str) -> None:
        """Pass it on."""
        self.send(("warn", episode_id, message))

    def waiting(self, root: Path) -> None:
        """Never asked of a worker: the run holds the lock."""


def run_task(task: Task, transcriber: Transcriber, show: ShowConfig, reporter: Reporter) -> RunResult:
    """Bring one episode up to date and return what was done: what every engine does with a task."""
    result = RunResult()
    run_episode(Job(task.project, show, task.episode_id, transcriber, reporter, result, task.options), task.stages)
    return result
