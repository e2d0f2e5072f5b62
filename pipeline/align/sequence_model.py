"""Model an episode as a Markov chain over its features; list order is evidence, never a rule.

State 0 is speech about nothing on the list, state 1 + n is the nth feature of the list. At every unit of speech the
chain stays in its state or moves to another one, and the unit is then a start.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

# Smallest log-factor of a start, natural logarithm: values below it only underflow.
_LOG_FLOOR = -30.0

# The smallest share of features that counts as expected; its logarithm is below the floor.
_MIN_SHARE = 1e-15

# Largest log-factor of a start, natural logarithm: values above it only overflow.
_LOG_CEILING = 8.0

# Default of `anchored_units`: a person gave no start.
NO_ANCHORED_UNITS: Mapping[int, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class TransitionCosts:
    """Weights of the evidence and costs of the moves between features, all as natural logarithms.

    Attributes:
        onset: Weight of the log-odds that a feature starts at a unit.
        passage: Weight of the log-likelihood ratio that a unit's words are about a feature.
        meaning: Weight of how much more than usual a unit resembles a feature in meaning.
        boundary: Weight of the log-odds that any feature starts at a unit.
        skip: Cost of each feature left out on the way forward in the list.
        jump: Cost of a move to any other place in the list.
        pause: Cost of a move to speech about nothing on the list.
    """

    onset: float = 0.5
    passage: float = 0.3
    meaning: float = 0.0
    boundary: float = 0.0
    skip: float = -2.0
    jump: float = -5.0
    pause: float = -5.0


@dataclass(frozen=True, slots=True)
class ChainPosterior:
    """Posterior probabilities of the chain, each (features, units).

    `starts` is the probability that a feature starts at a unit, `occupancy` that a unit is about a feature.
    """

    starts: Vector
    occupancy: Vector


def forward_backward(
    scores: Vector,
    passages: Vector,
    boundaries: Vector,
    costs: TransitionCosts,
    anchored_units: Mapping[int, int] = NO_ANCHORED_UNITS,
    share: float = 1.0,
) -> ChainPosterior:
    """Return the posterior of every start, from a forward-backward pass over the units.

    The algorithm is that of L. Rabiner, A tutorial on hidden Markov models, 1989.

    Args:
        scores: (features, units), log-odds that a feature starts at a unit.
        passages: (features, units), log-likelihood ratios that a unit's words are about a feature.
        boundaries: (units), log-odds that any feature starts at a unit.
        costs: Weights of these three and costs of moves.
        anchored_units: Units at which features are known to start, by row; no two rows share a unit. An anchored
            feature starts nowhere before its anchor, but the speech may return to it later.
        share: Share of the features that are expected to be discussed. The others count neither as starts nor as
            features left out on the way.
    """
    # A transcript with hardly any words leaves nothing to expect: 0 would make every probability undefined.
    share = max(share, _MIN_SHARE)
    onsets, emissions = _weigh_onsets(scores, boundaries, costs, share), _weigh_emissions(passages, costs)
    may_stay = np.ones(len(boundaries))
    for row, unit in anchored_units.items():
        onsets[:unit, 1 + row] = 0.0
        onsets[unit] = 0.0
        onsets[unit, 1 + row] = emissions[unit, 1 + row] = 1.0
        may_stay[unit] = 0.0
    return _run_chain(onsets, emissions, _build_transitions(len(scores), costs, share), may_stay)


def _weigh_onsets(scores: Vector, boundaries: Vector, costs: TransitionCosts, share: float) -> Vector:
    """Return (units, 1 + features): the factor of a start in each state."""
    count, size = scores.shape
    top = scores.max(axis=1, keepdims=True)
    # The log of the mean odds: a start counts by how much it is better than the feature's average unit.
    average = top + np.log(np.exp(scores - top).mean(axis=1, keepdims=True))
    base = np.log(share * count / size) + costs.boundary * (boundaries - boundaries.mean())
    logs = np.concatenate([base[None, :], costs.onset * (scores - average) + base])
    factors: Vector = np.exp(np.clip(logs, _LOG_FLOOR, _LOG_CEILING)).T
    return np.ascontiguousarray(factors)


def _weigh_emissions(passages: Vector, costs: TransitionCosts) -> Vector:
    """Return (units, 1 + features): how well a unit's words fit each state, relative to the best state."""
    logs = np.concatenate([np.zeros((1, passages.shape[1])), costs.passage * passages])
    factors: Vector = np.exp(logs - logs.max(axis=0)).T
    return np.ascontiguousarray(factors)


def _build_transitions(count: int, costs: TransitionCosts, share: float) -> Vector:
    """Return (1 + features, 1 + features): the probability of a move from one state to another."""
    places = np.arange(count + 1)
    distance = places[None, :] - places[:, None]
    logs = np.where(distance > 0, np.maximum((distance - 1) * share * costs.skip, costs.jump), costs.jump)
    logs += np.log(share)
    logs[:, 0] = costs.pause
    moves = np.exp(logs)
    np.fill_diagonal(moves, 0.0)
    if count:
        moves /= moves.sum(axis=1, keepdims=True)
    probabilities: Vector = moves
    return probabilities


def _run_chain(onsets: Vector, emissions: Vector, transitions: Vector, may_stay: Vector) -> ChainPosterior:
    """Return the posterior of the chain.

    `may_stay` (units) is 0 where the chain must move to the feature that is anchored there, else 1.
    """
    size, states = onsets.shape
    occupied, entered = np.zeros((size, states)), np.zeros((size, states))
    state = np.zeros(states)
    state[0] = 1.0
    # Every step is scaled to a sum of one: products over thousands of units underflow.
    for unit in range(size):
        enter = (state @ transitions) * onsets[unit] * emissions[unit]
        state = may_stay[unit] * state * emissions[unit] + enter
        total = state.sum()
        state /= total
        occupied[unit], entered[unit] = state, enter / total
    ahead = np.ones(states)
    for unit in range(size - 1, -1, -1):
        total = occupied[unit] @ ahead
        occupied[unit] *= ahead / total
        entered[unit] *= ahead / total
        ahead = ahead * emissions[unit]
        ahead = may_stay[unit] * ahead + transitions @ (onsets[unit] * ahead)
        ahead /= ahead.sum()
    return ChainPosterior(entered[:, 1:].T, occupied[:, 1:].T)


def window_posterior(starts: Vector, probabilities: Vector, radius_s: float) -> Vector:
    """Return (features, units): the sum of `probabilities` within `radius_s` seconds of each unit, bounds included.

    `starts` (units) are in seconds and rise; `probabilities` is (features, units).
    """
    sums = np.concatenate([np.zeros((len(probabilities), 1)), np.cumsum(probabilities, axis=1)], axis=1)
    left = np.searchsorted(starts, starts - radius_s, side="left")
    right = np.searchsorted(starts, starts + radius_s, side="right")
    windows: Vector = sums[:, right] - sums[:, left]
    return windows
