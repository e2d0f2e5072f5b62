"""Commands that install extras work where they are printed."""

import shlex
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from pipeline.core.extras import describe_installation, describe_upgrade, list_requirements


def test_requirements_are_those_of_the_package() -> None:
    assert [requirement.partition(">=")[0] for requirement in list_requirements("id3")] == ["mutagen"]
    assert list_requirements("youtube")[0].startswith("yt-dlp[default,deno]>=")
    assert len(list_requirements("encoder")) == 4


def test_package_itself_is_named_where_it_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def raise_error(_: str) -> None:
        raise metadata.PackageNotFoundError

    monkeypatch.setattr("pipeline.core.extras.metadata.requires", raise_error)
    assert list_requirements("id3") == ["episode-catalog[id3]"]


@pytest.mark.parametrize("on_path", [True, False])
def test_command_starts_this_interpreter(monkeypatch: pytest.MonkeyPatch, on_path: bool) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent) if on_path else "/nowhere")
    command = shlex.split(describe_installation("id3"))
    assert command[1:4] == ["-m", "pip", "install"]
    # What is installed already needs no index: the command itself is run.
    done = subprocess.run([*command, "--quiet", "--no-index"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_path_is_relative_below_the_working_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(sys, "executable", str(tmp_path / ".venv" / "bin" / "python"))
    assert describe_upgrade("yt-dlp") == "./.venv/bin/python -m pip install -U yt-dlp"
