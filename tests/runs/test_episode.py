"""Reasons why the stages of one episode run, and errors in one line."""

from pipeline.core.config import ShowConfig
from pipeline.core.project import Project
from pipeline.runs.episode import TaskRunner, fail_task
from pipeline.runs.job import RunOptions, Task
from pipeline.runs.reporter import ReporterEvent
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
    statuses = list_stage_statuses(project, ["one"], RecordingReporter())
    (publish,) = [status.reason for status in statuses if status.stale]
    assert publish == "title changed from Episode one to Kites; published date changed from 2026-11-02 to 2026-11-09"
    settings.write_text(settings.read_text().replace(str(DEMO_AUDIO), str(silent_mp3(project.root / "talk.mp3"))))
    download = list_stage_statuses(project, ["one"], RecordingReporter())[0].reason
    assert download.startswith("source changed")
    assert ";" not in download


def test_task_runner_makes_one_transcriber_per_settings(project: Project, transcriber: FakeTranscriber) -> None:
    project.processed.mkdir(parents=True)
    made: list[ShowConfig] = []

    def make_transcriber(show: ShowConfig) -> FakeTranscriber:
        made.append(show)
        return transcriber

    runner, events = TaskRunner(make_transcriber), list[ReporterEvent]()
    task = Task(project, "one", ("download",), RunOptions(force=True))
    for name in ("A", "A", "B"):
        project.show.write_text(f"name: {name}\n")
        assert runner.run(task, events.append).failures == []
    assert [show.name for show in made] == ["A", "B"]
    recorder = RecordingReporter()
    for event in events:
        event(recorder)
    assert [(result.episode_id, result.stage) for result in recorder.results] == [("one", "download")] * 3


def test_failed_task_is_reported(project: Project) -> None:
    recorder = RecordingReporter()
    result = fail_task(Task(project, "one", ("align", "publish"), RunOptions()), "its worker died", recorder)
    assert result.failures == recorder.results
    assert (result.failures[0].stage, result.failures[0].error) == ("align", "its worker died")
