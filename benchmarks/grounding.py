"""Score the alignment on episodes whose starts are known, beside an obvious baseline.

usage: python -m benchmarks.grounding [FOLDER...] [--written] [--vectors FOLDER] [--held-out] [--baseline] [--swap]
           [--each] [--reliability] [--misses]

`--held-out` fits the weights for every show without it (for a spoken episode: without the episode), which shows how
well the alignment works for a new show. Otherwise the weights of the package are scored. `--vectors` lets the meaning
of sentences count (extra `encoder`) and names the folder where sentence vectors are cached. `--written` adds the
written walkthroughs, from which only the absence of features is learned.
"""

import argparse
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.episodes import SPOKEN, AnnotatedEpisode, load_episodes, swap_halves
from benchmarks.walkthroughs import WRITTEN, load_walkthroughs
from pipeline.align.aligner import align
from pipeline.align.encoder import load_encoder
from pipeline.align.weights import Weights, parse_weights
from pipeline.core.schema import RIGHT_S, Alignment, Status

# Seconds within which a start counts as found, one column each.
TOLERANCES_S = (3.0, 5.0, 10.0, 30.0)

# Seconds within which a start counts as found in the interval and in the table of misses.
MAIN_TOLERANCE_S = 10.0

# Seconds after or before the true start up to which a wrong start may be in the same passage.
SAME_PASSAGE_S = 120.0

# Bootstrap rounds.
ROUNDS = 1000

# Bins of confidence.
BINS = 10

# Seconds of speech that the baseline compares with a feature's text.
BASELINE_S = 20.0

Change = Callable[[AnnotatedEpisode], AnnotatedEpisode]


@dataclass(frozen=True, slots=True)
class Guess:
    """An aligner's placement of one feature; `truth` and `start` are in seconds, or not-a-number for none."""

    episode: str
    truth: float
    start: float
    confidence: float
    confident: bool
    alternatives: tuple[float, ...] = ()


def list_guesses(episode: AnnotatedEpisode, alignment: Alignment) -> list[Guess]:
    """Return the placements of an episode beside the truth."""
    return [
        Guess(
            episode=f"{episode.show}/{episode.name}",
            truth=np.nan if truth is None else truth,
            start=np.nan if placement.start is None else placement.start,
            confidence=placement.confidence,
            confident=placement.status is Status.CONFIDENT,
            alternatives=placement.alternatives,
        )
        for truth, placement in zip(episode.truth, alignment.placements, strict=True)
    ]


def measure_recall(guesses: Sequence[Guess], tolerance_s: float) -> float:
    """Return the share of discussed features whose start was found within `tolerance_s` seconds."""
    errors = [abs(guess.start - guess.truth) for guess in guesses if not np.isnan(guess.truth)]
    return sum(error <= tolerance_s for error in errors) / max(1, len(errors))


def bound_recall(guesses: Sequence[Guess], tolerance_s: float, seed: int = 0) -> tuple[float, float]:
    """Return a 95 % bootstrap interval of the recall, drawing whole episodes."""
    counts: dict[str, list[int]] = {}
    for guess in guesses:
        if not np.isnan(guess.truth):
            found_and_all = counts.setdefault(guess.episode, [0, 0])
            found_and_all[0] += int(abs(guess.start - guess.truth) <= tolerance_s)
            found_and_all[1] += 1
    table = np.array(list(counts.values()))
    drawn = np.random.default_rng(seed).integers(0, len(table), (ROUNDS, len(table)))
    sums = table[drawn].sum(axis=1)
    low, high = np.quantile(sums[:, 0] / sums[:, 1], [0.025, 0.975])
    return float(low), float(high)


def measure_calibration(guesses: Sequence[Guess]) -> float:
    """Return the expected calibration error of all rows, "not discussed" included, in ten even bins."""
    confidence = np.array([guess.confidence for guess in guesses])
    right = np.array([_is_right(guess) for guess in guesses])
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [
        abs(confidence[bins == number].mean() - right[bins == number].mean()) * (bins == number).sum()
        for number in range(BINS)
        if (bins == number).any()
    ]
    return float(sum(gaps) / len(guesses))


