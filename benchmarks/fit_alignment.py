"""Fit `pipeline/align/weights.json` to episodes whose starts are known.

usage: python -m benchmarks.fit_alignment FOLDER... [--vectors FOLDER] [--output pipeline/align/weights.json]

Two sets of weights are fitted: `lexical` for words alone and, with `--vectors`, `semantic` for words and meaning
together. `--vectors` names the folder where sentence vectors are cached; it needs the extra `encoder`, and the first
run computes them. The semantic set names the encoder.

A set holds four logistic models. Shows are weighted by the square root of their size, so that the largest show does not
decide alone. The two classifiers of placements are fitted to placements that were inferred with weights fitted to other
shows. Few features of a published list are really skipped; so the classifier of absence is also fitted to the same
episodes with passages cut out (`benchmarks/left_out.py`), which count as much as the whole ones, and to the written
walkthroughs, which skip more.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from benchmarks.episodes import load_episodes
from benchmarks.measured_episodes import (
    MeasuredEpisode,
    leave_out,
    measure_episodes,
    name_encoder,
    split_folds,
    weigh_episodes,
)
from benchmarks.walkthroughs import WRITTEN, load_walkthroughs
from pipeline.align.evidence import collect_onset_inputs
from pipeline.align.inference import EpisodePosterior, infer_posterior, score_boundaries
from pipeline.align.lexical import Matrix
from pipeline.align.semantic import VECTOR_NAMES
from pipeline.align.sequence_model import TransitionCosts
from pipeline.align.weights import (
    PLACEMENT_NAMES,
    SEMANTIC_PLACEMENT_NAMES,
    Thresholds,
    Weights,
    parse_weights,
)
from pipeline.core.schema import RIGHT_S

# Costs of the sequence model, for words alone, found by coordinate search on the mean over shows of the recall within
# 10 s and 30 s, with weights fitted to other shows. The optimum is flat: a fifth more or less of any cost changes the
# recall by less than a point.
LEXICAL_COSTS = TransitionCosts(onset=0.7, passage=0.5, boundary=0.2, skip=-2.0, jump=-4.0, pause=-3.0)

# The same with sentence vectors.
SEMANTIC_COSTS = TransitionCosts(onset=0.7, passage=0.35, meaning=1.25, boundary=0.3, skip=-2.0, jump=-4.0, pause=-3.0)

# Thresholds for words alone. That of bare titles is the smallest of .86, .88, .90 and .92 at which nine in ten
# confident starts of each show are right.
LEXICAL_THRESHOLDS = Thresholds(absent=0.4, confident=0.86, confident_bare_title=0.92)

# The same with sentence vectors.
SEMANTIC_THRESHOLDS = Thresholds(absent=0.45, confident=0.86, confident_bare_title=0.92)

# Inverse L2 penalty of the boundary model, chosen on shows that were left out.
BOUNDARY_STRENGTH = 0.001

# Inverse L2 penalty of the classifiers, chosen on shows that were left out.
CLASSIFIER_STRENGTH = 0.02

# Standard deviation assumed for every number of a sentence vector, chosen on shows that were left out.
VECTOR_SPREAD = 0.2

# L2 penalty of the onset model.
ONSET_RIDGE = 4.0

# Iterations of the onset fit at most.
ONSET_ITERATIONS = 150

# Seconds around a true start in which units share its target.
TARGET_S = 8.0

# Seconds from the start at which a unit's share has fallen to 1/e.
TARGET_WIDTH_S = 2.0

# Seconds to the nearest unit above which a true start has no target.
FARTHEST_TARGET_S = 20.0

# Seconds from a true start within which a unit may be its boundary.
BOUNDARY_S = 6.0

# Seconds from a true start within which a unit is neither a boundary nor none.
BOUNDARY_MARGIN_S = 4.0

# Units most similar to a feature that the onset model learns from.
HARD_UNITS = 120

# Other units, drawn at random, that the onset model learns from.
RANDOM_UNITS = 80

# Columns of evidence whose sum ranks the units most similar to a feature.
_SIMILARITY_NAMES = ("text_after_40", "title_after_15", "text_contrast", "title_unit", "id_after")

# Decimals of the weights in the file.
_DECIMALS = 4

# A set of weights, in the shape of one half of weights.json.
WeightSet = dict[str, Any]


def fit_boundary(episodes: Sequence[MeasuredEpisode]) -> dict[str, float]:
    """Return the weights that distinguish units where any feature starts from the others."""
    rows, labels, weights = [], [], []
    names = episodes[0].evidence.names.boundaries
    for episode, weight in zip(episodes, weigh_episodes(episodes), strict=True):
        truth = episode.truth[~np.isnan(episode.truth)]
        if not len(truth):
            continue
        distance = np.abs(episode.evidence.starts[:, None] - truth[None, :])
        nearest = distance.argmin(axis=0)[distance.min(axis=0) <= BOUNDARY_S]
        label = np.zeros(len(distance), dtype=bool)
        label[nearest] = True
        # Neighbors of a true start are neither right nor wrong.
        clear = label | (distance.min(axis=1) > BOUNDARY_MARGIN_S)
        rows.append(episode.evidence.boundaries[clear])
        labels.append(label[clear])
        weights.append(np.full(int(clear.sum()), weight))
    return _fit_logistic(
        np.concatenate(rows), np.concatenate(labels), np.concatenate(weights), names, BOUNDARY_STRENGTH
    )


def _fit_logistic(
    rows: Matrix, labels: NDArray[np.bool_], weights: NDArray[np.float64], names: Sequence[str], strength: float
) -> dict[str, float]:
    """Return the named weights and the bias of a logistic regression on standardized columns."""
    spread = rows.std(axis=0) + 1e-6
    # The numbers of a vector have a meaning only together: none of them is worth more than another.
    spread[[name in VECTOR_NAMES for name in names]] = VECTOR_SPREAD
    model = LogisticRegression(C=strength, max_iter=200)
    model.fit(rows / spread, labels, sample_weight=weights * len(weights) / weights.sum())
    fitted = {name: float(value) for name, value in zip(names, model.coef_[0] / spread, strict=True)}
    return {**fitted, "bias": float(model.intercept_[0])}


@dataclass(frozen=True, slots=True)
class _FeatureSample:
    """Sampled units of one feature: inputs of the onset model, log of how many units each stands for, and targets."""

    rows: Matrix
    offset: NDArray[np.float64]
    target: NDArray[np.float64]
    feature_rows: Matrix
    absent: bool
    weight: float


@dataclass(frozen=True, slots=True)
class OnsetSample:
    """Sampled units of all features, one feature after the other.

    Attributes:
        rows: (sampled units, columns), inputs of the onset model.
        offset: (sampled units), log of the number of units that each one stands for.
        target: (sampled units), share of the true start.
        begin: (features), index of each feature's first unit.
        feature_rows: (features, columns), evidence on whether a feature is discussed at all.
        absent: (features), 1 where a feature is not discussed.
        weight: (features), weight in the fit.
        names: Names of the columns of `rows`.
    """

    rows: Matrix
    offset: NDArray[np.float64]
    target: NDArray[np.float64]
    begin: NDArray[np.int64]
    feature_rows: Matrix
    absent: NDArray[np.float64]
    weight: NDArray[np.float64]
    names: tuple[str, ...]


def sample_onsets(episodes: Sequence[MeasuredEpisode], weights: Weights, seed: int = 0) -> OnsetSample:
    """Return, for every feature, the units near its start, those most similar to it, and some at random.

    The boundary model of `weights` gives two of the onset model's inputs.
    """
    random = np.random.default_rng(seed)
    samples: list[_FeatureSample] = []
    for episode, weight in zip(episodes, weigh_episodes(episodes), strict=True):
        evidence = episode.evidence
        columns = [evidence.names.pairs.index(name) for name in _SIMILARITY_NAMES]
        similarity = evidence.pairs[:, :, columns].sum(axis=2, dtype=np.float32)
        boundaries = score_boundaries(evidence, weights)
        for row, start in enumerate(episode.truth):
            target = _spread_target(evidence.starts, float(start))
            if target is None:
                continue
            kept, offset = _pick_units(target, similarity[row], random)
            rows = collect_onset_inputs(evidence, row, boundaries)[kept]
            absent = bool(np.isnan(start))
            samples.append(_FeatureSample(rows, offset[kept], target[kept], evidence.features[row], absent, weight))
    return _join_samples(samples, episodes[0].evidence.names.onset)


def _join_samples(samples: Sequence[_FeatureSample], names: tuple[str, ...]) -> OnsetSample:
    """Return the samples of all features as one."""
    lengths = np.array([len(sample.offset) for sample in samples])
    weights = np.array([sample.weight for sample in samples])
    return OnsetSample(
        rows=np.concatenate([sample.rows for sample in samples]),
        offset=np.concatenate([sample.offset for sample in samples]),
        target=np.concatenate([sample.target for sample in samples]),
        begin=np.concatenate([[0], np.cumsum(lengths)[:-1]]),
        feature_rows=np.stack([sample.feature_rows for sample in samples]),
        absent=np.array([float(sample.absent) for sample in samples]),
        weight=weights * len(weights) / weights.sum(),
        names=names,
    )


def _spread_target(starts: NDArray[np.float64], start: float) -> NDArray[np.float64] | None:
    """Return (units): how a true start is shared by the units around it, or None if no unit is near.

    The shares add up to one, or to zero where the feature is not discussed (`start` is not-a-number).
    """
    if np.isnan(start):
        return np.zeros(len(starts))
    distance = np.abs(starts - start)
    if distance.min() > FARTHEST_TARGET_S:
        return None
    target = np.where(distance <= TARGET_S, np.exp(-((distance / TARGET_WIDTH_S) ** 2)), 0.0)
    if target.sum() < 1e-3:
        target[distance.argmin()] = 1.0
    shares: NDArray[np.float64] = target / target.sum()
    return shares


def _pick_units(
    target: NDArray[np.float64], similarity: Matrix, random: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the indices of the sampled units, and (units) the log of how many units each one stands for."""
    kept = target > 0
    kept[np.argsort(-similarity, kind="stable")[:HARD_UNITS]] = True
    rest = np.flatnonzero(~kept)
    offset = np.zeros(len(target))
    if len(rest) > RANDOM_UNITS:
        drawn = random.choice(rest, RANDOM_UNITS, replace=False)
        offset[drawn] = np.log(len(rest) / RANDOM_UNITS)
        rest = drawn
    kept[rest] = True
    return np.flatnonzero(kept), offset


