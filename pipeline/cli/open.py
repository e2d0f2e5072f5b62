"""The command `open`."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.options import Root
from pipeline.core.errors import InputError


def open_site(
    episode: Annotated[
        str | None, typer.Argument(help="The episode's id, such as ep12; the whole site without.")
    ] = None,
    *,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
    root: Root = Path(),
) -> None:
    """Open the site or an episode's page in the browser. Its path is printed."""
    import webbrowser

    from pipeline.cli.tables import print_line
    from pipeline.core.config import EPISODE_ID
    from pipeline.core.project import Project

    if episode is not None and not EPISODE_ID.fullmatch(episode):
        raise InputError(f"{episode!r} is no episode id", "`catalog status` lists the episodes")
    site = Project(root.resolve()).site
    page = site / "index.html" if episode is None else site / "episodes" / f"{episode}.html"
    if not page.is_file():
        command = ["catalog", "run", episode or "--all", *([] if root == Path() else ["--root", str(root)])]
        raise InputError(f"{page} is not there", f"run `{shlex.join(command)}` first")
    print_line(str(page))
    if browser:
        webbrowser.open(page.as_uri())
