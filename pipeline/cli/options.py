"""Options that several commands share, so that they read the same everywhere."""

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pipeline.publish.rows import CatalogRow


# Each option once: its name, its help and its default are the same in every command.
Episodes = Annotated[list[str] | None, typer.Argument(metavar="[EPISODE]...", help="Ids of episodes, such as ep12.")]
All = Annotated[bool, typer.Option("--all", help="Every episode in configs/episodes.")]
Root = Annotated[Path, typer.Option(help="The project's folder.", envvar="CATALOG_ROOT")]
Force = Annotated[bool, typer.Option("--force", help="Run even what is up to date.")]
Offline = Annotated[bool, typer.Option("--offline", help="Never use the network.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but warnings and errors.")]
Refresh = Annotated[bool, typer.Option("--refresh", help="Ask the addresses of feature lists for what is new.")]
IncludeReview = Annotated[bool, typer.Option("--include-review", help="Publish doubtful starts, too.")]
Captions = Annotated[bool, typer.Option("--captions", help="Take the publisher's captions, where there are any.")]
ListEpisode = Annotated[str | None, typer.Option("--episode", help="Which episode's list, where a page holds several.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait for another run to end, instead of exiting with 4.")]
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=1, help="Episodes at once; fewer where memory is short.")]
EngineName = Annotated[str, typer.Option("--engine", help="local, or ray: several machines (extra `ray`).")]
Address = Annotated[str | None, typer.Option(help="The Ray cluster, such as auto or ray://host:10001.")]
Mail = Annotated[bool, typer.Option("--mail", help="Print a short text for a mail, if anything happened; no more.")]

# json escapes the control codes of ASCII alone; terminals obey others, and marks of direction hide what is written.
_UNSAFE = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def print_json(value: Any) -> None:
    """Print a value as JSON; what a terminal would obey stands there as an escape, which reads back as the same."""
    # Where stdout takes no UTF-8, as under an odd locale, escapes say the same.
    text = json.dumps(value, ensure_ascii=(sys.stdout.encoding or "").lower() != "utf-8", indent=1, default=str)
    print(_UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def print_rows_as_json(rows: "Sequence[CatalogRow]") -> None:
    """Print the rows of a catalog as one JSON list."""
    print_json([asdict(row) for row in rows])
