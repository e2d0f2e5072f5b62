"""The command `ledger`, and what other commands say of episodes that go through release lists."""

import csv
import io
import json
from pathlib import Path

import pytest

from pipeline.core.project import Project
from tests.support.command import catalog
from tests.support.releases import VERSIONS, make_release_project

OLD = VERSIONS["v5.5"]


def test_table_counts_each_version(released: Project) -> None:
    result = catalog("ledger", cwd=released.root)
    assert result.returncode == 0
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["version", "id", "title", "episode", "start", "status", "kind"]
    assert [line.split(":")[0] for line in lines[-3:]] == ["v5.5", "v5.6", "v5.7"]
    assert lines[-1] == "v5.7: 0 of 3 discussed, 3 to come"
    assert any(line.split()[-4::3] == ["old", "discussion"] for line in lines)


def test_json_holds_every_column(released: Project) -> None:
    rows = json.loads(catalog("ledger", "--version", "5.5", "--json", cwd=released.root).stdout)
    assert {row["version"] for row in rows} == {"v5.5"}
    assert {"moment", "kind", "episode_id", "start_s", "url", "feature_key"} <= set(rows[0])
    to_come = json.loads(catalog("ledger", "--not-yet", "--json", cwd=released.root).stdout)
    assert {(row["status"], row["start_s"]) for row in to_come} == {("not_yet", None)}


def test_csv_is_the_file_of_the_run(released: Project) -> None:
    printed = catalog("ledger", "--format", "csv", cwd=released.root).stdout
    assert printed == released.ledger_csv.read_text(encoding="utf-8-sig")
    printed = catalog("ledger", "--version", "v5.6", "--format", "csv", cwd=released.root).stdout
    rows = list(csv.DictReader(io.StringIO(printed)))
    assert {row["version"] for row in rows} == {"v5.6"}


def test_sheet_of_next_episode_is_a_feature_list(released: Project) -> None:
    ran = catalog("ledger", "--not-yet", "--version", "v5.7", "--format", "markdown", cwd=released.root)
    sheet = released.root / "sheet.txt"
    sheet.write_text(ran.stdout)
    parsed = json.loads(catalog("features", sheet, "--json", cwd=released.root).stdout)["features"]
    to_come = json.loads(catalog("ledger", "--not-yet", "--version", "v5.7", "--json", cwd=released.root).stdout)
    assert len(parsed) == 3
    names = ("feature_id", "version", "title", "description")
    assert [[entry[name] for name in names] for entry in parsed] == [[row[name] for name in names] for row in to_come]


@pytest.mark.parametrize(
    ("option", "complaint"),
    [("v9.9", "there is no release list of v9.9 (known: v5.5, v5.6, v5.7)"), ("v5.8", "run `catalog run --all`")],
)
def test_unknown_version_names_known_ones(released: Project, option: str, complaint: str) -> None:
    with released.show.open("a") as show:
        show.write("  - {version: v5.8, list: lists/v5.8.csv}\n") if option == "v5.8" else None
    result = catalog("ledger", "--version", option, cwd=released.root)
    assert (result.returncode, result.stdout) == (1, "")
    assert complaint in result.stderr
    assert result.stderr.count("\n") == 1


def test_ledger_needs_a_run(tmp_path: Path) -> None:
    project = make_release_project(tmp_path)
    result = catalog("ledger", cwd=project.root)
    assert result.returncode == 1
    assert "does not exist yet: run `catalog run --all` first" in result.stderr
    assert catalog("run", "--all", cwd=project.root).returncode == 0
    assert "v5.7: 0 of 3 discussed, 3 to come" in catalog("ledger", cwd=project.root).stdout


def test_new_episode_needs_no_list_of_its_own(released: Project) -> None:
    audio = released.root / "talk.ogg"
    audio.write_bytes((released.raw("old") / "audio.ogg").read_bytes())
    assert catalog("new", "next", "talk.ogg", "--versions", "v5.5..v5.6", cwd=released.root).returncode == 0
    assert "versions:\n  - v5.5..v5.6\n" in released.episode("next").read_text()
    assert catalog("new", "after", "talk.ogg", cwd=released.root).returncode == 0
    assert "versions" not in released.episode("after").read_text()
    wrong = catalog("new", "wrong", "talk.ogg", "--versions", "v5.9", cwd=released.root)
    assert (wrong.returncode, released.episode("wrong").exists()) == (1, False)
    assert "--versions names 'v5.9', which is not in `releases` of the show (v5.5, v5.6, v5.7)" in wrong.stderr
    both = catalog("new", "wrong", "talk.ogg", "--versions", "v5.5", "--features", "x.txt", cwd=released.root)
    assert both.returncode == 2


def test_evaluate_counts_entries_not_found(released: Project) -> None:
    gold = "title,id,time\n" + "".join(f"x,{entry.feature_id},{25 + 30 * n}\n" for n, entry in enumerate(OLD[:4]))
    (released.root / "gold.csv").write_text(f"{gold}x,{OLD[9].feature_id},300\n")
    scored = json.loads(catalog("evaluate", "old", "--gold", "gold.csv", "--json", cwd=released.root).stdout)
    assert scored["discussed"] == 5
    assert scored["recall"]["30"] == pytest.approx(4 / 5)
