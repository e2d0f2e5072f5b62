"""CPU tuning: malloc keeps and returns memory, AVX-512 is used where it is fast, and mel bands equal the matrix."""

import hashlib
import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline.transcribe.cpu_tuning import MelBands, count_cores, enable_avx512, has_fast_avx512, read_cpu_flags
from tests.support.project import REPOSITORY

needs_glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has mallopt")

# Allocates like the layers of a network, in a thread that is not the main one. A page has 4 kB or more.
ALLOCATE_AND_FREE = """
import ctypes, resource, sys, threading
from pipeline.transcribe.cpu_tuning import trim_malloc, tune_malloc

if sys.argv[1] == "tuned":
    tune_malloc()
library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p
library.malloc.argtypes = [ctypes.c_size_t]
library.free.argtypes = [ctypes.c_void_p]

def allocate_and_free(times):
    for _ in range(times):
        block = library.malloc(80_000_000)
        ctypes.memset(block, 1, 80_000_000)
        library.free(block)

def count_page_faults(times):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    thread = threading.Thread(target=allocate_and_free, args=[times])
    thread.start()
    thread.join()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()

count_page_faults(1)
faults, held = count_page_faults(5), resident()
trim_malloc()
print(faults, held - resident())
"""


def measure_malloc(setting: str) -> tuple[int, int]:
    """Return the page faults of five successive blocks, and the bytes that `trim_malloc` returns."""
    done = subprocess.run(
        [sys.executable, "-c", ALLOCATE_AND_FREE, setting], capture_output=True, text=True, check=True
    )
    faults, returned = map(int, done.stdout.split())
    return faults, returned


@needs_glibc
def test_tuned_malloc_reuses_blocks_until_trimmed() -> None:
    faults, returned = measure_malloc("tuned")
    assert faults < 100
    assert returned > 70_000_000


@needs_glibc
def test_untuned_malloc_maps_each_block_again() -> None:
    """If this fails, glibc has changed and `tune_malloc` may be superfluous."""
    assert measure_malloc("untuned")[0] > 1000


ISA_VARIABLE = "CT2_FORCE_CPU_ISA"
# CPU flags of Linux for CPUs of 2017, 2013 and 2024.
SKYLAKE_X = "fma avx avx2 avx512f avx512dq avx512cd avx512bw avx512vl"
HASWELL = "fma avx avx2 bmi1 bmi2"
ZEN_5 = f"{SKYLAKE_X} avx512_bf16 avx512vbmi avx512_vbmi2 avx512_vnni"

PRINT_ENGINE = """
from pathlib import Path
from pipeline.transcribe.models import find_model
from pipeline.transcribe.whisper import Whisper

print(Whisper.load(find_model("tiny.en", root=Path(), offline=True), workers=1).engine)
"""


@pytest.fixture(autouse=True)
def no_selected_isa(monkeypatch: pytest.MonkeyPatch) -> None:
    # Set before it is deleted, so that monkeypatch restores the variable even if a test sets it itself.
    monkeypatch.setenv(ISA_VARIABLE, "")
    monkeypatch.delenv(ISA_VARIABLE)


def test_avx512_is_enabled_at_full_frequency() -> None:
    assert enable_avx512(ZEN_5.split())
    assert os.environ[ISA_VARIABLE] == "AVX512"
    assert enable_avx512(ZEN_5.split()), "and the second time, too"


@pytest.mark.parametrize("flags", [SKYLAKE_X, HASWELL, "avx512_vbmi2", ""])
def test_other_cpus_keep_the_default(flags: str) -> None:
    assert not enable_avx512(flags.split())
    assert ISA_VARIABLE not in os.environ


def test_fast_avx512_needs_each_flag() -> None:
    needed = {"avx512f", "avx512cd", "avx512vl", "avx512dq", "avx512bw", "avx512_vbmi2"}
    assert has_fast_avx512(needed)
    assert not any(has_fast_avx512(needed - {flag}) for flag in needed)


def test_flags_are_those_of_the_first_core(tmp_path: Path) -> None:
    cpu_info = tmp_path / "cpuinfo"
    cpu_info.write_bytes(
        b"processor\t: 0\nmodel name\t: Caf\xe9 9000\nflags\t\t: fpu sse: avx512f\nvmx flags\t: vnmi\n\n"
        b"processor\t: 1\nflags\t\t: fpu\n"
    )
    assert read_cpu_flags(cpu_info) == ("fpu", "sse:", "avx512f")


