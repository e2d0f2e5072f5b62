"""The warnings about a list: their kind, their lines, and the advice."""

from typing import Any

import pytest

from pipeline.feature_lists.checks import check_duration, check_list, find_subject_words, shorten
from pipeline.feature_lists.lines import Entry, WarningKind
from tests.support.feature_lists import make_entry


def full_entry(line: int, title: str, **values: Any) -> Entry:
    """Return an entry about which there is no warning, with other values where they are given."""
    complete = {"description": ["About it."], "feature_id": 500_000 + line, "version": "v4.10"}
    return make_entry(title, line=line, **{**complete, **values})


def describe_warnings(entries: list[Entry], kind: WarningKind | None = None) -> list[str]:
    """Return the warnings about a list, of one kind or of all."""
    return [warning.describe("line") for warning in check_list(entries) if kind in (None, warning.kind)]


def test_complete_list_has_no_warning() -> None:
    assert check_list([full_entry(1, "Sort by date"), full_entry(3, "Dark theme")]) == []


@pytest.mark.parametrize(
    ("fields", "warning"),
    [
        ({"feature_id": None}, "line 1: Sort by date: no id: add it, or fill it from the release notes with --fill"),
        ({"version": None}, "line 1: Sort by date: no version: add it, or fill it from the release notes with --fill"),
        (
            {"description": []},
            "line 1: Sort by date: no description: one more sentence makes the entry easier to find",
        ),
        ({"other_ids": (7, 8)}, "line 1: several ids in one entry: 500001 is kept, 7, 8 left out"),
    ],
)
def test_missing_value_and_further_ids_give_warnings(fields: dict[str, object], warning: str) -> None:
    entries = [full_entry(1, "Sort by date", **fields), full_entry(3, "Dark theme")]
    assert describe_warnings(entries) == [warning]


def test_many_missing_values_give_one_warning() -> None:
    entries = [full_entry(n, f"Subject{n}", feature_id=None) for n in (2, 3, 4, 7, 9, 10, 11)]
    assert describe_warnings(entries)[0].startswith("lines 2-4, 7, 9-11: 7 of 7 entries have no id")


def test_version_unlike_its_neighbors_gives_a_warning() -> None:
    entries = [
        full_entry(1, "Sort by date"),
        full_entry(2, "Dark theme", version="v4.01"),
        full_entry(3, "Limits"),
    ]
    assert describe_warnings(entries) == ["line 2: version v4.01 between entries of v4.10: check it"]


def test_new_release_within_a_list_gives_no_warning() -> None:
    versions = ("v4.10", "v4.10", "v4.11", "v4.11")
    assert check_list([full_entry(n, f"Subject{n}", version=v) for n, v in enumerate(versions, start=1)]) == []


def test_time_before_the_one_above_gives_a_warning() -> None:
    entries = [full_entry(1, "Sort by date", published_s=90.0), full_entry(3, "Dark theme", published_s=50.0)]
    assert describe_warnings(entries)[0].startswith("line 3: its time is before that of line 1")


@pytest.mark.parametrize(("first", "second"), [(90.0, 90.0), (0.0, 0.5), (90.0, None)])
def test_times_that_do_not_fall_give_no_warning(first: float, second: float | None) -> None:
    entries = [
        full_entry(1, "Sort by date", published_s=first),
        full_entry(3, "Dark theme", published_s=second),
    ]
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
def test_entry_without_a_subject_gives_a_warning(title: str) -> None:
    entry = full_entry(4, title, feature_id=None, description=[])
    (warning,) = describe_warnings([entry], WarningKind.NO_SUBJECT)
    assert warning == f"line 4: no word says what the entry is about ({title}): name the feature"


@pytest.mark.parametrize(
    "title", ["Improves timesheet usability.", "Expands team visibility.", "Somebody liked invoices by branch."]
)
def test_entry_with_a_subject_gives_no_warning(title: str) -> None:
    entry = full_entry(4, title, feature_id=None, description=[])
    assert describe_warnings([entry], WarningKind.NO_SUBJECT) == []


def test_probable_repeat_gives_a_warning() -> None:
    entries = [
        full_entry(1, "Agent roles now support assigning cost values at the role level.", feature_id=None),
        full_entry(2, "Dark theme for the mobile app", feature_id=None),
        full_entry(3, "Agent roles support a cost field.", feature_id=None),
    ]
    assert describe_warnings(entries, WarningKind.PROBABLE_REPEAT) == [
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
def test_repeat_needs_two_ids_to_be_excluded(title: str, ids: tuple[int | None, int | None]) -> None:
    first = full_entry(1, "Agent roles now support costs at the role level.", feature_id=ids[0])
    last = full_entry(3, title, feature_id=ids[1])
    entries = [full_entry(9, "Agent roles have costs."), full_entry(8, "Dark theme"), first, last]
    warnings = [warning for warning in check_list(entries) if "probably repeats line 1 " in warning.text]
    assert [warning.lines for warning in warnings] == [(3,)]


@pytest.mark.parametrize(
    ("title", "ids"),
    [("Agent roles now support costs.", (500_122, 500_123)), ("Agent roles print labels nightly.", (None, None))],
)
def test_two_ids_or_few_shared_words_exclude_repeat(title: str, ids: tuple[int | None, int | None]) -> None:
    entries = [
        full_entry(1, "Agent roles now support costs.", feature_id=ids[0]),
        full_entry(3, title, feature_id=ids[1]),
    ]
    assert describe_warnings(entries, WarningKind.PROBABLE_REPEAT) == []


def test_warnings_count_in_the_document_unit() -> None:
    entries = [
        full_entry(4, "Various fixes", feature_id=None, description=[]),
        full_entry(5, "Various", version=None),
    ]
    assert {warning.describe("row").split()[0] for warning in check_list(entries, "row")} == {"row"}


@pytest.mark.parametrize(("length", "shown"), [(60, "x" * 60), (61, "x" * 59 + "…")])
def test_title_is_shortened_to_sixty_characters(length: int, shown: str) -> None:
    assert shorten("x" * length) == shown


def test_time_at_the_audio_end_gives_no_warning() -> None:
    assert list(check_duration([322.0], 322.0)) == []


def test_time_past_the_audio_end_gives_a_warning() -> None:
    assert list(check_duration([10.0, None, 400.0], 322.0)) == [
        "entry 3: a time past the audio's end (322 s): check it, and that this is the episode's audio"
    ]
    assert next(check_duration([400.0, 401.0, 9.0, 500.0], 322.0)).startswith("entries 1-2, 4: a time past")


def test_subject_words_ignore_plural_and_tense() -> None:
    assert find_subject_words("Sorted invoices") == find_subject_words("sorting an invoice")


def test_subject_words_have_three_letters_and_no_quotes() -> None:
    assert find_subject_words("The ’fax’ is ok, a 'fax-'") == {"fax"}
