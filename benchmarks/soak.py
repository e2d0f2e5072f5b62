"""Repeat scheduled runs with random edits, and measure memory, descriptors, threads, temporary files and disk space.

    python -m benchmarks.soak [--minutes 12] [--episodes 5] [--seed 0]

One process runs all stages again and again, as a long-lived scheduler does. Every tenth run is the real command in a
process of its own, as with cron. Before each run, an entry of a feature list is removed, added, renamed or moved, a
person corrects a start, or nothing changes. At the end, the catalog must equal that of a new project with the same
lists and corrections.
"""

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent

from benchmarks.damage import STAGES, make_project  # noqa: E402
from pipeline.core.corrections import Correction, Decision, save_correction  # noqa: E402
from pipeline.core.project import Project  # noqa: E402
from pipeline.runs.workflow import list_episodes, run_stages  # noqa: E402
from tests.support.project import FakeTranscriber, RecordingReporter, make_transcript  # noqa: E402

# The parts of invented titles.
TOPICS = ("invoices", "calendars", "dark themes", "kite strings", "wind reports", "meeting rooms", "login pages")
VERBS = ("Added", "Sorted", "Improved", "Removed", "Renamed", "Exported")

# The lines of the transcript of each episode.
SPOKEN = tuple(f"Next we look at how they {verb.lower()} {topic} this time." for verb in VERBS for topic in TOPICS)


@dataclass(frozen=True)
class Measure:
    """The resources of this process and its project after a run.

    Attributes:
        runs: the number of runs so far.
        memory: the resident set, in bytes.
        descriptors: the number of open files.
        threads: the number of threads.
        temporary: the number of temporary files, in the project and outside.
        disk: the bytes of the files below data/, by folder.
    """

    runs: int
    memory: int
    descriptors: int
    threads: int
    temporary: int
    disk: dict[str, int]


def measure(project: Project, runs: int) -> Measure:
    """Return the resources of this process and of the project's files."""
    status = Path("/proc/self/status").read_text()
    value = dict(re.findall(r"^(\w+):\s+(\d+)", status, re.MULTILINE))
    disk: Counter[str] = Counter()
    for path in (path for path in (project.root / "data").rglob("*") if path.is_file()):
        parts = path.relative_to(project.root / "data").parts
        disk["lists kept" if parts[0] == "raw" and "features" in parts else parts[min(1, len(parts) - 1)]] += (
            path.stat().st_size
        )
    temporary = len(list(project.root.rglob("*.tmp"))) + len(list(Path(tempfile.gettempdir()).iterdir()))
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    return Measure(runs, int(value["VmRSS"]) << 10, descriptors, int(value["Threads"]), temporary, dict(disk))


def write_list(project: Project, episode_id: str, entries: list[tuple[int, str]]) -> None:
    """Write an episode's list: ids and titles."""
    lines = [f"{title} | v4.{number % 9} #{number}\nA line about it.\n" for number, title in entries]
    (project.root / f"{episode_id}.txt").write_text("Full Feature review:\n" + "".join(lines))


def edit(project: Project, lists: dict[str, list[tuple[int, str]]], chance: random.Random) -> str:
    """Make a random edit of a list or of its corrections; return its kind."""
    episode_id = chance.choice(sorted(lists))
    entries = lists[episode_id]
    kind = chance.choice(("nothing", "add", "remove", "rename", "move", "correct", "correct"))
    if kind == "add" and len(entries) < 40:
        title = f"{chance.choice(VERBS)} {chance.choice(TOPICS)}"
        entries.insert(chance.randint(0, len(entries)), (chance.randint(500_000, 600_000), title))
    elif kind == "remove" and len(entries) > 5:
        entries.pop(chance.randrange(len(entries)))
    elif kind == "rename":
        at = chance.randrange(len(entries))
        entries[at] = (entries[at][0], f"{chance.choice(VERBS)} {chance.choice(TOPICS)}")
    elif kind == "move":
        entries.append(entries.pop(chance.randrange(len(entries))))
    elif kind == "correct":
        number = chance.choice(entries)[0]
        start, when = float(chance.randint(0, 400)), date(2026, 11, 23)
        moved = Correction(feature_id=number, decision=Decision.MOVED, start=start, when=when)
        save_correction(project, episode_id, moved)
    write_list(project, episode_id, entries)
    return kind


def run_episodes(project: Project) -> int:
    """Run all episodes in this process; return the exit code."""
    transcriber = FakeTranscriber(make_transcript(SPOKEN))
    ids = list_episodes(project)
    return run_stages(project, ids, STAGES, transcriber=lambda _: transcriber, reporter=RecordingReporter()).exit_code


def run_command(project: Project) -> int:
    """Run `catalog run --all` in a process of its own; return the exit code. The transcripts exist already."""
    command = [sys.executable, "-m", "pipeline", "run", "--all", "--quiet", "--root", str(project.root)]
    return subprocess.run(
        command, capture_output=True, check=False, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}
    ).returncode


def compare_with_fresh(project: Project, folder: Path) -> list[str]:
    """Return the paths of catalog files that differ from those of a new project with the same lists."""
    fresh = Project(folder / "fresh")
    for name in ("configs", "talk.mp3", *(f"{episode_id}.txt" for episode_id in list_episodes(project))):
        source, target = project.root / name, fresh.root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
    assert run_episodes(fresh) == 0
    names = [path.relative_to(fresh.root) for path in (*fresh.dataset.glob("*.parquet"), fresh.catalog_csv)]
    return [str(name) for name in names if (fresh.root / name).read_bytes() != (project.root / name).read_bytes()]


def main() -> None:
    """Run for the given time, and print the edits, the failures and the resources."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=12)
    parser.add_argument("--episodes", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    chance, spent = random.Random(args.seed), 0.0
    with tempfile.TemporaryDirectory() as folder:
        # Temporary files of other programs must not be counted.
        tempfile.tempdir = os.environ["TMPDIR"] = f"{folder}/temporary"
        Path(tempfile.tempdir).mkdir()
        project = make_project(Path(folder) / "show", args.episodes)
        lists = {
            name: [(500_000 + number, f"{chance.choice(VERBS)} {chance.choice(TOPICS)}") for number in range(20)]
            for name in list_episodes(project)
        }
        for name, entries in lists.items():
            write_list(project, name, entries)
        assert run_episodes(project) == 0
        edits, failures, measures, runs = Counter[str](), [], [measure(project, 1)], 1
        while spent < args.minutes * 60:
            began = time.monotonic()
            edits[edit(project, lists, chance)] += 1
            code = run_command(project) if runs % 10 == 0 else run_episodes(project)
            runs += 1
            # A pause of the whole process counts as 20 s at most.
            spent += min(time.monotonic() - began, 20.0)
            if code:
                failures.append(f"run {runs}: exit code {code}")
            if runs % 25 == 0:
                measures.append(measure(project, runs))
        measures.append(measure(project, runs))
        print(f"{runs} runs in {args.minutes:g} min, {len(failures)} failures; edits: {dict(edits)}")
        for row in (measures[min(1, len(measures) - 1)], measures[len(measures) // 2], measures[-1]):
            disk = ", ".join(f"{name} {size >> 10}" for name, size in sorted(row.disk.items()) if size >> 10)
            process = f"{row.memory >> 20} MB, {row.descriptors} descriptors, {row.threads} threads"
            print(f"after {row.runs:5} runs: {process}, {row.temporary} temporary files; kB on disk: {disk}")
        for problem in [*failures, *compare_with_fresh(project, Path(folder))]:
            print(f"   {problem}")


if __name__ == "__main__":
    main()
