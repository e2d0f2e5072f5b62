"""Infer the posterior of all starts of an episode, and choose the likeliest start of each feature."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from pipeline.align.evidence import Evidence, collect_onset_inputs
from pipeline.align.lexical import Matrix
from pipeline.align.placement_features import describe_placements
from pipeline.align.relevance_feedback import measure_feedback
from pipeline.align.sequence_model import NO_ANCHORED_UNITS, ChainPosterior, forward_backward, window_posterior
from pipeline.align.weights import Weights

Times = NDArray[np.float64]
Scores = NDArray[np.float64]

# The constants below were chosen on annotated episodes; docs/evaluation/alignment.md has the figures.

# Seconds to either side of a unit that form its window; the start is the likeliest unit in the best window.
WINDOW_S = 4.0

# A feature counts as named from this share of its title on.
NAMED_SHARE = 0.4

# Seconds after which a deferred feature is discussed at the earliest.
MIN_DEFERRAL_S = 45.0

# Log-odds that a start costs at a mention that hosts defer.
DEFERRED_COST = 10.0

# Seconds before a cue ("but later") in which a mention counts as deferred: the name comes first.
BEFORE_CUE_S = 40.0

# Seconds after a cue in which a mention counts as deferred.
AFTER_CUE_S = 6.0

# Log-odds that a start costs before guests and listeners are greeted; 4 and 8 give the same starts, 2 is too low.
OVERVIEW_COST = 4.0

# Windows are even if the ratio of their probabilities is at least this; the onset scores then decide.
EVEN_RATIO = 0.9

# Log-odds by which an onset score must be higher to decide between even windows.
CLEAR_SCORE = 3.0

# Smallest boundary log-odds: differences below it mean nothing.
MIN_BOUNDARY = -8.0

# Largest boundary log-odds: differences above it mean nothing.
MAX_BOUNDARY = 4.0

# Seconds a feature up to which the meaning of sentences counts in full; slower speech repeats the same evidence.
FULL_MEANING_S = 40.0

# Default of `anchors`: a person gave no start.
NO_ANCHORS: Mapping[int, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class EpisodePosterior:
    """The posterior of an episode and the placement chosen from it for each feature.

    Attributes:
        evidence: The evidence that the posterior was inferred from.
        chain: Probabilities of starts and of what each unit is about.
        window_mass: (features, units), the probability that a feature starts within WINDOW_S of a unit.
        chosen: (features), the unit that each feature is placed at.
        rows: (features, columns), what describes these placements; `pipeline.align.weights` names the columns.
        anchors: Starts in seconds that a person gave, by row.
    """

    evidence: Evidence
    chain: ChainPosterior
    window_mass: NDArray[np.float64]
    chosen: NDArray[np.int64]
    rows: Matrix
    anchors: Mapping[int, float] = field(default_factory=dict)


def infer_posterior(
    evidence: Evidence, weights: Weights, anchors: Mapping[int, float] = NO_ANCHORS
) -> EpisodePosterior:
    """Return the posterior of all starts and the placement of each feature.

    `anchors` are starts in seconds that a person gave, by row.
    """
    boundaries = score_boundaries(evidence, weights)
    scores = score_onsets(evidence, boundaries, weights)
    scores, passages = discount_deferred(evidence, scores, score_passages(evidence, weights))
    scores, passages = discount_overview(evidence, scores, passages)

    share = 1.0 if evidence.expected is None else evidence.expected / len(scores)

    def run_chain(anchored_units: Mapping[int, int] = NO_ANCHORED_UNITS) -> ChainPosterior:
        first = forward_backward(scores, passages, boundaries.astype(np.float64), weights.costs, anchored_units, share)
        feedback = measure_feedback(evidence, first.occupancy)
        if feedback is None:
            return first
        again = passages + feedback / weights.costs.passage
        return forward_backward(scores, again, boundaries.astype(np.float64), weights.costs, anchored_units, share)

    # Computed without anchors, which raise the mass of their neighbors: it says how well list and transcript fit.
    typical_mass = None
    if anchors:
        unaided = window_posterior(evidence.starts, run_chain().starts, WINDOW_S)
        typical_mass = float(np.median(unaided.max(axis=1)))
    chain = run_chain(anchor_units(evidence.starts, anchors))
    window_mass = window_posterior(evidence.starts, chain.starts, WINDOW_S)
    windows = find_best_windows(evidence.starts, window_mass, scores)
    chosen = choose_units(evidence.starts, chain.starts, window_mass, windows)
    rows = describe_placements(evidence, chain, scores, boundaries, window_mass, chosen, typical_mass)
    return EpisodePosterior(evidence, chain, window_mass, chosen, rows, anchors)


def score_boundaries(evidence: Evidence, weights: Weights) -> Matrix:
    """Return (units): the log-odds that any feature starts at a unit."""
    return np.clip(weights.boundary.log_odds(evidence.boundaries), MIN_BOUNDARY, MAX_BOUNDARY)


def score_onsets(evidence: Evidence, boundaries: Matrix, weights: Weights) -> Scores:
    """Return (features, units): the log-odds that a feature starts at a unit; `boundaries` are those of any feature."""
    inputs = (collect_onset_inputs(evidence, row, boundaries) for row in range(len(evidence.pairs)))
    return np.stack([weights.onset.log_odds(rows) for rows in inputs]).astype(np.float64)


def score_passages(evidence: Evidence, weights: Weights) -> Scores:
    """Return (features, units): the log-likelihood ratio of a unit being about a feature, by words and by meaning."""
    passages = evidence.passages.astype(np.float64)
    if evidence.similarities is not None:
        share = min(1.0, FULL_MEANING_S / max(evidence.pace_s, 1.0))
        passages += weights.costs.meaning / weights.costs.passage * share * evidence.similarities
    return passages


def anchor_units(starts: Times, anchors: Mapping[int, float]) -> dict[int, int]:
    """Return the unit nearest to each anchor, by row; where two anchors share a unit, the later one takes the next.

    `starts` (units) and the values of `anchors` are in seconds. An anchor for which no unit is left is dropped.
    """
    anchored: dict[int, int] = {}
    for row, start in sorted(anchors.items(), key=lambda item: (item[1], item[0])):
        unit = int(np.abs(starts - start).argmin())
        while unit in anchored.values():
            unit += 1
        if unit < len(starts):
            anchored[row] = unit
    return anchored


def discount_deferred(evidence: Evidence, scores: Scores, passages: Scores) -> tuple[Scores, Scores]:
    """Return scores and passages (features, units), less those of mentions that hosts defer ("save that for later").

    A mention counts as deferred only if its feature is named again later.
    """
    starts = evidence.starts
    cues = np.flatnonzero(evidence.boundaries[:, evidence.names.boundaries.index("put_off")])
    near_cue = np.zeros(len(starts))
    for unit in cues:
        begin = np.searchsorted(starts, starts[unit] - BEFORE_CUE_S)
        near_cue[begin : np.searchsorted(starts, starts[unit] + AFTER_CUE_S)] = 1.0
    index = evidence.names.pairs.index
    after, before = evidence.pairs[:, :, index("title_after_40")], evidence.pairs[:, :, index("title_before_15")]
    named = np.minimum(1.0, np.maximum(after, before) / NAMED_SHARE)
    # If the feature never comes again, "later" was about something else.
    last = np.where(named >= 1.0, starts, -np.inf).max(axis=1, keepdims=True)
    share = np.where(starts < last - MIN_DEFERRAL_S, named * near_cue, 0.0)
    return scores - DEFERRED_COST * share, passages * (1.0 - share)


def discount_overview(evidence: Evidence, scores: Scores, passages: Scores) -> tuple[Scores, Scores]:
    """Return scores and passages (features, units), less those of the episode's overview, which discusses nothing."""
    if evidence.overview_end is None:
        return scores, passages
    before = evidence.starts < evidence.overview_end
    return scores - OVERVIEW_COST * before, passages * ~before


