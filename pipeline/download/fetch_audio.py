"""Fetch an episode's audio into `data/raw/<id>/`, checked: from a file, a URL, a feed or a playlist."""

import dataclasses
import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

from pipeline.core.config import DownloadConfig
from pipeline.core.errors import InputError
from pipeline.core.project import resolve_path
from pipeline.core.storage import read_limited
from pipeline.core.urls import is_url, is_web_url, redact_url
from pipeline.download.feeds import Entry, find_entry, is_feed, parse_feed
from pipeline.download.http import fetch_document
from pipeline.download.integrity import DecodedAudio, check_audio, compare_with_publisher, measure_audio
from pipeline.download.metadata import Metadata, metadata_of_media
from pipeline.download.record import Audio, store_audio
from pipeline.download.retry import FetchPolicy
from pipeline.download.ytdlp import fetch_media, list_playlist
from pipeline.download.ytdlp_limits import Progress

# Bytes; feeds of 1,000 episodes with long notes have some 20 MB.
MAX_FEED_BYTES = 64 << 20

# How many hexadecimal digits of a source's digest name its folder of partial files.
_NAME_DIGITS = 12


def make_fetch_policy(settings: DownloadConfig, root: Path) -> FetchPolicy:
    """Return the fetch policy of a project's `download` settings."""
    return FetchPolicy(
        allow_private=settings.allow_private_addresses,
        max_bytes=settings.max_megabytes << 20,
        max_seconds=settings.max_minutes * 60,
        retries=settings.retries,
        cookies=resolve_path(settings.cookies, root) if settings.cookies else None,
    )


def find_source_file(source: str, root: Path) -> Path | None:
    """Return the file that a source names, None for an http(s) URL; InputError where it is neither."""
    if is_url(source):
        if not is_web_url(source):
            raise InputError(
                f"the source {redact_url(source)} is neither a file nor an http(s) URL",
                "correct `source` in the episode's settings",
            )
        return None
    path = resolve_path(source, root)
    if not path.is_file():
        raise InputError(f"the source {path} does not exist", "correct `source` in the episode's settings")
    return path


def list_entries(source: str, root: Path, policy: FetchPolicy) -> tuple[Entry, ...]:
    """Return the entries of a feed (oldest first) or playlist (in its order), from a file or an http(s) URL.

    InputError where it is neither, or cannot be fetched.
    """
    local = find_source_file(source, root)
    if local is not None:
        return parse_feed(read_limited(local, MAX_FEED_BYTES, "the feed"), local.as_uri())
    fetched = fetch_document(source, policy=policy, max_bytes=MAX_FEED_BYTES)
    if fetched is not None and is_feed(fetched.content):
        return parse_feed(fetched.content, source)
    return list_playlist(source, policy)


def resolve_entry(source: str, entry: str | None, root: Path, policy: FetchPolicy) -> Entry:
    """Return the entry of a feed or playlist, or the source itself where `entry` is None.

    InputError where the source has no such entry, or the entry is not an http(s) URL: a feed must not name local files.
    """
    if entry is None:
        return Entry(source, Metadata())
    resolved = find_entry(list_entries(source, root, policy), entry, redact_url(source))
    if not is_url(resolved.source) or find_source_file(resolved.source, root) is not None:
        raise InputError(
            f"{redact_url(source)} leads to {resolved.source}, which is not an http(s) URL",
            "choose another entry, or name the audio itself as `source`",
        )
    return resolved


