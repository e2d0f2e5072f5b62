"""Run folders of cases, and print each command's output beside what is expected.

    python -m benchmarks.cases FOLDER [CASE…]

Each folder has `cmd.txt`, one command a line, and `expected.txt`. In the commands, CHECKOUT, PROJECT and TMP stand for
this repository, a new project folder and an empty folder, and `.venv/bin/catalog` for the command of this repository.
Nothing is judged: a person compares.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
# The seconds after which a command is ended.
TIMEOUT_S = 300


def run_case(folder: Path) -> str:
    """Return the output of a case's commands, which run in a copy of its folder."""
    with tempfile.TemporaryDirectory() as temporary:
        work, project, scratch = (Path(temporary) / name for name in ("case", "project", "tmp"))
        shutil.copytree(folder, work)
        scratch.mkdir()
        program = f"{sys.executable} -m pipeline"
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "NO_COLOR": "1"}
        script = (folder / "cmd.txt").read_text(encoding="utf-8")
        for name, value in (("CHECKOUT", REPOSITORY), ("PROJECT", project), ("TMP", scratch)):
            script = script.replace(name, str(value))
        script = script.replace(f"{REPOSITORY}/.venv/bin/catalog", program).replace(".venv/bin/catalog", program)
        subprocess.run(
            [sys.executable, "-m", "pipeline", "init", str(project)], env=environment, capture_output=True, check=False
        )
        try:
            result = subprocess.run(
                ["/bin/sh", "-c", script],
                cwd=work,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"no result after {TIMEOUT_S} s\n"
        return f"{result.stdout}exit code {result.returncode}\n"


def main() -> None:
    """Print every case of a folder, or those that are named."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("cases", nargs="*", help="the beginnings of the names of cases")
    options = parser.parse_args()
    for command in sorted(options.folder.glob("*/cmd.txt")):
        name = command.parent.name
        if options.cases and not name.startswith(tuple(options.cases)):
            continue
        print(f"== {name}\n-- output\n{run_case(command.parent)}-- expected")
        print((command.parent / "expected.txt").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
