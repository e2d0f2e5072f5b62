"""The command line, `catalog`: parse the arguments, call the package that does the work, print its result.

Each module holds the commands of one kind; here they get their names, and errors become exit codes. Results go to
stdout, progress and errors to stderr; `options` holds the options that commands share, `tables` and `progress` format
what people see. Heavy imports stay inside the functions: `catalog --help` must answer at once. This package computes
nothing itself, and nothing imports it. To add a command, write a function with typed parameters in a module here and
register it below; `docs/generate_reference.py` then updates docs/commands.md.
"""

import gc
import os
import sys
from contextlib import suppress
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from pipeline.cli import models
from pipeline.cli.diff import diff as diff_command
from pipeline.cli.ledger import ledger as ledger_command
from pipeline.cli.locate import features as features_command
from pipeline.cli.locate import locate as locate_command
from pipeline.cli.open import open_site
from pipeline.cli.query import evaluate, search, status
from pipeline.cli.review import review as review_command
from pipeline.cli.run import ALL_STAGES, stage_command
from pipeline.cli.setup import doctor, init, new
from pipeline.cli.streams import flush_stdout, prepare_streams
from pipeline.core.errors import INTERRUPTED, PipelineError, explain_error
from pipeline.core.version import __version__
from pipeline.runs.result import StageName

# Objects that may be allocated before Python looks for garbage. Most of a short run is imports, whose objects all stay:
# with Python's defaults the search takes a tenth of the time.
GC_THRESHOLD = (50_000, 20, 50)

HELP = "Find where an episode discusses each feature of a list: audio and page in, timestamped catalog out."


class Commands(TyperGroup):
    """The commands; each reports an interruption in one line."""

    # The types of the base class are in a private module.
    def invoke(self, ctx: Any) -> Any:
        """Run the command that the arguments name."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            _print_error("interrupted: no file is left half written")
            raise typer.Exit(INTERRUPTED) from None


app = typer.Typer(
    name="catalog",
    cls=Commands,
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def main() -> None:
    """Run the command; any error becomes one line on stderr and the exit code of its class."""
    gc.set_threshold(*GC_THRESHOLD)
    prepare_streams()
    # They choose other arithmetic, and so other words: the settings alone decide what is written.
    for name in [name for name in os.environ if name.startswith("CT2_") and name != "CT2_VERBOSE"]:
        del os.environ[name]
    try:
        try:
            app()
        except SystemExit as error:
            if error.code == INTERRUPTED:
                _exit_at_once(INTERRUPTED)
            flush_stdout()
            raise
    except PipelineError as error:
        _fail(explain_error(error), error.exit_code)
    # A full disk or a folder without permission, in any command, and a fault of this program.
    except Exception as error:
        _fail(explain_error(error), PipelineError.exit_code)


@app.callback(invoke_without_command=True, help=HELP)
def show_version(
    *, version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False
) -> None:
    """Print the version; the help of the whole program is `HELP`."""
    if version:
        print(__version__)
        raise typer.Exit


# In the order of use.
for setup_command in (init, new):
    app.command()(setup_command)
# All of these have the same options.
for name, its_stages, summary in (
    ("run", ALL_STAGES, "Run all stages that are not up to date."),
    (
        "download",
        (StageName.DOWNLOAD,),
        "Download the audio to data/raw. From a file, a URL, or an entry of a feed or playlist.",
    ),
    ("transcribe", (StageName.TRANSCRIBE,), "Transcribe the audio on this machine."),
    ("align", (StageName.ALIGN,), "Find where the discussion of each feature starts."),
    ("publish", (StageName.PUBLISH,), "Write catalog, show notes, chapters, subtitles and site."),
):
    app.command(name, help=summary)(stage_command(its_stages))
for command in (
    locate_command, features_command, status, diff_command, search, ledger_command, evaluate, review_command,
):  # fmt: skip
    app.command()(command)
app.command("open")(open_site)
app.add_typer(models.app, name="models")
app.command()(doctor)


def _exit_at_once(exit_code: int) -> NoReturn:
    """End without waiting for threads of libraries.

    Decoding threads cannot be stopped, and their unfinished chunks are not saved. At an orderly end, Python would try
    again to write what stdout could not take, and threads of Arrow may abort the process.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # the other end of a pipe may be gone
            stream.flush()
    os._exit(exit_code)


def _fail(message: str, exit_code: int) -> NoReturn:
    _print_error(message)
    _exit_at_once(exit_code)


def _print_error(message: str) -> None:
    from pipeline.cli.progress import ConsoleReporter

    ConsoleReporter().fail(message)
