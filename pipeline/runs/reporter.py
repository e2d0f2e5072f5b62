"""Report the progress of a run: to a terminal, to another process, or to a test."""

import time
from collections.abc import Callable
from operator import methodcaller
from pathlib import Path

from pipeline.runs.result import StageResult

# Seconds between two reports of the progress of one episode from a worker: each report wakes the process that draws.
PROGRESS_INTERVAL_S = 0.25


class Reporter:
    """Receives what happens in a run; each method does nothing unless a subclass overrides it."""

    def stage_started(self, episode_id: str, stage: str, reason: str) -> None:
        """A stage of an episode starts, for this reason."""

    def stage_progress(self, done: float, total: float) -> None:
        """The current stage has done `done` of `total` units; `total` is 0 where it is unknown."""

    def episode_progress(self, episode_id: str, done: float, total: float) -> None:
        """The progress of the current stage of one of several episodes that run at once; units as in stage_progress."""

    def stage_ended(self, result: StageResult) -> None:
        """A stage of an episode succeeded or failed."""

    def note(self, episode_id: str, message: str) -> None:
        """A user may like to know this."""

    def warn(self, episode_id: str, message: str) -> None:
        """A user should look at this."""

    def waiting(self, root: Path) -> None:
        """The run waits for another run of the project in `root` to end."""


# A call of a reporter's method, to be made in the run's own process: `event(reporter)`. It can be pickled.
ReporterEvent = Callable[[Reporter], None]


class ReporterProxy(Reporter):
    """The reporter of a worker: sends each call, as a `ReporterEvent`, to the process of the run.

    `send` takes the event; progress is sent at most once every `PROGRESS_INTERVAL_S`, and at the end.
    """

    def __init__(self, send: Callable[[ReporterEvent], None], episode_id: str) -> None:
        self.send = send
        self.episode_id = episode_id
        self._last_progress = -PROGRESS_INTERVAL_S

    def stage_started(self, episode_id: str, stage: str, reason: str) -> None:
        """Send this call to the process of the run."""
        self.send(methodcaller("stage_started", episode_id, stage, reason))

    def stage_progress(self, done: float, total: float) -> None:
        """Send the progress under the episode's id, since several episodes run at once."""
        now = time.monotonic()
        if now - self._last_progress >= PROGRESS_INTERVAL_S or done >= total:
            self._last_progress = now
            self.episode_progress(self.episode_id, done, total)

    def episode_progress(self, episode_id: str, done: float, total: float) -> None:
        """Send this call to the process of the run."""
        self.send(methodcaller("episode_progress", episode_id, done, total))

    def stage_ended(self, result: StageResult) -> None:
        """Send this call to the process of the run."""
        self.send(methodcaller("stage_ended", result))

    def note(self, episode_id: str, message: str) -> None:
        """Send this call to the process of the run."""
        self.send(methodcaller("note", episode_id, message))

    def warn(self, episode_id: str, message: str) -> None:
        """Send this call to the process of the run."""
        self.send(methodcaller("warn", episode_id, message))
