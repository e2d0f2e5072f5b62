"""Progress on a terminal and in a log."""

import io

import pytest

from pipeline.cli.progress import ConsoleReporter, PlainConsole
from pipeline.core.text import printable
from pipeline.runs.result import StageResult


def test_log_shows_one_progress_line_a_minute(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("pipeline.cli.progress.time.monotonic", lambda: now[0])
    reporter = ConsoleReporter()
    reporter.stage_started("ep1", "transcribe", "not done yet")
    for second in range(0, 180, 20):
        now[0] = 1000.0 + second
        reporter.stage_progress(second, 240)
    reporter.stage_ended(StageResult("ep1", "transcribe", "not done yet", 180.0))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "ep1: transcribe (not done yet)",
        "ep1: transcribe: 25% (1:00 of audio, 1.0 times real time), about 3:00 left",
        "ep1: transcribe: 50% (2:00 of audio, 1.0 times real time), about 2:00 left",
        "ep1: transcribe done in 180.0 s",
    ]


def test_terminal_shows_a_bar_with_time_left() -> None:
    reporter = ConsoleReporter()
    screen = io.StringIO()
    reporter.console = PlainConsole(file=screen, force_terminal=True, width=80)
    reporter.stage_started("ep1", "transcribe", "not done yet")
    for second in range(0, 101, 10):
        reporter.stage_progress(second, 100)
    reporter.close()
    assert "100%" in screen.getvalue()
    assert "0:00:00" in screen.getvalue()


def test_quiet_prints_only_warnings_and_errors(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = ConsoleReporter(quiet=True)
    reporter.stage_started("ep1", "align", "not done yet")
    reporter.stage_progress(1, 2)
    reporter.stage_ended(StageResult("ep1", "align", "not done yet", 1.0))
    reporter.warn("ep1", "look here")
    reporter.stage_ended(StageResult("ep1", "publish", "not done yet", 1.0, "disk full"))
    assert capsys.readouterr().err.splitlines() == [
        "ep1: warning: look here",
        "error: ep1: publish failed: disk full",
    ]


def test_warning_about_a_file_name_of_two_lines_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    ConsoleReporter().warn("a\nb", "a\nb.yaml is not read")
    assert capsys.readouterr().err.splitlines() == ["a�b: warning: a�b.yaml is not read"]


def test_control_codes_are_replaced() -> None:
    assert printable("a\x1b[31mb\x07\u202ec") == "a�[31mb�c".replace("�c", "��c")


def test_terminal_shows_a_bar_for_each_episode(monkeypatch: pytest.MonkeyPatch) -> None:
    reporter = ConsoleReporter()
    monkeypatch.setattr(type(reporter.console), "is_terminal", property(lambda self: True))
    for name in ("ep1", "ep2"):
        reporter.stage_started(name, "transcribe", "not done yet")
        reporter.episode_progress(name, 1.0, 4.0)
    assert reporter._bar is not None
    assert [(task.description, task.percentage) for task in reporter._bar.tasks] == [
        ("ep1: transcribe", 25.0), ("ep2: transcribe", 25.0),
    ]  # fmt: skip
    reporter.stage_ended(StageResult("ep1", "transcribe", "", 1.0))
    assert [task.description for task in reporter._bar.tasks] == ["ep2: transcribe"]
    reporter.stage_ended(StageResult("ep2", "transcribe", "", 1.0))
    assert reporter._bar is None
