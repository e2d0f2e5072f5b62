"""The processor of this machine: its cores, and how wide its registers are."""

import os
from collections.abc import Collection
from pathlib import Path

# What CTranslate2 asks of a processor for its AVX-512 code (src/cpu/cpu_info.cc).
_NEEDED = {"avx512f", "avx512cd", "avx512vl", "avx512dq", "avx512bw"}
# Intel since Ice Lake and AMD since Zen 4. Processors before them lower their frequency for registers of 512 bits.
_WITHOUT_SLOWING_DOWN = "avx512_vbmi2"
_SWITCH = "CT2_FORCE_CPU_ISA"
_CPU_INFO = Path("/proc/cpuinfo")


def count_cores() -> int:
    """Return how many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def has_wide_registers(features: Collection[str] | None = None) -> bool:
    """Tell whether a processor computes in registers of 512 bits without slowing down.

    `features` are its, as Linux names them; by default those of this one.
    """
    return {*_NEEDED, _WITHOUT_SLOWING_DOWN} <= set(read_features() if features is None else features)


def use_wide_registers(features: Collection[str] | None = None) -> bool:
    """Let CTranslate2 compute in registers of 512 bits where the processor has them; tell whether it will.

    It has such code, and takes it only where the environment says so; call this before it is imported. What the
    environment already says is left alone.
    """
    said = os.environ.get(_SWITCH)
    if said is None and has_wide_registers(features):
        said = os.environ[_SWITCH] = "AVX512"
    return said == "AVX512"


def read_features(cpu_info: Path = _CPU_INFO) -> tuple[str, ...]:
    """Return the features of this processor that the system lets programs use; none where it does not tell them so."""
    try:
        lines = cpu_info.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return ()
    return next((tuple(line.partition(":")[2].split()) for line in lines if line.startswith("flags")), ())
