"""What can go wrong, in a person's terms: each message says what is wrong, where, and what to do."""

# Exit codes that belong to no single error: some episodes failed and the others are done; Ctrl-C or SIGTERM.
SOME_FAILED = 3
INTERRUPTED = 130


class PipelineError(Exception):
    """Any failure with a message fit to print as it is; the command line turns it into an exit code."""

    exit_code = 1


class InputError(PipelineError):
    """A file or an address given to us is missing, unreadable or not what it should be."""


class ConfigError(PipelineError):
    """A configuration file is wrong: the message names the file, and the field or line."""


class ModelError(PipelineError):
    """A speech model is missing here, or its files are not the ones they should be."""


class LockHeldError(PipelineError):
    """Another run works on the same project."""

    exit_code = 4
