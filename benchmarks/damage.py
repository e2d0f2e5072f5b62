"""Damage a finished project in every way a week brings, run it again, and see what comes of it.

    python -m benchmarks.damage WAY [--rounds 100] [--episodes 20] [--seed 0] [--seconds 280]

Ways: `files` harms the files that a run wrote, one a round: first flips a bit of each, then cuts each, then does
either, empties, zeroes, lengthens or removes them; `signals` ends a run by SIGKILL or SIGTERM after a random time;
`kills` ends it by SIGKILL before a random touch of a file; `disks` lets the disk be full from such a moment on; `races`
starts two or five runs at once; `clocks` runs with a clock that is years off and files from the future; `permissions`
takes the rights from a random file or folder; `corrections` harms a file of people's decisions before one more is
saved: every decision that can still be read is kept, or nothing is written.

After each, one plain re-run must end with the bytes of an undisturbed run (`mended`), or fail with one line that names
the file (`told`). Anything else is printed. The transcriber is one that knows its lines; all other parts are real.
"""

import argparse
import errno
import os
import random
import shutil
import signal
import stat
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stderr
from datetime import date
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent

import pipeline.align.encoder  # noqa: E402
from benchmarks.fuzz_samples import AUDIO, _sound  # noqa: E402
from pipeline.cli.progress import ConsoleReporter  # noqa: E402
from pipeline.core.corrections import Correction, Decision, load_corrections, save_correction  # noqa: E402
from pipeline.core.errors import PipelineError  # noqa: E402
from pipeline.core.project import Project  # noqa: E402
from pipeline.runs.workflow import list_episodes, run_stages  # noqa: E402
from tests.support.faults import count_moments, watch  # noqa: E402
from tests.support.project import LINES, PAGE, FakeTranscriber, make_transcript  # noqa: E402

STAGES = ("download", "transcribe", "align", "publish")
# What a run remembers of files' times, and when it ran, differ from run to run by their nature.
NOT_COMPARED = ("data/processed/state", "data/processed/runs", "data/processed/.lock", "data/processed/.unfinished")
NOBODY = 65534
FAILED = 70
WAYS = ("files", "signals", "kills", "disks", "races", "clocks", "permissions", "corrections")


def make_project(root: Path, episodes: int) -> Project:
    """A project of some episodes of a third of a second, one of them corrected."""
    project = Project(root)
    project.episodes.mkdir(parents=True)
    project.show.write_text("name: The Kite Show\nlanguage: en\nlink: https://example.org/#t={seconds}\n")
    (root / "talk.mp3").write_bytes(_sound(*AUDIO[".mp3"]))
    for number in range(episodes):
        (root / f"ep{number}.txt").write_text(PAGE.replace("5001", f"5{number:02}1"))
        settings = f"title: Episode {number}\nsource: talk.mp3\nfeatures: ep{number}.txt\npublished: 2026-11-02\n"
        project.episode(f"ep{number}").write_text(settings)
    moved = Correction(feature_id=500122, decision=Decision.MOVED, start=33.0, when=date(2026, 11, 23))
    save_correction(project, "ep0", moved)
    return project


def go(project: Project, *, wait: bool = False) -> int:
    """Run everything that is not up to date, as the command would; return its exit code."""
    transcriber = FakeTranscriber(make_transcript(LINES))
    reporter = ConsoleReporter(quiet=True)
    reporter.console.file = sys.stderr
    try:
        ids = list_episodes(project)
        result = run_stages(project, ids, STAGES, transcriber=lambda _: transcriber, reporter=reporter, wait=wait)
    except PipelineError as error:
        reporter.fail(str(error))
        return error.exit_code
    except OSError as error:
        from pipeline.runs.episode import explain_os_error

        reporter.fail(explain_os_error(error))
        return 1
    return result.exit_code


def start(work: Callable[[], int], log: Path | None = None, *, as_nobody: bool = False) -> int:
    """Do something in a process of its own, what it says going to a file; return the process's id."""
    child = os.fork()
    if child:
        return child
    code = FAILED
    try:
        with (log or Path(os.devnull)).open("w") as said, redirect_stderr(said):
            try:
                signal.signal(signal.SIGTERM, signal.default_int_handler)
                if as_nobody and os.geteuid() == 0:
                    os.setgid(NOBODY)
                    os.setuid(NOBODY)
                code = work()
            except KeyboardInterrupt:
                code = 130
            except BaseException as error:
                said.write(f"NOT CAUGHT {type(error).__name__}: {error}\n")
    finally:
        os._exit(code)


