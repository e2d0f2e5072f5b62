"""Fetch a document (a feature list, a feed) from an address: limits on time, size, redirects; only what is new."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from pipeline.core.errors import InputError
from pipeline.core.urls import redact_url
from pipeline.core.version import __version__
from pipeline.download.retry import TRANSIENT_STATUSES, FetchPolicy, TransientError, parse_retry_after, retry_transient
from pipeline.download.ssrf_guard import block_private_addresses
from pipeline.feature_lists.documents import SUFFIXES, TEXT_SUFFIXES

MAX_BYTES = 16 << 20
MAX_REDIRECTS = 5
MAX_SECONDS = 60.0
_TIMEOUTS = (10.0, 20.0)  # seconds to connect, and between two pieces of the answer
_ENDINGS = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "text/markdown": ".md",
    "application/json": ".json",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
}


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document as it came: its bytes, the ending that fits them, and the server's marks of this revision."""

    content: bytes
    suffix: str
    etag: str | None
    last_modified: str | None


def fetch_document(
    url: str,
    *,
    etag: str | None = None,
    last_modified: str | None = None,
    policy: FetchPolicy | None = None,
    max_bytes: int = MAX_BYTES,
) -> Fetched | None:
    """Return what is at an http(s) address; None where the server says it is still the revision of these marks.

    InputError names the address and what went wrong: no answer, an error, too large, too slow, no document.
    """
    shown = redact_url(url)
    if urlsplit(url).scheme.lower() not in {"http", "https"}:
        raise InputError(f"{shown} is not an http(s) address")
    headers = {
        "User-Agent": f"episode-catalog/{__version__}",
        "Accept": "text/html, text/*, application/rss+xml, application/json, */*;q=0.5",
    }
    if etag:
        headers["If-None-Match"] = etag
    if last_modified:
        headers["If-Modified-Since"] = last_modified
    policy = policy or FetchPolicy(retries=2)
    return retry_transient(lambda: _ask(url, headers, policy, max_bytes), policy)


def _ask(url: str, headers: dict[str, str], policy: FetchPolicy, max_bytes: int) -> Fetched | None:
    """One attempt; TransientError where another may do better."""
    import requests

    shown = redact_url(url)
    with block_private_addresses(url, policy), requests.Session() as session:
        session.max_redirects = MAX_REDIRECTS
        try:
            with session.get(url, headers=headers, timeout=_TIMEOUTS, stream=True) as response:
                if response.status_code == requests.codes.not_modified:
                    return None
                _check_answer(shown, response)
                content = _read_body(shown, response.iter_content(1 << 16), max_bytes)
                kind = response.headers.get("Content-Type", "").split(";")[0].strip().lower()
                marks = response.headers.get("ETag"), response.headers.get("Last-Modified")
        except requests.TooManyRedirects:
            raise InputError(f"{shown} redirects more than {MAX_REDIRECTS} times: give the final address") from None
        except requests.Timeout:
            raise TransientError(f"{shown} does not answer in time: try again later") from None
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            # Without a server of that name, or one that answers there, the line may be down for a moment.
            raise TransientError(f"{shown} cannot be fetched ({type(error).__name__}): check the address") from error
        except (requests.RequestException, UnicodeError) as error:
            raise InputError(f"{shown} cannot be fetched ({type(error).__name__}): check the address") from error
    return Fetched(content, _find_suffix(url, kind, content), *marks)


def _check_answer(shown: str, response: Any) -> None:
    """Raise what an answer other than success means."""
    if response.ok:
        return
    message = f"{shown} answers {response.status_code} {response.reason}: check the address"
    if response.status_code in TRANSIENT_STATUSES:
        raise TransientError(
            message.replace("check the address", "try again later"),
            parse_retry_after(response.headers.get("Retry-After")),
        )
    raise InputError(message)


def _read_body(shown: str, pieces: Iterable[bytes], max_bytes: int) -> bytes:
    content, began = bytearray(), time.monotonic()
    for piece in pieces:
        content += piece
        if len(content) > max_bytes:
            raise InputError(f"{shown} is larger than {max_bytes >> 20} MB: this must be something else than a list")
        if time.monotonic() - began > MAX_SECONDS:
            raise InputError(f"{shown} takes longer than {MAX_SECONDS:.0f} s: try again later")
    if not content.strip():
        raise InputError(f"{shown} is empty: check the address")
    return bytes(content)


def _find_suffix(url: str, kind: str, content: bytes) -> str:
    """The ending that tells a document's format: by its content, its declared type, or its name."""
    if content.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html")):
        return ".html"
    named = PurePosixPath(urlsplit(url).path).suffix.lower()
    if kind in _ENDINGS:
        return _ENDINGS[kind]
    return named if named in SUFFIXES - TEXT_SUFFIXES else ".txt"
