"""The memory of large blocks: used again, and returned when asked."""

import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only the GNU C library can be told")

# As the layers of a network do, in a thread that is not the first one. A page is 4 kB, or more.
TAKE_AND_FREE = """
import ctypes, resource, sys, threading
from pipeline.transcribe.cpu_tuning import give_memory_back, keep_large_blocks

if sys.argv[1] == "kept":
    keep_large_blocks()
library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p
library.malloc.argtypes = [ctypes.c_size_t]
library.free.argtypes = [ctypes.c_void_p]

def take_and_free(times):
    for _ in range(times):
        block = library.malloc(80_000_000)
        ctypes.memset(block, 1, 80_000_000)
        library.free(block)

def in_a_thread(times):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    thread = threading.Thread(target=take_and_free, args=[times])
    thread.start()
    thread.join()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()

in_a_thread(1)
faults, held = in_a_thread(5), resident()
give_memory_back()
print(faults, held - resident())
"""


def run(how: str) -> tuple[int, int]:
    """The pages that the system had to fill for five blocks one after the other, and the bytes returned then."""
    ran = subprocess.run([sys.executable, "-c", TAKE_AND_FREE, how], capture_output=True, text=True, check=True)
    faults, returned = map(int, ran.stdout.split())
    return faults, returned


def test_a_large_block_is_used_again_by_a_thread_until_it_is_given_back() -> None:
    faults, returned = run("kept")
    assert faults < 100
    assert returned > 70_000_000


def test_by_itself_the_library_fetches_each_block_anew() -> None:
    """Should this fail one day, `keep_large_blocks` may have become superfluous."""
    assert run("as it comes")[0] > 1000
