"""Corrections: which entry each is about although the list was edited, and what it changes in an alignment."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pipeline.align.corrections import (
    CorrectionMatches,
    UnusedCorrection,
    apply_corrections,
    describe_changes,
    match_corrections,
)
from pipeline.core.corrections import Correction, Decision
from pipeline.core.schema import Alignment, Feature, Method, Placement, Status
from tests.support.corrections import moved

LIST = (
    Feature(1, "Invoices can be sorted by due date", feature_id=500111),
    Feature(2, "Added a dark theme to the mobile app", feature_id=500122),
    Feature(3, "Better search"),
    Feature(4, "Bug fixes", feature_id=500144),
    Feature(5, "Bug fixes", feature_id=500155),
)


def match(correction: Correction, features: tuple[Feature, ...]) -> list[int]:
    """Return the positions of the entries that a correction matches."""
    return list(match_corrections([correction], features).by_position)


def test_id_finds_renamed_and_moved_entry() -> None:
    correction = moved(3, feature_id=500122, title=LIST[1].title)
    assert match(correction, LIST) == [2]
    assert match(correction, (replace(LIST[1], position=1, title="Dark theme"), replace(LIST[0], position=2))) == [1]


def test_title_finds_entry_whose_id_was_corrected() -> None:
    correction = moved(3, feature_id=500122, title=LIST[1].title)
    assert match(correction, (LIST[0], replace(LIST[1], feature_id=500123))) == [2]


def test_swapped_ids_keep_corrections_with_their_titles() -> None:
    swapped = (replace(LIST[0], feature_id=500122), replace(LIST[1], feature_id=500111))
    assert match(moved(3, feature_id=500111, title=LIST[0].title), swapped) == [1]


def test_similar_title_finds_entry_without_id() -> None:
    assert match(moved(3, title="Better serch"), LIST) == [3]
    assert match(moved(3, title="better SEARCH!"), LIST) == [3]
    assert match(moved(3, title="Quicker search"), LIST) == []


def test_title_of_two_entries_matches_neither() -> None:
    matches = match_corrections([moved(3, title="Bug fixes")], LIST)
    assert matches.by_position == {}
    assert matches.unmatched[0].reason == "2 entries of the list fit it: name it more exactly"


def test_unmatched_corrections_are_reported_with_reasons() -> None:
    gone, twice, late = moved(3, feature_id=9), moved(4, title=LIST[0].title), moved(5000, feature_id=500122)
    first = moved(3, feature_id=500111)
    matches = match_corrections([gone, first, twice, late], LIST, duration=1000.0)
    assert list(matches.by_position) == [1, 2]
    assert matches.anchors() == {1: 3.0}
    assert matches.outside[2].describe() == (
        "the correction of #500122 is kept but not used: 1:23:20 lies after the end of the episode (16:40)"
    )
    assert [unused.describe() for unused in matches.unmatched] == [
        "the correction of #9 is kept but not used: no entry of the list has this id or wording",
        f'the correction of "{LIST[0].title}" is kept but not used: another correction is about the same entry',
    ]


def test_all_decisions_but_ends_give_anchors() -> None:
    end = Correction(feature_id=3, decision=Decision.END, end=15.0)
    absent = Correction(feature_id=2, decision=Decision.NOT_DISCUSSED)
    matches = CorrectionMatches({1: moved(12.5, feature_id=1), 2: absent, 3: end})
    assert matches.anchors() == {1: 12.5, 2: None}


@given(st.permutations(range(5)), st.sets(st.integers(0, 4)))
def test_reordered_or_cut_list_keeps_every_match(order: list[int], kept: set[int]) -> None:
    corrections = [moved(10.0 * n, feature_id=f.feature_id, title=f.title) for n, f in enumerate(LIST)]
    features = [replace(LIST[n], position=at) for at, n in enumerate((n for n in order if n in kept), start=1)]
    matches = match_corrections(corrections, features)
    assert {f.position: f.title for f in features} == {
        at: correction.title for at, correction in matches.by_position.items()
    }
    assert all(match.feature_id == features[at - 1].feature_id for at, match in matches.by_position.items())
    assert len(matches.unmatched) == len(LIST) - len(kept)


def apply(placement: Placement, correction: Correction) -> tuple[Placement, tuple[UnusedCorrection, ...]]:
    """Return a placement with its correction applied, and the correction if it is not used."""
    alignment, unused = apply_corrections(Alignment((placement,)), CorrectionMatches({1: correction}))
    return alignment.placements[0], unused


def test_correction_decides_start_end_status_and_reason() -> None:
    placement = Placement(1, 10.0, 20.0, Status.REVIEW, 0.4, Method.PHRASE, "words", "quote", (44.0,))
    correction = moved(12.5, feature_id=1, end=18.0, who="Anna", when="2026-11-23", why="the joke comes first")
    corrected, unused = apply(placement, correction)
    assert corrected == Placement(
        1, 12.5, 18.0, Status.CORRECTED, 1.0, Method.CORRECTION,
        "moved to 0:12 by Anna on 2026-11-23: the joke comes first", "quote",
    )  # fmt: skip
    assert unused == ()


def test_corrected_end_leaves_start_and_status() -> None:
    placement = Placement(1, 10.0, 20.0, Status.REVIEW, 0.4, Method.PHRASE, "words")
    correction = Correction(feature_id=1, decision=Decision.END, end=15.0)
    corrected, _ = apply(placement, correction)
    assert (corrected.end, corrected.status) == (15.0, Status.REVIEW)
    assert corrected.reason == "words; its end was set by a person"


def test_end_before_the_start_is_not_used() -> None:
    placement = Placement(1, 16.0, 20.0, Status.REVIEW, 0.4, Method.PHRASE, "words")
    correction = Correction(feature_id=1, decision=Decision.END, end=15.0)
    corrected, (unused,) = apply(placement, correction)
    assert corrected == placement
    assert unused.describe() == "the end of #1 at 0:15 is kept but not used: it starts at 0:16"
    _, (unused,) = apply(replace(placement, start=None, end=None), correction)
    assert unused.describe() == "the end of #1 at 0:15 is kept but not used: it was not found"


def test_unused_corrections_are_the_same_once_applied() -> None:
    """A review lists them from the alignment on disk, whose corrections are applied."""
    placement = Placement(1, 16.0, 20.0, Status.REVIEW, 0.4, Method.PHRASE, "words")
    matches = CorrectionMatches({1: Correction(feature_id=1, decision=Decision.END, end=15.0)})
    alignment, unused = apply_corrections(Alignment((placement,)), matches)
    assert apply_corrections(alignment, matches) == (alignment, unused)


def test_changes_of_corrections_are_counted() -> None:
    before = [moved(1, feature_id=1), moved(2, feature_id=2), moved(3, title="A")]
    after = [moved(1, feature_id=1), moved(9, feature_id=2), moved(4, title="B")]
    assert describe_changes(before, after) == "1 added, 1 withdrawn, 1 changed"
    assert describe_changes(before, before) == "only their layout"
