"""The commands `locate` and `features`: output, warnings, exit codes."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from pipeline.core.project import Project
from tests.support.command import catalog
from tests.support.files import write_srt
from tests.support.project import REPOSITORY


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    page = tmp_path / "list.txt"
    page.write_text(
        "Invoices can be sorted by due date | v4.10 #500111\nAt last.\n"
        "Dark theme in the mobile app | v4.10 #500122\nAs well.\n"
    )
    return write_srt(tmp_path / "talk.srt"), page


PAGE = "A thing | v4.10 #500111\nAbout it.\nAnother one | v4.10 #500111\nAbout that.\n"


@pytest.mark.parametrize("ending", ["csv", "parquet", "json"])
def test_locate_writes_catalog_and_prints_table(tmp_path: Path, pair: tuple[Path, Path], ending: str) -> None:
    output = tmp_path / f"out.{ending}"
    result = catalog("locate", *pair, "--output", output)
    assert (result.returncode, result.stderr) == (0, "")
    assert output.stat().st_size > 100
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["#", "id", "title", "start", "status"]
    assert lines[-1] == f"wrote {output}"


def test_locate_prints_json(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    result = catalog("locate", *pair, "--output", tmp_path / "out.csv", "--json")
    assert [row["feature_id"] for row in json.loads(result.stdout)] == [500111, 500122]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("gone.mp3", "list.txt", "-o", "out.csv"), "gone.mp3 is not there"),
        (("talk.srt", "gone.txt", "-o", "out.csv"), "the feature list gone.txt cannot be read"),
        (("talk.srt", "list.txt", "-o", "out.xlsx"), "must end in .csv, .json, .parquet"),
        (("talk.srt", "list.txt", "-o", "no/such/out.csv"), "does not exist: create it first"),
        (("list.txt", "list.txt", "-o", "out.csv"), "is text, not audio or video"),
    ],
)
def test_wrong_input_is_one_line_and_exits_1(
    tmp_path: Path, pair: tuple[Path, Path], arguments: tuple[str, ...], complaint: str
) -> None:
    result = catalog("locate", *arguments, cwd=tmp_path)
    assert result.returncode == 1
    assert result.stderr.startswith("error: ")
    assert complaint in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["list.txt", "talk.srt"]


def test_features_prints_list_and_warnings(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text(PAGE)
    result = catalog("features", "list.txt", "--output", "list.json", cwd=tmp_path)
    assert result.returncode == 0
    assert "A thing" in result.stdout
    assert result.stderr == (
        "list.txt: warning: line 3: id 500111 stands already in line 1, for another title: correct one of them\n"
    )
    written = json.loads((tmp_path / "list.json").read_text())["features"]
    assert [feature["title"] for feature in written] == ["A thing", "Another one"]


def test_strict_fails_on_warnings(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text(PAGE)
    assert catalog("features", "list.txt", "--strict", cwd=tmp_path).returncode == 1
    (tmp_path / "list.txt").write_text(PAGE.replace("#500111\nAbout that", "#500122\nAbout that"))
    assert catalog("features", "list.txt", "--strict", cwd=tmp_path).returncode == 0


def test_explain_prints_how_every_line_was_read(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("Kite news\nBy Ann\n" + PAGE)
    lines = catalog("features", "list.txt", "--explain", cwd=tmp_path).stdout.splitlines()
    assert [" ".join(line.split()) for line in lines[:7]] == [
        "line role entry reason text",
        "1 ignored stands before the list Kite news",
        "2 ignored the author By Ann",
        "3 entry 1 A thing | v4.10 #500111",
        "4 description 1 About it.",
        "5 entry 2 Another one | v4.10 #500111",
        "6 description 2 About that.",
    ]


def test_column_names_of_the_project_apply(project: Project) -> None:
    project.show.write_text(project.show.read_text() + "columns:\n  Was: title\n  Nummer: feature_id\n")
    (project.root / "liste.csv").write_text("Was,Nummer\nSortieren,500111\n")
    result = catalog("features", "liste.csv", "--json", cwd=project.root)
    assert json.loads(result.stdout)["features"][0]["feature_id"] == 500111


def test_one_episode_of_several_is_chosen(tmp_path: Path) -> None:
    intro = "Episode {} of the Kite Show walks through a long list of changes that matter to small teams.\n"
    (tmp_path / "all.txt").write_text(intro.format(12) + "Better search.\n" + intro.format(11) + "A note field.\n")
    both = catalog("features", "all.txt", cwd=tmp_path)
    assert "Episode 12: 1 entries" in both.stdout
    assert "Episode 11: 1 entries" in both.stdout
    process = catalog("features", "all.txt", "--episode", "11", "--json", cwd=tmp_path)
    assert [feature["title"] for feature in json.loads(process.stdout)["features"]] == ["A note field."]
    assert catalog("features", "all.txt", "--json", cwd=tmp_path).returncode == 1


def test_gaps_are_filled_from_release_notes(tmp_path: Path) -> None:
    (tmp_path / "page.txt").write_text("Lets people sort invoices by their due date.\n")
    (tmp_path / "notes.csv").write_text("ID,Release,Title\n500111,4.10,Invoices can be sorted by due date\n")
    result = catalog("features", "page.txt", "--fill", "notes.csv", "--output", "list.csv", cwd=tmp_path)
    assert result.returncode == 0
    assert "filled from #500111" in result.stderr
    assert "Invoices can be sorted by due date" in (tmp_path / "list.csv").read_text()


def test_list_is_read_from_a_pipe_of_the_shell(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    command = '"$0" -m pipeline locate "$1" <(cat "$2") -o "$3" --json'
    ran = subprocess.run(
        ["bash", "-c", command, sys.executable, *map(str, pair), str(tmp_path / "o.csv")],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    assert [row["feature_id"] for row in json.loads(ran.stdout)] == [500111, 500122]


def test_named_pipe_without_writer_is_refused(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    os.mkfifo(tmp_path / "slow.txt")
    result = catalog("locate", pair[0], tmp_path / "slow.txt", "-o", tmp_path / "o.csv")
    assert (result.returncode, result.stdout) == (1, "")
    assert "slow.txt is a pipe, not a file" in result.stderr


def test_interrupted_locate_exits_130_and_writes_nothing(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    reader, writer = os.pipe()
    running = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "locate", str(pair[0]), f"/dev/fd/{reader}", "-o", str(tmp_path / "o.csv")],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        pass_fds=[reader],
    )
    # More than a pipe holds: the call returns once the program reads.
    os.write(writer, b"A feature of the list\n" * 10_000)
    # A signal between two reads would wait for the end of the second.
    while running.poll() is None and fcntl.ioctl(reader, termios.FIONREAD, bytes(4)) != bytes(4):
        time.sleep(0.01)
    time.sleep(0.5)
    running.send_signal(signal.SIGINT)
    output, errors = running.communicate(timeout=30)
    os.close(writer)
    os.close(reader)
    assert (running.returncode, output) == (130, "")
    assert errors == "error: interrupted: no file is left half written\n"
    assert not (tmp_path / "o.csv").exists()


def test_no_color_removes_colors(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    result = catalog("locate", *pair, "-o", tmp_path / "o.csv", NO_COLOR="1", FORCE_COLOR="")
    assert "\x1b[" not in result.stdout


def test_output_never_replaces_an_input(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    table = tmp_path / "list.csv"
    table.write_text("title,feature_id\nDark theme in the mobile app,500122\n")
    (tmp_path / "same.csv").hardlink_to(table)
    before = table.read_bytes()
    for command in (("locate", pair[0], table, "-o", tmp_path / "same.csv"), ("features", table, "-o", table)):
        result = catalog(*command)
        assert result.returncode == 1
        assert "would replace an input: give it another name" in result.stderr
    assert table.read_bytes() == before
