"""The command `review`."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from pipeline.cli.options import Root


def review(
    episode: Annotated[str, typer.Argument(help="The episode's id, such as ep12.")],
    *,
    who: Annotated[str | None, typer.Option(help="The name recorded with decisions; by default your login.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port of the page; 0 is any free one.")] = 0,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
    root: Root = Path(),
) -> None:
    """Listen to starts in the browser, and correct them. Other starts are aligned around corrections."""
    from pipeline.cli.tables import print_line
    from pipeline.core.project import Project
    from pipeline.review.server import serve
    from pipeline.review.session import ReviewSession

    session = ReviewSession.open(Project(root.resolve()), episode, _login() if who is None else who)

    def ready(address: str) -> None:
        print_line(f"Review {episode} at {address}")
        print_line("Every decision is saved at once. Ctrl-C ends the review.")
        if browser:
            _open_browser(address, private)

    try:
        with TemporaryDirectory(prefix="catalog-review-") as private:
            serve(session, port=port, on_ready=ready)
    except KeyboardInterrupt:
        # The usual way to end the review; nothing is lost.
        raise typer.Exit from None


def _open_browser(address: str, private: str) -> None:
    """Open the page through a private file that holds its URL: every user can see a program's arguments."""
    import webbrowser

    page = Path(private) / "review.html"
    page.write_text(f'<!DOCTYPE html><title>Review</title><meta http-equiv="refresh" content="0; url={address}">')
    webbrowser.open(page.as_uri())


def _login() -> str:
    """The name of the user; empty where the machine does not know it."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""
