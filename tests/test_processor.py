"""The processor: its cores, and the switch for registers of 512 bits."""

import os
import subprocess
import sys

import pytest

from pipeline.processor import count_cores, use_wide_registers

SWITCH = "CT2_FORCE_CPU_ISA"
# As Linux lists them for processors of 2017, 2013 and 2024.
SKYLAKE_X = "fma avx avx2 avx512f avx512dq avx512cd avx512bw avx512vl"
HASWELL = "fma avx avx2 bmi1 bmi2"
ZEN_5 = f"{SKYLAKE_X} avx512_bf16 avx512vbmi avx512_vbmi2 avx512_vnni"

LOAD = """
from pathlib import Path
from pipeline.models import find_model
from pipeline.whisper import Whisper

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


def test_cores_are_those_that_this_process_may_use() -> None:
    assert 1 <= count_cores() <= (os.cpu_count() or 1)
