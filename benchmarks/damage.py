"""Damage a finished project in a random way, run it again, and compare its files with those of an undisturbed run.

    python -m benchmarks.damage WAY [--rounds 100] [--episodes 20] [--seed 0] [--seconds 280]

The ways:

- `files` corrupts one file below data/ a round. The first pass flips a bit of each file, the second truncates each
  file. Later passes flip, truncate, empty, zero, lengthen or remove a file at random.
- `signals` ends a run with SIGKILL or SIGTERM after a random time.
- `kills` ends a run with SIGKILL before a random file operation.
- `disks` fills the disk from a random file operation on.
- `races` starts two or five runs at once.
- `clocks` runs with a clock that is years off and with files from the past and the future.
- `permissions` removes the permissions of a random file or folder.
- `corrections` corrupts a corrections file before one more correction is saved. All readable corrections must be kept,
  or nothing may be written.

After each round, one plain re-run must end with the bytes of an undisturbed run (`repaired`) or fail with one line that
names the file (`reported`). Everything else is a problem and is printed. The transcriber returns fixed lines; all other
parts are real.
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
from benchmarks.fuzz_samples import AUDIO, make_sound  # noqa: E402
from pipeline.cli.progress import ConsoleReporter  # noqa: E402
from pipeline.core.corrections import Correction, Decision, load_corrections, save_correction  # noqa: E402
from pipeline.core.errors import PipelineError  # noqa: E402
from pipeline.core.project import Project  # noqa: E402
from pipeline.runs.workflow import list_episodes, run_stages  # noqa: E402
from tests.support.faults import count_moments, watch  # noqa: E402
from tests.support.project import LINES, PAGE, FakeTranscriber, make_transcript  # noqa: E402

STAGES = ("download", "transcribe", "align", "publish")
# Files that differ from run to run: they hold the times of files and of runs.
NOT_COMPARED = ("data/processed/state", "data/processed/runs", "data/processed/.lock", "data/processed/.unfinished")

# The user and group id of `nobody`.
NOBODY = 65534

# The exit code of a child process whose work raised an exception: EX_SOFTWARE of sysexits.h.
FAILED = 70

# The names of the campaigns, which are methods of `Campaign`.
WAYS = ("files", "signals", "kills", "disks", "races", "clocks", "permissions", "corrections")


def make_project(root: Path, episodes: int) -> Project:
    """Write a project of episodes of a third of a second each, one of them corrected."""
    project = Project(root)
    project.episodes.mkdir(parents=True)
    project.show.write_text("name: The Kite Show\nlanguage: en\nlink: https://example.org/#t={seconds}\n")
    (root / "talk.mp3").write_bytes(make_sound(*AUDIO[".mp3"]))
    for number in range(episodes):
        (root / f"ep{number}.txt").write_text(PAGE.replace("5001", f"5{number:02}1"))
        settings = f"title: Episode {number}\nsource: talk.mp3\nfeatures: ep{number}.txt\npublished: 2026-11-02\n"
        project.episode(f"ep{number}").write_text(settings)
    moved = Correction(feature_id=500122, decision=Decision.MOVED, start=33.0, when=date(2026, 11, 23))
    save_correction(project, "ep0", moved)
    return project


def run_episodes(project: Project, *, wait: bool = False) -> int:
    """Run all stages that are not up to date, as `catalog run --all` does; return the exit code."""
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
        from pipeline.core.errors import explain_os_error

        reporter.fail(explain_os_error(error))
        return 1
    return result.exit_code


def fork(work: Callable[[], int], log: Path | None = None, *, as_nobody: bool = False) -> int:
    """Call `work` in a child process whose stderr goes to `log`; return the id of the process."""
    child = os.fork()
    if child:
        return child
    code = FAILED
    try:
        with (log or Path(os.devnull)).open("w") as stderr, redirect_stderr(stderr):
            try:
                signal.signal(signal.SIGTERM, signal.default_int_handler)
                if as_nobody and os.geteuid() == 0:
                    os.setgid(NOBODY)
                    os.setuid(NOBODY)
                code = work()
            except KeyboardInterrupt:
                code = 130
            except BaseException as error:
                stderr.write(f"NOT CAUGHT {type(error).__name__}: {error}\n")
    finally:
        os._exit(code)


def wait_for(child: int) -> int:
    """Wait for a process; return its exit code, negative for the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def snapshot(project: Project) -> dict[str, bytes]:
    """Return the content of each file that a run writes or must leave unchanged, by its path."""
    contents = {}
    for path in sorted(project.root.rglob("*")):
        name = path.relative_to(project.root).as_posix()
        if path.is_file() and not name.startswith(NOT_COMPARED):
            # Two runs may fetch the audio at different times.
            lines = path.read_bytes().splitlines(keepends=True)
            contents[name] = b"".join(line for line in lines if b'"fetched"' not in line)
    return contents


