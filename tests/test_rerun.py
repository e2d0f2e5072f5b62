"""What a re-run costs and touches: told by what the program opens and imports."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.core.project import Project
from pipeline.runs.workflow import list_episodes
from tests.support.project import (
    LINES,
    PAGE,
    REPOSITORY,
    FakeTranscriber,
    add_episode,
    make_project,
    make_transcript,
    run,
)

# Runs the command, and says which files it opened and which libraries it imported.
WATCHER = """
import json, sys
opened = []
sys.addaudithook(lambda event, given: opened.append(str(given[0])) if event == "open" else None)
sys.argv = ["catalog", *sys.argv[1:]]
from pipeline.cli import main
try:
    main()
except SystemExit as end:
    print(json.dumps([end.code, opened, sorted(sys.modules)]), file=sys.__stdout__)
"""
HEAVY = {"faster_whisper", "ctranslate2", "av", "yt_dlp", "onnxruntime", "spacy", "pyarrow", "pandas", "ray"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project of 12 episodes, all up to date."""
    project = make_project(tmp_path_factory.mktemp("several"))
    for number in range(11):
        add_episode(project, f"ep{number}")
    run(project, FakeTranscriber(make_transcript(LINES)), *list_episodes(project))
    return project


@pytest.fixture
def several(made: Project, tmp_path: Path) -> Project:
    """The same project for each test; a copy's files are looked at once, as their entries on disk are new."""
    shutil.copytree(made.root, tmp_path, dirs_exist_ok=True)
    project = Project(tmp_path)
    run(project, FakeTranscriber(make_transcript(LINES)), *list_episodes(project))
    return project


def watch(project: Project, *arguments: str, code: Path = REPOSITORY) -> tuple[int, list[str], set[str], str]:
    """Run the command; return its exit code, the project's files it opened, what it imported, and what it printed.

    `code` is the folder that its package lies in.
    """
    command = [sys.executable, "-c", WATCHER, *arguments, "--root", str(project.root)]
    told = subprocess.run(command, capture_output=True, text=True, check=True, cwd=code).stdout
    ended, opened, modules = json.loads(told.splitlines()[-1])
    inside = [path.removeprefix(f"{project.root}/") for path in opened if path.startswith(f"{project.root}/")]
    models = [path for path in opened if path.endswith(("model.bin", ".onnx"))]
    return ended, [*inside, *models], set(modules), "\n".join(told.splitlines()[:-1])


def test_with_nothing_to_do_only_settings_and_records_are_read(several: Project) -> None:
    code, opened, modules, told = watch(several, "run", "--all")
    assert (code, told) == (0, "everything is up to date")
    assert not modules & HEAVY
    kinds = {path.rsplit("/", 1)[0] for path in opened}
    # The digest of the audio stands in data/raw/<id>/audio.json; the audio itself is not opened.
    assert {kind for kind in kinds if "data/raw" not in kind} <= {
        "configs", "configs/episodes", "data/processed", "data/processed/state",
    }  # fmt: skip
    assert all(path.endswith("audio.json") for path in opened if path.startswith("data/raw"))


def test_an_edited_list_touches_its_own_episode_and_no_audio(several: Project) -> None:
    (several.root / "ep3.txt").write_text(PAGE + "Offline maps | v4.10 #500133\n")
    code, opened, modules, _ = watch(several, "run", "--all", "--quiet")
    assert code == 0
    assert not modules & {"faster_whisper", "ctranslate2", "av", "yt_dlp", "ray", "pandas"}
    assert not [path for path in opened if path.endswith((".ogg", ".mp3", "model.bin"))]
    transcripts = {path for path in opened if path.startswith("data/processed/transcripts/")}
    assert {path.split("/")[3].split(".")[-3 if path.endswith("tmp") else 0] for path in transcripts} <= {"ep3", ""}


