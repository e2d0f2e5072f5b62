"""The tutorial works as written: every file is written and every command run, in order."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from pipeline.core.times import parse_time
from tests.support.project import REPOSITORY

pytestmark = [pytest.mark.model, pytest.mark.slow]
TUTORIAL = (REPOSITORY / "docs" / "tutorial.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(sh|yaml)\n(.*?)```", TUTORIAL, re.DOTALL)


def write_script() -> str:
    """Return the tutorial's blocks as one script; settings go to the file named in their first line."""
    steps = ["set -eu"]
    for kind, text in BLOCKS:
        name = re.match(r"# (configs/\S+)", text)
        assert kind == "sh" or name, f"the first line names no file: {text}"
        steps.append(text if kind == "sh" else f"cat > {name[1]} <<'END'\n{text}END" if name else "")
    # The project's folder, which the tests read.
    return "\n".join([*steps, "pwd"])


@pytest.fixture(scope="module")
def completed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return the project that the tutorial makes, and its output."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(REPOSITORY),
        "TMPDIR": str(tmp_path_factory.mktemp("tutorial")),
    }
    # Without DEVNULL the program would read the standard input of the tests.
    process = subprocess.run(
        ["bash", "-c", write_script()], cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
    return Path(process.stdout.splitlines()[-1]), process.stdout


def test_rows_shown_match_the_run(completed: tuple[Path, str]) -> None:
    folder, _ = completed
    lines = TUTORIAL.split("<!-- tutorial-rows -->")[1].split("<!-- /tutorial-rows -->")[0].strip().splitlines()[2:]
    rows = {row["position"]: row for row in _first_rows(folder)}
    for line in lines:
        position, title, start, status = (cell.strip() for cell in line.strip("|").split("|"))
        row = rows[int(position)]
        assert (row["title"], row["status"]) == (title, status)
        # Word times differ by up to a second between processors.
        assert (row["start_s"] is None) == (start == "")
        assert not start or abs(float(str(row["start_s"])) - parse_time(start)) <= 2


def _first_rows(folder: Path) -> list[dict[str, object]]:
    """Return the rows that were published before the correction."""
    first = sorted((folder / "data/processed/history/ep7").iterdir())[0]
    rows: list[dict[str, object]] = json.loads(first.read_text())["rows"]
    return rows


def test_second_run_has_nothing_to_do(completed: tuple[Path, str]) -> None:
    assert "everything is up to date" in completed[1]


def test_correction_is_applied(completed: tuple[Path, str]) -> None:
    rows = pd.read_parquet(completed[0] / "data/processed/catalog/ep7.parquet").set_index("feature_id")
    assert (rows.loc[713512, "status"], rows.loc[713512, "start"]) == ("corrected", "0:02:37")


def test_listed_files_exist(completed: tuple[Path, str]) -> None:
    listed = re.findall(r"\| `(data/[^`]+)` \|", TUTORIAL)
    assert len(listed) == 4
    assert all((completed[0] / name).exists() for name in listed)
