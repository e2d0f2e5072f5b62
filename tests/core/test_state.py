"""What is stale and why; and that looking costs no reading of unchanged files."""

import json
import os
import time
from pathlib import Path

import pytest

from pipeline.core.state import FINE_GRAIN_NS, Reason, StateFile
from tests.support.project import wait_for_another_time

INPUTS = {"audio": "a" * 64, "speech model": "base"}


@pytest.fixture
def output(tmp_path: Path) -> Path:
    path = tmp_path / "out" / "made.json"
    path.parent.mkdir()
    path.write_text("made")
    return path


def recorded(tmp_path: Path, output: Path) -> StateFile:
    wait_until_old(output)
    state = StateFile(tmp_path / "state.json", tmp_path)
    state.record("transcribe", INPUTS, [output])
    return StateFile.load(tmp_path / "state.json", tmp_path)


def wait_until_old(path: Path) -> None:
    """Wait until a file is older than the clock's grain, so that its fingerprint counts."""
    while time.time_ns() - path.stat().st_ctime_ns <= FINE_GRAIN_NS:
        time.sleep(FINE_GRAIN_NS / 4e9)


@pytest.mark.parametrize("counts_seconds", [True, False])
def test_edit_within_the_clock_grain_counts(
    tmp_path: Path, output: Path, monkeypatch: pytest.MonkeyPatch, counts_seconds: bool
) -> None:
    """A file system that counts seconds, or slow ticks, gives two edits one time."""
    grain = 1_000_000_000 if counts_seconds else 4_000_000
    moment = time.time_ns() // grain * grain
    times = dict.fromkeys(("st_atime_ns", "st_mtime_ns", "st_ctime_ns"), moment)
    status = os.stat_result((0, 0, 0, 1, 0, 0, 4, 0, 0, 0), times)
    monkeypatch.setattr(Path, "stat", lambda path, **_: status)
    monkeypatch.setattr("pipeline.core.state.time.time_ns", lambda: moment + grain // 2)
    state = StateFile(tmp_path / "state.json", tmp_path)
    before = state.digest(output)
    output.write_text("edit")
    assert state.digest(output) != before


def test_stage_that_never_ran_is_stale(tmp_path: Path) -> None:
    assert StateFile(tmp_path / "s.json", tmp_path).find_reason("transcribe", INPUTS, []) == "not done yet"


def test_unreadable_state_file_is_an_error(tmp_path: Path, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded(tmp_path, output)

    def refuse(path: Path, **_: object) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(PermissionError, match=r"state\.json"):
        StateFile.load(tmp_path / "state.json", tmp_path)


def test_unchanged_stage_is_up_to_date(tmp_path: Path, output: Path) -> None:
    assert recorded(tmp_path, output).find_reason("transcribe", INPUTS, [output]) is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"speech model": "small"}, "speech model changed from base to small"),
        ({"audio": "b" * 64}, "audio changed"),
        ({"language": "en"}, "language changed"),
    ],
)
def test_changed_input_is_the_reason(tmp_path: Path, output: Path, change: dict[str, str], reason: str) -> None:
    assert recorded(tmp_path, output).find_reason("transcribe", {**INPUTS, **change}, [output]) == reason


def test_every_reason_is_reported(tmp_path: Path, output: Path) -> None:
    state = recorded(tmp_path, output)
    reasons = list(state.find_reasons("transcribe", {"audio": "b" * 64, "language": "en"}, [output]))
    assert [reason.text for reason in reasons] == ["audio changed", "language changed", "speech model changed"]
    assert [reason.changed for reason in reasons] == ["audio", "language", "speech model"]


def test_outputs_are_checked_when_inputs_match(tmp_path: Path, output: Path) -> None:
    state = recorded(tmp_path, output)
    output.unlink()
    assert list(state.find_reasons("transcribe", INPUTS, [output])) == [Reason("out/made.json is missing")]


def test_missing_input_is_the_reason(tmp_path: Path, output: Path) -> None:
    assert recorded(tmp_path, output).find_reason("transcribe", {"audio": "a" * 64}, [output]) == "speech model changed"


