"""The feature list of an episode in a run: its own, or the entries of the release lists that it goes through.

The functions return the inputs of the stage `align` that the list makes, the list itself, its revisions, and the
changes since the episode was aligned.
"""

import json
from pathlib import Path

from pipeline.core.errors import InputError
from pipeline.core.schema import FeatureList
from pipeline.core.serialization import features_from_json
from pipeline.core.storage import read_record
from pipeline.core.urls import redact_url
from pipeline.download.feature_lists import name_revision, save_revision
from pipeline.feature_lists.diff import compare_lists
from pipeline.feature_lists.load import load_features
from pipeline.feature_lists.releases import join_releases
from pipeline.runs.job import EpisodeRun
from pipeline.runs.releases import load_list

# The input that is the digest of an episode's own list, and the beginning of the names of those of release lists.
OWN_LIST = "feature list"
RELEASE_LIST = "release list "


def list_inputs(run: EpisodeRun) -> dict[str, str]:
    """Return the inputs that the episode's list makes; InputError where a list is missing."""
    if run.config.features is not None:
        if not run.feature_list.is_file():
            raise InputError(f"the feature list {run.feature_list} is missing", "correct `features` in the settings")
        return {
            OWN_LIST: run.state.digest(run.feature_list),
            "episode in the list": run.config.features_episode or "",
            "columns": json.dumps(run.show.columns, sort_keys=True),
        }
    columns = {release.version: release.columns for release in run.releases if release.columns}
    return {
        "versions": describe_versions(run),
        **{f"{RELEASE_LIST}{release.version}": run.state.digest(run.release_list(release)) for release in run.releases},
        "columns": json.dumps(run.show.columns, sort_keys=True),
        **({"columns of release lists": json.dumps(columns, sort_keys=True)} if columns else {}),
    }


def is_list_digest(name: str) -> bool:
    """Return whether an input is the digest of a list: its layout may change without a change of its entries."""
    return name == OWN_LIST or name.startswith(RELEASE_LIST)


def describe_versions(run: EpisodeRun) -> str:
    """Return the versions that the episode goes through, such as `v2.204, v2.206`."""
    return ", ".join(release.version for release in run.releases)


def load_episode_list(run: EpisodeRun) -> FeatureList:
    """Return the episode's list, each of its warnings with its source; InputError where a list cannot be read."""
    if run.config.features is not None:
        return load_features(run.feature_list, episode=run.config.features_episode, columns=run.show.columns)
    return join_releases(
        [(release.version, load_list(run.release_list(release), run.show, release)) for release in run.releases]
    )


def describe_source(run: EpisodeRun) -> str:
    """Return where the episode's list comes from, for warnings."""
    return redact_url(run.config.features) if run.config.features is not None else "release list"


def list_revisions(run: EpisodeRun) -> list[Path]:
    """Return the files that keep the lists as they are now."""
    return [folder / name_revision(run.state.digest(source), source.suffix) for source, folder in _list_sources(run)]


def save_revisions(run: EpisodeRun) -> None:
    """Keep the lists as they are now: pages are edited after publication."""
    for source, folder in _list_sources(run):
        save_revision(source.read_bytes(), source.suffix, folder)


def _list_sources(run: EpisodeRun) -> list[tuple[Path, Path]]:
    """Return the files of the episode's lists, each with the folder of its revisions."""
    if run.config.features is not None:
        return [(run.feature_list, run.project.lists(run.episode_id))]
    return [(run.release_list(release), run.project.release_lists(release.version)) for release in run.releases]


def describe_changes(run: EpisodeRun, changed: str) -> str:
    """Return what changed in the list that the input `changed` names since the episode was aligned."""
    try:
        return _describe_own_changes(run) if changed == OWN_LIST else _describe_release_changes(run, changed)
    except (InputError, StopIteration):
        return "it cannot be compared with the one before"


def _describe_own_changes(run: EpisodeRun) -> str:
    before = read_record(run.project.alignment(run.episode_id), lambda record: features_from_json(record["features"]))
    return compare_lists(before, load_episode_list(run).features).describe()


def _describe_release_changes(run: EpisodeRun, changed: str) -> str:
    """Compare a release list with its revision that the episode was aligned with."""
    version = changed.removeprefix(RELEASE_LIST)
    digest = (run.state.recorded_inputs("align") or {}).get(changed)
    release = next((release for release in run.releases if release.version == version), None)
    if digest is None or release is None:
        return "the episode goes through it now" if release else "the episode does not go through it any more"
    name = name_revision(digest, "")
    revision = next(path for path in run.project.release_lists(version).glob("*") if path.stem == name)
    before, now = (load_list(path, run.show, release) for path in (revision, run.release_list(release)))
    return compare_lists(before.features, now.features).describe()
