"""Everything published of an episode is written, whole, and the same each time."""

from pathlib import Path

import pytest
from mutagen.mp3 import MP3

from pipeline.publish.formats import FORMATS, TAGGED_AUDIO, publish_notes
from tests.support.files import silent_mp3
from tests.support.project import LINES, make_transcript
from tests.support.rows import titled_rows

TRANSCRIPT = make_transcript(LINES, seconds_a_line=60.0)


def publish(folder: Path, audio: Path | None = None) -> list[str]:
    told: list[str] = []
    publish_notes(
        titled_rows("Sort by date", "Dark theme", "Limits"), TRANSCRIPT, folder, audio=audio, warn=told.append
    )
    return told


def test_every_file_is_written_and_says_something(tmp_path: Path) -> None:
    assert publish(tmp_path) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FORMATS)
    assert all(path.stat().st_size > 50 for path in tmp_path.iterdir())


def test_the_same_inputs_give_the_same_bytes(tmp_path: Path) -> None:
    source = silent_mp3(tmp_path / "talk.mp3")
    for name in ("a", "b"):
        publish(tmp_path / name, source)
    for name in (*FORMATS, TAGGED_AUDIO):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def test_an_mp3_gets_its_chapters_in_a_copy(tmp_path: Path) -> None:
    source = silent_mp3(tmp_path / "talk.mp3")
    before = source.read_bytes()
    publish(tmp_path / "notes", source)
    assert source.read_bytes() == before
    tags = MP3(tmp_path / "notes" / TAGGED_AUDIO).tags
    assert tags is not None
    assert len(tags.getall("CHAP")) == 3


def test_what_a_format_s_rules_changed_is_told(tmp_path: Path) -> None:
    told: list[str] = []
    publish_notes(titled_rows("Sort by date"), TRANSCRIPT, tmp_path, warn=told.append)
    assert told == ["chapters-youtube.txt: 2 chapters: YouTube wants 3 or more, so none are written"]
    assert (tmp_path / "chapters-youtube.txt").read_text() == ""


@pytest.mark.parametrize("title", ["=1+1", "</script>", "a\nb", "\ud800"])
def test_no_title_breaks_a_file(tmp_path: Path, title: str) -> None:
    publish_notes(titled_rows(title, "Dark theme", "Limits"), TRANSCRIPT, tmp_path, warn=lambda note: None)
    assert len(list(tmp_path.iterdir())) == len(FORMATS)
