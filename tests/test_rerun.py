"""The cost of a re-run: the files that the program opens, and the libraries that it imports."""

import json
import shutil
import subprocess
import sys
import time
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

# Runs the command, and prints which files it opened and which libraries it imported.
WATCHER = """
import json, sys
opened = []
sys.addaudithook(lambda event, arguments: opened.append(str(arguments[0])) if event == "open" else None)
sys.argv = ["catalog", *sys.argv[1:]]
from pipeline.cli import main
try:
    main()
except SystemExit as end:
    print(json.dumps([end.code, opened, sorted(sys.modules)]), file=sys.__stdout__)
"""
HEAVY = {"faster_whisper", "ctranslate2", "av", "yt_dlp", "onnxruntime", "spacy", "pyarrow", "pandas", "ray"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project of 12 episodes, all up to date."""
    project = make_project(tmp_path_factory.mktemp("several"))
    for number in range(11):
        add_episode(project, f"ep{number}")
    run(project, FakeTranscriber(make_transcript(LINES)), *list_episodes(project))
    return project


@pytest.fixture
def several(finished: Project, tmp_path: Path) -> Project:
    """A copy of the project for each test; one run reads its files once, since their inodes are new."""
    shutil.copytree(finished.root, tmp_path, dirs_exist_ok=True)
    # A run does not trust the times of files that are younger than the clock's grain.
    time.sleep(0.2)
    project = Project(tmp_path)
    run(project, FakeTranscriber(make_transcript(LINES)), *list_episodes(project))
    return project


def watch(project: Project, *arguments: str, code: Path = REPOSITORY) -> tuple[int, list[str], set[str], str]:
    """Return the command's exit code, the project files that it opened, its imports, and its output.

    `code` is the folder that contains the package.
    """
    command = [sys.executable, "-c", WATCHER, *arguments, "--root", str(project.root)]
    output = subprocess.run(command, capture_output=True, text=True, check=True, cwd=code).stdout
    ended, opened, modules = json.loads(output.splitlines()[-1])
    inside = [path.removeprefix(f"{project.root}/") for path in opened if path.startswith(f"{project.root}/")]
    models = [path for path in opened if path.endswith(("model.bin", ".onnx"))]
    return ended, [*inside, *models], set(modules), "\n".join(output.splitlines()[:-1])


def test_nothing_to_do_reads_only_settings_and_state(several: Project) -> None:
    # The files that the first run wrote are read once more.
    time.sleep(0.2)
    watch(several, "run", "--all")
    code, opened, modules, output = watch(several, "run", "--all")
    assert (code, output) == (0, "everything is up to date")
    assert not modules & HEAVY
    kinds = {path.rsplit("/", 1)[0] for path in opened}
    # The digest of the audio is in data/raw/<id>/audio.json; the audio itself is not opened.
    assert {kind for kind in kinds if "data/raw" not in kind} <= {
        "configs", "configs/episodes", "data/processed", "data/processed/state",
    }  # fmt: skip
    assert all(path.endswith("audio.json") for path in opened if path.startswith("data/raw"))


def test_edited_list_touches_only_its_own_episode(several: Project) -> None:
    (several.root / "ep3.txt").write_text(PAGE + "Offline maps | v4.10 #500133\n")
    code, opened, modules, _ = watch(several, "run", "--all", "--quiet")
    assert code == 0
    assert not modules & {"faster_whisper", "ctranslate2", "av", "yt_dlp", "ray", "pandas"}
    assert not [path for path in opened if path.endswith((".ogg", ".mp3", "model.bin"))]
    transcripts = {path for path in opened if path.startswith("data/processed/transcripts/")}
    assert {path.split("/")[3].split(".")[-3 if path.endswith("tmp") else 0] for path in transcripts} <= {"ep3", ""}


def test_layout_edit_reuses_the_alignment(several: Project) -> None:
    page = several.root / "ep3.txt"
    page.write_text(PAGE.replace(" | ", "  |  ") + "\n\n")
    assert "feature list changed: only its layout" in watch(several, "status")[3]
    code, _, modules, _ = watch(several, "run", "--all", "--quiet")
    assert code == 0
    assert not modules & {"spacy", "onnxruntime"}
    files = (several.alignment("ep3"), several.catalog("ep3"), several.catalog_csv)
    reused = [path.read_bytes() for path in files]
    run(several, FakeTranscriber(make_transcript(LINES)), "ep3", stages=("align", "publish"), force=True)
    assert [path.read_bytes() for path in files] == reused


def test_other_weights_align_again(several: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
    checkout = tmp_path_factory.mktemp("checkout")
    weights = Path(shutil.copytree(REPOSITORY / "pipeline", checkout / "pipeline")) / "align" / "weights.json"
    assert watch(several, "run", "--all", code=checkout)[3] == "everything is up to date"
    fitted = json.loads(weights.read_text())
    for kind in fitted.values():
        kind["thresholds"] |= {"confident": 2.0, "confident_bare_title": 2.0}
    weights.write_text(json.dumps(fitted))
    output = watch(several, "status", code=checkout)[3]
    assert output.count("alignment method changed") == len(list_episodes(several))
    assert "confident" in several.alignment("ep3").read_text()
    assert watch(several, "run", "ep3", "--quiet", code=checkout)[0] == 0
    assert "confident" not in several.alignment("ep3").read_text()


def test_incremental_shared_files_equal_a_fresh_run(several: Project) -> None:
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


def test_edited_shared_files_are_rewritten(several: Project) -> None:
    before = several.catalog_csv.read_bytes(), (several.site / "data/catalog.js").read_bytes()
    for path in (several.catalog_csv, several.site / "data" / "catalog.js"):
        path.write_bytes(path.read_bytes().replace(b"dark", b"night"))
    (several.root / "ep3.txt").write_text(PAGE + "Offline maps | v4.10 #500133\n")
    watch(several, "run", "--all", "--quiet")
    (several.root / "ep3.txt").write_text(PAGE)
    watch(several, "run", "--all", "--quiet")
    assert (several.catalog_csv.read_bytes(), (several.site / "data/catalog.js").read_bytes()) == before


def test_touched_audio_is_read_once(several: Project) -> None:
    audio = several.raw("ep3") / "audio.ogg"
    other = audio.with_suffix(".copy")
    other.write_bytes(audio.read_bytes())
    other.replace(audio)
    _, opened, _, output = watch(several, "run", "--all")
    assert output == "everything is up to date"
    assert [path for path in opened if path.endswith(".ogg")] == ["data/raw/ep3/audio.ogg"]
    _, opened, _, _ = watch(several, "run", "--all")
    assert [path for path in opened if path.endswith(".ogg")] == []


def test_mail_is_empty_when_nothing_changed(several: Project) -> None:
    assert watch(several, "run", "--all", "--mail")[3] == ""
    (several.root / "ep3.txt").write_text(PAGE + "Offline maps | v4.10 #500133\n")
    mail = watch(several, "run", "--all", "--mail")[3].splitlines()
    assert mail[0].startswith("1 episode done, 0 failed, in 0:")
    assert mail[1] == "ep3: 2 confident, 1 not found"
    assert mail[3:5] == ["ep3:", "  added     #500133 Offline maps: no time, not_found"]
