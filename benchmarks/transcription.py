"""Compare this project's transcription with single calls of faster-whisper: speed, word errors, times of turns.

python -m benchmarks.transcription AUDIO TURNS.json [--model base] [--rounds 3] [--only NAME ...] [--glossary NAME ...]

TURNS.json holds what is truly said: {"turns": [{"start_s", "end_s", "text"}, ...]}. Each way of transcribing runs in a
process of its own, all of them in each round in turn, so that a machine whose speed drifts is fair to all; the table
gives medians, and each speed as a ratio to the best single call. Needs the dependency group `bench`.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from itertools import accumulate
from pathlib import Path

import numpy as np
from rapidfuzz.distance import Levenshtein

from pipeline.transcribe.cpu_tuning import count_cores, has_wide_registers, use_wide_registers
from pipeline.transcribe.models import find_model
from pipeline.transcribe.transcriber import WhisperTranscriber

OURS, DEFAULT = "episode-catalog", "faster-whisper as it comes"
# (start of a word in seconds, the word)
Timed = list[tuple[float, str]]


def ours(audio: str, model: str, glossary: list[str]) -> Callable[[], Timed]:
    """This project, with its model loaded beforehand like the others."""
    transcriber = WhisperTranscriber(model, Path(), offline=True, glossary=glossary)
    transcriber._load()

    def call() -> Timed:
        transcript = transcriber.transcribe(Path(audio), language="en", on_progress=lambda *_: None)
        return [(word.start, word.word) for segment in transcript.trusted for word in segment.words]

    return call


def single(audio: str, model: str, *, threads: int, batch: int = 0, plain: bool = False) -> Callable[[], Timed]:
    """One call of faster-whisper: sequential, or batched where `batch`; `plain` leaves everything at its default."""
    from faster_whisper import BatchedInferencePipeline, WhisperModel

    folder = str(find_model(model, root=Path(), offline=True).path)
    if plain:
        loaded = WhisperModel(folder, device="cpu")
        return lambda: [(one.start, one.text) for one in loaded.transcribe(audio)[0]]
    loaded = WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=threads)
    options = {"language": "en", "beam_size": 5, "word_timestamps": True}
    if batch:
        pipeline = BatchedInferencePipeline(loaded)
        found = lambda: pipeline.transcribe.transcriber(audio, batch_size=batch, **options)[0]  # noqa: E731
    else:
        options |= {"vad_filter": True, "condition_on_previous_text": False}
        found = lambda: loaded.transcribe(audio, **options)[0]  # noqa: E731
    return lambda: [(word.start, word.word) for segment in found() for word in segment.words]


def make(name: str, audio: str, model: str, glossary: list[str]) -> Callable[[], Timed]:
    """Return the call that `name` stands for, its model loaded."""
    if name == OURS:
        return ours(audio, model, glossary)
    if name == DEFAULT:
        return single(audio, model, threads=0, plain=True)
    kind, threads, wide = re.fullmatch(r"(sequential|batch \d+), (\d+) threads?(, AVX-512)?", name).groups()
    if wide:
        use_wide_registers()
    return single(audio, model, threads=int(threads), batch=int(kind[6:] or 0) if kind.startswith("batch") else 0)


def names_of_ways() -> list[str]:
    """The ways to transcribe, ours first."""
    cores = count_cores()
    hand_tuned = [f"{kind}, {cores} threads" for kind in ("sequential", "batch 4", "batch 8", "batch 16")]
    # As nobody tunes it who does not read CTranslate2's list of environment variables.
    widened = [f"{way}, AVX-512" for way in hand_tuned[:2] if has_wide_registers()]
    return [OURS, "sequential, 1 thread", *hand_tuned, *widened, DEFAULT]


def words_of(text: str) -> list[str]:
    """Words to compare, by Whisper's own rules of what counts as the same."""
    from whisper_normalizer.english import EnglishTextNormalizer

    return str(EnglishTextNormalizer()(text)).split()


