"""Score the alignment on episodes whose starts are known, beside the obvious baseline.

usage: python -m benchmarks.grounding [FOLDER...] [--written] [--vectors FOLDER] [--held-out] [--baseline] [--swap]
           [--each] [--reliability] [--misses]

`--held-out` refits the constants for every show without it (spoken episodes: without the episode), which is what
counts for shows nobody has seen; otherwise the constants that come with the package are scored. `--vectors` lets
sentence vectors count (extra `encoder`) and says where they are kept. `--written` adds the walkthroughs beside this
file, from which only what is absent is learnt.
"""

import argparse
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.episodes import SPOKEN, KnownEpisode, load_episodes, swap_halves
from benchmarks.walkthroughs import WRITTEN, load_walkthroughs
from pipeline.align.aligner import align
from pipeline.align.decision import decide_placements
from pipeline.align.encoder import load_encoder
from pipeline.align.inference import infer_posterior
from pipeline.align.weights import parse_weights
from pipeline.core.schema import Alignment, Status
from pipeline.runs.vector_cache import VectorCache

TOLERANCES = (3.0, 5.0, 10.0, 30.0)
RIGHT_S = 30.0
ROUNDS = 1000
BINS = 10

Change = Callable[[KnownEpisode], KnownEpisode]


@dataclass(frozen=True, slots=True)
class Guess:
    """What an aligner said of one feature; `truth` and `start` are not-a-number where there is none."""

    episode: str
    truth: float
    start: float
    confidence: float
    confident: bool
    alternatives: tuple[float, ...] = ()


def guess_starts(known: KnownEpisode, alignment: Alignment) -> list[Guess]:
    """Return the placements of an episode beside the truth."""
    return [
        Guess(
            episode=f"{known.show}/{known.name}",
            truth=np.nan if truth is None else truth,
            start=np.nan if placement.start is None else placement.start,
            confidence=placement.confidence,
            confident=placement.status is Status.CONFIDENT,
            alternatives=placement.alternatives,
        )
        for truth, placement in zip(known.truth, alignment.placements, strict=True)
    ]


def measure_recall(guesses: Sequence[Guess], tolerance: float) -> float:
    """Return the share of discussed features whose start was found within `tolerance` seconds."""
    errors = [abs(guess.start - guess.truth) for guess in guesses if not np.isnan(guess.truth)]
    return sum(error <= tolerance for error in errors) / max(1, len(errors))


def bound_recall(guesses: Sequence[Guess], tolerance: float, seed: int = 0) -> tuple[float, float]:
    """Return a 95 % bootstrap interval of the recall, drawing whole episodes."""
    counts: dict[str, list[int]] = {}
    for guess in guesses:
        if not np.isnan(guess.truth):
            pair = counts.setdefault(guess.episode, [0, 0])
            pair[0] += int(abs(guess.start - guess.truth) <= tolerance)
            pair[1] += 1
    table = np.array(list(counts.values()))
    drawn = np.random.default_rng(seed).integers(0, len(table), (ROUNDS, len(table)))
    hits = table[drawn].sum(axis=1)
    low, high = np.quantile(hits[:, 0] / hits[:, 1], [0.025, 0.975])
    return float(low), float(high)


def measure_calibration(guesses: Sequence[Guess]) -> float:
    """Return the expected calibration error of all rows, "not discussed" included, in ten even bins."""
    confidence = np.array([guess.confidence for guess in guesses])
    right = np.array([_is_right(guess) for guess in guesses])
    places = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [
        abs(confidence[places == one].mean() - right[places == one].mean()) * (places == one).sum()
        for one in range(BINS)
        if (places == one).any()
    ]
    return float(sum(gaps) / len(guesses))


def _is_right(guess: Guess) -> bool:
    """Tell whether a guess is within 30 s, or rightly leaves its feature out."""
    if np.isnan(guess.start):
        return bool(np.isnan(guess.truth))
    return bool(abs(guess.start - guess.truth) <= RIGHT_S)


def format_row(name: str, guesses: Sequence[Guess]) -> str:
    """Return one line of the table for a show."""
    errors = [abs(one.start - one.truth) for one in guesses if not np.isnan(one.truth)]
    absent = [one for one in guesses if np.isnan(one.truth)]
    confident = [one for one in guesses if one.confident]
    low, high = bound_recall(guesses, 10.0)
    recalls = " ".join(f"{measure_recall(guesses, tolerance):.3f}" for tolerance in TOLERANCES)
    median = float(np.median(np.nan_to_num(errors, nan=np.inf)))
    missed = sum(np.isnan(error) for error in errors)
    precision = sum(map(_is_right, confident)) / len(confident) if confident else np.nan
    return (
        f"{name:28} {len(errors):5} {recalls} [{low:.2f} {high:.2f}] {median:7.1f} {missed:6} "
        f"{sum(not np.isnan(one.start) for one in absent):4}/{len(absent):<4} {precision:.3f} "
        f"{len(confident) / len(guesses):.3f} {measure_calibration(guesses):.3f}"
    )


