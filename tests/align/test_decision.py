"""The decision: which features are discussed, which starts are confident, and which other places fit."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.align.decision import (
    check_fit,
    confidence_threshold,
    decide_discussed,
    decide_placements,
    describe_share,
    find_runner_up,
    list_alternatives,
)
from pipeline.align.evidence import measure_evidence
from pipeline.align.inference import infer_posterior
from pipeline.align.units import split_units
from pipeline.align.weights import LogisticModel, Thresholds, load_weights
from pipeline.core.schema import Alignment, Feature, Method, Placement, Status
from tests.support.invented_shows import measure_lines
from tests.support.project import LINES, make_transcript

FEATURES = (Feature(1, "Invoices can be sorted by due date"), Feature(2, "Added a dark theme to the mobile app"))


@pytest.mark.parametrize(
    ("alternatives", "runner_up"),
    [((), None), ((30.0,), None), ((60.0,), 60.0), ((30.0, 60.0), 60.0), ((90.0, 60.0), None), ((45.333,), 45.333)],
)
def test_runner_up_is_far_and_nearly_as_likely(alternatives: tuple[float, ...], runner_up: float | None) -> None:
    starts, mass = np.array([0.0, 30.0, 45.3333, 60.0, 90.0]), np.array([0.5, 0.5, 0.3, 0.2, 0.19])
    assert find_runner_up(starts, mass, 0.0, alternatives, 0.5) == runner_up


def test_bare_title_needs_more_confidence_in_slow_lists() -> None:
    thresholds, bare = load_weights().thresholds, Feature(1, "Future work")
    described = replace(bare, description="What is planned for the next release.")
    assert confidence_threshold(bare, 200.0, thresholds) > confidence_threshold(described, 200.0, thresholds)
    assert confidence_threshold(bare, 40.0, thresholds) == confidence_threshold(described, 40.0, thresholds)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_alternatives_are_the_likeliest_places_apart(mass: list[float]) -> None:
    starts = np.arange(0.0, 6.0 * len(mass), 6.0)
    alternatives = list_alternatives(starts, np.array(mass), 12.0)
    masses = [mass[int(time / 6.0)] for time in alternatives]
    assert len(alternatives) <= 3
    assert masses == sorted(masses, reverse=True)
    assert all(mass >= 0.05 for mass in masses)
    assert all(abs(first - second) >= 15.0 for first, second in itertools.combinations((12.0, *alternatives), 2))


def test_alternative_may_be_exactly_fifteen_seconds_away() -> None:
    assert list_alternatives(np.array([0.0, 15.0, 29.9]), np.array([0.6, 0.05, 0.3]), 0.0) == (29.9,)
    assert list_alternatives(np.array([0.0, 15.0, 30.0]), np.array([0.6, 0.05, 0.3]), 0.0) == (30.0, 15.0)


def test_alternatives_are_likely_and_in_milliseconds() -> None:
    starts, mass = np.array([0.0, 30.0, 60.33333]), np.array([0.6, 0.04, 0.06])
    assert list_alternatives(starts, mass, 0.0) == (60.333,)


def test_at_most_three_alternatives_are_listed() -> None:
    starts = np.array([0.0, 20.0, 40.0, 60.0, 80.0])
    assert list_alternatives(starts, np.array([0.5, 0.4, 0.3, 0.2, 0.1]), 0.0) == (20.0, 40.0, 60.0)


def make_constant(model: LogisticModel, log_odds: float) -> LogisticModel:
    """Return a classifier that gives the same log-odds for every row."""
    return LogisticModel(np.zeros_like(model.weights), log_odds)


def test_correct_classifier_alone_gives_p_correct() -> None:
    units, weights = split_units(make_transcript(LINES)), load_weights()
    posterior = infer_posterior(measure_lines(LINES, *FEATURES), weights)
    even, certain = (
        decide_discussed(
            units,
            posterior,
            replace(weights, correct_classifier=make_constant(weights.correct_classifier, log_odds)),
        )
        for log_odds in (0.0, 50.0)
    )
    np.testing.assert_allclose(even.p_correct, 0.5)
    np.testing.assert_allclose(certain.p_correct, 1.0)
    np.testing.assert_array_equal(even.p_absent, certain.p_absent)


def test_absent_features_get_no_place() -> None:
    units, weights = split_units(make_transcript(LINES)), load_weights()
    posterior = infer_posterior(measure_lines(LINES, *FEATURES), weights)
    absent = replace(weights, absent_classifier=make_constant(weights.absent_classifier, 50.0))
    for placement in decide_placements(units, FEATURES, [], posterior, absent).placements:
        assert (placement.start, placement.end, placement.status) == (None, None, Status.NOT_FOUND)


@pytest.mark.parametrize(("threshold", "status"), [(0.5, Status.CONFIDENT), (0.501, Status.REVIEW)])
def test_start_is_confident_from_its_threshold_on(threshold: float, status: Status) -> None:
    units, weights = split_units(make_transcript(LINES)), load_weights()
    posterior = infer_posterior(measure_lines(LINES, *FEATURES), weights)
    even = replace(
        weights,
        correct_classifier=make_constant(weights.correct_classifier, 0.0),
        thresholds=Thresholds(weights.thresholds.absent, threshold, threshold),
    )
    placements = decide_placements(units, FEATURES, [], posterior, even).placements
    assert [placement.status for placement in placements] == [status, status]


def test_start_placed_by_neighbors_is_never_confident() -> None:
    features = (FEATURES[0], Feature(2, "Various improvements"), replace(FEATURES[1], position=3))
    units, weights = split_units(make_transcript(LINES)), load_weights()
    posterior = infer_posterior(measure_lines(LINES, *features), weights)
    certain = replace(
        weights,
        correct_classifier=make_constant(weights.correct_classifier, 50.0),
        absent_classifier=make_constant(weights.absent_classifier, -50.0),
    )
    placements = decide_placements(units, features, [], posterior, certain).placements
    assert [(placement.status is Status.CONFIDENT, placement.method is Method.ORDER) for placement in placements] == [
        (True, False),
        (False, True),
        (True, False),
    ]


def test_placements_are_in_milliseconds() -> None:
    transcript, weights = make_transcript(LINES, seconds_a_line=10.12345), load_weights()
    units = split_units(transcript)
    posterior = infer_posterior(measure_evidence(units, FEATURES, [], "en"), weights)
    first, second = decide_placements(units, FEATURES, [], posterior, weights).placements
    assert (first.start, first.end, second.start) == (10.123, 30.37, 30.37)


def test_placement_lists_its_alternatives() -> None:
    units, weights = split_units(make_transcript(LINES)), load_weights()
    posterior = infer_posterior(measure_lines(LINES, *FEATURES), weights)
    mass = np.zeros_like(posterior.window_mass)
    mass[0, [1, 3, 5]] = 0.5, 0.1, 0.3
    first, _ = decide_placements(units, FEATURES, [], replace(posterior, window_mass=mass), weights).placements
    assert (first.start, first.alternatives) == (10.0, (50.0, 30.0))


def test_anchor_is_quoted_from_the_sentence_around_it() -> None:
    units, weights = split_units(make_transcript(LINES)), load_weights()
    nearer_the_next = 17.0
    posterior = infer_posterior(measure_lines(LINES, *FEATURES), weights, {0: nearer_the_next})
    first, second = decide_placements(units, FEATURES, [], posterior, weights).placements
    assert (first.start, first.quote[:15]) == (nearer_the_next, "Okay, first one")
    assert second.quote.startswith("All right, next up")


def make_alignment(found: int, absent: int, confidence: float, seconds_per_feature: float = 60.0) -> Alignment:
    """Return an alignment of evenly spaced starts of one confidence, and of features that are not discussed."""
    placed = Placement(1, 0.0, 9.0, Status.REVIEW, confidence, Method.PHRASE, "said")
    left_out = Placement(1, None, None, Status.NOT_FOUND, 0.9, Method.PHRASE, "not said")
    starts = (seconds_per_feature * number for number in range(found))
    return Alignment(tuple(replace(placed, start=start) for start in starts) + (left_out,) * absent)


@pytest.mark.parametrize(
    ("alignment", "warned"),
    [
        (make_alignment(10, 0, 0.9), False),
        (make_alignment(6, 4, 0.9), False),
        (make_alignment(10, 0, 0.3), True),
        (make_alignment(10, 0, 0.5, seconds_per_feature=60.0), True),
        (make_alignment(10, 0, 0.5, seconds_per_feature=180.0), False),
        (make_alignment(10, 0, 0.3, seconds_per_feature=180.0), True),
        (make_alignment(4, 6, 0.9), True),
        (make_alignment(0, 8, 0.9), True),
        (make_alignment(0, 7, 0.9), False),
        (Alignment(()), False),
    ],
)
def test_list_with_few_found_features_is_warned_about(alignment: Alignment, warned: bool) -> None:
    warnings = list(check_fit(alignment))
    assert bool(warnings) is warned
    assert all(warning.endswith("check that it is this episode's list") for warning in warnings)


@pytest.mark.parametrize(("confident", "warned"), [(0, True), (1, True), (2, False), (9, False)])
def test_list_discussed_in_part_needs_two_confident_starts(confident: int, warned: bool) -> None:
    found = Placement(1, 60.0, 90.0, Status.CONFIDENT, 0.9, Method.PHRASE, "its title is spoken")
    missing = Placement(1, None, None, Status.NOT_FOUND, 0.9, Method.SEMANTIC, "no passage is about it")
    placements = tuple(replace(found if n <= confident else missing, position=n) for n in range(1, 41))
    alignment = Alignment(placements, expected_discussed=float(confident))
    assert bool(list(check_fit(alignment))) is warned
    assert describe_share(alignment) == f"{confident} of 40 entries seem to be discussed here"
