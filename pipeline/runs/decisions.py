"""Match an episode's corrections to its list, with what the project knows of the list's earlier revisions."""

from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.align.corrections import CorrectionMatches, Titles, match_corrections
from pipeline.core.config import load_episode, load_show
from pipeline.core.corrections import Correction
from pipeline.core.errors import InputError
from pipeline.core.identity import Name, name_features
from pipeline.core.project import Project
from pipeline.core.schema import Feature
from pipeline.core.serialization import features_from_json
from pipeline.download.feature_lists import LATEST
from pipeline.feature_lists.load import load_features
from pipeline.runs.releases import load_list


def match_decisions(
    project: Project,
    episode_id: str,
    corrections: Sequence[Correction],
    features: Sequence[Feature],
    duration: float | None,
    titles: Titles,
) -> CorrectionMatches:
    """Return which correction is about which entry of a list; `duration` is the audio's, in seconds.

    The kept revisions of the list are read only if a correction is not named exactly.
    """

    @cache
    def history() -> tuple[tuple[Name, ...], ...]:
        return read_revisions(project, episode_id)

    return match_corrections(corrections, features, duration, history=history, titles=titles)


def read_revisions(project: Project, episode_id: str) -> tuple[tuple[Name, ...], ...]:
    """Return the entries of every kept revision of the episode's list, or of the release lists; readable ones only."""
    show, episode = load_show(project.show), load_episode(project.episode(episode_id))
    revisions = []
    for path in _list_files(project.lists(episode_id)):
        with suppress(InputError):
            listed = load_features(path, episode=episode.features_episode, columns=show.columns)
            revisions.append(name_features(listed.features))
    for release in () if episode.features is not None else show.releases:
        for path in _list_files(project.release_lists(release.version)):
            with suppress(InputError):
                revisions.append(name_features(load_list(path, show, release).features))
    return tuple(revisions)


def _list_files(folder: Path) -> list[Path]:
    """Return the files of revisions in a folder."""
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    return [path for path in files if path.is_file() and path.name != LATEST and not path.name.startswith(".")]


def read_titles(alignment: dict[str, Any]) -> dict[str, str]:
    """Return what the corrections without a title were about when the alignment was made, by id."""
    features = features_from_json(alignment["features"])
    listed = {name.key: name.title or "" for name in name_features(features)}
    corrections = [Correction.model_validate(correction) for correction in alignment.get("corrections", [])]
    unnamed = [str(correction.identity.key) for correction in corrections if correction.title is None]
    known = {str(key): str(title) for key, title in alignment.get("titles", {}).items()}
    return {**{key: listed[key] for key in unnamed if key in listed}, **known}