HEADER = (
    f"{'show':28} items  R@3   R@5   R@10  R@30   95% of R@10  median missed absent placed "
    "precision coverage calibration error"
)


def align_rigidly(known: KnownEpisode) -> list[Guess]:
    """Return the baseline: cosine of tf-idf over the next 20 s, in strict list order, every feature placed."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    segments = known.transcript.segments
    starts = np.array([segment.start for segment in segments])
    stops = np.searchsorted(starts, starts + 20.0)
    windows = [" ".join(one.text for one in segments[at:stop]) for at, stop in enumerate(stops)]
    vectors = TfidfVectorizer(stop_words="english", sublinear_tf=True, ngram_range=(1, 2)).fit(windows)
    texts = [f"{feature.title}. {feature.description}" for feature in known.features]
    likeness = (vectors.transform(texts) @ vectors.transform(windows).T).toarray()
    chosen = _climb(likeness)
    truth = [np.nan if start is None else start for start in known.truth]
    name = f"{known.show}/{known.name}"
    return [Guess(name, start, float(starts[at]), 0.0, False) for start, at in zip(truth, chosen, strict=True)]


def _climb(likeness: NDArray[np.float64]) -> list[int]:
    """Return the strictly rising columns, one a row, with the largest sum."""
    count, size = likeness.shape
    best = np.zeros(size + 1)
    taken = np.zeros((count, size + 1), dtype=int)
    for row in range(count):
        reach = np.concatenate([[-np.inf], best[:-1] + likeness[row]])
        best = np.maximum.accumulate(reach)
        better = reach >= best
        taken[row] = np.maximum.accumulate(np.where(better, np.arange(size + 1), 0))
    chosen, column = [0] * count, size
    for row in range(count - 1, -1, -1):
        column = int(taken[row, column]) - 1
        chosen[row] = column
    return chosen


def align_unseen(
    episodes: Sequence[KnownEpisode], vectors: Path | None, changes: Sequence[Change]
) -> list[dict[tuple[str, str], list[Guess]]]:
    """Return, for each way to change the episodes, the guesses of constants fitted to unchanged other shows."""
    from benchmarks.fit_alignment import fit_classifiers, has_meaning, measure_episodes, split_folds, weigh_unseen

    scored = {one.show for one in episodes}
    written = [] if WRITTEN in scored else load_walkthroughs()
    measured = measure_episodes([*episodes, *written], vectors, with_cuts=True)
    weighed = weigh_unseen(measured)
    guesses: list[dict[tuple[str, str], list[Guess]]] = [{} for _ in changes]
    for held in split_folds(measured):
        if held[0].known.show not in scored:
            continue
        names = {(one.known.show, one.known.name) for one in held}
        judges = fit_classifiers([one for one in measured if (one.known.show, one.known.name) not in names], weighed)
        for one in held:
            key = (one.known.show, one.known.name)
            weights = parse_weights({**weighed[key].fitted, **judges}, has_meaning(measured))
            for change, found in zip(changes, guesses, strict=True):
                (turned,) = [one] if change is keep_list else measure_episodes([change(one.known)], vectors)
                posterior = infer_posterior(turned.evidence, weights)
                alignment = decide_placements(turned.units, turned.known.features, turned.mentions, posterior, weights)
                found[key] = guess_starts(turned.known, alignment)
    return guesses


def keep_list(known: KnownEpisode) -> KnownEpisode:
    """Return an episode as it is."""
    return known


def explain_miss(guess: Guess, starts: Sequence[float]) -> str:
    """Return why a start was missed by more than 10 s, as far as times tell; `starts` are the episode's true ones."""
    if np.isnan(guess.start):
        return "left out"
    error = guess.start - guess.truth
    if abs(error) <= RIGHT_S:
        return "late 10-30 s" if error > 0 else "early 10-30 s"
    if any(abs(other - guess.truth) <= 10.0 for other in guess.alternatives):
        return "right one is an alternative"
    if any(abs(start - guess.start) <= 10.0 and start != guess.truth for start in starts):
        return "where another feature starts"
    return "late, same stretch" if 0 < error <= 120.0 else "early, same stretch" if -120.0 <= error < 0 else "elsewhere"


CAUSES = (
    *("left out", "late 10-30 s", "early 10-30 s", "right one is an alternative", "where another feature starts"),
    *("late, same stretch", "early, same stretch", "elsewhere"),
)


