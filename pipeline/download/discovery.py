"""Write the settings of new episodes from the metadata of their source; from a feed, of all its new episodes."""

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from string import Formatter
from typing import Any, NamedTuple

from pydantic import ValidationError

from pipeline.core.config import EpisodeConfig, check_episode_id, load_episode
from pipeline.core.errors import ConfigError, InputError
from pipeline.core.project import Project, resolve_path
from pipeline.core.settings_file import dump_settings
from pipeline.core.storage import create_file, read_json, write_json
from pipeline.core.times import format_time
from pipeline.core.urls import is_url, is_web_url, redact_url
from pipeline.download.captions import FORMATS
from pipeline.download.feeds import Entry
from pipeline.download.fetch_audio import find_source_file, list_entries, resolve_entry
from pipeline.download.integrity import read_tags
from pipeline.download.known_entries import find_known_episodes, key_of, name_apart
from pipeline.download.metadata import Metadata, metadata_of_media
from pipeline.download.retry import FetchPolicy
from pipeline.download.ssrf_guard import has_private_host
from pipeline.download.ytdlp import describe_media, is_live

# The order of the settings in an episode's file.
_SETTINGS_ORDER = (
    "title",
    "source",
    "transcript",
    "entry",
    "features",
    "features_episode",
    "versions",
    "published",
    "duration",
    "link",
)

# How many hexadecimal digits of a URL's SHA-256 are its key in the cache of dates.
_DIGEST_DIGITS = 16


@dataclass(frozen=True, slots=True)
class NewEpisode:
    """The result for one entry of a feed or playlist; a JSON record of `catalog new --from --json`.

    Attributes:
        episode_id: the id of the new episode; empty where none was chosen.
        title: the entry's title.
        skipped: why no settings were written; empty where they were.
        failed: whether that is an error.
    """

    episode_id: str
    title: str
    skipped: str = ""
    failed: bool = False


class SourceDescription(NamedTuple):
    """A source and its entry as an episode's settings name them, and the metadata of the source."""

    source: str
    entry: str | None
    metadata: Metadata


def write_settings(path: Path, settings: EpisodeConfig) -> bool:
    """Write an episode's settings, one a line; return False where the file has them already.

    ConfigError where the episode has other settings: a person may have written them.
    """
    values = settings.model_dump(exclude_none=True, exclude_defaults=True)
    if settings.duration is not None:
        values["duration"] = format_time(settings.duration)
    ordered = {name: values[name] for name in _SETTINGS_ORDER if name in values} | values
    # Another import may run at the same time.
    if not path.exists() and create_file(path, dump_settings(ordered).encode()):
        return True
    known = load_episode(path)
    if (known.source, known.entry) != (settings.source, settings.entry) or (
        known.source is None and known.transcript != settings.transcript
    ):
        raise ConfigError(f"{path} names another source or entry", "edit it, or choose another id")
    if known.features != settings.features:
        raise ConfigError(f"{path} names another feature list", "edit `features` in it")
    if known.versions != settings.versions:
        raise ConfigError(f"{path} names other versions", "edit `versions` in it")
    return False


def describe_source(
    source: str, entry: str | None, root: Path, policy: FetchPolicy, *, offline: bool = False
) -> SourceDescription:
    """Return a source as settings name it, with its metadata; no audio is fetched.

    A file may be relative to the current folder or to the project's; settings name it relative to the project's.
    """
    policy = replace(policy, user_url=source)
    if not is_url(source) and entry is None:
        local = _name_source_file(source, root)
        if is_transcript(local):
            return SourceDescription(local, None, Metadata(title=(root / local).stem))
        return SourceDescription(local, None, read_tags(root / local))
    if offline:
        find_source_file(source, root)
        return SourceDescription(source, entry, Metadata())
    resolved = resolve_entry(source, entry, root, policy)
    find_source_file(resolved.source, root)
    if entry is not None and not resolved.has_page:
        return SourceDescription(source, resolved.metadata.entry, resolved.metadata)
    return SourceDescription(resolved.source, None, metadata_of_media(describe_media(resolved.source, policy)))


def is_transcript(source: str) -> bool:
    """Tell whether a source is a transcript file rather than audio or video."""
    return not is_url(source) and Path(source).suffix.lower().removeprefix(".") in FORMATS


def resolve_list(features: str, root: Path) -> tuple[str, bool]:
    """Return a feature list as settings name it, and whether it exists; a URL counts as existing."""
    path = None if is_url(features) else _find_file(features, root)
    return (features, is_url(features)) if path is None else (_relative_name(path, root), True)


