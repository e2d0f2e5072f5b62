"""Convert the records of `pipeline.core.schema` to JSON and back: the formats of the files between stages.

The readers raise KeyError, TypeError or ValueError for another format; `pipeline.core.storage.read_record` turns these
into an error that names the file.
"""

import dataclasses
from collections.abc import Iterable
from typing import Any

from pipeline.core.schema import Alignment, Feature, Method, Placement, Segment, Status, Transcript, Word

# The fields of a segment that are left out where they are false or empty.
_OPTIONAL = {"suspect", "speaker"}


def transcript_to_json(transcript: Transcript) -> dict[str, Any]:
    """Return the transcript in the format of `data/processed/transcripts/<id>.json`."""
    header = {
        "language": transcript.language,
        "duration": transcript.duration,
        "source": transcript.source,
        "model": transcript.model,
        "audio_sha256": transcript.audio_sha256,
        "engine": transcript.engine,
        "remarks": transcript.remarks,
    }
    return {**header, "segments": segments_to_json(transcript.segments)}


def transcript_from_json(value: dict[str, Any]) -> Transcript:
    """Return the transcript that `transcript_to_json` wrote."""
    return Transcript(
        segments_from_json(value["segments"]),
        value["language"],
        value["duration"],
        value["source"],
        value["model"],
        value["audio_sha256"],
        value.get("engine"),
        tuple(value.get("remarks", ())),
    )


def segments_to_json(segments: Iterable[Segment]) -> list[dict[str, Any]]:
    """Return segments as JSON objects; `suspect` and `speaker` are written only where they say something."""
    records = [dataclasses.asdict(segment) for segment in segments]
    return [{name: value for name, value in record.items() if value or name not in _OPTIONAL} for record in records]


def segments_from_json(value: list[dict[str, Any]]) -> tuple[Segment, ...]:
    """Return the segments that `segments_to_json` wrote."""
    return tuple(
        Segment(
            segment["start"],
            segment["end"],
            segment["text"],
            tuple(Word(**word) for word in segment["words"]),
            segment.get("suspect", False),
            segment.get("speaker"),
        )
        for segment in value
    )


def alignment_to_json(alignment: Alignment) -> list[dict[str, Any]]:
    """Return the placements as JSON objects, in list order."""
    return [dataclasses.asdict(placement) for placement in alignment.placements]


def alignment_from_json(value: list[dict[str, Any]]) -> Alignment:
    """Return the alignment that `alignment_to_json` wrote."""
    return Alignment(
        tuple(
            Placement(
                **{
                    **placement,
                    "status": Status(placement["status"]),
                    "method": Method(placement["method"]),
                    "alternatives": tuple(placement["alternatives"]),
                }
            )
            for placement in value
        )
    )


def features_to_json(features: Iterable[Feature]) -> list[dict[str, Any]]:
    """Return the entries as JSON objects, in list order."""
    return [dataclasses.asdict(feature) for feature in features]


def features_from_json(value: list[dict[str, Any]]) -> tuple[Feature, ...]:
    """Return the entries that `features_to_json` wrote."""
    return tuple(Feature(**feature) for feature in value)
