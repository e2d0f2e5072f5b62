"""Reasons why the stages of one episode run, and errors in one line."""

from pipeline.core.project import Project
from pipeline.runs.workflow import list_stage_statuses
from tests.support.files import silent_mp3
from tests.support.project import (
    DEMO_AUDIO,
    FakeTranscriber,
    RecordingReporter,
    run,
)


def test_every_reason_is_given_once(project: Project, transcriber: FakeTranscriber) -> None:
    run(project, transcriber)
    settings = project.episode("one")
    settings.write_text(settings.read_text().replace("Episode one", "Kites").replace("2026-11-02", "2026-11-09"))
    (publish,) = [one.reason for one in list_stage_statuses(project, ["one"], RecordingReporter()) if one.stale]
    assert publish == "title changed from Episode one to Kites; published date changed from 2026-11-02 to 2026-11-09"
    settings.write_text(settings.read_text().replace(str(DEMO_AUDIO), str(silent_mp3(project.root / "talk.mp3"))))
    download = list_stage_statuses(project, ["one"], RecordingReporter())[0].reason
    assert download.startswith("source changed")
    assert ";" not in download
