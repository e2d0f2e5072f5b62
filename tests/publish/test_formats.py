"""The files beside an episode's catalog: all are written, with the same bytes each time."""

import json
from pathlib import Path

import pytest
from mutagen.mp3 import MP3

from pipeline.publish.formats import FORMATS, TAGGED_AUDIO, publish_notes
from tests.support.files import silent_mp3
from tests.support.project import LINES, make_transcript
from tests.support.rows import titled_rows

TRANSCRIPT = make_transcript(LINES, seconds_a_line=60.0)


def publish(folder: Path, audio: Path | None = None) -> list[str]:
    warnings: list[str] = []
    publish_notes(
        titled_rows("Sort by date", "Dark theme", "Limits"), TRANSCRIPT, folder, audio=audio, warn=warnings.append
    )
    return warnings


def test_every_format_is_written_with_content(tmp_path: Path) -> None:
    assert publish(tmp_path) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FORMATS)
    assert all(path.stat().st_size > 50 for path in tmp_path.iterdir())


def test_no_title_ends_the_script_element_of_a_page(tmp_path: Path) -> None:
    """People paste `video.jsonld` into a page of theirs; as JSON it still says the title."""
    title = "Sort </script><img src=x onerror=go()> by date"
    publish_notes(titled_rows(title, "Dark theme"), TRANSCRIPT, tmp_path, warn=lambda _: None)
    written = (tmp_path / "video.jsonld").read_text()
    assert "<" not in written
    assert title in json.loads(written)["description"]


def test_same_inputs_give_same_bytes(tmp_path: Path) -> None:
    source = silent_mp3(tmp_path / "talk.mp3")
    for name in ("a", "b"):
        publish(tmp_path / name, source)
    for name in (*FORMATS, TAGGED_AUDIO):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def test_mp3_gets_chapters_in_a_copy(tmp_path: Path) -> None:
    source = silent_mp3(tmp_path / "talk.mp3")
    before = source.read_bytes()
    publish(tmp_path / "notes", source)
    assert source.read_bytes() == before
    tags = MP3(tmp_path / "notes" / TAGGED_AUDIO).tags
    assert tags is not None
    assert len(tags.getall("CHAP")) == 3


def test_changes_by_youtube_rules_are_warned_of(tmp_path: Path) -> None:
    warnings: list[str] = []
    publish_notes(titled_rows("Sort by date"), TRANSCRIPT, tmp_path, warn=warnings.append)
    assert warnings == ["chapters-youtube.txt: no chapters are written: YouTube requires 3, and there are 2"]
    assert (tmp_path / "chapters-youtube.txt").read_text() == ""


@pytest.mark.parametrize("title", ["=1+1", "</script>", "a\nb", "\ud800"])
def test_any_title_leaves_all_files_written(tmp_path: Path, title: str) -> None:
    publish_notes(titled_rows(title, "Dark theme", "Limits"), TRANSCRIPT, tmp_path, warn=lambda note: None)
    assert len(list(tmp_path.iterdir())) == len(FORMATS)
