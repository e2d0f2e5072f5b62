"""Stop a run at a chosen moment, in a process of its own, and see what the next run makes of it.

usage: python -m tests.support.faults KILLS [SEED]

A campaign of random kills: prints how many there were, and any difference; also of folders that cannot be written and,
as root, of small disks.

A moment is the n-th time that the run opens, renames, links or removes a file or makes a folder, as Python's audit
events tell it; there the process kills itself with SIGKILL. Between two such moments nothing on the disk changes but
the content of temporary files.
"""

import errno
import hashlib
import importlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np

import pipeline.align.encoder
from pipeline.align.mentions import load_spacy
from pipeline.core.corrections import Correction, Decision, save_correction
from pipeline.core.project import Project
from pipeline.core.schema import Segment, Transcript
from pipeline.runs.history import find_latest_snapshot
from pipeline.runs.workflow import run_stages
from pipeline.transcribe.checkpoints import Checkpoints
from pipeline.transcribe.chunking import Chunk
from pipeline.transcribe.transcriber import ChunkTranscriber, Progress
from tests.support.project import DEMO_AUDIO, LINES, PAGE, RecordingReporter, add_episode, make_transcript

STAGES = ("download", "transcribe", "align", "publish")
WATCHED = {"open", "os.rename", "os.remove", "os.link", "os.mkdir", "os.truncate"}
# The folders below data/ that lose their permission, and the bytes in which a small disk is given out.
DENIED = (
    "raw",
    *(f"processed/{name}" for name in "transcripts alignments catalog notes history state site runs".split()),
)
PAGE_BYTES = 4096
# What a run remembers of files' times, and when it ran, differ from run to run by their nature.
EARLIER = ("data/processed/history/one/", "data/raw/one/features/")
NOT_COMPARED = ("data/processed/state", "data/processed/runs", "data/processed/.lock", "data/processed/.unfinished")


def make_project(root: Path) -> Project:
    """A project of two episodes, one of them corrected."""
    project = Project(root)
    project.episodes.mkdir(parents=True)
    project.show.write_text("name: The Kite Show\nlanguage: en\nlink: https://example.org/#t={seconds}\n")
    shutil.copy(DEMO_AUDIO, root / "talk.ogg")
    for name in ("one", "two"):
        add_episode(project, name, source="talk.ogg")
    save_correction(
        project, "two", Correction(feature_id=500122, decision=Decision.MOVED, start=33.0, when=date(2026, 11, 23))
    )
    return project


class ChunkedTranscriber:
    """Returns LINES as a transcript, with two chunks at once and a checkpoint for each, as WhisperTranscriber does."""

    def transcribe(
        self, audio: Path, *, language: str | None, on_progress: Progress, checkpoints: Path | None = None
    ) -> Transcript:
        transcript = make_transcript(LINES)

        def decode(_: object, chunk: Chunk, *__: object, **___: object) -> list[Segment]:
            return [transcript.segments[chunk.number]]

        silence = np.zeros(1, dtype=np.float32)
        chunks = (Chunk(number, number, silence, ()) for number in range(len(LINES)))
        saved = Checkpoints(checkpoints, "fake") if checkpoints else None
        work = ChunkTranscriber(SimpleNamespace(workers=2), "en", None, saved, on_progress, 60.0)  # type: ignore[arg-type]
        with patch("pipeline.transcribe.transcriber.decode_chunk", decode):
            return replace(transcript, segments=tuple(work.transcribe(chunks)))


def go(project: Project) -> int:
    """Run everything that is not up to date; return the exit code."""
    transcriber = ChunkedTranscriber()
    ids = sorted(path.stem for path in project.episodes.glob("*.yaml"))
    return run_stages(
        project, ids, STAGES, transcriber=lambda show: transcriber, reporter=RecordingReporter()
    ).exit_code


def snapshot(project: Project) -> dict[str, str]:
    """The digest of every file that a run makes or must leave alone."""
    found = {}
    for path in sorted(project.root.rglob("*")):
        name = path.relative_to(project.root).as_posix()
        if path.is_file() and not name.startswith(NOT_COMPARED):
            # When audio was fetched is the one thing that two runs need not share.
            content = path.read_bytes()
            told = re.sub(rb'"fetched": "[^"]*"', b"", content) if path.name == "audio.json" else content
            found[name] = hashlib.sha256(told).hexdigest()
    return found


