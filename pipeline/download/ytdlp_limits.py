"""The limits of a transfer: how much, how long, and never the rest of one file after the beginning of another."""

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
MARKS = "marks.json"  # which revision of the file the parts fetched so far belong to


class BoundedBody:
    """The body of an answer, read as it comes: a server that trickles, or never ends, is left at our limits."""

    def __init__(self, body: Any, url: str, policy: FetchPolicy, most: int, deadline: float) -> None:
        """Take at most `most` bytes, until the monotonic clock says `deadline`."""
        self._body, self._url, self._access, self._left, self._deadline = body, url, policy, most, deadline

    def read(self, amount: int | None = None, **options: Any) -> bytes:
        """Return what is there, at most `amount` bytes; not waiting for all of them keeps the limit of time.

        InputError at either limit.
        """
        if time.monotonic() > self._deadline:
            raise InputError(too_slow(self._url, self._access))
        data: bytes = (self._body.read1 if amount else self._body.read)(amount, **options)
        self._left -= len(data)
        if self._left < 0:
            raise InputError(too_large(self._url, self._access))
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._body, name)


def watch_answers(fetcher: Any, bound: Callable[[Any], Any], note_wait: Callable[[float | None], None]) -> None:
    """Bound what answers may take, and keep their Retry-After, which yt-dlp's downloaders do not hand on."""
    from yt_dlp.networking.exceptions import HTTPError

    ask = fetcher.urlopen

    def urlopen(request: Any) -> Any:
        try:
            response = ask(request)
        except HTTPError as error:
            note_wait(parse_retry_after(error.response.headers.get("Retry-After")))
            raise
        response.fp = bound(response.fp)
        return response

    fetcher.urlopen = urlopen


def limit_transfer(
    url: str, folder: Path, policy: FetchPolicy, deadline: float, on_progress: Progress
) -> Callable[[dict[str, Any]], None]:
    """Return the hook that yt-dlp calls with each piece: it keeps the limits, and tells how far it is.

    `deadline` is a time of the monotonic clock. The hook raises InputError at a limit, and where the disk is full.
    """

    def hook(state: dict[str, Any]) -> None:
        done = float(state.get("downloaded_bytes") or 0)
        exact = float(state.get("total_bytes") or 0)
        if max(done, exact) > policy.max_bytes:
            raise InputError(too_large(url, policy))
        if state.get("status") == "downloading" and exact - done > shutil.disk_usage(folder).free:
            raise InputError(
                f"the disk is full: {redact_url(url)} needs {exact / 1e6:.1f} MB: make room and run again, what "
                "came so far is kept and gone on with"
            )
        if time.monotonic() > deadline:
            raise InputError(too_slow(url, policy))
        on_progress(done, exact or float(state.get("total_bytes_estimate") or 0))

    return hook


def too_large(url: str, policy: FetchPolicy) -> str:
    """Return what to say of what is too large."""
    return (
        f"{redact_url(url)} is larger than {policy.max_bytes >> 20} MB: if that is right, raise `max_megabytes` "
        "under `download:` in show.yaml"
    )


def too_slow(url: str, policy: FetchPolicy) -> str:
    """Return what to say of a transfer that takes too long."""
    return (
        f"{redact_url(url)} takes longer than {policy.max_seconds / 60:g} minutes: run again to go on with what "
        "came so far, or raise `max_minutes` under `download:` in show.yaml"
    )


def watch_revision(fetcher: Any, info: Mapping[str, Any], folder: Path) -> None:
    """Keep yt-dlp from joining the rest of one file to the beginning of another.

    A server may have a new cut, or other advertisements, by the time that we come back for the rest.
    """
    from yt_dlp.networking import Request
    from yt_dlp.networking.exceptions import HTTPError

    media, ask = info.get("url") and Request(info["url"]).url, fetcher.urlopen
    marks = folder / MARKS

    def start_over() -> TransientError:
        clear_parts(folder)
        return TransientError(f"{redact_url(str(media))} was changed while it was fetched: run again")

    def urlopen(request: Any) -> Any:
        try:
            response = ask(request)
        except HTTPError as error:
            if error.status == 416:  # the part is longer than the file
                raise start_over() from error
            raise
        if getattr(request, "url", None) == media and response.status in {200, 206}:
            headers = response.headers
            total = (headers.get("Content-Range") or "").rpartition("/")[2] or headers.get("Content-Length")
            now = {"etag": headers.get("ETag"), "modified": headers.get("Last-Modified"), "total": total}
            begun = any(path.stat().st_size for path in folder.glob("*.part"))
            if response.status == 206 and begun and marks.is_file() and _read_marks(marks) != now:
                response.close()
                raise start_over()
            write_json(marks, now)
        return response

    fetcher.urlopen = urlopen


def _read_marks(path: Path) -> dict[str, Any] | None:
    """What was noted of the file fetched in part; None where the note is damaged, so that it is fetched anew."""
    try:
        return read_json(path)
    except InputError:
        return None


def clear_parts(folder: Path) -> None:
    """Take away what was fetched in part."""
    for path in folder.iterdir():
        path.unlink()
