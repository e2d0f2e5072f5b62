"""No bytes bring a reader down: a short part of benchmarks/fuzz_inputs.py, the same inputs each time."""

from pathlib import Path

import pytest

from benchmarks import fuzz_inputs
from benchmarks.fuzz_samples import make_samples

PARSERS = {"feature list": 60, "transcript": 60, "show": 40, "episode": 40, "corrections": 12, "feed": 60, "audio": 12}
# Fixed, so that a failure is a change's own; the campaign finds new inputs with any other.
SEED = 10


@pytest.fixture(scope="module")
def samples() -> dict[str, fuzz_inputs.Samples]:
    """Valid files of every kind, each of them read once."""
    made = make_samples()
    fuzz_inputs.warm_up(made)
    return made


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
    """The harness itself: a hang, a flood of memory, a crash, a traceback and a write elsewhere are failures."""
    harms = (
        lambda: [None for _ in iter(int, 1)],
        lambda: bytearray(2 << 30),
        lambda: __import__("os").abort(),
        lambda: 1 // 0,
        lambda: Path("/tmp/fuzz-elsewhere").write_text("x"),
    )
    monkeypatch.setattr(fuzz_inputs, "SECONDS", 0.2)
    for harm in harms:
        monkeypatch.setattr(fuzz_inputs, "read_input", lambda parser, path, root, harm=harm: harm())
        tally = fuzz_inputs.fuzz("show", {".yaml": [b"name: x"]}, range(1))
        assert (len(tally.failures), tally.outcomes["failed"]) == (1, 1)
