"""Records come back from their JSON as they were."""

import json
from pathlib import Path

from pipeline.core.schema import Alignment, Feature, Method, Placement, Segment, Status
from pipeline.core.serialization import (
    alignment_from_json,
    alignment_to_json,
    features_from_json,
    features_to_json,
    segments_from_json,
    segments_to_json,
    transcript_from_json,
    transcript_to_json,
)
from pipeline.core.storage import read_json, write_json
from tests.support.project import LINES, make_transcript


def test_transcript_round_trip(tmp_path: Path) -> None:
    transcript = make_transcript(LINES)
    write_json(tmp_path / "t.json", transcript_to_json(transcript))
    assert transcript_from_json(read_json(tmp_path / "t.json")) == transcript


def test_speaker_is_written_where_known() -> None:
    segments = (Segment(0.0, 1.0, "Hello.", speaker="Ann"), Segment(1.0, 2.0, "Bye."))
    records = segments_to_json(segments)
    assert [record.get("speaker") for record in records] == ["Ann", None]
    assert "speaker" not in records[1]
    assert segments_from_json(json.loads(json.dumps(records))) == segments


def test_transcript_file_has_one_line_per_segment(tmp_path: Path) -> None:
    write_json(tmp_path / "t.json", transcript_to_json(make_transcript(LINES)))
    lines = (tmp_path / "t.json").read_text().splitlines()
    assert sum("welcome to the kite show" in line for line in lines) == 1
    assert len([line for line in lines if line.startswith("  {")]) == len(LINES)


def test_alignment_and_list_round_trip(tmp_path: Path) -> None:
    features = (Feature(1, "A title — with “quotes”", "why", 500111, "v4.10", True, 12.0), Feature(2, "B"))
    alignment = Alignment(
        (
            Placement(1, 12.5, 30.0, Status.CONFIDENT, 0.97, Method.PHRASE, "why", "quote", (40.0,)),
            Placement(2, None, None, Status.NOT_FOUND, 0.8, Method.ORDER, "never named"),
        )
    )
    record = {"features": features_to_json(features), "placements": alignment_to_json(alignment)}
    write_json(tmp_path / "a.json", record)
    value = read_json(tmp_path / "a.json")
    assert features_from_json(value["features"]) == features
    assert alignment_from_json(value["placements"]) == alignment
