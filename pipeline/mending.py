"""Make the record beside fetched audio again, where it was harmed and the audio was not: nothing is fetched for it.

To fetch hundreds of megabytes again for a record of some lines would be the lesser evil: the publisher may by now serve
another rendition, or none.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pipeline.download import METADATA
from pipeline.soundness import measure_sound
from pipeline.storage import dump_json, sha256_of, write_bytes

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
