"""The commands that run stages: `run`, and one for each stage alone."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pipeline.cli.options import All, Captions, Episodes, Force, IncludeReview, Json, Offline, Quiet, Refresh, Root
from pipeline.cli.output import print_rows_as_json

if TYPE_CHECKING:
    from pipeline.jobs import RunResult

ALL_STAGES = ("download", "transcribe", "align", "publish")


def stage_command(stages: tuple[str, ...]) -> Callable[..., None]:
    """The command that runs these stages; all of them take the same options."""

    def command(
        episodes: Episodes = None,
        *,
        every: All = False,
        root: Root = Path(),
        force: Force = False,
        offline: Offline = False,
        refresh: Refresh = False,
        include_review: IncludeReview = False,
        captions: Captions = False,
        quiet: Quiet = False,
        as_json: Json = False,
    ) -> None:
        from pipeline.console import ConsoleReporter
        from pipeline.storage import Project
        from pipeline.transcribe import WhisperTranscriber
        from pipeline.workflow import list_episodes, run_stages

        project = Project(root.resolve())
        if bool(episodes) == every:
            raise typer.BadParameter("name the episodes, or use --all", param_hint="EPISODE")
        result = run_stages(
            project,
            list_episodes(project) if every else episodes or [],
            stages,
            transcriber=lambda show: WhisperTranscriber(
                show.model, project.root, offline=offline, glossary=show.glossary
            ),
            reporter=ConsoleReporter(quiet=quiet),
            force=force,
            offline=offline,
            refresh=refresh,
            include_review=include_review,
            captions=captions,
        )
        _print_result(result, project.root, quiet=quiet, as_json=as_json)
        raise typer.Exit(result.exit_code)

    return command


def _print_result(result: "RunResult", root: Path, *, quiet: bool, as_json: bool) -> None:
    """The table of what was published, and one line with the files written."""
    if as_json:
        print_rows_as_json([row for rows in result.rows.values() for row in rows])
        return
    if quiet:
        return
    from pipeline.console import describe_files, print_episodes, print_line, print_rows

    if len(result.rows) == 1:
        print_rows(next(iter(result.rows.values())))
    elif result.rows:
        print_episodes(result.rows)
    if result.written:
        print_line(describe_files(result.written, root))
    elif not result.failures:
        print_line("everything is up to date")
