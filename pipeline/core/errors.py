"""What can go wrong, in a person's terms: each message says what is wrong, where, and what to do."""

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
