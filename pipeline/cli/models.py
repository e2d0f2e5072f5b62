"""The commands about speech models: `models list` and `models pull`."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.options import Json, Root, print_json
from pipeline.core.errors import ModelError

app = typer.Typer(no_args_is_help=True, help="Speech models on this machine. List them, or fetch one for offline use.")


@app.command("list")
def list_installed(*, root: Root = Path(), as_json: Json = False) -> None:
    """Models on this machine: where, how large, whether genuine. Genuine weights have the published digest."""
    from pipeline.cli.tables import print_models
    from pipeline.transcribe.models import list_models

    found = list_models(root.resolve())
    if as_json:
        print_json([one.to_json() for one in found])
    else:
        print_models(found)


@app.command()
def pull(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A Whisper size such as small, or a hub repository.")],
    *,
    root: Root = Path(),
) -> None:
    """Fetch a speech model, so that later runs need no network."""
    from pipeline.cli.tables import print_line
    from pipeline.transcribe.models import Digest, find_model, inspect_model

    model = inspect_model(find_model(name, root=root.resolve()))
    # Weights are code to whoever runs them: unknown ones may be one's own, wrong ones are nobody's.
    if model.digest is Digest.WRONG:
        raise ModelError(f"{model.folder.path}: {model.problem}")
    print_line(f"{model.folder.name} is in {model.folder.path} ({model.size >> 20} MB; digest: {model.digest})")
