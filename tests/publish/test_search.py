"""Search: typos, plural and tense are forgiven, ids and versions are exact, the best comes first."""

from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.publish.search import search_catalog
from pipeline.publish.tables import build_table
from tests.support.rows import make_row

TITLES = {
    500111: ("v4.10", "ep1", "Invoices can be sorted by due date", "A button in the list."),
    500122: ("v4.10", "ep1", "Added a dark theme to the mobile app", "Follows the phone's invoice setting."),
    500133: ("v4.1", "ep2", "Export limit raised for Windows 365", "Up to 2,500 rows."),
    500144: ("v4.11", "ep2", "Self-checkout kiosks have a large print layout", ""),
    500155: ("v4.11", "ep3", "Größere Schrift für die Übersicht", ""),
}


@pytest.fixture(scope="module")
def table() -> pa.Table:
    row = make_row()
    return build_table(
        replace(row, position=n, feature_id=i, version=v, episode_id=e, title=t, description=d, quote="All right then")
        for n, (i, (v, e, t, d)) in enumerate(TITLES.items(), start=1)
    )


def ids(table: pa.Table, *words: str, **filters: str | int) -> list[int]:
    return [hit.row["feature_id"] for hit in search_catalog(table, words, **filters)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["theme"], [500122]),
        (["THEME"], [500122]),
        (["sorting"], [500111]),
        (["kiosk"], [500144]),
        (["checkout"], [500144]),
        (["self-checkout"], [500144]),
        (["layuot"], [500144]),
        (["mobil"], [500122]),
        (["exprot", "limit"], [500133]),
        (["ubersicht"], [500155]),
        (["übersicht"], [500155]),
        (["nonsense"], []),
        (["theme", "nonsense"], []),
    ],
)
def test_words_are_found_with_typos_plural_and_tense(table: pa.Table, words: list[str], found: list[int]) -> None:
    assert ids(table, *words) == found


def test_a_word_in_the_title_counts_more_than_in_the_text(table: pa.Table) -> None:
    assert ids(table, "invoices") == [500111, 500122]


@pytest.mark.parametrize("word", ["#500133", "500133"])
def test_an_id_is_exact(table: pa.Table, word: str) -> None:
    assert ids(table, word) == [500133]
    assert ids(table, word[:-1]) == []


@pytest.mark.parametrize("word", ["v4.1", "4.1", "V4.1"])
def test_a_version_is_exact(table: pa.Table, word: str) -> None:
    assert ids(table, word) == [500133]
    assert ids(table, version=word) == [500133]


def test_a_number_in_the_text_is_found_as_written(table: pa.Table) -> None:
    assert ids(table, "365") == [500133]
    assert ids(table, "36") == []


def test_filters_narrow_a_search(table: pa.Table) -> None:
    assert ids(table, "invoice", version="v4.10", episode="ep1") == [500111, 500122]
    assert ids(table, "invoice", episode="ep2") == []
    assert ids(table, feature_id=500144) == [500144]
    assert ids(table, episode="ep2") == [500133, 500144]


def test_no_more_rows_come_than_asked_for(table: pa.Table) -> None:
    assert len(search_catalog(table, [], version="v4.10", limit=1)) == 1


@given(st.lists(st.text(max_size=20), max_size=4))
def test_any_question_has_an_answer_or_none(words: list[str]) -> None:
    assert search_catalog(build_table([make_row()]), words) is not None


def test_an_empty_catalog_answers_nothing() -> None:
    assert search_catalog(build_table([]), ["theme"]) == []
