"""The stages in their order: for each episode run what is not up to date, and report what was done."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.core.config import ShowConfig, check_episode_id, load_show
from pipeline.core.errors import INTERRUPTED, SOME_FAILED, ConfigError, InputError, LockHeldError, PipelineError
from pipeline.core.project import Project
from pipeline.core.schema import Transcript
from pipeline.core.storage import remove_temp_files
from pipeline.download.record import AUDIO_RECORD, read_audio
from pipeline.publish.combined_csv import update_csv
from pipeline.publish.site import SiteAudioFile, write_site
from pipeline.runs.episode import explain_error, find_reason, run_episode
from pipeline.runs.job import EpisodeRun, Reporter, RunOptions, RunResult, Task
from pipeline.runs.report import write_report
from pipeline.runs.stages import STAGES
from pipeline.transcribe.transcriber import Progress, Transcriber

# Only what is not up to date, with what the settings say.
PLAIN = RunOptions()

# Works on episodes wherever it likes, and gives what became of each as it ends.
Engine = Callable[[Sequence[Task], Reporter], Iterable[RunResult]]


def run_stages(
    project: Project,
    episode_ids: Sequence[str],
    stages: Sequence[str],
    *,
    transcriber: Callable[[ShowConfig], Transcriber],
    reporter: Reporter,
    options: RunOptions = PLAIN,
    wait: bool = False,
    engine: Engine | None = None,
) -> RunResult:
    """Run the named stages for each episode where they are not up to date; a bad episode does not stop the others.

    With `wait` another run is waited for; an `engine` works on several episodes at once. PipelineError where nothing
    could start: no such project or episode, or another run at work.
    """
    show = load_show(project.show)
    # A mistyped name ends the run before it starts, not after an hour.
    ids = [check_known(project, episode_id) for episode_id in dict.fromkeys(episode_ids)]
    result, began = RunResult(), time.monotonic()
    with _hold_lock(project, wait, reporter):
        # Every folder is looked through: only where a run left the mark that it was killed.
        if project.unfinished.exists():
            remove_temp_files(project.root / "data")
        try:
            if engine is None:
                speaker = transcriber(show)
                for episode_id in ids:
                    run_episode(EpisodeRun(project, show, episode_id, speaker, reporter, result, options), stages)
            else:
                tasks = find_due(project, show, ids, stages, options, reporter)
                for part in engine(tasks, reporter) if tasks else ():
                    result.add(part)
        # What was finished is published and told all the same.
        except KeyboardInterrupt:
            result.interrupted, result.exit_code = True, INTERRUPTED
        if "publish" in stages:
            _write_shared(project, show, reporter, result)
        failed = {failure.episode_id for failure in result.failures}
        if failed and not result.interrupted:
            # All failed is wrong input rather than a partial success.
            result.exit_code = SOME_FAILED if len(failed) < len(ids) else PipelineError.exit_code
        # Episodes end in any order where several are under way, and are told in that of their names.
        result.rows = {episode_id: result.rows[episode_id] for episode_id in ids if episode_id in result.rows}
        if result.stages:
            result.written.append(write_report(project, result, time.monotonic() - began))
        # What failed may not have been able to clean up behind it, as in a folder that just became read-only.
        if not result.interrupted and not failed:
            project.unfinished.unlink(missing_ok=True)
    return result


def find_due(
    project: Project,
    show: ShowConfig,
    ids: Sequence[str],
    stages: Sequence[str],
    options: RunOptions,
    reporter: Reporter,
) -> list[Task]:
    """Return the episodes with anything to do, so that nothing is sent anywhere for the others."""
    due = []
    for episode_id in ids:
        job = EpisodeRun(project, show, episode_id, _NoTranscriber(), reporter, RunResult(), options)
        if options.force or _is_due(job, stages):
            due.append(Task(project, episode_id, tuple(stages), options))
    return due


def _is_due(job: EpisodeRun, stages: Sequence[str]) -> bool:
    """Tell whether a stage must run or cannot: the engine says what is wrong then."""
    try:
        return any(find_reason(job, stage, stage.inputs(job)) for stage in STAGES if stage.name in stages)
    except (PipelineError, OSError):
        return True


def list_episodes(project: Project) -> list[str]:
    """Return the ids of the episodes that have settings, in order of their names.

    ConfigError where a file is no episode for its ending; PermissionError where nobody may look.
    """
    for path in project.find_misnamed():
        raise ConfigError(f"{path} is not read as an episode: name it {path.stem}.yaml")
    # A file is an episode: there is no list to keep in step. A folder that may not be read is not one without files.
    found = sorted(project.episodes.iterdir()) if project.episodes.is_dir() else []
    return [path.stem for path in found if path.suffix == ".yaml" and path.name[0] != "." and path.is_file()]


def check_known(project: Project, episode_id: str) -> str:
    """Return the id of an episode that has settings; ConfigError where it has none."""
    if not project.episode(check_episode_id(episode_id)).is_file():
        known = ", ".join(list_episodes(project)) or "none yet"
        missing = project.episode(episode_id)
        raise ConfigError(f"there is no episode {episode_id}: {missing} is missing (known: {known})")
    return episode_id


@contextmanager
def _hold_lock(project: Project, wait: bool, reporter: Reporter) -> Iterator[None]:
    project.processed.mkdir(parents=True, exist_ok=True)
    lock = FileLock(project.lock)
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            if not wait:
                raise LockHeldError(f"another run is at work on {project.root}: wait for it, or use --wait") from None
            reporter.waiting(project.root)
            lock.acquire()
        yield
    finally:
        lock.release()


@dataclass(frozen=True, slots=True)
class StageStatus:
    """Whether a stage of an episode is up to date, and if not, why."""

    episode_id: str
    stage: str
    stale: bool
    reason: str


def list_stage_statuses(project: Project, episode_ids: Sequence[str], reporter: Reporter) -> list[StageStatus]:
    """Return what `run_stages` would do for each stage of these episodes, and why; nothing is run or written."""
    show = load_show(project.show)
    found = []
    for episode_id in [check_known(project, episode_id) for episode_id in dict.fromkeys(episode_ids)]:
        job = EpisodeRun(
            project, show, episode_id, _NoTranscriber(), reporter, RunResult(),
            RunOptions(offline=True, include_review=show.include_review),
        )  # fmt: skip
        before = ""
        for stage in STAGES:
            try:
                reason = f"comes after {before}" if before else find_reason(job, stage, stage.inputs(job)) or ""
            except (PipelineError, OSError) as error:
                reason = explain_error(error)
            before = before or (stage.name if reason else "")
            found.append(StageStatus(episode_id, stage.name, bool(reason), reason or "up to date"))
    return found


class _NoTranscriber:
    """Stands where a transcriber would, in a job that only looks."""

    def transcribe(
        self, audio: Path, *, language: str | None, on_progress: Progress, checkpoints: Path | None = None
    ) -> Transcript:
        """Never called: looking runs no stage."""
        raise NotImplementedError


def _write_shared(project: Project, show: ShowConfig, reporter: Reporter, result: RunResult) -> None:
    """Make `catalog.csv` and the search site say what the Parquet files say, where they do not."""

    def find_audio(episode_id: str) -> SiteAudioFile | None:
        folder = project.raw(episode_id)
        if not (folder / AUDIO_RECORD).is_file():
            return None
        try:
            audio = read_audio(folder)
        except InputError as error:
            # One episode's trouble must not keep the others from being published, nor the run from its report.
            reporter.warn(episode_id, f"the site goes without its audio: {error}")
            return None
        return SiteAudioFile(audio.path, audio.sha256) if audio.path.is_file() else None

    # To take it away is a person's decision: its settings may only be on their way from somewhere else.
    for name in project.orphaned_episodes() if result.stages else ():
        path = project.catalog(name).relative_to(project.root)
        reporter.warn(name, f"it is published and has no settings any more: if that is meant, remove {path}")
    written = update_csv(project), write_site(project, show, find_audio=find_audio, warn=reporter.warn)
    result.written += [path for path in written if path is not None]
