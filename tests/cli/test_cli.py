"""The command itself, as a program: what it prints where, and its exit codes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from filelock import FileLock

from pipeline import __version__
from pipeline.core.project import Project
from pipeline.core.serialization import transcript_to_json
from pipeline.core.storage import write_json
from tests.support.command import catalog
from tests.support.files import write_srt
from tests.support.project import LINES, REPOSITORY, add_episode, make_transcript

HEAVY = {"av", "ctranslate2", "faster_whisper", "numpy", "pandas", "pyarrow", "pydantic", "spacy", "yt_dlp"}


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    page = tmp_path / "list.txt"
    page.write_text(
        "Invoices can be sorted by due date | v4.10 #500111\nAt last.\n"
        "Dark theme in the mobile app | v4.10 #500122\nAs well.\n"
    )
    return write_srt(tmp_path / "talk.srt"), page


def test_the_version_is_printed() -> None:
    assert catalog("--version").stdout.strip() == __version__


@pytest.mark.parametrize(
    "command",
    [
        "run",
        "download",
        "transcribe",
        "align",
        "publish",
        "locate",
        "features",
        "search",
        "evaluate",
        "init",
        "new",
        "doctor",
    ],
)
def test_every_command_has_help(command: str) -> None:
    result = catalog(command, "--help")
    assert result.returncode == 0
    assert len(result.stdout.splitlines()) > 5


@pytest.mark.parametrize("command", [(), ("models",)])
def test_each_command_is_summed_up_in_a_line_of_80_columns(command: tuple[str, ...]) -> None:
    assert "..." not in catalog(*command, "--help", COLUMNS="80").stdout.split("Commands:")[1]


def test_help_loads_no_heavy_library() -> None:
    code = (
        "import sys; sys.argv = ['catalog', '--help']\n"
        "from pipeline.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert not HEAVY & set(loaded.stderr.split())


@pytest.mark.parametrize("args", [(), ("run",), ("run", "--all", "one"), ("nonsense",), ("locate", "a.mp3")])
def test_a_command_used_wrongly_exits_2(args: tuple[str, ...]) -> None:
    result = catalog(*args)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("ending", ["csv", "parquet", "json"])
def test_locate_writes_a_catalog_and_prints_a_table(tmp_path: Path, pair: tuple[Path, Path], ending: str) -> None:
    output = tmp_path / f"out.{ending}"
    result = catalog("locate", *pair, "--output", output)
    assert (result.returncode, result.stderr) == (0, "")
    assert output.stat().st_size > 100
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["#", "id", "title", "start", "status"]
    assert lines[-1] == f"wrote {output}"


def test_locate_prints_json_for_programs(tmp_path: Path, pair: tuple[Path, Path]) -> None:
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
def test_wrong_input_is_one_line_and_exit_1(
    tmp_path: Path, pair: tuple[Path, Path], arguments: tuple[str, ...], complaint: str
) -> None:
    result = catalog("locate", *arguments, cwd=tmp_path)
    assert result.returncode == 1
    assert result.stderr.startswith("error: ")
    assert complaint in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["list.txt", "talk.srt"]


PAGE = "A thing | v4.10 #500111\nAbout it.\nAnother one | v4.10 #500111\nAbout that.\n"


def test_features_prints_the_list_and_its_warnings(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text(PAGE)
    result = catalog("features", "list.txt", "--output", "list.json", cwd=tmp_path)
    assert result.returncode == 0
    assert "A thing" in result.stdout
    assert result.stderr == (
        "list.txt: warning: line 3: id 500111 stands already in line 1, for another title: correct one of them\n"
    )
    written = json.loads((tmp_path / "list.json").read_text())["features"]
    assert [feature["title"] for feature in written] == ["A thing", "Another one"]


def test_strict_makes_a_warning_fail(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text(PAGE)
    assert catalog("features", "list.txt", "--strict", cwd=tmp_path).returncode == 1
    (tmp_path / "list.txt").write_text(PAGE.replace("#500111\nAbout that", "#500122\nAbout that"))
    assert catalog("features", "list.txt", "--strict", cwd=tmp_path).returncode == 0


def test_explain_tells_what_became_of_every_line(tmp_path: Path) -> None:
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


def test_a_project_s_names_of_columns_hold_for_its_lists(project: Project) -> None:
    project.show.write_text(project.show.read_text() + "columns:\n  Was: title\n  Nummer: feature_id\n")
    (project.root / "liste.csv").write_text("Was,Nummer\nSortieren,500111\n")
    result = catalog("features", "liste.csv", "--json", cwd=project.root)
    assert json.loads(result.stdout)["features"][0]["feature_id"] == 500111


def test_one_episode_of_several_is_picked(tmp_path: Path) -> None:
    intro = "Episode {} of the Kite Show walks through a long list of changes that matter to small teams.\n"
    (tmp_path / "all.txt").write_text(intro.format(12) + "Better search.\n" + intro.format(11) + "A note field.\n")
    both = catalog("features", "all.txt", cwd=tmp_path)
    assert "Episode 12: 1 entries" in both.stdout
    assert "Episode 11: 1 entries" in both.stdout
    one = catalog("features", "all.txt", "--episode", "11", "--json", cwd=tmp_path)
    assert [feature["title"] for feature in json.loads(one.stdout)["features"]] == ["A note field."]
    assert catalog("features", "all.txt", "--json", cwd=tmp_path).returncode == 1


def test_gaps_are_filled_from_release_notes(tmp_path: Path) -> None:
    (tmp_path / "page.txt").write_text("Lets people sort invoices by their due date.\n")
    (tmp_path / "notes.csv").write_text("ID,Release,Title\n500111,4.10,Invoices can be sorted by due date\n")
    result = catalog("features", "page.txt", "--fill", "notes.csv", "--output", "list.csv", cwd=tmp_path)
    assert result.returncode == 0
    assert "filled from #500111" in result.stderr
    assert "Invoices can be sorted by due date" in (tmp_path / "list.csv").read_text()


def test_an_episode_runs_from_its_own_transcript(project: Project) -> None:
    """Align and publish need no speech model: the transcript may be there already."""
    write_json(project.transcript("one"), transcript_to_json(make_transcript(LINES)))
    assert catalog("align", "one", "--root", project.root).returncode == 0
    result = catalog("publish", "one", cwd=project.root)
    assert result.returncode == 0
    assert "Invoices can be sorted by due date" in result.stdout
    assert (
        "wrote data/processed/catalog/one.parquet, data/processed/notes/one, data/processed/catalog.csv"
        in result.stdout
    )
    again = catalog("publish", "one", cwd=project.root)
    assert (again.stdout, again.stderr) == ("everything is up to date\n", "")


@pytest.fixture
def published(aligned: Project) -> Path:
    """The root of a project whose one episode is published."""
    return aligned.root


def test_search_prints_where_a_feature_is_discussed(published: Path) -> None:
    result = catalog("search", "drak", "themes", cwd=published)
    assert result.returncode == 0
    assert "Added a dark theme to the mobile app" in result.stdout
    assert "https://example.org/one#t=30" in result.stdout
    rows = json.loads(catalog("search", "#500111", "--json", cwd=published).stdout)
    assert [row["title"] for row in rows] == ["Invoices can be sorted by due date"]
    assert catalog("search", "nonsense", cwd=published).stdout == "nothing found\n"


def test_evaluate_scores_against_the_page_or_a_gold_file(published: Path) -> None:
    result = catalog("evaluate", cwd=published)
    assert result.returncode == 0
    assert "1 features are discussed; found within\n  3 s: 100%" in result.stdout
    (published / "gold.csv").write_text("title,id,time\nx,500111,10\ny,500122,\n")
    scored = catalog("evaluate", "one", "--gold", "gold.csv", "--json", "--picture", "p.png", cwd=published)
    assert json.loads(scored.stdout)["placed_undiscussed"] == 1
    assert (published / "p.png").stat().st_size > 5_000
    assert catalog("evaluate", "--gold", "gold.csv", cwd=published).returncode == 2
    assert catalog("evaluate", "nine", cwd=published).returncode == 1


def test_no_project_is_one_line_and_exit_1(tmp_path: Path) -> None:
    result = catalog("run", "one", cwd=tmp_path)
    assert result.returncode == 1
    assert "configs/show.yaml does not exist" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_one_bad_episode_among_others_exits_3(project: Project) -> None:
    add_episode(project, "bad", source="gone.mp3")
    result = catalog("download", "--all", "--root", project.root)
    assert result.returncode == 3
    assert "error: bad: download failed" in result.stderr


def test_a_held_lock_exits_4(project: Project) -> None:
    project.processed.mkdir(parents=True)
    with FileLock(project.lock):
        assert catalog("run", "one", "--root", project.root).returncode == 4


def test_an_interrupted_run_exits_130_and_leaves_nothing_half_written(project: Project) -> None:
    """Ctrl-C while yt-dlp waits for a server that never answers."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        add_episode(project, "one", source=f"http://127.0.0.1:{server.getsockname()[1]}/a.mp3")
        running = subprocess.Popen(
            [sys.executable, "-m", "pipeline", "run", "one", "--root", str(project.root)],
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stderr=subprocess.PIPE,
            text=True,
        )
        server.settimeout(30)
        connection, _ = server.accept()
        time.sleep(0.2)
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate(timeout=30)
        connection.close()
    assert running.returncode == 130
    assert "Traceback" not in errors
    assert not list(project.raw("one").glob("audio*"))


