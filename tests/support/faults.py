"""Stop a run at a chosen moment, in a child process, and compare what the next run writes.

usage: python -m tests.support.faults KILLS [SEED]

Runs a campaign of random kills, of folders that cannot be written and, as root, of small disks; prints the number of
failures and every difference.

A moment is the n-th time that the run opens, renames, links or removes a file or creates a folder, according to
Python's audit events; there the process kills itself with SIGKILL. Between two moments only the content of temporary
files changes on disk.
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
# Audit events of Python that touch a file or folder.
WATCHED = {"open", "os.rename", "os.remove", "os.link", "os.mkdir", "os.truncate"}

# The folders below data/ that lose their permission.
DENIED = (
    "raw",
    *(f"processed/{name}" for name in "transcripts alignments catalog notes history state site runs".split()),
)

# A small disk allocates its space in pages of this many bytes.
PAGE_BYTES = 4096

# Folders where an edited list leaves further files.
EARLIER = ("data/processed/history/one/", "data/raw/one/features/")

# Files that differ from run to run: they hold times of files, and when a run ended.
NOT_COMPARED = ("data/processed/state", "data/processed/runs", "data/processed/.lock", "data/processed/.unfinished")


def make_project(root: Path) -> Project:
    """Write a project of two episodes, one of them corrected."""
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
    """A transcriber that returns LINES, two chunks at once, with a checkpoint each, as WhisperTranscriber does."""

    def transcribe(
        self,
        audio: Path,
        *,
        language: str | None,
        on_progress: Progress,
        checkpoints: Path | None = None,
        whole: bool = False,
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


def run_project(project: Project) -> int:
    """Run every stage that is not up to date; return the exit code."""
    transcriber = ChunkedTranscriber()
    ids = sorted(path.stem for path in project.episodes.glob("*.yaml"))
    return run_stages(
        project, ids, STAGES, transcriber=lambda show: transcriber, reporter=RecordingReporter()
    ).exit_code


def snapshot(project: Project) -> dict[str, str]:
    """Return the digest of each file that a run writes or must leave unchanged, by its path."""
    digests = {}
    for path in sorted(project.root.rglob("*")):
        name = path.relative_to(project.root).as_posix()
        if path.is_file() and not name.startswith(NOT_COMPARED):
            # Two runs may fetch the audio at different times.
            content = path.read_bytes()
            compared = re.sub(rb'"fetched": "[^"]*"', b"", content) if path.name == "audio.json" else content
            digests[name] = hashlib.sha256(compared).hexdigest()
    return digests


def in_child(work: Callable[[], int]) -> int:
    """Call `work` in a child process; return its exit code, negative for the signal that killed it."""
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
    """Call `at_event` before each event below a folder, with the event's number and whether it writes."""
    count = 0

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count
        if event in WATCHED and any(str(argument).startswith(str(root)) for argument in arguments[:2]):
            count += 1
            flags = arguments[2] if event == "open" else os.O_WRONLY
            at_event(count, isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR)))

    sys.addaudithook(hook)


def count_moments(project: Project, run: Callable[[Project], int] = run_project) -> int:
    """Run undisturbed; return the number of moments."""
    reading, writing = os.pipe()

    def work() -> int:
        last = [0]
        watch(project.root, lambda number, _: last.__setitem__(0, number))
        code = run(project)
        os.write(writing, str(last[0]).encode())
        return code

    assert in_child(work) == 0
    return int(os.read(reading, 20))


def kill_at(project: Project, moment: int) -> int:
    """Kill a run at a moment; return its exit code."""

    def stop(number: int, _: bool) -> None:
        if number == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    def work() -> int:
        watch(project.root, stop)
        return run_project(project)

    return in_child(work)


def fill_disk_at(project: Project, moment: int) -> int:
    """Run with a disk that is full from a moment on: no file can be opened for writing. Return the exit code."""
    return refuse_at(project, project.root, moment, errno.ENOSPC)


