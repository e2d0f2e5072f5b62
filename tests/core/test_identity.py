"""Decisions find their entries through edits of a list, and never another entry."""

from collections.abc import Sequence

import pytest

from pipeline.core.identity import Name, match_names, pair_entries, same_name

DARK = Name(7, "Dark theme for the mobile app")


def find(name: Name, entries: Sequence[Name], *earlier: Sequence[Name]) -> int | None:
    """Return the index of the entry that a decision is about, given earlier revisions of the list."""
    return match_names([name], entries, lambda: earlier)[0].index


def test_id_and_wording_beat_everything() -> None:
    assert find(DARK, [Name(8, DARK.title), Name(7, "Other"), DARK]) == 2


def test_entries_with_and_without_id_are_two() -> None:
    entries = [Name(7, "Sort"), Name(None, "Sort")]
    assert find(Name(7, "Sort"), entries) == 0
    assert find(Name(None, "Sort"), entries) == 1
    assert find(Name(7, "Sort"), entries[1:], entries) is None
    assert find(Name(None, "Sort"), entries[:1], entries) is None


def test_corrected_id_keeps_the_decision() -> None:
    assert find(DARK, [Name(9, DARK.title)]) == 0
    assert find(DARK, [Name(None, DARK.title)]) == 0


def test_taken_over_id_takes_no_decision() -> None:
    (match,) = match_names([DARK], [Name(7, "Seed library packets")])
    assert (match.index, match.reason) == (None, 'its id now stands for "Seed library packets"')
    assert find(DARK, [Name(7, "Seed library packets"), Name(9, DARK.title)]) == 1


def test_reworded_entry_is_told() -> None:
    (match,) = match_names([DARK], [Name(7, "A night theme")])
    assert (match.index, match.reworded) == (0, True)
    assert not match_names([DARK], [Name(7, "Dark theme for mobile apps")])[0].reworded


def test_id_and_wording_of_two_entries_match_neither() -> None:
    entries = [Name(7, "Dark theme for the app"), Name(9, DARK.title)]
    (match,) = match_names([DARK], entries)
    assert match.index is None
    assert "its wording for another entry" in match.reason


@pytest.mark.parametrize("key", [None, 12])
def test_entry_that_stood_beside_takes_no_decision(key: int | None) -> None:
    name, sibling = Name(None, "Pins for boards"), Name(key, "Pins for board")
    assert find(name, [sibling]) == 0
    assert find(name, [sibling], [name, sibling]) is None
    renamed = Name(7, "Dark theme for the tablet app")
    assert find(DARK, [renamed]) == 0
    assert find(DARK, [renamed], [DARK, Name(12, renamed.title)]) is None


def test_two_decisions_share_no_similar_entry() -> None:
    names = [Name(None, "Pins for boards"), Name(None, "Pins for boardz")]
    assert [match.index for match in match_names(names, [Name(None, "Pins for board")])] == [None, None]


def test_generic_title_with_new_id_is_ambiguous() -> None:
    name, other = Name(4, "Bug fixes"), Name(5, "Bug fixes")
    assert find(name, [other], [name, other]) is None
    assert find(name, [other, Name(6, "Bug fixes")]) is None


def test_pairs_follow_wording_then_id() -> None:
    before = [Name(1, "Sort"), Name(None, "Sort"), Name(2, "Pin"), Name(3, "Zoom")]
    now = [Name(None, "Sort"), Name(9, "Pin"), Name(3, "Zoom in"), Name(4, "New")]
    assert pair_entries(before, now) == [(1, 0), (2, 1), (3, 2)]


def test_names_without_a_list() -> None:
    assert same_name(Name(7, None), DARK)
    assert not same_name(Name(None, DARK.title), DARK)
    assert same_name(Name(None, DARK.title), DARK, loosely=True)
    assert not same_name(Name(7, "Seed packets"), DARK, loosely=True)
