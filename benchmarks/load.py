"""Build a large project, and print what it costs as it grows: time, memory, disk.

    python -m benchmarks.load ROOT [--episodes 500] [--features 50] [--step 100]
    python -m benchmarks.load ROOT --commands
    python -m benchmarks.load --long

The first form adds episodes to the project at ROOT until it has that many; each step is a process, and prints a line.
An interrupted build continues where it stopped. The second form times the commands that people run in such a project,
each in a process of its own. The third takes single long episodes, with lists of up to 1,000 entries, through all
stages. Transcripts and lists are invented, and the transcriber returns them; all other parts are real. Each episode's
audio is a third of a second long.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.alignment_cost import invent_episode, invent_words
from benchmarks.damage import STAGES, fork
from benchmarks.fuzz_samples import AUDIO, make_sound
from pipeline.core.project import Project
from pipeline.core.schema import Transcript
from pipeline.feature_lists.writer import dump_features
from pipeline.runs.workflow import run_stages
from tests.support.project import RecordingReporter, make_transcript

# The long episodes: minutes of speech, and entries of the list.
LONG_EPISODES = ((60, 50), (300, 50), (300, 120), (60, 1000), (300, 1000))

# The episode that is published again, and whose list loses an entry before each timed run.
EDITED = "ep007"

# The commands to time.
COMMANDS = (
    ("run", "--all"),
    ("status",),
    ("search", "baro tilu"),
    ("diff",),
    ("publish", EDITED, "--force"),
)

# Runs of each command; the median is printed.
RUNS = 3


class ScriptedTranscriber:
    """A transcriber that returns the transcript written for each episode."""

    def __init__(self, transcripts: dict[str, Transcript]) -> None:
        self.transcripts = transcripts

    def transcribe(self, audio: Path, **_: object) -> Transcript:
        """Return the transcript of the episode whose folder the audio is in."""
        return self.transcripts[audio.parent.name]


def write_episode(project: Project, name: str, seed: int, count: int) -> Transcript:
    """Write an episode's settings and list; return its transcript, two lines of ten seconds for each entry."""
    chance = random.Random(seed)
    words = invent_words(random.Random(0))
    lines, page = ["Hello and welcome to the kite show."], ["Kite release notes", "Full Feature review:"]
    for number in range(count):
        title, description = (" ".join(chance.sample(words, size)) for size in (5, 12))
        page += [f"Added {title} | v4.{seed % 20} #{500_000 + seed * 100 + number}", f"This {description}."]
        lines += [f"Okay, next one, {title} was added.", f"So the {description} is here now."]
    write_settings(project, name, "\n".join(page) + "\n")
    return make_transcript(lines)


def write_settings(project: Project, name: str, page: str) -> None:
    """Write an episode's settings and its list."""
    (project.root / f"{name}.txt").write_text(page, encoding="utf-8")
    project.episode(name).write_text(
        f"title: Episode {name}\nsource: talk.mp3\nfeatures: {name}.txt\npublished: 2026-11-02\n"
    )


def open_project(root: Path) -> Project:
    """Return the project at a folder; its show and its audio are written where they are missing."""
    project = Project(root)
    project.episodes.mkdir(parents=True, exist_ok=True)
    project.show.write_text("name: The Kite Show\nlanguage: en\nlink: https://example.org/{episode_id}#t={seconds}\n")
    if not (root / "talk.mp3").exists():
        (root / "talk.mp3").write_bytes(make_sound(*AUDIO[".mp3"]))
    return project


def measure(work: Callable[[], int]) -> tuple[int, float, int]:
    """Run a function in a process of its own; return its exit code, seconds, and peak memory in bytes."""
    began = time.monotonic()
    _, status, usage = os.wait4(fork(work), 0)
    return os.waitstatus_to_exitcode(status), time.monotonic() - began, usage.ru_maxrss << 10


def run_scripted(project: Project, transcripts: dict[str, Transcript]) -> int:
    """Run all stages of these episodes; return the exit code."""
    transcriber = ScriptedTranscriber(transcripts)
    ids = sorted(transcripts)
    return run_stages(project, ids, STAGES, transcriber=lambda _: transcriber, reporter=RecordingReporter()).exit_code


def build(root: Path, episodes: int, features: int, step: int) -> None:
    """Add episodes in steps, and print what each step costs."""
    project = open_project(root)
    for first in range(len(list(project.dataset.glob("*.parquet"))), episodes, step):
        names = {f"ep{number:03}": number for number in range(first, min(first + step, episodes))}
        transcripts = {name: write_episode(project, name, number, features) for name, number in names.items()}

        def work(transcripts: dict[str, Transcript] = transcripts) -> int:
            return run_scripted(project, transcripts)

        code, seconds, memory = measure(work)
        files = [path.stat().st_size for path in root.rglob("*") if path.is_file()]
        print(
            f"{first + len(names)} episodes: exit {code}, {seconds / len(names):.2f} s an episode, {memory >> 20} MB, "
            f"{len(files)} files, {sum(files) >> 20} MB on disk",
            flush=True,
        )


def time_commands(root: Path) -> None:
    """Time the commands in a finished project, and a run after an entry was removed from a list."""
    page = root / f"{EDITED}.txt"

    def remove_entry() -> None:
        page.write_text("".join(page.read_text().splitlines(keepends=True)[:-2]))

    time_command("run --all, an entry removed", root, COMMANDS[0], prepare=remove_entry)
    for arguments in COMMANDS:
        time_command(" ".join(arguments), root, arguments, prepare=lambda: None)


def time_command(label: str, root: Path, arguments: tuple[str, ...], *, prepare: Callable[[], None]) -> None:
    """Run a command RUNS times, `prepare` before each; print the median time and the peak memory."""

    def work() -> int:
        command = [sys.executable, "-m", "pipeline", *arguments, "--root", str(root)]
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.execv(sys.executable, command)

    times, peak, code = [], 0, 0
    for _ in range(RUNS):
        prepare()
        code, seconds, memory = measure(work)
        times.append(seconds)
        peak = max(peak, memory)
    print(f"{label}: exit {code}, {sorted(times)[RUNS // 2]:.2f} s, {peak >> 20} MB", flush=True)


def time_long_episodes() -> None:
    """Take long episodes and long lists through all stages, and print what each costs."""
    for minutes, count in LONG_EPISODES:
        with tempfile.TemporaryDirectory() as folder:
            project = open_project(Path(folder))
            transcript, features = invent_episode(minutes, count)
            write_settings(project, "one", dump_features(features, ".txt"))

            def work(project: Project = project, transcript: Transcript = transcript) -> int:
                return run_scripted(project, {"one": transcript})

            code, seconds, memory = measure(work)
            print(f"{minutes} minutes, {count} entries: exit {code}, {seconds:.1f} s, {memory >> 20} MB", flush=True)


def main() -> None:
    """Build a project, time commands, or time long episodes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, nargs="?")
    parser.add_argument("--episodes", type=int, default=500)
    parser.add_argument("--features", type=int, default=50)
    parser.add_argument("--step", type=int, default=100)
    parser.add_argument("--commands", action="store_true")
    parser.add_argument("--long", action="store_true")
    args = parser.parse_args()
    if args.long:
        time_long_episodes()
    elif args.root is None:
        parser.error("name the project's folder")
    elif args.commands:
        time_commands(args.root)
    else:
        build(args.root, args.episodes, args.features, args.step)


if __name__ == "__main__":
    main()
