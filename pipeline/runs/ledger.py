"""`ledger.parquet` and `ledger.csv`: the show's release lists with every moment of their entries, after each run."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pipeline.core.config import ShowConfig
from pipeline.core.errors import InputError
from pipeline.core.project import Project
from pipeline.core.schema import Episode
from pipeline.core.state import StateFile
from pipeline.core.storage import read_record
from pipeline.core.version import __version__
from pipeline.publish.dataset import Dataset, read_rows, scan_dataset
from pipeline.publish.ledger import LEDGER_SCHEMA_VERSION, LedgerRow, build_ledger
from pipeline.publish.rows import CatalogRow, build_rows, title_of
from pipeline.runs.releases import find_list, load_list, name_columns
from pipeline.runs.stages.base import RELEASES, parse_alignment

# The name of the ledger's record in the project's state; no episode can have it.
STATE = "ledger.csv"


def update_ledger(
    project: Project,
    show: ShowConfig,
    *,
    offline: bool,
    warn: Callable[[str, str], None],
    dataset: Dataset | None = None,
) -> list[Path]:
    """Rewrite the ledger where it differs from the release lists and the catalog; return the files written.

    Where a release list is missing, the files stay as they are, and `warn` receives the release and why. `dataset`
    is the result of `scan_dataset`, where the caller has it.
    """
    lists: dict[str, Path] = {}
    for release in show.releases:
        try:
            lists[release.version] = find_list(project, show, release, offline=offline)
        except InputError as error:
            warn(f"release {release.version}", f"the ledger is not up to date: {error}")
            return []
    if not lists:
        return []
    state = StateFile.load(project.state(STATE), project.root)
    catalogs = (dataset or scan_dataset(project)).paths
    inputs = {
        "episode-catalog": __version__,
        "schema": LEDGER_SCHEMA_VERSION,
        "show": show.name,
        "columns": json.dumps({release.version: dict(name_columns(show, release)) for release in show.releases}),
        **{f"release list {version}": state.digest(path) for version, path in lists.items()},
        # Their order is the order of the rows.
        "versions": ", ".join(lists),
        **{path.name: state.digest(path) for path in catalogs},
    }
    outputs = [project.ledger, project.ledger_csv]
    if state.find_reason(STATE, inputs, outputs) is None:
        state.save_fingerprints()
        return []
    try:
        rows = _build_rows(project, show, lists, [path.stem for path in catalogs])
    except InputError as error:
        warn("ledger", f"the ledger is not up to date: {error}")
        return []
    _write_ledger(project, rows)
    state.record(STATE, inputs, outputs)
    return outputs


def _build_rows(
    project: Project, show: ShowConfig, lists: dict[str, Path], ids: Sequence[str]
) -> tuple[LedgerRow, ...]:
    from pipeline.align.cues import is_callback

    releases = {release.version: load_list(lists[release.version], show, release).features for release in show.releases}
    catalog = read_rows(project.dataset, ids) if ids else {}
    return build_ledger(show.name, releases, catalog, is_callback=is_callback)


def _write_ledger(project: Project, rows: tuple[LedgerRow, ...]) -> None:
    from pipeline.publish.tables import build_table, ledger_schema, write_csv, write_parquet

    table = build_table(rows, ledger_schema())
    write_parquet(table, project.ledger)
    write_csv(table, project.ledger_csv)


def add_unfound_rows(project: Project, rows: Mapping[str, Sequence[CatalogRow]]) -> dict[str, tuple[CatalogRow, ...]]:
    """Return the catalog rows of each episode, with a row for each entry of its release lists that was not found.

    The catalog leaves these out; scores need them. InputError where an alignment is damaged.
    """
    return {name: (*published, *_list_unfound(project, name, published)) for name, published in rows.items()}


def _list_unfound(project: Project, episode_id: str, published: Sequence[CatalogRow]) -> list[CatalogRow]:
    path = project.alignment(episode_id)
    if not path.is_file():
        return []
    listed = read_record(path, lambda record: parse_alignment(record) if RELEASES in record else None)
    if listed is None:
        return []
    known = {row.position for row in published}
    episode = Episode(show="", episode_id=episode_id, title=title_of(published))
    return [row for row in build_rows(episode, *listed) if row.position not in known]


def read_ledger(project: Project, show: ShowConfig) -> tuple[LedgerRow, ...]:
    """Return the rows of the ledger; InputError where the show has no releases, or no run has written the ledger."""
    from pipeline.publish.tables import read_ledger_rows

    if not show.releases:
        raise InputError(f"{project.show} names no release lists", "add them under `releases`")
    if not project.ledger.is_file():
        raise InputError(f"{project.ledger} does not exist yet", "run `catalog run --all` first")
    return read_ledger_rows(project.ledger)
