"""Fetch one document over HTTP: limits on time, size and redirects, retries, and conditional requests."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

from pipeline.core.errors import InputError
from pipeline.core.urls import is_web_url, redact_url
from pipeline.core.version import __version__
from pipeline.download.retry import (
    TRANSIENT_STATUSES,
    FetchPolicy,
    TransientError,
    parse_retry_after,
    retry_transient,
)
from pipeline.download.ssrf_guard import guard_connections

# Bytes; a page of 1,000 features is below 1 MB.
MAX_BYTES = 16 << 20

# Redirects in a row.
MAX_REDIRECTS = 5

# Seconds for a document: connections, headers, body and redirects of all attempts, and the pauses between these.
MAX_SECONDS = 60.0

# Seconds to connect.
CONNECT_TIMEOUT_S = 10.0

# Longest wait for the next bytes, in seconds.
READ_TIMEOUT_S = 20.0

# The HTTP status of a part of a document.
_PARTIAL_CONTENT = 206

# Bytes to read at once.
_CHUNK_BYTES = 1 << 16

# Media types, best first: servers that offer several send a page or a feed.
_ACCEPT = "text/html, text/*, application/rss+xml, application/json, */*;q=0.5"


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document: its bytes, its media type, the server's validators of this revision, and the encoding it declares."""

    content: bytes
    content_type: str
    etag: str | None
    last_modified: str | None
    charset: str = ""


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
    if not is_web_url(url):
        raise InputError(f"{shown} is not an http(s) URL", "give one, or a file")
    headers = {"User-Agent": f"episode-catalog/{__version__}", "Accept": _ACCEPT}
    if etag:
        headers["If-None-Match"] = etag
    if last_modified:
        headers["If-Modified-Since"] = last_modified
    policy = policy or FetchPolicy(retries=2)
    deadline = time.monotonic() + MAX_SECONDS
    return retry_transient(lambda: _request(url, headers, policy, max_bytes, deadline), policy, max_seconds=MAX_SECONDS)


def _request(url: str, headers: dict[str, str], policy: FetchPolicy, max_bytes: int, deadline: float) -> Fetched | None:
    """One attempt; TransientError where another may succeed before the deadline, a time of the monotonic clock."""
    import requests
    from urllib3.exceptions import HTTPError

    shown = redact_url(url)
    late = InputError(f"{shown} takes longer than {MAX_SECONDS:.0f} s", "try again later")
    with guard_connections(url, policy, deadline - time.monotonic(), late), _make_session(url) as session:
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
        # A host that no URL can have, also in a redirect, is an error of urllib3 or of Python itself.
        except (requests.RequestException, HTTPError, ValueError) as error:
            raise InputError(f"{shown} cannot be fetched ({type(error).__name__})", "check the URL") from error
    content_type = received.get("Content-Type", "").partition(";")[0].strip().lower()
    declared = EmailMessage()
    declared["Content-Type"] = received.get("Content-Type", "")
    charset = declared.get_content_charset("")
    return Fetched(content, content_type, received.get("ETag"), received.get("Last-Modified"), charset)


def _make_session(url: str) -> Any:
    """Return a session that sends the user and password of the URL, and none that a `.netrc` has for the host."""
    import requests
    from requests.auth import HTTPBasicAuth
    from requests.utils import get_auth_from_url

    class Session(requests.Session):
        def rebuild_auth(self, prepared_request: Any, response: Any) -> None:
            """Send no credentials to another host; the base class would look into `.netrc` at each redirect."""
            if self.should_strip_auth(response.request.url, prepared_request.url):  # type: ignore[no-untyped-call]
                prepared_request.headers.pop("Authorization", None)

    session = Session()
    user, password = get_auth_from_url(url)
    # With any value here, requests does not look into `.netrc`.
    session.auth = HTTPBasicAuth(user, password) if user or password else _send_no_credentials
    return session


def _send_no_credentials(request: Any) -> Any:
    return request


def _check_status(shown: str, response: Any) -> None:
    """Raise the error that a status other than success means."""
    # A part of a page that nobody asked a part of would pass for the whole: entries would seem to be removed.
    if response.ok and response.status_code != _PARTIAL_CONTENT:
        return
    problem = f"{shown} answers {response.status_code} {response.reason}"
    if response.status_code in TRANSIENT_STATUSES:
        retry_after = parse_retry_after(response.headers.get("Retry-After"))
        raise TransientError(problem, "try again later", retry_after=retry_after)
    raise InputError(problem, "check the URL")


def _read_body(shown: str, chunks: Iterable[bytes], max_bytes: int) -> bytes:
    content = bytearray()
    for chunk in chunks:
        content += chunk
        if len(content) > max_bytes:
            raise InputError(f"{shown} is larger than {max_bytes >> 20} MB", "check that the URL is the right one")
    if not content.strip():
        raise InputError(f"{shown} is empty", "check the URL")
    return bytes(content)
