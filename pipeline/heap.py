"""What the C library does with the memory of a neural network: large blocks that come and go, hundreds a second."""

import contextlib
import ctypes

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
