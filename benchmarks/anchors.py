"""Measure what corrections do for the features that were not corrected.

usage: python -m benchmarks.anchors FOLDER... [--vectors FOLDER] [--held-out] [--shares .1 .25 .5] [--rounds N]

In each round, a share of an episode's discussed features gets its true start, as a person would give it. The corrected
features are drawn at random, or are those of the lowest confidence, which a person checks first. The other features are
scored as in `benchmarks.grounding`, once with these anchors and once without them.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.episodes import load_episodes
from benchmarks.fit_alignment import fit_classifiers, infer_held_out
from benchmarks.grounding import Guess, list_guesses, measure_calibration, measure_recall
from benchmarks.measured_episodes import MeasuredEpisode, leave_out, measure_episodes, name_encoder, split_folds
from pipeline.align.decision import decide_placements
from pipeline.align.inference import infer_posterior
from pipeline.align.weights import Weights, load_weights, parse_weights


@dataclass(frozen=True, slots=True)
class Baseline:
    """An episode's weights, and its guesses without anchors."""

    weights: Weights
    guesses: list[Guess]


def align_with_anchors(episode: MeasuredEpisode, weights: Weights, anchors: Mapping[int, float]) -> list[Guess]:
    """Return the guesses for an episode with anchors in seconds, by row."""
    posterior = infer_posterior(episode.evidence, weights, anchors)
    annotated = episode.annotated
    alignment = decide_placements(episode.units, annotated.features, episode.mentions, posterior, weights)
    return list_guesses(annotated, alignment)


def choose_weights(episodes: Sequence[MeasuredEpisode], held_out: bool) -> dict[tuple[str, str], Weights]:
    """Return the weights for each episode: those of the package, or those fitted to other shows."""
    if not held_out:
        return dict.fromkeys((episode.annotated.key for episode in episodes), load_weights(name_encoder(episodes)))
    posteriors = infer_held_out(episodes)
    weights = {}
    for fold in split_folds(episodes):
        classifiers = fit_classifiers(leave_out(episodes, fold), posteriors)
        for episode in fold:
            key = episode.annotated.key
            weights[key] = parse_weights({**posteriors[key].fitted, **classifiers})
    return weights


def choose_corrected(episode: MeasuredEpisode, guesses: Sequence[Guess], share: float, rounds: int) -> list[list[int]]:
    """Return, for each round, the rows of the features to correct.

    Without rounds, there is one set: the features with the lowest confidence. Empty where fewer than two features are
    discussed.
    """
    discussed = np.flatnonzero(~np.isnan(episode.truth))
    if len(discussed) < 2:
        return []
    size = max(1, round(share * len(discussed)))
    if not rounds:
        return [sorted(discussed.tolist(), key=lambda row: guesses[row].confidence)[:size]]
    return [np.random.default_rng(seed).choice(discussed, size, replace=False).tolist() for seed in range(rounds)]


def print_row(
    show: str,
    episodes: Sequence[MeasuredEpisode],
    baselines: Mapping[tuple[str, str], Baseline],
    share: float,
    rounds: int,
) -> None:
    """Print the figures of a show with a share of its features corrected; see `choose_corrected`."""
    without: list[Guess] = []
    around: list[Guess] = []
    for episode in episodes:
        baseline = baselines[episode.annotated.key]
        for corrected in choose_corrected(episode, baseline.guesses, share, rounds):
            anchors = {row: float(episode.truth[row]) for row in corrected}
            guesses = align_with_anchors(episode, baseline.weights, anchors)
            without += [guess for row, guess in enumerate(baseline.guesses) if row not in anchors]
            around += [guess for row, guess in enumerate(guesses) if row not in anchors]
    figures = "      ".join(
        f"{measure_recall(without, tolerance):.3f}  {measure_recall(around, tolerance):.3f}"
        for tolerance in (10.0, 30.0)
    )
    errors = f"{measure_calibration(without):.3f}  {measure_calibration(around):.3f}"
    kind = "random" if rounds else "unsure"
    print(f"{show:26} {share:4.0%} {kind} {len(around):6}  {figures}      {errors}", flush=True)


def main() -> None:
    """Print one row for each show and share of corrected features."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, help="folders with annotated episodes")
    parser.add_argument("--vectors", type=Path, help="let meaning count; folder where sentence vectors are cached")
    parser.add_argument("--held-out", action="store_true", help="fit the weights without each show")
    parser.add_argument("--shares", nargs="+", type=float, default=[0.1, 0.25, 0.5], help="shares to correct")
    parser.add_argument("--rounds", type=int, default=5, help="draws for each episode and share")
    arguments = parser.parse_args()
    episodes = measure_episodes(load_episodes(arguments.folders), arguments.vectors)
    weights = choose_weights(episodes, arguments.held_out)
    baselines = {}
    for episode in episodes:
        key = episode.annotated.key
        baselines[key] = Baseline(weights[key], align_with_anchors(episode, weights[key], {}))
    print(f"{'show':26} corrected others  R@10 without, with   R@30 without, with   calibration error without, with")
    for show in sorted({episode.show for episode in episodes}):
        own = [episode for episode in episodes if episode.show == show]
        for rounds in (arguments.rounds, 0):
            for share in arguments.shares:
                print_row(show, own, baselines, share, rounds)


if __name__ == "__main__":
    main()
