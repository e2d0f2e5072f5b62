"""Fetch media through yt-dlp: the description of a page, the entries of a playlist, and the audio itself.

yt-dlp runs with the options of this module only: the user's configuration, plugins, cache and ffmpeg change nothing.
"""

import io
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.core.errors import InputError
from pipeline.core.urls import redact_url
from pipeline.download.feeds import Entry
from pipeline.download.metadata import metadata_of_media
from pipeline.download.retry import TRANSIENT_STATUSES, FetchPolicy, TransientError, retry_transient
from pipeline.download.ssrf_guard import guard_connections
from pipeline.download.ytdlp_errors import explain_failure
from pipeline.download.ytdlp_limits import (
    BoundedBody,
    Progress,
    guard_resume,
    limit_responses,
    make_progress_hook,
    too_slow_error,
)

# yt-dlp's format selector: audio alone where there is any, else the smallest picture that comes with good sound.
FORMAT = "bestaudio/best[height<=?480]/best/bestaudio*"

# Bytes of a web page, or of the playlist of a stream.
MAX_PAGE_BYTES = 64 << 20

# Seconds without a byte.
SOCKET_TIMEOUT_S = 30

# The suffixes of files in a folder of partial files that are not the finished audio.
UNFINISHED = {".part", ".ytdl", ".json"}

# yt-dlp's options, the same for each use.
_OPTIONS: dict[str, Any] = {
    "format": FORMAT,
    # Sites mark dubs as less preferred than the original language: that comes before sound quality.
    "format_sort": ["lang"],
    "noplaylist": True,
    "skip_unavailable_fragments": False,
    # `pipeline.download.retry` alone decides how often and how long to wait, for every kind of failure.
    "retries": 0,
    "fragment_retries": 0,
    "extractor_retries": 0,
    "external_downloader": {"default": "native"},
    "ffmpeg_location": "/nonexistent/ffmpeg",
    "fixup": "never",
    "postprocessors": [],
    "js_runtimes": {"deno": {}, "node": {}, "bun": {}, "quickjs": {}},
    "cachedir": False,
    "updatetime": False,
    "noprogress": True,
    "socket_timeout": SOCKET_TIMEOUT_S,
    "color": {"stdout": "no_color", "stderr": "no_color"},
}


def describe_media(url: str, policy: FetchPolicy) -> dict[str, Any]:
    """Return yt-dlp's description of the media at a URL, without fetching it.

    InputError where the URL is not of exactly one recording.
    """
    return retry_transient(lambda: _describe(url, policy), policy)


def list_playlist(url: str, policy: FetchPolicy) -> tuple[Entry, ...]:
    """Return the entries of a playlist in its order; InputError where the URL is not a playlist."""

    def attempt() -> tuple[Entry, ...]:
        # The URL of a video may name a playlist as well: here the playlist is used.
        with _open(url, policy, {"extract_flat": "in_playlist", "noplaylist": False}) as fetcher:
            info = fetcher.extract_info(url, download=False)
        if info.get("_type") != "playlist":
            raise InputError(f"{redact_url(url)} is one recording, not a feed or playlist", "leave out `entry`")
        return tuple(_read_entry(entry, info) for entry in info.get("entries") or [] if entry)

    return retry_transient(attempt, policy)


def _read_entry(info: Mapping[str, Any], listed: Mapping[str, Any]) -> Entry:
    url = str(info.get("webpage_url") or info.get("url") or "")
    if url == listed.get("webpage_url"):
        # Several players on one page share its URL: use that of each one's media.
        url = str(info.get("url") or (info.get("formats") or [{}])[-1].get("url") or url)
    metadata = metadata_of_media({**info, "webpage_url": url})
    return Entry(url, replace(metadata, entry=metadata.media_id))


def fetch_media(url: str, folder: Path, policy: FetchPolicy, on_progress: Progress) -> tuple[Path, dict[str, Any]]:
    """Fetch the audio at a URL into `folder`; return its file and yt-dlp's description of it.

    A partial file of an earlier fetch is continued if the server still has the same revision. InputError names the
    failure and what to do about it.
    """
    deadline = time.monotonic() + policy.max_seconds
    folder.mkdir(parents=True, exist_ok=True)

    def attempt() -> dict[str, Any]:
        if time.monotonic() > deadline:
            raise too_slow_error(url, policy)
        info = _describe(url, policy)
        if is_live(info):
            raise InputError(f"{redact_url(url)} is broadcast live", "run again when it has ended")
        hook = make_progress_hook(url, folder, policy, deadline, on_progress)
        # No title from the page gets into the file name; a % in the folder's name is escaped.
        template = {"default": f"{folder}/audio.".replace("%", "%%") + "%(ext)s"}
        options = {"progress_hooks": [hook], "outtmpl": template}
        with _open(url, policy, options, max_bytes=policy.max_bytes, deadline=deadline, described=True) as fetcher:
            guard_resume(fetcher, info, folder)
            fetched: dict[str, Any] = fetcher.process_ie_result(info, download=True)
        return fetched

    info = retry_transient(attempt, policy, progress=lambda: _bytes_in(folder))
    files = [file for file in folder.glob("audio.*") if file.suffix not in UNFINISHED]
    if not files:
        raise InputError(f"{redact_url(url)} gave no audio", "check the URL in a browser")
    return files[0], info


