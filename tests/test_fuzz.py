"""Damaged and hostile files give a result or an error of one line: a short part of benchmarks/fuzz_inputs.py."""

from pathlib import Path

import pytest

from benchmarks import fuzz_inputs
from benchmarks.fuzz_samples import make_samples

PARSERS = {"feature list": 60, "transcript": 60, "show": 40, "episode": 40, "corrections": 12, "feed": 60, "audio": 12}
# Fixed, so that a failure comes from a change of the code. Other seeds make other inputs.
SEED = 10


@pytest.fixture(scope="module")
def samples() -> dict[str, fuzz_inputs.Samples]:
    """Valid files of every kind, each of them read once."""
    valid = make_samples()
    fuzz_inputs.warm_up(valid)
    return valid


@pytest.mark.parametrize("parser", [*PARSERS, "our files"])
def test_damaged_files_give_result_or_one_line(samples: dict[str, fuzz_inputs.Samples], parser: str) -> None:
    count = PARSERS.get(parser, 60)
    tally = fuzz_inputs.fuzz(parser, samples[parser], range(count), seed=SEED)
    assert tally.failures == []
    assert tally.outcomes["refused"] > 0
    assert sum(tally.outcomes.values()) == count


@pytest.mark.slow
def test_thousands_of_damaged_files(samples: dict[str, fuzz_inputs.Samples]) -> None:
    for parser, share in fuzz_inputs.SHARES.items():
        tally = fuzz_inputs.fuzz(parser, samples[parser], range(share * 60), seed=SEED + 1)
        assert tally.failures == []
        assert tally.peak < 1 << 30


def test_fuzzer_detects_misbehaving_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    """An endless loop, 2 GB of memory, a crash, a traceback and a write outside the folder are failures."""
    readers = (
        lambda: [None for _ in iter(int, 1)],
        lambda: bytearray(2 << 30),
        lambda: __import__("os").abort(),
        lambda: 1 // 0,
        lambda: Path("/tmp/fuzz-elsewhere").write_text("x"),
    )
    monkeypatch.setattr(fuzz_inputs, "SECONDS", 0.2)
    for read in readers:
        monkeypatch.setattr(fuzz_inputs, "read_input", lambda parser, path, root, read=read: read())
        tally = fuzz_inputs.fuzz("show", {".yaml": [b"name: x"]}, range(1))
        assert (len(tally.failures), tally.outcomes["failed"]) == (1, 1)
