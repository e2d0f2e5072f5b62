"""Bring an episode's audio to `data/raw/<id>/`, checked: from a file, an address, a feed or a playlist."""

import dataclasses
import hashlib
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.core.config import DownloadConfig
from pipeline.core.errors import InputError
from pipeline.core.project import resolve_path
from pipeline.core.storage import atomic_write, read_limited, sha256_of, write_json
from pipeline.core.urls import is_url, redact_url
from pipeline.download.feeds import Entry, find_entry, is_feed, parse_feed
from pipeline.download.http import fetch_document
from pipeline.download.integrity import Sound, check_audio, measure_audio
from pipeline.download.metadata import Metadata, metadata_of_media
from pipeline.download.record import AUDIO_RECORD, Audio, keep_previous_version, read_audio
from pipeline.download.retry import FetchPolicy
from pipeline.download.ytdlp import fetch_media, list_playlist
from pipeline.download.ytdlp_limits import Progress

MAX_FEED_BYTES = 64 << 20


def make_fetch_policy(settings: DownloadConfig, root: Path) -> FetchPolicy:
    """Return what a project's settings let a fetch do."""
    return FetchPolicy(
        allow_private=settings.allow_private_addresses,
        max_bytes=settings.max_megabytes << 20,
        max_seconds=settings.max_minutes * 60,
        retries=settings.retries,
        cookies=resolve_path(settings.cookies, root) if settings.cookies else None,
    )


def find_source_file(source: str, root: Path) -> Path | None:
    """Return the file that a source names, None for an http(s) address; InputError where it is neither."""
    if is_url(source):
        if urlsplit(source).scheme.lower() not in {"http", "https"}:
            raise InputError(
                f"the source {redact_url(source)} is neither a file nor an http(s) address",
                "correct `source` in the episode's settings",
            )
        return None
    path = resolve_path(source, root)
    if not path.is_file():
        raise InputError(f"the source {path} is not there", "correct `source` in the episode's settings")
    return path


def list_entries(source: str, root: Path, policy: FetchPolicy) -> tuple[Entry, ...]:
    """Return the entries of a feed (oldest first) or playlist (in its order): a file, or an http(s) address.

    InputError where it is neither, or cannot be had.
    """
    local = find_source_file(source, root)
    if local is not None:
        return parse_feed(read_limited(local, MAX_FEED_BYTES, "the feed"), local.as_uri())
    fetched = fetch_document(source, policy=policy, max_bytes=MAX_FEED_BYTES)
    if fetched is not None and is_feed(fetched.content):
        return parse_feed(fetched.content, source)
    return list_playlist(source, policy)


def resolve_entry(source: str, entry: str | None, root: Path, policy: FetchPolicy) -> Entry:
    """Return where the audio that is meant lies, and what its feed says of it; without `entry` the source itself.

    InputError where the source has no such entry, or it lies in a file of this machine.
    """
    if entry is None:
        return Entry(source, Metadata())
    found = find_entry(list_entries(source, root, policy), entry, redact_url(source))
    if not is_url(found.source) or find_source_file(found.source, root) is not None:
        raise InputError(f"{redact_url(source)} leads to {found.source}, which is no http(s) address")
    return found


