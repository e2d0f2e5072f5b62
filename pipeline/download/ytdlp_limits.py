"""Limits of a yt-dlp download: size, time, disk space, and no join of two revisions of a file."""

import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pipeline.core.errors import InputError
from pipeline.core.storage import read_json, write_json
from pipeline.core.urls import redact_url
from pipeline.download.retry import FetchPolicy, TransientError, parse_retry_after

# Called with the bytes fetched and the bytes in all.
Progress = Callable[[float, float], None]

# The file with the validators (ETag, Last-Modified, length) of the revision that a partial file belongs to; the name
# is that of version 0.1.0.
VALIDATORS = "marks.json"


class BoundedBody:
    """The body of a response, read up to a size and a deadline: a server may send without end, or very slowly."""

    def __init__(self, body: Any, url: str, policy: FetchPolicy, max_bytes: int, deadline: float) -> None:
        """`deadline` is a time of the monotonic clock."""
        self._body, self._url, self._policy, self._left, self._deadline = body, url, policy, max_bytes, deadline

    def read(self, amount: int | None = None, **options: Any) -> bytes:
        """Return at most `amount` bytes, without waiting for all of them; InputError at a limit."""
        if time.monotonic() > self._deadline:
            raise too_slow_error(self._url, self._policy)
        data: bytes = (self._body.read1 if amount else self._body.read)(amount, **options)
        self._left -= len(data)
        if self._left < 0:
            raise too_large_error(self._url, self._policy)
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._body, name)


def limit_responses(
    fetcher: Any, bound: Callable[[Any], Any], keep_retry_after: Callable[[float | None], None]
) -> None:
    """Wrap the body of each of yt-dlp's responses in `bound`, and pass on Retry-After, which its downloaders drop."""
    from yt_dlp.networking.exceptions import HTTPError

    original = fetcher.urlopen

    def urlopen(request: Any) -> Any:
        try:
            response = original(request)
        except HTTPError as error:
            keep_retry_after(parse_retry_after(error.response.headers.get("Retry-After")))
            raise
        response.fp = bound(response.fp)
        return response

    fetcher.urlopen = urlopen


def make_progress_hook(
    url: str, folder: Path, policy: FetchPolicy, deadline: float, on_progress: Progress
) -> Callable[[dict[str, Any]], None]:
    """Return a yt-dlp progress hook that enforces the limits and reports the progress.

    `deadline` is a time of the monotonic clock. The hook raises InputError at a limit, and where the disk is full.
    """

    def hook(state: dict[str, Any]) -> None:
        done = float(state.get("downloaded_bytes") or 0)
        exact = float(state.get("total_bytes") or 0)
        if max(done, exact) > policy.max_bytes:
            raise too_large_error(url, policy)
        if state.get("status") == "downloading" and exact - done > shutil.disk_usage(folder).free:
            raise InputError(
                f"the disk is full: {redact_url(url)} needs {exact / 1e6:.1f} MB",
                "free some space and run again; the partial file is kept",
            )
        if time.monotonic() > deadline:
            raise too_slow_error(url, policy)
        on_progress(done, exact or float(state.get("total_bytes_estimate") or 0))

    return hook


def too_large_error(url: str, policy: FetchPolicy) -> InputError:
    """Return the error for a response or file above `policy.max_bytes`."""
    return InputError(
        f"{redact_url(url)} is larger than {policy.max_bytes >> 20} MB",
        "if that is right, raise `max_megabytes` under `download:` in show.yaml",
    )


def too_slow_error(url: str, policy: FetchPolicy) -> InputError:
    """Return the error for a download that takes longer than `policy.max_seconds`."""
    return InputError(
        f"{redact_url(url)} takes longer than {policy.max_seconds / 60:g} minutes",
        "run again to continue the partial file, or raise `max_minutes` under `download:` in show.yaml",
    )


def guard_resume(fetcher: Any, info: Mapping[str, Any], folder: Path) -> None:
    """Keep yt-dlp from appending the rest of one revision of a file to the beginning of another.

    A server may have a new cut, or other advertisements, when a partial file is continued. The partial file is then
    removed, and a TransientError makes the fetch start again.
    """
    from yt_dlp.networking import Request
    from yt_dlp.networking.exceptions import HTTPError

    media, original = info.get("url") and Request(info["url"]).url, fetcher.urlopen

    def start_over() -> TransientError:
        clear_parts(folder)
        return TransientError(f"{redact_url(str(media))} changed on the server during the fetch", "run again")

    def urlopen(request: Any) -> Any:
        try:
            response = original(request)
        except HTTPError as error:
            if error.status == 416:  # the partial file is longer than the file
                raise start_over() from error
            raise
        if getattr(request, "url", None) == media and response.status in {200, 206}:
            if not _is_same_revision(response, folder):
                response.close()
                raise start_over()
            write_json(folder / VALIDATORS, _read_validators(response))
        return response

    fetcher.urlopen = urlopen


def _is_same_revision(response: Any, folder: Path) -> bool:
    """Return whether a response may continue the partial file; true for a whole file, and without a partial one."""
    stored = folder / VALIDATORS
    has_part = any(path.stat().st_size for path in folder.glob("*.part"))
    if response.status != 206 or not has_part or not stored.is_file():
        return True
    try:
        return read_json(stored) == _read_validators(response)
    except InputError:  # corrupted: the revision is unknown
        return False


def _read_validators(response: Any) -> dict[str, Any]:
    headers = response.headers
    total = (headers.get("Content-Range") or "").rpartition("/")[2] or headers.get("Content-Length")
    return {"etag": headers.get("ETag"), "modified": headers.get("Last-Modified"), "total": total}


def clear_parts(folder: Path) -> None:
    """Remove all partial files."""
    for path in folder.iterdir():
        path.unlink()
