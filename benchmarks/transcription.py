"""Compare this project's transcription with single calls of faster-whisper: speed, word errors, turn starts.

python -m benchmarks.transcription AUDIO TURNS.json [--model base] [--rounds 3] [--only NAME ...] [--glossary NAME ...]

TURNS.json is the reference transcript: {"turns": [{"start_s", "end_s", "text"}, ...]}. Each method runs in a process of
its own. Each round runs all methods in turn, so that a drift of the machine's speed affects all of them. The table
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

from pipeline.transcribe.cpu_tuning import count_cores, enable_avx512, has_fast_avx512
from pipeline.transcribe.models import find_model
from pipeline.transcribe.transcriber import WhisperTranscriber

# This project's method.
OURS = "episode-catalog"

# faster-whisper with all options at their defaults.
DEFAULT = "faster-whisper with defaults"

# (start of a word in seconds, the word)
TimedWords = list[tuple[float, str]]


def ours(audio: str, model: str, glossary: list[str]) -> Callable[[], TimedWords]:
    """Return a call of this project's transcriber, with its model loaded."""
    transcriber = WhisperTranscriber(model, Path(), offline=True, glossary=glossary)
    transcriber.load_model()

    def call() -> TimedWords:
        transcript = transcriber.transcribe(Path(audio), language="en", on_progress=lambda *_: None)
        return [(word.start, word.word) for segment in transcript.trusted for word in segment.words]

    return call


def single(audio: str, model: str, *, threads: int, batch: int = 0, defaults: bool = False) -> Callable[[], TimedWords]:
    """Return one call of faster-whisper, with its model loaded.

    `batch` is the number of windows decoded at once, 0 for sequential decoding. `defaults` leaves all options alone.
    """
    from faster_whisper import BatchedInferencePipeline, WhisperModel

    folder = str(find_model(model, root=Path(), offline=True).path)
    if defaults:
        loaded = WhisperModel(folder, device="cpu")
        return lambda: [(segment.start, segment.text) for segment in loaded.transcribe(audio)[0]]
    loaded = WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=threads)
    options = {"language": "en", "beam_size": 5, "word_timestamps": True}
    if batch:
        batched = BatchedInferencePipeline(loaded)
        segments = lambda: batched.transcribe(audio, batch_size=batch, **options)[0]  # noqa: E731
    else:
        options |= {"vad_filter": True, "condition_on_previous_text": False}
        segments = lambda: loaded.transcribe(audio, **options)[0]  # noqa: E731
    return lambda: [(word.start, word.word) for segment in segments() for word in segment.words]


def make(name: str, audio: str, model: str, glossary: list[str]) -> Callable[[], TimedWords]:
    """Return the call of the method `name`, with its model loaded."""
    if name == OURS:
        return ours(audio, model, glossary)
    if name == DEFAULT:
        return single(audio, model, threads=0, defaults=True)
    kind, threads, avx512 = re.fullmatch(r"(sequential|batch \d+), (\d+) threads?(, AVX-512)?", name).groups()
    if avx512:
        enable_avx512()
    return single(audio, model, threads=int(threads), batch=int(kind[6:] or 0) if kind.startswith("batch") else 0)


def list_methods() -> list[str]:
    """Return the names of the methods, this project's first."""
    cores = count_cores()
    hand_tuned = [f"{kind}, {cores} threads" for kind in ("sequential", "batch 4", "batch 8", "batch 16")]
    # Only an environment variable of CTranslate2 enables this.
    with_avx512 = [f"{method}, AVX-512" for method in hand_tuned[:2] if has_fast_avx512()]
    return [OURS, "sequential, 1 thread", *hand_tuned, *with_avx512, DEFAULT]


def words_of(text: str) -> list[str]:
    """Return the words of a text in Whisper's own normalization for comparisons."""
    from whisper_normalizer.english import EnglishTextNormalizer

    return str(EnglishTextNormalizer()(text)).split()


