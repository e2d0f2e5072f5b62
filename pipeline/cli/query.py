"""The commands that only read a project: `status`, `search` and `evaluate`."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.options import Episodes, Json, Root, print_json
from pipeline.core.errors import InputError

# The largest id that a column of the catalog holds.
LARGEST_ID = 2**63 - 1


def status(episodes: Episodes = None, *, root: Root = Path(), as_json: Json = False) -> None:
    """Show which stages are not up to date, and why. Nothing is run."""
    from dataclasses import asdict

    from pipeline.cli.progress import ConsoleReporter
    from pipeline.cli.tables import print_status
    from pipeline.core.project import Project
    from pipeline.runs.workflow import list_episodes, list_stage_statuses

    project = Project(root.resolve())
    statuses = list_stage_statuses(project, episodes or list_episodes(project), ConsoleReporter(quiet=True))
    if as_json:
        print_json([asdict(status) for status in statuses])
    else:
        print_status(statuses)


def search(
    words: Annotated[list[str] | None, typer.Argument(metavar="[WORDS]...", help="Words, #ids, versions.")] = None,
    *,
    version: Annotated[str | None, typer.Option(help="Only this version, such as v2.204.")] = None,
    feature_id: Annotated[
        int | None, typer.Option("--id", min=0, max=LARGEST_ID, help="Only the feature with this id.")
    ] = None,
    episode: Annotated[str | None, typer.Option(help="Only this episode.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="The largest number of rows.")] = 20,
    root: Root = Path(),
    as_json: Json = False,
) -> None:
    """Find features in all episodes. Tolerates typos, plural and tense; ids and versions are exact."""
    if not words and version is None and feature_id is None and episode is None:
        raise typer.BadParameter("give words, --version, --id or --episode", param_hint="WORDS")
    from pipeline.cli.progress import ConsoleReporter
    from pipeline.cli.tables import print_hits
    from pipeline.core.project import Project
    from pipeline.publish.dataset import read_dataset
    from pipeline.publish.search import search_catalog

    table = read_dataset(Project(root.resolve()).dataset, partial(ConsoleReporter().warn, "catalog"))
    hits = search_catalog(table, words or (), version=version, feature_id=feature_id, episode=episode, limit=limit)
    if as_json:
        print_json([hit.row for hit in hits])
    else:
        print_hits([hit.row for hit in hits])


def evaluate(
    episodes: Episodes = None,
    *,
    gold: Annotated[
        Path | None, typer.Option(help="True starts of the episode: JSON, or a feature list with times.")
    ] = None,
    picture: Annotated[Path | None, typer.Option(help="Draw recall and calibration: .png or .svg.")] = None,
    root: Root = Path(),
    as_json: Json = False,
) -> None:
    """Score starts against published times. Or, with --gold, against true starts."""
    if gold is not None and len(episodes or []) != 1:
        raise typer.BadParameter("name the one episode whose true starts the file holds", param_hint="EPISODE")
    if picture is not None and picture.suffix.lower() not in {".png", ".svg"}:
        raise InputError(f"the picture {picture} must end in .png or .svg")
    from pipeline.cli.progress import ConsoleReporter
    from pipeline.cli.tables import print_evaluation
    from pipeline.core.project import Project
    from pipeline.publish.dataset import read_rows
    from pipeline.publish.evaluation import draw_reliability, evaluate_starts, list_published_starts
    from pipeline.publish.gold import load_gold
    from pipeline.runs.ledger import add_unfound_rows

    project = Project(root.resolve())
    tell = partial(ConsoleReporter().warn, "catalog")
    rows = add_unfound_rows(project, read_rows(project.dataset, episodes or None, tell))
    truths = {name: load_gold(gold, rows[name], tell) if gold else list_published_starts(rows[name]) for name in rows}
    evaluation = evaluate_starts([(rows[name], truths[name]) for name in rows])
    if not evaluation.discussed and not evaluation.undiscussed:
        raise InputError("there is nothing to score: the list gives no times", "name a file of true starts with --gold")
    if as_json:
        print_json(evaluation.to_json())
    else:
        print_evaluation(evaluation)
    if picture is not None:
        draw_reliability(evaluation, picture)
