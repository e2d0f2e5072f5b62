"""Feature lists from files and URLs, and the revisions of a list that was fetched by URL."""

import codecs
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from pipeline.core.errors import InputError
from pipeline.core.identity import name_features, pair_entries
from pipeline.core.schema import Feature, FeatureList
from pipeline.core.storage import read_json, sha256_of, write_bytes, write_json
from pipeline.core.text import decode_declared
from pipeline.core.urls import is_url, redact_url
from pipeline.download.http import Fetched, fetch_document
from pipeline.download.retry import FetchPolicy
from pipeline.feature_lists.documents import SUFFIXES, TEXT_SUFFIXES
from pipeline.feature_lists.load import load_episodes, parse_episodes, pick_episode

# The file that names the revision fetched last, its URL and the server's validators (ETag, Last-Modified).
LATEST = "latest.json"

# How many hexadecimal digits of a revision's SHA-256 name its file.
_NAME_DIGITS = 12

# The least share of a list's entries that a later revision must have: with fewer, it is another page.
MIN_KEPT = 0.1

# The most characters of a page's first entry that an error quotes.
MAX_QUOTED = 60

# The suffix of a list by its declared media type.
_SUFFIX_BY_TYPE = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "text/markdown": ".md",
    "application/json": ".json",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
}


def read_lists(
    source: str, *, columns: Mapping[str, str] | None = None, policy: FetchPolicy | None = None
) -> tuple[FeatureList, ...]:
    """Return the lists of all episodes in a file or at an http(s) URL; `columns` maps a table's names to COLUMNS.

    InputError where the source cannot be read or fetched, or holds no feature.
    """
    if not is_url(source):
        return load_episodes(Path(source), columns=columns)
    fetched = fetch_document(source, policy=policy)
    if fetched is None:
        raise InputError(f"{redact_url(source)} answers 304 to an unconditional request", "check the URL")
    suffix = choose_suffix(source, fetched)
    try:
        return parse_episodes(_encode(fetched, suffix), suffix, columns=columns)
    except InputError as error:
        raise InputError(f"{redact_url(source)}: {error.problem}", error.advice) from error


def _encode(fetched: Fetched, suffix: str) -> bytes:
    """Return a document in UTF-8, with its mark, where the server declares another encoding: a file has no header."""
    text = decode_declared(fetched.content, fetched.charset) if fetched.charset and suffix != ".xlsx" else None
    marked = fetched.content.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if text is None or marked or fetched.charset == "utf-8":
        return fetched.content
    return codecs.BOM_UTF8 + text.encode()


def choose_suffix(url: str, fetched: Fetched) -> str:
    """Return the suffix of a list's format, from its content, its media type, or the name in its URL."""
    if fetched.content.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html")):
        return ".html"
    if fetched.content_type in _SUFFIX_BY_TYPE:
        return _SUFFIX_BY_TYPE[fetched.content_type]
    suffix = PurePosixPath(urlsplit(url).path).suffix.lower()
    return suffix if suffix in SUFFIXES - TEXT_SUFFIXES else ".txt"


def name_revision(sha256: str, suffix: str) -> str:
    """Return the file name of a list with this digest."""
    return f"{sha256[:_NAME_DIGITS]}{suffix.lower()}"


def save_revision(content: bytes, suffix: str, folder: Path) -> Path:
    """Return the file in `folder` that holds these bytes; it is written unless it is there already, undamaged."""
    path = folder / name_revision(hashlib.sha256(content).hexdigest(), suffix)
    if not _checksum_ok(path):
        write_bytes(path, content)
    return path


def _checksum_ok(path: Path) -> bool:
    """Return whether a revision's digest begins with the name of its file."""
    return path.is_file() and sha256_of(path)[:_NAME_DIGITS] == path.stem


def find_revision(url: str, folder: Path) -> Path | None:
    """Return the latest revision of the list at a URL; None where none was fetched, or it is damaged or missing."""
    latest = folder / LATEST
    try:
        record = read_json(latest) if latest.is_file() else {}
    except InputError:
        return None
    path = folder / Path(str(record.get("file"))).name
    return path if record.get("url_sha256") == _digest(url) and _checksum_ok(path) else None


@dataclass(frozen=True, slots=True)
class ListChoice:
    """Which list of a page to take, and whether any page will do.

    `columns` maps a table's names to ours, `episode` is the number of one of several lists; with `accept_any` a list is
    taken though it has nothing in common with the one before.
    """

    columns: Mapping[str, str] | None = None
    episode: str | None = None
    accept_any: bool = False


def refresh_revision(url: str, folder: Path, choice: ListChoice | None = None, *, allow_private: bool = False) -> Path:
    """Return the revision in `folder` of what is at a URL now; it is sent only if it changed.

    With `allow_private`, redirects into private networks are followed. InputError where the URL cannot be fetched, and
    where what it sends is no list or another page than before, such as a notice of maintenance or a form to sign in:
    the revision before stays in use.
    """
    # Without the file, its validators must not be sent: the server would answer "not modified".
    known = find_revision(url, folder)
    record = read_json(folder / LATEST) if known else {}
    policy = FetchPolicy(allow_private=allow_private, retries=2)
    fetched = fetch_document(url, etag=record.get("etag"), last_modified=record.get("last_modified"), policy=policy)
    if fetched is None:
        if known is None:
            raise InputError(f"{redact_url(url)} answers 304 to an unconditional request", "check the URL")
        return known
    suffix = choose_suffix(url, fetched)
    content = _encode(fetched, suffix)
    name = name_revision(hashlib.sha256(content).hexdigest(), suffix)
    if known is None or known.name != name:
        _check_page(url, content, suffix, known, choice or ListChoice())
    path = save_revision(content, suffix, folder)
    latest = {
        "url": redact_url(url),
        "url_sha256": _digest(url),
        "file": path.name,
        "etag": fetched.etag,
        "last_modified": fetched.last_modified,
    }
    # Last, so that the file it names is on disk.
    write_json(folder / LATEST, latest)
    return path


def _check_page(url: str, content: bytes, suffix: str, known: Path | None, choice: ListChoice) -> None:
    """Raise InputError where a document is no list, or has nothing in common with the revision before."""
    stays = "the list of before stays in use" if known else "no list is stored"
    try:
        lists = parse_episodes(content, suffix, columns=choice.columns)
        now = pick_episode(lists, choice.episode, redact_url(url)).features if choice.episode else _join(lists)
    except InputError as error:
        raise InputError(f"{redact_url(url)} sends no feature list ({error}); {stays}", "check the URL") from error
    if known is None or choice.accept_any:
        return
    try:
        lists = load_episodes(known, columns=choice.columns)
        before = pick_episode(lists, choice.episode, known).features if choice.episode else _join(lists)
    except InputError:
        return  # with other settings it was a list: there is nothing to compare with
    kept = len(pair_entries(name_features(before), name_features(now)))
    if kept < MIN_KEPT * len(before):
        raise InputError(
            f"{redact_url(url)} sends another page: of {len(before)} entries before it has {kept}, and begins with "
            f"{now[0].title[:MAX_QUOTED]!r}; {stays}",
            "if that page is right, run with --refresh --accept-lists",
        )


def _join(lists: Sequence[FeatureList]) -> tuple[Feature, ...]:
    return tuple(feature for features in lists for feature in features.features)


def _digest(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()
