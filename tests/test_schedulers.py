"""The schedulers' own tools accept the recipes, and the recipes call existing commands."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.core.settings_file import make_parser
from tests.support.command import COMMANDS, help_of
from tests.support.project import REPOSITORY

RECIPES = REPOSITORY / "examples" / "schedulers"
BIN = Path(sys.executable).parent
WORKFLOW = RECIPES / "github-workflow.yml"


def find_commands() -> list[str]:
    """Return every call of the program in a recipe."""
    text = "\n".join(path.read_text() for path in sorted(RECIPES.iterdir()))
    return re.findall(r"catalog (run --[^|>\n]*)", text)


def test_recipes_call_existing_commands() -> None:
    calls = find_commands()
    assert len(calls) == 3
    for call in calls:
        command, *options = shlex.split(call)
        assert command in COMMANDS
        assert all(option in help_of(command) for option in options), call


def test_cron_line_has_five_fields_after_its_variables() -> None:
    lines = [line for line in (RECIPES / "crontab").read_text().splitlines() if line and not line.startswith("#")]
    *variables, job = lines
    assert all(re.fullmatch(r"[A-Z_]+=\S+", line) for line in variables)
    fields = job.split(None, 5)
    assert all(re.fullmatch(r"\*|\d+(-\d+)?(,\d+)*|\*/\d+", field) for field in fields[:5])
    assert fields[5].endswith("catalog run --all --refresh --wait --mail")


@pytest.mark.skipif(shutil.which("crontab") is None, reason="cron is not installed")
def test_cron_accepts_its_file() -> None:
    checked = subprocess.run(["crontab", "-T", RECIPES / "crontab"], capture_output=True, text=True, check=False)
    if "invalid option" in checked.stderr:
        pytest.skip("this version of cron cannot check a file")
    assert checked.returncode == 0, checked.stderr


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_accepts_service_and_timer(tmp_path: Path) -> None:
    units = [shutil.copy(RECIPES / f"episode-catalog.{kind}", tmp_path) for kind in ("service", "timer")]
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False
    )
    messages = [line for line in checked.stderr.splitlines() if "episode-catalog" in line]
    assert (checked.returncode, messages) == (0, [])


def test_workflow_matches_the_github_schema() -> None:
    tool = [str(BIN / "check-jsonschema"), "--builtin-schema", "vendor.github-workflows", str(WORKFLOW)]
    checked = subprocess.run(tool, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_workflow_has_no_known_weakness() -> None:
    tool = [str(BIN / "zizmor"), "--offline", "--no-progress", "--persona", "auditor", str(WORKFLOW)]
    checked = subprocess.run(tool, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_workflow_scripts_are_valid_bash() -> None:
    steps = make_parser().load(WORKFLOW.read_text())["jobs"]["catalog"]["steps"]
    for script in (step["run"] for step in steps if "run" in step):
        checked = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False)
        assert checked.returncode == 0, checked.stderr