def find_best_windows(starts: Times, window_mass: NDArray[np.float64], scores: Scores) -> NDArray[np.int64]:
    """Return (features): the unit at the center of each feature's likeliest window.

    Among windows of even probability, the one with a clearly higher onset score wins: list order speaks for one and
    words speak for the other.
    """
    best: NDArray[np.int64] = window_mass.argmax(axis=1)
    for row, unit in enumerate(best):
        even = window_mass[row] >= EVEN_RATIO * window_mass[row, unit]
        even &= scores[row] >= scores[row, unit] + CLEAR_SCORE
        even &= np.abs(starts - starts[unit]) > 2 * WINDOW_S
        if even.any():
            best[row] = np.where(even, window_mass[row], -1.0).argmax()
    return best


def choose_units(
    starts: Times,
    probabilities: NDArray[np.float64],
    window_mass: NDArray[np.float64],
    windows: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return (features): the likeliest unit inside each feature's window.

    Features with more mass choose first. No two features share a unit while the window has another one.

    Args:
        starts: (units), in seconds.
        probabilities: (features, units), that a feature starts at a unit.
        window_mass: (features, units), that a feature starts within WINDOW_S of a unit.
        windows: (features), the unit at the center of each feature's window.
    """
    chosen = np.zeros(len(probabilities), dtype=np.int64)
    free = np.ones(len(starts), dtype=bool)
    for row in np.argsort(-window_mass.max(axis=1), kind="stable"):
        inside = np.abs(starts - starts[windows[row]]) <= WINDOW_S
        if (inside & free).any():
            inside &= free
        units = np.flatnonzero(inside)
        chosen[row] = units[probabilities[row, units].argmax()]
        free[chosen[row]] = False
    return chosen
