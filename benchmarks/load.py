"""Build a large project, and say what it costs as it grows: time, memory, disk.

    python -m benchmarks.load ROOT [--episodes 500] [--features 50] [--step 100]
    python -m benchmarks.load ROOT --commands
    python -m benchmarks.load --long

The first form adds episodes to the project at ROOT until it has so many, a process and a line for each step;
it goes on where it was stopped. The second times what people do with it then: the real commands, each a process of its
own. The last takes single episodes through all stages: long ones, and lists of up to 1,000 entries. Talk and lists are
invented, the transcriber knows its lines, all other parts are real; each episode's audio is a third of a second.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent

from benchmarks.alignment_cost import invent_episode, invent_words  # noqa: E402
from benchmarks.damage import STAGES, start  # noqa: E402
from benchmarks.fuzz_samples import AUDIO, _sound  # noqa: E402
from pipeline.core.project import Project  # noqa: E402
from pipeline.core.schema import Transcript  # noqa: E402
from pipeline.feature_lists.writer import dump_features  # noqa: E402
from pipeline.runs.workflow import run_stages  # noqa: E402
from tests.support.project import RecordingReporter, make_transcript  # noqa: E402

# Minutes of talk and entries of the list.
LONG = ((60, 50), (300, 50), (300, 120), (60, 1000), (300, 1000))
COMMANDS = (
    ("run", "--all"),
    ("status",),
    ("search", "baro tilu"),
    ("diff",),
    ("publish", "ep007", "--force"),
)


class Told:
    """A transcriber that knows what is said in each episode."""

    def __init__(self, transcripts: dict[str, Transcript]) -> None:
        self.transcripts = transcripts

    def transcribe(self, audio: Path, **_: object) -> Transcript:
        """The transcript of the episode whose folder the audio is in."""
        return self.transcripts[audio.parent.name]


def write_episode(project: Project, name: str, seed: int, count: int) -> Transcript:
    """Write an episode's settings and list; return its talk, two lines of ten seconds for each entry."""
    chance = random.Random(seed)
    words = invent_words(random.Random(0))
    lines, page = ["Hello and welcome to the kite show."], ["Kite release notes", "Full Feature review:"]
    for number in range(count):
        title, about = (" ".join(chance.sample(words, size)) for size in (5, 12))
        page += [f"Added {title} | v4.{seed % 20} #{500_000 + seed * 100 + number}", f"This {about}."]
        lines += [f"Okay, next one, {title} was added.", f"So the {about} is here now."]
    add(project, name, "\n".join(page) + "\n")
    return make_transcript(lines)


def add(project: Project, name: str, page: str) -> None:
    """Write an episode's settings and its list."""
    (project.root / f"{name}.txt").write_text(page, encoding="utf-8")
    project.episode(name).write_text(
        f"title: Episode {name}\nsource: talk.mp3\nfeatures: {name}.txt\npublished: 2026-11-02\n"
    )


def open_project(root: Path) -> Project:
    """The project at a folder, its show written."""
    project = Project(root)
    project.episodes.mkdir(parents=True, exist_ok=True)
    project.show.write_text("name: The Kite Show\nlanguage: en\nlink: https://example.org/{episode_id}#t={seconds}\n")
    if not (root / "talk.mp3").exists():
        (root / "talk.mp3").write_bytes(_sound(*AUDIO[".mp3"]))
    return project


def measure(work: Callable[[], int]) -> tuple[int, float, int]:
    """Do something in a process of its own; return its exit code, seconds, and most memory in bytes."""
    began = time.monotonic()
    _, status, usage = os.wait4(start(work), 0)
    return os.waitstatus_to_exitcode(status), time.monotonic() - began, usage.ru_maxrss << 10


def build(root: Path, episodes: int, features: int, step: int) -> None:
    """Add episodes in steps."""
    project = open_project(root)
    for first in range(len(list(project.dataset.glob("*.parquet"))), episodes, step):
        names = {f"ep{number:03}": number for number in range(first, min(first + step, episodes))}
        told = Told({name: write_episode(project, name, number, features) for name, number in names.items()})

        def work(told: Told = told) -> int:
            ids = sorted(told.transcripts)
            return run_stages(project, ids, STAGES, transcriber=lambda _: told, reporter=RecordingReporter()).exit_code

        code, seconds, memory = measure(work)
        files = [path.stat().st_size for path in root.rglob("*") if path.is_file()]
        print(
            f"{first + len(names)} episodes: exit {code}, {seconds / len(names):.2f} s an episode, {memory >> 20} MB, "
            f"{len(files)} files, {sum(files) >> 20} MB on disk",
            flush=True,
        )


def time_commands(root: Path) -> None:
    """Time the real commands in a finished project: three times each, the middle one counts."""
    page = root / "ep007.txt"

    def remove_entry() -> None:
        page.write_text("".join(page.read_text().splitlines(keepends=True)[:-2]))

    def wait() -> None:
        """Nothing is edited."""

    for name, edit, arguments in (
        ("run --all, an entry removed", remove_entry, COMMANDS[0]),
        *((" ".join(words), wait, words) for words in COMMANDS),
    ):
        taken, most, code = [], 0, 0
        for _ in range(3):
            edit()

            def work(arguments: tuple[str, ...] = arguments) -> int:
                command = [sys.executable, "-m", "pipeline", *arguments, "--root", str(root)]
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
                os.execv(sys.executable, command)

            code, seconds, memory = measure(work)
            taken.append(seconds)
            most = max(most, memory)
        print(f"{name}: exit {code}, {sorted(taken)[1]:.2f} s, {most >> 20} MB", flush=True)


def try_long() -> None:
    """Take long episodes and long lists through all stages."""
    for minutes, count in LONG:
        with tempfile.TemporaryDirectory() as folder:
            project = open_project(Path(folder))
            transcript, features = invent_episode(minutes, count)
            add(project, "one", dump_features(features, ".txt"))
            told = Told({"one": transcript})

            def work(project: Project = project, told: Told = told) -> int:
                return run_stages(
                    project, ["one"], STAGES, transcriber=lambda _: told, reporter=RecordingReporter()
                ).exit_code

            code, seconds, memory = measure(work)
            print(f"{minutes} minutes, {count} entries: exit {code}, {seconds:.1f} s, {memory >> 20} MB", flush=True)


def main() -> None:
    """Build, time commands, or try long episodes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, nargs="?")
    parser.add_argument("--episodes", type=int, default=500)
    parser.add_argument("--features", type=int, default=50)
    parser.add_argument("--step", type=int, default=100)
    parser.add_argument("--commands", action="store_true")
    parser.add_argument("--long", action="store_true")
    args = parser.parse_args()
    if args.long:
        try_long()
    elif args.root is None:
        parser.error("name the project's folder")
    elif args.commands:
        time_commands(args.root)
    else:
        build(args.root, args.episodes, args.features, args.step)


if __name__ == "__main__":
    main()
