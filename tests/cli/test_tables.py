"""Tables fit any width, and no text from outside can drive a terminal."""

from dataclasses import asdict, replace
from pathlib import Path

import pytest

from pipeline.cli import tables as console
from pipeline.cli.tables import describe_files, print_episodes, print_hits, print_rows, print_status
from pipeline.runs.workflow import StageStatus
from tests.support.rows import TABLE_ROWS as ROWS


def test_rows_show_position_id_title_start_status(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows(ROWS)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["#", "id", "title", "start", "status"]
    assert lines[1].split() == ["1", "500111", "Title", "2:04", "confident"]
    assert lines[2].split() == ["2", "Title", "not_found"]


def test_long_title_is_cut_to_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([replace(ROWS[0], title="A very long title indeed " * 20)])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert len(lines[1]) <= console.UNSTYLED_WIDTH
    assert "…" in lines[1]
    assert lines[1].endswith("confident")


def test_long_reason_keeps_episode_and_stage(capsys: pytest.CaptureFixture[str]) -> None:
    reason = "/a/long/path/to/configs/corrections/ep1.yaml line 2: " + "something is wrong with it, and " * 6
    print_status([StageStatus("ep1", "transcribe", True, reason)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:2] == ["ep1", "transcribe"]
    shown = " ".join(lines[1:]).replace("ep1 ", "", 1).replace("transcribe ", "", 1)
    assert " ".join(shown.split()) == reason.strip()


def test_link_is_complete_below_its_title(capsys: pytest.CaptureFixture[str]) -> None:
    link = "https://example.org/shows/kites/" + "episodes/" * 6 + "ep12?t=124"
    row = {**asdict(ROWS[0]), "url": link, "title": "A very long title indeed " * 9}
    print_hits([row, {**row, "url": None, "title": "Short"}])
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines[1].split()[:3] == ["ep1", "2:04", "500111"]
    assert lines[2].strip() == link
    assert lines[3].endswith("Short")
    assert len(lines) == 4


def test_title_is_text_not_markup(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([replace(ROWS[0], title="By the [run]Book [/red] [bold]")])
    assert "By the [run]Book [/red] [bold]" in capsys.readouterr().out


def test_several_episodes_are_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    print_episodes({"ep1": ROWS, "ep2": ROWS[:1]})
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["ep1", "One", "2", "1", "0", "1", "0"]
    assert lines[2].split() == ["ep2", "One", "1", "1", "0", "0", "0"]


def test_files_are_named_relative_to_the_project() -> None:
    root = Path("/show")
    assert describe_files([root / "data" / "a.csv", Path("/else/b.csv")], root) == "wrote data/a.csv, /else/b.csv"
    assert describe_files([root / f"{n}" for n in range(9)], root).endswith("0, 1, 2, 3, 4, 4 more")
