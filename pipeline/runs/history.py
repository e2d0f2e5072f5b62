"""Every state that an episode's rows were ever published in, as small files that people can read and compare.

`data/processed/history/<id>/0003-1a2b3c4d5e6f.json` holds all columns, a line a row. The number counts the states, so
that their order depends on no clock; rows that are published again unchanged make no new one.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.core.errors import InputError
from pipeline.core.project import Project
from pipeline.core.storage import dump_json, read_record, sha256_of, write_bytes
from pipeline.publish.rows import CatalogRow

_NAME = re.compile(r"(\d{4,})-[0-9a-f]{12}")
Row = Mapping[str, Any]


def keep_state(project: Project, episode_id: str, rows: Sequence[CatalogRow]) -> None:
    """Keep the rows as the episode's latest state, unless they are that already."""
    records = [{**asdict(row), "published_on": row.published_on and row.published_on.isoformat()} for row in rows]
    content = dump_json({"rows": records}).encode()
    # 48 bits tell apart the few states of one episode.
    digest = hashlib.sha256(content).hexdigest()[:12]
    latest = find_latest(project, episode_id)
    if latest is None or latest.partition("-")[2] != digest:
        number = 1 + (int(latest.partition("-")[0]) if latest else 0)
        write_bytes(_path(project, episode_id, f"{number:04}-{digest}"), content)
    elif not _is_whole(path := _path(project, episode_id, latest)):
        write_bytes(path, content)


def find_latest_file(project: Project, episode_id: str) -> Path | None:
    """Return the file of the episode's latest state; None where it was never published."""
    latest = find_latest(project, episode_id)
    return _path(project, episode_id, latest) if latest else None


def _is_whole(path: Path) -> bool:
    """Whether a state is what it was written as: its name ends in the beginning of its digest."""
    return sha256_of(path)[:12] == path.stem.partition("-")[2]


def find_latest(project: Project, episode_id: str) -> str | None:
    """Return the name of the episode's latest state; None where it was never published."""
    return max(list_states(project, episode_id), key=lambda name: int(name.partition("-")[0]), default=None)


def list_states(project: Project, episode_id: str) -> list[str]:
    """Return the names of an episode's states, oldest first."""
    folder = project.history / episode_id
    names = [path.stem for path in folder.glob("*.json")] if folder.is_dir() else []
    return sorted((name for name in names if _NAME.fullmatch(name)), key=lambda name: int(name.partition("-")[0]))


def latest_states(project: Project) -> dict[str, str]:
    """Return the latest state of every episode, by the episode's id."""
    folders = sorted(path.name for path in project.history.glob("*") if path.is_dir())
    return {name: latest for name in folders if (latest := find_latest(project, name)) is not None}


def read_state(project: Project, episode_id: str, name: str) -> list[Row]:
    """Return the rows of a state; InputError where it is gone or damaged."""
    path = _path(project, episode_id, name)
    if not path.is_file():
        raise InputError(f"{path} is gone: the rows of that time cannot be shown")
    if not _is_whole(path):
        raise InputError(f"{path} was damaged since it was written: restore it from a backup, or remove it")
    return read_record(path, lambda record: [{**row, "title": str(row["title"])} for row in record["rows"]])


def _path(project: Project, episode_id: str, name: str) -> Path:
    return project.history / episode_id / f"{name}.json"
