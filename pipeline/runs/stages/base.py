"""The interface of a stage, and what several stages share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from pipeline.core.errors import InputError
from pipeline.core.schema import Alignment, Feature, Provenance, Status
from pipeline.core.serialization import alignment_from_json, features_from_json
from pipeline.runs.job import EpisodeRun
from pipeline.runs.result import StageName

# The key of an alignment file that holds the versions whose release lists it is made from.
RELEASES = "releases"


@dataclass(frozen=True, slots=True)
class Stage:
    """A step from files to files.

    `list_inputs` returns the inputs as named strings (digests, options, versions), `list_outputs` the files that the
    stage writes, `work` writes them. `convert_inputs` turns the inputs that an older version recorded into today's, so
    that an upgrade runs a stage again only where its result may differ. `applies` tells whether an episode needs the
    stage.
    """

    name: StageName
    list_inputs: Callable[[EpisodeRun], dict[str, str]]
    list_outputs: Callable[[EpisodeRun], list[Path]]
    work: Callable[[EpisodeRun], None]
    convert_inputs: Callable[[Mapping[str, str]], Mapping[str, str]] = dict
    applies: Callable[[EpisodeRun], bool] = lambda run: True  # noqa: ARG005


@cache
def installed_version(distribution: str) -> str | None:
    """Return the version of an installed package, or None; cached, since a run asks for each of its episodes."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def digest_output_of(run: EpisodeRun, path: Path, stage: StageName) -> str:
    """Return the digest of a file that an earlier stage writes; InputError where the stage has not written it yet."""
    if not path.is_file():
        raise InputError(f"{path} is missing", f"run `catalog {stage} {run.episode_id}` first, or `catalog run`")
    return run.state.digest(path)


def parse_alignment(record: dict[str, Any]) -> tuple[tuple[Feature, ...], Alignment, Provenance]:
    """Return the content of an alignment file; KeyError, TypeError or ValueError where its shape is another."""
    return (
        features_from_json(record["features"]),
        alignment_from_json(record["placements"]),
        Provenance(**record["provenance"]),
    )


def parse_found(record: dict[str, Any]) -> tuple[tuple[Feature, ...], Alignment, Provenance]:
    """Return the content of an alignment file, less the entries of release lists that nothing places or corrects."""
    features, alignment, provenance = parse_alignment(record)
    if RELEASES not in record:
        return features, alignment, provenance
    pairs = [
        (feature, placement)
        for feature, placement in zip(features, alignment.placements, strict=True)
        if placement.status is not Status.NOT_FOUND
    ]
    placements = tuple(placement for _, placement in pairs)
    return tuple(feature for feature, _ in pairs), replace(alignment, placements=placements), provenance
