"""Media from addresses, through yt-dlp: what a page holds, the entries of a playlist, and the audio itself.

yt-dlp runs with our options only: no configuration, plugin, cache or ffmpeg of the user's changes what is fetched.
"""

import io
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.addresses import without_secrets
from pipeline.errors import InputError
from pipeline.failures import explain, find_failure
from pipeline.feeds import Entry
from pipeline.metadata import metadata_of_media
from pipeline.network import PASSING_STATUS, Access, PassingError, parse_retry_after, public_only, retry_passing
from pipeline.storage import read_json, write_json

# Called with the bytes fetched and the bytes in all.
Progress = Callable[[float, float], None]

# Audio alone where there is any, else the smallest picture that still comes with good sound.
FORMAT = "bestaudio/best[height<=?480]/best/bestaudio*"
MARKS = "marks.json"  # which revision of the file the parts fetched so far belong to
UNFINISHED = {".part", ".ytdl", ".json"}


def describe_media(url: str, access: Access) -> dict[str, Any]:
    """Return what yt-dlp finds out about one address, nothing fetched; InputError where it is no single recording."""
    return retry_passing(lambda: _describe(url, access), access)


def list_playlist(url: str, access: Access) -> tuple[Entry, ...]:
    """Return the entries of a playlist in its order; InputError where the address is none."""

    def attempt() -> tuple[Entry, ...]:
        with _open(url, access, {"extract_flat": "in_playlist"}) as fetcher:
            info = fetcher.extract_info(url, download=False)
        if info.get("_type") != "playlist":
            raise InputError(f"{without_secrets(url)} is one recording, not a feed or playlist: leave out `entry`")
        return tuple(_read_entry(entry, info) for entry in info.get("entries") or [] if entry)

    return retry_passing(attempt, access)


def _read_entry(info: Mapping[str, Any], listed: Mapping[str, Any]) -> Entry:
    url = str(info.get("webpage_url") or info.get("url") or "")
    if url == listed.get("webpage_url"):
        # Several players on one page: what tells them apart is the address of each one's media.
        url = str(info.get("url") or (info.get("formats") or [{}])[-1].get("url") or url)
    metadata = metadata_of_media({**info, "webpage_url": url})
    return Entry(url, replace(metadata, entry=metadata.media_id))


def fetch_media(url: str, folder: Path, access: Access, on_progress: Progress) -> tuple[Path, dict[str, Any]]:
    """Return the audio at an address, fetched into `folder`, and what yt-dlp says of it.

    What is in `folder` of an earlier, interrupted fetch is gone on with, if the server still has the same file.
    """
    deadline = time.monotonic() + access.max_seconds
    folder.mkdir(parents=True, exist_ok=True)

    def attempt() -> dict[str, Any]:
        if time.monotonic() > deadline:
            raise InputError(_too_slow(url, access))
        info = _describe(url, access)
        if _is_live(info):
            raise InputError(f"{without_secrets(url)} is broadcast live: run again when it has ended")
        hook = _limit(url, folder, access, deadline, on_progress)
        # The name says nothing of the title, which is a stranger's; a % in the folder's is no field.
        template = {"default": f"{folder}/audio.".replace("%", "%%") + "%(ext)s"}
        with _open(url, access, {"progress_hooks": [hook], "outtmpl": template}) as fetcher:
            _watch_revision(fetcher, info, folder)
            fetched: dict[str, Any] = fetcher.process_ie_result(info, download=True)
        return fetched

    info = retry_passing(attempt, access, progress=lambda: _bytes_in(folder))
    files = [file for file in folder.glob("audio.*") if file.suffix not in UNFINISHED]
    if not files:
        raise InputError(f"{without_secrets(url)} gave no audio: check the address in a browser")
    return files[0], info


def _describe(url: str, access: Access) -> dict[str, Any]:
    with _open(url, access, {"extract_flat": "in_playlist", "playlistend": 2}) as fetcher:
        info: dict[str, Any] = fetcher.extract_info(url, download=False)
    if info.get("_type", "video") not in {"playlist", "multi_video"}:
        return info
    entries = [entry for entry in info.get("entries") or [] if entry]
    own = entries[0].get("webpage_url") or entries[0].get("url") if len(entries) == 1 else None
    if own and own != url:
        return _describe(own, access)
    if own and "formats" in entries[0]:
        return dict(entries[0])
    if not entries:
        raise InputError(f"{without_secrets(url)} is an empty list: check the address in a browser")
    raise InputError(
        f"{without_secrets(url)} is a feed or playlist: say which episode is meant with `entry` (number, title or guid)"
    )


