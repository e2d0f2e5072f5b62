"""An episode without audio: its settings name a transcript, and its page works without sound."""

import json
from pathlib import Path

import pytest

from pipeline.core.config import load_episode
from pipeline.core.errors import ConfigError, InputError
from pipeline.core.project import Project
from pipeline.core.serialization import transcript_from_json
from pipeline.core.storage import read_record
from pipeline.download.discovery import describe_source, make_settings, write_settings
from pipeline.download.retry import FetchPolicy
from pipeline.review.session import ReviewSession
from pipeline.runs.workflow import list_stage_statuses
from tests.support.project import LINES, PAGE, FakeTranscriber, RecordingReporter, make_transcript, run


@pytest.fixture
def heard(project: Project) -> Project:
    """The project, with the transcript of an episode and its list."""
    segments = [
        {"startTime": segment.start, "endTime": segment.end, "body": segment.text, "speaker": "Nora"}
        for segment in make_transcript(LINES).segments
    ]
    (project.root / "Kites at dawn.json").write_text(json.dumps({"version": "1.0.0", "segments": segments}))
    (project.root / "two.txt").write_text(PAGE)
    return project


def add_from_transcript(project: Project) -> None:
    source, entry, metadata = describe_source("Kites at dawn.json", None, project.root, FetchPolicy())
    settings = make_settings("two", source, entry, metadata, "two.txt")
    assert write_settings(project.episode("two"), settings)
    assert not write_settings(project.episode("two"), settings)


def test_transcript_as_source_makes_episode(heard: Project) -> None:
    add_from_transcript(heard)
    config = load_episode(heard.episode("two"))
    assert (config.title, config.source, config.transcript) == ("Kites at dawn", None, "Kites at dawn.json")
    (heard.root / "other.srt").touch()
    other = make_settings(
        "two", "other.srt", None, describe_source("other.srt", None, heard.root, FetchPolicy())[2], "x"
    )
    with pytest.raises(ConfigError, match="names another source"):
        write_settings(heard.episode("two"), other)


def test_episode_without_audio_is_cataloged(heard: Project) -> None:
    add_from_transcript(heard)
    transcriber, notes = FakeTranscriber(make_transcript(LINES)), RecordingReporter()
    result = run(heard, transcriber, "two", notes=notes)
    assert (result.exit_code, transcriber.calls) == (0, [])
    assert [stage for _, stage, _ in notes.started] == ["transcribe", "align", "publish"]
    rows = result.rows["two"]
    assert [row.start for row in rows] == ["0:00:10", "0:00:30"]
    assert {(row.transcript_source, row.audio_sha256) for row in rows} == {("file", None)}
    transcript = read_record(heard.transcript("two"), transcript_from_json)
    assert {segment.speaker for segment in transcript.segments} == {"Nora"}
    assert run(heard, transcriber, "two").stages == []
    assert not any(status.stale for status in list_stage_statuses(heard, ["two"], RecordingReporter()))


def test_page_without_audio_has_no_player(heard: Project) -> None:
    add_from_transcript(heard)
    heard.show.write_text(f"{heard.show.read_text()}site_audio: copy\n")
    assert run(heard, FakeTranscriber(make_transcript(LINES)), "two").exit_code == 0
    page = next(heard.site.rglob("two.html")).read_text()
    assert "Dark theme" in page or "dark theme" in page
    assert "<audio" not in page
    assert "<video" not in page


def test_review_without_audio_is_refused(heard: Project) -> None:
    add_from_transcript(heard)
    run(heard, FakeTranscriber(make_transcript(LINES)), "two")
    with pytest.raises(InputError, match="no audio to listen to: name its `source`"):
        ReviewSession.open(heard, "two")


def test_changed_transcript_is_read_again(heard: Project) -> None:
    add_from_transcript(heard)
    run(heard, FakeTranscriber(make_transcript(LINES)), "two")
    path = heard.root / "Kites at dawn.json"
    path.write_text(path.read_text().replace("Hello and welcome", "Good morning and welcome"))
    assert [stage.stage for stage in run(heard, FakeTranscriber(make_transcript(LINES)), "two").stages][:1] == [
        "transcribe"
    ]


def test_episode_without_audio_and_transcript_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "two.yaml"
    path.write_text("title: Two\nfeatures: two.txt\n")
    with pytest.raises(ConfigError, match="`transcript` and `source` are missing: name the audio, or the transcript"):
        load_episode(path)
