"""Settings of new episodes, filled in from what their source says of itself; from a feed, all new ones at once."""

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from string import Formatter
from typing import Any

from pydantic import ValidationError

from pipeline.core.config import EpisodeConfig, check_episode_id, load_episode
from pipeline.core.errors import ConfigError, InputError
from pipeline.core.project import Project, resolve_path
from pipeline.core.settings_file import dump_settings
from pipeline.core.storage import read_json, write_bytes, write_json
from pipeline.core.times import format_time
from pipeline.core.urls import is_url, redact_url
from pipeline.download.feeds import Entry, find_entry
from pipeline.download.fetch_audio import find_source_file, list_entries, resolve_entry
from pipeline.download.integrity import read_tags
from pipeline.download.metadata import Metadata, metadata_of_media
from pipeline.download.retry import FetchPolicy
from pipeline.download.ssrf_guard import has_private_host
from pipeline.download.ytdlp import describe_media, is_live


@dataclass(frozen=True, slots=True)
class NewEpisode:
    """What became of one entry: the episode's id, its title, and why it was left out or could not be had, if so."""

    episode_id: str
    title: str
    skipped: str = ""
    failed: bool = False


def write_settings(path: Path, settings: EpisodeConfig) -> bool:
    """Write an episode's settings, each on a line, and tell whether there was anything to write.

    ConfigError where the episode has other settings already: they are a person's.
    """
    values = settings.model_dump(exclude_none=True)
    if settings.duration is not None:
        values["duration"] = format_time(settings.duration)
    order = ("title", "source", "entry", "features", "features_episode", "published", "duration", "link")
    ordered = {name: values[name] for name in order if name in values} | values
    text = dump_settings(ordered)
    if path.is_file():
        known = load_episode(path)
        if (known.source, known.entry) != (settings.source, settings.entry):
            raise ConfigError(f"{path} has other settings already: edit it, or choose another id")
        if known.features != settings.features:
            raise ConfigError(f"{path} names another feature list: edit `features` in it")
        return False
    write_bytes(path, text.encode())
    return True


def describe_source(
    source: str, entry: str | None, root: Path, policy: FetchPolicy, *, offline: bool = False
) -> tuple[str, str | None, Metadata]:
    """Return how settings name a source and its entry, and what it says of itself; nothing is fetched of its audio.

    A file may be named from the current folder or the project's; settings name it from the project's.
    """
    policy = replace(policy, user_url=source)
    if is_url(source) or entry is not None:
        if offline:
            find_source_file(source, root)
            return source, entry, Metadata()
        meant = resolve_entry(source, entry, root, policy)
        find_source_file(meant.source, root)
        if entry is not None and not meant.has_page:
            return source, meant.metadata.entry, meant.metadata
        return meant.source, None, metadata_of_media(describe_media(meant.source, policy))
    named = _name_file(source, root)
    return named, None, read_tags(root / named)


def resolve_list(features: str, root: Path) -> tuple[str, bool]:
    """Return how settings name a feature list, as with a source; False where it is a file that is not there yet."""
    found = None if is_url(features) else _find_file(features, root)
    return (features, is_url(features)) if found is None else (_name_found(found, root), True)


def _name_file(source: str, root: Path) -> str:
    found = _find_file(source, root)
    if found is None:
        raise InputError(f"the file {source} is neither in {root} nor in the current folder: correct its name")
    return _name_found(found, root)


def _find_file(named: str, root: Path) -> Path | None:
    return next((path for folder in (root, Path.cwd()) if (path := resolve_path(named, folder)).is_file()), None)


def _name_found(found: Path, root: Path) -> str:
    """A file's path as settings have it: from the project's folder where it lies in it, else from the system's root."""
    absolute = Path(os.path.normpath(found.absolute()))
    return absolute.relative_to(root).as_posix() if absolute.is_relative_to(root) else str(absolute)


def make_settings(episode_id: str, source: str, entry: str | None, metadata: Metadata, features: str) -> EpisodeConfig:
    """Return an episode's settings from what its source says; what it does not say is left to a person.

    InputError where what it says cannot stand in settings.
    """
    try:
        return EpisodeConfig(
            title=metadata.title or episode_id,
            source=source,
            entry=entry,
            features=features,
            published=metadata.published,
            duration=metadata.duration,
            link=metadata.link,
        )  # type: ignore[call-arg]
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)[0]
        raise InputError(f"{redact_url(source)} gives a `{wrong['loc'][0]}` that cannot be: {wrong['msg']}") from None


