"""Passages are cut out of annotated episodes, so that their features are no longer discussed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.left_out import cut_passages, keep_units, keep_vectors
from pipeline.align.late_interaction import WordVectors
from pipeline.align.semantic import EpisodeVectors
from pipeline.align.units import Unit

UNITS = [Unit(5.0 * number, 5.0 * number + 4.0, f"Sentence {number}.") for number in range(60)]
STARTS = np.array([unit.start for unit in UNITS])


@given(
    st.lists(st.one_of(st.none(), st.integers(1, 58)), min_size=5, max_size=20),
    st.integers(0, 5),
)
def test_kept_features_keep_their_starts(places: list[int | None], seed: int) -> None:
    truth = np.array([np.nan if place is None else STARTS[place] for place in places])
    cut = cut_passages("show/one", STARTS, truth, seed)
    if cut is None:
        return
    stays, after = cut
    kept = keep_units(UNITS, STARTS, stays)
    starts = [unit.start for unit in kept]
    assert starts == sorted(starts)
    assert [unit.text for unit in kept] == [unit.text for unit, is_kept in zip(UNITS, stays, strict=True) if is_kept]
    assert np.isnan(after).sum() > np.isnan(truth).sum()
    for place, start in zip(places, after, strict=True):
        if place is not None and not np.isnan(start):
            assert next(unit.start for unit in kept if unit.text == f"Sentence {place}.") == pytest.approx(start)


def test_cut_features_are_no_longer_spoken() -> None:
    truth = STARTS[[2, 10, 20, 30, 40]]
    stays, after = cut_passages("show/one", STARTS, truth, 1) or pytest.fail("nothing was cut")
    (gone,) = np.flatnonzero(np.isnan(after))
    begin = int(np.searchsorted(STARTS, truth[gone]))
    assert not stays[begin : begin + 8].any()
    assert stays[:begin].all()


def test_same_seed_makes_same_cut() -> None:
    truth = STARTS[[2, 10, 20, 30, 40, 50]]
    cuts = [cut_passages("show/one", STARTS, truth, seed) for seed in range(8)]
    stays = [tuple(cut[0]) for cut in cuts if cut is not None]
    assert stays == [tuple(cut[0]) for seed in range(8) if (cut := cut_passages("show/one", STARTS, truth, seed))]
    assert len(set(stays)) > 1


def test_short_lists_stay_whole() -> None:
    assert cut_passages("show/one", STARTS, STARTS[[2, 10, 20]], 0) is None


def test_words_stay_with_their_units() -> None:
    vectors = np.eye(4, dtype=np.float32)
    words = WordVectors(vectors, np.array([0, 1, 1, 3]), ("a", "b", "c", "d"))
    kept = keep_vectors(
        EpisodeVectors(vectors, vectors[:1], vectors[:1], words, words, words), np.array([True, False, True, True])
    )
    assert kept.spoken_words.texts == ("a", "d")
    assert kept.spoken_words.owners.tolist() == [0, 2]
    assert len(kept.sentences) == 3
