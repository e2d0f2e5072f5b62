"""The processor: its cores, and the switch for registers of 512 bits."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.transcribe.cpu_tuning import count_cores, has_wide_registers, read_features, use_wide_registers

SWITCH = "CT2_FORCE_CPU_ISA"
# As Linux lists them for processors of 2017, 2013 and 2024.
SKYLAKE_X = "fma avx avx2 avx512f avx512dq avx512cd avx512bw avx512vl"
HASWELL = "fma avx avx2 bmi1 bmi2"
ZEN_5 = f"{SKYLAKE_X} avx512_bf16 avx512vbmi avx512_vbmi2 avx512_vnni"

LOAD = """
from pathlib import Path
from pipeline.transcribe.models import find_model
from pipeline.transcribe.whisper import Whisper

print(Whisper.load(find_model("tiny.en", root=Path(), offline=True), workers=1).engine)
"""


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    # Set before it is deleted: so it is as before when a test has set it itself.
    monkeypatch.setenv(SWITCH, "")
    monkeypatch.delenv(SWITCH)


def test_wide_registers_are_used_where_they_cost_no_frequency() -> None:
    assert use_wide_registers(ZEN_5.split())
    assert os.environ[SWITCH] == "AVX512"
    assert use_wide_registers(ZEN_5.split()), "and the second time, too"


@pytest.mark.parametrize("features", [SKYLAKE_X, HASWELL, "avx512_vbmi2", ""])
def test_other_processors_are_left_to_the_library(features: str) -> None:
    assert not use_wide_registers(features.split())
    assert SWITCH not in os.environ


def test_every_feature_of_the_wide_code_is_needed_and_no_other() -> None:
    needed = {"avx512f", "avx512cd", "avx512vl", "avx512dq", "avx512bw", "avx512_vbmi2"}
    assert has_wide_registers(needed)
    assert not any(has_wide_registers(needed - {one}) for one in needed)


def test_features_are_those_of_the_first_core(tmp_path: Path) -> None:
    told = tmp_path / "cpuinfo"
    told.write_bytes(
        b"processor\t: 0\nmodel name\t: Caf\xe9 9000\nflags\t\t: fpu sse: avx512f\nvmx flags\t: vnmi\n\n"
        b"processor\t: 1\nflags\t\t: fpu\n"
    )
    assert read_features(told) == ("fpu", "sse:", "avx512f")


def test_a_system_that_does_not_tell_has_no_features(tmp_path: Path) -> None:
    told = tmp_path / "cpuinfo"
    assert read_features(told) == ()
    told.write_text("Processor\t: ARMv8\nFeatures\t: fp asimd\n")
    assert read_features(told) == ()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems tell it elsewhere")
def test_this_machine_is_asked_where_nothing_is_given() -> None:
    flags = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("flags")]
    assert " ".join(read_features()) == (" ".join(flags[0].split(":", 1)[1].split()) if flags else "")
    assert has_wide_registers() == has_wide_registers(read_features())


@pytest.mark.parametrize("said", ["AVX2", "GENERIC"])
def test_what_the_environment_says_is_left_alone(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setenv(SWITCH, said)
    assert not use_wide_registers(ZEN_5.split())
    assert os.environ[SWITCH] == said


@pytest.mark.parametrize("said", ["", "AVX2"])
def test_a_transcript_records_what_the_library_computes_with(said: str) -> None:
    """It refuses to work where it is told to use what the processor lacks, so this shows that we never do so."""
    environment = {**os.environ, "CT2_VERBOSE": "1", **({SWITCH: said} if said else {})}
    ran = subprocess.run([sys.executable, "-c", LOAD], env=environment, capture_output=True, text=True, check=True)
    assert "Selected ISA: " in ran.stderr
    assert ran.stdout.strip().endswith("int8 AVX-512") == ("Selected ISA: AVX512" in ran.stderr)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores cannot be taken away here")
def test_cores_are_those_that_this_process_may_use() -> None:
    confined = (
        "import os; from pipeline.transcribe.cpu_tuning import count_cores; "
        "os.sched_setaffinity(0, {%d}); print(count_cores())"
    )
    core = min(os.sched_getaffinity(0))
    ran = subprocess.run([sys.executable, "-c", confined % core], capture_output=True, text=True, check=True)
    assert (ran.stdout.strip(), count_cores()) == ("1", len(os.sched_getaffinity(0)))


@pytest.mark.parametrize(("told", "cores"), [(12, 12), (None, 1)])
def test_where_the_system_does_not_say_all_cores_count(
    monkeypatch: pytest.MonkeyPatch, told: int | None, cores: int
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: told)
    assert count_cores() == cores
