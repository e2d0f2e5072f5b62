"""The commands `models list` and `models pull`."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.options import Json, Root, print_json
from pipeline.core.errors import ModelError

app = typer.Typer(no_args_is_help=True, help="List or fetch speech models.")


@app.command("list")
def list_installed(*, root: Root = Path(), as_json: Json = False) -> None:
    """List the speech models on this machine. With folder, size, and whether the digest is the published one."""
    from pipeline.cli.tables import print_models
    from pipeline.transcribe.models import list_models

    installed = list_models(root.resolve())
    if as_json:
        print_json([model.to_json() for model in installed])
    else:
        print_models(installed)


@app.command()
def pull(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A Whisper size such as small, or a hub repository.")],
    *,
    root: Root = Path(),
) -> None:
    """Fetch a speech model for offline use."""
    from pipeline.cli.tables import print_line
    from pipeline.transcribe.models import Digest, find_model, inspect_model

    model = inspect_model(find_model(name, root=root.resolve()))
    # Unknown weights may be the user's own; wrong ones are damaged or forged.
    if model.digest is Digest.WRONG:
        raise ModelError(f"{model.folder.path}: {model.problem}")
    print_line(f"{model.folder.name} is in {model.folder.path} ({model.size >> 20} MB; digest: {model.digest})")