def test_missing_output_is_the_reason(tmp_path: Path, output: Path) -> None:
    state = recorded(tmp_path, output)
    output.unlink()
    assert state.find_reason("transcribe", INPUTS, [output]) == "out/made.json is missing"


def test_changed_output_is_the_reason(tmp_path: Path, output: Path) -> None:
    state = recorded(tmp_path, output)
    output.write_text("edited by hand")
    assert state.find_reason("transcribe", INPUTS, [output]) == "out/made.json was changed from outside"


def test_touched_file_is_not_a_reason(tmp_path: Path, output: Path) -> None:
    state = recorded(tmp_path, output)
    os.utime(output, (1, 1))
    assert state.find_reason("transcribe", INPUTS, [output]) is None


def test_unchanged_file_is_not_read_again(tmp_path: Path, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = recorded(tmp_path, output)
    monkeypatch.setattr("pipeline.core.state.sha256_of", lambda path: pytest.fail(f"{path} was read"))
    assert state.find_reason("transcribe", INPUTS, [output]) is None


def test_change_with_old_size_and_time_is_detected(tmp_path: Path, output: Path) -> None:
    state, before = recorded(tmp_path, output), output.stat()
    wait_for_another_time(output)
    output.write_text("MADE")
    os.utime(output, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert state.find_reason("transcribe", INPUTS, [output]) == "out/made.json was changed from outside"


def test_new_hard_link_is_not_a_change(tmp_path: Path, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = recorded(tmp_path, output)
    os.link(output, tmp_path / "audio.mp3")
    monkeypatch.setattr("pipeline.core.state.sha256_of", lambda path: pytest.fail(f"{path} was read"))
    assert state.find_reason("transcribe", INPUTS, [output]) is None


def test_changed_linked_file_is_read_again(tmp_path: Path, output: Path) -> None:
    state = recorded(tmp_path, output)
    os.link(output, tmp_path / "audio.mp3")
    output.write_text("MADE")
    os.utime(output, (1, 1))
    assert state.find_reason("transcribe", INPUTS, [output]) == "out/made.json was changed from outside"


def test_touched_file_is_read_once(tmp_path: Path, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = recorded(tmp_path, output)
    os.utime(output, (1, 1))
    wait_until_old(output)
    state.find_reason("transcribe", INPUTS, [output])
    state.save_fingerprints()
    monkeypatch.setattr("pipeline.core.state.sha256_of", lambda path: pytest.fail(f"{path} was read"))
    again = StateFile.load(tmp_path / "state.json", tmp_path)
    assert again.find_reason("transcribe", INPUTS, [output]) is None


def test_nothing_touched_nothing_written(tmp_path: Path, output: Path) -> None:
    state = recorded(tmp_path, output)
    os.utime(output, (1, 1))
    state.find_reason("transcribe", INPUTS, [output])
    state.save_fingerprints()
    written = (tmp_path / "state.json").stat().st_ino
    for looked in (state, StateFile.load(tmp_path / "state.json", tmp_path)):
        looked.save_fingerprints()
        assert (tmp_path / "state.json").stat().st_ino == written


def test_missing_discovered_output_is_reported(tmp_path: Path, output: Path) -> None:
    """The latest snapshot of a history is found by its name; only the record shows that it is missing."""
    state = recorded(tmp_path, output)
    assert list(state.find_reasons("transcribe", INPUTS, [])) == []
    output.unlink()
    assert list(state.find_reasons("transcribe", INPUTS, [])) == [Reason("out/made.json is missing")]


@pytest.mark.parametrize(
    ("before", "now", "reason"),
    [
        ("", "en", "language changed from none to en"),
        ("en", "", "language changed from en to none"),
        ("", "x" * 40, f"language changed from none to {'x' * 40}"),
        ("", "x" * 41, "language changed"),
    ],
)
def test_reasons_quote_short_values_only(tmp_path: Path, before: str, now: str, reason: str) -> None:
    state = StateFile(tmp_path / "state.json", tmp_path)
    state.record("transcribe", {"language": before}, [])
    assert state.find_reason("transcribe", {"language": now}, []) == reason


def test_recorded_inputs_and_outputs_are_readable(tmp_path: Path, output: Path) -> None:
    state = recorded(tmp_path, output)
    assert state.recorded_inputs("transcribe") == INPUTS
    assert state.recorded_outputs("transcribe") == {output: state.digest(output)}
    assert state.recorded_inputs("align") is None
    assert state.recorded_outputs("align") == {}


def test_former_outputs_leave_the_state_file(tmp_path: Path) -> None:
    state = StateFile(tmp_path / "state.json", tmp_path)
    for number in range(5):
        made = tmp_path / f"{number}.json"
        made.write_text("made")
        wait_until_old(made)
        state.record("publish", INPUTS, [made])
    assert list(json.loads(state.path.read_text())["fingerprints"]) == ["4.json"]
    assert state.find_reason("publish", INPUTS, [made]) is None


DONE = '{"stages": {"transcribe": {"inputs": {}, "outputs": {}%s}}, "fingerprints": %s}'


def test_valid_state_file_is_accepted(tmp_path: Path) -> None:
    for fingerprints in ("{}", '{"x": [1, 2, 3, "digest"]}', '{"x": [1, 2, "digest of an older version"]}'):
        (tmp_path / "state.json").write_text(DONE % (', "sizes": {"a": 1}', fingerprints))
        assert StateFile.load(tmp_path / "state.json", tmp_path).find_reason("transcribe", {}, []) is None


@pytest.mark.parametrize(
    "content",
    [
        *(
            "",
            "{",
            "[]",
            '{"stages": {"transcribe": 1}, "fingerprints": {}}',
            '{"stages": {"transcribe": {}}, "fingerprints": {}}',
        ),
        *(DONE % ("", "[]"), DONE % ("", '{"x": [1]}'), DONE % ("", '{"x": "abc"}')),
        '{"stages": [], "fingerprints": {}}',
    ],
)
def test_damaged_state_file_makes_everything_stale(tmp_path: Path, output: Path, content: str) -> None:
    (tmp_path / "state.json").write_text(content)
    state = StateFile.load(tmp_path / "state.json", tmp_path)
    assert state.find_reason("transcribe", {}, []) == "not done yet"
    state.record("transcribe", INPUTS, [output])
    assert StateFile.load(tmp_path / "state.json", tmp_path).find_reason("transcribe", INPUTS, [output]) is None


def test_state_file_of_version_0_1_is_read(tmp_path: Path, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = recorded(tmp_path, output)
    state.path.write_text(state.path.read_text().replace('"fingerprints"', '"stamps"'))
    monkeypatch.setattr("pipeline.core.state.sha256_of", lambda path: pytest.fail(f"{path} was read"))
    loaded = StateFile.load(state.path, tmp_path)
    assert loaded.find_reason("transcribe", INPUTS, [output]) is None


def test_recorded_inputs_are_converted_and_saved_once(tmp_path: Path, output: Path) -> None:
    state = recorded(tmp_path, output)
    state.convert_inputs("align", lambda inputs: {**inputs, "method": "1"})
    assert state.stages == ("transcribe",)
    state.convert_inputs("transcribe", lambda inputs: {**inputs, "method": "1"})
    state.save_fingerprints()
    loaded = StateFile.load(state.path, tmp_path)
    assert loaded.recorded_inputs("transcribe") == {**INPUTS, "method": "1"}
    assert loaded.find_reason("transcribe", {**INPUTS, "method": "1"}, [output]) is None


def test_remembered_values_are_saved_once(tmp_path: Path) -> None:
    state = StateFile.load(tmp_path / "state.json", tmp_path)
    state.remember("spoken versions", {"speaks of v1.1": "yes"})
    assert not (tmp_path / "state.json").exists()
    state.save_fingerprints()
    loaded = StateFile.load(tmp_path / "state.json", tmp_path)
    assert loaded.recorded_inputs("spoken versions") == {"speaks of v1.1": "yes"}
    written = (tmp_path / "state.json").stat().st_mtime_ns
    loaded.remember("spoken versions", {"speaks of v1.1": "yes"})
    loaded.save_fingerprints()
    assert (tmp_path / "state.json").stat().st_mtime_ns == written
