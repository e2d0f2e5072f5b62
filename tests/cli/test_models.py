"""The commands `models list` and `models pull`."""

import json
from pathlib import Path

from typer.testing import CliRunner

from pipeline.cli import app


def test_list_prints_each_model_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "models" / "own").mkdir(parents=True)
    (tmp_path / "models" / "own" / "model.bin").write_bytes(b"x")
    output = CliRunner().invoke(app, ["models", "list", "--json", "--root", str(tmp_path)]).stdout
    own = next(model for model in json.loads(output) if model["name"] == "own")
    assert (own["origin"], own["digest"], own["bytes"]) == ("project", "unknown", 1)
    assert "has no" in own["problem"]


def test_unknown_model_is_refused(tmp_path: Path) -> None:
    ended = CliRunner().invoke(app, ["models", "pull", "./nowhere", "--root", str(tmp_path)])
    assert ended.exit_code == 1
    assert "nowhere does not exist" in str(ended.exception)
