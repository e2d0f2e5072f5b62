"""Any file pair becomes a catalog, without a project."""

import json
from pathlib import Path

import pytest

from pipeline.core.errors import InputError
from pipeline.core.serialization import transcript_to_json
from pipeline.core.storage import sha256_of
from pipeline.standalone import FileCatalog, locate_features, name_episode
from tests.support.files import write_srt
from tests.support.project import DEMO_AUDIO, LINES, PAGE, FakeTranscriber, make_transcript


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "list.txt"
    path.write_text(PAGE)
    return path


def locate(media: Path, features: Path, transcriber: FakeTranscriber) -> FileCatalog:
    return locate_features(
        media, features, transcriber=transcriber, language=None, on_progress=lambda done, total: None
    )


def test_audio_is_transcribed_and_its_digest_recorded(page: Path, transcriber: FakeTranscriber) -> None:
    located = locate(DEMO_AUDIO, page, transcriber)
    assert transcriber.calls == [DEMO_AUDIO]
    assert [row.start_s is not None for row in located.rows] == [True, True]
    assert located.rows[0].audio_sha256 == sha256_of(DEMO_AUDIO)
    assert (located.rows[0].episode_id, located.rows[0].model) == ("audio", "fake")


def test_captions_replace_audio(tmp_path: Path, page: Path, transcriber: FakeTranscriber) -> None:
    rows = locate(write_srt(tmp_path / "My Talk (1).srt"), page, transcriber).rows
    assert transcriber.calls == []
    assert [row.start_s for row in rows] == [10.0, 30.0]
    assert (rows[0].transcript_source, rows[0].model, rows[0].episode_id) == ("file", "", "my-talk-1")


def test_own_transcript_file_is_accepted(tmp_path: Path, page: Path, transcriber: FakeTranscriber) -> None:
    path = tmp_path / "talk.json"
    path.write_text(json.dumps(transcript_to_json(make_transcript(LINES))))
    assert all(row.start_s is not None for row in locate(path, page, transcriber).rows)


def test_other_language_gives_a_warning(tmp_path: Path, page: Path, transcriber: FakeTranscriber) -> None:
    path = tmp_path / "talk.json"
    path.write_text(json.dumps({**transcript_to_json(make_transcript(LINES)), "language": "de"}))
    assert any("the transcript is in 'de'" in warning for warning in locate(path, page, transcriber).warnings)


def test_empty_transcript_finds_nothing_and_warns(tmp_path: Path, page: Path, transcriber: FakeTranscriber) -> None:
    (tmp_path / "silent.srt").write_text("")
    located = locate(tmp_path / "silent.srt", page, transcriber)
    rows = located.rows
    assert "the transcript silent.srt holds no words: check that it is the right file" in located.warnings
    assert [(row.status, row.start_s) for row in rows] == [("not_found", None)] * 2
    assert all(row.reason for row in rows)


def test_bad_list_is_refused_before_transcribing(tmp_path: Path, transcriber: FakeTranscriber) -> None:
    with pytest.raises(InputError, match="nowhere.txt cannot be read"):
        locate(DEMO_AUDIO, tmp_path / "nowhere.txt", transcriber)
    assert transcriber.calls == []


def test_missing_media_file_is_named(tmp_path: Path, page: Path, transcriber: FakeTranscriber) -> None:
    with pytest.raises(InputError, match=r"talk\.mp3 is not there"):
        locate(tmp_path / "talk.mp3", page, transcriber)


@pytest.mark.parametrize(
    ("name", "episode_id"),
    [("Ep 12!.mp3", "ep-12"), ("ep_12.mp3", "ep_12"), ("Übung 3.mp3", "ubung-3"), ("???.mp3", "episode")],
)
def test_episode_id_comes_from_the_file_name(name: str, episode_id: str) -> None:
    assert name_episode(Path(name)) == episode_id
