"""The doctor checks what a run needs, says what to do, and changes nothing."""

import os
from datetime import date
from importlib import metadata
from pathlib import Path

import pytest

from pipeline.core.extras import describe_upgrade
from pipeline.core.project import Project
from pipeline.runs.doctor import Check, Finding, run_checks
from tests.support.project import DEMO_AUDIO, add_episode


def checks_of(project: Project, today: date = date(2026, 11, 23)) -> dict[str, list[Check]]:
    checks: dict[str, list[Check]] = {}
    for check in run_checks(project, today=today):
        checks.setdefault(check.what, []).append(check)
    return checks


def snapshot(root: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in root.rglob("*")}


def test_valid_project_passes_and_stays_untouched(project: Project) -> None:
    add_episode(project, "one")
    before = snapshot(project.root)
    found = checks_of(project)
    assert found["settings"][0].found.endswith("The Kite Show")
    assert found["episodes"] == [Check("episodes", Finding.OK, "1 with readable settings")]
    assert {check.finding for check in found["write access"]} == {Finding.OK}
    assert all(check.to_do for checks in found.values() for check in checks if check.finding is not Finding.OK)
    assert snapshot(project.root) == before


def test_old_ytdlp_is_reported_with_its_age(project: Project) -> None:
    year, month, day = (int(part) for part in metadata.version("yt-dlp").split(".")[:3])
    made = date(year, month, day)
    (fresh,) = checks_of(project, made)["yt-dlp"]
    assert (fresh.finding, fresh.found.endswith(", 0 days old")) == (Finding.OK, True)
    (old,) = checks_of(project, date(year + 1, month, day))["yt-dlp"]
    assert (old.finding, old.to_do) == (Finding.ADVICE, f"sites change: {describe_upgrade('yt-dlp')}")


@pytest.mark.parametrize(
    ("program", "finding", "found"),
    [
        ("deno 2.9.8 (stable)", Finding.OK, "deno 2.9.8"),
        ("deno 1.40.0", Finding.ADVICE, "deno 1.40.0 is too old"),
        (None, Finding.ADVICE, "not found"),
    ],
)
def test_javascript_runtime_version_is_checked(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str | None, finding: Finding, found: str
) -> None:
    (tmp_path / "bin").mkdir()
    if program is not None:
        (tmp_path / "bin" / "deno").write_text(f"#!/bin/sh\necho '{program}'\n")
        (tmp_path / "bin" / "deno").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (check,) = checks_of(project)["JavaScript runtime"]
    assert (check.finding, check.found) == (finding, found)


def test_each_problem_of_an_episode_is_reported(project: Project) -> None:
    add_episode(project, "one")
    (project.root / "one.txt").unlink()
    add_episode(project, "two", source="nowhere.mp3")
    project.episode("three").write_text("title: x\nsuorce: a\n")
    checks = checks_of(project)["episodes"]
    assert [check.finding for check in checks] == [Finding.MISSING] * 3
    results = "\n".join(f"{check.found}: {check.to_do}" for check in checks)
    assert "one: the feature list" in results
    assert "two: the source" in results
    assert "three.yaml" in results
    project.catalog("four").parent.mkdir(parents=True)
    project.catalog("four").touch()
    assert checks_of(project)["episodes"][0].found == "four is published but has no settings"


def test_problems_of_release_lists_are_reported(project: Project) -> None:
    project.show.write_text("name: Kites\nreleases:\n- {version: v1.1, list: a.csv}\n")
    project.episode("one").write_text(f"title: One\nsource: {DEMO_AUDIO}\nversions: v1.2\n")
    checks = checks_of(project)
    assert "one.yaml line 3: `versions` names 'v1.2'" in checks["episodes"][0].found
    assert "a.csv of v1.1 is missing" in checks["releases"][0].found
    (project.root / "a.csv").write_text("title\nMaps\n")
    assert "releases" not in checks_of(project)


def test_unused_or_unreadable_corrections_are_reported(project: Project) -> None:
    add_episode(project, "one")
    add_episode(project, "two")
    project.corrections("one").parent.mkdir(exist_ok=True)
    assert "corrections" not in checks_of(project)
    project.corrections("one").write_text("corrections: []\n")
    project.corrections("two").write_text("corrections: [1]\n")
    for name in ("on.yaml", "two.yml"):
        (project.corrections("one").parent / name).touch()
    results = {check.finding: check.found for check in checks_of(project)["corrections"]}
    assert results[Finding.ADVICE].endswith("two.yml belongs to no episode")
    assert "two.yaml line 1" in results[Finding.MISSING]
    assert len(checks_of(project)["corrections"]) == 3


def test_missing_model_comes_with_advice(project: Project) -> None:
    project.show.write_text("name: x\nmodel: models/nowhere/\n")
    (check,) = checks_of(project)["speech model"]
    assert check.finding is Finding.MISSING
    assert check.to_do


def test_cookies_readable_by_others_are_reported(project: Project) -> None:
    project.show.write_text("name: x\ndownload: {cookies: cookies.txt}\n")
    assert checks_of(project)["cookies"][0].finding is Finding.MISSING
    cookies = project.root / "cookies.txt"
    cookies.write_text("x")
    cookies.chmod(0o644)
    assert checks_of(project)["cookies"][0].to_do == f"chmod 600 {cookies}"
    cookies.chmod(0o600)
    assert checks_of(project)["cookies"][0].finding is Finding.OK


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_unwritable_folder_is_reported(project: Project) -> None:
    (project.root / "data").mkdir()
    (project.root / "data").chmod(0o500)
    assert {check.finding for check in checks_of(project)["write access"]} == {Finding.MISSING}
