"""What the weighing of an episode says of each placement."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.align.inference import Weighing, weigh_episode
from pipeline.align.placement_features import gather_talk, mark_order
from pipeline.align.weights import MEANING_PLACEMENT_NAMES, PLACEMENT_NAMES, load_weights
from pipeline.core.schema import Feature
from tests.support.invented_shows import measure_lines
from tests.support.project import LINES

FEATURES = (
    Feature(1, "Invoices can be sorted by due date", "The invoice list gets a sort button."),
    Feature(2, "Added a dark theme to the mobile app", "Follows the setting of the phone."),
    Feature(3, "Zebra quotas", "Nobody speaks of them."),
)


def weigh(
    features: tuple[Feature, ...] = FEATURES,
    lines: tuple[str, ...] = LINES,
    *,
    meaning: bool = False,
    begin: float = 0.0,
) -> Weighing:
    return weigh_episode(measure_lines(lines, *features, meaning=meaning, begin=begin), load_weights(meaning))


def columns(weighing: Weighing) -> dict[str, list[float]]:
    """What each column says, one value a feature."""
    names = PLACEMENT_NAMES if weighing.evidence.similarities is None else MEANING_PLACEMENT_NAMES
    return dict(zip(names, weighing.rows.T.tolist(), strict=True))


@given(st.lists(st.integers(0, 6), max_size=7))
def test_order_marks_the_longest_run_that_never_falls(times: list[int]) -> None:
    marks = mark_order(np.array(times, dtype=float))
    marked = list(itertools.compress(times, marks))
    longest = max(
        len(run)
        for size in range(len(times) + 1)
        for run in itertools.combinations(times, size)
        if list(run) == sorted(run)
    )
    assert marked == sorted(marked)
    assert len(marked) == longest


def test_of_two_longest_runs_the_first_is_taken() -> None:
    assert mark_order(np.array([10.0, 40.0, 20.0, 30.0])).tolist() == [True, False, True, True]
    assert mark_order(np.array([2.0, 1.0])).tolist() == [True, False]


def test_talk_is_gathered_over_the_half_minute_after_a_start() -> None:
    starts, talks = np.array([0.0, 10.0, 30.0, 31.0]), np.array([[1.0, 0.5, 0.0, 1.0], [0.0, 0.0, 0.2, 0.4]])
    assert gather_talk(starts, talks, np.array([0, 2])).tolist() == pytest.approx([0.5, 0.3])


def test_what_is_discussed_looks_unlike_what_is_not() -> None:
    told = columns(weigh())
    for name in ("mass_near", "mass_wide", "talk", "talk_total", "text_best", "onset_best"):
        assert min(told[name][:2]) > told[name][2], name
    assert told["unheard"][2] > max(told["unheard"][:2])
    assert told["described"] == [1.0, 1.0, 1.0]


def test_shares_and_probabilities_stay_what_they_are() -> None:
    told = columns(weigh())
    for name in ("mass_near", "mass_wide", "rival_mass", "talk", "talk_some", "crowded", "unheard", "unheard_talk"):
        assert all(0.0 <= value <= 1.0 + 1e-6 for value in told[name]), name
    assert max(told["talk_some"]) <= 0.5
    assert max(told["talk_total"]) <= 3.0


def test_a_rival_is_a_place_far_from_the_chosen_one() -> None:
    """The dark theme told twice, minutes apart, has a rival; told once, it has none."""
    lines = (*LINES[:5], *("We had soup for lunch again today.",) * 14, *LINES[3:])
    twice = columns(weigh(FEATURES[:2], lines))["rival_mass"]
    assert twice[1] > 10 * twice[0]


def test_a_placement_is_crowded_where_another_one_starts_within_six_seconds() -> None:
    apart = columns(weigh(FEATURES[:2]))["crowded"]
    both = ("We had soup for lunch.", "Invoices can be sorted by due date, and a dark theme in the mobile app.", "Bye.")
    assert (apart, columns(weigh(FEATURES[:2], both))["crowded"]) == ([0.0, 0.0], [1.0, 1.0])


def test_with_an_encoder_likeness_in_meaning_is_told_too() -> None:
    features = (Feature(1, "A puppy"), Feature(2, "The weather"), Feature(3, "Zebra quotas"))
    told = columns(weigh(features, ("Our dog is a dog.", "A dog it is.", "Now the rain.", "It is rain."), meaning=True))
    mass, best, late = (np.array(told[name]) for name in ("mass_near", "mean_best", "late_best_text"))
    assert min(best[:2]) > best[2]
    assert min(told["mean_here"][:2]) > told["mean_here"][2]
    for name, expected in {
        "mean_usual": np.full(3, np.median(best)),
        "mean_edge": best - np.median(best),
        "mean_edge_mass": (best - np.median(best)) * mass,
        "mean_here_mass": np.array(told["mean_here"]) * mass,
        "late_edge": late - np.median(late),
        "late_edge_mass": (late - np.median(late)) * mass,
    }.items():
        np.testing.assert_allclose(told[name], expected, atol=1e-5, err_msg=name)


def test_when_a_recording_begins_to_talk_does_not_matter() -> None:
    told, later = columns(weigh()), columns(weigh(begin=1000.0))
    for name, values in told.items():
        assert later[name] == pytest.approx(values, abs=1e-3), name


def test_a_feature_without_a_description_says_so() -> None:
    bare = (replace(FEATURES[0], description=""), *FEATURES[1:])
    assert columns(weigh(bare))["described"] == [0.0, 1.0, 1.0]
