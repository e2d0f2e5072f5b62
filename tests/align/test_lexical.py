"""How much a word tells: by how seldom it is said, and how few entries of the list it stands in."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.align.lexical import MIN_IDF, SHARED_WORD_WEIGHT, idf_weights


def rate(said: int, listed: int, blocks: int = 100, features: int = 30) -> float:
    return float(idf_weights(np.array([said], dtype=float), blocks, np.array([listed], dtype=float), features)[0])


def test_a_word_of_one_entry_that_is_never_said_tells_everything() -> None:
    assert rate(said=0, listed=1) == 1.0


def test_a_word_of_every_entry_tells_a_fraction_of_that() -> None:
    assert SHARED_WORD_WEIGHT < rate(said=0, listed=30) < 0.5


def test_a_word_that_is_said_all_the_time_still_tells_a_little() -> None:
    assert rate(said=100, listed=1) == MIN_IDF


def test_a_word_that_is_not_in_the_list_tells_what_one_of_a_single_entry_does() -> None:
    assert rate(said=3, listed=0) == rate(said=3, listed=1)


@given(st.integers(1, 500), st.integers(1, 60), st.data())
def test_the_rarer_a_word_the_more_it_tells(blocks: int, features: int, data: st.DataObject) -> None:
    seldom, often = sorted((data.draw(st.integers(0, blocks)), data.draw(st.integers(0, blocks))))
    few, many = sorted((data.draw(st.integers(1, features)), data.draw(st.integers(1, features))))
    assert rate(often, many, blocks, features) <= rate(seldom, many, blocks, features)
    assert rate(often, many, blocks, features) <= rate(often, few, blocks, features)
    assert 0.0 < rate(often, many, blocks, features) <= 1.0
