"""What a run does for one episode: the options, the task sent to a worker, and the context that its stages share."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipeline.core.config import EpisodeConfig, ReleaseConfig, ShowConfig, check_list_source, load_episode
from pipeline.core.errors import InputError
from pipeline.core.project import Project, resolve_path
from pipeline.core.state import StateFile
from pipeline.core.urls import is_url, redact_url
from pipeline.download.feature_lists import ListChoice, find_revision, refresh_revision
from pipeline.runs.releases import find_list, list_episode_releases
from pipeline.runs.reporter import Reporter
from pipeline.runs.result import RunResult, StageResult
from pipeline.transcribe.transcriber import Transcriber


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The options of a run, the same for every episode; each has the name of its command-line option."""

    force: bool = False
    offline: bool = False
    refresh: bool = False
    include_review: bool = False
    captions: bool = False
    accept_lists: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """One episode to bring up to date, as a value that can be sent to another process or machine."""

    project: Project
    episode_id: str
    stages: tuple[str, ...]
    options: RunOptions


@dataclass
class EpisodeRun:
    """Context of one episode in a run. It holds open files and a speech model, so it stays in its process."""

    project: Project
    show: ShowConfig
    episode_id: str
    transcriber: Transcriber
    reporter: Reporter
    result: RunResult
    options: RunOptions = RunOptions()

    @cached_property
    def config(self) -> EpisodeConfig:
        """The episode's settings; ConfigError where they name no feature list."""
        path = self.project.episode(self.episode_id)
        config = load_episode(path)
        check_list_source(path, config, self.show)
        return config

    @cached_property
    def state(self) -> StateFile:
        """The record of what each stage of the episode read and wrote."""
        return StateFile.load(self.project.state(self.episode_id), self.project.root)

    @property
    def raw(self) -> Path:
        """The folder of the episode's inputs as they were fetched."""
        return self.project.raw(self.episode_id)

    @property
    def include_review(self) -> bool:
        """Whether doubtful starts are published, by the command line or the show's settings."""
        return self.options.include_review or self.show.include_review

    def end_stage(self, result: StageResult) -> None:
        """Add the result of a stage to the run's, and report it."""
        self.result.stages.append(result)
        self.reporter.stage_ended(result)

    def note(self, message: str) -> None:
        """Report what a user may like to know, and keep it for the run report."""
        self.result.notes.append(f"{self.episode_id}: {message}")
        self.reporter.note(self.episode_id, message)

    def warn(self, message: str) -> None:
        """Report something a user should look at, and keep it for the run report."""
        self.result.warnings.append((self.episode_id, message))
        self.reporter.warn(self.episode_id, message)

    @cached_property
    def releases(self) -> tuple[ReleaseConfig, ...]:
        """The releases of the show that the episode goes through; none where it has a list of its own."""
        return list_episode_releases(self.config, self.show, self.state, self.project.transcript(self.episode_id))

    def release_list(self, release: ReleaseConfig) -> Path:
        """Return the file with the list of a release; InputError where there is none."""
        return find_list(self.project, self.show, release, offline=self.options.offline)

    @cached_property
    def feature_list(self) -> Path:
        """The file with the episode's own list: the one that the settings name, or the last revision of their URL.

        InputError where the URL was never fetched and cannot be fetched now.
        """
        source = self.config.features or ""
        if not is_url(source):
            return resolve_path(source, self.project.root)
        folder = self.project.lists(self.episode_id)
        known = find_revision(source, folder)
        if known is not None and not self.options.refresh:
            return known
        if self.options.offline:
            raise InputError(
                f"the feature list {redact_url(source)} is on the network, and --offline forbids fetching it",
                "run without --offline",
            )
        choice = ListChoice(self.show.columns, self.config.features_episode, self.options.accept_lists)
        return refresh_revision(source, folder, choice, allow_private=self.show.download.allow_private_addresses)
