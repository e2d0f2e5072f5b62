"""The commands that run stages: `run`, and one for each stage alone."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pipeline.cli.options import (
    AcceptLists,
    Address,
    All,
    Captions,
    EngineName,
    Episodes,
    Force,
    IncludeReview,
    Jobs,
    Json,
    Mail,
    Offline,
    Quiet,
    Refresh,
    Root,
    Wait,
    print_rows_as_json,
)
from pipeline.cli.streams import discard_stdout, flush_stdout
from pipeline.runs.result import StageName

if TYPE_CHECKING:
    from pipeline.core.config import ShowConfig
    from pipeline.runs.result import RunResult
    from pipeline.runs.workflow import Engine
    from pipeline.transcribe.transcriber import Transcriber

ALL_STAGES = tuple(StageName)

_INTERRUPTED = "interrupted: finished stages are kept, and the next run continues from there"

_LOST = "the result cannot be printed ({}): the run and its report are complete"


def stage_command(stages: tuple[str, ...]) -> Callable[..., None]:
    """Return the command that runs these stages; all such commands take the same options."""

    def command(
        episodes: Episodes = None,
        *,
        every: All = False,
        root: Root = Path(),
        force: Force = False,
        offline: Offline = False,
        refresh: Refresh = False,
        accept_lists: AcceptLists = False,
        include_review: IncludeReview = False,
        captions: Captions = False,
        wait: Wait = False,
        jobs: Jobs = 1,
        engine: EngineName = "local",
        address: Address = None,
        mail: Mail = False,
        quiet: Quiet = False,
        as_json: Json = False,
    ) -> None:
        from pipeline.cli.progress import ConsoleReporter
        from pipeline.core.project import Project
        from pipeline.runs.job import RunOptions
        from pipeline.runs.workflow import list_episodes, run_stages

        project = Project(root.resolve())
        # Require an explicit --all: a slip would transcribe for days.
        if bool(episodes) == every:
            raise typer.BadParameter("name the episodes, or use --all", param_hint="EPISODE")
        make_transcriber = WhisperFactory(project.root, offline)
        chosen = _choose_engine(engine, jobs, address, make_transcriber)
        reporter = ConsoleReporter(quiet=quiet, silent=mail)
        episode_ids = list_episodes(project) if every else episodes or []
        with interrupt_on_sigterm():
            try:
                result = run_stages(
                    project,
                    episode_ids,
                    stages,
                    transcriber=make_transcriber,
                    reporter=reporter,
                    options=RunOptions(force, offline, refresh, include_review, captions, accept_lists),
                    wait=wait,
                    engine=chosen,
                )
            finally:
                reporter.close()
        if result.interrupted and not mail:
            reporter.fail(_INTERRUPTED)
        try:
            _print_result(result, project.root, episode_ids, mail=mail, quiet=quiet, as_json=as_json)
        except OSError as error:
            discard_stdout()
            reporter.fail(_LOST.format(error.strerror))
            result.exit_code = result.exit_code or int(mail or as_json)
        raise typer.Exit(result.exit_code)

    return command


@dataclass(frozen=True, slots=True)
class WhisperFactory:
    """Makes the transcriber of a show; a class, not a closure, because it is sent to worker processes."""

    root: Path
    offline: bool

    def __call__(self, show: "ShowConfig") -> "Transcriber":
        """Return the transcriber; it loads its model when it first transcribes."""
        from pipeline.transcribe.transcriber import WhisperTranscriber

        return WhisperTranscriber(show.model, self.root, offline=self.offline, glossary=show.glossary)


def _choose_engine(name: str, jobs: int, address: str | None, make: WhisperFactory) -> "Engine | None":
    """The engine that the options ask for: None for this process alone, worker processes, or a Ray cluster."""
    if name not in {"local", "ray"}:
        raise typer.BadParameter(f"there is no engine {name}: use local or ray", param_hint="--engine")
    if address is not None and name != "ray":
        raise typer.BadParameter("needs --engine ray", param_hint="--address")
    if name == "ray":
        from pipeline.runs.ray_engine import RayEngine

        return RayEngine(make, address=address, jobs=jobs if jobs > 1 else None)
    if jobs == 1:
        return None
    from pipeline.runs.process_pool import WorkerPool

    return WorkerPool(jobs, make)


@contextmanager
def interrupt_on_sigterm() -> Iterator[None]:
    """Let SIGTERM, by which schedulers and containers end programs, end a run as Ctrl-C does: with a report."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _print_result(
    result: "RunResult", root: Path, episode_ids: list[str], *, mail: bool, quiet: bool, as_json: bool
) -> None:
    """Print the mail, or the rows that were published and one line with the files written."""
    if mail:
        print(result.mail, end="")
    elif as_json:
        print_rows_as_json([row for rows in result.rows.values() for row in rows])
    elif not quiet:
        _print_tables(result, root, episode_ids)
    flush_stdout()


def _print_tables(result: "RunResult", root: Path, episode_ids: list[str]) -> None:
    from pipeline.cli.tables import NO_EPISODE, describe_files, print_episodes, print_line, print_rows
    from pipeline.publish.summary import count_statuses, describe_counts, suggest_command

    if len(result.rows) == 1:
        print_rows(next(iter(result.rows.values())))
    elif result.rows:
        print_episodes(result.rows)
    if result.written:
        print_line(describe_files(result.written, root))
    elif not result.failures and not result.interrupted:
        print_line("everything is up to date" if episode_ids else NO_EPISODE)
    counts = {episode_id: count_statuses(rows) for episode_id, rows in result.rows.items()}
    if len(counts) == 1:
        print_line(describe_counts(next(iter(counts.values()))))
    if counts:
        # The command must work where it is printed.
        print_line(f"next: {suggest_command(counts, None if root == Path.cwd() else root)}")
