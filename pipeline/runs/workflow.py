"""Run stages for a list of episodes, and say which stages are not up to date."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.core.config import EPISODE_ID, ShowConfig, check_episode_id, load_show
from pipeline.core.errors import (
    INTERRUPTED,
    SOME_FAILED,
    ConfigError,
    InputError,
    LockHeldError,
    PipelineError,
    explain_error,
)
from pipeline.core.project import Project
from pipeline.core.schema import Transcript
from pipeline.core.storage import remove_leftover_lock, remove_temp_files
from pipeline.download.record import AUDIO_RECORD, read_audio
from pipeline.publish.combined_csv import update_csv
from pipeline.publish.dataset import scan_dataset
from pipeline.publish.site import SiteAudioFile, write_site
from pipeline.runs.episode import MakeTranscriber, find_reason, run_episode
from pipeline.runs.job import EpisodeRun, RunOptions, Task
from pipeline.runs.ledger import update_ledger
from pipeline.runs.leftovers import remove_leftovers
from pipeline.runs.releases import refresh_lists
from pipeline.runs.report import write_report
from pipeline.runs.reporter import Reporter
from pipeline.runs.result import RunResult, StageName
from pipeline.runs.stages import STAGES
from pipeline.transcribe.transcriber import Progress

# The options of a run that only does what is not up to date.
DEFAULT_OPTIONS = RunOptions()

# Works on tasks, wherever it likes, and yields the result of each as it ends.
Engine = Callable[[Sequence[Task], Reporter], Iterable[RunResult]]


def run_stages(
    project: Project,
    episode_ids: Sequence[str],
    stages: Sequence[str],
    *,
    transcriber: MakeTranscriber,
    reporter: Reporter,
    options: RunOptions = DEFAULT_OPTIONS,
    wait: bool = False,
    engine: Engine | None = None,
) -> RunResult:
    """Run the named stages of each episode that are not up to date; a failed episode does not stop the others.

    With `wait` the run waits for another one to end; an `engine` works on several episodes at once. PipelineError where
    nothing can start: the project or an episode does not exist, or another run works on the project.
    """
    show = load_show(project.show)
    # A mistyped id ends the run now, not after an hour.
    ids = [check_episode_exists(project, episode_id) for episode_id in dict.fromkeys(episode_ids)]
    result, began = RunResult(), time.monotonic()
    with _hold_lock(project, wait, reporter):
        # Looking through every folder takes time: only where a run was killed, which leaves this file.
        if project.unfinished.exists():
            remove_temp_files(project.root / "data")
        remove_leftovers(project)
        if options.refresh and not options.offline and _reads_lists(stages):
            refresh_lists(project, show, _make_warn(reporter, result), accept_any=options.accept_lists)
        try:
            if engine is None:
                speaker = transcriber(show)
                for episode_id in ids:
                    run_episode(EpisodeRun(project, show, episode_id, speaker, reporter, result, options), stages)
            else:
                tasks = find_due(project, show, ids, stages, options, reporter)
                for part in engine(tasks, reporter) if tasks else ():
                    result.add(part)
        # After an interruption, too, the finished episodes are published and reported.
        except KeyboardInterrupt:
            result.interrupted, result.exit_code = True, INTERRUPTED
        result.warnings += warn_about_names(project, reporter)
        # A file that somebody meant as an episode is left out of a run of all.
        if project.find_misnamed() and set(list_episodes(project)) <= set(ids):
            result.exit_code = result.exit_code or SOME_FAILED
        if StageName.PUBLISH in stages:
            _write_shared_files(project, show, reporter, result, offline=options.offline)
        _finish(project, result, ids, time.monotonic() - began)
    return result


def _finish(project: Project, result: RunResult, ids: Sequence[str], seconds: float) -> None:
    """Set the exit code, write the report, and remove the mark of an unfinished run."""
    failed = {failure.episode_id for failure in result.failures}
    if failed and not result.interrupted:
        # Where every episode failed, nothing succeeded partially: that is wrong input.
        result.exit_code = SOME_FAILED if len(failed) < len(ids) else PipelineError.exit_code
    # Episodes that run at once end in any order.
    result.rows = {episode_id: result.rows[episode_id] for episode_id in ids if episode_id in result.rows}
    if result.stages:
        result.written.append(write_report(project, result, seconds))
    # A failed stage may have left temporary files, as in a folder that became read-only.
    if not result.interrupted and not failed:
        project.unfinished.unlink(missing_ok=True)


def find_due(
    project: Project,
    show: ShowConfig,
    ids: Sequence[str],
    stages: Sequence[str],
    options: RunOptions,
    reporter: Reporter,
) -> list[Task]:
    """Return a task for each episode that has something to do, so that no worker starts for the others."""
    due = []
    for episode_id in ids:
        run = EpisodeRun(project, show, episode_id, _NoTranscriber(), reporter, RunResult(), options)
        if options.force or _is_due(run, stages):
            due.append(Task(project, episode_id, tuple(stages), options))
    return due


def _is_due(run: EpisodeRun, stages: Sequence[str]) -> bool:
    """Whether a stage must run, or cannot: the engine then reports the error."""
    try:
        return any(
            find_reason(run, stage, stage.list_inputs(run))
            for stage in STAGES
            if stage.name in stages and stage.applies(run)
        )
    except Exception:
        return True


def list_episodes(project: Project) -> list[str]:
    """Return the ids of the episodes that have settings, sorted; PermissionError where the folder cannot be read.

    Files with other names are left out: `warn_about_names` reports them.
    """
    # iterdir, unlike glob, fails for a folder that cannot be read.
    paths = sorted(project.episodes.iterdir()) if project.episodes.is_dir() else []
    files = [path for path in paths if path.suffix == ".yaml" and EPISODE_ID.fullmatch(path.stem) and path.is_file()]
    return [path.stem for path in files]


def warn_about_names(project: Project, reporter: Reporter) -> list[tuple[str, str]]:
    """Report the files of settings and corrections that are not read because of their names, and return the warnings.

    Each is the file's stem and a message.
    """
    warnings = [
        (path.stem, f"{path} is not read as an episode: {advice}") for path, advice in project.find_misnamed().items()
    ]
    warnings += [
        (path.stem, f"{path} belongs to no episode and is not read: name it after one, such as ep12.yaml")
        for path in project.find_unread_corrections()
    ]
    for name, message in warnings:
        reporter.warn(name, message)
    return warnings


def check_episode_exists(project: Project, episode_id: str) -> str:
    """Return the id of an episode that has settings; ConfigError where it has none."""
    path = project.episode(check_episode_id(episode_id))
    if not path.is_file():
        known = ", ".join(list_episodes(project)) or "none yet"
        raise ConfigError(f"there is no episode {episode_id}: {path} is missing (known: {known})")
    return episode_id


@contextmanager
def _hold_lock(project: Project, wait: bool, reporter: Reporter) -> Iterator[None]:
    _make_folder(project.processed)
    remove_leftover_lock(project.lock)
    lock = FileLock(project.lock)
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            if not wait:
                raise LockHeldError(
                    f"another run is at work on {project.root}", "wait for it to end, or use --wait"
                ) from None
            reporter.waiting(project.root)
            lock.acquire()
        yield
    finally:
        lock.release()


def _make_folder(folder: Path) -> None:
    """Create a folder; InputError where a link to nothing, as to a disk that is not mounted, stands in its place."""
    for path in (*reversed(folder.parents), folder):
        if path.is_symlink() and not path.exists():
            raise InputError(f"{path} leads to {path.readlink()}, which is not there", "bring it back, as by mounting")
    folder.mkdir(parents=True, exist_ok=True)


@dataclass(frozen=True, slots=True)
class StageStatus:
    """Whether a stage of an episode must run (`stale`), and the reason."""

    episode_id: str
    stage: str
    stale: bool
    reason: str


def list_stage_statuses(project: Project, episode_ids: Sequence[str], reporter: Reporter) -> list[StageStatus]:
    """Return for each stage of these episodes whether `run_stages` would run it, and why; nothing is written."""
    show = load_show(project.show)
    warn_about_names(project, reporter)
    options = RunOptions(offline=True, include_review=show.include_review)
    statuses = []
    for episode_id in [check_episode_exists(project, episode_id) for episode_id in dict.fromkeys(episode_ids)]:
        run = EpisodeRun(project, show, episode_id, _NoTranscriber(), reporter, RunResult(), options)
        first_stale = ""
        for stage in STAGES:
            try:
                skipped = first_stale or not stage.applies(run)
                due = None if skipped else find_reason(run, stage, stage.list_inputs(run))
                reason = f"comes after {first_stale}" if first_stale else due or ""
            except Exception as error:
                reason = explain_error(error)
            first_stale = first_stale or (stage.name if reason else "")
            statuses.append(StageStatus(episode_id, stage.name, bool(reason), reason or "up to date"))
    return statuses


class _NoTranscriber:
    """The transcriber of an `EpisodeRun` that runs no stage."""

    def transcribe(
        self,
        audio: Path,
        *,
        language: str | None,
        on_progress: Progress,
        checkpoints: Path | None = None,
        whole: bool = False,
    ) -> Transcript:
        """Never called."""
        raise NotImplementedError


def _reads_lists(stages: Sequence[str]) -> bool:
    """Return whether any of the stages reads feature lists."""
    return StageName.ALIGN in stages or StageName.PUBLISH in stages


def _make_warn(reporter: Reporter, result: RunResult) -> Callable[[str, str], None]:
    """Return what reports a warning about a release or another shared file, and keeps it for the run report."""

    def warn(name: str, message: str) -> None:
        result.warnings.append((name, message))
        reporter.warn(name, message)

    return warn


def _write_shared_files(
    project: Project, show: ShowConfig, reporter: Reporter, result: RunResult, *, offline: bool
) -> None:
    """Bring `catalog.csv`, the ledger and the search site up to date with the Parquet files of all episodes.

    A foreign or damaged file, and a failure of one of them, is reported and prevents neither the others nor the run
    report.
    """
    warn = _make_warn(reporter, result)

    def write(name: str, work: Callable[[], Iterable[Path | None]]) -> None:
        try:
            written = [path for path in work() if path is not None]
        except Exception as error:
            result.exit_code = result.exit_code or PipelineError.exit_code
            warn(name, f"not written: {explain_error(error)}")
        else:
            result.written += written

    dataset = scan_dataset(project)
    for file in dataset.files:
        if file.problem:
            warn(file.path.stem, file.problem)
            # The rows of an episode are missing from the catalog.
            if project.episode(file.path.stem).is_file():
                result.exit_code = result.exit_code or SOME_FAILED
    # Only a person removes a published episode: its settings may be missing for a moment, as while they are moved.
    for episode_id in dataset.episode_ids if result.stages else ():
        if not project.episode(episode_id).is_file():
            path = project.catalog(episode_id).relative_to(project.root)
            reporter.warn(episode_id, f"the episode is published but has no settings: remove {path} if that is meant")
    find_audio = partial(_find_audio, project, warn)
    write("catalog.csv", lambda: [update_csv(project, dataset)])
    write("ledger", lambda: update_ledger(project, show, offline=offline, warn=warn, dataset=dataset))
    write("site", lambda: [write_site(project, show, find_audio=find_audio, warn=reporter.warn, dataset=dataset)])


def _find_audio(project: Project, warn: Callable[[str, str], None], episode_id: str) -> SiteAudioFile | None:
    """Return the audio of an episode for the site; None where there is none, or its record is damaged."""
    folder = project.raw(episode_id)
    if not (folder / AUDIO_RECORD).is_file():
        return None
    try:
        audio = read_audio(folder)
    except PipelineError as error:
        warn(episode_id, f"the site has no audio of this episode: {error}")
        return None
    return SiteAudioFile(audio.path, audio.sha256) if audio.path.is_file() else None