def in_child(work: Callable[[], int]) -> int:
    """Do something in a process of its own; return its exit code, negative for the signal that ended it."""
    child = os.fork()
    if child == 0:
        code = 70
        try:
            code = work()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def watch(root: Path, at_event: Callable[[int, bool], None]) -> None:
    """Call `at_event` with a rising number before each touch of a file below the folder, and whether it is to write."""
    count = 0

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count
        if event in WATCHED and any(str(one).startswith(str(root)) for one in arguments[:2]):
            count += 1
            flags = arguments[2] if event == "open" else os.O_WRONLY
            at_event(count, isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR)))

    sys.addaudithook(hook)


def count_moments(project: Project, run: Callable[[Project], int] = go) -> int:
    """How many moments an undisturbed run has, which it then has run."""
    reading, writing = os.pipe()

    def work() -> int:
        seen = [0]
        watch(project.root, lambda number, _: seen.__setitem__(0, number))
        code = run(project)
        os.write(writing, str(seen[0]).encode())
        return code

    assert in_child(work) == 0
    return int(os.read(reading, 20))


def kill_at(project: Project, moment: int) -> int:
    """Run until the moment comes; return how it ended."""

    def stop(number: int, _: bool) -> None:
        if number == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    def work() -> int:
        watch(project.root, stop)
        return go(project)

    return in_child(work)


def fill_disk_at(project: Project, moment: int) -> int:
    """Run with a disk that is full from the moment on: every file that is opened for writing fails."""
    return refuse_at(project, project.root, moment, errno.ENOSPC)


