"""Read a feature list in any shape a page comes in, merge its highlights, and say what looks odd, by line."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from pipeline.core.errors import InputError
from pipeline.core.schema import FeatureList
from pipeline.core.storage import read_json, sha256_of, write_bytes, write_json
from pipeline.core.urls import is_url, redact_url
from pipeline.download.http import fetch_document
from pipeline.download.retry import FetchPolicy
from pipeline.feature_lists.load import load_episodes, parse_episodes


def read_lists(
    source: str, *, columns: Mapping[str, str] | None = None, policy: FetchPolicy | None = None
) -> tuple[FeatureList, ...]:
    """Return the lists of all episodes in a file or at an http(s) address; `columns` maps a table's names to ours.

    InputError where it cannot be had, or holds no feature.
    """
    if not is_url(source):
        return load_episodes(Path(source), columns=columns)
    fetched = fetch_document(source, policy=policy)
    if fetched is None:
        raise InputError(f"{redact_url(source)} answers that nothing changed, though it was never asked before")
    try:
        return parse_episodes(fetched.content, fetched.suffix, columns=columns)
    except InputError as error:
        raise InputError(f"{redact_url(source)}: {error}") from error


LATEST = "latest.json"  # which revision an address gave last, and the server's marks of it


def name_revision(sha256: str, suffix: str) -> str:
    """Return the name of the file that keeps a list of this digest."""
    return f"{sha256[:12]}{suffix.lower()}"


def save_revision(content: bytes, suffix: str, folder: Path) -> Path:
    """Return the file in `folder` that holds these bytes, written unless it is there already and whole."""
    path = folder / name_revision(hashlib.sha256(content).hexdigest(), suffix)
    if not _is_whole(path):
        write_bytes(path, content)
    return path


def _is_whole(path: Path) -> bool:
    """Whether a revision is there, and what it was written as: its name is the beginning of its digest."""
    return path.is_file() and sha256_of(path)[:12] == path.stem


def find_revision(url: str, folder: Path) -> Path | None:
    """Return the file that an address gave last; None where it must be fetched: not yet, from elsewhere, or damaged."""
    latest = folder / LATEST
    try:
        record = read_json(latest) if latest.is_file() else {}
    except InputError:
        return None
    path = folder / Path(str(record.get("file"))).name
    return path if record.get("url_sha256") == _digest(url) and _is_whole(path) else None


def refresh_revision(url: str, folder: Path, *, allow_private: bool = False) -> Path:
    """Return the file in `folder` with what is at an address now; the server is asked only for what is new.

    InputError where it cannot be had; with `allow_private`, redirects into private networks are followed.
    """
    # Asked with the marks of a file that is gone, a server would answer "not modified".
    known = find_revision(url, folder)
    record = read_json(folder / LATEST) if known else {}
    policy = FetchPolicy(allow_private=allow_private, retries=2)
    fetched = fetch_document(url, etag=record.get("etag"), last_modified=record.get("last_modified"), policy=policy)
    if fetched is None:
        if known is None:
            raise InputError(f"{redact_url(url)} answers 304 though we hold no revision of it: check the address")
        return known
    path = save_revision(fetched.content, fetched.suffix, folder)
    latest = {
        "url": redact_url(url),
        "url_sha256": _digest(url),
        "file": path.name,
        "etag": fetched.etag,
        "last_modified": fetched.last_modified,
    }
    # After the file itself: what it names is there.
    write_json(folder / LATEST, latest)
    return path


def _digest(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()
