"""Give damaged and hostile files to every reader of the program; count outcomes, and measure time and memory.

    python -m benchmarks.fuzz_inputs [--inputs 100000] [--seed 0] [--only PARSER] [--seconds 280]

An input is a valid sample (fuzz_samples.py) with bytes flipped, removed, repeated or inserted, numbers replaced, or
the encoding changed; or it is a random series of tokens. A reader must return a result, which is then written as the
program writes it, or raise an error of the program with a message of one line. Each input has 2 s of CPU time and 1 GB
of memory beyond the program's own. A reader may write in its own folder only, and may not connect to any host. Readers
run in child processes. Each failure is printed with the number of its input, and `--only PARSER --first NUMBER --inputs
1` repeats that input.
"""

import argparse
import faulthandler
import mmap
import os
import random
import re
import resource
import shutil
import signal
import struct
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pipeline.align.mentions
from benchmarks.fuzz_samples import FEATURES, TRANSCRIPT, make_samples
from pipeline.align.aligner import align
from pipeline.align.corrections import apply_corrections, match_corrections
from pipeline.cli.progress import ConsoleReporter
from pipeline.core.audio.file import read_samples
from pipeline.core.config import load_episode, load_show
from pipeline.core.corrections import load_corrections
from pipeline.core.errors import PipelineError
from pipeline.core.project import Project
from pipeline.core.schema import FeatureList, Transcript
from pipeline.core.serialization import transcript_from_json, transcript_to_json
from pipeline.core.state import StateFile
from pipeline.core.storage import read_record
from pipeline.download.discovery import make_settings
from pipeline.download.feeds import find_entry, is_feed, parse_feed
from pipeline.download.integrity import measure_audio, read_tags
from pipeline.download.record import read_audio
from pipeline.feature_lists.load import load_episodes
from pipeline.feature_lists.writer import dump_features, format_page
from pipeline.publish.dataset import read_rows
from pipeline.publish.subtitles import format_plain, format_srt, format_vtt
from pipeline.publish.tables import read_csv, write_catalog
from pipeline.runs.history import find_run, list_snapshots, read_snapshot
from pipeline.runs.stages.base import parse_alignment
from pipeline.transcribe.transcript_files import load_transcript

Samples = dict[str, list[bytes]]

# The CPU time for one input, in seconds.
SECONDS = 2.0

# The memory that a reader may use beyond the program's own, in bytes.
MEMORY = 1 << 30

# The inputs of one process. Leaks add up over them, and show as memory.
INPUTS_PER_PROCESS = 250

# The percentage of the inputs that each reader gets; slow readers get fewer.
SHARES = {
    "feature list": 20, "transcript": 24, "show": 12, "episode": 14, "corrections": 4, "feed": 16, "audio": 3,
    "our files": 7,
}  # fmt: skip

# Random inputs consist of these, and mutations insert them: parts of valid files, and text that readers failed on.
TOKENS = (
    " | ", "v4.10", "#500111", "16:36", "1:02:07", "99:99", "\t", "- ", "•", "\n", "\n\n", "\r", "Highlights:",
    "Full Feature review:", "Episode 12", "\u202e", "\ufeff", "\x00", "\x1b[2J", "é", "日本語", "=1+1", "'", '"',
    ",", ";", "<p>", "</p>", "<table><tr><td>", "<!--", "]]>", "<![CDATA[", "&#0;", "&lol;", "{", "}", "[", "]", ":",
    "null", "NaN", "true", "1e999", "9" * 40, "1" * 5000, "-1", "0", "&a", "*a", "<<:", "!!python/object:os.system",
    "|", ">", "---", "%YAML 9.9", "title:", "source:", "../../x", "file:///etc/passwd", "javascript:alert(1)",
    "{seconds}", "{seconds:>99999999}", "00:00:01,000 --> 00:00:02,000", "WEBVTT", "-->", "<00:00:01.000>", "NOTE",
    "segments", "start", "words", "\ud800", "a" * 3000, "<rss>", "<item>", "<enclosure url='", "](", "```", "|--|",
    "**", "corrections:", "decision: moved", "feature_id", "download:", "glossary:", "columns:",
)  # fmt: skip


