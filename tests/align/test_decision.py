"""What is discussed, how sure a start must be, and what else fits."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.align.decision import (
    check_fit,
    decide_found,
    decide_placements,
    demand_sureness,
    find_rival,
    list_alternatives,
)
from pipeline.align.evidence import measure_evidence
from pipeline.align.inference import weigh_episode
from pipeline.align.units import split_units
from pipeline.align.weights import LinearModel, load_weights
from pipeline.core.schema import Alignment, Feature, Method, Placement, Status
from tests.support.invented_shows import measure_lines
from tests.support.project import LINES, make_transcript

TOLD = (Feature(1, "Invoices can be sorted by due date"), Feature(2, "Added a dark theme to the mobile app"))


@pytest.mark.parametrize(
    ("others", "rival"),
    [((), None), ((30.0,), None), ((60.0,), 60.0), ((30.0, 60.0), 60.0), ((90.0, 60.0), None), ((45.333,), 45.333)],
)
def test_a_rival_is_the_likeliest_other_place_and_fits_nearly_as_well(
    others: tuple[float, ...], rival: float | None
) -> None:
    starts, near = np.array([0.0, 30.0, 45.3333, 60.0, 90.0]), np.array([0.5, 0.5, 0.3, 0.2, 0.19])
    assert find_rival(starts, near, 0.0, others, 0.5) == rival


def test_bare_heading_must_be_surer_where_talk_dwells_on_it() -> None:
    weights, heading = load_weights(), Feature(1, "Future work")
    described = replace(heading, description="What is planned for the next release.")
    assert demand_sureness(heading, 200.0, weights) > demand_sureness(described, 200.0, weights)
    assert demand_sureness(heading, 40.0, weights) == demand_sureness(described, 40.0, weights)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_alternatives_are_the_likeliest_places_and_lie_apart(near: list[float]) -> None:
    starts = np.arange(0.0, 6.0 * len(near), 6.0)
    others = list_alternatives(starts, np.array(near), 12.0)
    masses = [near[int(other / 6.0)] for other in others]
    assert len(others) <= 3
    assert masses == sorted(masses, reverse=True)
    assert all(mass >= 0.05 for mass in masses)
    assert all(abs(one - other) >= 15.0 for one, other in itertools.combinations((12.0, *others), 2))


def test_an_alternative_may_lie_just_far_enough_away() -> None:
    assert list_alternatives(np.array([0.0, 15.0, 29.9]), np.array([0.6, 0.05, 0.3]), 0.0) == (29.9,)
    assert list_alternatives(np.array([0.0, 15.0, 30.0]), np.array([0.6, 0.05, 0.3]), 0.0) == (30.0, 15.0)


def test_an_alternative_must_be_worth_hearing_and_is_told_in_milliseconds() -> None:
    starts, near = np.array([0.0, 30.0, 60.33333]), np.array([0.6, 0.04, 0.06])
    assert list_alternatives(starts, near, 0.0) == (60.333,)


def judge_all(model: LinearModel, verdict: float) -> LinearModel:
    """A judge who says the same of everything."""
    return LinearModel(np.zeros_like(model.weights), verdict)


def test_how_sure_a_start_is_one_judge_says_alone() -> None:
    units, weights = split_units(make_transcript(LINES)), load_weights()
    weighing = weigh_episode(measure_lines(LINES, *TOLD), weights)
    even, sure = (
        decide_found(units, weighing, replace(weights, sure=judge_all(weights.sure, verdict)))
        for verdict in (0.0, 50.0)
    )
    np.testing.assert_allclose(even.sure, 0.5)
    np.testing.assert_allclose(sure.sure, 1.0)
    np.testing.assert_array_equal(even.absent, sure.absent)


def test_where_nothing_is_discussed_nothing_is_placed() -> None:
    units, weights = split_units(make_transcript(LINES)), load_weights()
    weighing = weigh_episode(measure_lines(LINES, *TOLD), weights)
    nobody = replace(weights, absent=judge_all(weights.absent, 50.0))
    for placement in decide_placements(units, TOLD, [], weighing, nobody).placements:
        assert (placement.start, placement.end, placement.status) == (None, None, Status.NOT_FOUND)


@pytest.mark.parametrize(("demanded", "status"), [(0.5, Status.CONFIDENT), (0.501, Status.REVIEW)])
def test_a_start_is_confident_from_the_sureness_on_that_is_demanded(demanded: float, status: Status) -> None:
    units, weights = split_units(make_transcript(LINES)), load_weights()
    weighing = weigh_episode(measure_lines(LINES, *TOLD), weights)
    even = replace(weights, sure=judge_all(weights.sure, 0.0), sure_from=demanded, bare_sure_from=demanded)
    placements = decide_placements(units, TOLD, [], weighing, even).placements
    assert [one.status for one in placements] == [status, status]


def test_a_start_that_its_neighbours_alone_place_is_never_confident() -> None:
    features = (TOLD[0], Feature(2, "Various improvements"), replace(TOLD[1], position=3))
    units, weights = split_units(make_transcript(LINES)), load_weights()
    weighing = weigh_episode(measure_lines(LINES, *features), weights)
    certain = replace(weights, sure=judge_all(weights.sure, 50.0), absent=judge_all(weights.absent, -50.0))
    placements = decide_placements(units, features, [], weighing, certain).placements
    assert [(one.status is Status.CONFIDENT, one.method is Method.ORDER) for one in placements] == [
        (True, False),
        (False, True),
        (True, False),
    ]


def test_times_are_told_in_milliseconds() -> None:
    transcript, weights = make_transcript(LINES, seconds_a_line=10.12345), load_weights()
    units = split_units(transcript)
    weighing = weigh_episode(measure_evidence(units, TOLD, [], "en"), weights)
    first, second = decide_placements(units, TOLD, [], weighing, weights).placements
    assert (first.start, first.end, second.start) == (10.123, 30.37, 30.37)


def test_other_places_that_fit_are_told() -> None:
    units, weights = split_units(make_transcript(LINES)), load_weights()
    weighing = weigh_episode(measure_lines(LINES, *TOLD), weights)
    near = np.zeros_like(weighing.near)
    near[0, [1, 3, 5]] = 0.5, 0.1, 0.3
    first, _ = decide_placements(units, TOLD, [], replace(weighing, near=near), weights).placements
    assert (first.start, first.alternatives) == (10.0, (50.0, 30.0))


def test_no_more_than_three_other_places_are_told() -> None:
    starts = np.array([0.0, 20.0, 40.0, 60.0, 80.0])
    assert list_alternatives(starts, np.array([0.5, 0.4, 0.3, 0.2, 0.1]), 0.0) == (20.0, 40.0, 60.0)


def test_a_known_start_is_quoted_from_the_sentence_that_it_falls_into() -> None:
    units, weights = split_units(make_transcript(LINES)), load_weights()
    nearer_the_next = 17.0
    weighing = weigh_episode(measure_lines(LINES, *TOLD), weights, {0: nearer_the_next})
    first, second = decide_placements(units, TOLD, [], weighing, weights).placements
    assert (first.start, first.quote[:15]) == (nearer_the_next, "Okay, first one")
    assert second.quote.startswith("All right, next up")


def place(found: int, absent: int, confidence: float, each: float = 60.0) -> Alignment:
    here = Placement(1, 0.0, 9.0, Status.REVIEW, confidence, Method.PHRASE, "said")
    nowhere = Placement(1, None, None, Status.NOT_FOUND, 0.9, Method.PHRASE, "not said")
    return Alignment(tuple(replace(here, start=number * each) for number in range(found)) + (nowhere,) * absent)


@pytest.mark.parametrize(
    ("alignment", "warned"),
    [
        (place(10, 0, 0.9), False),
        (place(6, 4, 0.9), False),
        (place(10, 0, 0.3), True),
        (place(10, 0, 0.5, each=60.0), True),
        (place(10, 0, 0.5, each=180.0), False),
        (place(10, 0, 0.3, each=180.0), True),
        (place(4, 6, 0.9), True),
        (place(0, 8, 0.9), True),
        (place(0, 7, 0.9), False),
        (Alignment(()), False),
    ],
)
def test_a_list_of_which_little_is_found_may_be_another_episode_s(alignment: Alignment, warned: bool) -> None:
    told = list(check_fit(alignment))
    assert bool(told) is warned
    assert all(warning.endswith("check that it is this episode's") for warning in told)
