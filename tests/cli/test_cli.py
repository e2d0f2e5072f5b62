"""The program as a whole: version, help, usage errors, and what it imports."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import __version__
from tests.support.command import catalog
from tests.support.project import REPOSITORY

HEAVY = {"av", "ctranslate2", "faster_whisper", "numpy", "pandas", "pyarrow", "pydantic", "spacy", "yt_dlp"}


def test_version_is_printed() -> None:
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
def test_summaries_fit_80_columns(command: tuple[str, ...]) -> None:
    assert "..." not in catalog(*command, "--help", COLUMNS="80").stdout.split("Commands:")[1]


def test_help_imports_no_heavy_library() -> None:
    code = (
        "import sys; sys.argv = ['catalog', '--help']\n"
        "from pipeline.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert not HEAVY & set(loaded.stderr.split())


@pytest.mark.parametrize("args", [(), ("run",), ("run", "--all", "one"), ("nonsense",), ("locate", "a.mp3")])
def test_wrong_usage_exits_2(args: tuple[str, ...]) -> None:
    result = catalog(*args)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


def test_missing_characters_of_a_locale_are_replaced(tmp_path: Path) -> None:
    page = tmp_path / "list.txt"
    page.write_text("Grüße „sofort“ planen | v4.10 #500111\nAuf Knopfdruck.\n", encoding="utf-8")
    output = catalog("features", page, PYTHONIOENCODING="ascii")
    assert (output.returncode, output.stderr) == (0, "")
    assert "Gr??e ?sofort? planen" in output.stdout
    record = json.loads(catalog("features", page, "--json", PYTHONIOENCODING="ascii").stdout)
    assert record["features"][0]["title"] == "Grüße „sofort“ planen"