def download_audio(
    source: str,
    folder: Path,
    *,
    root: Path,
    entry: str | None = None,
    known_entry: str | None = None,
    duration: float | None = None,
    whole: bool = False,
    policy: FetchPolicy | None = None,
    offline: bool = False,
    on_progress: Progress,
    warn: Callable[[str], object] = lambda message: None,  # noqa: ARG005
) -> Audio:
    """Fetch audio into `folder` as `audio.<suffix>`, with `audio.json` next to it.

    Args:
        source: a file relative to `root`, or the URL of a media file, a media page, a feed or a playlist.
        folder: where the audio goes; it is unchanged after a failure, except for partial files.
        root: the project's folder.
        entry: the guid, number or title of an entry where `source` is a feed or playlist.
        known_entry: the guid of the entry that an earlier fetch found under this `entry`; no other one is fetched.
        duration: how many seconds the episode has, as a person wrote them; checked.
        whole: the audio is whole, whatever duration its header or its publisher states.
        policy: limits, credentials and retries.
        offline: fail instead of using the network.
        on_progress: called with the bytes fetched and the bytes in all.
        warn: called where the audio is shorter than its publisher states.

    Returns:
        The audio, of which every packet was decoded.

    Raises:
        InputError: the source cannot be fetched, holds no audio, or its audio is damaged or cut off.
    """
    policy = dataclasses.replace(policy or FetchPolicy(), user_url=source)
    local = find_source_file(source, root)
    if offline and (local is None or entry is not None):
        raise InputError(f"{redact_url(source)} is on the network", "run again without --offline")
    folder.mkdir(parents=True, exist_ok=True)
    if local is not None and entry is None:
        decoded = measure_audio(local)
        check_audio(local, decoded, duration, whole=whole)
        suffix = local.suffix.lower()
        return store_audio(local, folder, suffix, source, decoded.seconds, Metadata(), move=False)
    # The folder's name depends on the source, so that a part of one file is never continued with another.
    key = hashlib.sha256(f"{source}\n{entry or ''}".encode()).hexdigest()[:_NAME_DIGITS]
    partial = folder / f"partial-{key}"
    resolved = _resolve_same_entry(source, entry, known_entry, root, policy)
    fetched, metadata = _fetch_entry(resolved, partial, policy, on_progress, is_listed=entry is not None)
    try:
        decoded = _check_fetched(fetched, resolved, duration, metadata, warn, whole=whole)
    except InputError:
        # Else the next run would continue with these bytes.
        shutil.rmtree(partial, ignore_errors=True)
        raise
    audio = store_audio(fetched, folder, decoded.suffix, source, decoded.seconds, metadata, move=True)
    for leftover in folder.glob("partial-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    return audio


def _resolve_same_entry(source: str, entry: str | None, known: str | None, root: Path, policy: FetchPolicy) -> Entry:
    """Return the entry; InputError where a number or title names another one than before, as in a new season."""
    resolved = resolve_entry(source, entry, root, policy)
    guid = redact_url(resolved.metadata.entry or "")
    if known and guid and guid != known:
        raise InputError(
            f"{entry!r} of {redact_url(source)} was the entry {known} and is {guid} now",
            "name the guid of the right one as `entry` in the episode's settings",
        )
    return resolved


def _fetch_entry(
    resolved: Entry, partial: Path, policy: FetchPolicy, on_progress: Progress, *, is_listed: bool
) -> tuple[Path, Metadata]:
    """The fetched file, and the entry's metadata completed by that of the media page.

    `is_listed`: the entry comes from a feed or playlist.
    """
    try:
        fetched, info = fetch_media(resolved.source, partial, policy, on_progress)
    finally:
        if not any(part.stat().st_size for part in partial.glob("audio*")):
            shutil.rmtree(partial, ignore_errors=True)
    # For a bare file yt-dlp knows its name only, which adds nothing to the metadata of a feed's entry.
    is_bare = info.get("direct") and not resolved.has_page
    return fetched, resolved.metadata if is_bare and is_listed else _merge(resolved.metadata, metadata_of_media(info))


def _check_fetched(
    fetched: Path,
    resolved: Entry,
    duration: float | None,
    metadata: Metadata,
    warn: Callable[[str], object],
    *,
    whole: bool,
) -> DecodedAudio:
    """The decoded audio; InputError where it is damaged or cut off."""
    shown = redact_url(resolved.source)
    decoded = measure_audio(fetched, shown)
    check_audio(shown, decoded, duration, whole=whole)
    if duration is None and not whole:
        # A feed's duration is rounded, and moves with advertisements; a media page's is closer.
        from_feed = resolved.metadata.duration is not None
        warning = compare_with_publisher(shown, decoded, metadata.duration, from_feed=from_feed)
        if warning is not None:
            warn(warning)
    return decoded


def _merge(primary: Metadata, secondary: Metadata) -> Metadata:
    """The primary metadata, with its missing fields filled from the secondary."""
    names = [field.name for field in dataclasses.fields(Metadata)]
    return Metadata(**{name: getattr(primary, name) or getattr(secondary, name) for name in names})
