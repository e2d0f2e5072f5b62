"""Which entries of a feed or playlist belong to an episode that has settings already."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pipeline.core.config import EPISODE_ID, EpisodeConfig, load_episode
from pipeline.core.errors import ConfigError, InputError
from pipeline.core.project import Project
from pipeline.core.storage import read_limited
from pipeline.download.feeds import Entry, match_entries

# Bytes of a settings file that cannot be read as settings; a person's file has less than 1 kB.
_MAX_BYTES = 1 << 20


@dataclass(slots=True)
class KnownEpisodes:
    """The episodes of a project, and the entries of one feed or playlist that they have.

    Attributes:
        ids: the ids of all episodes, those with unreadable settings included.
        id_by_key: the episode of each entry that has one, by the entry's key.
        problems: what keeps the settings of an episode from being read, by its id.
        uncertain: the episodes that each of several entries may belong to, by the key of the entry.
    """

    ids: set[str] = field(default_factory=set)
    id_by_key: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    uncertain: dict[str, str] = field(default_factory=dict)


def key_of(entry: Entry) -> str:
    """Return what settings name an entry by: its guid, else its URL."""
    return entry.metadata.entry or entry.source


def name_apart(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Return the entries, those that share a guid without it: their URLs tell them apart."""
    counts = Counter(entry.metadata.entry for entry in entries)
    return tuple(
        replace(entry, metadata=replace(entry.metadata, entry=None)) if counts[entry.metadata.entry] > 1 else entry
        for entry in entries
    )


def find_known_episodes(project: Project, source: str, entries: Sequence[Entry]) -> KnownEpisodes:
    """Return which entries of `source` have an episode; settings that cannot be read hide no other episode."""
    known = KnownEpisodes()
    paths = sorted(project.episodes.glob("*.yaml"))
    for path in paths:
        # Hidden files and copies of other programs are no episodes; a run reports them.
        if not EPISODE_ID.fullmatch(path.stem):
            continue
        known.ids.add(path.stem)
        try:
            _add_episode(known, path.stem, load_episode(path), source, entries)
        except ConfigError as error:
            known.problems[path.stem] = str(error)
            text = _read_text(project, path.stem)
            for entry in entries:
                if _mentions(text, entry):
                    known.id_by_key.setdefault(key_of(entry), path.stem)
    return known


def _add_episode(
    known: KnownEpisodes, episode_id: str, config: EpisodeConfig, source: str, entries: Sequence[Entry]
) -> None:
    if config.entry is not None:
        known.id_by_key.setdefault(config.entry, episode_id)
    if config.source == source and config.entry is not None:
        matches = match_entries(entries, config.entry)
        if len(matches) == 1:
            known.id_by_key[key_of(matches[0])] = episode_id
        # A number that two seasons have: nobody knows which of them the episode is.
        for entry in matches if len(matches) > 1 else ():
            known.uncertain.setdefault(key_of(entry), episode_id)
    for entry in entries:
        if config.source == entry.source:
            known.id_by_key[key_of(entry)] = episode_id


def _read_text(project: Project, episode_id: str) -> str:
    try:
        content = read_limited(project.episode(episode_id), _MAX_BYTES, "the settings file")
    except InputError:
        return ""
    return content.decode("utf-8", "replace")


def _mentions(text: str, entry: Entry) -> bool:
    """Whether the text of unreadable settings names an entry: another episode for it would be a second one."""
    names = (key_of(entry), entry.source)
    return any(re.search(rf"(?<![\w/-]){re.escape(name)}(?![\w/-])", text) for name in names)
