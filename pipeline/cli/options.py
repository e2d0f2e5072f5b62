"""Options that several commands share, and the output of `--json`."""

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


# Each option is defined once: its name and help are the same in every command.
Episodes = Annotated[list[str] | None, typer.Argument(metavar="[EPISODE]...", help="Ids of episodes, such as ep12.")]
All = Annotated[bool, typer.Option("--all", help="Every episode in configs/episodes.")]
Root = Annotated[Path, typer.Option(help="The project's folder.", envvar="CATALOG_ROOT")]
Force = Annotated[bool, typer.Option("--force", help="Run stages even if they are up to date.")]
Offline = Annotated[bool, typer.Option("--offline", help="Never use the network.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print only warnings and errors.")]
Refresh = Annotated[bool, typer.Option("--refresh", help="Fetch feature lists again from their URLs.")]
AcceptLists = Annotated[
    bool, typer.Option("--accept-lists", help="With --refresh: take lists that share no entry with those before.")
]
IncludeReview = Annotated[bool, typer.Option("--include-review", help="Publish starts that need review, too.")]
Captions = Annotated[bool, typer.Option("--captions", help="Use the publisher's captions where there are any.")]
ListEpisode = Annotated[
    str | None, typer.Option("--episode", help="The episode whose list to take from a page with several.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait for another run to end instead of exiting with 4.")]
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=1, help="Episodes to run at once; fewer where memory is short.")]
EngineName = Annotated[str, typer.Option("--engine", help="local, or ray for several machines (extra `ray`).")]
Address = Annotated[str | None, typer.Option(help="The Ray cluster, such as auto or ray://host:10001.")]
Mail = Annotated[bool, typer.Option("--mail", help="Print only a text for a mail; nothing if nothing was done.")]

# Characters that json does not escape and that could drive a terminal or hide text: C1 control codes, marks of
# direction, line separators, surrogates.
_UNSAFE = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def print_json(value: Any) -> None:
    """Print a value as JSON; characters that could drive a terminal are escaped, which keeps the value."""
    # Escapes also carry the value where stdout cannot encode UTF-8.
    text = json.dumps(value, ensure_ascii=(sys.stdout.encoding or "").lower() != "utf-8", indent=1, default=str)
    print(_UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text))


def print_rows_as_json(rows: "Sequence[CatalogRow]") -> None:
    """Print the rows of a catalog as one JSON list."""
    print_json([asdict(row) for row in rows])
