"""Which decision is about which entry, however the list was edited since; and what it makes of a start."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pipeline.align.corrections import Fitting, apply_corrections, describe_changes, match_corrections
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


def placed(one: Correction, features: tuple[Feature, ...]) -> list[int]:
    return list(match_corrections([one], features).placed)


def test_an_entry_is_found_by_id_though_renamed_and_moved() -> None:
    one = moved(3, feature_id=500122, title=LIST[1].title)
    assert placed(one, LIST) == [2]
    assert placed(one, (replace(LIST[1], position=1, title="Dark theme"), replace(LIST[0], position=2))) == [1]


def test_an_entry_is_found_by_wording_though_its_id_was_corrected() -> None:
    one = moved(3, feature_id=500122, title=LIST[1].title)
    assert placed(one, (LIST[0], replace(LIST[1], feature_id=500123))) == [2]


def test_two_entries_whose_ids_were_swapped_keep_their_own_decision() -> None:
    swapped = (replace(LIST[0], feature_id=500122), replace(LIST[1], feature_id=500111))
    found = match_corrections([moved(3, feature_id=500111, title=LIST[0].title)], swapped)
    assert list(found.placed) == [1]


def test_an_entry_without_id_is_found_by_wording_slightly_edited() -> None:
    one = moved(3, title="Better serch")
    assert placed(one, LIST) == [3]
    assert placed(moved(3, title="better SEARCH!"), LIST) == [3]
    assert placed(moved(3, title="Quicker search"), LIST) == []


def test_a_wording_that_stands_twice_is_not_guessed() -> None:
    found = match_corrections([moved(3, title="Bug fixes")], LIST)
    assert (found.placed, found.unfit[0][1]) == ({}, "2 entries of the list fit it: name it more exactly")


def test_what_fits_nothing_is_told_and_why() -> None:
    gone, twice, late = moved(3, feature_id=9), moved(4, title=LIST[0].title), moved(5000, feature_id=500122)
    first = moved(3, feature_id=500111)
    found = match_corrections([gone, first, twice, late], LIST, duration=1000.0)
    assert list(found.placed) == [1]
    assert found.describe_unfit() == [
        "the correction of #500122 is kept but not used: 1:23:20 lies after the end of the episode (16:40)",
        "the correction of #9 is kept but not used: no entry of the list has this id or wording",
        f'the correction of "{LIST[0].title}" is kept but not used: another correction is about the same entry',
    ]


@given(st.permutations(range(5)), st.sets(st.integers(0, 4)))
def test_no_decision_changes_its_entry_when_the_list_is_reordered_or_cut(order: list[int], kept: set[int]) -> None:
    corrections = [moved(10.0 * n, feature_id=f.feature_id, title=f.title) for n, f in enumerate(LIST)]
    features = [replace(LIST[n], position=at) for at, n in enumerate((n for n in order if n in kept), start=1)]
    found = match_corrections(corrections, features)
    assert {f.position: f.title for f in features} == {at: one.title for at, one in found.placed.items()}
    assert all(one.feature_id == features[at - 1].feature_id for at, one in found.placed.items())
    assert len(found.unfit) == len(LIST) - len(kept)


def apply(placement: Placement, one: Correction) -> tuple[tuple[Placement, ...], list[str]]:
    alignment, complaints = apply_corrections(Alignment((placement,)), Fitting({1: one}))
    return alignment.placements, complaints


def test_a_decision_makes_the_placement_a_person_s() -> None:
    found = Placement(1, 10.0, 20.0, Status.REVIEW, 0.4, Method.PHRASE, "words", "quote", (44.0,))
    one = moved(12.5, feature_id=1, end=18.0, who="Anna", when="2026-11-23", why="the joke comes first")
    (now,), complaints = apply(found, one)
    assert now == Placement(
        1, 12.5, 18.0, Status.CORRECTED, 1.0, Method.CORRECTION,
        "moved to 0:12 by Anna on 2026-11-23: the joke comes first", "quote",
    )  # fmt: skip
    assert complaints == []


def test_an_end_alone_leaves_the_start_to_the_program() -> None:
    found = Placement(1, 10.0, 20.0, Status.REVIEW, 0.4, Method.PHRASE, "words")
    one = Correction(feature_id=1, decision=Decision.END, end=15.0)
    (now,), _ = apply(found, one)
    assert (now.end, now.status, now.reason) == (15.0, Status.REVIEW, "words; its end was set by a person")
    (now,), complaints = apply(replace(found, start=16.0), one)
    assert now.end == 20.0
    assert complaints == ["the end of #1 at 0:15 is kept but not used: it starts at 0:16"]


def test_a_change_is_told_in_words() -> None:
    before = [moved(1, feature_id=1), moved(2, feature_id=2), moved(3, title="A")]
    now = [moved(1, feature_id=1), moved(9, feature_id=2), moved(4, title="B")]
    assert describe_changes(before, now) == "1 added, 1 withdrawn, 1 changed"
    assert describe_changes(before, before) == "only their layout"
