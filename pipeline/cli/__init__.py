"""The command `catalog`: parse, call, print. Modules beside this one hold the commands; here they get their names."""

import gc
import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from pipeline.cli import diff as changes
from pipeline.cli import locate as files
from pipeline.cli import models, review
from pipeline.cli import query as reading
from pipeline.cli import run as stages
from pipeline.cli import setup as sources
from pipeline.core.errors import INTERRUPTED, PipelineError
from pipeline.core.version import __version__


class Commands(TyperGroup):
    """The commands, each of which says so when Ctrl-C ends it."""

    # The base class's own types are in a private module.
    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            _say("interrupted: no file is left half written")
            raise typer.Exit(INTERRUPTED) from None


app = typer.Typer(
    name="catalog",
    cls=Commands,
    help="Find where each feature of a list is discussed in an episode: audio and page in, timestamped catalog out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def main() -> None:
    """Run the command; a failure becomes one line on stderr and the exit code of its kind."""
    # Most of a short run is imports, whose objects all stay: looking for garbage among them takes a tenth of the time.
    gc.set_threshold(50_000, 20, 50)
    for stream in (sys.stdout, sys.stderr):
        # A letter that an odd locale lacks must not end the command.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        app()
    except SystemExit as error:
        if error.code == INTERRUPTED:
            _leave_at_once()
        raise
    except PipelineError as error:
        _fail(str(error), error.exit_code)
    # A full disk or a folder without rights is a line, too, whatever command met it.
    except OSError as error:
        from pipeline.runs.episode import explain_os_error

        _fail(explain_os_error(error), PipelineError.exit_code)


@app.callback(invoke_without_command=True)
def show_version(
    *, version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False
) -> None:
    """Find where each feature of a list is discussed in an episode: audio and page in, timestamped catalog out."""
    if version:
        print(__version__)
        raise typer.Exit


# One function serves all stages: their options must not drift apart.
for name, its_stages, summary in (
    ("run", stages.ALL_STAGES, "All stages, doing only what is not up to date."),
    (
        "download",
        ("download",),
        "Bring the audio to data/raw. From a file, an address, or an entry of a feed or playlist.",
    ),
    ("transcribe", ("transcribe",), "Turn the audio into words with times, on this machine."),
    ("align", ("align",), "Find where the discussion of each feature starts."),
    ("publish", ("publish",), "Write catalog, show notes, chapters, subtitles and site."),
):
    app.command(name, help=summary)(stages.stage_command(its_stages))
for command in (
    files.locate, files.features, reading.status, changes.diff, reading.search, reading.evaluate, review.review,
):  # fmt: skip
    app.command()(command)
app.add_typer(models.app, name="models")
for setting_up in (sources.init, sources.new, sources.doctor):
    app.command()(setting_up)


def _leave_at_once() -> NoReturn:
    """End without waiting for decoding threads: they cannot be stopped, and their unfinished chunks are not saved."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # the other end of a pipe may be gone
            stream.flush()
    os._exit(INTERRUPTED)


def _fail(message: str, exit_code: int) -> None:
    _say(message)
    sys.exit(exit_code)


def _say(message: str) -> None:
    from pipeline.cli.progress import ConsoleReporter

    ConsoleReporter().fail(message)
