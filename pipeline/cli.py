"""The command `catalog`: parse, call, print."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline import __version__
from pipeline.errors import InputError, PipelineError

if TYPE_CHECKING:
    from pipeline.catalog import CatalogRow
    from pipeline.stages import RunResult

ALL_STAGES = ("download", "transcribe", "align", "publish")

app = typer.Typer(
    name="catalog",
    help="Find where each feature of a list is discussed in an episode: audio and page in, timestamped catalog out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Episodes = Annotated[list[str] | None, typer.Argument(metavar="[EPISODE]...", help="Ids of episodes, such as ep12.")]
All = Annotated[bool, typer.Option("--all", help="Every episode in configs/episodes.")]
Root = Annotated[Path, typer.Option(help="The project's folder.", envvar="CATALOG_ROOT")]
Force = Annotated[bool, typer.Option("--force", help="Run even what is up to date.")]
Offline = Annotated[bool, typer.Option("--offline", help="Never use the network.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but warnings and errors.")]
Refresh = Annotated[bool, typer.Option("--refresh", help="Ask the addresses of feature lists for what is new.")]
IncludeReview = Annotated[bool, typer.Option("--include-review", help="Publish doubtful starts, too.")]
ListEpisode = Annotated[str | None, typer.Option("--episode", help="Which episode's list, where a page holds several.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def main() -> None:
    """Run the command; a failure becomes one line on stderr and the exit code of its kind."""
    try:
        app()
    except PipelineError as error:
        _fail(str(error), error.exit_code)
    except OSError as error:
        from pipeline.workflow import explain_os_error

        _fail(explain_os_error(error), PipelineError.exit_code)


@app.callback(invoke_without_command=True)
def show_version(
    *, version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False
) -> None:
    """Find where each feature of a list is discussed in an episode: audio and page in, timestamped catalog out."""
    if version:
        print(__version__)
        raise typer.Exit


def _stage_command(stages: tuple[str, ...]) -> Callable[..., None]:
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
            transcriber=lambda show: WhisperTranscriber(show.model, project.root, offline=offline),
            reporter=ConsoleReporter(quiet=quiet),
            force=force,
            offline=offline,
            refresh=refresh,
            include_review=include_review,
        )
        _print_result(result, project.root, quiet=quiet, as_json=as_json)
        raise typer.Exit(result.exit_code)

    return command


for name, stages, summary in (
    ("run", ALL_STAGES, "All stages for these episodes, doing only what is not up to date."),
    ("download", ("download",), "Bring the audio to data/raw: a file, or an http(s) address."),
    ("transcribe", ("transcribe",), "Turn the audio into words with times, on this machine."),
    ("align", ("align",), "Find where the discussion of each feature starts."),
    ("publish", ("publish",), "Write the catalog: one Parquet file an episode, and catalog.csv for all."),
):
    app.command(name, help=summary)(_stage_command(stages))


@app.command()
def locate(
    media: Annotated[Path, typer.Argument(help="Audio, video, or a transcript (.srt, .vtt, .json).")],
    features: Annotated[Path, typer.Argument(help="The feature list: .txt .md .html .csv .tsv .xlsx .json")],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="The catalog to write: .csv, .parquet or .json.")],
    episode: ListEpisode = None,
    model: Annotated[str, typer.Option(help="Speech model: a Whisper size, or a model folder.")] = "base",
    language: Annotated[str | None, typer.Option(help="Spoken language, such as en.")] = None,
    offline: Offline = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Catalog any pair of files, without a project."""
    _check_output(output)
    from pipeline.console import ConsoleReporter, describe_files, print_line, print_rows
    from pipeline.standalone import locate_features
    from pipeline.tables import write_catalog
    from pipeline.transcribe import WhisperTranscriber

    reporter = ConsoleReporter(quiet=quiet)
    reporter.begin(f"{media.name}: transcribe")
    try:
        located = locate_features(
            media,
            features,
            transcriber=WhisperTranscriber(model, Path(), offline=offline),
            language=language,
            on_progress=reporter.stage_progress,
            list_episode=episode,
        )
    finally:
        reporter.close()
    for warning in located.warnings:
        reporter.warn(features.name, warning)
    write_catalog(located.rows, output)
    if as_json:
        _print_json(located.rows)
    elif not quiet:
        print_rows(located.rows)
        print_line(describe_files([output], Path()))