def score(words: TimedWords, turns: list[dict[str, object]]) -> dict[str, float]:
    """Return the word error rate in percent, and the errors of the starts of turns in seconds."""
    reference = words_of(" ".join(str(turn["text"]) for turn in turns))
    hypothesis = words_of("".join(word for _, word in words))
    turn_tokens = [_tokens(str(turn["text"])) for turn in turns]
    starts = (float(str(turn["start_s"])) for turn in turns)
    # The true start of each turn, by the index of its first token.
    firsts = dict(zip(accumulate(map(len, turn_tokens), initial=0), starts, strict=False))
    timed = [(start, token) for start, word in words for token in _tokens(word)]
    blocks = Levenshtein.opcodes([token for tokens in turn_tokens for token in tokens], [token for _, token in timed])
    errors = [
        abs(timed[block.dest_start + index - block.src_start][0] - firsts[index])
        for block in blocks
        if block.tag == "equal"
        for index in range(block.src_start, block.src_end)
        if index in firsts
    ]
    return {
        "word errors %": 100 * Levenshtein.distance(reference, hypothesis) / len(reference),
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
    parser.add_argument("--only", nargs="+", choices=list_methods(), default=list_methods())
    parser.add_argument("--glossary", nargs="*", default=[])
    parser.add_argument("--method", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.method:
        call = make(arguments.method, arguments.audio, arguments.model, arguments.glossary)
        began, before = time.monotonic(), time.process_time()
        words = call()
        print(json.dumps([time.monotonic() - began, time.process_time() - before, words]))
        return
    runs: dict[str, list[list[float]]] = {name: [] for name in arguments.only}
    transcripts: dict[str, TimedWords] = {}
    for _ in range(arguments.rounds):
        for name in arguments.only:
            command = [sys.executable, "-m", "benchmarks.transcription", arguments.audio, str(arguments.turns)]
            options = ["--model", arguments.model, "--method", name, "--glossary", *arguments.glossary]
            done = subprocess.run([*command, *options], check=True, capture_output=True, text=True)
            wall, processor, words = json.loads(done.stdout)
            runs[name].append([wall, processor])
            transcripts[name] = words
            print(f"{name}: {wall:.1f} s", file=sys.stderr, flush=True)
    print_table(runs, transcripts, json.loads(arguments.turns.read_text(encoding="utf-8"))["turns"])
    for package, name in (("whisper", "openai-whisper"), ("pywhispercpp", "whisper.cpp")):
        reason = "its weights of this model are not on this machine" if find_spec(package) else "it is not installed"
        print(f"skipped {name}: {reason}")


def print_table(
    runs: dict[str, list[list[float]]], transcripts: dict[str, TimedWords], turns: list[dict[str, object]]
) -> None:
    """Print a row for each method: seconds, speed as a ratio to the best single call, and accuracy."""
    seconds = {name: statistics.median(wall for wall, _ in rounds) for name, rounds in runs.items()}
    singles = [name for name in runs if name not in {OURS, DEFAULT}]
    best = min(singles, key=lambda name: seconds[name], default=next(iter(runs)))
    columns = ["wall s", "processor s", f"speed, {best} = 1", "word errors %", "turn median s", "turn 99 % s", "turns"]
    print(f"| method | {' | '.join(columns)} |\n|{'---|' * (len(columns) + 1)}")
    for name, rounds in runs.items():
        # Round by round, so that a slow round is slow for both.
        ratio = statistics.median(other[0] / own[0] for own, other in zip(rounds, runs[best], strict=True))
        scores = score(transcripts[name], turns)
        processor = statistics.median(processor for _, processor in rounds)
        row = [
            f"{seconds[name]:.1f}",
            f"{processor:.1f}",
            f"{ratio:.2f}",
            *(f"{value:.3g}" for value in scores.values()),
        ]
        print(f"| {name} | {' | '.join(row)} |")


if __name__ == "__main__":
    main()
