"""Run the command as a program."""

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

from typer.testing import CliRunner

from pipeline.cli import app
from tests.support.project import REPOSITORY


def catalog(*args: str | Path, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, with further environment variables; return output and exit code."""
    return subprocess.run(
        [sys.executable, "-m", "pipeline", *map(str, args)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **env},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@cache
def help_of(*command: str) -> str:
    """Return the output of `--help` of a command."""
    result = CliRunner().invoke(app, [*command, "--help"], prog_name="catalog")
    assert result.exit_code == 0, result.output
    return result.stdout


# The names of all commands.
COMMANDS = re.findall(r"^  (\w+) ", help_of().split("Commands:")[1], re.MULTILINE)