def read_input(parser: str, path: Path, root: Path) -> None:
    """Read a file with the reader of its kind, and use the result as the program does."""
    match parser:
        case "feature list":
            _use_lists(load_episodes(path), root)
        case "transcript":
            _use_transcript(load_transcript(path))
        case "show":
            load_show(path)
        case "episode":
            settings = load_episode(path)
            if settings.link:
                settings.link.format(seconds=5, episode_id="one")
        case "corrections":
            _use_corrections(path)
        case "feed":
            _use_feed(path.read_bytes())
        case "audio":
            read_tags(path)
            measure_audio(path)
            for _ in read_samples(path):
                pass
        case _:
            _read_own(path, root)


def _use_corrections(path: Path) -> None:
    """Match corrections to a list, align with them, and describe the unused ones."""
    matches = match_corrections(load_corrections(path), FEATURES, 60.0)
    _, unused = apply_corrections(align(TRANSCRIPT, FEATURES, anchors=matches.anchors()), matches)
    for correction in unused:
        correction.describe()


def _use_lists(lists: tuple[FeatureList, ...], root: Path) -> None:
    for feature_list in lists:
        for suffix in (".csv", ".json", ".txt"):
            written = root / f"again{suffix}"
            written.write_bytes(dump_features(feature_list.features, suffix).encode())
        format_page(feature_list.features).encode()
        # The alignment takes longer than any reader, so only every fourth list is aligned.
        if len(feature_list.features) < 50 and int(feature_list.sha256 or "0", 16) % 4 == 0:
            align(TRANSCRIPT, feature_list.features)


def _use_transcript(transcript: Transcript) -> None:
    for write in (format_srt, format_vtt, format_plain):
        write(transcript).encode()
    if sum(map(len, (segment.text for segment in transcript.segments))) < 20_000:
        align(transcript, FEATURES)
    transcript_from_json(transcript_to_json(transcript))


def _use_feed(content: bytes) -> None:
    is_feed(content)
    entries = parse_feed(content, "https://example.org/feed.xml")
    for entry in entries:
        entry.metadata.to_json()
        make_settings("one", "https://example.org/feed.xml", entry.metadata.entry, entry.metadata, "list.txt")
    for selector in ("1", "kite-3", "kites"):
        with suppress(PipelineError):
            find_entry(entries, selector, "the feed")


def _read_own(path: Path, root: Path) -> None:
    """Read a file that the program wrote below data/, by the reader that its ending chooses."""
    project = Project(root / "show")
    match path.name.partition(".")[2]:
        case "parquet":
            rows = read_rows(path.parent)
            write_catalog(next(iter(rows.values()), ()), root / "again.csv")
        case "catalog.csv":
            read_csv(path)
        case "history.json":
            target = project.history / "one" / "0001-000000000000.json"
            _place(path, target)
            for snapshot in list_snapshots(project, "one"):
                read_snapshot(project, "one", snapshot)
        case "state.json":
            record = StateFile.load(path, root)
            for stage in ("publish", *record.stages):
                record.find_reason(stage, {"alignment": "1"}, [path])
        case "alignment.json":
            read_record(path, parse_alignment)
        case "transcript.json":
            _use_transcript(read_record(path, transcript_from_json))
        case "audio.json":
            _place(path, root / "raw" / "audio.json")
            read_audio(root / "raw")
        case _:
            _place(path, project.runs / "0001-20261102T100000Z.json")
            find_run(project, "1")


