"""Snapshots of the rows of each episode, and which of them each run left: any two runs can be compared.

`data/processed/history/<id>/0003-1a2b3c4d5e6f.json` is one snapshot: all columns, one row a line. Its name is a number,
so that the order depends on no clock, and the beginning of the content's SHA-256. Rows that are published again
unchanged give no new snapshot. The report of a run, `data/processed/runs/0007-20261123T043449Z.json`, names the
snapshot of every episode at its end.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.core.errors import InputError
from pipeline.core.project import Project
from pipeline.core.storage import dump_json, read_record, sha256_of, write_bytes
from pipeline.publish.rows import CatalogRow
from pipeline.runs.diff import EpisodeChanges, compare_rows

# The name of the present, which has a report only where the last run was not killed.
NOW = "now"

# The name of the time before the first run.
BEFORE_FIRST_RUN = "nothing"

# Hexadecimal digits of a digest in a snapshot's name: 48 bits tell the few snapshots of one episode apart.
DIGEST_DIGITS = 12

_SNAPSHOT_NAME = re.compile(rf"(\d{{4,}})-[0-9a-f]{{{DIGEST_DIGITS}}}")
_RUN_NAME = re.compile(r"(\d{4,})-\d{8}T\d{6}Z")
Row = Mapping[str, Any]


def save_snapshot(project: Project, episode_id: str, rows: Sequence[CatalogRow]) -> None:
    """Save the rows as the episode's latest snapshot, unless they equal it."""
    records = [{**asdict(row), "published_on": row.published_on and row.published_on.isoformat()} for row in rows]
    content = dump_json({"rows": records}).encode("utf-8", "backslashreplace")
    digest = hashlib.sha256(content).hexdigest()[:DIGEST_DIGITS]
    latest = find_latest_snapshot(project, episode_id)
    if latest is None or latest.partition("-")[2] != digest:
        number = 1 + (_number(latest) if latest else 0)
        write_bytes(_path(project, episode_id, f"{number:04}-{digest}"), content)
    elif not _checksum_ok(path := _path(project, episode_id, latest)):
        write_bytes(path, content)


def find_latest_file(project: Project, episode_id: str) -> Path | None:
    """Return the file of the episode's latest snapshot; None where it was never published."""
    latest = find_latest_snapshot(project, episode_id)
    return _path(project, episode_id, latest) if latest else None


def find_latest_snapshot(project: Project, episode_id: str) -> str | None:
    """Return the name of the episode's latest snapshot; None where it was never published."""
    return max(list_snapshots(project, episode_id), key=_number, default=None)


def list_snapshots(project: Project, episode_id: str) -> list[str]:
    """Return the names of an episode's snapshots, oldest first."""
    return _list_names(project.history / episode_id, _SNAPSHOT_NAME)


def latest_snapshots(project: Project) -> dict[str, str]:
    """Return the name of the latest snapshot of every published episode, by the episode's id."""
    folders = sorted(path.name for path in project.history.glob("*") if path.is_dir())
    return {name: latest for name in folders if (latest := find_latest_snapshot(project, name)) is not None}


def read_snapshot(project: Project, episode_id: str, name: str) -> list[Row]:
    """Return the rows of a snapshot; InputError where it is missing or damaged."""
    path = _path(project, episode_id, name)
    if not path.is_file():
        raise InputError(f"{path} is missing: the rows of that run cannot be compared")
    if not _checksum_ok(path):
        raise InputError(f"{path} was damaged since it was written", "restore it from a backup, or remove it")
    return read_record(path, lambda record: [{**row, "title": str(row["title"])} for row in record["rows"]])


def _path(project: Project, episode_id: str, name: str) -> Path:
    return project.history / episode_id / f"{name}.json"


def _checksum_ok(path: Path) -> bool:
    """Whether the content of a snapshot has the digest that its name ends in."""
    return sha256_of(path)[:DIGEST_DIGITS] == path.stem.partition("-")[2]


def _list_names(folder: Path, pattern: re.Pattern[str]) -> list[str]:
    """The numbered names of the JSON files in a folder, in the order of their numbers."""
    names = [path.stem for path in folder.glob("*.json")] if folder.is_dir() else []
    return sorted((name for name in names if pattern.fullmatch(name)), key=_number)


