"""The record of an episode's audio."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.core.errors import InputError
from pipeline.core.storage import dump_json, read_record, sha256_of, write_bytes
from pipeline.download.integrity import measure_audio

AUDIO_RECORD = "audio.json"


@dataclass(frozen=True, slots=True)
class Audio:
    """An episode's audio as it was fetched: its file, digest, seconds of sound, and where it came from."""

    path: Path
    sha256: str
    duration: float
    source: str


def read_audio(folder: Path) -> Audio:
    """Return what `download_audio` left in `folder`; InputError where its record is damaged."""

    def parse(record: dict[str, Any]) -> Audio:
        return Audio(folder / record["file"], record["sha256"], record["duration"], record["source"])

    try:
        return read_record(folder / AUDIO_RECORD, parse)
    except InputError as error:
        raise InputError(
            f"{folder / AUDIO_RECORD} is damaged: `catalog download {folder.name}` makes it again"
        ) from error


DAMAGED = f"{AUDIO_RECORD}.damaged"
_FIELD = re.compile(r' "(?P<name>\w+)": (?P<value>.*?),?')
_FACTS = ("file", "sha256", "duration", "source")


def repair_record(folder: Path, source: str, known: Mapping[str, str]) -> str | None:
    """Write `audio.json` anew from the audio beside it, and from those of its own lines that can still be read.

    `source` is where it came from, without secrets. `known` has the SHA-256 of both files, by name, as the download
    left them: only audio that is still of its digest is trusted.

    Returns what a person should know, empty where the record is again what it was, byte for byte; None where nothing
    was done, since the audio was harmed too or is gone. A record that is not as it was is kept as `audio.json.damaged`.
    """
    names = [name for name in known if name != AUDIO_RECORD and (folder / name).is_file()]
    if len(names) != 1 or AUDIO_RECORD not in known or sha256_of(folder / names[0]) != known[names[0]]:
        return None
    record, audio = folder / AUDIO_RECORD, folder / names[0]
    harmed = record.read_bytes()
    facts = {
        "file": audio.name,
        "sha256": known[audio.name],
        "duration": round(measure_audio(audio).seconds, 3),
        "source": source,
    }
    said = {name: value for name, value in read_fields(harmed).items() if name not in _FACTS}
    mended = dump_json({**facts, **said}).encode()
    exact = hashlib.sha256(mended).hexdigest() == known[AUDIO_RECORD]
    if not exact:
        write_bytes(folder / DAMAGED, harmed)
    write_bytes(record, mended)
    if exact:
        return ""
    return (
        f"{record} was changed or damaged, and is made again from the audio; what the publisher said of it may not be "
        f"whole: that file is kept as {DAMAGED}, and `catalog download {folder.name} --force` asks the publisher again"
    )


def read_fields(content: bytes) -> dict[str, Any]:
    """Return the fields of a JSON file of ours that can still be read, whatever became of the other lines."""
    fields: dict[str, Any] = {}
    entries: list[Any] | None = None
    for line in content.decode(errors="replace").split("\n"):
        with suppress(ValueError, RecursionError):
            if field := _FIELD.fullmatch(line):
                # A list of records has a line for each; see `dump_json`.
                entries = [] if field["value"] == "[" else None
                fields[field["name"]] = json.loads(field["value"]) if entries is None else entries
            elif entries is not None and line.startswith("  "):
                entries.append(json.loads(line.rstrip(",")))
    return fields


PREVIOUS_VERSIONS = "renditions"


def keep_previous_version(audio: Path, record: Path, sha256: str) -> None:
    """Keep an audio file and what is known of it, beside them under `renditions/`, before others take their places."""
    folder = audio.parent / PREVIOUS_VERSIONS / sha256[:12]
    kept = folder / audio.name
    folder.mkdir(parents=True, exist_ok=True)
    if not kept.exists():
        try:
            os.link(audio, kept)
        except OSError:
            shutil.copyfile(audio, kept)
    write_bytes(folder / record.name, record.read_bytes())


def remove_previous_versions(folder: Path) -> None:
    """Take away the renditions that nothing made from them needs any more."""
    shutil.rmtree(folder / PREVIOUS_VERSIONS, ignore_errors=True)
