"""Media from addresses, through yt-dlp: what a page holds, the entries of a playlist, and the audio itself.

yt-dlp runs with our options only: no configuration, plugin, cache or ffmpeg of the user's changes what is fetched.
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
from pipeline.download.ssrf_guard import block_private_addresses
from pipeline.download.ytdlp_errors import explain, find_failure
from pipeline.download.ytdlp_limits import (
    BoundedBody,
    Progress,
    limit_transfer,
    too_slow,
    watch_answers,
    watch_revision,
)

# Audio alone where there is any, else the smallest picture that still comes with good sound.
FORMAT = "bestaudio/best[height<=?480]/best/bestaudio*"
MAX_PAGE_BYTES = 64 << 20  # a page, or the list of a stream's pieces
UNFINISHED = {".part", ".ytdl", ".json"}


def describe_media(url: str, policy: FetchPolicy) -> dict[str, Any]:
    """Return what yt-dlp finds out about one address, nothing fetched; InputError where it is no single recording."""
    return retry_transient(lambda: _describe(url, policy), policy)


def list_playlist(url: str, policy: FetchPolicy) -> tuple[Entry, ...]:
    """Return the entries of a playlist in its order; InputError where the address is none."""

    def attempt() -> tuple[Entry, ...]:
        # A video's address may name the playlist it was found in: here that is what is meant.
        with _open(url, policy, {"extract_flat": "in_playlist", "noplaylist": False}) as fetcher:
            info = fetcher.extract_info(url, download=False)
        if info.get("_type") != "playlist":
            raise InputError(f"{redact_url(url)} is one recording, not a feed or playlist: leave out `entry`")
        return tuple(_read_entry(entry, info) for entry in info.get("entries") or [] if entry)

    return retry_transient(attempt, policy)


def _read_entry(info: Mapping[str, Any], listed: Mapping[str, Any]) -> Entry:
    url = str(info.get("webpage_url") or info.get("url") or "")
    if url == listed.get("webpage_url"):
        # Several players on one page: what tells them apart is the address of each one's media.
        url = str(info.get("url") or (info.get("formats") or [{}])[-1].get("url") or url)
    metadata = metadata_of_media({**info, "webpage_url": url})
    return Entry(url, replace(metadata, entry=metadata.media_id))


def fetch_media(url: str, folder: Path, policy: FetchPolicy, on_progress: Progress) -> tuple[Path, dict[str, Any]]:
    """Return the audio at an address, fetched into `folder`, and what yt-dlp says of it; InputError says what to do.

    What is in `folder` of an earlier, interrupted fetch is gone on with, if the server still has the same file.
    """
    deadline = time.monotonic() + policy.max_seconds
    folder.mkdir(parents=True, exist_ok=True)

    def attempt() -> dict[str, Any]:
        if time.monotonic() > deadline:
            raise InputError(too_slow(url, policy))
        info = _describe(url, policy)
        if is_live(info):
            raise InputError(f"{redact_url(url)} is broadcast live: run again when it has ended")
        hook = limit_transfer(url, folder, policy, deadline, on_progress)
        # The name says nothing of the title, which is a stranger's; a % in the folder's is no field.
        template = {"default": f"{folder}/audio.".replace("%", "%%") + "%(ext)s"}
        options = {"progress_hooks": [hook], "outtmpl": template}
        with _open(url, policy, options, most=policy.max_bytes, deadline=deadline, described=True) as fetcher:
            watch_revision(fetcher, info, folder)
            fetched: dict[str, Any] = fetcher.process_ie_result(info, download=True)
        return fetched

    info = retry_transient(attempt, policy, progress=lambda: _bytes_in(folder))
    files = [file for file in folder.glob("audio.*") if file.suffix not in UNFINISHED]
    if not files:
        raise InputError(f"{redact_url(url)} gave no audio: check the address in a browser")
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
        raise InputError(f"{redact_url(url)} is an empty list: check the address in a browser")
    raise InputError(
        f"{redact_url(url)} is a feed or playlist: say which episode is meant with `entry` (number, title or guid)"
    )


@contextmanager
def _open(
    url: str,
    policy: FetchPolicy,
    options: Mapping[str, Any],
    *,
    most: int = MAX_PAGE_BYTES,
    deadline: float | None = None,
    described: bool = False,
) -> Iterator[Any]:
    """A yt-dlp of our own settings, that takes no answer of more than `most` bytes; its errors become ours.

    Where the media is `described` already, yt-dlp need not know of its 1,700 sites, which takes it a tenth of a second.
    """
    import yt_dlp
    from yt_dlp.globals import plugin_dirs

    plugin_dirs.value = []
    log = _Log()
    # yt-dlp would write a cookie file anew at its end: it gets a copy.
    cookies = {"cookiefile": io.StringIO(_read_cookies(policy.cookies))} if policy.cookies else {}
    with block_private_addresses(url, policy):
        try:
            settings = {**_OPTIONS, **cookies, "logger": log, **options}
            with yt_dlp.YoutubeDL(settings, auto_init=not described) as fetcher:
                until = time.monotonic() + policy.max_seconds if deadline is None else deadline
                watch_answers(fetcher, lambda body: BoundedBody(body, url, policy, most, until), log.note_wait)
                yield fetcher
        except yt_dlp.utils.YoutubeDLError as error:
            _close_files(error)
            raise _translate(url, error, log) from error
        except BaseException as error:
            _close_files(error)
            raise


_OPTIONS: dict[str, Any] = {
    "format": FORMAT,
    # Dubs are marked by the site as less preferred than the original: that comes before all else.
    "format_sort": ["lang"],
    "noplaylist": True,
    "skip_unavailable_fragments": False,
    # How often and how long to wait is decided in one place, for every kind of failure: pipeline.download.ssrf_guard.
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
    "socket_timeout": 30,
    "color": {"stdout": "no_color", "stderr": "no_color"},
}


class _Log:
    """Where yt-dlp's own messages go: its errors reach us as exceptions, its warnings may say why."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.retry_after: float | None = None

    def note_wait(self, seconds: float | None) -> None:
        """Keep how long the last answer asks us to wait."""
        self.retry_after = seconds

    def debug(self, message: str) -> None:
        """Say nothing."""

    info = error = debug

    def warning(self, message: str) -> None:
        """Keep it."""
        self.warnings.append(message)


