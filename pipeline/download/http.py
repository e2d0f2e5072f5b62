"""Fetch one document over HTTP: limits on time, size and redirects, retries, and conditional requests."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pipeline.core.errors import InputError
from pipeline.core.urls import redact_url
from pipeline.core.version import __version__
from pipeline.download.retry import (
    TRANSIENT_STATUSES,
    FetchPolicy,
    TransientError,
    parse_retry_after,
    retry_transient,
)
from pipeline.download.ssrf_guard import block_private_addresses

# Bytes; a page of 1,000 features is below 1 MB.
MAX_BYTES = 16 << 20

# Redirects in a row.
MAX_REDIRECTS = 5

# Seconds for one attempt's body.
MAX_SECONDS = 60.0

# Seconds to connect.
CONNECT_TIMEOUT_S = 10.0

# Longest wait for the next bytes, in seconds.
READ_TIMEOUT_S = 20.0

# Bytes to read at once.
_CHUNK_BYTES = 1 << 16

# Media types, best first: servers that offer several send a page or a feed.
_ACCEPT = "text/html, text/*, application/rss+xml, application/json, */*;q=0.5"


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document: its bytes, its media type without parameters, and the server's validators of this revision."""

    content: bytes
    content_type: str
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
    """Return the document at an http(s) URL; None where the server answers 304 to `etag` and `last_modified`.

    InputError names the URL and the failure: no response, an error status, an empty, too large or too slow document.
    """
    shown = redact_url(url)
    if urlsplit(url).scheme.lower() not in {"http", "https"}:
        raise InputError(f"{shown} is not an http(s) URL", "give one, or a file")
    headers = {"User-Agent": f"episode-catalog/{__version__}", "Accept": _ACCEPT}
    if etag:
        headers["If-None-Match"] = etag
    if last_modified:
        headers["If-Modified-Since"] = last_modified
    policy = policy or FetchPolicy(retries=2)
    return retry_transient(lambda: _request(url, headers, policy, max_bytes), policy)


def _request(url: str, headers: dict[str, str], policy: FetchPolicy, max_bytes: int) -> Fetched | None:
    """One attempt; TransientError where another may succeed."""
    import requests

    shown = redact_url(url)
    with block_private_addresses(url, policy), requests.Session() as session:
        session.max_redirects = MAX_REDIRECTS
        timeouts = (CONNECT_TIMEOUT_S, READ_TIMEOUT_S)
        try:
            with session.get(url, headers=headers, timeout=timeouts, stream=True) as response:
                if response.status_code == requests.codes.not_modified:
                    return None
                _check_status(shown, response)
                content = _read_body(shown, response.iter_content(_CHUNK_BYTES), max_bytes)
                received = response.headers
        except requests.TooManyRedirects:
            raise InputError(f"{shown} redirects more than {MAX_REDIRECTS} times", "give the final URL") from None
        except requests.Timeout:
            raise TransientError(f"{shown} does not answer in time", "try again later") from None
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            # An unknown host or a refused connection may be a network that is down for a moment.
            raise TransientError(f"{shown} cannot be fetched ({type(error).__name__})", "check the URL") from error
        except (requests.RequestException, UnicodeError) as error:
            raise InputError(f"{shown} cannot be fetched ({type(error).__name__})", "check the URL") from error
    content_type = received.get("Content-Type", "").partition(";")[0].strip().lower()
    return Fetched(content, content_type, received.get("ETag"), received.get("Last-Modified"))


def _check_status(shown: str, response: Any) -> None:
    """Raise the error that a status other than success means."""
    if response.ok:
        return
    problem = f"{shown} answers {response.status_code} {response.reason}"
    if response.status_code in TRANSIENT_STATUSES:
        retry_after = parse_retry_after(response.headers.get("Retry-After"))
        raise TransientError(problem, "try again later", retry_after=retry_after)
    raise InputError(problem, "check the URL")


def _read_body(shown: str, chunks: Iterable[bytes], max_bytes: int) -> bytes:
    content, began = bytearray(), time.monotonic()
    for chunk in chunks:
        content += chunk
        if len(content) > max_bytes:
            raise InputError(f"{shown} is larger than {max_bytes >> 20} MB", "check that the URL is the right one")
        if time.monotonic() - began > MAX_SECONDS:
            raise InputError(f"{shown} takes longer than {MAX_SECONDS:.0f} s", "try again later")
    if not content.strip():
        raise InputError(f"{shown} is empty", "check the URL")
    return bytes(content)
