"""The publisher's captions, kept beside the audio: from a feed, a page, or the file that lies beside a local one."""

import hashlib
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.core.errors import InputError
from pipeline.core.schema import Transcript
from pipeline.core.storage import read_json, sha256_of, write_bytes, write_json
from pipeline.core.times import format_time
from pipeline.core.urls import is_url, redact_url
from pipeline.download.fetch_audio import find_source_file, resolve_entry
from pipeline.download.http import fetch_document
from pipeline.download.retry import FetchPolicy
from pipeline.download.ytdlp import describe_media

RECORD = "captions.json"

# What we can read, in the order in which we like it.
FORMATS = ("vtt", "srt", "json")

# Captions may outlast the sound a little, and need not reach to the end of the music.
SLACK_SECONDS, SHORT_SHARE = 5.0, 0.8


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

    They are fetched once per audio version, within `limiter`, and never when `offline`. InputError where that fails.
    """
    key = hashlib.sha256(f"{source}\n{entry or ''}\n{language or ''}\n{audio_sha256}".encode()).hexdigest()
    record = folder / RECORD
    if (known := _read_known(record)).get("made_for") == key:
        kept = folder / Path(str(known["file"])).name if known.get("file") else None
        # Records of before told no digest.
        if kept is None or (kept.is_file() and known.get("sha256") in {None, sha256_of(kept)}):
            return kept
    networked = is_url(source) or entry is not None
    if networked and offline:
        return None
    try:
        with limiter if limiter is not None and networked else nullcontext():
            found = _find(source, entry, root, replace(policy, user_url=source), language)
    except InputError as error:
        raise InputError(f"no captions: {error} (without --captions the speech is recognised)") from error
    path = None
    if found is not None:
        content, suffix, facts = found
        path = folder / f"captions{suffix}"
        write_bytes(path, content)
    for old in folder.glob("captions.*"):
        if old.name not in {path.name if path else "", RECORD}:
            old.unlink()
    fetched = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    facts = {"file": path.name, "sha256": sha256_of(path), **found[2]} if path and found else {"file": None}
    write_json(record, {**facts, "fetched": fetched, "made_for": key})
    return path


def _read_known(record: Path) -> dict[str, Any]:
    """What is known of the captions asked for last; nothing where it is damaged, so that they are asked for again."""
    try:
        return read_json(record) if record.is_file() else {}
    except InputError:
        return {}


def _find(
    source: str, entry: str | None, root: Path, policy: FetchPolicy, language: str | None
) -> tuple[bytes, str, dict[str, Any]] | None:
    """The captions' bytes, their ending, and what is known of them."""
    local = find_source_file(source, root)
    if local is not None and entry is None:
        beside = (local.with_suffix(f".{ending}") for ending in FORMATS)
        path = next((path for path in beside if path.is_file()), None)
        return (path.read_bytes(), path.suffix, {"from": path.name}) if path else None
    meant = resolve_entry(source, entry, root, policy)
    if meant.metadata.captions is not None:
        url, facts = meant.metadata.captions, {"language": meant.metadata.language, "automatic": False}
    elif entry is not None and not meant.has_page:
        return None
    else:
        chosen = choose_captions(describe_media(meant.source, policy), language)
        if chosen is None:
            return None
        url, facts = chosen
    if find_source_file(url, root) is not None:
        return None
    fetched = fetch_document(url, policy=policy)
    if fetched is None:
        return None
    suffix = _tell_format(fetched.content)
    if suffix is None:
        raise InputError(f"the captions {redact_url(url)} are neither WebVTT, SubRip nor JSON")
    known = {name: value for name, value in facts.items() if value is not None}
    return fetched.content, suffix, {"from": redact_url(url), **known}


def choose_captions(info: Mapping[str, Any], language: str | None) -> tuple[str, dict[str, Any]] | None:
    """Return the address of a page's captions and what they are; None where it has none in the language spoken.

    A person's captions go before a machine's, the spoken language's own before a translation.
    """
    spoken = language or info.get("language") or "en"
    for kind, automatic in (("subtitles", False), ("automatic_captions", True)):
        offered: Mapping[str, Any] = info.get(kind) or {}
        # YouTube marks the captions of what is really spoken; all others are machine translations of them.
        names = [f"{spoken}-orig", spoken, *(name for name in offered if name.partition("-")[0] == spoken)]
        for name in names:
            for ending in FORMATS[:2]:
                for one in offered.get(name) or []:
                    if one.get("ext") == ending and one.get("url"):
                        return str(one["url"]), {"language": name, "automatic": automatic}
    return None


def _tell_format(content: bytes) -> str | None:
    head = content.lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"WEBVTT"):
        return ".vtt"
    if head[:1] in (b"{", b"["):
        return ".json"
    return ".srt" if b"-->" in head[:4096] else None


def check_captions(transcript: Transcript, seconds: float) -> list[str]:
    """Return what looks as if captions were made for another rendition than the audio of so many seconds."""
    end = transcript.duration or 0.0
    if end > seconds + SLACK_SECONDS:
        return [
            f"the captions go on to {format_time(end)}, but the audio ends at {format_time(seconds)}: starts may be off"
        ]
    if end < SHORT_SHARE * seconds:
        return [f"the captions end at {format_time(end)} of {format_time(seconds)}: what comes later cannot be found"]
    return []
