"""The dataset: the folder of Parquet files, one per episode, that a run writes.

Other files get into a folder that people see: copies of a sync program, hidden files of an operating system, links to
nothing, tables of somebody else. Such a file is left out, with a message, and does not stop the work on the others.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.core.config import EPISODE_ID
from pipeline.core.errors import InputError
from pipeline.core.project import Project
from pipeline.core.state import StateFile
from pipeline.publish.rows import CatalogRow
from pipeline.publish.tables import read_catalogs

if TYPE_CHECKING:
    import pyarrow as pa

# The name of the record, in the project's state, of the files that `catalog.csv` was made from.
STATE = "catalog.csv"

# Input of that record: the checks by which a file is an episode's. Records without it are of earlier versions.
SCAN = {"checks of the dataset": "1"}

# Receives a message about a file that is left out.
Tell = Callable[[str], object]

_MOVE_AWAY = "move it out of the folder"


@dataclass(frozen=True, slots=True)
class DatasetFile:
    """A Parquet file of the dataset's folder; `problem` says why it is left out, empty where it holds an episode.

    `digest` is the SHA-256 of the file, empty where it was not read.
    """

    path: Path
    problem: str = ""
    digest: str = ""

    @property
    def fingerprint(self) -> str:
        """What changes with the content of the file and with its use."""
        return ": ".join(filter(None, (self.digest, self.problem)))


@dataclass(frozen=True, slots=True)
class Dataset:
    """The files of the dataset's folder, by name, and the state that keeps their digests from run to run."""

    files: tuple[DatasetFile, ...]
    state: StateFile

    @property
    def paths(self) -> list[Path]:
        """The files that hold an episode."""
        return [file.path for file in self.files if not file.problem]

    @property
    def episode_ids(self) -> list[str]:
        """The ids of the episodes that the dataset holds."""
        return [path.stem for path in self.paths]


def scan_dataset(project: Project) -> Dataset:
    """Return the Parquet files of a project's dataset; a file that did not change since the last run is not read."""
    state = StateFile.load(project.state(STATE), project.root)
    recorded = state.recorded_inputs(STATE) or {}
    known = recorded if SCAN.items() <= recorded.items() else {}
    return Dataset(tuple(_scan_file(path, state, known) for path in _list_parquet(project.dataset)), state)


def _scan_file(path: Path, state: StateFile, known: Mapping[str, str]) -> DatasetFile:
    if problem := _check_name(path):
        return DatasetFile(path, problem)
    try:
        digest = state.digest(path)
    except OSError as error:
        return DatasetFile(path, f"{path} cannot be read ({error.strerror}): {_MOVE_AWAY}")
    before = known.get(path.name, "")
    problem = before.removeprefix(digest).removeprefix(": ") if before.startswith(digest) else _check_rows(path)
    return DatasetFile(path, problem, digest)


def read_dataset(folder: Path, tell: Tell | None = None) -> "pa.Table":
    """Return the rows of all catalogs in a folder, in the order of their files; InputError where there is none.

    `tell` receives a message about each file that is left out. Unlike in a project, a file may have any name, but a
    copy of an episode beside the episode's own file is left out.
    """
    import pyarrow as pa

    paths = list(_list_parquet(folder))
    stems, tables, problems = {path.stem for path in paths}, [], []
    for path in paths:
        try:
            table = read_catalogs([path])
        except InputError as error:
            problems.append(str(error))
            continue
        if path.stem not in (ids := _list_ids(table)) and stems & ids:
            problems.append(_describe_copy(path, min(stems & ids)))
        else:
            tables.append(table)
    if not tables:
        missing = f"{folder} holds no catalog yet: run `catalog run --all` first, or name the project with --root"
        raise InputError(problems[0] if problems else missing)
    if tell is not None:
        for problem in problems:
            tell(problem)
    return pa.concat_tables(tables)


def read_rows(
    folder: Path, episodes: Sequence[str] | None = None, tell: Tell | None = None
) -> dict[str, tuple[CatalogRow, ...]]:
    """Return the rows of these episodes, or of all, by episode id; InputError where an episode has none.

    `tell` receives a message about each file that is left out.
    """
    # The files are named, not matched: an id such as [] is not a pattern.
    files = [folder / f"{name}.parquet" for name in episodes or ()]
    table = read_catalogs(files) if files and all(file.is_file() for file in files) else read_dataset(folder, tell)
    rows: dict[str, list[CatalogRow]] = {}
    # The table's columns are the fields of a row, in their order.
    for cells in zip(*(column.to_pylist() for column in table.columns), strict=True):
        row = CatalogRow(*cells)
        rows.setdefault(row.episode_id, []).append(row)
    # An episode in which no entry is found has a file without rows.
    if missing := [name for name in episodes or () if name not in rows and not (folder / f"{name}.parquet").is_file()]:
        raise InputError(f"{folder} holds no catalog of {missing[0]}: run `catalog run {missing[0]}` first")
    return {name: tuple(rows.get(name, ())) for name in (episodes or rows)}


def _list_parquet(folder: Path) -> Iterator[Path]:
    """Yield the visible Parquet files by name: a hidden file is the operating system's, and no concern of ours."""
    yield from (path for path in sorted(folder.glob("*.parquet")) if not path.name.startswith("."))


def _check_name(path: Path) -> str:
    """Return why the file cannot be an episode's, without reading it; empty where it can."""
    if path.is_symlink() and not path.exists():
        return f"{path} is a link to nothing: remove it"
    if not path.is_file():
        return f"{path} is not a file: {_MOVE_AWAY}"
    if not EPISODE_ID.fullmatch(path.stem):
        return f"{path} is not named after an episode: {_MOVE_AWAY}"
    return ""


def _check_rows(path: Path) -> str:
    """Return why the content is not that of the episode after which the file is named; empty where it is."""
    try:
        table = read_catalogs([path])
    except InputError as error:
        return str(error)
    if others := _list_ids(table) - {path.stem}:
        return _describe_copy(path, min(others))
    return ""


def _list_ids(table: "pa.Table") -> set[str]:
    return {str(name) for name in table["episode_id"].to_pylist()}


def _describe_copy(path: Path, episode_id: str) -> str:
    return f"{path} holds rows of the episode {episode_id}, as a copy does: {_MOVE_AWAY}"
