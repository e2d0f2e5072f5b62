"""Standard streams that are closed, full or no longer read: they end a command with one line, and no run."""

import errno
import io
import os
import sys
from contextlib import suppress


class ClosedStream(io.TextIOBase):
    """Stands for a stdout that was closed before the program started; writing to it raises OSError."""

    encoding = "utf-8"

    def write(self, _text: str) -> int:
        """Raise the error that the operating system has for a closed file."""
        raise OSError(errno.EBADF, "it is closed", "stdout")


def prepare_streams() -> None:
    """Make the standard streams safe to use, whatever the caller did with them."""
    # The next file that is opened gets a closed stream's number, and libraries would print into it.
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stdout is None:
        sys.stdout = ClosedStream()
    for stream in (sys.stdout, sys.stderr):
        # A character that the locale's encoding lacks must not end the command.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def flush_stdout() -> None:
    """Write what was printed; OSError, which names stdout, where that is impossible."""
    try:
        sys.stdout.flush()
    except OSError as error:
        discard_stdout()
        raise OSError(error.errno, error.strerror, "stdout") from error


def discard_stdout() -> None:
    """Discard what is printed from now on, and what could not be written: Python writes the rest when it ends."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
