"""The stages of an episode: for each what it depends on, what it writes, and the work itself."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from pipeline.core.errors import InputError
from pipeline.core.schema import Alignment, Feature, Provenance
from pipeline.core.serialization import alignment_from_json, features_from_json
from pipeline.runs.job import EpisodeRun


@dataclass(frozen=True, slots=True)
class Stage:
    """A step from files to files: what it depends on, what it writes, and the work itself."""

    name: str
    inputs: Callable[[EpisodeRun], dict[str, str]]
    outputs: Callable[[EpisodeRun], list[Path]]
    work: Callable[[EpisodeRun], None]


@cache
def _find_version(distribution: str) -> str | None:
    """The installed version of a package; asked for each of hundreds of episodes, and read once."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _parse_alignment(record: dict[str, Any]) -> tuple[tuple[Feature, ...], Alignment, Provenance]:
    return (
        features_from_json(record["features"]),
        alignment_from_json(record["placements"]),
        Provenance(**record["provenance"]),
    )


def _need(run: EpisodeRun, path: Path, stage: str) -> str:
    """The digest of the file an earlier stage makes; InputError where it is not there yet."""
    if not path.is_file():
        raise InputError(f"{path} is not there: run `catalog {stage} {run.episode_id}` first, or `catalog run`")
    return run.state.digest(path)