@app.command()
def features(
    source: Annotated[str, typer.Argument(metavar="FILE_OR_URL", help="Text, Markdown, HTML, CSV, TSV, XLSX or JSON.")],
    *,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write it as .csv, .json or .txt.")] = None,
    episode: ListEpisode = None,
    fill: Annotated[Path | None, typer.Option(help="Release notes to fill lost titles, ids and versions from.")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Print what became of every line.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 where there is any warning.")] = False,
    root: Root = Path(),
    as_json: Json = False,
) -> None:
    """Parse and check a feature list; print it as a table with every warning."""
    from pipeline.config import load_show
    from pipeline.console import ConsoleReporter, print_list
    from pipeline.features import LIST_SUFFIXES, dump_features, load_features, pick_episode, read_lists
    from pipeline.storage import Project

    if output is not None and output.suffix.lower() not in LIST_SUFFIXES:
        raise InputError(f"the output {output} must end in {', '.join(sorted(LIST_SUFFIXES))}")
    show = Project(root).show
    # A project's own names of columns hold for its lists here as well.
    lists = read_lists(source, columns=load_show(show).columns if show.is_file() else None)
    if episode is not None or output is not None or as_json:
        lists = (pick_episode(lists, episode, source),)
    reporter = ConsoleReporter()
    if fill is not None:
        from pipeline.fill import fill_list

        notes = load_features(fill).features
        lists = tuple(fill_list(listed, notes) for listed in lists)
    for listed in lists:
        if as_json:
            print(dump_features(listed.features, ".json"), end="")
        else:
            print_list(listed, explain=explain)
        for warning in listed.warnings:
            reporter.warn(shown_name(source), warning)
    if output is not None:
        from pipeline.storage import write_bytes

        write_bytes(output, dump_features(lists[0].features, output.suffix.lower()).encode())
    if strict and any(listed.warnings for listed in lists):
        raise typer.Exit(PipelineError.exit_code)


@app.command()
def status(episodes: Episodes = None, *, root: Root = Path(), as_json: Json = False) -> None:
    """Which stage of which episode is stale, and why; nothing is run."""
    from dataclasses import asdict

    from pipeline.console import ConsoleReporter, print_status
    from pipeline.storage import Project
    from pipeline.workflow import find_stale, list_episodes

    project = Project(root.resolve())
    found = find_stale(project, episodes or list_episodes(project), ConsoleReporter(quiet=True))
    if as_json:
        print(json.dumps([asdict(one) for one in found], ensure_ascii=False, indent=1))
    else:
        print_status(found)


@app.command()
def search(
    words: Annotated[list[str] | None, typer.Argument(metavar="[WORDS]...", help="Words, #ids, versions.")] = None,
    *,
    version: Annotated[str | None, typer.Option(help="Only this version, such as v2.204.")] = None,
    feature_id: Annotated[int | None, typer.Option("--id", help="Only the feature with this id.")] = None,
    episode: Annotated[str | None, typer.Option(help="Only this episode.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many rows.")] = 20,
    root: Root = Path(),
    as_json: Json = False,
) -> None:
    """Find features in all episodes; typos, plural and tense are forgiven, ids and versions are exact."""
    if not words and version is None and feature_id is None and episode is None:
        raise typer.BadParameter("give words, --version, --id or --episode", param_hint="WORDS")
    from pipeline.console import print_hits
    from pipeline.search import search_catalog
    from pipeline.storage import Project
    from pipeline.workflow import read_everything

    table = read_everything(Project(root.resolve()))
    hits = search_catalog(table, words or (), version=version, feature_id=feature_id, episode=episode, limit=limit)
    if as_json:
        print(json.dumps([hit.row for hit in hits], ensure_ascii=False, indent=1, default=str))
    else:
        print_hits([hit.row for hit in hits])


@app.command()
def evaluate(
    episodes: Episodes = None,
    *,
    gold: Annotated[Path | None, typer.Option(help="True starts of the episode: JSON or a list.")] = None,
    picture: Annotated[Path | None, typer.Option(help="Draw recall and calibration: .png or .svg.")] = None,
    root: Root = Path(),
    as_json: Json = False,
) -> None:
    """Score starts against the page's published times, or against a gold file."""
    if gold is not None and len(episodes or []) != 1:
        raise typer.BadParameter("name the one episode whose true starts the file holds", param_hint="EPISODE")
    if picture is not None and picture.suffix.lower() not in {".png", ".svg"}:
        raise InputError(f"the picture {picture} must end in .png or .svg")
    from pipeline.console import print_evaluation
    from pipeline.evaluate import draw_reliability, load_gold, published_truth, score
    from pipeline.storage import Project
    from pipeline.tables import read_rows

    rows = read_rows(Project(root.resolve()).dataset, episodes or None)
    truths = {name: load_gold(gold, rows[name]) if gold else published_truth(rows[name]) for name in rows}
    evaluation = score([(rows[name], truths[name]) for name in rows])
    if not evaluation.discussed and not evaluation.undiscussed:
        raise InputError("nothing to score: the page gives no times; name true starts with --gold")
    if as_json:
        print(json.dumps(evaluation.to_json(), indent=1))
    else:
        print_evaluation(evaluation)
    if picture is not None:
        draw_reliability(evaluation, picture)


def shown_name(source: str) -> str:
    """Return a source's own name, for the beginning of a line."""
    return source.rstrip("/").rpartition("/")[2] or source


def _print_result(result: "RunResult", root: Path, *, quiet: bool, as_json: bool) -> None:
    """The table of what was published, and one line with the files written."""
    if as_json:
        _print_json([row for rows in result.rows.values() for row in rows])
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


def _print_json(rows: "list[CatalogRow] | tuple[CatalogRow, ...]") -> None:
    from dataclasses import asdict

    print(json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=1, default=str))


def _check_output(output: Path) -> None:
    """Refuse an output we could not write before any work is done."""
    from pipeline.tables import OUTPUT_SUFFIXES

    if output.suffix.lower() not in OUTPUT_SUFFIXES:
        raise InputError(f"the output {output} must end in {', '.join(sorted(OUTPUT_SUFFIXES))}")
    if not output.absolute().parent.is_dir():
        raise InputError(f"the folder of the output {output} does not exist: create it first")


def _fail(message: str, exit_code: int) -> None:
    from pipeline.console import ConsoleReporter

    ConsoleReporter().fail(message)
    sys.exit(exit_code)
