"""Starts are weighed against each other: what is put off, what is known, what words say where all else is even."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.align.inference import (
    CLEAR_WORDS,
    EVEN,
    OVERVIEW,
    choose_units,
    discount_overview,
    discount_put_off,
    find_likeliest,
    find_units,
    rate_boundaries,
    weigh_episode,
)
from pipeline.align.weights import PLACEMENT_NAMES, load_weights
from pipeline.core.schema import Feature
from tests.support.invented_shows import measure_lines
from tests.support.project import LINES

TOLD = (Feature(1, "Invoices can be sorted by due date"), Feature(2, "Added a dark theme to the mobile app"))

PUT_OFF = (
    "Invoices can be sorted by due date, but let's save that for later.",
    "It has the dark theme in the mobile app, too.",
    *("We had soup for lunch again today.",) * 6,
    "So, invoices can be sorted by due date.",
)


def test_only_what_is_put_off_and_comes_again_is_discounted() -> None:
    named = (Feature(1, "Invoices sorted by due date"), Feature(2, "Dark theme"), Feature(3, "Zebra quotas"))
    evidence = measure_lines(PUT_OFF, *named)
    before = np.full(evidence.passages.shape, 2.0)
    scores, passages = discount_put_off(evidence, before, before)
    assert scores[0, 0] < -5.0
    assert passages[0, 0] == 0.0
    # Once the feature comes again, and for features that do not, all is as it was.
    for values in (scores, passages):
        assert (values[0, 4:] == 2.0).all()
        assert (values[1:] == 2.0).all()


def test_until_guests_are_greeted_nothing_is_discussed_yet() -> None:
    lines = ("Today it is invoices by due date.", "Welcome, Ana.", *("It hums.",) * 12)
    evidence = measure_lines(lines, *TOLD)
    before = np.full(evidence.passages.shape, 2.0)
    scores, passages = discount_overview(evidence, before, before)
    assert (scores[:, 0] == 2.0 - OVERVIEW).all()
    assert (passages[:, 0] == 0.0).all()
    assert (scores[:, 1:] == 2.0).all()
    assert (passages[:, 1:] == 2.0).all()


def test_without_a_greeting_discussions_may_start_at_once() -> None:
    evidence = measure_lines(PUT_OFF, *TOLD)
    before = np.full(evidence.passages.shape, 2.0)
    assert all((values == 2.0).all() for values in discount_overview(evidence, before, before))


def test_talk_in_other_words_is_drawn_to_the_feature_it_means() -> None:
    lines = ("Our dog is a dog.", "A dog it is.", "Now the rain.", "It is rain.")
    evidence = measure_lines(
        lines, Feature(1, "A puppy"), Feature(2, "The weather"), Feature(3, "Zebra quotas"), meaning=True
    )
    assert evidence.similarities is not None
    mute = replace(evidence, similarities=np.zeros_like(evidence.similarities))
    talks, without = (weigh_episode(one, load_weights(with_meaning=True)).posterior.talks for one in (evidence, mute))
    assert (talks[1, 2:] > without[1, 2:]).all()
    assert (talks[0, 2:] < without[0, 2:]).all()


def test_known_starts_take_the_nearest_units_the_earlier_one_first() -> None:
    starts = np.array([0.0, 10.0, 20.0])
    assert find_units(starts, {5: 9.0, 0: 11.0}) == {5: 1, 0: 2}
    assert find_units(starts, {2: 9.0, 1: 9.0}) == {1: 1, 2: 2}
    assert find_units(starts, {0: 99.0, 1: 98.0}) == {1: 2}, "beyond the last unit nothing is left to hold"


def test_two_features_share_a_unit_only_where_there_is_no_other() -> None:
    starts = np.array([0.0, 3.0, 20.0])
    posterior = np.array([[0.5, 0.4, 0.0], [0.5, 0.3, 0.0]])
    near = np.array([[0.9, 0.9, 0.0], [0.8, 0.8, 0.0]])
    assert choose_units(starts, posterior, near, near.argmax(axis=1)).tolist() == [0, 1], "the surer one chooses first"
    few = np.array([0, 2])
    alone = choose_units(starts[few], posterior[:, few], near[:, few], near[:, few].argmax(axis=1))
    assert alone.tolist() == [0, 0]


def test_of_features_as_sure_as_each_other_the_first_of_the_list_chooses_first() -> None:
    near, posterior = np.full((20, 21), 0.5), np.tile(np.linspace(1, 0, 21), (20, 1))
    assert choose_units(np.linspace(0.0, 2.0, 21), posterior, near, near.argmax(axis=1)).tolist() == list(range(20))


@pytest.mark.parametrize(
    ("rival", "score", "unit"),
    [(0.39, 9.0, 2), (0.39, CLEAR_WORDS - 0.1, 0), (0.99 * EVEN * 0.4, 9.0, 0)],
    ids=["even, and clearly named", "even, and hardly named", "named, but far less likely"],
)
def test_of_places_as_likely_as_each_other_words_choose(rival: float, score: float, unit: int) -> None:
    starts, near, scores = np.array([0.0, 6.0, 60.0]), np.array([[0.4, 0.39, rival]]), np.array([[0.0, 9.0, score]])
    assert find_likeliest(starts, near, scores).tolist() == [unit]


def test_a_sentence_that_leads_over_is_the_likeliest_start_of_anything() -> None:
    rated = rate_boundaries(measure_lines(LINES, *TOLD), load_weights())
    assert rated.argmax() == LINES.index("All right, next up is the dark theme in the mobile app.")


def test_a_place_is_taken_inside_the_likeliest_window_alone() -> None:
    starts, near = np.array([0.0, 3.0, 60.0]), np.array([[0.9, 0.9, 0.0], [0.8, 0.8, 0.1]])
    posterior = np.array([[0.5, 0.4, 0.0], [0.5, 0.3, 0.9]])
    assert choose_units(starts, posterior, near, np.array([0, 0])).tolist() == [0, 1]


def test_words_count_beside_what_is_meant() -> None:
    evidence = measure_lines(LINES, *TOLD, Feature(3, "Zebra quotas"), meaning=True)
    wordless = replace(evidence, passages=np.zeros_like(evidence.passages))
    weights = load_weights(with_meaning=True)
    talks, without = (weigh_episode(one, weights).posterior.talks for one in (evidence, wordless))
    assert talks[0, 2] > without[0, 2]
    assert talks[1, 4] > without[1, 4]


def test_feedback_is_evidence_of_the_passage_like_words(monkeypatch: pytest.MonkeyPatch) -> None:
    evidence, weights = measure_lines(LINES, *TOLD, meaning=True), load_weights(with_meaning=True)
    more = np.array([[0.0, 1.0, 1.0, 0.0, -1.0, 0.0], [0.0, -1.0, 0.0, 0.5, 0.5, 0.0]])
    raised = replace(evidence, passages=(evidence.passages + more / weights.prices.passage).astype(np.float32))
    monkeypatch.setattr("pipeline.align.inference.measure_feedback", lambda evidence, talks: None)
    expected = weigh_episode(raised, weights).posterior.talks
    monkeypatch.setattr("pipeline.align.inference.measure_feedback", lambda evidence, talks: more)
    np.testing.assert_allclose(weigh_episode(evidence, weights).posterior.talks, expected, atol=1e-5)


def test_how_well_list_and_talk_fit_is_told_by_what_is_found_unaided() -> None:
    evidence, weights = measure_lines(LINES, *TOLD), load_weights()
    column = PLACEMENT_NAMES.index("typical_mass")
    unaided, aided = (weigh_episode(evidence, weights, given).rows[:, column] for given in ({}, {0: 42.0, 1: 1.0}))
    np.testing.assert_allclose(aided, unaided)