def corrupt(path: Path, chance: random.Random, how: str | None = None) -> str:
    """Corrupt a file; return how.

    Half of the files keep their modification time, as on a failing disk.
    """
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
    path.unlink()  # the file may be a hard link to its source, which must stay intact
    if how == "removed":
        return how
    path.write_bytes(changed)
    if chance.random() < 0.5:
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        how += ", time kept"
    return how


def _is_unexpected(output: str) -> bool:
    return "NOT CAUGHT" in output or "internal error (" in output


class Campaign:
    """A finished project, of which each round damages a copy, and the outcomes of the rounds.

    Attributes:
        model: the finished project, which stays undamaged.
        fresh: the folder of the project before its first run.
        expected: the content of the model's files by path, as `snapshot` returns it.
        artifacts: the paths of the files below data/, relative to the project.
        moments: the number of file operations of a whole run.
        is_repaired: whether the damaged copy equals the model again.
        outcomes: the number of rounds or runs with each outcome.
        problems: one line for each round that was neither repaired nor reported.
        reports: an example of a reported error by the name of the damaged file.
    """

    def __init__(self, folder: Path, episodes: int, seed: int) -> None:
        self.folder, self.chance = folder, random.Random(seed)
        self.model = make_project(folder / "model", episodes)
        self.fresh = Path(shutil.copytree(self.model.root, folder / "fresh"))
        # This run imports all modules for the child processes: `nobody` may lack access to Python's files.
        assert run_episodes(self.model) == 0
        self.expected = snapshot(self.model)
        self.names = list_episodes(self.model)
        self.artifacts = sorted(
            path.relative_to(self.model.root)
            for path in (self.model.root / "data").rglob("*")
            if path.is_file() and path.name != ".lock"
        )
        self.is_repaired = False
        self.moments = count_moments(self.copy(self.fresh), run_episodes)
        self.outcomes: Counter[str] = Counter()
        self.problems: list[str] = []
        self.reports: dict[str, str] = {}

    def copy(self, source: Path) -> Project:
        """Return a copy to damage, in the same folder each time."""
        target = self.folder / "damaged"
        shutil.rmtree(target, ignore_errors=True)
        self.is_repaired = False
        return Project(Path(shutil.copytree(source, target)))

    def take_finished(self) -> Project:
        """Return a finished project to damage; the previous round's, if it was repaired, to save the copying."""
        return Project(self.folder / "damaged") if self.is_repaired else self.copy(self.model.root)

    def take_unfinished(self) -> tuple[Project, float]:
        """Return a project with some files missing, and the share of a whole run that is needed to finish it."""
        if self.chance.random() < 0.15:
            return self.copy(self.fresh), 1.0
        project = self.take_finished()
        names = self.chance.sample(self.names, self.chance.randint(1, max(1, len(self.names) // 3)))
        kind = self.chance.choice((project.transcript, project.alignment, project.catalog))
        for name in names:
            kind(name).unlink()
        return project, len(names) / len(self.names)

    def check(self, project: Project, damage_done: str, *, names: str = "") -> None:
        """Run once more, undisturbed, and record the outcome; a reported error must contain `names`."""
        log = self.folder / "log"
        code = wait_for(fork(lambda: run_episodes(project), log))
        messages = [line for line in log.read_text().splitlines() if line]
        contents = snapshot(project)
        different = {name for name in {*contents, *self.expected} if contents.get(name) != self.expected.get(name)}
        temporary = list(project.root.rglob("*.tmp"))
        if code == 0 and not different and not temporary:
            self.outcomes["repaired"] += 1
            self.is_repaired = True
            return
        self.is_repaired = False
        if code in {1, 3} and messages and not _is_unexpected("\n".join(messages)):
            self.outcomes["reported"] += 1
            self.reports.setdefault(damage_done.rpartition("/")[2].partition(" ")[0], f"{damage_done}: {messages[0]}")
            if names not in "".join(messages):
                self.problems.append(f"{damage_done}: reported without naming {names}: {messages}")
        else:
            self.outcomes["wrong"] += 1
            self.problems.append(
                f"{damage_done}: exit {code}, other bytes in {sorted(different)[:4]}, temporary files {temporary}, "
                f"messages {messages[:3]}"
            )

    def files(self, number: int) -> None:
        """Corrupt one file below data/, each in its turn."""
        project = self.take_finished()
        lap, place = divmod(number, len(self.artifacts))
        name = self.artifacts[place]
        if not (project.root / name).is_file():  # a removed run report is never written again
            project = self.copy(self.model.root)
        how = ("flipped", "cut")[lap] if lap < 2 else None
        self.check(project, f"{name} {corrupt(project.root / name, self.chance, how)}")

    def signals(self, _: int) -> None:
        """End a run after a random time, and sometimes the next run, too."""
        project, share = self.take_unfinished()
        for _ in range(self.chance.choice((1, 1, 2))):
            child = fork(lambda: run_episodes(project))
            time.sleep(self.chance.uniform(0, 0.1 + share))
            os.kill(child, self.chance.choice((signal.SIGKILL, signal.SIGTERM)))
            code = wait_for(child)
            self.outcomes["(stopped)"] += code != 0
            if code not in {0, 130, -signal.SIGKILL, -signal.SIGTERM}:
                self.problems.append(f"ended with {code}")
        self.check(project, "signals")

    def kills(self, _: int) -> None:
        """Kill a run before it opens, renames, links or removes a file, and sometimes the next run, too."""
        project, share = self.take_unfinished()
        for _ in range(self.chance.choice((1, 1, 2))):
            at = self.chance.randint(1, round(self.moments * share))

            def stop(number: int, _: bool, at: int = at) -> None:
                if number == at:
                    os.kill(os.getpid(), signal.SIGKILL)

            self.outcomes["(stopped)"] += wait_for(fork(lambda: self._run_watched(project, stop))) == -signal.SIGKILL
        self.check(project, "kills")

    def disks(self, _: int) -> None:
        """Run with a disk that is full from a random file operation on."""
        project, share = self.take_unfinished()
        at = self.chance.randint(1, round(self.moments * share))

        def refuse(number: int, writes: bool) -> None:
            if writes and number >= at:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(project.root))

        log = self.folder / "log"
        code, output = wait_for(fork(lambda: self._run_watched(project, refuse), log)), log.read_text()
        self.outcomes["(failed)"] += code != 0
        if code not in {0, 1, 3} or (code and "No space left" not in output) or "internal error (" in output:
            self.problems.append(f"a full disk: exit {code}, output {output[:300]}")
        self.check(project, "disks")

    @staticmethod
    def _run_watched(project: Project, at_event: Callable[[int, bool], None]) -> int:
        watch(project.root, at_event)
        return run_episodes(project)

    def races(self, number: int) -> None:
        """Start two or five runs at once, with or without `--wait`."""
        project, _ = self.take_unfinished()
        wait = self.chance.random() < 0.5
        children = [fork(lambda: run_episodes(project, wait=wait)) for _ in range((2, 5)[number % 2])]
        codes = [wait_for(child) for child in children]
        self.outcomes["(runs)"] += len(codes)
        if set(codes) - {0, 4} or 0 not in codes:
            self.problems.append(f"races ended with {codes}")
        self.check(project, "races")

    def clocks(self, _: int) -> None:
        """Run with a clock that is years off, and with some files from 1970 or 2096."""
        project = self.copy(self.chance.choice((self.fresh, self.model.root)))
        for path in project.root.rglob("*"):
            if self.chance.random() < 0.3:
                os.utime(path, (0, self.chance.choice((0, 86_400, 4e9))))
        off = self.chance.choice((-30, -1, 1, 20)) * 365 * 86_400.0
        real, gmtime = time.time, time.gmtime

        def work() -> int:
            time.time = lambda: real() + off
            time.gmtime = lambda *at: gmtime(*(at or (real() + off,)))
            return run_episodes(project)

        if wait_for(fork(work)) != 0:
            self.problems.append(f"a run fails with a clock that is {off} s off")
        self.check(project, "clocks")

    def permissions(self, _: int) -> None:
        """Remove the permissions of a file or folder, and run as `nobody`."""
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
            (project.root / "ep1.txt").write_text(PAGE)  # so that the run has work to do
            (project.root / "ep1.txt").chmod(0o644)
        log = self.folder / "log"
        code = wait_for(fork(lambda: run_episodes(project), log, as_nobody=True))
        output = log.read_text()
        if code not in {0, 1, 3} or (code and not output) or _is_unexpected(output):
            name = path.relative_to(project.root)
            self.problems.append(f"{name} without permissions: exit {code}, output {output[:300]}")
        self.outcomes["(failed)"] += code != 0
        path.chmod(mode)
        (project.root / "ep1.txt").write_bytes((self.fresh / "ep1.txt").read_bytes())
        wait_for(fork(lambda: run_episodes(project)))
        self.restore_history(project)
        self.check(project, f"permissions of {path.relative_to(project.root)}")

    def corrections(self, _: int) -> None:
        """Corrupt a corrections file, and save one more correction in it."""
        project = Project(self.folder / "decided")
        path = project.corrections("ep0")
        for number in range(5):
            moved = {"decision": Decision.MOVED, "start": 10.0 * number, "when": date(2026, 11, 23)}
            feature = {"feature_id": 500_111 + number, "title": "Kites: new # two"}
            save_correction(project, "ep0", Correction(**feature, **moved))  # type: ignore[arg-type]
        corrupt(path, self.chance)
        try:
            content = path.read_bytes() if path.exists() else b""
            before = load_corrections(path)
        except PipelineError:
            before = None
        try:
            save_correction(project, "ep0", Correction(feature_id=7, decision=Decision.NOT_DISCUSSED))
        except PipelineError as error:
            self.outcomes["reported"] += 1
            if before is not None or path.read_bytes() != content or "\n" in str(error):
                self.problems.append(f"corrections refused: {error}")
        else:
            after = load_corrections(path)
            if before is None or len(after) != len(before) + 1 or not set(map(repr, before)) <= set(map(repr, after)):
                self.problems.append(f"corrections {content!r} became {path.read_bytes()!r}")
            self.outcomes["repaired"] += 1
        path.unlink(missing_ok=True)

    def restore_history(self, project: Project) -> None:
        """Restore the history of ep1, whose list was another one for a while: the program rightly keeps that list."""
        for name in ("data/processed/history/ep1", "data/raw/ep1/features"):
            shutil.rmtree(project.root / name)
            shutil.copytree(self.model.root / name, project.root / name)


def main() -> None:
    """Run the rounds, and print the number of each outcome, an example of each report, and all problems."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--episodes", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    args = parser.parse_args()
    # The sentence encoder takes time, and its only file is written as many others are.
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
    for example in campaign.reports.values():
        print(f"   reported, such as {example}")
    for problem in campaign.problems:
        print(f"   {problem}")
    sys.exit(1 if campaign.problems else 0)


if __name__ == "__main__":
    main()
