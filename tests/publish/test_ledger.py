"""The ledger: every entry of the release lists with its moments, in order, and what is a mention only."""

from dataclasses import replace
from datetime import date

import pytest

from pipeline.core.schema import Feature, Status
from pipeline.publish.ledger import NOT_YET, LedgerRow, build_ledger
from pipeline.publish.rows import CatalogRow
from tests.support.rows import make_row

RELEASES = {
    "v4.10": (
        Feature(1, "Invoices can be sorted", "A button.", 500111, "v4.10"),
        Feature(2, "Dark theme", "", 500122, "v4.10"),
        Feature(3, "Minor fixes", "", None, "v4.10"),
    ),
    "v4.11": (Feature(1, "Offline maps", "", 500140, "v4.11"), Feature(2, "Minor fixes", "", None, "v4.11")),
}


def moment(episode: str, day: int | None, feature: Feature, start: float | None = 60.0, **values: object) -> CatalogRow:
    """Return the row of a feature in an episode of November; `values` are further columns."""
    columns = {
        "episode_id": episode,
        "published_on": None if day is None else date(2026, 11, day),
        "feature_id": feature.feature_id,
        "version": feature.version,
        "title": feature.title,
        "start_s": start,
        "status": Status.CONFIDENT.value,
        "quote": "Next one.",
        **values,
    }
    return replace(make_row(), **columns)  # type: ignore[arg-type]


def calls_back(quote: str) -> bool:
    return "last week" in quote


def ledger_of(*rows: CatalogRow) -> tuple[LedgerRow, ...]:
    catalog: dict[str, list[CatalogRow]] = {}
    for row in rows:
        catalog.setdefault(row.episode_id, []).append(row)
    return build_ledger("Kite Show", RELEASES, catalog, is_callback=calls_back)


def moments_of(rows: tuple[LedgerRow, ...], feature: Feature) -> list[tuple[int | None, str | None, str | None]]:
    return [(row.moment, row.episode_id, row.kind) for row in rows if row.feature_id == feature.feature_id]


INVOICES, DARK_THEME, FIXES = RELEASES["v4.10"]


def test_undiscussed_entry_has_row_without_moment() -> None:
    rows = ledger_of(moment("ep1", 2, DARK_THEME))
    assert [(row.version, row.position, row.status) for row in rows] == [
        ("v4.10", 1, NOT_YET),
        ("v4.10", 2, "confident"),
        ("v4.10", 3, NOT_YET),
        ("v4.11", 1, NOT_YET),
        ("v4.11", 2, NOT_YET),
    ]
    empty = rows[0]
    assert (empty.moment, empty.kind, empty.episode_id, empty.start_s, empty.url, empty.quote) == (None,) * 6
    assert (empty.title, empty.description, empty.feature_key) == ("Invoices can be sorted", "A button.", "#500111")


def test_moments_follow_publication_dates() -> None:
    rows = ledger_of(moment("a", 9, INVOICES), moment("b", 2, INVOICES), moment("c", None, INVOICES))
    assert moments_of(rows, INVOICES) == [(1, "b", "discussion"), (2, "a", "discussion"), (3, "c", "discussion")]


def test_row_without_start_is_not_a_moment() -> None:
    rows = ledger_of(moment("a", 2, INVOICES, None, status=Status.CORRECTED.value))
    assert moments_of(rows, INVOICES) == [(None, None, None)]


def test_callback_to_earlier_discussion_is_mention() -> None:
    back = moment("b", 9, INVOICES, quote="As we said last week, invoices.")
    rows = ledger_of(moment("a", 2, INVOICES), back)
    assert moments_of(rows, INVOICES) == [(1, "a", "discussion"), (2, "b", "mention")]
    # Without the earlier episode in the catalog, it is all there is about the entry.
    assert moments_of(ledger_of(back), INVOICES) == [(1, "b", "discussion")]


def test_doubtful_start_beside_certain_one_is_mention() -> None:
    doubtful = moment("a", 2, INVOICES, status=Status.REVIEW.value, confidence=0.2)
    certain = moment("b", 9, INVOICES, quote="As we said last week, invoices.")
    assert moments_of(ledger_of(doubtful, certain), INVOICES) == [(1, "a", "mention"), (2, "b", "discussion")]
    assert moments_of(ledger_of(doubtful), INVOICES) == [(1, "a", "discussion")]


def test_start_set_by_person_is_discussion() -> None:
    corrected = moment("b", 9, INVOICES, status=Status.CORRECTED.value, quote="As we said last week, invoices.")
    rows = ledger_of(moment("a", 2, INVOICES), corrected)
    assert moments_of(rows, INVOICES)[1] == (2, "b", "discussion")


def test_rows_without_id_match_by_wording_and_version() -> None:
    rows = ledger_of(moment("a", 2, replace(FIXES, title="Minor  fixes.", version="4.10")))
    assert [row.version for row in rows if row.title == "Minor fixes" and row.moment] == ["v4.10"]


@pytest.mark.parametrize("typed", [replace(DARK_THEME, feature_id=999), replace(DARK_THEME, title="A theme")])
def test_id_outweighs_wording(typed: Feature) -> None:
    rows = ledger_of(moment("a", 2, typed))
    assert [row.title for row in rows if row.moment] == (["Dark theme"] if typed.feature_id == 500122 else [])


def test_entry_in_two_lists_has_moments_in_both() -> None:
    releases = {**RELEASES, "v4.12": (replace(INVOICES, version="v4.12"),)}
    rows = build_ledger("Kite Show", releases, {"a": [moment("a", 2, INVOICES)]})
    assert [(row.version, row.episode_id) for row in rows if row.moment] == [("v4.10", "a"), ("v4.12", "a")]


def test_repeated_id_of_one_list_matches_by_wording() -> None:
    other = Feature(4, "Something else", "", INVOICES.feature_id)
    releases = {"v4.10": (*RELEASES["v4.10"], other)}
    rows = build_ledger("Kite Show", releases, {"a": [moment("a", 2, other)]})
    assert [row.title for row in rows if row.moment] == ["Something else"]
