"""Checkpoint files: the finished chunks of a transcription, from which an interrupted run resumes.

The format is that of version 0.1.0: `{"made_from", "begin", "end", "sha256", "segments"}`, one file per chunk.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from pipeline.core.errors import InputError
from pipeline.core.schema import Segment
from pipeline.core.serialization import segments_from_json, segments_to_json
from pipeline.core.storage import read_json, write_json
from pipeline.transcribe.chunking import Chunk


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The checkpoint files in a folder; `fingerprint` identifies everything that the words of a chunk depend on."""

    folder: Path
    fingerprint: str

    def save(self, chunk: Chunk, segments: Sequence[Segment]) -> None:
        """Write the segments of a chunk."""
        records = segments_to_json(segments)
        header = {"made_from": self.fingerprint, "begin": chunk.begin, "end": chunk.end}
        write_json(self._path(chunk), {**header, "sha256": _digest(records), "segments": records})

    def load(self, chunk: Chunk) -> list[Segment] | None:
        """Return the segments of a chunk; None if its file is missing, damaged, or has another fingerprint."""
        path = self._path(chunk)
        if not path.is_file():
            return None
        try:
            record = read_json(path)
            if (record["made_from"], record["begin"], record["end"]) != (self.fingerprint, chunk.begin, chunk.end):
                return None
            # A flipped bit in a word still parses, and would stay in the transcript.
            if record["sha256"] != _digest(record["segments"]):
                return None
            return list(segments_from_json(record["segments"]))
        except (InputError, KeyError, TypeError):
            return None

    def _path(self, chunk: Chunk) -> Path:
        return self.folder / f"{chunk.number:04}.json"


def _digest(records: list[dict[str, Any]]) -> str:
    return sha256(json.dumps(records, sort_keys=True).encode()).hexdigest()
