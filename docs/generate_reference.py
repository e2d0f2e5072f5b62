"""Write the parts of the reference that the program itself knows: its columns, commands, settings and figures.

    python docs/generate_reference.py

Each page holds them between two marks, `<!-- name -->` and `<!-- /name -->`; what stands around is written by hand.
"""

import re
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from typer.main import get_command
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.core.config import DownloadConfig, EpisodeConfig, ShowConfig
from pipeline.publish.tables import SCHEMA_VERSION, catalog_schema

FOLDER = Path(__file__).parent
WIDTH = "80"


def describe_columns() -> str:
    """Return the catalog's columns as a Markdown table."""
    lines = [f"Schema version {SCHEMA_VERSION}.", "", "| column | type | null | meaning |", "|---|---|---|---|"]
    for column in catalog_schema():
        kind = str(column.type).replace("double", "float64").replace("date32[day]", "date32")
        meaning = column.metadata[b"description"].decode()
        lines.append(f"| `{column.name}` | {kind} | {'yes' if column.nullable else ''} | {meaning} |")
    return "\n".join(lines)


def describe_commands() -> str:
    """Return what `--help` prints of each command, at a width of 80 columns."""
    return "\n\n".join(_describe_command(names) for names in list_commands())


def list_commands() -> list[tuple[str, ...]]:
    """Return every command by its words, such as ("models", "pull"), in the order of `catalog --help`."""
    names: list[tuple[str, ...]] = []
    for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]
        below = getattr(command, "commands", {})
        names += [(name, inner) for inner in below] or [(name,)]
    return names


def _describe_command(names: tuple[str, ...]) -> str:
    result = CliRunner().invoke(app, [*names, "--help"], prog_name="catalog", env={"COLUMNS": WIDTH})
    told = "\n".join(line.rstrip() for line in result.stdout.strip().splitlines())
    return f"## catalog {' '.join(names)}\n\n```text\n{told}\n```"


def describe_settings() -> str:
    """Return the settings of a show and of an episode as Markdown tables."""
    files: Mapping[str, tuple[type[BaseModel], str]] = {
        "`configs/show.yaml`": (ShowConfig, ""),
        "`download:` in it": (DownloadConfig, "download."),
        "`configs/episodes/<id>.yaml`": (EpisodeConfig, ""),
    }
    parts = []
    for title, (model, before) in files.items():
        rows = [f"## {title}", "", "| setting | value | when left out | meaning |", "|---|---|---|---|"]
        for name, field in model.model_fields.items():
            told = (f"`{before}{name}`", _name_kind(field.annotation), _default(field), field.description)
            rows.append(f"| {' | '.join(map(str, told))} |")
        parts.append("\n".join(rows))
    return "\n\n".join(parts)


def _name_kind(kind: Any) -> str:
    """A type in the words of somebody who writes YAML."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _name_kind(inner[0])
    if origin in {Union, types.UnionType}:
        return " or ".join(_name_kind(one) for one in inner if one is not type(None))
    if origin is Literal:
        return ", ".join(f"`{one}`" for one in inner)
    if origin is list:
        return "list of texts"
    if origin is dict:
        return "names and what they mean"
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return "settings, see below"
    names: dict[Any, str] = {str: "text", bool: "`true`, `false`", int: "whole number", float: "number"}
    return names.get(kind) or str(kind.__name__)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**must be there**"
    if field.default_factory is not None or field.default in (None, "", [], {}):
        return ""
    return f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"


def describe_figures() -> str:
    """Return one table from the two tables of evaluation/alignment.md; ValueError if one of them is missing."""
    page = (FOLDER / "evaluation" / "alignment.md").read_text(encoding="utf-8")
    lines = [
        "| show | features | found within 30 s | right, of those called `confident` | placed, of those not discussed |",
        "|---|---|---|---|---|",
    ]
    weighed = re.findall(r"^\| ([^|(]+) \(\d+[^|]*\| (\d+) \|.*\| [.\d]+ / ([.\d]+), ([^|]+) \|$", page, re.MULTILINE)
    for show, features, found, placed in weighed:
        sure = re.search(rf"^\| {show} \| [.\d]+ \| ([.\d]+) \|", page, re.MULTILINE)
        if sure is None:
            raise ValueError(f"evaluation/alignment.md does not say how many confident rows of {show} are right")
        lines.append(f"| {show} | {int(features):,} | {float(found):.0%} | {float(sure[1]):.0%} | {placed} |")
    if len(lines) < 4:
        raise ValueError("evaluation/alignment.md has no figures")
    return "\n".join(lines)


PAGES: Mapping[str, tuple[str, Callable[[], str]]] = {
    "catalog.md": ("columns", describe_columns),
    "commands.md": ("commands", describe_commands),
    "settings.md": ("settings", describe_settings),
    "../README.md": ("figures", describe_figures),
}


def fill_page(name: str, text: str) -> str:
    """Return the text of a page with its generated part made anew; ValueError where its marks are gone."""
    mark, describe = PAGES[name]
    begin, end = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    before, rest = text.split(begin)
    return f"{before}{begin}\n{describe()}\n{end}{rest.split(end)[1]}"


if __name__ == "__main__":
    for page in PAGES:
        path = FOLDER / page
        path.write_text(fill_page(page, path.read_text(encoding="utf-8")), encoding="utf-8")
