"""What the C library does with the memory of a neural network: large blocks that come and go, hundreds a second."""

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


# Of malloc.h of the GNU C library, https://man7.org/linux/man-pages/man3/mallopt.3.html
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_NEVER = 1 << 30


def keep_large_blocks() -> None:
    """Let the process use the memory of large blocks again; call it before the threads start that need them.

    The attention of a window of 25 s takes 50 MB in every layer. By itself the library fetches so much from the system
    each time and returns it at once, and the system fills every page with zeros first: a third of the encoder's time.
    A heap of its own for each thread holds 64 MB at most, so there is one for all.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):  # other libraries do as they think best
        library = ctypes.CDLL(None)
        for option, value in ((_ARENA_MAX, 1), (_MMAP_THRESHOLD, _NEVER), (_TRIM_THRESHOLD, _NEVER)):
            library.mallopt(option, value)


def give_memory_back() -> None:
    """Return what is free now to the system: between blocks that are in use, free ones add up over hours."""
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


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


class MelBands:
    """Stands for the filter matrix of shape (mels, frequencies) in `filters @ power`.

    The product of whole matrices is shared out by numpy's linear algebra over all cores. The order of its sums, and
    with it now and then a word, would depend on how many there are; and its threads spin between two products, for a
    tenth of the processor's time, where other threads could recognise. Nearly all of the matrix is zero anyway.
    """

    def __init__(self, filters: "Matrix") -> None:
        import numpy as np

        self._bands = []
        for row in filters:
            heard = np.flatnonzero(row)
            band = slice(int(heard[0]), int(heard[-1]) + 1) if len(heard) else slice(0, 0)
            self._bands.append((band, row[band, None]))

    def __matmul__(self, power: "Matrix") -> "Matrix":
        """Return the mel spectrum of `power`, shape (frequencies, frames), as (mels, frames)."""
        import numpy as np

        rows = np.ascontiguousarray(power)  # so that a sum adds row to row
        return np.stack([(weights * rows[band]).sum(axis=0) for band, weights in self._bands])
