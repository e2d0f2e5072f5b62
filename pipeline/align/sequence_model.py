"""Decide over the whole episode which feature is talked about when; the list's order is evidence, never a rule."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

# Odds beyond these bounds (natural logarithm) add nothing but overflow.
_FLOOR, _CEILING = -30.0, 8.0
NO_FIXED: Mapping[int, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class OrderPrices:
    """What moves cost, as natural logarithms, and what evidence counts.

    `onset` multiplies the log-odds that a feature starts at a unit, `passage` the log-likelihood ratio of a unit's
    words being about it, `meaning` how much more than usual a unit resembles it, `boundary` the log-odds that
    anything starts there. `rate` is added to the logarithm of the mean number of starts a unit. `skip` is the price
    of each feature left out on the way forward, `jump` that of going anywhere, `pause` that of talk about no feature.
    """

    onset: float = 0.5
    passage: float = 0.3
    meaning: float = 0.0
    boundary: float = 0.0
    rate: float = 0.0
    skip: float = -2.0
    jump: float = -5.0
    pause: float = -5.0


@dataclass(frozen=True, slots=True)
class Posterior:
    """Probabilities (features, units): that a feature's discussion starts at a unit, and that it goes on there."""

    starts: Vector
    talks: Vector


def weigh_order(
    scores: Vector, passages: Vector, boundaries: Vector, prices: OrderPrices, fixed: Mapping[int, int] = NO_FIXED
) -> Posterior:
    """Return when each feature starts, by a forward-backward pass over time.

    `scores` (features, units) are log-odds of a start, `passages` (features, units) log-likelihood ratios,
    `boundaries` (units) log-odds. At every unit the talk stays with its feature, or moves to another one. `fixed` are
    the units at which features are known to start, by row, no two alike: the talk may come back to them later.
    """
    onsets, talk = _price_onsets(scores, boundaries, prices), _weigh_talk(passages, prices)
    may_stay = np.ones(len(boundaries))
    for row, unit in fixed.items():
        onsets[:unit, 1 + row] = 0.0
        onsets[unit] = 0.0
        onsets[unit, 1 + row] = talk[unit, 1 + row] = 1.0
        may_stay[unit] = 0.0
    return _pass_both_ways(onsets, talk, _price_moves(len(scores), prices), may_stay)


def _price_onsets(scores: Vector, boundaries: Vector, prices: OrderPrices) -> Vector:
    """Return (units, 1 + features): the factor for a start; column 0 is talk about nothing on the list."""
    count, size = scores.shape
    top = scores.max(axis=1, keepdims=True)
    spread = top + np.log(np.exp(scores - top).mean(axis=1, keepdims=True))
    rate = prices.rate + np.log(count / size) + prices.boundary * (boundaries - boundaries.mean())
    logs = np.concatenate([rate[None, :], prices.onset * (scores - spread) + rate])
    factors: Vector = np.exp(np.clip(logs, _FLOOR, _CEILING)).T
    return np.ascontiguousarray(factors)


def _weigh_talk(passages: Vector, prices: OrderPrices) -> Vector:
    """Return (units, 1 + features): how well a unit's words fit each feature, the best one being 1."""
    logs = np.concatenate([np.zeros((1, passages.shape[1])), prices.passage * passages])
    factors: Vector = np.exp(logs - logs.max(axis=0)).T
    return np.ascontiguousarray(factors)


def _price_moves(count: int, prices: OrderPrices) -> Vector:
    """Return (1 + features, 1 + features): the probability of going from one feature to another."""
    places = np.arange(count + 1)
    distance = places[None, :] - places[:, None]
    logs = np.where(distance > 0, np.maximum((distance - 1) * prices.skip, prices.jump), prices.jump)
    logs[:, 0] = prices.pause
    moves = np.exp(logs)
    np.fill_diagonal(moves, 0.0)
    if count:
        moves /= moves.sum(axis=1, keepdims=True)
    probabilities: Vector = moves
    return probabilities


def _pass_both_ways(onsets: Vector, talk: Vector, moves: Vector, may_stay: Vector) -> Posterior:
    """Return the posterior of the chain; every step is scaled to one, as products of thousands underflow.

    `may_stay` (units) is 0 where the talk must move to what starts there.
    """
    size, states = onsets.shape
    filtered, entered = np.zeros((size, states)), np.zeros((size, states))
    state = np.zeros(states)
    state[0] = 1.0
    for unit in range(size):
        enter = (state @ moves) * onsets[unit] * talk[unit]
        state = may_stay[unit] * state * talk[unit] + enter
        total = state.sum()
        state /= total
        filtered[unit], entered[unit] = state, enter / total
    ahead = np.ones(states)
    for unit in range(size - 1, -1, -1):
        total = filtered[unit] @ ahead
        filtered[unit] *= ahead / total
        entered[unit] *= ahead / total
        ahead = ahead * talk[unit]
        ahead = may_stay[unit] * ahead + moves @ (onsets[unit] * ahead)
        ahead /= ahead.sum()
    return Posterior(entered[:, 1:].T, filtered[:, 1:].T)


def gather_mass(starts: Vector, posterior: Vector, radius: float) -> Vector:
    """Return (features, units): the posterior within `radius` seconds of each unit."""
    sums = np.concatenate([np.zeros((len(posterior), 1)), np.cumsum(posterior, axis=1)], axis=1)
    left = np.searchsorted(starts, starts - radius, side="left")
    right = np.searchsorted(starts, starts + radius, side="right")
    gathered: Vector = sums[:, right] - sums[:, left]
    return gathered
