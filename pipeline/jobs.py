"""One episode in the hands of a run, what each stage did to it, and who is told."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

from pipeline.addresses import is_address, without_secrets
from pipeline.catalog import CatalogRow
from pipeline.config import EpisodeConfig, ShowConfig, load_episode
from pipeline.errors import InputError
from pipeline.list_revisions import find_revision, refresh_revision
from pipeline.staleness import StateFile
from pipeline.storage import Project
from pipeline.transcribe import Transcriber


class Reporter(Protocol):
    """Who is told how a run gets on."""

    def stage_started(self, episode_id: str, stage: str, reason: str) -> None:
        """A stage begins, and why."""

    def stage_progress(self, done: float, total: float) -> None:
        """So much of the stage is done; `total` is 0 where nobody knows."""

    def stage_ended(self, result: "StageResult") -> None:
        """A stage is done, or failed."""

    def warn(self, episode_id: str, message: str) -> None:
        """Something a person should look at."""


@dataclass(frozen=True, slots=True)
class StageResult:
    """What one stage did for one episode: why it ran, seconds taken, and the error where it failed."""

    episode_id: str
    stage: str
    reason: str
    seconds: float
    error: str | None = None


@dataclass
class RunResult:
    """What a run did; `rows` holds the catalog of the episodes that were published, `notes` what the report adds."""

    stages: list[StageResult] = field(default_factory=list)
    rows: dict[str, tuple[CatalogRow, ...]] = field(default_factory=dict)
    written: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    exit_code: int = 0

    @property
    def failures(self) -> list[StageResult]:
        """The stages that failed, at most one an episode."""
        return [result for result in self.stages if result.error is not None]


@dataclass
class Job:
    """One episode in the hands of a run."""

    project: Project
    show: ShowConfig
    episode_id: str
    transcriber: Transcriber
    reporter: Reporter
    result: RunResult
    force: bool
    offline: bool
    refresh: bool
    include_review: bool
    captions: bool = False

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

    @cached_property
    def feature_list(self) -> Path:
        """The file with the feature list: the one the settings name, or what their address gave last."""
        source = self.config.features
        if not is_address(source):
            return self.project.root / Path(source).expanduser()
        folder = self.project.lists(self.episode_id)
        known = find_revision(source, folder)
        if known is not None and not self.refresh:
            return known
        if self.offline:
            raise InputError(f"{without_secrets(source)} is on the network, and --offline forbids fetching it")
        return refresh_revision(source, folder, allow_private=self.show.download.allow_private_addresses)
