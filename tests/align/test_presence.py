"""Presence: which entries of a long release list an episode discusses, and how many."""

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.align.aligner import align
from pipeline.align.inference import EpisodePosterior
from pipeline.align.presence import FITTED_SHARE, estimate_presence
from pipeline.align.weights import Weights
from pipeline.core.schema import Alignment, Discussed, Status
from tests.support.invented_shows import invent_episode, invent_features


def estimate(p_present: np.ndarray, share: float) -> np.ndarray:
    """Return the estimate for features to which the classifier gives these probabilities."""
    classifier = SimpleNamespace(probabilities=lambda rows: 1.0 - rows)
    weights: Any = SimpleNamespace(absent_classifier=classifier)
    return estimate_presence(cast(EpisodePosterior, SimpleNamespace(rows=p_present)), cast(Weights, weights), share)


def found(alignment: Alignment) -> set[int]:
    return {placement.position for placement in alignment.placements if placement.start is not None}


def test_share_is_estimated_from_a_mixture() -> None:
    p_present = np.concatenate([np.full(30, 0.999), np.full(270, 0.3)])
    estimated = estimate(p_present, 0.5)
    assert estimated.sum() == pytest.approx(30, abs=2)
    assert estimated[:30].min() > 0.9
    assert estimated[30:].max() < 0.02


def test_probabilities_of_the_fitted_share_stay() -> None:
    p_present = np.concatenate([np.full(90, 0.99), np.full(10, 0.09)])
    assert p_present.mean() == pytest.approx(FITTED_SHARE, abs=0.01)
    assert np.abs(estimate(p_present, FITTED_SHARE) - p_present).max() < 0.02


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.floats(0, 1))
def test_estimates_are_probabilities_in_the_same_order(values: list[float], share: float) -> None:
    p_present = np.array(values)
    estimated = estimate(p_present, share)
    assert ((estimated >= 0) & (estimated <= 1)).all()
    assert (np.diff(estimated[np.argsort(p_present)]) >= 0).all()


@pytest.mark.parametrize("count", [40, 100])
def test_few_entries_of_a_long_list_are_found(count: int) -> None:
    features = invent_features(count)
    order = range(3, count, count // 10)
    episode = invent_episode(features, order)
    alignment = align(episode.transcript, features)
    assert alignment.expected_discussed == pytest.approx(len(order), rel=0.25)
    own = {features[row].position for row in order}
    assert len(found(alignment) & own) >= 0.9 * len(own)
    assert len(found(alignment) - own) <= 0.02 * count
    wrong = [
        placement
        for placement in alignment.placements
        if placement.status is Status.CONFIDENT and placement.position not in own
    ]
    assert wrong == []


def test_own_list_is_no_ledger() -> None:
    features = invent_features(24)
    episode = invent_episode(features, range(24))
    alignment = align(episode.transcript, features)
    assert alignment.expected_discussed is None
    assert alignment == align(episode.transcript, features, discussed=Discussed.MOST)


def test_person_may_say_that_few_are_discussed() -> None:
    features = invent_features(24)
    episode = invent_episode(features, range(24))
    alignment = align(episode.transcript, features, discussed=Discussed.FEW)
    assert alignment.expected_discussed == pytest.approx(24, rel=0.1)
    assert len(found(alignment)) >= 22


def test_anchors_stay_in_a_ledger() -> None:
    features = invent_features(60)
    episode = invent_episode(features, range(0, 60, 6))
    anchors = {features[31].position: 100.0, features[32].position: None}
    placements = align(episode.transcript, features, anchors=anchors).placements
    assert (placements[31].start, placements[31].status) == (100.0, Status.CORRECTED)
    assert (placements[32].start, placements[32].status) == (None, Status.CORRECTED)


def test_list_of_another_episode_is_hardly_found() -> None:
    features = invent_features(80)
    episode = invent_episode(features, range(0, 40, 2))
    alignment = align(episode.transcript, features[40:])
    assert len(found(alignment)) <= 2
