"""An episode's audio file and its record, `audio.json`: store, read and repair them, and keep the previous version."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.core.errors import InputError
from pipeline.core.storage import atomic_write, dump_json, read_record, sha256_of, write_bytes, write_json
from pipeline.core.urls import redact_url
from pipeline.download.integrity import measure_audio
from pipeline.download.metadata import Metadata

# The record next to the audio: the fields of `Audio`, when it was fetched, and the publisher's metadata.
AUDIO_RECORD = "audio.json"

# A record that could not be repaired in full is kept under this name.
CORRUPTED_RECORD = f"{AUDIO_RECORD}.damaged"

# The folder of the audio's previous versions; the name is that of version 0.1.0.
PREVIOUS_VERSIONS = "renditions"

# How many hexadecimal digits of the SHA-256 name the folder of a previous version.
_NAME_DIGITS = 12

# The fields that are known from the audio itself and the episode's settings.
_AUDIO_FIELDS = ("file", "sha256", "duration", "source")

# A line of `dump_json`: one field.
_FIELD_LINE = re.compile(r' "(?P<name>\w+)": (?P<value>.*?),?')


@dataclass(frozen=True, slots=True)
class Audio:
    """An episode's audio: its file, SHA-256, seconds of sound, and the source it was fetched from."""

    path: Path
    sha256: str
    duration: float
    source: str


@dataclass(frozen=True, slots=True)
class RepairedRecord:
    """A repaired record; `warning` says what may be missing, empty where it equals the original byte for byte."""

    warning: str = ""


def read_audio(folder: Path) -> Audio:
    """Return the audio that `store_audio` left in `folder`; InputError where its record is missing or corrupted."""

    def parse(record: dict[str, Any]) -> Audio:
        return Audio(folder / record["file"], record["sha256"], record["duration"], record["source"])

    try:
        return read_record(folder / AUDIO_RECORD, parse)
    except InputError as error:
        raise InputError(
            f"{folder / AUDIO_RECORD} is damaged", f"run `catalog download {folder.name}` to repair it"
        ) from error


def store_audio(
    fetched: Path, folder: Path, suffix: str, source: str, seconds: float, metadata: Metadata, *, move: bool
) -> Audio:
    """Move (or else link or copy) checked audio to `folder/audio<suffix>`, and write its record.

    Different audio that is in `folder` already is kept as a previous version.
    """
    path, record = folder / f"audio{suffix}", folder / AUDIO_RECORD
    audio = Audio(path, sha256_of(fetched), round(seconds, 3), source)
    previous = _read_previous(folder)
    # A file whose checksum is not the recorded one is corrupted, and no version that was in use.
    if previous is not None and previous.sha256 != audio.sha256 and _checksum_ok(previous):
        keep_previous_version(previous.path, record, previous.sha256)
    if move:
        os.replace(fetched, path)
    else:
        _link_or_copy(fetched, path)
    facts = {"file": path.name, "sha256": audio.sha256, "duration": audio.duration, "source": redact_url(source)}
    fetched_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    write_json(record, {**facts, "fetched": fetched_at, **metadata.to_json()})
    for old in folder.glob("audio.*"):
        if old.name not in {path.name, AUDIO_RECORD}:
            old.unlink()
    return audio


def _read_previous(folder: Path) -> Audio | None:
    """The audio that the folder holds; None where there is none, or its record is corrupted."""
    try:
        return read_audio(folder) if (folder / AUDIO_RECORD).is_file() else None
    except InputError:
        return None


def _checksum_ok(audio: Audio) -> bool:
    return audio.path.is_file() and sha256_of(audio.path) == audio.sha256


def _link_or_copy(source: Path, target: Path) -> None:
    """Make `target` a hard link of `source`, or a copy where the file system has no links between the two."""
    if target.exists() and target.samefile(source):
        return
    with atomic_write(target) as temporary:
        temporary.unlink()
        try:
            os.link(source, temporary)
        except OSError:
            shutil.copyfile(source, temporary)


def repair_record(folder: Path, source: str, digests: Mapping[str, str]) -> RepairedRecord | None:
    """Rebuild a corrupted `audio.json` from the audio next to it and from those of its own lines that can be parsed.

    Args:
        folder: where the record and the audio are.
        source: the episode's source, without secrets.
        digests: the SHA-256 of both files, by name, as the download left them. Audio with another digest is not used.

    Returns:
        None where nothing was changed, because the audio is corrupted or missing as well. A record that could not be
        restored byte for byte is kept as CORRUPTED_RECORD.
    """
    names = [name for name in digests if name != AUDIO_RECORD and (folder / name).is_file()]
    if len(names) != 1 or AUDIO_RECORD not in digests or sha256_of(folder / names[0]) != digests[names[0]]:
        return None
    record, audio = folder / AUDIO_RECORD, folder / names[0]
    corrupted = record.read_bytes()
    facts = {
        "file": audio.name,
        "sha256": digests[audio.name],
        "duration": round(measure_audio(audio).seconds, 3),
        "source": source,
    }
    metadata = {name: value for name, value in read_fields(corrupted).items() if name not in _AUDIO_FIELDS}
    repaired = dump_json({**facts, **metadata}).encode()
    exact = hashlib.sha256(repaired).hexdigest() == digests[AUDIO_RECORD]
    if not exact:
        write_bytes(folder / CORRUPTED_RECORD, corrupted)
    write_bytes(record, repaired)
    if exact:
        return RepairedRecord()
    return RepairedRecord(
        f"{record} was changed or damaged and is repaired from the audio, but the publisher's metadata may be "
        f"incomplete: the damaged file is kept as {CORRUPTED_RECORD}; `catalog download {folder.name} --force` fetches "
        "the metadata again"
    )


def read_fields(content: bytes) -> dict[str, Any]:
    """Return the fields of a file of `dump_json` that can still be parsed, whatever the other lines hold."""
    fields: dict[str, Any] = {}
    entries: list[Any] | None = None
    for line in content.decode(errors="replace").split("\n"):
        with suppress(ValueError, RecursionError):
            if field := _FIELD_LINE.fullmatch(line):
                # `dump_json` writes a list of records with a line for each.
                entries = [] if field["value"] == "[" else None
                fields[field["name"]] = json.loads(field["value"]) if entries is None else entries
            elif entries is not None and line.startswith("  "):
                entries.append(json.loads(line.rstrip(",")))
    return fields


def keep_previous_version(audio: Path, record: Path, sha256: str) -> None:
    """Keep an audio file and its record under PREVIOUS_VERSIONS, before others replace them."""
    folder = audio.parent / PREVIOUS_VERSIONS / sha256[:_NAME_DIGITS]
    kept = folder / audio.name
    folder.mkdir(parents=True, exist_ok=True)
    if not kept.exists():
        _link_or_copy(audio, kept)
    write_bytes(folder / record.name, record.read_bytes())


def remove_previous_versions(folder: Path) -> None:
    """Remove the previous versions of an episode's audio; call it when the new one is transcribed."""
    shutil.rmtree(folder / PREVIOUS_VERSIONS, ignore_errors=True)
