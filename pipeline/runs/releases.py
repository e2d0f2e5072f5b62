"""The show's release lists: their files, their revisions, and which of them an episode goes through."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pipeline.core.config import EpisodeConfig, ReleaseConfig, ShowConfig, choose_releases
from pipeline.core.errors import InputError, PipelineError
from pipeline.core.project import Project, resolve_path
from pipeline.core.schema import FeatureList
from pipeline.core.serialization import transcript_from_json
from pipeline.core.state import StateFile
from pipeline.core.storage import read_record
from pipeline.core.urls import is_url, redact_url
from pipeline.core.version import __version__
from pipeline.download.feature_lists import ListChoice, find_revision, refresh_revision
from pipeline.feature_lists.load import load_features

# Under this name the state of an episode keeps which versions its transcript speaks of.
SPOKEN = "spoken versions"


def find_list(project: Project, show: ShowConfig, release: ReleaseConfig, *, offline: bool) -> Path:
    """Return the file with a release list: the one that the settings name, or the last revision of their URL.

    InputError where the file is missing, and where a URL was never fetched and cannot be fetched now.
    """
    if not is_url(release.list):
        path = resolve_path(release.list, project.root)
        if not path.is_file():
            raise InputError(
                f"the release list {path} of {release.version} is missing", f"correct `releases` in {project.show}"
            )
        return path
    known = find_revision(release.list, project.release_lists(release.version))
    if known is not None:
        return known
    if offline:
        raise InputError(
            f"the release list {redact_url(release.list)} of {release.version} is on the network, and --offline "
            "forbids fetching it",
            "run without --offline",
        )
    return _fetch_list(project, show, release)


def refresh_lists(
    project: Project, show: ShowConfig, warn: Callable[[str, str], None], *, accept_any: bool = False
) -> None:
    """Fetch the release lists at URLs again, once for all episodes of a run.

    With `accept_any` a list is taken though it has nothing in common with the one before. `warn` receives
    `release v2.204` and why a list could not be fetched: its last revision is used then.
    """
    for release in show.releases:
        if not is_url(release.list):
            continue
        try:
            _fetch_list(project, show, release, accept_any=accept_any)
        except PipelineError as error:
            warn(f"release {release.version}", f"its list cannot be fetched again: {error}")


def _fetch_list(project: Project, show: ShowConfig, release: ReleaseConfig, *, accept_any: bool = False) -> Path:
    folder = project.release_lists(release.version)
    choice = ListChoice(name_columns(show, release), accept_any=accept_any)
    return refresh_revision(release.list, folder, choice, allow_private=show.download.allow_private_addresses)


def name_columns(show: ShowConfig, release: ReleaseConfig) -> Mapping[str, str]:
    """Return the names of a release table's columns: those of the show, and its own."""
    return {**show.columns, **release.columns}


def load_list(path: Path, show: ShowConfig, release: ReleaseConfig) -> FeatureList:
    """Return the list of a release from its file; InputError where the file holds none."""
    return load_features(path, columns=name_columns(show, release))


def list_episode_releases(
    config: EpisodeConfig, show: ShowConfig, state: StateFile, transcript: Path
) -> tuple[ReleaseConfig, ...]:
    """Return the releases that an episode goes through; none where it has a list of its own.

    They are those that its settings name, else those that its transcript speaks of, else all of the show. InputError
    where the transcript is damaged.
    """
    if config.features is not None:
        return ()
    if config.versions:
        return choose_releases(config.versions, show.releases)
    spoken = _list_spoken(show.releases, state, transcript)
    return tuple(release for release in show.releases if release.version in spoken) or tuple(show.releases)


def _list_spoken(releases: Sequence[ReleaseConfig], state: StateFile, transcript: Path) -> set[str]:
    """Return the versions that a transcript speaks of; the state keeps them, since reading a transcript takes time."""
    known = state.recorded_inputs(SPOKEN) or {}
    source = {"transcript": state.digest(transcript), "episode-catalog": __version__}
    if any(known.get(name) != value for name, value in source.items()):
        known = source
    unknown = [release.version for release in releases if f"speaks of {release.version}" not in known]
    if unknown:
        from pipeline.align.spoken_numbers import find_spoken_versions

        spoken = find_spoken_versions(read_record(transcript, transcript_from_json), unknown)
        known |= {f"speaks of {version}": "yes" if version in spoken else "no" for version in unknown}
        state.remember(SPOKEN, known)
    return {release.version for release in releases if known[f"speaks of {release.version}"] == "yes"}
