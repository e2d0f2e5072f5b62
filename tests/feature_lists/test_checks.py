"""Warnings: each names the line and what to do."""

import pytest

from pipeline.feature_lists.checks import check_duration, check_list, find_words, shorten
from pipeline.feature_lists.page import Draft


def draft(line: int, title: str, **fields: object) -> Draft:
    made = Draft(line, title, 500_000 + line, "v4.10", description=["About it."])
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def test_a_complete_list_has_no_warning() -> None:
    assert check_list([draft(1, "Sort by date"), draft(3, "Dark theme")]) == []


@pytest.mark.parametrize(
    ("fields", "warning"),
    [
        ({"feature_id": None}, "line 1: Sort by date: no id: add it, or fill it from the release notes with --fill"),
        ({"version": None}, "line 1: Sort by date: no version: add it, or fill it from the release notes with --fill"),
        ({"description": []}, "line 1: Sort by date: no description: one sentence more makes it easier to find"),
        ({"other_ids": (7, 8)}, "line 1: two ids in one entry: 500001 is kept, 7, 8 left out"),
    ],
)
def test_what_an_entry_lacks_or_has_twice_is_told(fields: dict[str, object], warning: str) -> None:
    assert check_list([draft(1, "Sort by date", **fields), draft(3, "Dark theme")]) == [warning]


def test_what_many_entries_lack_is_told_in_one_line() -> None:
    entries = [draft(n, f"Subject{n}", feature_id=None) for n in (2, 3, 4, 7, 9, 10, 11)]
    assert check_list(entries)[0].startswith("lines 2-4, 7, 9-11: 7 of 7 entries have no id")


def test_a_version_unlike_its_neighbours_is_told() -> None:
    entries = [draft(1, "Sort by date"), draft(2, "Dark theme", version="v4.01"), draft(3, "Limits")]
    assert check_list(entries) == ["line 2: version v4.01 between entries of v4.10: check it"]


def test_a_new_release_in_mid_list_is_no_mistake() -> None:
    versions = ("v4.10", "v4.10", "v4.11", "v4.11")
    assert check_list([draft(n, f"Subject{n}", version=v) for n, v in enumerate(versions, start=1)]) == []


def test_a_time_before_the_one_above_is_told() -> None:
    entries = [draft(1, "Sort by date", published_s=90.0), draft(3, "Dark theme", published_s=50.0)]
    assert check_list(entries)[0].startswith("line 3: its time is before that of line 1")


@pytest.mark.parametrize(("first", "second"), [(90.0, 90.0), (0.0, 0.5), (90.0, None)])
def test_times_that_do_not_fall_are_in_order(first: float, second: float | None) -> None:
    entries = [draft(1, "Sort by date", published_s=first), draft(3, "Dark theme", published_s=second)]
    assert check_list(entries) == []


@pytest.mark.parametrize(
    "title",
    [
        "Ann and Bob noted this was very useful.",
        "Called out as a genuinely great improvement.",
        "Various fixes",
        "Ann, Bob and Carla mentioned invoices.",
        "Somebody liked invoices.",
    ],
)
def test_an_entry_that_names_no_subject_is_told(title: str) -> None:
    entry = draft(4, title, feature_id=None, description=[])
    assert any("nothing in it says what it is about" in warning for warning in check_list([entry]))


@pytest.mark.parametrize(
    "title", ["Improves timesheet usability.", "Expands team visibility.", "Somebody liked invoices by branch."]
)
def test_an_entry_that_names_one_is_not(title: str) -> None:
    entry = draft(4, title, feature_id=None, description=[])
    assert not any("says what it is about" in warning for warning in check_list([entry]))


def test_entries_that_probably_mean_the_same_are_told() -> None:
    entries = [
        draft(1, "Agent roles now support assigning cost values at the role level.", feature_id=None),
        draft(2, "Dark theme for the mobile app", feature_id=None),
        draft(3, "Agent roles support a cost field.", feature_id=None),
    ]
    assert [w for w in check_list(entries) if "probably repeats" in w] == [
        "line 3: probably repeats line 1 (Agent roles now support assigning cost values at the role l…): "
        "leave one out, or give both their ids"
    ]


@pytest.mark.parametrize(
    ("title", "ids"),
    [
        ("Agent roles support a cost field.", (None, 500_123)),
        ("Agent roles support a cost field.", (500_123, None)),
    ],
)
def test_one_id_is_not_enough_to_tell_two_wordings_apart(title: str, ids: tuple[int | None, int | None]) -> None:
    first = draft(1, "Agent roles now support costs at the role level.", feature_id=ids[0])
    entries = [draft(9, "Agent roles have costs."), draft(8, "Dark theme"), first, draft(3, title, feature_id=ids[1])]
    told = [warning for warning in check_list(entries) if "probably repeats line 1 " in warning]
    assert [warning.partition(":")[0] for warning in told] == ["line 3"]


@pytest.mark.parametrize(
    ("title", "ids"),
    [("Agent roles now support costs.", (500_122, 500_123)), ("Agent roles print labels nightly.", (None, None))],
)
def test_two_ids_or_few_words_in_common_tell_entries_apart(title: str, ids: tuple[int | None, int | None]) -> None:
    entries = [draft(1, "Agent roles now support costs.", feature_id=ids[0]), draft(3, title, feature_id=ids[1])]
    assert not any("repeats" in warning for warning in check_list(entries))


def test_warnings_count_in_the_unit_of_the_document() -> None:
    entries = [draft(4, "Various fixes", feature_id=None, description=[]), draft(5, "Various", version=None)]
    assert {warning.split()[0] for warning in check_list(entries, "row")} == {"row"}


@pytest.mark.parametrize(("length", "shown"), [(60, "x" * 60), (61, "x" * 59 + "…")])
def test_a_title_is_shortened_to_sixty_characters(length: int, shown: str) -> None:
    assert shorten("x" * length) == shown


def test_a_time_at_the_very_end_is_none_past_it() -> None:
    assert list(check_duration([322.0], 322.0)) == []


def test_a_time_past_the_audio_s_end_is_told() -> None:
    assert list(check_duration([10.0, None, 400.0], 322.0)) == [
        "entry 3: a time past the audio's end (322 s): check it, and that this is the episode's audio"
    ]
    assert next(check_duration([400.0, 401.0, 9.0, 500.0], 322.0)).startswith("entries 1-2, 4: a time past")


def test_words_are_compared_without_plural_and_tense() -> None:
    assert find_words("Sorted invoices") == find_words("sorting an invoice")


def test_words_that_tell_a_subject_have_three_letters_and_no_quotes() -> None:
    assert find_words("The ’fax’ is ok, a 'fax-'") == {"fax"}
