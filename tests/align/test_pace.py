"""Lists that are gone through fast are looked at on a slower clock."""

import numpy as np
import pytest

from pipeline.align.evidence import measure_evidence
from pipeline.align.units import (
    MAX_TIME_SCALE,
    MIN_SECONDS_PER_FEATURE,
    Unit,
    scale_times,
    seconds_per_feature,
    time_scale,
)
from pipeline.core.schema import Feature

FEATURES = [Feature(1, "Louder bell"), Feature(2, "Longer cord")]
TALK = [
    "Hello there.",
    "The bell is louder.",
    "You hear it upstairs.",
    "The cord is longer now.",
    "It reaches.",
    "Bye.",
]


def say(every: float) -> list[Unit]:
    """Return the talk with a sentence every so many seconds."""
    return [Unit(number * every, (number + 0.9) * every, line) for number, line in enumerate(TALK)]


@pytest.mark.parametrize(
    ("dwell", "factor"),
    [
        (200.0, 1.0),
        (MIN_SECONDS_PER_FEATURE, 1.0),
        (MIN_SECONDS_PER_FEATURE / 2, 2.0),
        (1.0, MAX_TIME_SCALE),
        (0.0, MAX_TIME_SCALE),
    ],
)
def test_time_is_stretched_where_a_feature_gets_little_of_it(dwell: float, factor: float) -> None:
    assert time_scale(dwell) == factor


def test_dwell_is_the_talk_shared_among_the_features() -> None:
    assert seconds_per_feature(np.array([5.0, 20.0, 65.0]), 3) == 20.0


def test_twice_as_fast_a_talk_gives_the_same_evidence_at_its_own_times() -> None:
    fast, slow = (measure_evidence(say(every), FEATURES, [], "en") for every in (8.0, 16.0))
    assert np.array_equal(fast.pairs, slow.pairs)
    assert np.array_equal(fast.passages, slow.passages)
    assert np.array_equal(2 * fast.starts, slow.starts)


def test_stretched_units_keep_their_words() -> None:
    (unit,) = scale_times([Unit(10.0, 14.0, "The bell is louder.")], 3.0)
    assert unit == Unit(30.0, 42.0, "The bell is louder.")
