"""The command `review`: a page on this machine to listen, confirm, move or reject starts."""

from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from pipeline.cli.options import Root
from pipeline.core.errors import InputError


def review(
    episode: Annotated[str, typer.Argument(help="The episode's id, such as ep12.")],
    *,
    who: Annotated[str | None, typer.Option(help="Who decides, for the record; the name you logged in with.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to use; any that is free.")] = 0,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
    root: Root = Path(),
) -> None:
    """Listen to starts in the browser, and correct them. The other starts are then aligned around them."""
    if find_spec("starlette") is None or find_spec("uvicorn") is None:
        raise InputError("the review page needs the extra `review`: pip install 'episode-catalog[review]'")
    from pipeline.cli.tables import print_line
    from pipeline.core.project import Project
    from pipeline.review.server import serve
    from pipeline.review.session import ReviewSession

    opened = ReviewSession.open(Project(root.resolve()), episode, _login() if who is None else who)

    def ready(address: str) -> None:
        print_line(f"Review {episode} at {address}")
        print_line("Every decision is saved at once. Ctrl-C ends this.")
        if browser:
            _open_browser(address, private)

    try:
        with TemporaryDirectory(prefix="catalog-review-") as private:
            serve(opened, port=port, ready=ready)
    except KeyboardInterrupt:
        # The way to end it, and nothing is lost by it.
        raise typer.Exit from None


def _open_browser(address: str, private: str) -> None:
    """Let the browser find the address in a file that nobody else may read: every user sees a program's arguments."""
    import webbrowser

    page = Path(private) / "review.html"
    page.write_text(f'<!DOCTYPE html><title>Review</title><meta http-equiv="refresh" content="0; url={address}">')
    webbrowser.open(page.as_uri())


def _login() -> str:
    """The name of who is logged in; empty where the machine does not know it."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""
