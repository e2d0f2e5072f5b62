"""Show the progress of a run on stderr."""

import errno
import os
import time
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

from pipeline.core.text import REPLACED, printable
from pipeline.core.times import format_time
from pipeline.runs.reporter import Reporter
from pipeline.runs.result import StageName, StageResult

# Seconds between two lines of progress where there is no terminal, as in a log.
LINE_INTERVAL_S = 60.0

# Seconds after which the speed of a transcription is shown: before, it is mostly chance.
MIN_ELAPSED_S = 1.0


class PlainConsole(Console):
    """A console that raises BrokenPipeError where nobody reads it: rich ends the program instead."""

    def on_broken_pipe(self) -> None:
        """Let the caller decide what a lost line means."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


class ConsoleReporter(Reporter):
    """Shows progress as a bar on a terminal, and as plain lines elsewhere.

    With `quiet` only warnings and errors are shown; with `silent` not even those of episodes, which a mail reports.
    """

    def __init__(self, *, quiet: bool = False, silent: bool = False) -> None:
        self.quiet = quiet or silent
        self.silent = silent
        self.console = PlainConsole(stderr=True, highlight=False, soft_wrap=True)
        self._bar: Progress | None = None
        # The bar of the only episode, and those of several that run at once, by episode id.
        self._task: TaskID | None = None
        self._tasks: dict[str, TaskID] = {}
        self._labels: dict[str, str] = {}
        self._began = self._last_line = time.monotonic()
        self._label = ""
        self._stage = ""

    def stage_started(self, episode_id: str, stage: str, reason: str) -> None:
        """Print the stage and why it runs."""
        self.begin(episode_id, stage)
        if not self.quiet:
            self._print(f"{self._label} ({reason})")

    def begin(self, name: str, stage: str) -> None:
        """Start the clock of a stage; `name` is the episode's id or a file's name."""
        self._label = self._labels[name] = f"{name}: {stage}"
        self._stage = stage
        self._began = self._last_line = time.monotonic()

    def stage_progress(self, done: float, total: float) -> None:
        """Move the bar, or print a line every LINE_INTERVAL_S."""
        if self.quiet or total <= 0:
            return
        if done == 0:
            # The time before, such as for loading a model, is not part of the speed.
            self._began = time.monotonic()
        if self.console.is_terminal:
            self._move_bar(done, total)
        elif 0 < done < total and self._is_line_due():
            left = (time.monotonic() - self._began) * (total - done) / done
            speed = self._describe_speed(done)
            self._print(f"{self._label}: {done / total:.0%}{speed}, about {format_time(left)} left")

    def _describe_speed(self, done: float) -> str:
        """The speed of a transcription; in other stages `done` is not a duration."""
        elapsed = time.monotonic() - self._began
        if self._stage != StageName.TRANSCRIBE or elapsed < MIN_ELAPSED_S:
            return ""
        return f" ({format_time(done)} of audio, {done / elapsed:.1f} times real time)"

    def episode_progress(self, episode_id: str, done: float, total: float) -> None:
        """Move the bar of one of several episodes; without a terminal, print a line for one of them now and then."""
        if self.quiet or total <= 0:
            return
        label = self._labels.get(episode_id, episode_id)
        if self.console.is_terminal:
            bar = self._open_bar()
            if episode_id not in self._tasks:
                self._tasks[episode_id] = bar.add_task(escape(label), total=total)
            bar.update(self._tasks[episode_id], completed=done, total=total)
        elif 0 < done < total and self._is_line_due():
            self._print(f"{label}: {done / total:.0%}")

    def stage_ended(self, result: StageResult) -> None:
        """Remove the bar, and print the result."""
        task = self._tasks.pop(result.episode_id, None)
        if task is not None and self._bar is not None:
            self._bar.remove_task(task)
        if not self._tasks:
            self.close()
        if result.error is not None and not self.silent:
            self.fail(f"{result.episode_id}: {result.stage} failed: {result.error}")
        elif not self.quiet:
            self._print(f"{result.episode_id}: {result.stage} done in {result.seconds:.1f} s")

    def note(self, episode_id: str, message: str) -> None:
        """Print a remark."""
        if not self.quiet:
            self._print(f"{episode_id}: {message}")

    def warn(self, episode_id: str, message: str) -> None:
        """Print a warning."""
        if not self.silent:
            # A file's name can hold line feeds.
            self._print(f"{episode_id}: warning: {message}".replace("\n", REPLACED), style="yellow")

    def waiting(self, root: Path) -> None:
        """Print that the run waits for another one."""
        if not self.quiet:
            self._print(f"waiting for another run on {root} to end")

    def fail(self, message: str) -> None:
        """Print an error, in one line."""
        self._print(f"error: {message}", style="red")

    def close(self) -> None:
        """Remove all bars."""
        if self._bar is not None:
            with suppress(OSError, ValueError):
                self._bar.stop()
        self._bar = self._task = None
        self._tasks.clear()

    def _is_line_due(self) -> bool:
        now = time.monotonic()
        if now - self._last_line < LINE_INTERVAL_S:
            return False
        self._last_line = now
        return True

    def _print(self, line: str, style: str | None = None) -> None:
        # A log on a full disk, or a pipe that nobody reads, must end neither the run nor its report.
        with suppress(OSError, ValueError):
            self.console.print(printable(line), style=style, markup=False, emoji=False)

    def _move_bar(self, done: float, total: float) -> None:
        bar = self._open_bar()
        if self._task is None:
            self._task = bar.add_task(escape(self._label), total=total)
        description = escape(self._label + self._describe_speed(done))
        bar.update(self._task, completed=done, total=total, description=description)

    def _open_bar(self) -> Progress:
        if self._bar is None:
            columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=self.console, transient=True)
            self._bar.start()
        return self._bar