def judge(words: Timed, turns: list[dict[str, object]]) -> dict[str, float]:
    """Word error rate in percent, and seconds between the true and the found start of turns."""
    said, heard = words_of(" ".join(str(turn["text"]) for turn in turns)), words_of("".join(word for _, word in words))
    spoken = [_tokens(str(turn["text"])) for turn in turns]
    starts = (float(str(turn["start_s"])) for turn in turns)
    firsts = dict(zip(accumulate(map(len, spoken), initial=0), starts, strict=False))
    found = [(start, token) for start, word in words for token in _tokens(word)]
    blocks = Levenshtein.opcodes([token for turn in spoken for token in turn], [token for _, token in found])
    errors = [
        abs(found[block.dest_start + index - block.src_start][0] - firsts[index])
        for block in blocks
        if block.tag == "equal"
        for index in range(block.src_start, block.src_end)
        if index in firsts
    ]
    return {
        "word errors %": 100 * Levenshtein.distance(said, heard) / len(said),
        "turn median s": float(np.median(errors)),
        "turn 99 % s": float(np.quantile(errors, 0.99)),
        "turns": len(errors),
    }


def _tokens(text: str) -> list[str]:
    return re.findall(r"[a-z0-9']+", text.lower())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("audio")
    parser.add_argument("turns", type=Path)
    parser.add_argument("--model", default="base")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=names_of_ways(), default=names_of_ways())
    parser.add_argument("--glossary", nargs="*", default=[])
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        call = make(arguments.one, arguments.audio, arguments.model, arguments.glossary)
        began, before = time.monotonic(), time.process_time()
        words = call()
        print(json.dumps([time.monotonic() - began, time.process_time() - before, words]))
        return
    runs: dict[str, list[list[float]]] = {name: [] for name in arguments.only}
    heard: dict[str, Timed] = {}
    for _ in range(arguments.rounds):
        for name in arguments.only:
            command = [sys.executable, "-m", "benchmarks.transcription", arguments.audio, str(arguments.turns)]
            options = ["--model", arguments.model, "--one", name, "--glossary", *arguments.glossary]
            done = subprocess.run([*command, *options], check=True, capture_output=True, text=True)
            wall, processor, words = json.loads(done.stdout)
            runs[name].append([wall, processor])
            heard[name] = words
            print(f"{name}: {wall:.1f} s", file=sys.stderr, flush=True)
    print_table(runs, heard, json.loads(arguments.turns.read_text(encoding="utf-8"))["turns"])
    for package, name in (("whisper", "openai-whisper"), ("pywhispercpp", "whisper.cpp")):
        reason = "its own weights of this model are not here" if find_spec(package) else "it is not installed"
        print(f"skipped {name}: {reason}")


def print_table(runs: dict[str, list[list[float]]], heard: dict[str, Timed], turns: list[dict[str, object]]) -> None:
    """Print a row for each way: seconds, the speed as a ratio to the best single call, and how right it was."""
    seconds = {name: statistics.median(wall for wall, _ in rounds) for name, rounds in runs.items()}
    singles = [name for name in runs if name not in {OURS, DEFAULT}]
    best = min(singles, key=lambda name: seconds[name], default=next(iter(runs)))
    columns = ["wall s", "processor s", f"speed, {best} = 1", "word errors %", "turn median s", "turn 99 % s", "turns"]
    print(f"| way | {' | '.join(columns)} |\n|{'---|' * (len(columns) + 1)}")
    for name, rounds in runs.items():
        # Round by round, so that a slow round is slow for both.
        ratio = statistics.median(theirs[0] / mine[0] for mine, theirs in zip(rounds, runs[best], strict=True))
        judged = judge(heard[name], turns)
        processor = statistics.median(processor for _, processor in rounds)
        row = [
            f"{seconds[name]:.1f}",
            f"{processor:.1f}",
            f"{ratio:.2f}",
            *(f"{value:.3g}" for value in judged.values()),
        ]
        print(f"| {name} | {' | '.join(row)} |")


if __name__ == "__main__":
    main()
