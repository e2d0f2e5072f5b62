"""Bring an episode's audio to `data/raw/<id>/`: a file of this machine, or an http(s) address through yt-dlp."""

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipeline.addresses import is_address, without_secrets
from pipeline.audio import probe_duration
from pipeline.errors import InputError
from pipeline.storage import read_record, sha256_of, write_json, write_whole

# Called with the bytes fetched and the bytes in all.
Progress = Callable[[float, float], None]

METADATA = "audio.json"


@dataclass(frozen=True, slots=True)
class Audio:
    """An episode's audio as it was fetched: its file, digest, seconds of sound, and where it came from."""

    path: Path
    sha256: str
    duration: float
    source: str


def find_source(source: str, root: Path) -> Path | None:
    """Return the file that a source names, None for an http(s) address; InputError where it is neither."""
    if is_address(source):
        if urlsplit(source).scheme.lower() not in {"http", "https"}:
            raise InputError(f"the source {source} is neither a file nor an http(s) address")
        return None
    path = root / Path(source).expanduser()
    if not path.is_file():
        raise InputError(f"the source {path} is not there: correct `source` in the episode's settings")
    return path


def download_audio(source: str, folder: Path, *, root: Path, offline: bool = False, on_progress: Progress) -> Audio:
    """Return the audio, now in `folder` as `audio.<ext>` with `audio.json` beside it.

    InputError where the source cannot be had or holds no audio; what `folder` held before then stays as it was.
    """
    local = find_source(source, root)
    if local is None and offline:
        raise InputError(f"{without_secrets(source)} is on the network, and --offline forbids fetching it")
    folder.mkdir(parents=True, exist_ok=True)
    if local is None:
        # Named after its address, so that a part of one file is never gone on with as another.
        partial = folder / f"partial-{hashlib.sha256(source.encode()).hexdigest()[:12]}"
        fetched = fetch_media(source, partial, on_progress)
        duration = probe_duration(fetched)
        path = folder / f"audio{fetched.suffix}"
        os.replace(fetched, path)
        for left in folder.glob("partial-*"):
            shutil.rmtree(left, ignore_errors=True)
    else:
        duration = probe_duration(local)
        path = folder / f"audio{local.suffix.lower()}"
        _link(local, path)
    audio = Audio(path, sha256_of(path), round(duration, 3), source)
    record = {"file": path.name, "sha256": audio.sha256, "duration": audio.duration, "source": without_secrets(source)}
    write_json(folder / METADATA, record)
    for old in folder.glob("audio.*"):
        if old.name not in {path.name, METADATA}:
            old.unlink()
    return audio


def read_audio(folder: Path) -> Audio:
    """Return what `download_audio` left in `folder`."""

    def parse(record: dict[str, Any]) -> Audio:
        return Audio(folder / record["file"], record["sha256"], record["duration"], record["source"])

    return read_record(folder / METADATA, parse)


def fetch_media(url: str, folder: Path, on_progress: Progress) -> Path:
    """Return the best audio at an address, fetched by yt-dlp into `folder`; a part left there is gone on with."""
    import yt_dlp

    def hook(state: dict[str, Any]) -> None:
        total = state.get("total_bytes") or state.get("total_bytes_estimate") or 0
        on_progress(float(state.get("downloaded_bytes") or 0), float(total))

    options = {
        "format": "bestaudio/best",
        "outtmpl": {"default": str(folder / "audio.%(ext)s")},
        "noplaylist": True,
        "playlist_items": "1",
        "skip_unavailable_fragments": False,
        "fixup": "never",
        "cachedir": False,
        "updatetime": False,
        "noprogress": True,
        "socket_timeout": 30,
        "logger": _Silent(),
        "progress_hooks": [hook],
    }
    try:
        with yt_dlp.YoutubeDL(options) as fetcher:
            fetcher.extract_info(url)
    except yt_dlp.utils.YoutubeDLError as error:
        reason = str(error).removeprefix("ERROR: ").split("; please report")[0]
        raise InputError(f"{without_secrets(url)} could not be downloaded: {_one_line(reason)}") from error
    files = [file for file in folder.glob("audio.*") if file.suffix not in {".part", ".ytdl"}]
    if not files:
        raise InputError(f"{without_secrets(url)} gave no audio: check the address in a browser")
    return files[0]


class _Silent:
    """Where yt-dlp's own messages go: its errors reach us as exceptions."""

    def debug(self, message: str) -> None:
        """Say nothing."""

    info = warning = error = debug


def _link(source: Path, target: Path) -> None:
    """Make `target` the same file as `source` where the file system can, else a copy of it."""
    if target.exists() and target.samefile(source):
        return
    with write_whole(target) as temporary:
        temporary.unlink()
        try:
            os.link(source, temporary)
        except OSError:
            shutil.copyfile(source, temporary)


def _one_line(text: str) -> str:
    return " ".join(text.split())