def download_audio(
    source: str,
    folder: Path,
    *,
    root: Path,
    entry: str | None = None,
    duration: float | None = None,
    policy: FetchPolicy | None = None,
    offline: bool = False,
    on_progress: Progress,
) -> Audio:
    """Return the audio, now in `folder` as `audio.<ext>` with `audio.json` beside it.

    `entry` names one of a feed or playlist, `duration` (seconds) is how long the episode should be. InputError where
    the source cannot be had, holds no audio, or is not whole; what `folder` held before then stays as it was.
    """
    policy = dataclasses.replace(policy or FetchPolicy(), user_url=source)
    local = find_source_file(source, root)
    if offline and (local is None or entry is not None):
        raise InputError(f"{redact_url(source)} is on the network, and --offline forbids fetching it")
    folder.mkdir(parents=True, exist_ok=True)
    if local is not None and entry is None:
        sound = measure_audio(local)
        check_audio(local, sound, duration)
        path = folder / f"audio{local.suffix.lower()}"
        return _keep(local, path, source, sound, Metadata(), move=False)
    # Named after its source, so that a part of one file is never gone on with as another.
    key = hashlib.sha256(f"{source}\n{entry or ''}".encode()).hexdigest()[:12]
    partial = folder / f"partial-{key}"
    meant = resolve_entry(source, entry, root, policy)
    try:
        fetched, info = fetch_media(meant.source, partial, policy, on_progress)
    finally:
        if not any(part.stat().st_size for part in partial.glob("audio*")):
            shutil.rmtree(partial, ignore_errors=True)
    # Of a bare file nothing is known but its name, which adds nothing to what a feed says.
    bare = info.get("direct") and not meant.has_page and entry is not None
    metadata = meant.metadata if bare else _merge(meant.metadata, metadata_of_media(info))
    try:
        sound = measure_audio(fetched, redact_url(meant.source))
        # What a feed states is a person's round number, and moves with advertisements; a page's own is exact.
        stated_by_feed = duration is None and meant.metadata.duration is not None
        check_audio(
            redact_url(meant.source),
            sound,
            duration or metadata.duration,
            roughly=entry is not None and stated_by_feed,
        )
    except InputError:
        # It is not what was promised: going on with it would keep it so.
        shutil.rmtree(partial, ignore_errors=True)
        raise
    audio = _keep(fetched, folder / f"audio{sound.suffix}", source, sound, metadata, move=True)
    for left in folder.glob("partial-*"):
        shutil.rmtree(left, ignore_errors=True)
    return audio


def _keep(fetched: Path, path: Path, source: str, sound: Sound, metadata: Metadata, *, move: bool) -> Audio:
    """Put checked audio into its place, with what is known of it; the rendition it takes the place of is kept."""
    folder, record = path.parent, path.parent / AUDIO_RECORD
    audio = Audio(path, sha256_of(fetched), round(sound.seconds, 3), source)
    before = _read_before(folder)
    # Where the file is not what its record says, one of them was harmed: this is no rendition that was in use.
    if before is not None and before.sha256 != audio.sha256 and _is_whole(before):
        keep_previous_version(before.path, record, before.sha256)
    if move:
        os.replace(fetched, path)
    else:
        _link(fetched, path)
    facts = {"file": path.name, "sha256": audio.sha256, "duration": audio.duration, "source": redact_url(source)}
    fetched_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    write_json(record, {**facts, "fetched": fetched_at, **metadata.to_json()})
    for old in folder.glob("audio.*"):
        if old.name not in {path.name, AUDIO_RECORD}:
            old.unlink()
    return audio


def _read_before(folder: Path) -> Audio | None:
    """The audio that the folder holds, if its record can be read."""
    try:
        return read_audio(folder) if (folder / AUDIO_RECORD).is_file() else None
    except InputError:
        return None


def _is_whole(audio: Audio) -> bool:
    return audio.path.is_file() and sha256_of(audio.path) == audio.sha256


def _merge(said: Metadata, found: Metadata) -> Metadata:
    """What a feed says, filled up with what the page of the media says."""
    names = [field.name for field in dataclasses.fields(Metadata)]
    return Metadata(**{name: getattr(said, name) or getattr(found, name) for name in names})


def _link(source: Path, target: Path) -> None:
    """Make `target` the same file as `source` where the file system can, else a copy of it."""
    if target.exists() and target.samefile(source):
        return
    with atomic_write(target) as temporary:
        temporary.unlink()
        try:
            os.link(source, temporary)
        except OSError:
            shutil.copyfile(source, temporary)
