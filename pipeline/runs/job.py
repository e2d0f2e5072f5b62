"""One episode in the hands of a run, what each stage did to it, and who is told."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

from pipeline.core.config import EpisodeConfig, ShowConfig, load_episode
from pipeline.core.errors import InputError
from pipeline.core.project import Project, resolve_path
from pipeline.core.state import StateFile
from pipeline.core.urls import is_url, redact_url
from pipeline.download.feature_lists import find_revision, refresh_revision
from pipeline.publish.rows import CatalogRow
from pipeline.transcribe.transcriber import Transcriber


# A protocol, so that a run can be told to a terminal, a mail, another process, or a test.
class Reporter(Protocol):
    """Who is told how a run gets on."""

    def stage_started(self, episode_id: str, stage: str, reason: str) -> None:
        """A stage begins, and why."""

    def stage_progress(self, done: float, total: float) -> None:
        """So much of the stage is done; `total` is 0 where nobody knows."""

    def episode_progress(self, episode_id: str, done: float, total: float) -> None:
        """So much of an episode's stage is done, where several episodes are under way."""

    def stage_ended(self, result: "StageResult") -> None:
        """A stage is done, or failed."""

    def warn(self, episode_id: str, message: str) -> None:
        """Something a person should look at."""

    def waiting(self, root: Path) -> None:
        """Another run is at work on the project, and this one waits for it."""


@dataclass(frozen=True, slots=True)
class StageResult:
    """What one stage did for one episode: why it ran, seconds taken, and the error where it failed.

    `trace` is where in the program an error arose that nobody foresaw: for those who mend it, not for the screen.
    """

    episode_id: str
    stage: str
    reason: str
    seconds: float
    error: str | None = None
    trace: str | None = None


@dataclass
class RunResult:
    """What a run did; `rows` holds the catalog of the episodes that were published, `notes` what the report adds."""

    stages: list[StageResult] = field(default_factory=list)
    rows: dict[str, tuple[CatalogRow, ...]] = field(default_factory=dict)
    written: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    warnings: list[tuple[str, str]] = field(default_factory=list)
    exit_code: int = 0
    interrupted: bool = False
    mail: str = ""

    def add(self, other: "RunResult") -> None:
        """Take in what another part of the run did."""
        self.stages += other.stages
        self.rows |= other.rows
        self.written += other.written
        self.notes += other.notes
        self.warnings += other.warnings

    @property
    def failures(self) -> list[StageResult]:
        """The stages that failed, at most one an episode."""
        return [result for result in self.stages if result.error is not None]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a person asked of a run, the same for every episode."""

    force: bool = False
    offline: bool = False
    refresh: bool = False
    include_review: bool = False
    captions: bool = False


# Paths and plain values alone: a EpisodeRun holds open records and a transcriber, which stay where they are.
@dataclass(frozen=True, slots=True)
class Task:
    """One episode to bring up to date, in a form that can be sent to another process or machine."""

    project: Project
    episode_id: str
    stages: tuple[str, ...]
    options: RunOptions


@dataclass
class EpisodeRun:
    """One episode in the hands of a run."""

    project: Project
    show: ShowConfig
    episode_id: str
    transcriber: Transcriber
    reporter: Reporter
    result: RunResult
    options: RunOptions = RunOptions()

    @cached_property
    def config(self) -> EpisodeConfig:
        """The episode's settings."""
        return load_episode(self.project.episode(self.episode_id))

    @cached_property
    def state(self) -> StateFile:
        """What the episode's files were made from."""
        return StateFile.load(self.project.state(self.episode_id), self.project.root)

    def end_stage(self, result: StageResult) -> None:
        """Keep what a stage did, and tell it."""
        self.result.stages.append(result)
        self.reporter.stage_ended(result)

    def warn(self, message: str) -> None:
        """Tell something a person should look at, and keep it for the report."""
        self.result.warnings.append((self.episode_id, message))
        self.reporter.warn(self.episode_id, message)

    @cached_property
    def feature_list(self) -> Path:
        """The file with the feature list: the one the settings name, or what their address gave last.

        InputError where the address was never fetched, and cannot be now.
        """
        source = self.config.features
        if not is_url(source):
            return resolve_path(source, self.project.root)
        folder = self.project.lists(self.episode_id)
        known = find_revision(source, folder)
        if known is not None and not self.options.refresh:
            return known
        if self.options.offline:
            raise InputError(f"{redact_url(source)} is on the network, and --offline forbids fetching it")
        return refresh_revision(source, folder, allow_private=self.show.download.allow_private_addresses)