def _name_source_file(source: str, root: Path) -> str:
    path = _find_file(source, root)
    if path is None:
        raise InputError(f"the file {source} is neither in {root} nor in the current folder", "correct its name")
    return _relative_name(path, root)


def _find_file(name: str, root: Path) -> Path | None:
    return next((path for folder in (root, Path.cwd()) if (path := resolve_path(name, folder)).is_file()), None)


def _relative_name(path: Path, root: Path) -> str:
    """A file's path relative to the project's folder where it is inside it, else absolute."""
    absolute = Path(os.path.normpath(path.absolute()))
    return absolute.relative_to(root).as_posix() if absolute.is_relative_to(root) else str(absolute)


def make_settings(
    episode_id: str,
    source: str,
    entry: str | None,
    metadata: Metadata,
    features: str | None,
    versions: Sequence[str] = (),
) -> EpisodeConfig:
    """Return an episode's settings from its source's metadata; missing fields are left out.

    A publisher's duration is left out: settings hold what is known, and feeds state it loosely. A transcript file as
    source makes an episode without audio.

    Without `features`, the episode goes through these versions of the show's release lists.

    InputError where the metadata has a value that settings refuse.
    """
    without_audio = entry is None and is_transcript(source)
    try:
        return EpisodeConfig(
            title=metadata.title or episode_id,
            source=None if without_audio else source,
            transcript=source if without_audio else None,
            entry=entry,
            features=features,
            versions=list(versions),
            published=metadata.published,
            duration=None if entry is not None or is_url(source) else metadata.duration,
            link=metadata.link,
        )  # type: ignore[call-arg]
    except ValidationError as error:
        refused = error.errors(include_url=False, include_input=False)[0]
        raise InputError(f"{redact_url(source)} has an invalid `{refused['loc'][0]}`: {refused['msg']}") from None


def add_new_episodes(
    project: Project,
    source: str,
    *,
    since: date | None,
    features: str | None,
    has_releases: bool = False,
    policy: FetchPolicy,
    before_request: Callable[[], object],
) -> list[NewEpisode]:
    """Write settings for the entries of a feed or playlist that no episode has yet; safe to repeat.

    Args:
        project: where the settings go.
        source: a feed or playlist: a file, or an http(s) URL.
        since: entries published earlier are left out; None for all entries.
        features: a template of where the feature lists are, with `{episode_id}`, `{number}`, `{page}` and
            `{published}`; None for the show's release lists or else the entry's own page, if it has one.
        has_releases: whether the show has release lists, so that an episode needs no list of its own.
        policy: limits, credentials and retries.
        before_request: called before each request after the first.

    Returns:
        The result for each entry that was added, skipped or failed, after the episodes whose settings cannot be read.

    Raises:
        InputError: the source cannot be fetched or has no entry with audio, or the template is invalid.
    """
    policy = replace(policy, user_url=source)
    entries = name_apart(list_entries(source, project.root, policy))
    if not entries:
        raise InputError(f"{redact_url(source)} holds no entry with audio", "check its URL")
    needs_list = features is not None or not has_releases
    feed_import = _FeedImport(project, source, entries, since, features, policy, before_request, needs_list=needs_list)
    added = [result for entry in entries if (result := feed_import.add(entry)) is not None]
    return feed_import.list_problems() + added