@contextmanager
def _open(url: str, access: Access, options: Mapping[str, Any]) -> Iterator[Any]:
    """A yt-dlp of our own settings; what it raises becomes our errors."""
    import yt_dlp
    from yt_dlp.globals import plugin_dirs

    plugin_dirs.value = []
    log = _Log()
    # yt-dlp would write a cookie file anew at its end: it gets a copy.
    cookies = {"cookiefile": io.StringIO(_read_cookies(access.cookies))} if access.cookies else {}
    with public_only(url, access):
        try:
            with yt_dlp.YoutubeDL({**_OPTIONS, **cookies, "logger": log, **options}) as fetcher:
                _note_waits(fetcher, log)
                yield fetcher
        except yt_dlp.utils.YoutubeDLError as error:
            raise _translate(url, error, log) from error


_OPTIONS: dict[str, Any] = {
    "format": FORMAT,
    # Dubs are marked by the site as less preferred than the original: that comes before all else.
    "format_sort": ["lang"],
    "noplaylist": True,
    "skip_unavailable_fragments": False,
    # How often and how long to wait is decided in one place, for every kind of failure: pipeline.network.
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

    def debug(self, message: str) -> None:
        """Say nothing."""

    info = error = debug

    def warning(self, message: str) -> None:
        """Keep it."""
        self.warnings.append(message)


def _note_waits(fetcher: Any, log: _Log) -> None:
    """Keep what the last answer's Retry-After said: yt-dlp's downloaders do not hand it on."""
    from yt_dlp.networking.exceptions import HTTPError

    ask = fetcher.urlopen

    def urlopen(request: Any) -> Any:
        try:
            return ask(request)
        except HTTPError as error:
            log.retry_after = parse_retry_after(error.response.headers.get("Retry-After"))
            raise

    fetcher.urlopen = urlopen


def _translate(url: str, error: Exception, log: _Log) -> InputError:
    """Our error for one of yt-dlp's: passing where trying again may help."""
    hints = " ".join(log.warnings)
    causes = list(_find_causes(error))
    message = "\n".join(str(cause) for cause in causes)
    plain, failure = explain(without_secrets(url), message, hints), find_failure(message, hints)
    answers = {cause.status for cause in causes if getattr(cause, "status", None)}
    if answers & PASSING_STATUS or (not answers and failure is not None and failure.passing):
        return PassingError(plain, log.retry_after)
    return InputError(plain)


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


def _is_live(info: Mapping[str, Any]) -> bool:
    return bool(info.get("is_live")) or info.get("live_status") in {"is_live", "is_upcoming", "post_live"}


def _limit(
    url: str, folder: Path, access: Access, deadline: float, on_progress: Progress
) -> Callable[[dict[str, Any]], None]:
    """The hook that yt-dlp calls with each piece: it keeps the limits, and tells how far it is."""

    def hook(state: dict[str, Any]) -> None:
        done = float(state.get("downloaded_bytes") or 0)
        exact = float(state.get("total_bytes") or 0)
        if max(done, exact) > access.max_bytes:
            raise InputError(
                f"{without_secrets(url)} is larger than {access.max_bytes >> 20} MB: if that is right, raise "
                "`max_megabytes` under `download:` in show.yaml"
            )
        if state.get("status") == "downloading" and exact - done > shutil.disk_usage(folder).free:
            raise InputError(
                f"the disk is full: {without_secrets(url)} needs {exact / 1e6:.0f} MB: make room and run again, what "
                "came so far is kept and gone on with"
            )
        if time.monotonic() > deadline:
            raise InputError(_too_slow(url, access))
        on_progress(done, exact or float(state.get("total_bytes_estimate") or 0))

    return hook


def _too_slow(url: str, access: Access) -> str:
    return (
        f"{without_secrets(url)} takes longer than {access.max_seconds / 60:.0f} minutes: run again to go on with what "
        "came so far, or raise `max_minutes` under `download:` in show.yaml"
    )


def _watch_revision(fetcher: Any, info: Mapping[str, Any], folder: Path) -> None:
    """Keep yt-dlp from joining the rest of one file to the beginning of another.

    A server may have a new cut, or other advertisements, by the time that we come back for the rest.
    """
    from yt_dlp.networking import Request
    from yt_dlp.networking.exceptions import HTTPError

    media, ask = info.get("url") and Request(info["url"]).url, fetcher.urlopen
    marks = folder / MARKS

    def start_over() -> PassingError:
        clear_parts(folder)
        return PassingError(f"{without_secrets(str(media))} was changed while it was fetched: run again")

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
            if response.status == 206 and begun and marks.is_file() and read_json(marks) != now:
                response.close()
                raise start_over()
            write_json(marks, now)
        return response

    fetcher.urlopen = urlopen


def clear_parts(folder: Path) -> None:
    """Take away what was fetched in part."""
    for path in folder.iterdir():
        path.unlink()


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
