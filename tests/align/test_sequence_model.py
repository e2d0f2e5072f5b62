"""The sequence model gives the posterior that adding up all paths through an episode gives."""

import itertools
import math
from collections.abc import Iterator, Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.align.sequence_model import TransitionCosts, Vector, forward_backward, window_posterior

COSTS = TransitionCosts(onset=0.7, passage=0.4, boundary=0.3, skip=-1.5, jump=-2.5, pause=-2.0)
Path = tuple[tuple[int, bool], ...]


def expected_transitions(count: int, costs: TransitionCosts) -> dict[tuple[int, int], float]:
    """Return the probability of a move from one state to another, in plain arithmetic."""
    moves: dict[tuple[int, int], float] = {}
    for here in range(count + 1):
        logs = {}
        for there in range(count + 1):
            if there == here:
                continue
            forward = max((there - here - 1) * costs.skip, costs.jump)
            logs[there] = costs.pause if there == 0 else forward if there > here else costs.jump
        total = sum(math.exp(log) for log in logs.values())
        moves |= {(here, there): math.exp(log) / total for there, log in logs.items()}
    return moves


def expected_onset(scores: Vector, boundaries: Vector, costs: TransitionCosts, state: int, unit: int) -> float:
    """Return the factor of a start: its score relative to the feature's average, and how often any feature starts."""
    count, size = scores.shape
    log = math.log(count / size) + costs.boundary * (boundaries[unit] - boundaries.mean())
    if state:
        average = math.log(sum(math.exp(score) for score in scores[state - 1]) / size)
        log += costs.onset * (scores[state - 1, unit] - average)
    return math.exp(min(max(log, -30.0), 8.0))


def list_paths(count: int, size: int) -> Iterator[Path]:
    """Yield every path through an episode: for each unit its state, and whether the state starts there."""
    for states in itertools.product(range(count + 1), repeat=size):
        yield tuple((state, state != before) for before, state in itertools.pairwise((0, *states)))


def sum_paths(
    scores: Vector,
    passages: Vector,
    boundaries: Vector,
    costs: TransitionCosts,
    anchored_units: Mapping[int, int] = {},
) -> tuple[Vector, Vector]:
    """Return what `forward_backward` should return, by adding up all paths."""
    count, size = scores.shape
    moves = expected_transitions(count, costs)
    starts, occupancy, total = np.zeros((count, size)), np.zeros((count, size)), 0.0
    anchored = {unit: row + 1 for row, unit in anchored_units.items()}
    for path in list_paths(count, size):
        weight, before = 1.0, 0
        for unit, (state, begins) in enumerate(path):
            if unit in anchored and (state, begins) != (anchored[unit], True):
                weight = 0.0
            if begins and any(state == row + 1 and unit < first for row, first in anchored_units.items()):
                weight = 0.0
            if begins:
                weight *= moves[before, state]
                weight *= 1.0 if unit in anchored else expected_onset(scores, boundaries, costs, state, unit)
            if state and unit not in anchored:
                weight *= math.exp(costs.passage * passages[state - 1, unit])
            before = state
        total += weight
        for unit, (state, begins) in enumerate(path):
            if state:
                occupancy[state - 1, unit] += weight
                starts[state - 1, unit] += weight * begins
    return starts / total, occupancy / total


def draw_evidence(seed: int, count: int, size: int) -> tuple[Vector, Vector, Vector]:
    random = np.random.default_rng(seed)
    return random.normal(0, 2, (count, size)), random.normal(0, 1, (count, size)), random.normal(0, 1, size)


@given(st.integers(0, 1000), st.integers(1, 3), st.integers(1, 5))
def test_posterior_equals_sum_over_all_paths(seed: int, count: int, size: int) -> None:
    evidence = draw_evidence(seed, count, size)
    posterior, (starts, occupancy) = forward_backward(*evidence, COSTS), sum_paths(*evidence, COSTS)
    np.testing.assert_allclose(posterior.starts, starts, atol=1e-9)
    np.testing.assert_allclose(posterior.occupancy, occupancy, atol=1e-9)


@given(st.integers(0, 1000), st.integers(0, 2), st.integers(0, 3))
def test_anchor_is_certain_and_conditions_the_others(seed: int, row: int, unit: int) -> None:
    evidence, anchored_units = draw_evidence(seed, 3, 4), {row: unit}
    posterior = forward_backward(*evidence, COSTS, anchored_units)
    starts, occupancy = sum_paths(*evidence, COSTS, anchored_units)
    assert posterior.starts[row, unit] == pytest.approx(1.0)
    assert posterior.starts[row, :unit].sum() == 0.0
    np.testing.assert_allclose(posterior.starts, starts, atol=1e-9)
    np.testing.assert_allclose(posterior.occupancy, occupancy, atol=1e-9)


def test_list_order_decides_where_words_are_silent() -> None:
    """Three features, one after the other, without evidence for the second: it lies between its neighbors."""
    scores = np.zeros((3, 9))
    scores[0, 1] = scores[2, 7] = 9.0
    posterior = forward_backward(scores, np.zeros((3, 9)), np.zeros(9), TransitionCosts(onset=1.0, skip=-4.0))
    assert 1 < posterior.starts[1].argmax() < 7


def test_extreme_scores_still_give_probabilities() -> None:
    scores = np.array([[1e4, -1e4, 0.0], [-1e4, 0.0, 1e4]])
    posterior = forward_backward(scores, scores, np.array([50.0, -50.0, 0.0]), COSTS)
    for table in (posterior.starts, posterior.occupancy):
        assert np.isfinite(table).all()
        assert ((table >= 0) & (table <= 1 + 1e-9)).all()


@pytest.mark.filterwarnings("error")
def test_no_expected_feature_still_gives_probabilities() -> None:
    scores, passages, boundaries = draw_evidence(5, 4, 1)
    posterior = forward_backward(scores, passages, boundaries, COSTS, share=0.0)
    for table in (posterior.starts, posterior.occupancy):
        assert np.isfinite(table).all()
        assert (table < 1e-6).all()


def test_thousands_of_units_neither_underflow_nor_overflow() -> None:
    scores, passages, boundaries = draw_evidence(3, 4, 5000)
    occupancy = forward_backward(scores, passages * 5, boundaries, COSTS).occupancy
    assert np.isfinite(occupancy).all()
    assert occupancy.sum(axis=0).max() <= 1 + 1e-9


def test_window_includes_both_of_its_bounds() -> None:
    starts, probabilities = np.array([0.0, 2.0, 4.0, 9.0]), np.array([[0.1, 0.2, 0.3, 0.4]])
    np.testing.assert_allclose(window_posterior(starts, probabilities, 2.0), [[0.3, 0.6, 0.5, 0.4]])
