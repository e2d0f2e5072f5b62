"""The tutorial is done as it stands: every file written, every command run, in order."""

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

pytestmark = pytest.mark.model
TUTORIAL = (REPOSITORY / "docs" / "tutorial.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(sh|yaml)\n(.*?)```", TUTORIAL, re.DOTALL)


def write_script() -> str:
    """The tutorial's blocks as one script; settings go to the file that their first line names."""
    steps = ["set -eu"]
    for kind, text in BLOCKS:
        name = re.match(r"# (configs/\S+)", text)
        assert kind == "sh" or name, f"where is this to be written? {text}"
        steps.append(text if kind == "sh" else f"cat > {name[1]} <<'END'\n{text}END" if name else "")
    # Where it was done, for the test to look at.
    return "\n".join([*steps, "pwd"])


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The project that the tutorial makes, and all that was printed."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(REPOSITORY),
        "TMPDIR": str(tmp_path_factory.mktemp("tutorial")),
    }
    # In `bash -c` the program would share a shell's standard input.
    ended = subprocess.run(
        ["bash", "-c", write_script()], cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return Path(ended.stdout.splitlines()[-1]), ended.stdout


def test_the_rows_it_shows_are_those_that_come_out(done: tuple[Path, str]) -> None:
    folder, _ = done
    shown = TUTORIAL.split("<!-- tutorial-rows -->")[1].split("<!-- /tutorial-rows -->")[0].strip().splitlines()[2:]
    rows = {row["position"]: row for row in _first_state(folder)}
    for line in shown:
        position, title, start, status = (cell.strip() for cell in line.strip("|").split("|"))
        row = rows[int(position)]
        assert (row["title"], row["status"]) == (title, status)
        # Arithmetic differs between processors, and with it a transcriber's times by a second.
        assert (row["start_s"] is None) == (start == "")
        assert not start or abs(float(str(row["start_s"])) - parse_time(start)) <= 2


def _first_state(folder: Path) -> list[dict[str, object]]:
    """The rows as they were published before the correction."""
    first = sorted((folder / "data/processed/history/ep7").iterdir())[0]
    rows: list[dict[str, object]] = json.loads(first.read_text())["rows"]
    return rows


def test_the_second_run_has_nothing_to_do(done: tuple[Path, str]) -> None:
    assert "everything is up to date" in done[1]


def test_the_correction_holds(done: tuple[Path, str]) -> None:
    rows = pd.read_parquet(done[0] / "data/processed/catalog/ep7.parquet").set_index("feature_id")
    assert (rows.loc[713512, "status"], rows.loc[713512, "start"]) == ("corrected", "2:37")


def test_every_file_it_promises_is_there(done: tuple[Path, str]) -> None:
    promised = re.findall(r"\| `(data/[^`]+)` \|", TUTORIAL)
    assert len(promised) == 4
    assert all((done[0] / name).exists() for name in promised)