def _is_right(guess: Guess) -> bool:
    """Return whether a start is within RIGHT_S of the truth, or a feature is rightly left out."""
    if np.isnan(guess.start):
        return bool(np.isnan(guess.truth))
    return bool(abs(guess.start - guess.truth) <= RIGHT_S)


def format_row(name: str, guesses: Sequence[Guess]) -> str:
    """Return one line of the table, for a show."""
    errors = [abs(guess.start - guess.truth) for guess in guesses if not np.isnan(guess.truth)]
    absent = [guess for guess in guesses if np.isnan(guess.truth)]
    confident = [guess for guess in guesses if guess.confident]
    low, high = bound_recall(guesses, MAIN_TOLERANCE_S)
    recalls = " ".join(f"{measure_recall(guesses, tolerance):.3f}" for tolerance in TOLERANCES_S)
    median = float(np.median(np.nan_to_num(errors, nan=np.inf)))
    missed = sum(np.isnan(error) for error in errors)
    precision = sum(map(_is_right, confident)) / len(confident) if confident else np.nan
    return (
        f"{name:28} {len(errors):5} {recalls} [{low:.2f} {high:.2f}] {median:7.1f} {missed:6} "
        f"{sum(not np.isnan(guess.start) for guess in absent):4}/{len(absent):<4} {precision:.3f} "
        f"{len(confident) / len(guesses):.3f} {measure_calibration(guesses):.3f}"
    )


HEADER = (
    f"{'show':28} items  R@3   R@5   R@10  R@30   95% of R@10  median missed absent placed "
    "precision coverage calibration error"
)