def _place(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(path.read_bytes())


def make_input(samples: Samples, chance: random.Random) -> tuple[str, bytes]:
    """Return the ending and the content of a random input."""
    suffix = chance.choice(sorted(samples))
    content = chance.choice(samples[suffix])
    if chance.random() < 0.15:
        content = "".join(chance.choices(TOKENS, k=chance.randint(0, 60))).encode("utf-8", "surrogatepass")
    for _ in range(chance.choice((0, 1, 1, 2, 3, 8))):
        content = chance.choice(MUTATIONS)(content, chance)
    if chance.random() < 0.05:
        content = content.decode("utf-8", "replace").encode(
            chance.choice(("utf-16", "utf-8-sig", "latin-1")), "replace"
        )
    return suffix, content[: 1 << 20]


def _flip(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content or b"x")
    for _ in range(chance.randint(1, 4)):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _cut(content: bytes, chance: random.Random) -> bytes:
    begin, end = sorted(chance.randint(0, len(content)) for _ in range(2))
    return content[:begin] + (content[end:] if chance.random() < 0.6 else b"")


def _double(content: bytes, chance: random.Random) -> bytes:
    begin, end = sorted(chance.randint(0, len(content)) for _ in range(2))
    times = chance.choice((2, 3, 50)) if end - begin < 5000 else 2
    return content[:begin] + content[begin:end] * times + content[end:]


def _insert(content: bytes, chance: random.Random) -> bytes:
    at = chance.randint(0, len(content))
    token = chance.choice(TOKENS).encode("utf-8", "surrogatepass")
    return content[:at] + token * chance.choice((1, 1, 1, 300)) + content[at:]


def _renumber(content: bytes, chance: random.Random) -> bytes:
    numbers = list(re.finditer(rb"\d+", content[:20_000]))
    if not numbers:
        return content
    match = chance.choice(numbers)
    number = chance.choice(
        (b"0", b"-1", b"99999999999999999999", b"1e400", b"NaN", b"2147483648", b"", b"0.1", b"9" * 5000)
    )
    return content[: match.start()] + number + content[match.end() :]


def _noise(content: bytes, chance: random.Random) -> bytes:
    at = chance.randint(0, len(content))
    return content[:at] + chance.randbytes(chance.randint(1, 40)) + content[at:]


MUTATIONS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _flip,
    _flip,
    _cut,
    _double,
    _insert,
    _renumber,
    _noise,
)