def _number(name: str) -> int:
    return int(name.partition("-")[0])


@dataclass(frozen=True, slots=True)
class RunSnapshot:
    """The name of every episode's snapshot at the end of a run, by the episode's id."""

    name: str
    catalogs: dict[str, str]


def list_runs(project: Project) -> list[str]:
    """Return the names of the runs that left a report, oldest first."""
    return _list_names(project.runs, _RUN_NAME)


def next_number(project: Project) -> int:
    """Return the number of the next run report."""
    runs = list_runs(project)
    return 1 + (_number(runs[-1]) if runs else 0)


def read_run(project: Project, name: str) -> RunSnapshot:
    """Return the snapshots that the report of a run names; InputError where it is damaged."""
    return RunSnapshot(name, read_record(project.runs / f"{name}.json", lambda record: dict(record["catalogs"])))


def walk_back(project: Project) -> Iterator[RunSnapshot]:
    """Yield the snapshots after each run, latest first, and last those of `BEFORE_FIRST_RUN`, which are none.

    The first is `NOW` where something was published since the last report.
    """
    snapshots = latest_snapshots(project)
    # A killed run publishes without a report: its changes must show as well.
    runs = list_runs(project)
    if not runs or read_run(project, runs[-1]).catalogs != snapshots:
        yield RunSnapshot(NOW, snapshots)
    for name in reversed(runs):
        yield read_run(project, name)
    yield RunSnapshot(BEFORE_FIRST_RUN, {})


def find_run(project: Project, name: str) -> RunSnapshot:
    """Return the only run with this number, this name or beginning of a name, or `NOW`; InputError otherwise."""
    if name == NOW:
        return RunSnapshot(NOW, latest_snapshots(project))
    runs = list_runs(project)
    # A number is exact: 1 is not the beginning of 12.
    matches = [run for run in runs if name in {run, str(_number(run))}] or [run for run in runs if run.startswith(name)]
    if len(matches) != 1:
        known = ", ".join(runs[-3:]) or "none yet"
        raise InputError(f"{len(matches) or 'no'} runs are called {name} (the last ones: {known})")
    return read_run(project, matches[0])


def choose_runs(
    project: Project, episode_ids: list[str] | None, before: str | None, after: str | None
) -> tuple[RunSnapshot, RunSnapshot]:
    """Return the two runs to compare: those named, else the last two; with `episode_ids`, the last two that differ.

    InputError where a run is unknown, or nothing was published yet.
    """
    timeline = walk_back(project)
    newer = next(timeline)
    if after is not None:
        newer = find_run(project, after)
        if after != NOW:
            # Skip the runs after the named one.
            next((run for run in timeline if run.name == newer.name), None)
    if not newer.catalogs:
        raise InputError("nothing was published yet", "run `catalog run`")
    if before is not None:
        return find_run(project, before), newer
    for older in timeline:
        ids = episode_ids or []
        if not ids or any(older.catalogs.get(name) != newer.catalogs.get(name) for name in ids):
            return older, newer
        newer = older if after is None else newer
    return newer, newer


def compare_runs(
    project: Project,
    before: RunSnapshot,
    now: RunSnapshot,
    episode_ids: list[str] | None = None,
    *,
    on_error: Callable[[str], object] | None = None,
) -> dict[str, EpisodeChanges]:
    """Return the changes of each episode from one run to another, without episodes that did not change.

    InputError where a snapshot is missing or damaged; with `on_error`, that takes the message instead and the episode
    is left out.
    """
    changes = {}
    for episode_id in sorted({*before.catalogs, *now.catalogs} if episode_ids is None else episode_ids):
        old, new = before.catalogs.get(episode_id), now.catalogs.get(episode_id)
        # Names hold the digest: equal names mean equal rows.
        if old == new:
            continue
        try:
            sides = [read_snapshot(project, episode_id, name) if name else [] for name in (old, new)]
        except InputError as error:
            if on_error is None:
                raise
            on_error(f"{episode_id}: its changes are unknown: {error}")
            continue
        if changed := compare_rows(*sides):
            changes[episode_id] = changed
    return changes