def add_new_episodes(
    project: Project,
    source: str,
    *,
    since: date | None,
    features: str | None,
    policy: FetchPolicy,
    before_request: Callable[[], object],
) -> list[NewEpisode]:
    """Write settings for the entries of a feed or playlist that no episode has yet; safe to repeat.

    `features` is where the lists are, with `{episode_id}`, `{number}`, `{page}` and `{published}` filled in; where it
    is None the entry's own page, if it has one. `before_request` is called before each further question to a server.
    Returns what became of each entry; InputError where the source cannot be had, or has no entry with audio.
    """
    policy = replace(policy, user_url=source)
    entries = list_entries(source, project.root, policy)
    if not entries:
        raise InputError(f"{redact_url(source)} holds no entry with audio: check its address")
    known = {path.stem: load_episode(path) for path in sorted(project.episodes.glob("*.yaml"))}
    taken = _find_known(source, entries, known.values())
    dates = _KnownDates(project.turns / "entry-dates.json")
    added: list[NewEpisode] = []
    for entry in entries:
        key = entry.metadata.entry or entry.source
        if key in taken or (since is not None and (dates.find(entry) or since) < since):
            continue
        try:
            full = _complete(entry, policy, before_request)
        except InputError as error:
            added.append(NewEpisode("", entry.metadata.title or redact_url(key), str(error), failed=True))
            continue
        dates.keep(entry, full.metadata.published)
        if since is not None and (full.metadata.published is None or full.metadata.published < since):
            if full.metadata.published is None:
                added.append(
                    NewEpisode(
                        "",
                        full.metadata.title or redact_url(key),
                        "its source gives no date to compare with --since",
                    )
                )
            continue
        name = _choose_id(full, {one.episode_id for one in added if not one.skipped})
        title = full.metadata.title or name
        if name in known:
            added.append(NewEpisode(name, title, f"{name} exists with another source: left as it is"))
            continue
        place, chosen = (full.source, None) if entry.has_page else (source, key)
        listed = _place_features(features, name, full, policy)
        if listed is None:
            asked = f"its source gives not all that --features {features!r} asks for: add it with `catalog new`"
            added.append(NewEpisode("", title, asked, failed=True))
            continue
        write_settings(project.episode(name), make_settings(name, place, chosen, full.metadata, listed))
        added.append(NewEpisode(name, title))
    return added


def _find_known(source: str, entries: Sequence[Entry], configs: Iterable[EpisodeConfig]) -> set[str]:
    """The keys of the entries that an episode has already, however it names them."""
    taken: set[str] = set()
    by_source = {entry.source: entry.metadata.entry or entry.source for entry in entries}
    for config in configs:
        if config.entry is not None:
            taken.add(config.entry)
        if config.source == source and config.entry is not None:
            try:
                found = find_entry(entries, config.entry, source)
            except InputError:  # it has left the feed
                continue
            taken.add(found.metadata.entry or found.source)
        elif config.source in by_source:
            taken.add(by_source[config.source])
    return taken


def _complete(entry: Entry, policy: FetchPolicy, before_request: Callable[[], object]) -> Entry:
    """An entry with all that is said of it: a playlist tells little more than names, the page the rest."""
    if not entry.has_page:
        return entry
    before_request()
    info = describe_media(entry.source, policy)
    if is_live(info):
        raise InputError(f"{redact_url(entry.source)} is broadcast live: run again when it has ended")
    return Entry(entry.source, metadata_of_media(info))


class _KnownDates:
    """When the entries of playlists were published: asked of each one's page, and only once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._dates: dict[str, Any] = read_json(path) if path.is_file() else {}
        except InputError:  # it can all be asked again
            self._dates = {}

    def find(self, entry: Entry) -> date | None:
        """Return the date of an entry, where it is known without asking."""
        try:
            return date.fromisoformat(self._dates[self._name(entry)])
        except (KeyError, TypeError, ValueError):  # not known, or damaged
            return entry.metadata.published

    def keep(self, entry: Entry, published: date | None) -> None:
        """Keep the date that an entry's page gave, on disk."""
        if entry.has_page and published is not None:
            self._dates[self._name(entry)] = published.isoformat()
            write_json(self._path, self._dates)

    def _name(self, entry: Entry) -> str:
        # The address may hold a key.
        return hashlib.sha256(entry.source.encode()).hexdigest()[:16]


def _choose_id(entry: Entry, used: set[str]) -> str:
    """An id from the episode's number, else from its date; never from words of its title."""
    wanted = f"ep{entry.number}" if entry.number is not None else str(entry.metadata.published or "undated")
    if wanted in used and entry.metadata.published is not None:
        wanted = str(entry.metadata.published)
    name, count = wanted, 1
    while name in used:
        count += 1
        name = f"{wanted}-{count}"
    return check_episode_id(name)


def _place_features(template: str | None, episode_id: str, entry: Entry, policy: FetchPolicy) -> str | None:
    """Where an episode's list is; None where the entry lacks what the template asks for."""
    page = entry.metadata.page or ""
    if template is None:
        # A feed may not send us to look around in private networks.
        safe = policy.allow_private or not has_private_host(page)
        usable = safe and is_url(page) and not entry.has_page
        return page if usable else f"pages/{episode_id}.txt"
    values = {
        "episode_id": episode_id,
        "page": page,
        "number": "" if entry.number is None else entry.number,
        "published": entry.metadata.published or "",
    }
    try:
        asked = {name for _, name, _, _ in Formatter().parse(template) if name}
        return None if any(values.get(name) == "" for name in asked) else template.format(**values)
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        raise InputError(
            f"--features {template!r} cannot be filled in ({error}): it knows {{episode_id}}, {{number}}, {{page}} and "
            "{published}"
        ) from error
