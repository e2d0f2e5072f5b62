"""`catalog.csv`: the rows of all episodes for people, always what the Parquet files say.

Where one episode of hundreds changed, the lines of the others are taken over from the file as it stands. How many
bytes of it are whose is kept in its record of staleness; a file other than that one is written anew from the dataset.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.core.project import Project
from pipeline.core.state import StateFile
from pipeline.core.storage import write_bytes
from pipeline.core.version import __version__

if TYPE_CHECKING:
    import pyarrow as pa

STATE = "catalog.csv"


def read_everything(project: Project) -> "pa.Table":
    """Return the rows of all episodes; from `catalog.csv` where it is up to date: one file, not hundreds."""
    from pipeline.publish.tables import read_csv, read_dataset

    state, inputs = open_state(project)
    if inputs and state.find_reason(STATE, inputs, [project.catalog_csv]) is None:
        return read_csv(project.catalog_csv)
    return read_dataset(project.dataset)


def update_csv(project: Project) -> Path | None:
    """Make `catalog.csv` say what the Parquet files say; return its path, or None where it did already.

    InputError where a Parquet file is damaged.
    """
    state, inputs = open_state(project)
    if not inputs or state.find_reason(STATE, inputs, [project.catalog_csv]) is None:
        state.save_fingerprints()
        return None
    from pipeline.publish.tables import format_csv, read_catalogs

    parts = _read_unchanged(project, state, inputs)
    changed = [project.dataset / name for name in inputs if name.endswith(".parquet") and name not in parts]
    # Formatting and checking is what costs; the lines of all others are copied.
    header, made = format_csv([read_catalogs([path]) for path in changed])
    parts |= {path.name: part for path, part in zip(changed, made, strict=True)}
    ordered = {name: parts[name] for name in inputs if name in parts}
    write_bytes(project.catalog_csv, header + b"".join(ordered.values()))
    state.record(STATE, inputs, [project.catalog_csv], sizes={name: len(part) for name, part in ordered.items()})
    return project.catalog_csv


def open_state(project: Project) -> tuple[StateFile, dict[str, str]]:
    """Return the record of what `catalog.csv` was made from, and what it should be made from; empty without rows."""
    state = StateFile.load(project.state(STATE), project.root)
    files = {file.name: state.digest(file) for file in sorted(project.dataset.glob("*.parquet"))}
    return state, {"episode-catalog": __version__, **files} if files else {}


def _read_unchanged(project: Project, state: StateFile, inputs: Mapping[str, str]) -> dict[str, bytes]:
    """The lines of each Parquet file that is as it was, by its name; none where the CSV is not the one we wrote."""
    record = state.stages.get(STATE, {})
    sizes, before = record.get("sizes", {}), record.get("inputs", {})
    # Another version may write the same rows otherwise.
    if not sizes or before.get("episode-catalog") != inputs["episode-catalog"]:
        return {}
    if not project.catalog_csv.is_file() or state.find_reason(STATE, before, [project.catalog_csv]) is not None:
        return {}
    # Bytes, not lines: a quoted cell may hold line ends.
    content = project.catalog_csv.read_bytes()
    parts, begin = {}, content.index(b"\n") + 1
    for name, size in sizes.items():
        if before.get(name) == inputs.get(name):
            parts[name] = content[begin : begin + size]
        begin += size
    return parts