def test_missing_file_or_line_gives_no_flags(tmp_path: Path) -> None:
    cpu_info = tmp_path / "cpuinfo"
    assert read_cpu_flags(cpu_info) == ()
    cpu_info.write_text("Processor\t: ARMv8\nFeatures\t: fp asimd\n")
    assert read_cpu_flags(cpu_info) == ()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc/cpuinfo is Linux's")
def test_default_flags_are_those_of_this_machine() -> None:
    flags = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("flags")]
    assert " ".join(read_cpu_flags()) == (" ".join(flags[0].split(":", 1)[1].split()) if flags else "")
    assert has_fast_avx512() == has_fast_avx512(read_cpu_flags())


@pytest.mark.parametrize("selected", ["AVX2", "GENERIC"])
def test_isa_set_in_the_environment_is_kept(monkeypatch: pytest.MonkeyPatch, selected: str) -> None:
    monkeypatch.setenv(ISA_VARIABLE, selected)
    assert not enable_avx512(ZEN_5.split())
    assert os.environ[ISA_VARIABLE] == selected


@pytest.mark.parametrize("selected", ["", "AVX2"])
def test_engine_names_the_instruction_set_in_use(selected: str) -> None:
    """CTranslate2 fails if a missing instruction set is selected, so this also shows that we never select one."""
    environment = {**os.environ, "CT2_VERBOSE": "1", **({ISA_VARIABLE: selected} if selected else {})}
    done = subprocess.run(
        [sys.executable, "-c", PRINT_ENGINE], env=environment, capture_output=True, text=True, check=True
    )
    assert "Selected ISA: " in done.stderr
    assert done.stdout.strip().endswith("int8 AVX-512") == ("Selected ISA: AVX512" in done.stderr)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no CPU affinity")
def test_cores_are_those_this_process_may_use() -> None:
    confined = (
        "import os; from pipeline.transcribe.cpu_tuning import count_cores; "
        "os.sched_setaffinity(0, {%d}); print(count_cores())"
    )
    core = min(os.sched_getaffinity(0))
    done = subprocess.run([sys.executable, "-c", confined % core], capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), count_cores()) == ("1", len(os.sched_getaffinity(0)))


@pytest.mark.parametrize(("cpu_count", "cores"), [(12, 12), (None, 1)])
def test_all_cores_count_without_cpu_affinity(
    monkeypatch: pytest.MonkeyPatch, cpu_count: int | None, cores: int
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: cpu_count)
    assert count_cores() == cores


def make_filters(mels: int = 80, frequencies: int = 201) -> np.ndarray:
    """Overlapping triangles, narrow to wide."""
    edges = np.geomspace(1, frequencies - 1, mels + 2)
    at = np.arange(frequencies)
    rising = (at - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - at) / np.diff(edges)[1:, None]
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)


def make_power(frames: int = 2_000) -> np.ndarray:
    return np.random.default_rng(1).exponential(size=(frames, 201)).astype(np.float32).T


def test_mel_bands_equal_the_matrix_product() -> None:
    filters, power = make_filters(), make_power()
    mel = MelBands(filters) @ power
    assert mel.shape == (80, 2_000)
    assert mel.dtype == np.float32
    np.testing.assert_allclose(mel, filters @ power, rtol=1e-5)


def test_empty_mel_filter_gives_zeros() -> None:
    filters = make_filters()
    filters[40] = 0
    mel = MelBands(filters) @ make_power(10)
    assert not mel[40].any()
    assert mel[41:].all()


def digest_mel() -> str:
    return hashlib.sha256((MelBands(make_filters()) @ make_power()).tobytes()).hexdigest()


@pytest.mark.parametrize("threads", ["1", "2", "3"])
def test_mel_bands_do_not_depend_on_threads(threads: str) -> None:
    """The words of a transcript must not depend on the number of cores."""
    done = subprocess.run(
        [sys.executable, "-c", "from tests.transcribe.test_cpu_tuning import digest_mel; print(digest_mel())"],
        env={**os.environ, "OPENBLAS_NUM_THREADS": threads}, cwd=REPOSITORY,
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.strip() == digest_mel()


def test_mel_bands_do_not_depend_on_neighboring_frames() -> None:
    bands, power = MelBands(make_filters()), make_power()
    assert np.array_equal(bands @ power[:, :700], (bands @ power)[:, :700])
