"""Terms are weighted by how rare they are in speech and in the list, and matched however they are spelled."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.align.lexical import (
    BACKGROUND,
    DESCRIPTION_WEIGHT,
    MIN_IDF,
    SHARED_WORD_WEIGHT,
    TermIndex,
    build_term_index,
    drop_from_peak,
    feature_shares,
    idf_weights,
    shrink_rows,
)
from pipeline.core.language import extract_terms
from pipeline.core.schema import Feature


def weigh(spoken: int, listed: int, blocks: int = 100, features: int = 30) -> float:
    """Return the idf weight of a term in `spoken` of the blocks and in `listed` of the features."""
    counts = (np.array([count], dtype=float) for count in (spoken, listed))
    spoken_counts, listed_counts = counts
    return float(idf_weights(spoken_counts, blocks, listed_counts, features)[0])


def index_lines(lines: list[str], *features: Feature) -> TermIndex:
    """Return the term index of lines that are spoken every ten seconds."""
    starts = np.array([10.0 * number for number in range(len(lines))])
    return build_term_index(starts, [extract_terms(line) for line in lines], features, "en")


# Weights.


def test_unspoken_term_of_one_entry_has_full_weight() -> None:
    assert weigh(spoken=0, listed=1) == 1.0


def test_term_of_every_entry_has_part_of_weight() -> None:
    assert SHARED_WORD_WEIGHT < weigh(spoken=0, listed=30) < 0.5


def test_term_said_all_the_time_has_least_weight() -> None:
    assert weigh(spoken=100, listed=1) == MIN_IDF


def test_unlisted_term_weighs_like_one_of_single_entry() -> None:
    assert weigh(spoken=3, listed=0) == weigh(spoken=3, listed=1)


@given(st.integers(1, 500), st.integers(1, 60), st.data())
def test_rarer_terms_weigh_more(blocks: int, features: int, data: st.DataObject) -> None:
    seldom, often = sorted((data.draw(st.integers(0, blocks)), data.draw(st.integers(0, blocks))))
    few, many = sorted((data.draw(st.integers(1, features)), data.draw(st.integers(1, features))))
    assert weigh(often, many, blocks, features) <= weigh(seldom, many, blocks, features)
    assert weigh(often, many, blocks, features) <= weigh(often, few, blocks, features)
    assert 0.0 < weigh(often, many, blocks, features) <= 1.0


# The index.


def test_words_of_title_weigh_more_than_description() -> None:
    index = index_lines(["Hello."], Feature(1, "Lamps", "Ceiling"))
    assert sorted(index.title_weights[0].tolist()) == [0.0, 1.0]
    assert sorted(index.text_weights[0].tolist()) == pytest.approx([DESCRIPTION_WEIGHT, 1.0])


def test_index_holds_seconds_until_and_since_term() -> None:
    index = index_lines(["Hello.", "The lamps.", "Bye."], Feature(1, "Lamps"))
    assert index.unit_terms == ((), (0,), ())
    assert index.is_spoken.tolist() == [True]
    assert index.seconds_until[0].tolist() == [10.0, 0.0, np.inf]
    assert index.seconds_since[0].tolist() == [np.inf, np.inf, 10.0]


@pytest.mark.parametrize(
    ("title", "line"),
    [("Runbook", "the run book"), ("Fire wall", "the firewall"), ("Kubernetes", "the kubernets thing")],
)
def test_split_joined_and_misspelled_words_match(title: str, line: str) -> None:
    index = index_lines(["Hello.", line], Feature(1, title))
    assert set(index.unit_terms[1]) == set(range(len(index.is_spoken)))
    assert index.is_spoken.all()


def test_spoken_term_takes_no_misspelled_words() -> None:
    spoken = index_lines(["the boiler", "the broiler"], Feature(1, "Boilers"))
    unspoken = index_lines(["the oven", "the broiler"], Feature(1, "Boilers"))
    assert (spoken.unit_terms, unspoken.unit_terms) == (((0,), ()), ((), (0,)))


def test_no_listed_term_gives_empty_index() -> None:
    index = index_lines(["Hello."], Feature(1, "Various improvements"))
    assert index.title_weights.shape == (1, 0)
    assert index.unit_terms == ((),)


# Comparisons.


def test_rows_shrink_more_with_fewer_terms() -> None:
    few, many = shrink_rows(np.array([[1.0, 0.0, 0.0], [1.0, 1.0, 1.0]], dtype=np.float32)).sum(axis=1)
    assert 0.0 < few < many < 1.0


def test_values_are_compared_along_both_axes() -> None:
    values = np.array([[1.0, 3.0], [2.0, 0.0]], dtype=np.float32)
    assert drop_from_peak(values).tolist() == [[-2.0, 0.0], [0.0, -2.0]]
    assert feature_shares(values)[:, 0].tolist() == pytest.approx([1 / (3 + BACKGROUND), 2 / (3 + BACKGROUND)])
