"""Feed the list reader hostile documents: count them, time them, and name the slowest per kilobyte.

    python -m benchmarks.fuzz_lists [--inputs 20000] [--seed 0]

Each input must give a list or an InputError of one line. Small documents are put together at random from the parts of
real pages and of markup; then come single lines of 1 MB that would catch a pattern which backtracks.
"""

import argparse
import random
import time

from pipeline.core.errors import InputError
from pipeline.feature_lists.load import parse_episodes

PARTS = (
    "Sort by date", " | ", "v4.10", "#500111", "# 500111", "(500111)", "ID 500111", "2:04", "1:02:07", "[2:04]",
    "\t", " - ", " – ", "•", "· ", "\n", "\n\n", "\r\n", "Highlights:", "Full Feature review:", "Episode 12",
    "Watch Now: x", "see #45", "“", "’", "\u00a0", "\u200b", "\ufeff", "\x1b[31m", "\x00", "<p>", "</p>",
    "<table><tr><td>", "<!--", "&#8217;", "```", "|--|--|", "[a](b)", "![", "**", "- ", "1. ", "> ", '"', ",", ";",
    "{", "}", "[", "]", ":", "9" * 40, "title", "id", "check out x.io", "By Ann", "2026-11-02", "20 min read",
    "a" * 200, "é", "日本語", "🎧",
)  # fmt: skip
SUFFIXES = (".txt", ".md", ".html", ".csv", ".tsv", ".json")
UNITS = (
    "a", " ", "(", "[", "#", "v1.", "1.", "1:", "11:11 ", "#11111 ", "(11111) ", "| ", "\t", "- ", "check out ",
    "by A ", "Episode ", "<", "<a", "&", "*", "_", "`", "![", "](", '"', ",", "\\", "{", "v4.10 #500111 | ", "¶",
    "\u200b", "id ",
)  # fmt: skip


def read(content: bytes, suffix: str) -> tuple[str, float]:
    """Return what came of one document, and the seconds it took."""
    began = time.perf_counter()
    try:
        parse_episodes(content, suffix)
        outcome = "list"
    except InputError as error:
        outcome = "refused"
        if "\n" in str(error):
            raise RuntimeError(f"{content[:200]!r} gives a message of several lines: {error}") from error
    return outcome, time.perf_counter() - began


def main() -> None:
    """Print how many documents there were, what came of them, and the slowest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    chance = random.Random(args.seed)
    outcomes = {"list": 0, "refused": 0}
    slowest, longest = (0.0, ""), (0.0, "")
    began = time.perf_counter()
    for _ in range(args.inputs):
        suffix = chance.choice(SUFFIXES)
        content = "".join(chance.choices(PARTS, k=chance.randint(1, 60))).encode()
        outcome, seconds = read(content, suffix)
        outcomes[outcome] += 1
        longest = max(longest, (seconds, f"{suffix} of {len(content)} bytes"))
    print(f"{args.inputs} small documents in {time.perf_counter() - began:.0f} s: {outcomes}; longest {longest}")
    for unit in UNITS:
        content = (unit * (1_000_000 // len(unit))).encode()
        for suffix in SUFFIXES:
            seconds = read(content, suffix)[1]
            slowest = max(slowest, (seconds / (len(content) / 1024) * 1000, f"{unit!r} in {suffix}: {seconds:.2f} s"))
    print(f"{len(UNITS) * len(SUFFIXES)} lines of 1 MB: slowest {slowest[0]:.3f} ms per kilobyte, {slowest[1]}")


if __name__ == "__main__":
    main()
