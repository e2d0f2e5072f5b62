"""Tune the process for a neural network on a CPU: glibc malloc, AVX-512, and a deterministic mel spectrogram."""

import contextlib
import ctypes
import os
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Matrix = npt.NDArray[np.float32]


# Options of mallopt(3), from glibc's malloc.h: https://man7.org/linux/man-pages/man3/mallopt.3.html
# Free bytes at the top of the heap from which on glibc returns them to the system.
_M_TRIM_THRESHOLD = -1

# Bytes from which on a block is mapped from the system by itself.
_M_MMAP_THRESHOLD = -3

# Most heaps of a process.
_M_ARENA_MAX = -8

# A threshold, bytes, that no block of a speech model reaches.
_UNREACHED = 1 << 30

# What CTranslate2 requires for its AVX-512 code (src/cpu/cpu_info.cc), as CPU flags of Linux.
_AVX512_FLAGS = {"avx512f", "avx512cd", "avx512vl", "avx512dq", "avx512bw"}

# The flag of CPUs that run AVX-512 code without lowering their frequency: Intel since Ice Lake, AMD since Zen 4.
_FULL_SPEED_FLAG = "avx512_vbmi2"

# The environment variable by which CTranslate2 selects an instruction set.
_ISA_VARIABLE = "CT2_FORCE_CPU_ISA"

# Where Linux lists the flags of each core.
_CPU_INFO = Path("/proc/cpuinfo")


def tune_malloc() -> None:
    """Tune glibc malloc for large, short-lived buffers: free blocks stay with the process.

    Call it before the threads that compute start. It does nothing with other C libraries. The attention of a 25 s
    window takes 50 MB in every layer; by default glibc maps and unmaps each such block, and the system zeroes every
    page of it, for a third of the encoder's time. One heap serves all threads, as a heap per thread holds 64 MB at
    most.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):
        library = ctypes.CDLL(None)
        for option, value in ((_M_ARENA_MAX, 1), (_M_MMAP_THRESHOLD, _UNREACHED), (_M_TRIM_THRESHOLD, _UNREACHED)):
            library.mallopt(option, value)


def trim_malloc() -> None:
    """Return free memory to the system.

    Free blocks between used ones add up over hours of audio. It does nothing with C libraries other than glibc.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def count_cores() -> int:
    """Return how many CPU cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def has_fast_avx512(flags: Collection[str] | None = None) -> bool:
    """Return whether a CPU runs AVX-512 code at full frequency.

    `flags` are its flags as Linux names them; None stands for those of this CPU.
    """
    return {*_AVX512_FLAGS, _FULL_SPEED_FLAG} <= set(read_cpu_flags() if flags is None else flags)


def enable_avx512(flags: Collection[str] | None = None) -> bool:
    """Let CTranslate2 use AVX-512 where the CPU runs it at full frequency; return whether it will.

    CTranslate2 contains such code but uses it only if an environment variable selects it. Call this before CTranslate2
    is imported. A value that the variable already has is kept. `flags` is as in `has_fast_avx512`.
    """
    selected = os.environ.get(_ISA_VARIABLE)
    if selected is None and has_fast_avx512(flags):
        selected = os.environ[_ISA_VARIABLE] = "AVX512"
    return selected == "AVX512"


def read_cpu_flags(cpu_info: Path = _CPU_INFO) -> tuple[str, ...]:
    """Return the flags of the first core in a /proc/cpuinfo file; empty if the file or the line is missing."""
    try:
        lines = cpu_info.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return ()
    return next((tuple(line.partition(":")[2].split()) for line in lines if line.startswith("flags")), ())


class MelBands:
    """A sparse mel filter matrix of shape (mels, frequencies) that supports `filters @ power`.

    It replaces numpy's dense product, whose order of summation, and so now and then a word of a transcript, depends on
    the number of cores. The dense product also keeps threads spinning between two calls, for a tenth of the CPU time.
    Each row of the matrix is zero outside of one short band.
    """

    def __init__(self, filters: "Matrix") -> None:
        import numpy as np

        self._bands = []
        for row in filters:
            nonzero = np.flatnonzero(row)
            band = slice(int(nonzero[0]), int(nonzero[-1]) + 1) if len(nonzero) else slice(0, 0)
            self._bands.append((band, row[band, None]))

    def __matmul__(self, power: "Matrix") -> "Matrix":
        """Return the mel spectrogram, shape (mels, frames), of a power spectrogram, shape (frequencies, frames)."""
        import numpy as np

        # Contiguous rows make numpy sum row by row, whatever the layout of `power`.
        rows = np.ascontiguousarray(power)
        return np.stack([(weights * rows[band]).sum(axis=0) for band, weights in self._bands])
