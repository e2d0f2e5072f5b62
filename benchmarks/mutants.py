"""Mutation testing with mutmut: change the program at random places, and see whether its tests detect it.

    pip install mutmut==3.8.1
    python -m benchmarks.mutants state
    python -m benchmarks.mutants lists --module feature_lists.page --sample 120 --seed 1

Works on a copy in a temporary folder, with the quick tests of the part. Prints for each module how many mutants the
tests detected, and each undetected one as a diff. The figures are in docs/evaluation/mutation-testing.md.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Part:
    """Modules to mutate, as `package.module`, and further test modules that check them beside their own."""

    modules: tuple[str, ...]
    further_tests: tuple[str, ...] = ()

    @property
    def tests(self) -> list[str]:
        """The test modules that should detect the mutants."""
        own = [_mirror(module) for module in self.modules]
        return [*own, *(_mirror(module) for module in self.further_tests)]


def _mirror(module: str) -> str:
    package, name = module.split(".")
    return f"tests/{package}/test_{name}.py"


PARTS = {
    "alignment": Part(
        (
            *("align.aligner", "align.inference", "align.decision", "align.sequence_model"),
            *("align.relevance_feedback", "align.placement_features", "align.explanations"),
        ),
        ("align.encoder",),
    ),
    "lists": Part(("feature_lists.lines", "feature_lists.page", "feature_lists.checks"), ("feature_lists.documents",)),
    "processor": Part(("transcribe.cpu_tuning",)),
    "state": Part(("core.state", "publish.combined_csv")),
}
DETECTED, UNDETECTED, UNTESTED = "detected", "undetected", "untested"
# mutmut's exit codes: 1 and 3, a test failed; 0, none failed; 33, no test runs the line; others, a crash or a timeout.
OUTCOMES = {0: UNDETECTED, 33: UNTESTED}
# A few examples of each property detect nearly what a hundred detect, and run for every mutant.
ENVIRONMENT = {"CI": "1", "HYPOTHESIS_EXAMPLES": "15"}


def copy_checkout(folder: Path, part: Part) -> None:
    """Copy what git knows or does not ignore to `folder`, with settings for mutmut in its pyproject.toml."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.splitlines():
        if (REPOSITORY / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(REPOSITORY / name, folder / name)
    settings = {
        "source_paths": [f"pipeline/{name.replace('.', '/')}.py" for name in part.modules],
        "pytest_add_cli_args_test_selection": part.tests,
        "also_copy": ["pipeline", "tests", "demo", "configs", "benchmarks", "docs", "README.md"],
    }
    with (folder / "pyproject.toml").open("a") as project:
        project.write(
            "\n[tool.mutmut]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items())
        )


def run_mutmut(folder: Path, *arguments: str) -> str:
    """Return the output of mutmut; its exit status is ignored, as it is an error where mutants survive."""
    command = [sys.executable, "-m", "mutmut", *arguments]
    environment = {**os.environ, **ENVIRONMENT}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False).stdout


def read_outcomes(folder: Path, part: Part) -> dict[str, int | None]:
    """Return mutmut's exit code for each mutant, None where it was not tried."""
    outcomes: dict[str, int | None] = {}
    for name in part.modules:
        meta = folder / "mutants" / "pipeline" / f"{name.replace('.', '/')}.py.meta"
        outcomes |= json.loads(meta.read_text())["exit_code_by_key"] if meta.exists() else {}
    return outcomes


def try_mutants(folder: Path, part: Part, sample: int, seed: int) -> dict[str, str]:
    """Return the outcome of a random sample of mutants of each module, by their names."""
    # A run of a single mutant writes all of them.
    run_mutmut(folder, "run", f"pipeline.{part.modules[0]}.*__mutmut_1")
    names = sorted(read_outcomes(folder, part))
    if not names:
        raise SystemExit("mutmut made no mutants: do the tests pass without any?")
    generator = random.Random(seed)
    chosen: list[str] = []
    for module in part.modules:
        own = [name for name in names if name.startswith(f"pipeline.{module}.")]
        chosen += generator.sample(own, min(sample, len(own)))
    run_mutmut(folder, "run", "--max-children", str(os.cpu_count()), *chosen)
    outcomes = read_outcomes(folder, part)
    return {name: OUTCOMES.get(code, DETECTED) for name in chosen if (code := outcomes[name]) is not None}


def main() -> None:
    """Try the mutants of one part, and print the undetected ones."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--module", help="only this one of the part's modules")
    parser.add_argument("--sample", type=int, default=120, help="mutants of each module")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    part = PARTS[args.part]
    if args.module is not None:
        if args.module not in part.modules:
            parser.error(f"{args.part} has the modules {', '.join(part.modules)}")
        part = replace(part, modules=(args.module,))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        copy_checkout(folder, part)
        outcomes = try_mutants(folder, part, args.sample, args.seed)
        for name, outcome in outcomes.items():
            if outcome != DETECTED:
                shown = run_mutmut(folder, "show", name).splitlines()
                print(
                    f"{outcome}: {name}",
                    *(line for line in shown if line[:1] in "+-" and line[:3] not in {"+++", "---"}),
                    sep="\n",
                )
        for module in part.modules:
            own = [outcome for name, outcome in outcomes.items() if name.startswith(f"pipeline.{module}.")]
            counts = ", ".join(f"{own.count(kind)} {kind}" for kind in (DETECTED, UNDETECTED, UNTESTED))
            print(f"{module}: {len(own)} mutants, {counts}: {own.count(DETECTED) / max(1, len(own)):.0%}")


if __name__ == "__main__":
    main()