def end(child: int) -> int:
    """Wait for a process; return its exit code, negative for the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def snapshot(project: Project) -> dict[str, bytes]:
    """Every file that a run makes or must leave alone."""
    found = {}
    for path in sorted(project.root.rglob("*")):
        name = path.relative_to(project.root).as_posix()
        if path.is_file() and not name.startswith(NOT_COMPARED):
            # When audio was fetched is the one thing that two runs need not share.
            lines = path.read_bytes().splitlines(keepends=True)
            found[name] = b"".join(line for line in lines if b'"fetched"' not in line)
    return found


def damage(path: Path, chance: random.Random, how: str | None = None) -> str:
    """Harm one file; return how. Half of the time the file keeps its time of change, as on a failing disk."""
    content, status = path.read_bytes(), path.stat()
    how = how or chance.choice(("cut", "flipped", "emptied", "zeroed", "removed", "lengthened"))
    changed = bytearray(content)
    if how == "flipped" and content:
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    elif how == "zeroed":
        at = chance.randint(0, len(changed))
        changed[at : at + 64] = bytes(len(changed[at : at + 64]))
    elif how == "cut":
        del changed[chance.randint(0, max(0, len(changed) - 1)) :]
    elif how == "lengthened":
        changed += chance.randbytes(20)
    elif how == "emptied":
        changed.clear()
    path.unlink()  # a hard link of the source would be harmed with it
    if how == "removed":
        return how
    path.write_bytes(changed)
    if chance.random() < 0.5:
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        how += ", time kept"
    return how


class Campaign:
    """A finished project, copied for each round; what came of the rounds."""

    def __init__(self, folder: Path, episodes: int, seed: int) -> None:
        self.folder, self.chance = folder, random.Random(seed)
        self.model = make_project(folder / "model", episodes)
        self.fresh = Path(shutil.copytree(self.model.root, folder / "fresh"))
        # In this process, so that those to come have everything imported: nobody may not read all of Python's folders.
        assert go(self.model) == 0
        self.expected = snapshot(self.model)
        self.names = list_episodes(self.model)
        self.artefacts = sorted(
            path.relative_to(self.model.root)
            for path in (self.model.root / "data").rglob("*")
            if path.is_file() and path.name != ".lock"
        )
        self.mended = False  # whether the copy at hand is again as the model
        self.moments = count_moments(self.copy(self.fresh), go)
        self.outcomes: Counter[str] = Counter()
        self.problems: list[str] = []
        self.told: dict[str, str] = {}  # an example for each name of a file

    def copy(self, source: Path) -> Project:
        """A copy to harm, at the same place each time."""
        target = self.folder / "harmed"
        shutil.rmtree(target, ignore_errors=True)
        self.mended = False
        return Project(Path(shutil.copytree(source, target)))

    def take_finished(self) -> Project:
        """A finished project to harm: that of the round before where it was mended, which saves most of a round."""
        return Project(self.folder / "harmed") if self.mended else self.copy(self.model.root)

    def take_unfinished(self) -> tuple[Project, float]:
        """A project of which some episodes are to be made, and the share of a whole run that this is."""
        if self.chance.random() < 0.15:
            return self.copy(self.fresh), 1.0
        project = self.take_finished()
        names = self.chance.sample(self.names, self.chance.randint(1, max(1, len(self.names) // 3)))
        kind = self.chance.choice((project.transcript, project.alignment, project.catalog))
        for name in names:
            kind(name).unlink()
        return project, len(names) / len(self.names)

    def judge(self, project: Project, what: str, *, names: str = "") -> None:
        """Run once more, plainly, and see."""
        log = self.folder / "log"
        code = end(start(lambda: go(project), log))
        told = [line for line in log.read_text().splitlines() if line]
        found = snapshot(project)
        wrong = {name for name in {*found, *self.expected} if found.get(name) != self.expected.get(name)}
        left = list(project.root.rglob("*.tmp"))
        if code == 0 and not wrong and not left:
            self.outcomes["mended"] += 1
            self.mended = True
            return
        self.mended = False
        if code in {1, 3} and told and not any("NOT CAUGHT" in line or "internal error (" in line for line in told):
            self.outcomes["told"] += 1
            self.told.setdefault(what.rpartition("/")[2].partition(" ")[0], f"{what}: {told[0]}")
            if names not in "".join(told):
                self.problems.append(f"{what}: told, but not of {names}: {told}")
        else:
            self.outcomes["wrong"] += 1
            self.problems.append(
                f"{what}: exit {code}, other bytes in {sorted(wrong)[:4]}, left {left}, said {told[:3]}"
            )

    def files(self, number: int) -> None:
        """Harm one file below data/, in turn."""
        project = self.take_finished()
        lap, place = divmod(number, len(self.artefacts))
        name = self.artefacts[place]
        if not (project.root / name).is_file():  # a report that was removed before is never made again
            project = self.copy(self.model.root)
        how = ("flipped", "cut")[lap] if lap < 2 else None
        self.judge(project, f"{name} {damage(project.root / name, self.chance, how)}")

    def signals(self, _: int) -> None:
        """End a run after a random time; sometimes the next one, too."""
        project, share = self.take_unfinished()
        for _ in range(self.chance.choice((1, 1, 2))):
            child = start(lambda: go(project))
            time.sleep(self.chance.uniform(0, 0.1 + share))
            os.kill(child, self.chance.choice((signal.SIGKILL, signal.SIGTERM)))
            code = end(child)
            self.outcomes["(stopped)"] += code != 0
            if code not in {0, 130, -signal.SIGKILL, -signal.SIGTERM}:
                self.problems.append(f"ended with {code}")
        self.judge(project, "signals")

    def kills(self, _: int) -> None:
        """Kill a run at the moment before it opens, renames, links or removes a file; sometimes the next one, too."""
        project, share = self.take_unfinished()
        for _ in range(self.chance.choice((1, 1, 2))):
            at = self.chance.randint(1, round(self.moments * share))

            def stop(number: int, _: bool, at: int = at) -> None:
                if number == at:
                    os.kill(os.getpid(), signal.SIGKILL)

            self.outcomes["(stopped)"] += end(start(lambda: self._go_watched(project, stop))) == -signal.SIGKILL
        self.judge(project, "kills")

    def disks(self, _: int) -> None:
        """A run whose disk is full from a random moment on."""
        project, share = self.take_unfinished()
        at = self.chance.randint(1, round(self.moments * share))

        def refuse(number: int, writes: bool) -> None:
            if writes and number >= at:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(project.root))

        log = self.folder / "log"
        code, told = end(start(lambda: self._go_watched(project, refuse), log)), log.read_text()
        self.outcomes["(failed)"] += code != 0
        if code not in {0, 1, 3} or (code and "No space left" not in told) or "internal error (" in told:
            self.problems.append(f"a full disk: exit {code}, said {told[:300]}")
        self.judge(project, "disks")

    @staticmethod
    def _go_watched(project: Project, at_event: Callable[[int, bool], None]) -> int:
        watch(project.root, at_event)
        return go(project)

    def races(self, number: int) -> None:
        """Two or five runs at once, waiting or not."""
        project, _ = self.take_unfinished()
        wait = self.chance.random() < 0.5
        children = [start(lambda: go(project, wait=wait)) for _ in range((2, 5)[number % 2])]
        codes = [end(child) for child in children]
        self.outcomes["(runs)"] += len(codes)
        if set(codes) - {0, 4} or 0 not in codes:
            self.problems.append(f"races ended with {codes}")
        self.judge(project, "races")

    def clocks(self, _: int) -> None:
        """A run by a clock that is years off, over files of which some are from the future or long ago."""
        project = self.copy(self.chance.choice((self.fresh, self.model.root)))
        for path in project.root.rglob("*"):
            if self.chance.random() < 0.3:
                os.utime(path, (0, self.chance.choice((0, 86_400, 4e9))))
        off = self.chance.choice((-30, -1, 1, 20)) * 365 * 86_400.0
        real, gmtime = time.time, time.gmtime

        def work() -> int:
            time.time = lambda: real() + off
            time.gmtime = lambda *at: gmtime(*(at or (real() + off,)))
            return go(project)

        if end(start(work)) != 0:
            self.problems.append(f"a clock {off} s off ends a run")
        self.judge(project, "clocks")

    def permissions(self, _: int) -> None:
        """A file or folder that may not be read or written, while nobody in particular runs."""
        project = self.copy(self.chance.choice((self.fresh, self.model.root)))
        for folder in (self.folder, *self.folder.parents):
            if folder.stat().st_uid == os.geteuid() and folder != Path("/"):
                folder.chmod(folder.stat().st_mode | 0o055)
        paths = sorted(project.root.rglob("*"))
        if os.geteuid() == 0:
            for path in (project.root, *paths):
                shutil.chown(path, NOBODY, NOBODY)
        path = self.chance.choice(paths)
        mode = stat.S_IMODE(path.stat().st_mode)
        path.chmod(self.chance.choice((0, 0o444 if path.is_file() else 0o555)))
        if self.chance.random() < 0.5:
            (project.root / "ep1.txt").write_text(PAGE)  # so that there is something to do
            (project.root / "ep1.txt").chmod(0o644)
        log = self.folder / "log"
        code = end(start(lambda: go(project), log, as_nobody=True))
        told = log.read_text()
        if code not in {0, 1, 3} or (code and not told) or "NOT CAUGHT" in told or "internal error (" in told:
            self.problems.append(f"{path.relative_to(project.root)} without rights: exit {code}, said {told[:300]}")
        self.outcomes["(failed)"] += code != 0
        path.chmod(mode)
        (project.root / "ep1.txt").write_bytes((self.fresh / "ep1.txt").read_bytes())
        end(start(lambda: go(project)))
        self.forgive_history(project)
        self.judge(project, f"permissions of {path.relative_to(project.root)}")

    def corrections(self, _: int) -> None:
        """A harmed file of corrections, into which one more is saved."""
        project = Project(self.folder / "decided")
        path = project.corrections("ep0")
        for number in range(5):
            moved = {"decision": Decision.MOVED, "start": 10.0 * number, "when": date(2026, 11, 23)}
            one = Correction(feature_id=500_111 + number, title="Kites: new # two", **moved)  # type: ignore[arg-type]
            save_correction(project, "ep0", one)
        damage(path, self.chance)
        try:
            content = path.read_bytes() if path.exists() else b""
            before = load_corrections(path)
        except PipelineError:
            before = None
        try:
            save_correction(project, "ep0", Correction(feature_id=7, decision=Decision.NOT_DISCUSSED))
        except PipelineError as error:
            self.outcomes["told"] += 1
            if before is not None or path.read_bytes() != content or "\n" in str(error):
                self.problems.append(f"corrections refused: {error}")
        else:
            after = load_corrections(path)
            if before is None or len(after) != len(before) + 1 or not set(map(repr, before)) <= set(map(repr, after)):
                self.problems.append(f"corrections {content!r} became {path.read_bytes()!r}")
            self.outcomes["mended"] += 1
        path.unlink(missing_ok=True)

    def forgive_history(self, project: Project) -> None:
        """Forget that the list of ep1 was another for a while: that it is kept is right."""
        for name in ("data/processed/history/ep1", "data/raw/ep1/features"):
            shutil.rmtree(project.root / name)
            shutil.copytree(self.model.root / name, project.root / name)


def main() -> None:
    """Print how many rounds there were, and what came of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--episodes", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    args = parser.parse_args()
    # The sentence encoder takes time and writes one file of a kind that is written in many other places.
    pipeline.align.encoder.load_encoder = lambda language: None  # noqa: ARG005
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        campaign = Campaign(Path(folder), args.episodes, args.seed)
        rounds = 0
        while rounds < args.rounds and time.monotonic() < began + args.seconds:
            getattr(campaign, args.way)(args.first + rounds)
            rounds += 1
    counts = ", ".join(f"{count} {name}" for name, count in sorted(campaign.outcomes.items()))
    print(f"{args.way}: {rounds} rounds in {time.monotonic() - began:.0f} s: {counts}")
    for example in campaign.told.values():
        print(f"   told, such as {example}")
    for problem in campaign.problems:
        print(f"   {problem}")
    sys.exit(1 if campaign.problems else 0)


if __name__ == "__main__":
    main()
