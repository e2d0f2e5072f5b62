"""The doctor looks at all that a run needs, says what to do, and touches nothing."""

import json
import os
from datetime import date
from importlib import metadata
from pathlib import Path

import pytest

from pipeline.core.project import Project
from pipeline.runs.doctor import Check, Finding, run_checks
from tests.support.command import catalog
from tests.support.project import add_episode


def look(project: Project, today: date = date(2026, 11, 23)) -> dict[str, list[Check]]:
    found: dict[str, list[Check]] = {}
    for check in run_checks(project, today=today):
        found.setdefault(check.what, []).append(check)
    return found


def snapshot(root: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in root.rglob("*")}


def test_a_project_in_order_is_told_so_and_left_as_it_was(project: Project) -> None:
    add_episode(project, "one")
    before = snapshot(project.root)
    found = look(project)
    assert found["settings"][0].found.endswith("The Kite Show")
    assert found["episodes"] == [Check("episodes", Finding.OK, "1 with readable settings")]
    assert {check.finding for check in found["write access"]} == {Finding.OK}
    assert all(check.to_do for checks in found.values() for check in checks if check.finding is not Finding.OK)
    assert snapshot(project.root) == before


def test_an_old_yt_dlp_is_told_by_its_age(project: Project) -> None:
    year, month, day = (int(part) for part in metadata.version("yt-dlp").split(".")[:3])
    made = date(year, month, day)
    (fresh,) = look(project, made)["yt-dlp"]
    assert (fresh.finding, fresh.found.endswith(", 0 days old")) == (Finding.OK, True)
    (old,) = look(project, date(year + 1, month, day))["yt-dlp"]
    assert (old.finding, old.to_do) == (Finding.ADVICE, "sites change: pip install -U yt-dlp")


@pytest.mark.parametrize(
    ("program", "finding", "found"),
    [
        ("deno 2.9.8 (stable)", Finding.OK, "deno 2.9.8"),
        ("deno 1.40.0", Finding.ADVICE, "deno 1.40.0 is too old"),
        (None, Finding.ADVICE, "not found"),
    ],
)
def test_a_javascript_runtime_is_asked_for_its_version(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str | None, finding: Finding, found: str
) -> None:
    (tmp_path / "bin").mkdir()
    if program is not None:
        (tmp_path / "bin" / "deno").write_text(f"#!/bin/sh\necho '{program}'\n")
        (tmp_path / "bin" / "deno").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (check,) = look(project)["JavaScript runtime"]
    assert (check.finding, check.found) == (finding, found)


def test_what_is_wrong_with_episodes_is_told_one_by_one(project: Project) -> None:
    add_episode(project, "one")
    (project.root / "one.txt").unlink()
    add_episode(project, "two", source="nowhere.mp3")
    project.episode("three").write_text("title: x\nsuorce: a\n")
    checks = look(project)["episodes"]
    assert [check.finding for check in checks] == [Finding.MISSING] * 3
    told = "\n".join(f"{check.found}: {check.to_do}" for check in checks)
    assert "one: the feature list" in told
    assert "two: the source" in told
    assert "three.yaml" in told
    project.catalog("four").parent.mkdir(parents=True)
    project.catalog("four").touch()
    assert look(project)["episodes"][0].found == "four is published but has no settings"


def test_corrections_that_no_run_looks_at_or_could_read_are_told(project: Project) -> None:
    add_episode(project, "one")
    add_episode(project, "two")
    project.corrections("one").parent.mkdir(exist_ok=True)
    assert "corrections" not in look(project)
    project.corrections("one").write_text("corrections: []\n")
    project.corrections("two").write_text("corrections: [1]\n")
    for name in ("on.yaml", "two.yml"):
        (project.corrections("one").parent / name).touch()
    told = {check.finding: check.found for check in look(project)["corrections"]}
    assert told[Finding.ADVICE].endswith("two.yml belongs to no episode")
    assert "two.yaml line 1" in told[Finding.MISSING]
    assert len(look(project)["corrections"]) == 3


def test_a_missing_model_is_told_with_what_to_do(project: Project) -> None:
    project.show.write_text("name: x\nmodel: models/nowhere/\n")
    (check,) = look(project)["speech model"]
    assert check.finding is Finding.MISSING
    assert check.to_do


def test_cookies_that_others_can_read_are_told(project: Project) -> None:
    project.show.write_text("name: x\ndownload: {cookies: cookies.txt}\n")
    assert look(project)["cookies"][0].finding is Finding.MISSING
    cookies = project.root / "cookies.txt"
    cookies.write_text("x")
    cookies.chmod(0o644)
    assert look(project)["cookies"][0].to_do == f"chmod 600 {cookies}"
    cookies.chmod(0o600)
    assert look(project)["cookies"][0].finding is Finding.OK


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_told(project: Project) -> None:
    (project.root / "data").mkdir()
    (project.root / "data").chmod(0o500)
    assert {check.finding for check in look(project)["write access"]} == {Finding.MISSING}


def test_the_command_prints_a_line_each_and_fails_where_something_is_missing(project: Project, tmp_path: Path) -> None:
    add_episode(project, "one")
    ran = catalog("doctor", "--json", cwd=project.root)
    checks = json.loads(ran.stdout)
    assert ran.returncode == int(any(check["finding"] == "missing" for check in checks))
    assert {"what", "finding", "found", "to_do"} == set(checks[0])
    nowhere = catalog("doctor", "--root", tmp_path / "nowhere")
    assert nowhere.returncode == 1
    assert "missing" in nowhere.stdout
    assert "catalog init" in nowhere.stdout