def print_misses(rows: Mapping[str, Sequence[Guess]]) -> None:
    """Print, for each show, how many starts were missed by more than 10 s, by cause."""
    print("\nmisses by cause: " + " | ".join(CAUSES))
    for name in sorted(rows):
        starts: dict[str, list[float]] = {}
        for guess in rows[name]:
            starts.setdefault(guess.episode, []).append(guess.truth)
        missed = [one for one in rows[name] if not np.isnan(one.truth) and not abs(one.start - one.truth) <= 10.0]
        counts = Counter(explain_miss(one, starts[one.episode]) for one in missed)
        print(f"{name:28}{len(missed):5} " + "".join(f"{counts[cause]:6}" for cause in CAUSES))


def print_table(
    title: str, episodes: Sequence[KnownEpisode], aligner: Callable[[KnownEpisode], list[Guess]], each: bool
) -> dict[str, list[Guess]]:
    """Score an aligner show by show, print what came out, and return the guesses by show."""
    begun = time.perf_counter()
    rows: dict[str, list[Guess]] = {}
    for known in episodes:
        guesses = aligner(known)
        rows.setdefault(known.show, []).extend(guesses)
        if each and known.show in (SPOKEN, WRITTEN):
            rows.setdefault(f"  {known.show[:8]}/{known.name}"[:28], []).extend(guesses)
    print(f"\n{title}: {len(episodes)} episodes in {time.perf_counter() - begun:.0f} s\n{HEADER}")
    for name in sorted(rows, key=lambda name: (name.startswith("  "), name)):
        print(format_row(name, rows[name]))
    return {name: guesses for name, guesses in rows.items() if not name.startswith("  ")}


def print_reliability(rows: Mapping[str, Sequence[Guess]]) -> None:
    """Print, for each show and tenth of confidence, how many rows there are and how many of them are right."""
    bins = [f"{one / BINS:.1f}-{(one + 1) / BINS:.1f}" for one in range(BINS)]
    print(f"\n{'rows right/all by confidence':28}" + "".join(f"{name:>10}" for name in bins))
    for name in sorted(rows):
        right, count = np.zeros(BINS, dtype=int), np.zeros(BINS, dtype=int)
        for guess in rows[name]:
            place = min(int(guess.confidence * BINS), BINS - 1)
            right[place] += _is_right(guess)
            count[place] += 1
        print(f"{name:28}" + "".join(f"{f'{hit}/{of}':>10}" for hit, of in zip(right, count, strict=True)))


def main() -> None:
    """Print the tables that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--written", action="store_true", help="score the written walkthroughs too")
    parser.add_argument("--vectors", type=Path, help="let sentence vectors count, and keep them here")
    parser.add_argument("--held-out", action="store_true", help="refit the constants without each show")
    parser.add_argument("--baseline", action="store_true", help="score tf-idf in strict list order as well")
    parser.add_argument("--swap", action="store_true", help="also with the halves of every list swapped")
    parser.add_argument("--each", action="store_true", help="one row for each walkthrough too")
    parser.add_argument("--reliability", action="store_true", help="how often rows of each confidence are right")
    parser.add_argument("--misses", action="store_true", help="why starts were missed, as far as times tell")
    arguments = parser.parse_args()
    plain = load_episodes(arguments.folders) + (load_walkthroughs() if arguments.written else [])
    if not plain:
        parser.error("name a folder with episodes, or --written")
    if arguments.held_out and not arguments.folders:
        parser.error("--held-out needs folders with episodes to fit to")
    changes: dict[str, Change] = {"": keep_list} | ({", halves swapped": swap_halves} if arguments.swap else {})
    unseen = align_unseen(plain, arguments.vectors, list(changes.values())) if arguments.held_out else []
    for number, (suffix, change) in enumerate(changes.items()):
        episodes = [change(known) for known in plain]
        guess = partial(align_known, vectors=arguments.vectors)
        if arguments.held_out:
            guess = partial(_look_up, unseen[number])
        title = "held out" if arguments.held_out else "as shipped"
        rows = print_table(f"{title}{suffix}", episodes, guess, arguments.each)
        if arguments.reliability:
            print_reliability(rows)
        if arguments.misses:
            print_misses(rows)
        if arguments.baseline:
            print_table(f"tf-idf in list order{suffix}", episodes, align_rigidly, arguments.each)


def _look_up(guesses: Mapping[tuple[str, str], list[Guess]], known: KnownEpisode) -> list[Guess]:
    """Return guesses made before."""
    return guesses[known.show, known.name]


def align_known(known: KnownEpisode, vectors: Path | None) -> list[Guess]:
    """Return the guesses of the package as it is."""
    encoder = load_encoder(known.transcript.language) if vectors else None
    if encoder is None or vectors is None:
        return guess_starts(known, align(known.transcript, known.features))
    kept = VectorCache(vectors / known.show / f"{known.name}.vectors.npz").load(known.transcript, encoder)
    return guess_starts(known, align(known.transcript, known.features, encoder=encoder, vectors=kept))


if __name__ == "__main__":
    main()