def test_an_edit_of_the_layout_alone_aligns_nothing_and_gives_the_bytes_of_an_alignment(several: Project) -> None:
    page = several.root / "ep3.txt"
    page.write_text(PAGE.replace(" | ", "  |  ") + "\n\n")
    assert "feature list changed: only its layout" in watch(several, "status")[3]
    code, _, modules, _ = watch(several, "run", "--all", "--quiet")
    assert code == 0
    assert not modules & {"spacy", "onnxruntime"}
    files = (several.alignment("ep3"), several.catalog("ep3"), several.catalog_csv)
    recalled = [path.read_bytes() for path in files]
    run(several, FakeTranscriber(make_transcript(LINES)), "ep3", stages=("align", "publish"), force=True)
    assert [path.read_bytes() for path in files] == recalled


def test_a_checkout_with_other_weights_aligns_again(several: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
    checkout = tmp_path_factory.mktemp("checkout")
    weights = Path(shutil.copytree(REPOSITORY / "pipeline", checkout / "pipeline")) / "align" / "weights.json"
    assert watch(several, "run", "--all", code=checkout)[3] == "everything is up to date"
    fitted = json.loads(weights.read_text())
    for kind in fitted.values():
        kind["thresholds"] |= {"confident": 2.0, "confident_bare_title": 2.0}
    weights.write_text(json.dumps(fitted))
    told = watch(several, "status", code=checkout)[3]
    assert told.count("alignment method changed") == len(list_episodes(several))
    assert "confident" in several.alignment("ep3").read_text()
    assert watch(several, "run", "ep3", "--quiet", code=checkout)[0] == 0
    assert "confident" not in several.alignment("ep3").read_text()


def test_after_one_edit_the_shared_files_are_those_of_a_run_from_scratch(several: Project) -> None:
    (several.root / "ep3.txt").write_text(PAGE + "Offline maps, “new”\n=1+1 | v4.10 #500133\n")
    several.episode("ep5").write_text(several.episode("ep5").read_text().replace("2026-11-02", "2026-11-09"))
    watch(several, "run", "--all", "--quiet")
    shared = [several.catalog_csv, *(path for path in several.site.rglob("*") if path.is_file())]
    incremental = {path: path.read_bytes() for path in shared}
    shutil.rmtree(several.site)
    several.catalog_csv.unlink()
    for name in ("catalog.csv", "site"):
        several.state(name).unlink()
    watch(several, "run", "--all", "--quiet")
    assert {path: path.read_bytes() for path in shared} == incremental


def test_shared_files_that_someone_edited_are_not_built_upon(several: Project) -> None:
    before = several.catalog_csv.read_bytes(), (several.site / "data/catalog.js").read_bytes()
    for path in (several.catalog_csv, several.site / "data" / "catalog.js"):
        path.write_bytes(path.read_bytes().replace(b"dark", b"night"))
    (several.root / "ep3.txt").write_text(PAGE + "Offline maps | v4.10 #500133\n")
    watch(several, "run", "--all", "--quiet")
    (several.root / "ep3.txt").write_text(PAGE)
    watch(several, "run", "--all", "--quiet")
    assert (several.catalog_csv.read_bytes(), (several.site / "data/catalog.js").read_bytes()) == before


def test_a_file_that_was_only_touched_is_read_once(several: Project) -> None:
    audio = several.raw("ep3") / "audio.ogg"
    other = audio.with_suffix(".copy")
    other.write_bytes(audio.read_bytes())
    other.replace(audio)
    _, opened, _, told = watch(several, "run", "--all")
    assert told == "everything is up to date"
    assert [path for path in opened if path.endswith(".ogg")] == ["data/raw/ep3/audio.ogg"]
    _, opened, _, _ = watch(several, "run", "--all")
    assert [path for path in opened if path.endswith(".ogg")] == []


def test_a_mail_is_empty_when_nothing_changed(several: Project) -> None:
    assert watch(several, "run", "--all", "--mail")[3] == ""
    (several.root / "ep3.txt").write_text(PAGE + "Offline maps | v4.10 #500133\n")
    mail = watch(several, "run", "--all", "--mail")[3].splitlines()
    assert mail[0].startswith("1 episode done, 0 failed, in 0:")
    assert mail[2:4] == ["ep3:", "  added     #500133 Offline maps: no time, not_found"]