def align_rigidly(episode: AnnotatedEpisode) -> list[Guess]:
    """Return the baseline: tf-idf cosine over the next 20 s, in strict list order, with every feature placed."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    segments = episode.transcript.segments
    starts = np.array([segment.start for segment in segments])
    stops = np.searchsorted(starts, starts + BASELINE_S)
    windows = [" ".join(segment.text for segment in segments[at:stop]) for at, stop in enumerate(stops)]
    vectors = TfidfVectorizer(stop_words="english", sublinear_tf=True, ngram_range=(1, 2)).fit(windows)
    texts = [f"{feature.title}. {feature.description}" for feature in episode.features]
    similarity = (vectors.transform(texts) @ vectors.transform(windows).T).toarray()
    chosen = _choose_rising_columns(similarity)
    truth = [np.nan if start is None else start for start in episode.truth]
    name = f"{episode.show}/{episode.name}"
    return [Guess(name, start, float(starts[at]), 0.0, False) for start, at in zip(truth, chosen, strict=True)]


def _choose_rising_columns(similarity: NDArray[np.float64]) -> list[int]:
    """Return one column a row, strictly rising, with the largest sum."""
    count, size = similarity.shape
    best = np.zeros(size + 1)
    taken = np.zeros((count, size + 1), dtype=int)
    for row in range(count):
        reach = np.concatenate([[-np.inf], best[:-1] + similarity[row]])
        best = np.maximum.accumulate(reach)
        better = reach >= best
        taken[row] = np.maximum.accumulate(np.where(better, np.arange(size + 1), 0))
    chosen, column = [0] * count, size
    for row in range(count - 1, -1, -1):
        column = int(taken[row, column]) - 1
        chosen[row] = column
    return chosen


def align_held_out(
    episodes: Sequence[AnnotatedEpisode],
    cache: Path | None,
    changes: Sequence[Change],
    wanted: Collection[tuple[str, str]] | None = None,
) -> list[dict[tuple[str, str], list[Guess]]]:
    """Return, for each way to change the episodes, the guesses of weights fitted to unchanged other shows.

    `wanted` holds the keys of the episodes to align; all of them if None. The weights are fitted to all episodes.
    """
    from benchmarks.fit_alignment import fit_classifiers, infer_held_out
    from benchmarks.measured_episodes import leave_out, measure_episodes, split_folds

    scored = {episode.show for episode in episodes}
    written = [] if WRITTEN in scored else load_walkthroughs()
    measured = measure_episodes([*episodes, *written], cache, with_cuts=True)
    held_out = infer_held_out(measured)
    guesses: list[dict[tuple[str, str], list[Guess]]] = [{} for _ in changes]
    for fold in split_folds(measured):
        if fold[0].show not in scored:
            continue
        classifiers = fit_classifiers(leave_out(measured, fold), held_out)
        for episode in fold:
            key = episode.annotated.key
            if wanted is not None and key not in wanted:
                continue
            weights = parse_weights({**held_out[key].fitted, **classifiers})
            for change, by_key in zip(changes, guesses, strict=True):
                by_key[key] = align_episode(change(episode.annotated), cache, weights)
    return guesses


def keep_list(episode: AnnotatedEpisode) -> AnnotatedEpisode:
    """Return an episode unchanged."""
    return episode


class Miss(StrEnum):
    """Why a start was missed by more than MAIN_TOLERANCE_S, as far as times say."""

    LEFT_OUT = "left out"
    LATE = "late 10-30 s"
    EARLY = "early 10-30 s"
    ALTERNATIVE = "right one is an alternative"
    OTHER_FEATURE = "where another feature starts"
    LATE_IN_PASSAGE = "late, same passage"
    EARLY_IN_PASSAGE = "early, same passage"
    ELSEWHERE = "elsewhere"


def explain_miss(guess: Guess, starts: Sequence[float]) -> Miss:
    """Return why a start was missed; `starts` are the true ones of the episode, in seconds."""
    if np.isnan(guess.start):
        return Miss.LEFT_OUT
    error = guess.start - guess.truth
    if abs(error) <= RIGHT_S:
        return Miss.LATE if error > 0 else Miss.EARLY
    if any(abs(other - guess.truth) <= MAIN_TOLERANCE_S for other in guess.alternatives):
        return Miss.ALTERNATIVE
    if any(abs(start - guess.start) <= MAIN_TOLERANCE_S and start != guess.truth for start in starts):
        return Miss.OTHER_FEATURE
    if abs(error) > SAME_PASSAGE_S:
        return Miss.ELSEWHERE
    return Miss.LATE_IN_PASSAGE if error > 0 else Miss.EARLY_IN_PASSAGE


def print_misses(rows: Mapping[str, Sequence[Guess]]) -> None:
    """Print, for each show, how many starts were missed by more than MAIN_TOLERANCE_S, by cause."""
    print("\nmisses by cause: " + " | ".join(Miss))
    for name in sorted(rows):
        starts: dict[str, list[float]] = {}
        for guess in rows[name]:
            starts.setdefault(guess.episode, []).append(guess.truth)
        missed = [
            guess
            for guess in rows[name]
            if not np.isnan(guess.truth) and not abs(guess.start - guess.truth) <= MAIN_TOLERANCE_S
        ]
        counts = Counter(explain_miss(guess, starts[guess.episode]) for guess in missed)
        print(f"{name:28}{len(missed):5} " + "".join(f"{counts[cause]:6}" for cause in Miss))


def print_table(
    title: str, episodes: Sequence[AnnotatedEpisode], aligner: Callable[[AnnotatedEpisode], list[Guess]], each: bool
) -> dict[str, list[Guess]]:
    """Score an aligner show by show, print the table, and return the guesses by show."""
    begun = time.perf_counter()
    rows: dict[str, list[Guess]] = {}
    for episode in episodes:
        guesses = aligner(episode)
        rows.setdefault(episode.show, []).extend(guesses)
        if each and episode.show in (SPOKEN, WRITTEN):
            rows.setdefault(f"  {episode.show[:8]}/{episode.name}"[:28], []).extend(guesses)
    print(f"\n{title}: {len(episodes)} episodes in {time.perf_counter() - begun:.0f} s\n{HEADER}")
    for name in sorted(rows, key=lambda name: (name.startswith("  "), name)):
        print(format_row(name, rows[name]))
    return {name: guesses for name, guesses in rows.items() if not name.startswith("  ")}


def print_reliability(rows: Mapping[str, Sequence[Guess]]) -> None:
    """Print, for each show and tenth of confidence, how many rows there are and how many of them are right."""
    bins = [f"{number / BINS:.1f}-{(number + 1) / BINS:.1f}" for number in range(BINS)]
    print(f"\n{'rows right/all by confidence':28}" + "".join(f"{name:>10}" for name in bins))
    for name in sorted(rows):
        right, count = np.zeros(BINS, dtype=int), np.zeros(BINS, dtype=int)
        for guess in rows[name]:
            number = min(int(guess.confidence * BINS), BINS - 1)
            right[number] += _is_right(guess)
            count[number] += 1
        print(f"{name:28}" + "".join(f"{f'{hits}/{all_}':>10}" for hits, all_ in zip(right, count, strict=True)))


def align_episode(episode: AnnotatedEpisode, cache: Path | None, weights: Weights | None = None) -> list[Guess]:
    """Return the guesses of the product with these weights, or with those of the package."""
    from benchmarks.measured_episodes import load_vectors

    encoder = load_encoder(episode.transcript.language) if cache else None
    vectors = None if encoder is None or cache is None else load_vectors(episode, cache, encoder)
    alignment = align(episode.transcript, episode.features, encoder=encoder, vectors=vectors, weights=weights)
    return list_guesses(episode, alignment)


def parse_arguments() -> argparse.Namespace:
    """Return the options of the command line; end the program where they do not fit together."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, help="folders with annotated episodes")
    parser.add_argument("--written", action="store_true", help="score the written walkthroughs too")
    parser.add_argument("--vectors", type=Path, help="let meaning count; folder where sentence vectors are cached")
    parser.add_argument("--held-out", action="store_true", help="fit the weights without each show")
    parser.add_argument("--baseline", action="store_true", help="score tf-idf in strict list order as well")
    parser.add_argument("--swap", action="store_true", help="score lists with their halves swapped as well")
    parser.add_argument("--each", action="store_true", help="print a row for each walkthrough too")
    parser.add_argument("--reliability", action="store_true", help="print how often rows of each confidence are right")
    parser.add_argument("--misses", action="store_true", help="print why starts were missed, as far as times say")
    arguments = parser.parse_args()
    if not arguments.folders and not arguments.written:
        parser.error("name a folder with episodes, or --written")
    if arguments.held_out and not arguments.folders:
        parser.error("--held-out needs folders with episodes to fit to")
    return arguments


