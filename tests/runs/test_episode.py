"""What an episode's worker tells reaches the run's own reporter, and not more often than anybody can see."""

from typing import Any

import pytest

from pipeline.runs.episode import ReporterProxy
from pipeline.runs.job import StageResult
from tests.support.project import RecordingReporter


def test_what_is_told_is_passed_on_with_the_episode_s_id() -> None:
    sent: list[tuple[Any, ...]] = []
    proxy, ended = ReporterProxy(sent.append, "one"), StageResult("one", "align", "not done yet", 1.5)
    proxy.stage_started("one", "align", "not done yet")
    proxy.stage_progress(1.0, 2.0)
    proxy.stage_ended(ended)
    proxy.warn("one", "odd")
    notes = RecordingReporter()
    for name, *arguments in sent:
        getattr(notes, name)(*arguments)
    assert notes.started == [("one", "align", "not done yet")]
    assert (notes.results, notes.warnings) == ([ended], ["one: odd"])


def test_progress_is_told_four_times_a_second_and_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(n / 10 for n in range(10, 100))
    monkeypatch.setattr("pipeline.runs.episode.time.monotonic", lambda: next(clock))
    sent: list[tuple[Any, ...]] = []
    proxy = ReporterProxy(sent.append, "one")
    for done in range(11):
        proxy.stage_progress(float(done), 10.0)
    assert len(sent) <= 6
    assert sent[-1] == ("episode_progress", "one", 10.0, 10.0)
