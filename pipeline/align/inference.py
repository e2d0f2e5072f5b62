"""Weigh all starts of an episode against each other, and choose the likeliest one for each feature."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from pipeline.align.evidence import Evidence, Matrix, collect_onset_inputs
from pipeline.align.placement_features import describe_placements
from pipeline.align.relevance_feedback import measure_feedback
from pipeline.align.sequence_model import NO_FIXED, Posterior, gather_mass, weigh_order
from pipeline.align.units import seconds_per_feature
from pipeline.align.weights import Weights

# A start is the unit with most probability inside the best window of this many seconds to either side.
NEAR_S = 4.0

# A feature is named by this share of its title; what is put off comes again no sooner than this; log-odds it costs.
NAMED, AGAIN_S, PUT_OFF = 0.4, 45.0, 10.0
BEFORE_CUE_S, AFTER_CUE_S = 40.0, 6.0

# Log-odds that a start costs before guests and listeners are greeted.
OVERVIEW = 4.0

# Of places whose probabilities are this even (their ratio), words decide where they differ by such log-odds.
EVEN, CLEAR_WORDS = 0.9, 3.0

# Seconds a feature: at this pace or faster, what sentences mean counts in full.
PACE_S = 40.0
NO_STARTS: Mapping[int, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Weighing:
    """An episode weighed: `near` (features, units) is the probability that a feature starts within NEAR_S of a unit.

    `chosen` (features) is the best unit for each, and `rows` (features, columns) describe those placements, in the
    columns of `pipeline.align.weights`. `given` are starts in seconds that were known before, by row.
    """

    evidence: Evidence
    posterior: Posterior
    near: NDArray[np.float64]
    chosen: NDArray[np.int64]
    rows: Matrix
    given: Mapping[int, float] = field(default_factory=dict)


def weigh_episode(evidence: Evidence, weights: Weights, given: Mapping[int, float] = NO_STARTS) -> Weighing:
    """Return all starts weighed against each other, and what the weighing says of each feature's best one.

    `given` are starts in seconds that are known, by row.
    """
    boundaries = rate_boundaries(evidence, weights)
    inputs = (collect_onset_inputs(evidence, row, boundaries) for row in range(len(evidence.pairs)))
    scores = np.stack([weights.onset.rate(rows) for rows in inputs]).astype(np.float64)
    passages = evidence.passages.astype(np.float64)
    if evidence.similarities is not None:
        # Talk that dwells on each feature for minutes repeats the same evidence sentence after sentence.
        pace = min(1.0, PACE_S / max(seconds_per_feature(evidence.starts, len(passages)), 1.0))
        passages += weights.prices.meaning / weights.prices.passage * pace * evidence.similarities
    scores, passages = discount_put_off(evidence, scores, passages)
    scores, passages = discount_overview(evidence, scores, passages)

    def weigh(fixed: Mapping[int, int] = NO_FIXED) -> Posterior:
        first = weigh_order(scores, passages, boundaries.astype(np.float64), weights.prices, fixed)
        more = measure_feedback(evidence, first.talks)
        if more is None:
            return first
        again = passages + more / weights.prices.passage
        return weigh_order(scores, again, boundaries.astype(np.float64), weights.prices, fixed)

    # How well list and talk fit each other is told by what is found unaided.
    typical = float(np.median(gather_mass(evidence.starts, weigh().starts, NEAR_S).max(axis=1))) if given else None
    posterior = weigh(find_units(evidence.starts, given))
    near = gather_mass(evidence.starts, posterior.starts, NEAR_S)
    chosen = choose_units(evidence.starts, posterior.starts, near, find_likeliest(evidence.starts, near, scores))
    rows = describe_placements(evidence, posterior, scores, boundaries, near, chosen, typical)
    return Weighing(evidence, posterior, near, chosen, rows, given)


def find_units(starts: NDArray[np.float64], given: Mapping[int, float]) -> dict[int, int]:
    """Return the unit nearest to each known start, by row; where two would share one, the later takes the next.

    `starts` (units) and the values of `given` are in seconds.
    """
    fixed: dict[int, int] = {}
    for row, start in sorted(given.items(), key=lambda item: (item[1], item[0])):
        unit = int(np.abs(starts - start).argmin())
        while unit in fixed.values():
            unit += 1
        if unit < len(starts):
            fixed[row] = unit
    return fixed


def discount_put_off(
    evidence: Evidence, scores: NDArray[np.float64], passages: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return scores and passages (features, units) less what "let's save that for later" takes from a mention."""
    starts = evidence.starts
    heard = np.flatnonzero(evidence.boundaries[:, evidence.names.boundaries.index("put_off")])
    cue = np.zeros(len(starts))
    for unit in heard:
        # The name comes first, "but later" after it.
        cue[
            np.searchsorted(starts, starts[unit] - BEFORE_CUE_S) : np.searchsorted(starts, starts[unit] + AFTER_CUE_S)
        ] = 1.0
    index = evidence.names.pairs.index
    after, before = evidence.pairs[:, :, index("title_after_40")], evidence.pairs[:, :, index("title_before_15")]
    named = np.minimum(1.0, np.maximum(after, before) / NAMED)
    # Who says "later" of a feature that never comes up again speaks of something else.
    last = np.where(named >= 1.0, starts, -np.inf).max(axis=1, keepdims=True)
    share = np.where(starts < last - AGAIN_S, named * cue, 0.0)
    return scores - PUT_OFF * share, passages * (1.0 - share)


def discount_overview(
    evidence: Evidence, scores: NDArray[np.float64], passages: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return scores and passages (features, units) less what an overview of the episode takes: it discusses nothing."""
    if evidence.overview_end is None:
        return scores, passages
    before = evidence.starts < evidence.overview_end
    return scores - OVERVIEW * before, passages * ~before


def rate_boundaries(evidence: Evidence, weights: Weights) -> Matrix:
    """Return the log-odds (units) that any topic starts at a unit."""
    return np.clip(weights.boundary.rate(evidence.boundaries), -8.0, 4.0)


def find_likeliest(
    starts: NDArray[np.float64], near: NDArray[np.float64], scores: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return for every feature the unit at which its likeliest window is centred.

    Where order speaks for one window and words for another, the probabilities may be even; then words win.
    """
    likeliest: NDArray[np.int64] = near.argmax(axis=1)
    for row, unit in enumerate(likeliest):
        even = (near[row] >= EVEN * near[row, unit]) & (scores[row] >= scores[row, unit] + CLEAR_WORDS)
        even &= np.abs(starts - starts[unit]) > 2 * NEAR_S
        if even.any():
            likeliest[row] = np.where(even, near[row], -1.0).argmax()
    return likeliest


def choose_units(
    starts: NDArray[np.float64],
    posterior: NDArray[np.float64],
    near: NDArray[np.float64],
    likeliest: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return for every feature the likeliest unit inside its likeliest window; no two share one while others fit.

    `starts` (units) are in seconds, `posterior` and `near` (features, units) probabilities at and around a unit.
    """
    chosen = np.zeros(len(posterior), dtype=np.int64)
    free = np.ones(len(starts), dtype=bool)
    for row in np.argsort(-near.max(axis=1), kind="stable"):
        inside = np.abs(starts - starts[likeliest[row]]) <= NEAR_S
        if (inside & free).any():
            inside &= free
        units = np.flatnonzero(inside)
        chosen[row] = units[posterior[row, units].argmax()]
        free[chosen[row]] = False
    return chosen
