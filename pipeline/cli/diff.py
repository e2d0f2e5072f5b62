"""The command `diff`."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.options import Episodes, Json, Root, print_json


def diff(
    episodes: Episodes = None,
    *,
    before: Annotated[str | None, typer.Option("--from", help="The earlier run: its name or number.")] = None,
    after: Annotated[str | None, typer.Option("--to", help="The later run; by default the last one.")] = None,
    runs: Annotated[bool, typer.Option("--runs", help="List the names of the runs, and exit.")] = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 1 if anything changed.")] = False,
    root: Root = Path(),
    as_json: Json = False,
) -> None:
    """Show what changed in the catalog between the last two runs. Or between two named runs."""
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
    # An episode that was removed from the project still has a history.
    published = latest_snapshots(project)
    for episode_id in (episode_id for episode_id in episodes or () if episode_id not in published):
        check_episode_exists(project, episode_id)
    older, newer = choose_runs(project, episodes, before, after)
    changes = compare_runs(project, older, newer, episodes)
    # In a new episode every entry is new: their number is enough.
    new = {episode_id for episode_id in changes if episode_id not in older.catalogs}
    if as_json:
        records = {name: {"new": name in new, **changed.to_json()} for name, changed in changes.items()}
        print_json({"from": older.name, "to": newer.name, "episodes": records})
    else:
        print_line(f"from {older.name} to {newer.name}:" + ("" if changes else " nothing changed"))
        for name, changed in changes.items():
            record = {"new": len(changed.added)} if name in new else changed.to_json()
            print_line("\n".join(describe_changes(name, record)))
    if exit_code and changes:
        raise typer.Exit(1)