def fit_onset(sample: OnsetSample) -> dict[str, float]:
    """Return the weights under which each feature's start is likeliest among its units and "not discussed"."""
    spread, feature_spread = sample.rows.std(axis=0) + 1e-6, sample.feature_rows.std(axis=0) + 1e-6
    rows = ((sample.rows - sample.rows.mean(axis=0)) / spread).astype(np.float32)
    # The last column is the bias of "not discussed".
    bias = np.ones(len(sample.feature_rows), dtype=np.float32)
    feature_rows = np.column_stack([sample.feature_rows / feature_spread, bias])
    count = rows.shape[1]
    lengths = np.diff(sample.begin, append=len(rows))
    owner = np.repeat(np.arange(len(lengths)), lengths)

    def compute_loss(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """Return the penalized negative log-likelihood of a softmax over units, and its gradient."""
        scores = rows @ values[:count].astype(np.float32) + sample.offset
        none = feature_rows @ values[count:]
        top = np.maximum(np.maximum.reduceat(scores, sample.begin), none)
        odds, odds_none = np.exp(scores - top[owner]), np.exp(none - top)
        total = np.add.reduceat(odds, sample.begin) + odds_none
        log_likelihood = np.add.reduceat(sample.target * scores, sample.begin) + sample.absent * none
        log_likelihood -= top + np.log(total)
        error = (sample.target - odds / total[owner]) * sample.weight[owner]
        error_none = (sample.absent - odds_none / total) * sample.weight
        gradient = np.concatenate([rows.T @ error.astype(np.float32), feature_rows.T @ error_none])
        loss = -(sample.weight @ log_likelihood) + 0.5 * ONSET_RIDGE * (values @ values)
        return float(loss), (ONSET_RIDGE * values - gradient).astype(np.float64)

    start = np.zeros(count + feature_rows.shape[1])
    result = minimize(compute_loss, start, jac=True, method="L-BFGS-B", options={"maxiter": ONSET_ITERATIONS})
    return {name: float(value) for name, value in zip(sample.names, result.x[:count] / spread, strict=True)}


def fit_placement(episodes: Sequence[MeasuredEpisode]) -> WeightSet:
    """Return the weights that place features; their classifiers give a probability of one half."""
    # Where exactly a start lies is learned only from episodes that somebody spoke.
    episodes = [episode for episode in episodes if episode.show != WRITTEN]
    encoder = name_encoder(episodes)
    fitted: WeightSet = {
        **({} if encoder is None else {"encoder": encoder}),
        "boundary": fit_boundary(episodes),
        "onset": {},
        "transition_costs": asdict(LEXICAL_COSTS if encoder is None else SEMANTIC_COSTS),
        "absent_classifier": {"bias": 0.0},
        "correct_classifier": {"bias": 0.0},
        "thresholds": asdict(LEXICAL_THRESHOLDS if encoder is None else SEMANTIC_THRESHOLDS),
    }
    fitted["onset"] = fit_onset(sample_onsets(episodes, parse_weights(fitted)))
    return fitted


@dataclass(frozen=True, slots=True)
class HeldOut:
    """An episode, whole and with passages cut out, inferred with weights `fitted` to other shows."""

    whole: EpisodePosterior
    cut: tuple[EpisodePosterior, ...]
    fitted: WeightSet


def infer_held_out(episodes: Sequence[MeasuredEpisode]) -> dict[tuple[str, str], HeldOut]:
    """Return each episode inferred with weights fitted without its show, or without it if it is a spoken one."""
    result = {}
    for fold in split_folds(episodes):
        fitted = fit_placement(leave_out(episodes, fold))
        weights = parse_weights(fitted)
        for episode in fold:
            cut = tuple(infer_posterior(copy.evidence, weights) for copy in episode.cut)
            whole = infer_posterior(episode.evidence, weights)
            result[episode.annotated.key] = HeldOut(whole, cut, fitted)
    return result


def fit_classifiers(
    episodes: Sequence[MeasuredEpisode], held_out: Mapping[tuple[str, str], HeldOut]
) -> dict[str, dict[str, float]]:
    """Return the two classifiers of placements, fitted to the held-out posteriors of the episodes.

    Absence is also learned from the episodes with passages cut out, which together count as much as the whole ones,
    and from the written walkthroughs.
    """
    names: tuple[str, ...] = PLACEMENT_NAMES if name_encoder(episodes) is None else SEMANTIC_PLACEMENT_NAMES
    whole, more = [], []
    for episode, weight in zip(episodes, weigh_episodes(episodes), strict=True):
        posteriors = held_out[episode.annotated.key]
        labeled = _label_placements(posteriors.whole, episode.truth, weight)
        (more if episode.show == WRITTEN else whole).append(labeled)
        share = weight / max(1, len(episode.cut))
        for posterior, copy in zip(posteriors.cut, episode.cut, strict=True):
            more.append(_label_placements(posterior, copy.truth, share))
    rows, absent, _, weights = (np.concatenate(column) for column in zip(*whole, *more, strict=True))
    whole_rows, _, correct, whole_weights = (np.concatenate(column) for column in zip(*whole, strict=True))
    return {
        "absent_classifier": _fit_logistic(rows, absent, weights, names, CLASSIFIER_STRENGTH),
        "correct_classifier": _fit_logistic(whole_rows, correct, whole_weights, names, CLASSIFIER_STRENGTH),
    }


def _label_placements(
    posterior: EpisodePosterior, truth: NDArray[np.float64], weight: float
) -> tuple[Matrix, NDArray[np.bool_], NDArray[np.bool_], NDArray[np.float64]]:
    """Return the rows of an episode's placements, which features are absent, which starts correct, and the weights."""
    times = posterior.evidence.starts[posterior.chosen]
    return posterior.rows, np.isnan(truth), np.abs(times - truth) <= RIGHT_S, np.full(len(times), weight)


def fit_all(episodes: Sequence[MeasuredEpisode]) -> WeightSet:
    """Return a whole set of weights, rounded for the file."""
    fitted = {**fit_placement(episodes), **fit_classifiers(episodes, infer_held_out(episodes))}
    return {part: _round(values) if isinstance(values, dict) else values for part, values in fitted.items()}


def _round(values: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, _DECIMALS) for name, value in values.items()}


def main() -> None:
    """Fit to all episodes below the given folders and write the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, help="folders with annotated episodes")
    parser.add_argument(
        "--vectors", type=Path, help="fit the semantic set too; folder where sentence vectors are cached"
    )
    parser.add_argument("--output", type=Path, default=Path("pipeline/align/weights.json"), help="file to write")
    arguments = parser.parse_args()
    episodes = load_episodes(arguments.folders) + load_walkthroughs()
    caches = {"lexical": None, **({"semantic": arguments.vectors} if arguments.vectors else {})}
    fitted = {name: fit_all(measure_episodes(episodes, cache, with_cuts=True)) for name, cache in caches.items()}
    arguments.output.write_text(json.dumps(fitted, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
