"""Write the generated parts of the reference: columns, commands, settings and the figures of the README.

    python docs/generate_reference.py

Each page holds its part between `<!-- name -->` and `<!-- /name -->`; the rest is written by hand.
"""

import re
import types
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pyarrow as pa
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from typer.main import get_command
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.core.config import DownloadConfig, EpisodeConfig, ReleaseConfig, ShowConfig
from pipeline.publish.ledger import LEDGER_SCHEMA_VERSION
from pipeline.publish.rows import SCHEMA_VERSION
from pipeline.publish.tables import catalog_schema, ledger_schema

FOLDER = Path(__file__).parent
WIDTH = "80"


def describe_columns() -> str:
    """Return the catalog's columns as a Markdown table."""
    return _describe_schema(catalog_schema(), SCHEMA_VERSION)


def describe_ledger_columns() -> str:
    """Return the ledger's columns as a Markdown table."""
    return _describe_schema(ledger_schema(), LEDGER_SCHEMA_VERSION)


def _describe_schema(schema: pa.Schema, version: str) -> str:
    lines = [f"Schema version {version}.", "", "| column | type | null | meaning |", "|---|---|---|---|"]
    for column in schema:
        kind = str(column.type).replace("double", "float64").replace("date32[day]", "date32")
        meaning = column.metadata[b"description"].decode()
        lines.append(f"| `{column.name}` | {kind} | {'yes' if column.nullable else ''} | {meaning} |")
    return "\n".join(lines)


def describe_commands() -> str:
    """Return the `--help` of each command, 80 columns wide, as Markdown sections."""
    return "\n\n".join(_describe_command(names) for names in list_commands())


def list_commands() -> list[tuple[str, ...]]:
    """Return every command as its words, such as ("models", "pull"), in the order of `catalog --help`."""
    names: list[tuple[str, ...]] = []
    for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]
        below = getattr(command, "commands", {})
        names += [(name, inner) for inner in below] or [(name,)]
    return names


def _describe_command(names: tuple[str, ...]) -> str:
    result = CliRunner().invoke(app, [*names, "--help"], prog_name="catalog", env={"COLUMNS": WIDTH})
    text = "\n".join(line.rstrip() for line in result.stdout.strip().splitlines())
    return f"## catalog {' '.join(names)}\n\n```text\n{text}\n```"


def describe_settings() -> str:
    """Return the settings of a show and of an episode as Markdown tables."""
    files: Mapping[str, tuple[type[BaseModel], str]] = {
        "`configs/show.yaml`": (ShowConfig, ""),
        "`download:` in `configs/show.yaml`": (DownloadConfig, "download."),
        "Entries of `releases:` in `configs/show.yaml`": (ReleaseConfig, ""),
        "`configs/episodes/<id>.yaml`": (EpisodeConfig, ""),
    }
    parts = []
    for title, (model, before) in files.items():
        rows = [f"## {title}", "", "| setting | value | default | meaning |", "|---|---|---|---|"]
        for name, field in model.model_fields.items():
            cells = (f"`{before}{name}`", _name_kind(field.annotation), _default(field), field.description)
            rows.append(f"| {' | '.join(map(str, cells))} |")
        parts.append("\n".join(rows))
    return "\n\n".join(parts)


def _name_kind(kind: Any) -> str:
    """Return the name of a type for somebody who writes YAML."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _name_kind(inner[0])
    if origin in {Union, types.UnionType}:
        return " or ".join(_name_kind(option) for option in inner if option is not type(None))
    if origin is Literal:
        return ", ".join(f"`{option}`" for option in inner)
    if origin is list:
        return "list of strings" if inner[0] is not ReleaseConfig else "list of mappings, see below"
    if origin is dict:
        return "mapping"
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return "mapping, see below"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(f"`{option.value}`" for option in kind)
    names: dict[Any, str] = {str: "string", bool: "`true`, `false`", int: "integer", float: "number"}
    return names.get(kind) or str(kind.__name__)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
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
    accuracy = re.findall(r"^\| ([^|(]+) \(\d+[^|]*\| (\d+) \|.*\| [.\d]+ / ([.\d]+), ([^|]+) \|$", page, re.MULTILINE)
    for show, features, found, placed in accuracy:
        calibration = re.search(rf"^\| {show} \| [.\d]+ \| ([.\d]+) \|", page, re.MULTILINE)
        if calibration is None:
            raise ValueError(f"evaluation/alignment.md does not say how many confident rows of {show} are right")
        lines.append(f"| {show} | {int(features):,} | {float(found):.0%} | {float(calibration[1]):.0%} | {placed} |")
    if len(lines) < 4:
        raise ValueError("evaluation/alignment.md has no figures")
    return "\n".join(lines)


# The generated parts of each page, by name.
PAGES: Mapping[str, Mapping[str, Callable[[], str]]] = {
    "catalog.md": {"columns": describe_columns, "ledger": describe_ledger_columns},
    "commands.md": {"commands": describe_commands},
    "settings.md": {"settings": describe_settings},
    "../README.md": {"figures": describe_figures},
}


def fill_page(name: str, text: str) -> str:
    """Return the text of a page with its generated parts replaced; ValueError if a part is not marked."""
    for part, describe in PAGES[name].items():
        begin, end = f"<!-- {part} -->", f"<!-- /{part} -->"
        before, rest = text.split(begin)
        text = f"{before}{begin}\n{describe()}\n{end}{rest.split(end)[1]}"
    return text


if __name__ == "__main__":
    for page in PAGES:
        path = FOLDER / page
        path.write_text(fill_page(page, path.read_text(encoding="utf-8")), encoding="utf-8")