@dataclass
class Tally:
    """The outcomes of one reader's inputs.

    Attributes:
        outcomes: the number of inputs that were `read`, `refused` or `failed`.
        failures: one line for each failed input.
        slowest: the longest time, in seconds.
        peak: the largest memory of a process, in bytes.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest: float = 0.0
    peak: int = 0


class Watch:
    """An audit hook that keeps the last forbidden event in `wrong`: a connection, or a write outside a folder."""

    def __init__(self, root: Path) -> None:
        self.root, self.wrong = str(root.resolve()), ""
        sys.addaudithook(self)

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        """Check an event before it happens."""
        if event in {"socket.connect", "subprocess.Popen", "os.system"}:
            self.wrong = f"{event} {arguments}"
            return
        changes = event in {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link", "os.truncate"}
        if event == "open":
            flags = arguments[2] if isinstance(arguments[2], int) else 0
            changes = bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
        if changes and isinstance(arguments[0], str | bytes | Path):
            path = os.path.realpath(os.fsdecode(arguments[0]))
            if not path.startswith((self.root, os.devnull)):
                self.wrong = f"{event} {arguments}"


def work(parser: str, samples: Samples, seed: int, numbers: range, root: Path, out: int, shared: mmap.mmap) -> None:
    """Read inputs one after the other; write a line about each to the pipe `out`, and its number to `shared` before."""
    os.chdir(root)
    used = int(re.search(r"VmData:\s+(\d+)", Path("/proc/self/status").read_text())[1]) << 10  # type: ignore[index]
    resource.setrlimit(resource.RLIMIT_DATA, (used + MEMORY, used + MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    faulthandler.disable()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    watch, reporter = Watch(root), ConsoleReporter(quiet=True)
    for number in numbers:
        suffix, content = make_input(samples, random.Random(f"{seed} {parser} {number}"))
        path = root / f"input{suffix}"
        path.write_bytes(content)
        shared[:8] = struct.pack("q", number)
        watch.wrong, began = "", time.process_time()
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        try:
            read_input(parser, path, root)
            outcome, problem = "read", ""
        except PipelineError as error:
            outcome, problem = "refused", "several lines: " + str(error)[:200] if "\n" in str(error) else ""
            reporter.fail(str(error))
        except BaseException:
            outcome, problem = "failed", traceback.format_exc()[-700:]
        signal.setitimer(signal.ITIMER_PROF, 0)
        problem = problem or watch.wrong
        took = time.process_time() - began
        os.write(out, f"{'failed' if problem else outcome} {number} {suffix} {took:.4f} {problem!r}\n".encode())
        path.unlink()


def fuzz(parser: str, samples: Samples, numbers: range, seed: int = 0, until: float = float("inf")) -> Tally:
    """Read the inputs of these numbers; an input that kills its process is a failure, and the next one follows."""
    first, last = numbers.start, numbers.stop
    tally, shared = Tally(), mmap.mmap(-1, 8)
    while first < last and time.monotonic() < until:
        reading, writing = os.pipe()
        folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
        child = os.fork()
        if child == 0:
            numbers_here = range(first, min(last, first + INPUTS_PER_PROCESS))
            try:
                work(parser, samples, seed, numbers_here, folder, writing, shared)
            finally:
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                outcome, number, suffix, took, problem = line.rstrip("\n").split(" ", 4)
                tally.outcomes[outcome] += 1
                tally.slowest = max(tally.slowest, float(took))
                if outcome == "failed":
                    tally.failures.append(f"{parser} {number} {suffix}: {problem}")
                first = int(number) + 1
        _, status, usage = os.wait4(child, 0)
        shutil.rmtree(folder)
        tally.peak = max(tally.peak, usage.ru_maxrss << 10)
        if os.WIFSIGNALED(status):
            first = struct.unpack("q", shared[:8])[0]
            tally.outcomes["failed"] += 1
            signaled = os.WTERMSIG(status)
            tally.failures.append(f"{parser} {first}: ended by signal {signaled} (27: {SECONDS:g} s are over)")
            first += 1
    return tally


def warm_up(samples: dict[str, Samples]) -> None:
    """Read each sample once, so that the child processes need not import the readers' modules."""
    # Making a tokenizer takes a hundred times as long as reading a list.
    pipeline.align.mentions.load_spacy = cache(pipeline.align.mentions.load_spacy)
    with tempfile.TemporaryDirectory() as folder:
        for parser, kinds in samples.items():
            for suffix, contents in kinds.items():
                path = Path(folder) / f"input{suffix}"
                for content in contents:
                    path.write_bytes(content)
                    with suppress(PipelineError):
                        read_input(parser, path, Path(folder))
                path.unlink()


def main() -> None:
    """Print a line for each reader: inputs, outcomes, longest time and largest memory; exit with 1 after a failure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=100_000, help="the number of inputs, of all readers or of --only")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=sorted(SHARES))
    parser.add_argument("--seconds", type=float, default=float("inf"))
    args = parser.parse_args()
    samples = make_samples()
    warm_up(samples)
    began, failures, done = time.monotonic(), 0, 0
    for name, share in SHARES.items():
        if args.only not in {None, name}:
            continue
        count = args.inputs if args.only else args.inputs * share // 100
        # Each reader gets the same share of the time as of the inputs.
        done += share
        until = began + args.seconds * (1.0 if args.only else done / 100)
        tally = fuzz(name, samples[name], range(args.first, args.first + count), args.seed, until)
        counts = ", ".join(f"{tally.outcomes[outcome]} {outcome}" for outcome in ("read", "refused", "failed"))
        total, peak = sum(tally.outcomes.values()), tally.peak >> 20
        print(f"{name}: {total} inputs, {counts}; slowest {tally.slowest:.2f} s, peak {peak} MB", flush=True)
        failures += len(tally.failures)
        for failure in tally.failures[:10]:
            print(f"   {failure}")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