def test_a_locate_that_is_interrupted_says_so_and_writes_nothing(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    slow = tmp_path / "slow.txt"
    os.mkfifo(slow)
    running = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "locate", str(pair[0]), str(slow), "-o", str(tmp_path / "o.csv")],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with slow.open("w"):  # returns once the program reads
        running.send_signal(signal.SIGINT)
        output, errors = running.communicate(timeout=30)
    assert (running.returncode, output) == (130, "")
    assert errors == "error: interrupted: no file is left half written\n"
    assert not (tmp_path / "o.csv").exists()


def test_letters_that_the_locale_lacks_end_nothing_and_json_loses_none(tmp_path: Path) -> None:
    page = tmp_path / "list.txt"
    page.write_text("Grüße „sofort“ planen | v4.10 #500111\nAuf Knopfdruck.\n", encoding="utf-8")
    told = catalog("features", page, PYTHONIOENCODING="ascii")
    assert (told.returncode, told.stderr) == (0, "")
    assert "Gr??e ?sofort? planen" in told.stdout
    record = json.loads(catalog("features", page, "--json", PYTHONIOENCODING="ascii").stdout)
    assert record["features"][0]["title"] == "Grüße „sofort“ planen"


def test_colour_is_left_out_where_nobody_wants_it(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    result = catalog("locate", *pair, "-o", tmp_path / "o.csv", NO_COLOR="1", FORCE_COLOR="")
    assert "\x1b[" not in result.stdout


def test_no_output_takes_the_place_of_what_is_read(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    table = tmp_path / "list.csv"
    table.write_text("title,feature_id\nDark theme in the mobile app,500122\n")
    (tmp_path / "same.csv").hardlink_to(table)
    before = table.read_bytes()
    for command in (("locate", pair[0], table, "-o", tmp_path / "same.csv"), ("features", table, "-o", table)):
        result = catalog(*command)
        assert result.returncode == 1
        assert "would replace an input: give it another name" in result.stderr
    assert table.read_bytes() == before


def test_a_diff_of_an_episode_that_never_was_is_refused(published: Path) -> None:
    for name, complaint in (("nine", "there is no episode nine"), ("../one", "cannot be an episode's id")):
        result = catalog("diff", name, cwd=published)
        assert result.returncode == 1
        assert complaint in result.stderr
