"""The record of an episode's audio."""

import hashlib
import json
import os
import re
import shutil
import statistics
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.core.errors import InputError
from pipeline.core.schema import Alignment, Feature
from pipeline.core.storage import dump_json, read_record, sha256_of, write_bytes
from pipeline.core.times import format_time
from pipeline.download.integrity import measure_sound

METADATA = "audio.json"


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
        return read_record(folder / METADATA, parse)
    except InputError as error:
        raise InputError(f"{folder / METADATA} is damaged: `catalog download {folder.name}` makes it again") from error


DAMAGED = f"{METADATA}.damaged"
_FIELD = re.compile(r' "(?P<name>\w+)": (?P<value>.*?),?')
_FACTS = ("file", "sha256", "duration", "source")


def mend_record(folder: Path, source: str, known: Mapping[str, str]) -> str | None:
    """Write `audio.json` anew from the audio beside it, and from those of its own lines that can still be read.

    `source` is where it came from, without secrets. `known` has the SHA-256 of both files, by name, as the download
    left them: only audio that is still of its digest is trusted.

    Returns what a person should know, empty where the record is again what it was, byte for byte; None where nothing
    was done, since the audio was harmed too or is gone. A record that is not as it was is kept as `audio.json.damaged`.
    """
    names = [name for name in known if name != METADATA and (folder / name).is_file()]
    if len(names) != 1 or METADATA not in known or sha256_of(folder / names[0]) != known[names[0]]:
        return None
    record, audio = folder / METADATA, folder / names[0]
    harmed = record.read_bytes()
    facts = {
        "file": audio.name,
        "sha256": known[audio.name],
        "duration": round(measure_sound(audio).seconds, 3),
        "source": source,
    }
    said = {name: value for name, value in read_fields(harmed).items() if name not in _FACTS}
    mended = dump_json({**facts, **said}).encode()
    exact = hashlib.sha256(mended).hexdigest() == known[METADATA]
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


RENDITIONS = "renditions"

# Whisper places the same words a little differently in another encoding: less than this is no move.
STILL_SECONDS = 1.0


def keep_rendition(audio: Path, record: Path, sha256: str) -> None:
    """Keep an audio file and what is known of it, beside them under `renditions/`, before others take their places."""
    folder = audio.parent / RENDITIONS / sha256[:12]
    kept = folder / audio.name
    folder.mkdir(parents=True, exist_ok=True)
    if not kept.exists():
        try:
            os.link(audio, kept)
        except OSError:
            shutil.copyfile(audio, kept)
    write_bytes(folder / record.name, record.read_bytes())


def drop_renditions(folder: Path) -> None:
    """Take away the renditions that nothing made from them needs any more."""
    shutil.rmtree(folder / RENDITIONS, ignore_errors=True)


def describe_moves(
    before: dict[str, Any], features: Sequence[Feature], alignment: Alignment, audio_sha256: str | None
) -> str | None:
    """Return by how much starts moved since the alignment file `before`, in words; None where the audio is the same.

    ValueError, KeyError or TypeError where `before` is not what we wrote.
    """
    old = before["provenance"]["audio_sha256"]
    if old is None or audio_sha256 is None or old == audio_sha256:
        return None
    starts = {
        (feature["feature_id"], feature["title"]): placement["start"]
        for feature, placement in zip(before["features"], before["placements"], strict=True)
    }
    moves = [
        placement.start - was
        for feature, placement in zip(features, alignment.placements, strict=True)
        if placement.start is not None and (was := starts.get((feature.feature_id, feature.title))) is not None
    ]
    if not moves:
        return "the audio changed; no start was found in both renditions"
    moved = [move for move in moves if abs(move) >= STILL_SECONDS]
    if not moved:
        return f"the audio changed; none of {len(moves)} starts moved"
    middle, least, most = statistics.median(moved), min(moved), max(moved)
    return (
        f"the audio changed: {len(moved)} of {len(moves)} starts moved, {_signed(middle)} at the median "
        f"(from {_signed(least)} to {_signed(most)})"
    )


def _signed(seconds: float) -> str:
    return f"{'-' if seconds < 0 else '+'}{format_time(abs(seconds))}"
