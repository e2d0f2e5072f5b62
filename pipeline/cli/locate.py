"""The commands that need no project: `locate` and `features`."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.options import Json, ListEpisode, Offline, Quiet, Root, print_json, print_rows_as_json
from pipeline.core.errors import InputError, PipelineError


def locate(
    media: Annotated[Path, typer.Argument(help="Audio, video, or transcript (.srt, .vtt, .json).")],
    features: Annotated[Path, typer.Argument(help="The feature list: text, Markdown, HTML, CSV, XLSX, JSON, …")],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="The catalog to write: .csv, .parquet or .json.")],
    episode: ListEpisode = None,
    model: Annotated[str, typer.Option(help="Speech model: a Whisper size, or a model folder.")] = "base",
    language: Annotated[str | None, typer.Option(help="Spoken language, such as en; detected by default.")] = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="The audio is whole, even if its header states a longer duration.")
    ] = False,
    offline: Offline = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Catalog a media file and a feature list, without a project."""
    # Before the speech model is loaded: a mistyped name should not cost minutes.
    from pipeline.standalone import check_output, locate_features

    check_output(output, media, features)
    from pipeline.cli.progress import ConsoleReporter
    from pipeline.cli.tables import describe_files, print_line, print_rows
    from pipeline.publish.tables import write_catalog
    from pipeline.runs.result import StageName
    from pipeline.transcribe.transcriber import WhisperTranscriber

    reporter = ConsoleReporter(quiet=quiet)
    reporter.begin(media.name, StageName.TRANSCRIBE)
    try:
        located = locate_features(
            media,
            features,
            transcriber=WhisperTranscriber(model, Path(), offline=offline),
            language=language,
            on_progress=reporter.stage_progress,
            list_episode=episode,
            whole=whole,
        )
    finally:
        reporter.close()
    for warning in located.warnings:
        reporter.warn(features.name, warning)
    for note in located.notes:
        reporter.note(features.name, note)
    write_catalog(located.rows, output)
    if as_json:
        print_rows_as_json(located.rows)
    elif not quiet:
        print_rows(located.rows)
        print_line(describe_files([output], Path()))


def features(
    source: Annotated[str, typer.Argument(metavar="FILE_OR_URL", help="Text, Markdown, HTML, CSV, XLSX, JSON, …")],
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The list to write: .csv, .json or .txt.")
    ] = None,
    episode: ListEpisode = None,
    fill: Annotated[
        Path | None, typer.Option(help="Release notes to fill missing titles, ids and versions from.")
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Print how every line was read.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if there is any warning.")] = False,
    root: Root = Path(),
    as_json: Json = False,
) -> None:
    """Parse and check a feature list. Prints a table, and every warning."""
    from dataclasses import asdict, replace

    from pipeline.cli.progress import ConsoleReporter
    from pipeline.cli.tables import print_list
    from pipeline.core.config import load_show
    from pipeline.core.project import Project
    from pipeline.download.feature_lists import read_lists
    from pipeline.download.fetch_audio import make_fetch_policy
    from pipeline.feature_lists.load import load_features, pick_episode
    from pipeline.feature_lists.writer import OUTPUT_SUFFIXES, write_features
    from pipeline.standalone import check_not_input

    if output is not None and output.suffix.lower() not in OUTPUT_SUFFIXES:
        raise InputError(f"the output {output} must end in {', '.join(sorted(OUTPUT_SUFFIXES))}")
    if output is not None:
        check_not_input(output, Path(source), *([fill] if fill is not None else []))
    # In a project its settings apply here as well: names of columns, and which hosts may be reached.
    show = load_show(path) if (path := Project(root).show).is_file() else None
    policy = replace(make_fetch_policy(show.download, root), retries=2) if show else None
    lists = read_lists(source, columns=show.columns if show else None, policy=policy)
    # The terminal can show several lists; a file or JSON holds one.
    if episode is not None or output is not None or as_json:
        lists = (pick_episode(lists, episode, source),)
    reporter = ConsoleReporter()
    if fill is not None:
        from pipeline.feature_lists.fill import fill_list

        notes = load_features(fill).features
        lists = tuple(fill_list(listed, notes) for listed in lists)
    for listed in lists:
        if as_json:
            print_json({"features": [asdict(feature) for feature in listed.features]})
        else:
            print_list(listed, explain=explain)
        for warning in listed.warnings:
            reporter.warn(_last_part(source), warning)
    if output is not None:
        write_features(output, lists[0].features)
    if strict and any(listed.warnings for listed in lists):
        raise typer.Exit(PipelineError.exit_code)


def _last_part(source: str) -> str:
    """The last part of a path or URL."""
    return source.rstrip("/").rpartition("/")[2] or source
