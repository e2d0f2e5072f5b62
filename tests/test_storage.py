"""Files are written whole or not at all, and records come back as they were."""

from pathlib import Path

import pytest
from conftest import LINES, spoken

from pipeline.errors import InputError
from pipeline.schema import Alignment, Feature, Method, Placement, Status
from pipeline.storage import (
    alignment_from_json,
    alignment_to_json,
    features_from_json,
    features_to_json,
    read_json,
    transcript_from_json,
    transcript_to_json,
    write_bytes,
    write_json,
    write_whole,
)


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.txt"
    write_bytes(path, b"one")
    write_bytes(path, b"two")
    assert path.read_bytes() == b"two"
    assert [p.name for p in path.parent.iterdir()] == ["file.txt"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), write_whole(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("file.txt", "old")]


def test_a_written_file_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    write_bytes(tmp_path / "ours", b"")
    (tmp_path / "plain").write_bytes(b"")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_transcript_comes_back_as_it_was(tmp_path: Path) -> None:
    transcript = spoken(LINES)
    write_json(tmp_path / "t.json", transcript_to_json(transcript))
    assert transcript_from_json(read_json(tmp_path / "t.json")) == transcript


def test_a_transcript_file_has_a_line_for_each_segment(tmp_path: Path) -> None:
    write_json(tmp_path / "t.json", transcript_to_json(spoken(LINES)))
    lines = (tmp_path / "t.json").read_text().splitlines()
    assert sum("welcome to the kite show" in line for line in lines) == 1
    assert len([line for line in lines if line.startswith("  {")]) == len(LINES)


def test_an_alignment_and_its_list_come_back_as_they_were(tmp_path: Path) -> None:
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


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff", b'{"start": 1e400}', b'{"end": -Infinity}'])
def test_a_damaged_file_says_how_to_make_it_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t.json").write_bytes(content)
    with pytest.raises(InputError, match="--force"):
        read_json(tmp_path / "t.json")