def main() -> None:
    """Print the tables that the command line asks for."""
    arguments = parse_arguments()
    published = load_episodes(arguments.folders) + (load_walkthroughs() if arguments.written else [])
    if not published:
        raise SystemExit("no episode was found in these folders: name others, or --written")
    changes: dict[str, Change] = {"": keep_list} | ({", halves swapped": swap_halves} if arguments.swap else {})
    held_out = align_held_out(published, arguments.vectors, list(changes.values())) if arguments.held_out else []
    for number, (suffix, change) in enumerate(changes.items()):
        episodes = [change(episode) for episode in published]
        aligner: Callable[[AnnotatedEpisode], list[Guess]] = partial(align_episode, cache=arguments.vectors)
        if arguments.held_out:
            aligner = partial(_look_up, held_out[number])
        title = "held out" if arguments.held_out else "as shipped"
        rows = print_table(f"{title}{suffix}", episodes, aligner, arguments.each)
        if arguments.reliability:
            print_reliability(rows)
        if arguments.misses:
            print_misses(rows)
        if arguments.baseline:
            print_table(f"tf-idf in list order{suffix}", episodes, align_rigidly, arguments.each)


def _look_up(guesses: Mapping[tuple[str, str], list[Guess]], episode: AnnotatedEpisode) -> list[Guess]:
    """Return the guesses of an episode."""
    return guesses[episode.key]


if __name__ == "__main__":
    main()
