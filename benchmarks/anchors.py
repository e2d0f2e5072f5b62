"""Measure what people's corrections do for the features they did not correct.

usage: python -m benchmarks.anchors FOLDER... [--vectors FOLDER] [--held-out] [--shares .1 .25 .5] [--rounds N]

In each round a share of an episode's discussed features gets its true start, as a person would give it: drawn at
random, or those of the lowest confidence, which a person looks at first. The others are scored as in
`benchmarks.grounding`, once placed around those anchors and once without them.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.episodes import load_episodes
from benchmarks.fit_alignment import (
    MeasuredEpisode,
    fit_classifiers,
    has_meaning,
    measure_episodes,
    split_folds,
    weigh_unseen,
)
from benchmarks.grounding import Guess, guess_starts, measure_calibration, measure_recall
from pipeline.align.decision import decide_placements
from pipeline.align.inference import infer_posterior
from pipeline.align.weights import Weights, load_weights, parse_weights


def place(episode: MeasuredEpisode, weights: Weights, given: dict[int, float]) -> list[Guess]:
    """Return the guesses for an episode of which some starts are given, by row."""
    posterior = infer_posterior(episode.evidence, weights, given)
    known = episode.known
    return guess_starts(known, decide_placements(episode.units, known.features, episode.mentions, posterior, weights))


def find_weights(episodes: Sequence[MeasuredEpisode], held_out: bool) -> dict[tuple[str, str], Weights]:
    """Return the constants to place each episode with: those of the package, or fitted to other shows."""
    meaning = has_meaning(episodes)
    names = [(one.known.show, one.known.name) for one in episodes]
    if not held_out:
        return dict.fromkeys(names, load_weights(meaning))
    weighed = weigh_unseen(episodes)
    found = {}
    for held in split_folds(episodes):
        apart = {(one.known.show, one.known.name) for one in held}
        rest = [one for one, name in zip(episodes, names, strict=True) if name not in apart]
        judges = fit_classifiers(rest, weighed)
        found |= {name: parse_weights({**weighed[name].fitted, **judges}, meaning) for name in apart}
    return found


def main() -> None:
    """Print one row for each show and share of corrected features."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--vectors", type=Path, help="let sentence vectors count, and keep them here")
    parser.add_argument("--held-out", action="store_true", help="refit the constants without each show")
    parser.add_argument("--shares", nargs="+", type=float, default=[0.1, 0.25, 0.5], help="how many are corrected")
    parser.add_argument("--rounds", type=int, default=5, help="draws for each episode and share")
    arguments = parser.parse_args()
    episodes = measure_episodes(load_episodes(arguments.folders), arguments.vectors)
    weights = find_weights(episodes, arguments.held_out)
    plain = {name: place(one, weights[name], {}) for one in episodes for name in [(one.known.show, one.known.name)]}
    print(f"{'show':26} corrected others  R@10 without, with   R@30 without, with   calibration error without, with")
    for show in sorted({one.known.show for one in episodes}):
        own = [one for one in episodes if one.known.show == show]
        for unsure in (False, True):
            for share in arguments.shares:
                print_row(show, own, plain, weights, share, 0 if unsure else arguments.rounds)


def print_row(
    show: str,
    episodes: Sequence[MeasuredEpisode],
    plain: Mapping[tuple[str, str], list[Guess]],
    weights: Mapping[tuple[str, str], Weights],
    share: float,
    rounds: int,
) -> None:
    """Print the figures of a show of whose features a share is corrected: at random, or without rounds the unsure."""
    without: list[Guess] = []
    around: list[Guess] = []
    for episode in episodes:
        name = (show, episode.known.name)
        discussed = np.flatnonzero(~np.isnan(episode.truth))
        if len(discussed) < 2:
            continue
        size = max(1, round(share * len(discussed)))
        if rounds:
            draws = [np.random.default_rng(seed).choice(discussed, size, replace=False) for seed in range(rounds)]
        else:
            draws = [np.array(sorted(discussed, key=lambda row, its=plain[name]: its[row].confidence)[:size])]
        for drawn in draws:
            given = {int(row): float(episode.truth[row]) for row in drawn}
            placed = place(episode, weights[name], given)
            without += [guess for row, guess in enumerate(plain[name]) if row not in given]
            around += [guess for row, guess in enumerate(placed) if row not in given]
    figures = "      ".join(
        f"{measure_recall(without, limit):.3f}  {measure_recall(around, limit):.3f}" for limit in (10.0, 30.0)
    )
    errors = f"{measure_calibration(without):.3f}  {measure_calibration(around):.3f}"
    kind = "random" if rounds else "unsure"
    print(f"{show:26} {share:4.0%} {kind} {len(around):6}  {figures}      {errors}", flush=True)


if __name__ == "__main__":
    main()
