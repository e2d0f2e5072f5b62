"""A new project's folder: whole, commented, and ready for the first episode."""

import re
import subprocess
from pathlib import Path

import pytest

from pipeline.core.config import DownloadConfig, ShowConfig, load_show
from pipeline.core.errors import InputError
from pipeline.core.project import Project
from pipeline.core.scaffold import list_presets, load_preset, make_project
from pipeline.core.settings_file import make_parser
from tests.support.command import catalog


def test_new_project_has_folders_and_valid_settings(tmp_path: Path) -> None:
    written = make_project(tmp_path / "show")
    assert [path.name for path in written] == ["show.yaml", ".gitignore"]
    assert load_show(Project(tmp_path / "show").show).name == "My Show"
    for folder in ("configs/episodes", "configs/corrections", "data/raw", "data/processed", "pages", "audio"):
        assert (tmp_path / "show" / folder).is_dir()


def test_preset_fills_the_settings(tmp_path: Path) -> None:
    make_project(tmp_path, "by-the-runbook")
    show = load_show(tmp_path / "configs" / "show.yaml")
    assert (show.name, show.product, show.language) == ("By the [run]Book", "HaloPSA", "en")
    assert tuple(show.glossary) == tuple(load_preset("by-the-runbook").glossary)


@pytest.mark.parametrize("preset", [None, *list_presets()])
def test_commented_settings_are_valid(tmp_path: Path, preset: str | None) -> None:
    """Each is known by its name, and says what holds without it."""
    make_project(tmp_path, preset)
    text = (tmp_path / "configs" / "show.yaml").read_text()
    shown = re.sub(r"^# (?=[a-z0-9_]+:|  )", "", text, flags=re.MULTILINE)
    values = make_parser().load(shown)
    assert DownloadConfig.model_validate({**values["download"], "cookies": None}) == DownloadConfig.model_validate({})
    assert set(values) == set(ShowConfig.model_fields)
    ShowConfig.model_validate({**values, "download": {}, "releases": []})


def test_existing_files_are_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("mine\n")
    make_project(tmp_path)
    assert (tmp_path / ".gitignore").read_text() == "mine\n"
    (tmp_path / "configs" / "show.yaml").write_text("name: Mine\n")
    with pytest.raises(InputError, match="is there already: edit it, or name another folder"):
        make_project(tmp_path)
    assert (tmp_path / "configs" / "show.yaml").read_text() == "name: Mine\n"


def test_unknown_preset_or_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises((InputError, NotADirectoryError)):
        make_project(tmp_path / "file")
    with pytest.raises(InputError, match="there is no preset 'none'; known: by-the-runbook"):
        make_project(tmp_path / "new", "none")
    assert not (tmp_path / "new").exists()


def test_git_ignores_audio_and_cookies(tmp_path: Path) -> None:
    make_project(tmp_path)
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    for name in ("data/raw/ep1/audio.mp3", "data/processed/catalog.csv", "cookies.txt", "configs/episodes/ep1.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    ran = subprocess.run(
        ["git", "-C", str(tmp_path), "status", "--short", "-uall"], capture_output=True, text=True, check=True
    )
    assert ran.stdout.split()[1::2] == [".gitignore", "configs/episodes/ep1.yaml", "configs/show.yaml"]


def test_init_prints_next_step(tmp_path: Path) -> None:
    ran = catalog("init", str(tmp_path / "show"), "--preset", "by-the-runbook")
    assert ran.returncode == 0
    assert "next: catalog new ep1 SOURCE" in ran.stdout
    assert catalog("status", cwd=tmp_path / "show").returncode == 0
    assert catalog("init", str(tmp_path / "show")).returncode == 1