def refuse_at(project: Project, folder: Path, moment: int, error: int) -> int:
    """Run while nothing can be written below a folder from a moment on; return the exit code, 1 for an exception."""

    def refuse(number: int, writes: bool) -> None:
        if writes and number >= moment:
            raise OSError(error, os.strerror(error), str(folder))

    def work() -> int:
        watch(folder, refuse)
        return fail_quietly(project)

    return in_child(work)


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Callable[..., Any]]:
    """Mount a disk of `size` bytes on a folder; yield a function that mounts it again with other options.

    Raises:
        PermissionError: if this process may not mount.
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
    """Run all stages; return the exit code, 1 for an OSError."""
    try:
        return run_project(project)
    except OSError:
        return 1


def try_small_disks(rounds: int, seed: int, folder: Path) -> tuple[int, list[str]]:
    """Run on disks that fill up, then on larger ones; return the number of failed runs, and every difference."""
    undisturbed = make_project(folder / "undisturbed")
    begun = measure_disk(undisturbed.root)
    assert in_child(lambda: run_project(undisturbed)) == 0
    expected, drawn, failed = snapshot(undisturbed), random.Random(seed), 0
    differences: list[str] = []
    for number in range(rounds):
        with small_disk(
            folder / "disk", drawn.randrange(begun + PAGE_BYTES, measure_disk(undisturbed.root))
        ) as remount:
            project = make_project(folder / "disk")
            failed += in_child(lambda project=project: fail_quietly(project)) != 0  # type: ignore[misc]
            remount("size=100m")
            differences += compare(number, project, expected)
    return failed, differences


def measure_disk(folder: Path) -> int:
    """Return the bytes that the files below a folder take on a disk, in whole pages; hard links count once."""
    files = {path.stat().st_ino: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    return sum(-(-size // PAGE_BYTES) * PAGE_BYTES for size in files.values())


def try_denials(rounds: int, seed: int, folder: Path) -> tuple[int, list[str]]:
    """Run while a folder loses its write permission; return the number of failed runs, and every difference."""
    undisturbed = make_project(folder / "undisturbed")
    assert in_child(lambda: run_project(undisturbed)) == 0
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
    """Run again, undisturbed; return every difference from the expected files."""
    code, digests = in_child(lambda: run_project(project)), snapshot(project)
    different = sorted(name for name in {*digests, *expected} if digests.get(name) != expected.get(name))
    return [f"round {number}: exit code {code}, other bytes in {different}"] if code or different else []


def try_kills(kills: int, seed: int, folder: Path) -> tuple[int, list[str]]:
    """Kill runs at random moments and run again; return the number of killed runs, and every difference."""
    undisturbed = make_project(folder / "undisturbed")
    moments = count_moments(undisturbed)
    expected = snapshot(undisturbed)
    drawn = random.Random(seed)
    killed, differences = 0, []
    for number in range(kills):
        project = make_project(folder / "killed")
        # In every third round, the list is edited after a first run, so that the killed run replaces files.
        if number % 3 == 0:
            (project.root / "one.txt").write_text(PAGE.replace("dark", "night"))
            assert in_child(lambda project=project: run_project(project)) == 0  # type: ignore[misc]
            (project.root / "one.txt").write_text(PAGE)
        for _ in range(drawn.choice((1, 1, 2))):
            killed += kill_at(project, drawn.randint(1, moments)) == -signal.SIGKILL
        code = in_child(lambda project=project: run_project(project))  # type: ignore[misc]
        digests = snapshot(project)
        expected_here = expected
        if number % 3 == 0:
            # The previous list and rows are kept, too. The current rows are the latest snapshot.
            earlier = [name for name in digests if name not in expected and name.startswith(EARLIER)]
            latest = [name for name in expected if name.startswith(EARLIER[0])]
            expected_here = {name: digest for name, digest in expected.items() if name not in latest}
            expected_here |= {name: digests[name] for name in earlier}
            if find_latest_snapshot(project, "one") != f"0002-{Path(latest[0]).stem.partition('-')[2]}":
                differences.append(f"round {number}: the latest snapshot is {find_latest_snapshot(project, 'one')}")
        different = {name for name in {*digests, *expected_here} if digests.get(name) != expected_here.get(name)}
        if code or different:
            differences.append(f"round {number}: exit code {code}, other bytes in {sorted(different)}")
        shutil.rmtree(project.root)
    return killed, differences


def warm_up() -> None:
    """Import the modules that each forked child would import."""
    for name in ("pandas", "pyarrow.csv", "pyarrow.parquet", "rapidfuzz.process", "spacy.matcher", "jinja2"):
        importlib.import_module(name)

    load_spacy("en")


def main() -> None:
    """Run all campaigns, and print the differences; exit with 1 if there are any."""
    kills, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    warm_up()
    # The sentence encoder takes time, and its only file is written as many others are.
    pipeline.align.encoder.load_encoder = lambda language: None
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        killed, differences = try_kills(kills, seed, Path(folder))
        summary = f"{kills} runs, {killed} kills"
        with suppress(PermissionError):
            for name, campaign in (("a denied folder", try_denials), ("a full disk", try_small_disks)):
                failed, more = campaign(kills // 5, seed, Path(folder) / name.replace(" ", "-"))
                summary += f"; {kills // 5} runs, {failed} failed for {name}"
                differences += more
    sys.stdout.write(f"{summary}; {len(differences)} differences, {time.monotonic() - began:.0f} s\n")
    sys.stdout.write("".join(f"{line}\n" for line in differences))
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
