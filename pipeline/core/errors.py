"""What can go wrong, in a person's terms: each message says what is wrong, where, and what to do."""

import os
import traceback
from pathlib import Path

# Exit codes that belong to no single error: some episodes failed and the others are done; Ctrl-C or SIGTERM.
SOME_FAILED = 3
INTERRUPTED = 130


class PipelineError(Exception):
    """Base class of expected failures; `str()` is one line for the user: the problem, then the advice.

    `problem` says what is wrong and where; `advice`, where given, says what to do about it.
    """

    exit_code = 1

    def __init__(self, problem: str, advice: str = "") -> None:
        super().__init__(f"{problem}: {advice}" if advice else problem)
        self.problem = problem
        self.advice = advice


class InputError(PipelineError):
    """A file or an address that the user gave is missing, unreadable or not what it should be."""


class ConfigError(PipelineError):
    """A configuration file is wrong: the message names the file, and the field or line."""


class ModelError(PipelineError):
    """A speech model is missing here, or its files are not the ones they should be."""


class LockHeldError(PipelineError):
    """Another run works on the same project."""

    exit_code = 4


def explain_error(error: BaseException) -> str:
    """Return any exception in one line: an expected one by its message, any other as an internal error with its place.

    This is the only way in which an exception becomes a message, for every command and every episode of a run.
    """
    if isinstance(error, PipelineError):
        return " ".join(str(error).split())
    if isinstance(error, OSError):
        return explain_os_error(error)
    if isinstance(error, MemoryError):
        return "the memory is full: end other programs, or run fewer episodes at once"
    message = " ".join(str(error).split())
    cause = f"{type(error).__name__}: {message}" if message else type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"internal error ({cause}){place}"


def explain_os_error(error: OSError) -> str:
    """Return the file and what the operating system refused to do with it."""
    # Where a file descriptor was used, its number is no name.
    name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes | Path) else ""
    return f"{name or 'a file'}: {error.strerror or ' '.join(str(error).split()) or type(error).__name__}"
