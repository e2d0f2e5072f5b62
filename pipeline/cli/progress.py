"""Progress of a run on the terminal."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

from pipeline.core.text import printable
from pipeline.core.times import format_time
from pipeline.runs.job import StageResult

if TYPE_CHECKING:
    pass

SECONDS_BETWEEN_LINES = 60.0


class ConsoleReporter:
    """Tells a person how a run gets on: a bar with the time left on a terminal, plain lines elsewhere."""

    def __init__(self, *, quiet: bool = False, silent: bool = False) -> None:
        """Stay silent but for warnings and errors where `quiet`; `silent` leaves those of episodes to a mail."""
        self.quiet = quiet or silent
        self.silent = silent
        self.console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._tasks: dict[str, TaskID] = {}
        self._labels: dict[str, str] = {}
        self._said = time.monotonic()
        self._began = self._said
        self._label = ""

    def stage_started(self, episode_id: str, stage: str, reason: str) -> None:
        """Name the stage and why it runs."""
        self.begin(f"{episode_id}: {stage}")
        self._labels[episode_id] = f"{episode_id}: {stage}"
        if not self.quiet:
            self._say(f"{episode_id}: {stage} ({reason})")

    def begin(self, label: str) -> None:
        """Start the clock of the work that `label` names."""
        self._label = label
        self._said = self._began = time.monotonic()

    def stage_progress(self, done: float, total: float) -> None:
        """Move the bar, or say a line a minute where there is none."""
        if self.quiet or total <= 0:
            return
        if done == 0:
            # Loading a model is not part of the pace.
            self._began = time.monotonic()
        if self.console.is_terminal:
            self._move_bar(done, total)
        elif time.monotonic() - self._said >= SECONDS_BETWEEN_LINES and 0 < done < total:
            self._said = time.monotonic()
            left = (self._said - self._began) * (total - done) / done
            self._say(f"{self._label}: {done / total:.0%}{self._describe_pace(done)}, about {format_time(left)} left")

    def _describe_pace(self, done: float) -> str:
        """How fast speech is recognised; of other work `done` counts no seconds of sound."""
        elapsed = time.monotonic() - self._began
        if not self._label.endswith(": transcribe") or elapsed < 1:
            return ""
        return f" ({format_time(done)} of sound, {done / elapsed:.1f} times as fast as it plays)"

    def episode_progress(self, episode_id: str, done: float, total: float) -> None:
        """Move the episode's own bar, where several are under way; without a terminal say a line a minute for all."""
        if self.quiet or total <= 0:
            return
        if self.console.is_terminal:
            bar = self._open_bar()
            if episode_id not in self._tasks:
                self._tasks[episode_id] = bar.add_task(escape(self._labels.get(episode_id, episode_id)), total=total)
            bar.update(self._tasks[episode_id], completed=done, total=total)
        elif time.monotonic() - self._said >= SECONDS_BETWEEN_LINES and 0 < done < total:
            self._said = time.monotonic()
            self._say(f"{self._labels.get(episode_id, episode_id)}: {done / total:.0%}")

    def stage_ended(self, result: StageResult) -> None:
        """Take the bar away, and say what happened."""
        task = self._tasks.pop(result.episode_id, None)
        if task is not None and self._bar is not None:
            self._bar.remove_task(task)
        if not self._tasks:
            self.close()
        if result.error is not None and not self.silent:
            self.fail(f"{result.episode_id}: {result.stage} failed: {result.error}")
        elif not self.quiet:
            self._say(f"{result.episode_id}: {result.stage} done in {result.seconds:.1f} s")

    def warn(self, episode_id: str, message: str) -> None:
        """Say what a person should look at."""
        if not self.silent:
            self._say(f"{episode_id}: warning: {message}", style="yellow")

    def waiting(self, root: Path) -> None:
        """Say that another run is waited for."""
        if not self.quiet:
            self._say(f"waiting for another run on {root} to end")

    def fail(self, message: str) -> None:
        """Say what went wrong, in one line."""
        self._say(f"error: {message}", style="red")

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
        self._bar = self._task = None
        self._tasks.clear()

    def _say(self, line: str, style: str | None = None) -> None:
        self.console.print(printable(line), style=style, markup=False, emoji=False)

    def _move_bar(self, done: float, total: float) -> None:
        bar = self._open_bar()
        if self._task is None:
            self._task = bar.add_task(escape(self._label), total=total)
        bar.update(self._task, completed=done, total=total, description=escape(self._label + self._describe_pace(done)))

    def _open_bar(self) -> Progress:
        if self._bar is None:
            columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=self.console, transient=True)
            self._bar.start()
        return self._bar
