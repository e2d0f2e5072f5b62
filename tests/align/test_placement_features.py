"""The numbers that describe each placement."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.align.inference import EpisodePosterior, infer_posterior
from pipeline.align.placement_features import mark_order, measure_occupancy
from pipeline.align.weights import PLACEMENT_NAMES, SEMANTIC_PLACEMENT_NAMES, load_weights
from pipeline.core.schema import Feature
from tests.support.invented_shows import measure_lines
from tests.support.project import LINES
from tests.support.speech import load_topic_weights

FEATURES = (
    Feature(1, "Invoices can be sorted by due date", "The invoice list gets a sort button."),
    Feature(2, "Added a dark theme to the mobile app", "Follows the setting of the phone."),
    Feature(3, "Zebra quotas", "Nobody speaks of them."),
)


def infer(
    features: tuple[Feature, ...] = FEATURES,
    lines: tuple[str, ...] = LINES,
    *,
    meaning: bool = False,
    begin: float = 0.0,
) -> EpisodePosterior:
    weights = load_topic_weights() if meaning else load_weights()
    return infer_posterior(measure_lines(lines, *features, meaning=meaning, begin=begin), weights)


def read_columns(posterior: EpisodePosterior) -> dict[str, list[float]]:
    """Return the columns by name, one value a feature."""
    names = PLACEMENT_NAMES if posterior.evidence.similarities is None else SEMANTIC_PLACEMENT_NAMES
    return dict(zip(names, posterior.rows.T.tolist(), strict=True))


@given(st.lists(st.integers(0, 6), max_size=7))
def test_order_is_the_longest_subsequence_that_never_falls(times: list[int]) -> None:
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


def test_first_of_two_longest_subsequences_is_taken() -> None:
    assert mark_order(np.array([10.0, 40.0, 20.0, 30.0])).tolist() == [True, False, True, True]
    assert mark_order(np.array([2.0, 1.0])).tolist() == [True, False]


def test_occupancy_is_averaged_over_half_a_minute() -> None:
    starts, occupancy = np.array([0.0, 10.0, 30.0, 31.0]), np.array([[1.0, 0.5, 0.0, 1.0], [0.0, 0.0, 0.2, 0.4]])
    assert measure_occupancy(starts, occupancy, np.array([0, 2])).tolist() == pytest.approx([0.5, 0.3])


def test_discussed_features_differ_from_absent_ones() -> None:
    columns = read_columns(infer())
    for name in ("mass_near", "mass_wide", "occupancy", "occupancy_total", "text_best", "onset_best"):
        assert min(columns[name][:2]) > columns[name][2], name
    assert columns["unspoken"][2] > max(columns["unspoken"][:2])
    assert columns["described"] == [1.0, 1.0, 1.0]


def test_shares_and_probabilities_stay_within_bounds() -> None:
    columns = read_columns(infer())
    for name in (
        "mass_near",
        "mass_wide",
        "runner_up_mass",
        "crowded",
        "unspoken",
        "occupancy",
        "occupancy_some",
        "unspoken_occupancy",
    ):
        assert all(0.0 <= value <= 1.0 + 1e-6 for value in columns[name]), name
    assert max(columns["occupancy_some"]) <= 0.5
    assert max(columns["occupancy_total"]) <= 3.0


def test_runner_up_mass_counts_only_far_places() -> None:
    """The dark theme, discussed twice minutes apart, has a runner-up; the invoices, discussed once, have none."""
    lines = (*LINES[:5], *("We had soup for lunch again today.",) * 14, *LINES[3:])
    twice = read_columns(infer(FEATURES[:2], lines))["runner_up_mass"]
    assert twice[1] > 10 * twice[0]


def test_placements_within_six_seconds_are_crowded() -> None:
    apart = read_columns(infer(FEATURES[:2]))["crowded"]
    both = ("We had soup for lunch.", "Invoices can be sorted by due date, and a dark theme in the mobile app.", "Bye.")
    assert (apart, read_columns(infer(FEATURES[:2], both))["crowded"]) == ([0.0, 0.0], [1.0, 1.0])


def test_encoder_adds_similarity_in_meaning() -> None:
    features = (Feature(1, "A puppy"), Feature(2, "The weather"), Feature(3, "Zebra quotas"))
    columns = read_columns(
        infer(features, ("Our dog is a dog.", "A dog it is.", "Now the rain.", "It is rain."), meaning=True)
    )
    mass, best, late = (np.array(columns[name]) for name in ("mass_near", "mean_best", "late_best_text"))
    assert min(best[:2]) > best[2]
    assert min(columns["mean_here"][:2]) > columns["mean_here"][2]
    for name, expected in {
        "mean_usual": np.full(3, np.median(best)),
        "mean_edge": best - np.median(best),
        "mean_edge_mass": (best - np.median(best)) * mass,
        "mean_here_mass": np.array(columns["mean_here"]) * mass,
        "late_edge": late - np.median(late),
        "late_edge_mass": (late - np.median(late)) * mass,
    }.items():
        np.testing.assert_allclose(columns[name], expected, atol=1e-5, err_msg=name)


def test_silence_before_the_first_word_changes_nothing() -> None:
    columns, later = read_columns(infer()), read_columns(infer(begin=1000.0))
    for name, values in columns.items():
        assert later[name] == pytest.approx(values, abs=1e-3), name


def test_missing_description_is_described() -> None:
    bare = (replace(FEATURES[0], description=""), *FEATURES[1:])
    assert read_columns(infer(bare))["described"] == [0.0, 1.0, 1.0]
