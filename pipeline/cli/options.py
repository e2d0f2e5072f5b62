"""Options that several commands share, so that they read the same everywhere."""

from pathlib import Path
from typing import Annotated

import typer

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
