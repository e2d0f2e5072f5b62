"""Measure what the alignment costs: seconds and memory by length of transcript and of feature list.

usage: python -m benchmarks.alignment_cost [--words-only] [--plot FILE]

Each size is measured in its own process, on one core, with invented transcripts and lists. Sentence vectors are
included where the extra `encoder` is installed. `--plot` draws the seconds by length of transcript and of list (extra
`plots`).
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

# Minutes of speech and number of features: a usual episode, the largest one, and steps that change one of the two.
SIZES = ((5, 30), (25, 30), (50, 1), (50, 30), (50, 60), (50, 120), (100, 30), (150, 60), (300, 30), (300, 120))

# Length of a segment, in seconds.
SEGMENT_S = 4.0

# Words of a segment.
SEGMENT_WORDS = 10

# Number of different words.
VOCABULARY = 4000

# Syllables that words are made of.
SYLLABLES = "ba ro ti lu ke mo sa ni do fe gu pi".split()


def invent_words(generator: random.Random) -> list[str]:
    """Return made-up words, from the most frequent to the rarest."""
    return ["".join(generator.choices(SYLLABLES, k=generator.randint(2, 4))) for _ in range(VOCABULARY)]


def invent_episode(minutes: int, count: int) -> tuple[Transcript, list[Feature]]:
    """Return a transcript that discusses `count` features in list order, and the list."""
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
        spoken = generator.choices(words, weights, k=SEGMENT_WORDS - 2)
        spoken += generator.choices(f"{own.title} {own.description}".lower().rstrip(".").split(), k=2)
        text = " ".join(spoken).capitalize() + "."
        segments.append(Segment(index * SEGMENT_S, (index + 1) * SEGMENT_S - 0.2, text))
    return Transcript(tuple(segments), "en"), features


def measure(minutes: int, count: int, words_only: bool) -> dict[str, float]:
    """Return the seconds for imports, sentence vectors and alignment, and the peak memory in MB."""
    transcript, features = invent_episode(minutes, count)
    begun = time.perf_counter()
    from pipeline.align.aligner import align
    from pipeline.align.embeddings import encode_units
    from pipeline.align.encoder import load_encoder
    from pipeline.align.units import split_units

    # A short alignment loads everything that is loaded once, spaCy above all.
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
    """Write a picture of the seconds by minutes of speech at 30 features, and by features at 50 minutes."""
    import matplotlib as mpl

    mpl.use("svg")
    # Equal measurements make equal files.
    mpl.rcParams["svg.hashsalt"] = "alignment"
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, 2, figsize=(9.0, 3.4), layout="constrained")
    fixed_sizes = {"minutes": ("features", 30), "features": ("minutes", 50)}
    for panel, (varied, (fixed, size)) in zip(panels, fixed_sizes.items(), strict=True):
        points = sorted((row for row in rows if row[fixed] == size), key=lambda row: row[varied])
        for column, label in (("vectors", "sentence vectors, made once"), ("align", "alignment")):
            panel.plot([row[varied] for row in points], [row[column] for row in points], marker="o", label=label)
        panel.set(xlabel=f"{varied} ({size} {fixed})", ylabel="seconds", xlim=(0, None), ylim=(0, None))
        panel.grid(alpha=0.3)
    panels[0].legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Print a table with a row for each size; with the hidden option `--one`, measure one size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--words-only", action="store_true", help="align without sentence vectors")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="write a picture of the seconds (.svg)")
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
        figures = json.loads(subprocess.run(command, env=one_core, check=True, capture_output=True, text=True).stdout)
        rows.append({"minutes": minutes, "features": count, **figures})
        print(
            f"{minutes:8} {count:8} {figures['load']:8.2f} {figures['vectors']:10.2f} {figures['align']:8.2f} "
            f"{figures['memory']:10.0f}",
            flush=True,
        )
    if arguments.plot:
        draw_growth(rows, arguments.plot)


if __name__ == "__main__":
    main()
