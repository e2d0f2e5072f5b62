"""Fetch the publisher's captions: those of a feed or media page, or the file next to a local recording."""

import hashlib
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.core.errors import InputError
from pipeline.core.language import read_language
from pipeline.core.schema import Transcript
from pipeline.core.storage import read_json, sha256_of, write_bytes, write_json
from pipeline.core.times import format_time
from pipeline.core.urls import is_url, redact_url
from pipeline.download.fetch_audio import find_source_file, resolve_entry
from pipeline.download.http import fetch_document
from pipeline.download.retry import FetchPolicy
from pipeline.download.ytdlp import describe_media

# The record next to the captions: their file, its SHA-256, their origin, and the request they answer.
CAPTIONS_RECORD = "captions.json"

# The name of captions in JSON: the record has the plain one.
JSON_CAPTIONS = "captions.transcript.json"

# The formats of caption files, the preferred one first.
FORMATS = ("vtt", "srt", "json")

# The formats to choose from on a media page: its "json" is not a transcript.
_PAGE_FORMATS = FORMATS[:2]

# Seconds that captions may end after the audio.
SLACK_SECONDS = 5.0

# The share of the audio that captions must reach; closing music has none.
MIN_SHARE = 0.8

# Bytes in which an SRT file has its first arrow.
_HEAD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class CaptionTrack:
    """Captions that a media page offers: their URL and language, and whether a machine made them."""

    url: str
    language: str | None
    automatic: bool


@dataclass(frozen=True, slots=True)
class _Captions:
    """The bytes of a caption file, the suffix of its format, and the fields of its record."""

    content: bytes
    suffix: str
    facts: dict[str, Any]


def fetch_captions(
    source: str,
    entry: str | None,
    folder: Path,
    *,
    root: Path,
    policy: FetchPolicy,
    language: str | None,
    audio_sha256: str,
    offline: bool = False,
    limiter: AbstractContextManager[None] | None = None,
) -> Path | None:
    """Return the file in `folder` with the publisher's captions of this audio; None where there are none.

    They are fetched once per version of the audio, inside `limiter`, and never when `offline`. InputError where that
    fails.
    """
    key = hashlib.sha256(f"{source}\n{entry or ''}\n{language or ''}\n{audio_sha256}".encode()).hexdigest()
    record = folder / CAPTIONS_RECORD
    if (known := _read_known(record)).get("made_for") == key:
        kept = folder / Path(str(known["file"])).name if known.get("file") else None
        # Records of early versions have no digest. Version 0.2.0 wrote its record over captions in JSON.
        if kept is None or (kept != record and kept.is_file() and known.get("sha256") in {None, sha256_of(kept)}):
            return kept
    networked = is_url(source) or entry is not None
    if networked and offline:
        return None
    try:
        with limiter if limiter is not None and networked else nullcontext():
            captions = _find_captions(source, entry, root, replace(policy, user_url=source), language)
    except InputError as error:
        fallback = "run without --captions to transcribe the audio"
        advice = f"{error.advice}, or {fallback}" if error.advice else fallback
        raise InputError(f"the captions cannot be fetched: {error.problem}", advice) from error
    return _store(captions, folder, key)


def _read_known(record: Path) -> dict[str, Any]:
    """The record of the captions fetched last; empty where it is missing or corrupted, so that they are refetched."""
    try:
        return read_json(record) if record.is_file() else {}
    except InputError:
        return {}


def _store(captions: _Captions | None, folder: Path, key: str) -> Path | None:
    """Write the captions and their record; a record without a file says that there are none."""
    path = folder / _name_captions(captions.suffix) if captions is not None else None
    if path is not None and captions is not None:
        write_bytes(path, captions.content)
    for old in folder.glob("captions.*"):
        if old.name not in {path.name if path else "", CAPTIONS_RECORD}:
            old.unlink()
    fetched = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    facts = {"file": path.name, "sha256": sha256_of(path), **captions.facts} if path and captions else {"file": None}
    write_json(folder / CAPTIONS_RECORD, {**facts, "fetched": fetched, "made_for": key})
    return path


def _name_captions(suffix: str) -> str:
    return JSON_CAPTIONS if suffix == ".json" else f"captions{suffix}"


def _find_captions(
    source: str, entry: str | None, root: Path, policy: FetchPolicy, language: str | None
) -> _Captions | None:
    """The captions of a source or its entry; None where it has none."""
    local = find_source_file(source, root)
    if local is not None and entry is None:
        candidates = (local.with_suffix(f".{suffix}") for suffix in FORMATS)
        path = next((path for path in candidates if path.is_file()), None)
        return _Captions(path.read_bytes(), path.suffix, {"from": path.name}) if path else None
    track = _find_track(source, entry, root, policy, language)
    if track is None or find_source_file(track.url, root) is not None:
        return None
    fetched = fetch_document(track.url, policy=policy)
    if fetched is None:
        return None
    suffix = _detect_suffix(fetched.content)
    if suffix is None:
        raise InputError(f"{redact_url(track.url)} is neither WebVTT, SubRip nor JSON")
    facts = {"from": redact_url(track.url), "language": track.language, "automatic": track.automatic}
    return _Captions(fetched.content, suffix, {name: value for name, value in facts.items() if value is not None})


def _find_track(
    source: str, entry: str | None, root: Path, policy: FetchPolicy, language: str | None
) -> CaptionTrack | None:
    """The caption track that a feed names, else the one to choose on the media page."""
    resolved = resolve_entry(source, entry, root, policy)
    if resolved.metadata.captions is not None:
        return CaptionTrack(resolved.metadata.captions, resolved.metadata.language, automatic=False)
    if entry is not None and not resolved.has_page:
        return None
    return choose_captions(describe_media(resolved.source, policy), language)


def choose_captions(info: Mapping[str, Any], language: str | None) -> CaptionTrack | None:
    """Return the captions to use among those in yt-dlp's description of a page; None without any in the language.

    A person's captions are preferred to a machine's, and a machine's transcript to its translations.
    """
    spoken = read_language(language) or language or info.get("language") or "en"
    for kind, automatic in (("subtitles", False), ("automatic_captions", True)):
        tracks: Mapping[str, Any] = info.get(kind) or {}
        # On YouTube the suffix "-orig" marks the transcript of the speech; other automatic captions are translations.
        names = [f"{spoken}-orig", spoken, *(name for name in tracks if name.partition("-")[0] == spoken)]
        for name in names:
            for suffix in _PAGE_FORMATS:
                for track in tracks.get(name) or []:
                    if track.get("ext") == suffix and track.get("url"):
                        return CaptionTrack(str(track["url"]), name, automatic)
    return None


def _detect_suffix(content: bytes) -> str | None:
    """The suffix of a caption file's format; None for other content."""
    head = content.lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"WEBVTT"):
        return ".vtt"
    if head[:1] in (b"{", b"["):
        return ".json"
    return ".srt" if b"-->" in head[:_HEAD_BYTES] else None


def check_captions(transcript: Transcript, seconds: float) -> list[str]:
    """Return a warning where captions seem to be made for another version of the audio, which has `seconds`."""
    end = transcript.duration or 0.0
    if end > seconds + SLACK_SECONDS:
        return [
            f"the captions go on to {format_time(end)}, but the audio ends at {format_time(seconds)}: starts may be off"
        ]
    if end < MIN_SHARE * seconds:
        return [f"the captions end at {format_time(end)} of {format_time(seconds)}: later features cannot be found"]
    return []
