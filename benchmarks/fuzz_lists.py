"""Parse hostile documents: count the outcomes, measure the times, and name the slowest document per kilobyte.

    python -m benchmarks.fuzz_lists [--inputs 20000] [--seed 0]

Each document must give a list or an InputError with a message of one line. The small documents are random parts of real
pages and of markup; the lines of 1 MB reveal patterns that backtrack.
"""

import argparse
import random
import time

from pipeline.core.errors import InputError
from pipeline.feature_lists.load import parse_episodes

# The parts of a small document.
PARTS = (
    "Sort by date", " | ", "v4.10", "#500111", "# 500111", "(500111)", "ID 500111", "2:04", "1:02:07", "[2:04]",
    "\t", " - ", " – ", "•", "· ", "\n", "\n\n", "\r\n", "Highlights:", "Full Feature review:", "Episode 12",
    "Watch Now: x", "see #45", "“", "’", "\u00a0", "\u200b", "\ufeff", "\x1b[31m", "\x00", "<p>", "</p>",
    "<table><tr><td>", "<!--", "&#8217;", "```", "|--|--|", "[a](b)", "![", "**", "- ", "1. ", "> ", '"', ",", ";",
    "{", "}", "[", "]", ":", "9" * 40, "title", "id", "check out x.io", "By Ann", "2026-11-02", "20 min read",
    "a" * 200, "é", "日本語", "🎧",
)  # fmt: skip
# The most parts of a small document.
MAX_PARTS = 60
SUFFIXES = (".txt", ".md", ".html", ".csv", ".tsv", ".json")
# The texts that fill a long line, one text a line.
UNITS = (
    "a", " ", "(", "[", "#", "v1.", "1.", "1:", "11:11 ", "#11111 ", "(11111) ", "| ", "\t", "- ", "check out ",
    "by A ", "Episode ", "<", "<a", "&", "*", "_", "`", "![", "](", '"', ",", "\\", "{", "v4.10 #500111 | ", "¶",
    "\u200b", "id ",
)  # fmt: skip
# The length of a long line, in characters.
LONG_LINE = 1_000_000


def parse(content: bytes, suffix: str) -> tuple[str, float]:
    """Return the outcome for a document, `list` or `refused`, and the seconds it took."""
    start = time.perf_counter()
    try:
        parse_episodes(content, suffix)
        outcome = "list"
    except InputError as error:
        outcome = "refused"
        if "\n" in str(error):
            raise RuntimeError(f"{content[:200]!r} gives a message of several lines: {error}") from error
    return outcome, time.perf_counter() - start


def parse_small_documents(count: int, seed: int) -> None:
    """Parse random documents, and print the outcomes and the longest time."""
    generator = random.Random(seed)
    outcomes = {"list": 0, "refused": 0}
    longest = (0.0, "")
    start = time.perf_counter()
    for _ in range(count):
        suffix = generator.choice(SUFFIXES)
        content = "".join(generator.choices(PARTS, k=generator.randint(1, MAX_PARTS))).encode()
        outcome, seconds = parse(content, suffix)
        outcomes[outcome] += 1
        longest = max(longest, (seconds, f"{suffix} of {len(content)} bytes"))
    print(f"{count} small documents in {time.perf_counter() - start:.0f} s: {outcomes}; longest {longest}")


def parse_long_lines() -> None:
    """Parse long lines, and print the slowest per kilobyte."""
    slowest = (0.0, "")
    for unit in UNITS:
        content = (unit * (LONG_LINE // len(unit))).encode()
        for suffix in SUFFIXES:
            seconds = parse(content, suffix)[1]
            slowest = max(slowest, (seconds / (len(content) / 1024) * 1000, f"{unit!r} in {suffix}: {seconds:.2f} s"))
    print(f"{len(UNITS) * len(SUFFIXES)} lines of 1 MB: slowest {slowest[0]:.3f} ms per kilobyte, {slowest[1]}")


def main() -> None:
    """Parse the small documents and the long lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=20_000, help="the number of small documents")
    parser.add_argument("--seed", type=int, default=0, help="the seed of the small documents")
    args = parser.parse_args()
    parse_small_documents(args.inputs, args.seed)
    parse_long_lines()


if __name__ == "__main__":
    main()