def _translate(url: str, error: Exception, log: _Log) -> InputError:
    """Our error for one of yt-dlp's: passing where trying again may help."""
    hints = " ".join(log.warnings)
    causes = list(_find_causes(error))
    message = "\n".join(str(cause) for cause in causes)
    plain, failure = explain(redact_url(url), message, hints), find_failure(message, hints)
    answers = {cause.status for cause in causes if getattr(cause, "status", None)}
    if answers & TRANSIENT_STATUSES or (not answers and failure is not None and failure.passing):
        return TransientError(plain, log.retry_after)
    return InputError(plain)


def _close_files(error: BaseException) -> None:
    """Let go of the files that yt-dlp left open when it failed: they are locked, and we may try again at once."""
    for cause in _find_causes(error):
        traceback.clear_frames(cause.__traceback__)


def _find_causes(error: BaseException | None) -> Iterator[Any]:
    """An error of yt-dlp and those it came from, in the four places where it keeps them."""
    seen: list[BaseException] = []
    waiting = [error]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and one not in seen:
            seen.append(one)
            yield one
            kept = getattr(one, "exc_info", None) or (None, None, None)
            waiting += [kept[1], getattr(one, "cause", None), one.__cause__, one.__context__]


def is_live(info: Mapping[str, Any]) -> bool:
    """Tell whether a broadcast has not ended yet, or its recording is not ready."""
    return bool(info.get("is_live")) or info.get("live_status") in {"is_live", "is_upcoming", "post_live"}


def _bytes_in(folder: Path) -> float:
    return float(sum(path.stat().st_size for path in folder.glob("audio*") if path.is_file()))


def _read_cookies(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise InputError(
            f"the cookies {path} cannot be read: correct `cookies` under `download:` in show.yaml"
        ) from None
    if "\t" not in text:
        raise InputError(f"the cookies {path} are not in Netscape's format: export them as cookies.txt")
    return text