def _describe(url: str, policy: FetchPolicy) -> dict[str, Any]:
    with _open(url, policy, {"extract_flat": "in_playlist", "playlistend": 2}) as fetcher:
        info: dict[str, Any] = fetcher.extract_info(url, download=False)
    if info.get("_type", "video") not in {"playlist", "multi_video"}:
        return info
    entries = [entry for entry in info.get("entries") or [] if entry]
    own = entries[0].get("webpage_url") or entries[0].get("url") if len(entries) == 1 else None
    if own and own != url:
        return _describe(own, policy)
    if own and "formats" in entries[0]:
        return dict(entries[0])
    if not entries:
        raise InputError(f"{redact_url(url)} is an empty playlist", "check the URL in a browser")
    raise InputError(
        f"{redact_url(url)} is a feed or playlist", "name the episode with `entry` (its number, title or guid)"
    )


@contextmanager
def _open(
    url: str,
    policy: FetchPolicy,
    options: Mapping[str, Any],
    *,
    max_bytes: int = MAX_PAGE_BYTES,
    deadline: float | None = None,
    described: bool = False,
) -> Iterator[Any]:
    """Yield a yt-dlp with the options and limits of this module; its errors become InputErrors.

    `max_bytes` limits each response, `deadline` (monotonic clock) all of them. Where the media is `described` already,
    yt-dlp does not load its 1,700 extractors, which saves a tenth of a second.
    """
    import yt_dlp
    from yt_dlp.globals import plugin_dirs

    plugin_dirs.value = []
    log = _LogCapture()
    # yt-dlp rewrites its cookie file when it closes: it gets a copy in memory.
    cookies = {"cookiefile": io.StringIO(_read_cookies(policy.cookies))} if policy.cookies else {}
    until = time.monotonic() + policy.max_seconds if deadline is None else deadline
    with guard_connections(url, policy, until - time.monotonic(), too_slow_error(url, policy)):
        try:
            settings = {**_OPTIONS, **cookies, "logger": log, **options}
            with yt_dlp.YoutubeDL(settings, auto_init=not described) as fetcher:
                limit_responses(
                    fetcher, lambda body: BoundedBody(body, url, policy, max_bytes, until), log.keep_retry_after
                )
                yield fetcher
        except yt_dlp.utils.YoutubeDLError as error:
            _close_files(error)
            raise _translate(url, error, log) from error
        except BaseException as error:
            _close_files(error)
            raise


class _LogCapture:
    """Receives yt-dlp's log: keeps warnings, which may explain an error; the errors themselves are exceptions."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.retry_after: float | None = None

    def keep_retry_after(self, seconds: float | None) -> None:
        """Keep the Retry-After of the last response."""
        self.retry_after = seconds

    def debug(self, message: str) -> None:
        """Ignore it."""

    info = error = debug

    def warning(self, message: str) -> None:
        """Keep it."""
        self.warnings.append(message)


def _translate(url: str, error: Exception, log: _LogCapture) -> InputError:
    """The InputError for an error of yt-dlp; a TransientError where a retry may succeed."""
    causes = list(_iterate_causes(error))
    failure = explain_failure(redact_url(url), "\n".join(str(cause) for cause in causes), " ".join(log.warnings))
    statuses = {cause.status for cause in causes if getattr(cause, "status", None)}
    if statuses & TRANSIENT_STATUSES or (not statuses and failure.transient):
        return TransientError(failure.problem, failure.advice, retry_after=log.retry_after)
    return InputError(failure.problem, failure.advice)


def _close_files(error: BaseException) -> None:
    """Close the files that yt-dlp left open when it failed: it locked them, and a retry opens them again."""
    for cause in _iterate_causes(error):
        traceback.clear_frames(cause.__traceback__)


def _iterate_causes(error: BaseException | None) -> Iterator[Any]:
    """An error of yt-dlp and its causes, from the four places where yt-dlp and Python keep them."""
    seen: list[BaseException] = []
    queue = [error]
    while queue:
        cause = queue.pop(0)
        if isinstance(cause, BaseException) and cause not in seen:
            seen.append(cause)
            yield cause
            exc_info = getattr(cause, "exc_info", None) or (None, None, None)
            queue += [exc_info[1], getattr(cause, "cause", None), cause.__cause__, cause.__context__]


def is_live(info: Mapping[str, Any]) -> bool:
    """Return whether media is a broadcast that has not ended, or whose recording is not ready."""
    return bool(info.get("is_live")) or info.get("live_status") in {"is_live", "is_upcoming", "post_live"}


def _bytes_in(folder: Path) -> float:
    return float(sum(path.stat().st_size for path in folder.glob("audio*") if path.is_file()))


def _read_cookies(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise InputError(
            f"the cookie file {path} cannot be read", "correct `cookies` under `download:` in show.yaml"
        ) from None
    if "\t" not in text:
        raise InputError(f"the cookie file {path} is not in Netscape's format", "export it as cookies.txt")
    return text
