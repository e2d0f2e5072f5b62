"""Inference: onset scores, discounts, anchors, and the choice of a unit for each feature."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.align.inference import (
    CLEAR_SCORE,
    EVEN_RATIO,
    OVERVIEW_COST,
    anchor_units,
    choose_units,
    discount_deferred,
    discount_overview,
    find_best_windows,
    infer_posterior,
    score_boundaries,
)
from pipeline.align.weights import PLACEMENT_NAMES, load_weights
from pipeline.core.schema import Feature
from tests.support.invented_shows import measure_lines
from tests.support.project import LINES
from tests.support.speech import load_topic_weights

FEATURES = (Feature(1, "Invoices can be sorted by due date"), Feature(2, "Added a dark theme to the mobile app"))
ZEBRAS = Feature(3, "Zebra quotas")

DEFERRED = (
    "Invoices can be sorted by due date, but let's save that for later.",
    "It has the dark theme in the mobile app, too.",
    *("We had soup for lunch again today.",) * 6,
    "So, invoices can be sorted by due date.",
)


def test_only_deferred_mentions_that_return_are_discounted() -> None:
    named = (Feature(1, "Invoices sorted by due date"), Feature(2, "Dark theme"), ZEBRAS)
    evidence = measure_lines(DEFERRED, *named)
    before = np.full(evidence.passages.shape, 2.0)
    scores, passages = discount_deferred(evidence, before, before)
    assert scores[0, 0] < -5.0
    assert passages[0, 0] == 0.0
    # Once the feature is named again, and for features that are not, nothing is discounted.
    for values in (scores, passages):
        assert (values[0, 4:] == 2.0).all()
        assert (values[1:] == 2.0).all()


def test_overview_before_the_greeting_is_discounted() -> None:
    lines = ("Today it is invoices by due date.", "Welcome, Ana.", *("It hums.",) * 12)
    evidence = measure_lines(lines, *FEATURES)
    before = np.full(evidence.passages.shape, 2.0)
    scores, passages = discount_overview(evidence, before, before)
    assert (scores[:, 0] == 2.0 - OVERVIEW_COST).all()
    assert (passages[:, 0] == 0.0).all()
    assert (scores[:, 1:] == 2.0).all()
    assert (passages[:, 1:] == 2.0).all()


def test_without_a_greeting_nothing_is_discounted() -> None:
    evidence = measure_lines(DEFERRED, *FEATURES)
    before = np.full(evidence.passages.shape, 2.0)
    assert all((values == 2.0).all() for values in discount_overview(evidence, before, before))


def test_meaning_draws_speech_to_its_feature() -> None:
    lines = ("Our dog is a dog.", "A dog it is.", "Now the rain.", "It is rain.")
    evidence = measure_lines(lines, Feature(1, "A puppy"), Feature(2, "The weather"), ZEBRAS, meaning=True)
    assert evidence.similarities is not None
    neutral = replace(evidence, similarities=np.zeros_like(evidence.similarities))
    weights = load_topic_weights()
    occupancy, without = (infer_posterior(case, weights).chain.occupancy for case in (evidence, neutral))
    assert (occupancy[1, 2:] > without[1, 2:]).all()
    assert (occupancy[0, 2:] < without[0, 2:]).all()


def test_anchors_take_nearest_units_earlier_one_first() -> None:
    starts = np.array([0.0, 10.0, 20.0])
    assert anchor_units(starts, {5: 9.0, 0: 11.0}) == {5: 1, 0: 2}
    assert anchor_units(starts, {2: 9.0, 1: 9.0}) == {1: 1, 2: 2}
    assert anchor_units(starts, {0: 99.0, 1: 98.0}) == {1: 2}, "no unit is left beyond the last one"


def test_features_share_a_unit_only_without_another() -> None:
    starts = np.array([0.0, 3.0, 20.0])
    probabilities = np.array([[0.5, 0.4, 0.0], [0.5, 0.3, 0.0]])
    mass = np.array([[0.9, 0.9, 0.0], [0.8, 0.8, 0.0]])
    assert choose_units(starts, probabilities, mass, mass.argmax(axis=1)).tolist() == [0, 1], "more mass chooses first"
    few = np.array([0, 2])
    alone = choose_units(starts[few], probabilities[:, few], mass[:, few], mass[:, few].argmax(axis=1))
    assert alone.tolist() == [0, 0]


def test_features_of_equal_mass_choose_in_list_order() -> None:
    mass, probabilities = np.full((20, 21), 0.5), np.tile(np.linspace(1, 0, 21), (20, 1))
    chosen = choose_units(np.linspace(0.0, 2.0, 21), probabilities, mass, mass.argmax(axis=1))
    assert chosen.tolist() == list(range(20))


@pytest.mark.parametrize(
    ("other_mass", "score", "unit"),
    [(0.39, 9.0, 2), (0.39, CLEAR_SCORE - 0.1, 0), (0.99 * EVEN_RATIO * 0.4, 9.0, 0)],
    ids=["even, and clearly named", "even, and hardly named", "named, but far less likely"],
)
def test_onset_score_decides_between_even_windows(other_mass: float, score: float, unit: int) -> None:
    starts, mass = np.array([0.0, 6.0, 60.0]), np.array([[0.4, 0.39, other_mass]])
    assert find_best_windows(starts, mass, np.array([[0.0, 9.0, score]])).tolist() == [unit]


def test_transition_sentence_is_the_likeliest_boundary() -> None:
    scores = score_boundaries(measure_lines(LINES, *FEATURES), load_weights())
    assert scores.argmax() == LINES.index("All right, next up is the dark theme in the mobile app.")


def test_unit_is_chosen_only_inside_its_window() -> None:
    starts, mass = np.array([0.0, 3.0, 60.0]), np.array([[0.9, 0.9, 0.0], [0.8, 0.8, 0.1]])
    probabilities = np.array([[0.5, 0.4, 0.0], [0.5, 0.3, 0.9]])
    assert choose_units(starts, probabilities, mass, np.array([0, 0])).tolist() == [0, 1]


def test_words_count_beside_meaning() -> None:
    evidence = measure_lines(LINES, *FEATURES, ZEBRAS, meaning=True)
    wordless = replace(evidence, passages=np.zeros_like(evidence.passages))
    weights = load_topic_weights()
    occupancy, without = (infer_posterior(case, weights).chain.occupancy for case in (evidence, wordless))
    assert occupancy[0, 2] > without[0, 2]
    assert occupancy[1, 4] > without[1, 4]


def test_feedback_counts_like_words_of_the_passage(monkeypatch: pytest.MonkeyPatch) -> None:
    evidence, weights = measure_lines(LINES, *FEATURES, meaning=True), load_topic_weights()
    feedback = np.array([[0.0, 1.0, 1.0, 0.0, -1.0, 0.0], [0.0, -1.0, 0.0, 0.5, 0.5, 0.0]])
    raised = replace(evidence, passages=(evidence.passages + feedback / weights.costs.passage).astype(np.float32))
    monkeypatch.setattr("pipeline.align.inference.measure_feedback", lambda evidence, occupancy: None)
    expected = infer_posterior(raised, weights).chain.occupancy
    monkeypatch.setattr("pipeline.align.inference.measure_feedback", lambda evidence, occupancy: feedback)
    np.testing.assert_allclose(infer_posterior(evidence, weights).chain.occupancy, expected, atol=1e-5)


def test_anchors_leave_the_typical_mass_unchanged() -> None:
    evidence, weights = measure_lines(LINES, *FEATURES), load_weights()
    column = PLACEMENT_NAMES.index("typical_mass")
    unaided, aided = (
        infer_posterior(evidence, weights, anchors).rows[:, column] for anchors in ({}, {0: 42.0, 1: 1.0})
    )
    np.testing.assert_allclose(aided, unaided)
