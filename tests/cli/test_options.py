"""The output of `--json`."""

import json

import pytest

from pipeline.cli.options import print_json


def test_json_escapes_terminal_controls(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"title": "a\x9b31m\u202eb", "kites": "Drachen ü"}
    print_json(value)
    printed = capsys.readouterr().out
    assert json.loads(printed) == value
    assert "\\u009b31m\\u202eb" in printed
    assert "ü" in printed
