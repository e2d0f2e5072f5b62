"""The command `diff`: what changed in the catalog from one run to another."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.options import Episodes, Json, Root, print_json


def diff(
    episodes: Episodes = None,
    *,
    before: Annotated[str | None, typer.Option("--from", help="The earlier run: its name or number.")] = None,
    after: Annotated[str | None, typer.Option("--to", help="The later run; the last one when left out.")] = None,
    runs: Annotated[bool, typer.Option("--runs", help="List the runs that can be named, and stop.")] = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 1 where anything changed.")] = False,
    root: Root = Path(),
    as_json: Json = False,
) -> None:
    """What changed in the catalog between the last two runs. Or between two named ones."""
    from pipeline.cli.tables import print_line
    from pipeline.core.config import load_show
    from pipeline.core.project import Project
    from pipeline.runs.history import choose_runs, compare_runs, latest_snapshots, list_runs
    from pipeline.runs.report import describe_changes
    from pipeline.runs.workflow import check_episode_exists

    project = Project(root.resolve())
    load_show(project.show)
    if runs:
        print_json(list_runs(project)) if as_json else print_line("\n".join(list_runs(project)))
        return
    # An episode that was taken out of the project still has a history.
    published = latest_snapshots(project)
    for episode in (one for one in episodes or () if one not in published):
        check_episode_exists(project, episode)
    older, newer = choose_runs(project, episodes, before, after)
    found = compare_runs(project, older, newer, episodes)
    # All entries of a new episode are new: their number says it.
    new = {name for name in found if name not in older.catalogs}
    if as_json:
        told = {name: {"new": name in new, **changes.to_json()} for name, changes in found.items()}
        print_json({"from": older.name, "to": newer.name, "episodes": told})
    else:
        print_line(f"from {older.name} to {newer.name}:" + ("" if found else " nothing changed"))
        for name, changes in found.items():
            shown = {"new": len(changes.added)} if name in new else changes.to_json()
            print_line("\n".join(describe_changes(name, shown)))
    if exit_code and found:
        raise typer.Exit(1)
