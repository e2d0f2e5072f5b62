"""What is stale and why; and that looking costs no reading of unchanged files."""

import os
from pathlib import Path

import pytest

from pipeline.staleness import StateFile

INPUTS = {"audio": "a" * 64, "speech model": "base"}


@pytest.fixture
def output(tmp_path: Path) -> Path:
    path = tmp_path / "out" / "made.json"
    path.parent.mkdir()
    path.write_text("made")
    return path


def recorded(tmp_path: Path, output: Path) -> StateFile:
    state = StateFile(tmp_path / "state.json", tmp_path)
    state.record("transcribe", INPUTS, [output])
    return StateFile.load(tmp_path / "state.json", tmp_path)


def test_a_stage_that_never_ran_says_so(tmp_path: Path) -> None:
    assert StateFile(tmp_path / "s.json", tmp_path).find_reason("transcribe", INPUTS, []) == "not done yet"


def test_a_stage_whose_inputs_and_outputs_are_as_before_is_up_to_date(tmp_path: Path, output: Path) -> None:
    assert recorded(tmp_path, output).find_reason("transcribe", INPUTS, [output]) is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"speech model": "small"}, "speech model changed from base to small"),
        ({"audio": "b" * 64}, "audio changed"),
        ({"language": "en"}, "language changed"),
    ],
)
def test_a_changed_input_is_the_reason(tmp_path: Path, output: Path, change: dict[str, str], reason: str) -> None:
    assert recorded(tmp_path, output).find_reason("transcribe", {**INPUTS, **change}, [output]) == reason


def test_every_reason_is_told(tmp_path: Path, output: Path) -> None:
    state = recorded(tmp_path, output)
    reasons = list(state.find_reasons("transcribe", {"audio": "b" * 64, "language": "en"}, [output]))
    assert reasons == ["audio changed", "language changed", "speech model changed"]


def test_outputs_are_looked_at_where_the_inputs_are_the_same(tmp_path: Path, output: Path) -> None:
    state = recorded(tmp_path, output)
    output.unlink()
    assert list(state.find_reasons("transcribe", INPUTS, [output])) == ["out/made.json is missing"]


def test_an_input_that_is_gone_is_the_reason(tmp_path: Path, output: Path) -> None:
    assert recorded(tmp_path, output).find_reason("transcribe", {"audio": "a" * 64}, [output]) == "speech model changed"


def test_a_missing_output_is_the_reason(tmp_path: Path, output: Path) -> None:
    state = recorded(tmp_path, output)
    output.unlink()
    assert state.find_reason("transcribe", INPUTS, [output]) == "out/made.json is missing"


def test_an_output_that_someone_changed_is_the_reason(tmp_path: Path, output: Path) -> None:
    state = recorded(tmp_path, output)
    output.write_text("edited by hand")
    assert state.find_reason("transcribe", INPUTS, [output]) == "out/made.json was changed from outside"


def test_a_file_touched_but_not_changed_is_no_reason(tmp_path: Path, output: Path) -> None:
    state = recorded(tmp_path, output)
    os.utime(output, (1, 1))
    assert state.find_reason("transcribe", INPUTS, [output]) is None


def test_an_unchanged_file_is_not_read_again(tmp_path: Path, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = recorded(tmp_path, output)
    monkeypatch.setattr("pipeline.staleness.sha256_of", lambda path: pytest.fail(f"{path} was read"))
    assert state.find_reason("transcribe", INPUTS, [output]) is None


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"stages": {"a": 1}, "stamps": {}}', '{"stages": {"a": {}}, "stamps": {"x": [1]}}']
)
def test_a_damaged_record_means_everything_is_made_anew(tmp_path: Path, content: str) -> None:
    (tmp_path / "state.json").write_text(content)
    state = StateFile.load(tmp_path / "state.json", tmp_path)
    assert state.find_reason("transcribe", INPUTS, []) == "not done yet"
