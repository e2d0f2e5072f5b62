"""Measure what the alignment costs: seconds and memory by length of transcript and of feature list.

usage: python -m benchmarks.alignment_cost [--words-only] [--plot FILE]

Every size is measured in a process of its own, on one core; talk and lists are invented. Sentence vectors count where
the extra `encoder` is installed; `--plot` draws how seconds grow with the talk and with the list (extra `plots`).
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.core.schema import Feature, Segment, Transcript

# Minutes of talk and features: an usual episode, the largest one, and between them one thing growing at a time.
SIZES = ((5, 30), (25, 30), (50, 1), (50, 30), (50, 60), (50, 120), (100, 30), (150, 60), (300, 30), (300, 120))
SEGMENT_S = 4.0
WORDS_A_SEGMENT = 10
VOCABULARY = 4000
SYLLABLES = "ba ro ti lu ke mo sa ni do fe gu pi".split()


def invent_words(generator: random.Random) -> list[str]:
    """Return made-up words; the first are said most."""
    return ["".join(generator.choices(SYLLABLES, k=generator.randint(2, 4))) for _ in range(VOCABULARY)]


def invent_episode(minutes: int, count: int) -> tuple[Transcript, list[Feature]]:
    """Return talk about `count` features, one after the other, and their list."""
    generator = random.Random(minutes * 1000 + count)
    words = invent_words(generator)
    weights = [1.0 / (rank + 3) for rank in range(VOCABULARY)]
    features = [
        Feature(
            number + 1,
            " ".join(generator.sample(words[100:], 7)).capitalize(),
            " ".join(generator.sample(words[100:], 15)).capitalize() + ".",
            700_100 + 7 * number,
        )
        for number in range(count)
    ]
    total = int(minutes * 60 / SEGMENT_S)
    segments = []
    for index in range(total):
        own = features[index * count // total]
        said = generator.choices(words, weights, k=WORDS_A_SEGMENT - 2)
        said += generator.choices(f"{own.title} {own.description}".lower().rstrip(".").split(), k=2)
        text = " ".join(said).capitalize() + "."
        segments.append(Segment(index * SEGMENT_S, (index + 1) * SEGMENT_S - 0.2, text))
    return Transcript(tuple(segments), "en"), features


def measure(minutes: int, count: int, words_only: bool) -> dict[str, float]:
    """Return seconds for imports, sentence vectors and alignment, and the largest memory in MB."""
    transcript, features = invent_episode(minutes, count)
    begun = time.perf_counter()
    from pipeline.align.aligner import align
    from pipeline.align.embeddings import encode_units
    from pipeline.align.encoder import load_encoder
    from pipeline.align.units import split_units

    # What is loaded once, spaCy above all, is told apart from the work.
    align(Transcript(transcript.segments[:5], "en"), features[:1])
    loaded = time.perf_counter()
    encoder = None if words_only else load_encoder("en")
    vectors = encode_units(split_units(transcript), encoder) if encoder else None
    encoded = time.perf_counter()
    align(transcript, features, encoder=encoder, vectors=vectors)
    ended = time.perf_counter()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"load": loaded - begun, "vectors": encoded - loaded, "align": ended - encoded, "memory": memory}


def draw_growth(rows: Sequence[Mapping[str, float]], path: Path) -> None:
    """Write a picture of the seconds by minutes of talk at 30 features, and by features at 50 minutes."""
    import matplotlib as mpl

    mpl.use("svg")
    # Equal measurements make equal files.
    mpl.rcParams["svg.hashsalt"] = "alignment"
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, 2, figsize=(9.0, 3.4), layout="constrained")
    shared = {"minutes": ("features", 30), "features": ("minutes", 50)}
    for panel, (grows, (stays, size)) in zip(panels, shared.items(), strict=True):
        chosen = sorted((row for row in rows if row[stays] == size), key=lambda row: row[grows])
        for column, label in (("vectors", "sentence vectors, made once"), ("align", "alignment")):
            panel.plot([row[grows] for row in chosen], [row[column] for row in chosen], marker="o", label=label)
        panel.set(xlabel=f"{grows} ({size} {stays})", ylabel="seconds", xlim=(0, None), ylim=(0, None))
        panel.grid(alpha=0.3)
    panels[0].legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Print the table, or measure one size for it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--words-only", action="store_true", help="leave sentence vectors out")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="write a picture (.svg) of how the seconds grow")
    parser.add_argument("--one", nargs=2, type=int, metavar=("MINUTES", "FEATURES"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(*arguments.one, arguments.words_only)))
        return
    print(f"{'minutes':>8} {'features':>8} {'load s':>8} {'vectors s':>10} {'align s':>8} {'memory MB':>10}")
    rows = []
    for minutes, count in SIZES:
        command = [sys.executable, "-m", "benchmarks.alignment_cost", "--one", str(minutes), str(count)]
        command += ["--words-only"] if arguments.words_only else []
        one_core = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        answer = json.loads(subprocess.run(command, env=one_core, check=True, capture_output=True, text=True).stdout)
        rows.append({"minutes": minutes, "features": count, **answer})
        print(
            f"{minutes:8} {count:8} {answer['load']:8.2f} {answer['vectors']:10.2f} {answer['align']:8.2f} "
            f"{answer['memory']:10.0f}",
            flush=True,
        )
    if arguments.plot:
        draw_growth(rows, arguments.plot)


if __name__ == "__main__":
    main()
