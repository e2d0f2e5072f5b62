"""The order of an episode is weighed as it would be by trying every way to tell it."""

import itertools
import math
from collections.abc import Iterator, Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.align.sequence_model import OrderPrices, Vector, gather_mass, weigh_order

PRICES = OrderPrices(onset=0.7, passage=0.4, boundary=0.3, rate=0.1, skip=-1.5, jump=-2.5, pause=-2.0)
Told = tuple[tuple[int, bool], ...]


def price_moves(count: int, prices: OrderPrices) -> dict[tuple[int, int], float]:
    """The probability of going from one feature to another, 0 being talk about none, in plain arithmetic."""
    moves: dict[tuple[int, int], float] = {}
    for here in range(count + 1):
        logs = {}
        for there in range(count + 1):
            if there == here:
                continue
            forward = max((there - here - 1) * prices.skip, prices.jump)
            logs[there] = prices.pause if there == 0 else forward if there > here else prices.jump
        total = sum(math.exp(log) for log in logs.values())
        moves |= {(here, there): math.exp(log) / total for there, log in logs.items()}
    return moves


def price_onset(scores: Vector, boundaries: Vector, prices: OrderPrices, state: int, unit: int) -> float:
    """The factor for a start: by how much a unit is better than the feature's usual one, and how often any starts."""
    count, size = scores.shape
    log = prices.rate + math.log(count / size) + prices.boundary * (boundaries[unit] - boundaries.mean())
    if state:
        usual = math.log(sum(math.exp(score) for score in scores[state - 1]) / size)
        log += prices.onset * (scores[state - 1, unit] - usual)
    return math.exp(min(max(log, -30.0), 8.0))


def tell_every_way(count: int, size: int) -> Iterator[Told]:
    """Every way to tell an episode: for each unit what it is about, and whether that starts there."""
    for path in itertools.product(range(count + 1), repeat=size):
        yield tuple((state, state != before) for before, state in itertools.pairwise((0, *path)))


def weigh_by_hand(
    scores: Vector, passages: Vector, boundaries: Vector, prices: OrderPrices, fixed: Mapping[int, int] = {}
) -> tuple[Vector, Vector]:
    """What `weigh_order` should return, by adding up all ways."""
    count, size = scores.shape
    moves = price_moves(count, prices)
    starts, talks, total = np.zeros((count, size)), np.zeros((count, size)), 0.0
    known = {unit: row + 1 for row, unit in fixed.items()}
    for told in tell_every_way(count, size):
        weight, before = 1.0, 0
        for unit, (state, begins) in enumerate(told):
            if unit in known and (state, begins) != (known[unit], True):
                weight = 0.0
            if begins and any(state == row + 1 and unit < first for row, first in fixed.items()):
                weight = 0.0
            if begins:
                free = unit in known
                weight *= moves[before, state]
                weight *= 1.0 if free else price_onset(scores, boundaries, prices, state, unit)
            if state and unit not in known:
                weight *= math.exp(prices.passage * passages[state - 1, unit])
            before = state
        total += weight
        for unit, (state, begins) in enumerate(told):
            if state:
                talks[state - 1, unit] += weight
                starts[state - 1, unit] += weight * begins
    return starts / total, talks / total


def draw(seed: int, count: int, size: int) -> tuple[Vector, Vector, Vector]:
    random = np.random.default_rng(seed)
    return random.normal(0, 2, (count, size)), random.normal(0, 1, (count, size)), random.normal(0, 1, size)


@given(st.integers(0, 1000), st.integers(1, 3), st.integers(1, 5))
def test_every_way_to_tell_an_episode_is_weighed(seed: int, count: int, size: int) -> None:
    heard = draw(seed, count, size)
    found, (starts, talks) = weigh_order(*heard, PRICES), weigh_by_hand(*heard, PRICES)
    np.testing.assert_allclose(found.starts, starts, atol=1e-9)
    np.testing.assert_allclose(found.talks, talks, atol=1e-9)


@given(st.integers(0, 1000), st.integers(0, 2), st.integers(0, 3))
def test_a_known_start_holds_and_the_others_are_weighed_around_it(seed: int, row: int, unit: int) -> None:
    heard, fixed = draw(seed, 3, 4), {row: unit}
    found, (starts, talks) = weigh_order(*heard, PRICES, fixed), weigh_by_hand(*heard, PRICES, fixed)
    assert found.starts[row, unit] == pytest.approx(1.0)
    assert found.starts[row, :unit].sum() == 0.0
    np.testing.assert_allclose(found.starts, starts, atol=1e-9)
    np.testing.assert_allclose(found.talks, talks, atol=1e-9)


def test_order_is_evidence_where_words_say_nothing() -> None:
    """Three features, one after the other, and nothing heard of the second: it lies between its neighbours."""
    scores = np.zeros((3, 9))
    scores[0, 1] = scores[2, 7] = 9.0
    found = weigh_order(scores, np.zeros((3, 9)), np.zeros(9), OrderPrices(onset=1.0, skip=-4.0))
    assert 1 < found.starts[1].argmax() < 7


def test_odds_beyond_all_bounds_still_give_probabilities() -> None:
    scores = np.array([[1e4, -1e4, 0.0], [-1e4, 0.0, 1e4]])
    found = weigh_order(scores, scores, np.array([50.0, -50.0, 0.0]), PRICES)
    for table in (found.starts, found.talks):
        assert np.isfinite(table).all()
        assert ((table >= 0) & (table <= 1 + 1e-9)).all()


def test_thousands_of_units_neither_vanish_nor_overflow() -> None:
    scores, passages, boundaries = draw(3, 4, 5000)
    talks = weigh_order(scores, passages * 5, boundaries, PRICES).talks
    assert np.isfinite(talks).all()
    assert talks.sum(axis=0).max() <= 1 + 1e-9


def test_mass_is_gathered_from_both_sides_with_the_bounds_included() -> None:
    starts, posterior = np.array([0.0, 2.0, 4.0, 9.0]), np.array([[0.1, 0.2, 0.3, 0.4]])
    np.testing.assert_allclose(gather_mass(starts, posterior, 2.0), [[0.3, 0.6, 0.5, 0.4]])