class _FeedImport:
    """One import of a feed or playlist: which entries have an episode already, and which ids are used."""

    def __init__(
        self,
        project: Project,
        source: str,
        entries: Sequence[Entry],
        since: date | None,
        features: str | None,
        policy: FetchPolicy,
        before_request: Callable[[], object],
        *,
        needs_list: bool,
    ) -> None:
        self._project = project
        self._source = source
        self._since = since
        self._features = features
        self._policy = policy
        self._needs_list = needs_list
        self._before_request = before_request
        self._known = find_known_episodes(project, source, entries)
        # The ids of other entries of this feed, such as those of a season before with the same numbers.
        found = (self._known.id_by_key.get(key_of(entry)) for entry in entries)
        self._taken = {episode_id for episode_id in found if episode_id is not None}
        self._dates = _DateCache(project.turns / "entry-dates.json")

    def list_problems(self) -> list[NewEpisode]:
        """Return a failure for each episode whose settings cannot be read."""
        return [NewEpisode(name, name, problem, failed=True) for name, problem in self._known.problems.items()]

    def add(self, entry: Entry) -> NewEpisode | None:
        """Write an entry's settings; None where it has an episode already, or is older than `since`."""
        key = key_of(entry)
        if key in self._known.id_by_key or (self._since is not None and self._is_older(self._dates.find(entry))):
            return None
        if key in self._known.uncertain:
            return self._refuse_uncertain(entry, self._known.uncertain[key])
        try:
            full = self._complete(entry)
        except InputError as error:
            return NewEpisode("", entry.metadata.title or redact_url(key), str(error), failed=True)
        self._dates.keep(entry, full.metadata.published)
        if self._since is not None and full.metadata.published is None:
            title = full.metadata.title or redact_url(key)
            return NewEpisode("", title, "its source gives no date to compare with --since")
        return None if self._is_older(full.metadata.published) else self._write(entry, full)

    def _refuse_uncertain(self, entry: Entry, episode_id: str) -> NewEpisode:
        reason = f"it may be {episode_id}, whose `entry` fits several entries: name the guid of one there"
        return NewEpisode(
            "", f"{entry.metadata.title or 'untitled'} ({redact_url(key_of(entry))})", reason, failed=True
        )

    def _is_older(self, published: date | None) -> bool:
        return self._since is not None and published is not None and published < self._since

    def _complete(self, entry: Entry) -> Entry:
        """An entry with all its metadata: a playlist has little more than titles, the entry's page has the rest."""
        if not entry.has_page:
            return entry
        self._before_request()
        info = describe_media(entry.source, self._policy)
        if is_live(info):
            raise InputError(f"{redact_url(entry.source)} is broadcast live", "run again when it has ended")
        return Entry(entry.source, metadata_of_media(info))

    def _write(self, entry: Entry, full: Entry) -> NewEpisode:
        name = _choose_id(full, self._taken)
        title = full.metadata.title or name
        if name in self._known.ids:
            return NewEpisode(name, title, f"{name} exists with another source: left as it is")
        features = _fill_template(self._features, name, full, self._policy) if self._needs_list else None
        if features is None and self._needs_list:
            reason = f"its source lacks a field of --features {self._features!r}: add it with `catalog new`"
            return NewEpisode("", title, reason, failed=True)
        source, guid = (full.source, None) if entry.has_page else (self._source, key_of(entry))
        settings = make_settings(name, source, guid, full.metadata, features)
        write_settings(self._project.episode(name), settings)
        self._taken.add(name)
        return NewEpisode(name, title)


class _DateCache:
    """The publication dates of a playlist's entries on disk, so that each page is requested once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._dates: dict[str, Any] = read_json(path) if path.is_file() else {}
        except InputError:  # corrupted: the pages are requested again
            self._dates = {}

    def find(self, entry: Entry) -> date | None:
        """Return the date of an entry, from its feed or the cache; None where its page must be requested."""
        try:
            return date.fromisoformat(self._dates[self._name(entry)])
        except (KeyError, TypeError, ValueError):  # not cached, or corrupted
            return entry.metadata.published

    def keep(self, entry: Entry, published: date | None) -> None:
        """Store the date from an entry's page on disk."""
        if entry.has_page and published is not None:
            self._dates[self._name(entry)] = published.isoformat()
            write_json(self._path, self._dates)

    def _name(self, entry: Entry) -> str:
        # A digest, because the URL may hold a secret.
        return hashlib.sha256(entry.source.encode()).hexdigest()[:_DIGEST_DIGITS]


def _choose_id(entry: Entry, used: set[str]) -> str:
    """An unused id from the episode's number, else from its date; never from its title, which may hold anything."""
    wanted = f"ep{entry.number}" if entry.number is not None else str(entry.metadata.published or "undated")
    if wanted in used and entry.metadata.published is not None:
        wanted = str(entry.metadata.published)
    name, count = wanted, 1
    while name in used:
        count += 1
        name = f"{wanted}-{count}"
    return check_episode_id(name)


def _fill_template(template: str | None, episode_id: str, entry: Entry, policy: FetchPolicy) -> str | None:
    """Where an episode's feature list is; None where the entry lacks a field of the template."""
    page = entry.metadata.page or ""
    if template is None:
        # A feed must not make later runs request a private address.
        is_allowed = policy.allow_private or not has_private_host(page)
        return page if is_allowed and is_web_url(page) and not entry.has_page else f"pages/{episode_id}.txt"
    values = {
        "episode_id": episode_id,
        "page": page,
        "number": "" if entry.number is None else entry.number,
        "published": entry.metadata.published or "",
    }
    try:
        fields = {name for _, name, _, _ in Formatter().parse(template) if name}
        return None if any(values.get(name) == "" for name in fields) else template.format(**values)
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        raise InputError(
            f"--features {template!r} cannot be filled in ({error})",
            "its fields are {episode_id}, {number}, {page} and {published}",
        ) from error
