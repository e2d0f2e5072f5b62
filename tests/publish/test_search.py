"""Search: words match despite typos, plural and tense; ids and versions match exactly; the best row is first."""

import subprocess
import sys
import unicodedata
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.publish.search import search_catalog
from pipeline.publish.tables import build_table, write_parquet
from tests.support.rows import TABLE_ROWS, make_row

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
    ("words", "expected"),
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
def test_words_match_with_typos_plural_and_tense(table: pa.Table, words: list[str], expected: list[int]) -> None:
    assert ids(table, *words) == expected


def test_title_match_outranks_description_match(table: pa.Table) -> None:
    assert ids(table, "invoices") == [500111, 500122]


@pytest.mark.parametrize("word", ["#500133", "500133"])
def test_id_matches_exactly(table: pa.Table, word: str) -> None:
    assert ids(table, word) == [500133]
    assert ids(table, word[:-1]) == []


@pytest.mark.parametrize("word", ["v4.1", "4.1", "V4.1"])
def test_version_matches_exactly(table: pa.Table, word: str) -> None:
    assert ids(table, word) == [500133]
    assert ids(table, version=word) == [500133]


def test_number_in_text_matches_as_written(table: pa.Table) -> None:
    assert ids(table, "365") == [500133]
    assert ids(table, "36") == []


def test_filters_narrow_a_search(table: pa.Table) -> None:
    assert ids(table, "invoice", version="v4.10", episode="ep1") == [500111, 500122]
    assert ids(table, "invoice", episode="ep2") == []
    assert ids(table, feature_id=500144) == [500144]
    assert ids(table, episode="ep2") == [500133, 500144]


def test_limit_bounds_number_of_rows(table: pa.Table) -> None:
    assert len(search_catalog(table, [], version="v4.10", limit=1)) == 1


@given(st.lists(st.text(max_size=20), max_size=4))
def test_any_query_is_accepted(words: list[str]) -> None:
    assert search_catalog(build_table([make_row()]), words) is not None


def test_empty_catalog_has_no_hits() -> None:
    assert search_catalog(build_table([]), ["theme"]) == []


def test_words_without_letters_have_no_hits(table: pa.Table) -> None:
    assert ids(table, "_") == []
    assert ids(table, "_", "theme") == [500122]


def test_search_imports_no_pandas(tmp_path: Path) -> None:
    write_parquet(build_table(TABLE_ROWS), tmp_path / "c.parquet")
    code = (
        "import sys; from pathlib import Path; from pipeline.publish import dataset, search; "
        f"table = dataset.read_dataset(Path({str(tmp_path)!r})); "
        "hits = search.search_catalog(table, ['title', 'v4.10'], version='4.10', feature_id=500111, episode='ep1'); "
        "print(len(hits), 'pandas' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.split() == ["1", "False"]


def test_signs_and_unicode_forms_are_searched() -> None:
    row = make_row()
    titles = ["Samples in C++", "Samples in C#", "한글 지원"]
    signs = build_table(
        replace(row, position=n, feature_id=n, title=t, quote="") for n, t in enumerate(titles, start=1)
    )
    assert ids(signs, "c++") == [1]
    assert ids(signs, "C#") == [2]
    assert ids(signs, unicodedata.normalize("NFD", "한글")) == [3]


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("grosse", "Große Schrift"),
        ("cafe", "Café menu"),
        ("搜索", "搜索结果现在可以导出"),
        ("导出", "搜索结果现在可以导出"),
        ("検索", "検索結果を保存する"),
        ("검색", "검색을 저장"),
        ("ค้นหา", "การค้นหา"),
    ],
)
def test_every_script_is_searched(query: str, title: str) -> None:
    row = make_row()
    rows = [
        replace(row, position=n, feature_id=n, title=t, quote="") for n, t in enumerate((title, "Nothing"), start=1)
    ]
    assert ids(build_table(rows), query) == [1]
