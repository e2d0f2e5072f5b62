"""The words of features are matched one by one with the most similar spoken words in each window."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.align.late_interaction import (
    LATE_INTERACTION_NAMES,
    WordVectors,
    _best_within,
    center,
    measure_interaction,
)
from pipeline.align.lexical import Matrix

# Each direction is a meaning.
DOG, RAIN, SOUP, CHATTER = np.eye(4, dtype=np.float32)


def make_words(*entries: tuple[int, str, Matrix]) -> WordVectors:
    """Return words from their owner, text and vector."""
    vectors = np.array([vector for _, _, vector in entries], dtype=np.float32).reshape(-1, 4)
    return WordVectors(
        vectors, np.array([owner for owner, _, _ in entries], dtype=np.int64), tuple(t for _, t, _ in entries)
    )


def measure_columns(
    starts: list[float], spoken: WordVectors, listed: WordVectors, features: int
) -> dict[str, NDArray[np.float16]]:
    """Return the columns for units with the given starts; `listed` are the words of titles and of texts."""
    columns = {name: np.full((features, len(starts)), np.nan, dtype=np.float16) for name in LATE_INTERACTION_NAMES}
    measure_interaction(np.array(starts), spoken, listed, listed, columns)
    return columns


def test_feature_matches_words_of_same_meaning() -> None:
    spoken = make_words((0, "hello", CHATTER), (1, "puppy", DOG), (2, "yeah", CHATTER), (3, "weather", RAIN))
    columns = measure_columns([0.0, 10.0, 20.0, 30.0], spoken, make_words((0, "dog", DOG), (1, "rain", RAIN)), 2)
    assert columns["late_title_8"].argmax(axis=1).tolist() == [1, 3]
    assert columns["late_title_before"].argmax(axis=1).tolist() == [2, 0]
    assert columns["late_text_40"][0].tolist() == sorted(columns["late_text_40"][0].tolist(), reverse=True)


def test_rare_word_outweighs_common_one() -> None:
    entries = [(unit, "rain", RAIN) for unit in range(0, 60, 6)] + [(31, "puppy", DOG)]
    spoken = make_words(*sorted(entries, key=lambda entry: entry[0]))
    columns = measure_columns(
        [3.0 * unit for unit in range(60)], spoken, make_words((0, "puppy", DOG), (0, "rain", RAIN)), 1
    )
    assert columns["late_title_8"][0].argmax() in (29, 30, 31)


def test_chance_similarity_counts_nothing() -> None:
    almost = center(np.array([[0.2, 1.0, 0.0, 0.0]], dtype=np.float32), np.zeros(4, dtype=np.float32))[0]
    columns = measure_columns([0.0, 5.0], make_words((0, "cloud", almost)), make_words((0, "dog", DOG)), 1)
    assert not columns["late_text_40"].any()


def test_columns_are_finite_without_words() -> None:
    nothing = make_words()
    for spoken, listed in (
        (nothing, make_words((0, "dog", DOG))),
        (make_words((0, "dog", DOG)), nothing),
        (nothing, nothing),
    ):
        assert all(np.isfinite(values).all() for values in measure_columns([0.0, 1.0], spoken, listed, 2).values())


@given(
    st.lists(st.floats(0, 50), min_size=1, max_size=25).map(sorted),
    st.sampled_from([(0.0, 8.0), (0.0, 40.0), (-20.0, 0.0), (-3.0, 3.0)]),
    st.randoms(use_true_random=False),
)
def test_best_within_window_equals_direct_search(
    starts: list[float], window: tuple[float, float], chance: Random
) -> None:
    times = np.array(starts)
    values = np.array([[chance.random() for _ in starts] for _ in range(2)], dtype=np.float16)
    begin, stop = window
    inside = (times[None, :] >= times[:, None] + begin) & (times[None, :] < times[:, None] + stop)
    expected = np.where(inside[None], values[:, None, :], 0.0).max(axis=2)
    assert _best_within(values, times, begin, stop) == pytest.approx(expected.astype(np.float32))
