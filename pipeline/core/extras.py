"""Name the command that installs an extra of this package, so that it works where it is printed."""

import re
import shlex
import shutil
import sys
from contextlib import suppress
from importlib import metadata
from pathlib import Path

DISTRIBUTION = "episode-catalog"

_EXTRA = re.compile(r"""extra\s*==\s*["']([\w-]+)["']""")


def list_requirements(extra: str) -> list[str]:
    """Return the requirements of an extra, such as `mutagen>=1.47`; `episode-catalog[id3]` outside of an installation.

    They can be installed from any index and into a checkout; `episode-catalog[id3]` needs an index that has it.
    """
    try:
        lines = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        lines = []
    parts = [line.partition(";") for line in lines]
    named = [requirement.strip() for requirement, _, marker in parts if extra in _EXTRA.findall(marker)]
    return named or [f"{DISTRIBUTION}[{extra}]"]


def describe_installation(extra: str) -> str:
    """Return the command that installs an extra beside this program: `python -m pip install 'mutagen>=1.47'`."""
    return shlex.join([_name_python(), "-m", "pip", "install", *list_requirements(extra)])


def describe_upgrade(distribution: str) -> str:
    """Return the command that brings a distribution up to date."""
    return shlex.join([_name_python(), "-m", "pip", "install", "-U", distribution])


def describe_reinstallation(*distributions: str) -> str:
    """Return the command that installs damaged distributions again."""
    return shlex.join([_name_python(), "-m", "pip", "install", "--force-reinstall", "--no-deps", *distributions])


def _name_python() -> str:
    """Return how a shell starts this interpreter: `python` if that is it, else its path."""
    if shutil.which("python") == sys.executable:
        return "python"
    with suppress(OSError, ValueError):  # the folder was removed, or is another one
        # A shell looks up a name without a slash in PATH.
        return f"./{Path(sys.executable).relative_to(Path.cwd())}"
    return sys.executable
