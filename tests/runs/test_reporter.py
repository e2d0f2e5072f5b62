"""A worker's calls of its reporter reach the reporter of the run; progress is passed on a few times a second."""

import pickle

import pytest

from pipeline.runs.reporter import PROGRESS_INTERVAL_S, Reporter, ReporterEvent, ReporterProxy
from pipeline.runs.result import StageResult
from tests.support.project import RecordingReporter


def test_proxied_calls_reach_the_reporter() -> None:
    sent: list[ReporterEvent] = []
    proxy, ended = ReporterProxy(sent.append, "one"), StageResult("one", "align", "not done yet", 1.5)
    proxy.stage_started("one", "align", "not done yet")
    proxy.stage_progress(1.0, 2.0)
    proxy.stage_ended(ended)
    proxy.warn("one", "odd")
    proxy.note("one", "fine")
    recorder = RecordingReporter()
    for event in pickle.loads(pickle.dumps(sent)):
        event(recorder)
    assert recorder.started == [("one", "align", "not done yet")]
    assert recorder.progress == [("one", 1.0, 2.0)]
    assert (recorder.results, recorder.warnings, recorder.notes) == ([ended], ["one: odd"], ["one: fine"])


def test_progress_is_sent_four_times_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    assert PROGRESS_INTERVAL_S == 0.25
    clock = iter(n / 10 for n in range(10, 100))
    monkeypatch.setattr("pipeline.runs.reporter.time.monotonic", lambda: next(clock))
    recorder = RecordingReporter()
    proxy = ReporterProxy(lambda event: event(recorder), "one")
    for done in range(11):
        proxy.stage_progress(float(done), 10.0)
    assert len(recorder.progress) <= 6
    assert recorder.progress[-1] == ("one", 10.0, 10.0)


def test_base_reporter_ignores_all_calls() -> None:
    reporter = Reporter()
    reporter.stage_progress(1.0, 2.0)
    reporter.warn("one", "odd")
    reporter.note("one", "fine")