def refuse_at(project: Project, folder: Path, moment: int, error: int) -> int:
    """Run while, from the moment on, nothing can be written below a folder; an error that ends the run counts as 1."""

    def refuse(number: int, writes: bool) -> None:
        if writes and number >= moment:
            raise OSError(error, os.strerror(error), str(folder))

    def work() -> int:
        watch(folder, refuse)
        return fail_quietly(project)

    return in_child(work)


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Callable[..., Any]]:
    """Mount a disk of so many bytes on a folder; what is yielded mounts it again with other options.

    PermissionError where this process may not mount.
    """
    folder.mkdir(parents=True, exist_ok=True)

    def mount(*options: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", folder], capture_output=True)

    if not shutil.which("mount") or mount(f"size={size}").returncode:
        raise PermissionError(f"no disk can be mounted on {folder}")
    try:
        yield lambda *options: mount("remount", *options).returncode
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fail_quietly(project: Project) -> int:
    """Run everything; an error of the disk that ends the run counts as 1."""
    try:
        return go(project)
    except OSError:
        return 1


def try_small_disks(rounds: int, seed: int, folder: Path) -> tuple[int, list[str]]:
    """Run on disks that fill up, then make room; return how many runs failed for it, and every difference."""
    undisturbed = make_project(folder / "undisturbed")
    begun = measure_disk(undisturbed.root)
    assert in_child(lambda: go(undisturbed)) == 0
    expected, drawn, failed = snapshot(undisturbed), random.Random(seed), 0
    differences: list[str] = []
    for number in range(rounds):
        with small_disk(
            folder / "disk", drawn.randrange(begun + PAGE_BYTES, measure_disk(undisturbed.root))
        ) as remount:
            project = make_project(folder / "disk")
            failed += in_child(lambda one=project: fail_quietly(one)) != 0  # type: ignore[misc]
            remount("size=100m")
            differences += compare(number, project, expected)
    return failed, differences


def measure_disk(folder: Path) -> int:
    """How many bytes of a disk the files below a folder take, in whole pages; a file with two names once."""
    files = {path.stat().st_ino: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    return sum(-(-size // PAGE_BYTES) * PAGE_BYTES for size in files.values())


def try_denials(rounds: int, seed: int, folder: Path) -> tuple[int, list[str]]:
    """Run while a folder loses the permission to be written; return how many runs failed, and every difference."""
    undisturbed = make_project(folder / "undisturbed")
    assert in_child(lambda: go(undisturbed)) == 0
    expected, drawn, failed = snapshot(undisturbed), random.Random(seed), 0
    differences: list[str] = []
    for number in range(rounds):
        project = make_project(folder / "denied")
        denied = project.root / "data" / drawn.choice(DENIED)
        failed += refuse_at(project, denied, drawn.randint(1, 8), errno.EACCES) != 0
        differences += compare(number, project, expected)
        shutil.rmtree(project.root)
    return failed, differences


def compare(number: int, project: Project, expected: dict[str, str]) -> Sequence[str]:
    """Run again, undisturbed; return what differs from the files that were expected."""
    code, found = in_child(lambda: go(project)), snapshot(project)
    wrong = sorted(name for name in {*found, *expected} if found.get(name) != expected.get(name))
    return [f"round {number}: exit code {code}, other bytes in {wrong}"] if code or wrong else []


def try_kills(kills: int, seed: int, folder: Path) -> tuple[int, list[str]]:
    """Kill a run at random moments, let a plain re-run follow; return how many were killed, and every difference."""
    undisturbed = make_project(folder / "undisturbed")
    moments = count_moments(undisturbed)
    expected = snapshot(undisturbed)
    drawn = random.Random(seed)
    killed, differences = 0, []
    for number in range(kills):
        project = make_project(folder / "killed")
        # Every third time the list is edited after a first run, so that old files are there to be replaced.
        if number % 3 == 0:
            (project.root / "one.txt").write_text(PAGE.replace("dark", "night"))
            assert in_child(lambda one=project: go(one)) == 0  # type: ignore[misc]
            (project.root / "one.txt").write_text(PAGE)
        for _ in range(drawn.choice((1, 1, 2))):
            killed += kill_at(project, drawn.randint(1, moments)) == -signal.SIGKILL
        code = in_child(lambda one=project: go(one))  # type: ignore[misc]
        found = snapshot(project)
        expected_here = expected
        if number % 3 == 0:
            # What the list and the rows were before is kept too; the rows of now are the latest state.
            earlier = [name for name in found if name not in expected and name.startswith(EARLIER)]
            latest = [name for name in expected if name.startswith(EARLIER[0])]
            expected_here = {name: digest for name, digest in expected.items() if name not in latest}
            expected_here |= {name: found[name] for name in earlier}
            if find_latest_snapshot(project, "one") != f"0002-{Path(latest[0]).stem.partition('-')[2]}":
                differences.append(f"round {number}: the latest snapshot is {find_latest_snapshot(project, 'one')}")
        wrong = {name for name in {*found, *expected_here} if found.get(name) != expected_here.get(name)}
        if code or wrong:
            differences.append(f"round {number}: exit code {code}, other bytes in {sorted(wrong)}")
        shutil.rmtree(project.root)
    return killed, differences


def warm_up() -> None:
    """Import once what every child would import."""
    for name in ("pandas", "pyarrow.csv", "pyarrow.parquet", "rapidfuzz.process", "spacy.matcher", "jinja2"):
        importlib.import_module(name)

    load_spacy("en")


def main() -> None:
    """Run the campaign that the command line asks for."""
    kills, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    warm_up()
    # The sentence encoder takes time and writes one file of a kind that is written in many other places.
    pipeline.align.encoder.load_encoder = lambda language: None
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        killed, differences = try_kills(kills, seed, Path(folder))
        told = f"{kills} runs, {killed} kills"
        with suppress(PermissionError):
            for name, campaign in (("a denied folder", try_denials), ("a full disk", try_small_disks)):
                failed, more = campaign(kills // 5, seed, Path(folder) / name.replace(" ", "-"))
                told += f"; {kills // 5} runs, {failed} failed for {name}"
                differences += more
    sys.stdout.write(f"{told}; {len(differences)} differences, {time.monotonic() - began:.0f} s\n")
    sys.stdout.write("".join(f"{line}\n" for line in differences))
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
