"""Entries are the same by id, or by a wording in which spaces, signs and capitals do not count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.text import index_by_key, normalize_wording, same_wording, wording_similarity


@pytest.mark.parametrize("seen", ["Dark theme", "dark-theme!", "DarkTheme", " dark_theme ", "„Dark“ theme…"])
def test_spaces_signs_and_capitals_do_not_count(seen: str) -> None:
    assert same_wording(seen, "Dark theme")
    assert wording_similarity(seen, "Dark theme") == 100.0


@pytest.mark.parametrize(("one", "other"), [("Dark theme", "Dark themes"), ("Dark theme", None), (None, None)])
def test_other_letters_and_unknown_titles_are_not_the_same(one: str | None, other: str | None) -> None:
    assert not same_wording(one, other)


def test_a_wording_is_the_nearer_the_fewer_letters_differ() -> None:
    near, far = wording_similarity("Dark theme", "Dark themes"), wording_similarity("Dark theme", "Export limit")
    assert 100.0 > near > 90.0 > far


@given(st.text(max_size=20))
def test_a_normal_wording_stays_as_it_is(text: str) -> None:
    assert normalize_wording(normalize_wording(text)) == normalize_wording(text)


def test_entries_are_known_by_id_else_by_title_and_none_is_lost() -> None:
    entries = [(5, "Sort"), (None, "Sort"), (5, "Sort"), (None, "Sort"), (None, "5"), (5, "Other")]
    keyed = index_by_key(entries, lambda entry: entry)
    assert list(keyed.values()) == entries
    assert list(keyed)[:2] == [5, "Sort"]


def test_a_second_entry_of_a_key_is_told_by_its_number() -> None:
    keyed = index_by_key([(5, "Sort"), (5, "Sort"), (5, "Other")], lambda entry: entry)
    assert list(keyed) == [5, ("Sort", 5, 2), ("Other", 5, 2)]
