"""What people see: tables that fit, lines without a terminal, and nothing that could drive one."""

import io
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from rich.console import Console

from pipeline.cli import tables as console
from pipeline.cli.progress import ConsoleReporter
from pipeline.cli.tables import describe_files, print_episodes, print_hits, print_rows, print_status
from pipeline.core.text import printable
from pipeline.runs.result import StageResult
from pipeline.runs.workflow import StageStatus
from tests.support.rows import TABLE_ROWS as ROWS


def test_the_table_has_position_id_title_start_and_status(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows(ROWS)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["#", "id", "title", "start", "status"]
    assert lines[1].split() == ["1", "500111", "Title", "2:04", "confident"]
    assert lines[2].split() == ["2", "Title", "not_found"]


def test_a_long_title_is_cut_to_fit_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([replace(ROWS[0], title="A very long title indeed " * 20)])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert len(lines[1]) <= console.UNSTYLED_WIDTH
    assert "…" in lines[1]
    assert lines[1].endswith("confident")


def test_a_long_reason_leaves_the_names_of_episode_and_stage(capsys: pytest.CaptureFixture[str]) -> None:
    reason = "/a/long/path/to/configs/corrections/ep1.yaml line 2: " + "something is wrong with it, and " * 6
    print_status([StageStatus("ep1", "transcribe", True, reason)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:2] == ["ep1", "transcribe"]
    told = " ".join(lines[1:]).replace("ep1 ", "", 1).replace("transcribe ", "", 1)
    assert " ".join(told.split()) == reason.strip()


def test_a_link_is_whole_below_its_title(capsys: pytest.CaptureFixture[str]) -> None:
    link = "https://example.org/shows/kites/" + "episodes/" * 6 + "ep12?t=124"
    row = {**asdict(ROWS[0]), "url": link, "title": "A very long title indeed " * 9}
    print_hits([row, {**row, "url": None, "title": "Short"}])
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines[1].split()[:3] == ["ep1", "2:04", "500111"]
    assert lines[2].strip() == link
    assert lines[3].endswith("Short")
    assert len(lines) == 4


def test_a_title_is_text_not_markup(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([replace(ROWS[0], title="By the [run]Book [/red] [bold]")])
    assert "By the [run]Book [/red] [bold]" in capsys.readouterr().out


def test_several_episodes_are_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    print_episodes({"ep1": ROWS, "ep2": ROWS[:1]})
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["ep1", "One", "2", "1", "0", "1", "0"]
    assert lines[2].split() == ["ep2", "One", "1", "1", "0", "0", "0"]


def test_control_codes_are_made_harmless() -> None:
    assert printable("a\x1b[31mb\x07\u202ec") == "a�[31mb�c".replace("�c", "��c")


def test_without_a_terminal_progress_is_a_line_a_minute(
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


def test_on_a_terminal_progress_is_a_bar_with_the_time_left() -> None:
    reporter = ConsoleReporter()
    screen = io.StringIO()
    reporter.console = Console(file=screen, force_terminal=True, width=80)
    reporter.stage_started("ep1", "transcribe", "not done yet")
    for second in range(0, 101, 10):
        reporter.stage_progress(second, 100)
    reporter.close()
    assert "100%" in screen.getvalue()
    assert "0:00:00" in screen.getvalue()


def test_quiet_says_only_warnings_and_errors(capsys: pytest.CaptureFixture[str]) -> None:
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


def test_files_are_named_from_the_project_s_folder() -> None:
    root = Path("/show")
    assert describe_files([root / "data" / "a.csv", Path("/else/b.csv")], root) == "wrote data/a.csv, /else/b.csv"
    assert describe_files([root / f"{n}" for n in range(9)], root).endswith("0, 1, 2, 3, 4, 4 more")
