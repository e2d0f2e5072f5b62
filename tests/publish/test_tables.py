"""The files of the catalog: types, order, metadata, the same bytes each time."""

import codecs
import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pandas as pd
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.errors import InputError
from pipeline.core.times import format_clock
from pipeline.publish import tables
from pipeline.publish.tables import build_table, catalog_schema, read_catalogs, read_csv, write_catalog, write_parquet
from tests.support.project import REPOSITORY
from tests.support.rows import TABLE_ROWS as ROWS

TYPES = {
    "published_on": pa.date32(),
    "position": pa.int32(),
    "feature_id": pa.int64(),
    "highlight": pa.bool_(),
    **dict.fromkeys(("start_s", "end_s", "confidence", "published_s", "drift_s"), pa.float64()),
}
NULLABLE = set(
    "published_on feature_id version start_s end_s start url published_s drift_s audio_sha256 features_sha256 "
    "feature_key".split()
)


def test_every_column_has_its_fixed_type() -> None:
    for column in catalog_schema():
        assert column.type == TYPES.get(column.name, pa.string()), column.name
        assert column.nullable == (column.name in NULLABLE), column.name


def test_parquet_metadata_has_version_and_column_descriptions(tmp_path: Path) -> None:
    write_catalog(ROWS, tmp_path / "c.parquet")
    schema = pq.read_schema(tmp_path / "c.parquet")
    assert schema.metadata[b"episode_catalog.schema_version"] == b"2"
    assert all(len(column.metadata[b"description"]) > 5 for column in schema)


def test_parquet_reads_back(tmp_path: Path) -> None:
    write_catalog(ROWS, tmp_path / "c.parquet")
    first, second = pq.read_table(tmp_path / "c.parquet").to_pylist()
    assert (first["start_s"], first["feature_id"], first["published_on"]) == (124.568, 500111, date(2026, 11, 2))
    assert second["start_s"] is None
    assert second["feature_id"] is None


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".json"])
def test_same_rows_give_same_bytes(tmp_path: Path, ending: str) -> None:
    write_catalog(ROWS, tmp_path / f"a{ending}")
    write_catalog(ROWS, tmp_path / f"b{ending}")
    assert (tmp_path / f"a{ending}").read_bytes() == (tmp_path / f"b{ending}").read_bytes()


def test_csv_keeps_integers_and_empty_cells(tmp_path: Path) -> None:
    write_catalog(ROWS, tmp_path / "c.csv")
    header, first, second = (tmp_path / "c.csv").read_text(encoding="utf-8-sig").splitlines()
    assert header.split(",")[:6] == ["show", "episode_id", "episode_title", "published_on", "position", "feature_id"]
    assert first.split(",")[3:7] == ["2026-11-02", "1", "500111", "v4.10"]
    assert second.split(",")[3:7] == ["", "2", "", ""]


def test_spreadsheets_read_csv_as_utf_8_and_starts_as_minutes(tmp_path: Path) -> None:
    write_catalog([replace(ROWS[0], title="Größe", start_s=109.0, start=format_clock(109.0))], tmp_path / "c.csv")
    assert (tmp_path / "c.csv").read_bytes().startswith(codecs.BOM_UTF8)
    frame = pd.read_csv(tmp_path / "c.csv")
    # A spreadsheet takes 1:49 for 1 hour 49 minutes.
    assert (frame.columns[0], frame["title"][0], frame["start"][0]) == ("show", "Größe", "0:01:49")
    assert duckdb.read_csv(str(tmp_path / "c.csv")).columns[0] == "show"


def test_csv_equals_parquet(tmp_path: Path) -> None:
    rows = (replace(ROWS[0], title='He said "no",\nthen – “yes” £5', description=""), ROWS[1])
    for ending in (".csv", ".parquet"):
        write_catalog(rows, tmp_path / f"c{ending}")
    table = pd.read_parquet(tmp_path / "c.parquet")
    text = pd.read_csv(tmp_path / "c.csv", dtype=str, keep_default_na=False)
    assert list(text.columns) == list(table.columns)
    assert list(text["title"]) == list(table["title"])
    assert list(text["highlight"]) == ["True", "True"]


EVIL = (
    *("=1+1", "'=x", "-x", "@sum", "+1", "＝1", "\tq", "\nq", "a\nb", "c\r\nd", "e\rf"),
    *('"q", then', "'plain", "  lead", "", "NA", "null", "True", "é“🎧"),
)


def test_csv_escapes_formulas_and_reads_back(tmp_path: Path) -> None:
    rows = [replace(ROWS[0], title=text or "-", description=text, quote=text) for text in EVIL]
    write_catalog(rows, tmp_path / "c.csv")
    cells = pd.read_csv(tmp_path / "c.csv", dtype=str, keep_default_na=False)["description"]
    assert not cells.str.match(r"[=+\-@\t\r\n＝]").any()
    assert read_csv(tmp_path / "c.csv").equals(build_table(rows).replace_schema_metadata())


@given(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8")))
def test_any_text_survives_csv(title: str, quote: str) -> None:
    rows = [replace(ROWS[0], title=title, quote=quote)]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "c.csv"
        write_catalog(rows, path)
        assert read_csv(path).equals(build_table(rows).replace_schema_metadata())


def test_four_libraries_read_the_same_dataset(tmp_path: Path) -> None:
    folder = tmp_path / "catalog"
    for name in ("a", "b"):
        write_catalog([replace(row, episode_id=name) for row in ROWS], folder / f"{name}.parquet")
    starts = [124.568, None, 124.568, None]
    arrow = pq.read_table(folder)
    assert arrow.schema.field("feature_id").type == pa.int64()
    assert arrow["start_s"].to_pylist() == starts
    assert duckdb.connect().execute(f"SELECT start_s FROM '{folder}/*.parquet'").fetchall() == [(s,) for s in starts]
    assert duckdb.connect().execute(f"SELECT typeof(feature_id) FROM '{folder}/*.parquet'").fetchall()[0] == ("BIGINT",)
    frame = polars.read_parquet(folder)
    assert frame["feature_id"].dtype == polars.Int64
    assert frame["start_s"].to_list() == starts
    read = pd.read_parquet(folder, dtype_backend="pyarrow")
    assert str(read.dtypes["feature_id"]) == "int64[pyarrow]"
    assert read["published_on"].dropna().tolist() == [date(2026, 11, 2)] * 2


GOLDEN = REPOSITORY / "tests" / "data" / "catalog-schema-1.parquet"


def test_file_of_schema_version_1_is_read() -> None:
    """Written when the version was 1 and never since: a change of the schema must go on reading it."""
    table = read_catalogs([GOLDEN])
    assert table.schema == catalog_schema()
    assert table["title"].to_pylist() == ["Title", "Title"]
    assert table["start_s"].to_pylist() == [124.568, None]


def test_column_newer_than_file_is_null(monkeypatch: pytest.MonkeyPatch) -> None:
    later = catalog_schema().append(pa.field("chapter", pa.string()))
    monkeypatch.setattr(tables, "catalog_schema", lambda: later)
    monkeypatch.setattr(tables, "SCHEMA_VERSION", "99")
    read = read_catalogs([GOLDEN])
    assert read.schema == later
    assert read["chapter"].null_count == read.num_rows > 0
    monkeypatch.setattr(tables, "catalog_schema", lambda: later.append(pa.field("words", pa.int64(), nullable=False)))
    with pytest.raises(InputError, match="it has no words.: publish its episode again with --force"):
        read_catalogs([GOLDEN])


def test_file_of_newer_schema_is_refused(tmp_path: Path) -> None:
    table = build_table(ROWS).replace_schema_metadata({"episode_catalog.schema_version": "99"})
    pq.write_table(table, tmp_path / "c.parquet")
    with pytest.raises(InputError, match="written by a newer episode-catalog"):
        read_catalogs([tmp_path / "c.parquet"])


def test_foreign_parquet_file_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [1]}), tmp_path / "c.parquet")
    with pytest.raises(InputError, match="is not a catalog of episode-catalog"):
        read_catalogs([tmp_path / "c.parquet"])


def test_json_has_an_object_for_each_row(tmp_path: Path) -> None:
    write_catalog(ROWS, tmp_path / "c.json")
    first = json.loads((tmp_path / "c.json").read_text(encoding="utf-8"))[0]
    assert (first["position"], first["published_on"]) == (1, "2026-11-02")


def test_episodes_are_read_in_order_of_paths(tmp_path: Path) -> None:
    for name in ("b", "a"):
        write_catalog([replace(ROWS[0], episode_id=name)], tmp_path / f"{name}.parquet")
    table = read_catalogs(sorted(tmp_path.glob("*.parquet")))
    assert table["episode_id"].to_pylist() == ["a", "b"]
    assert table.schema == catalog_schema()


def test_no_rows_make_an_empty_table(tmp_path: Path) -> None:
    assert build_table([]).schema == catalog_schema()
    assert read_catalogs([]).num_rows == 0


def test_damaged_parquet_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "c.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(InputError, match=r"c\.parquet is damaged"):
        read_catalogs([tmp_path / "c.parquet"])


def test_parquet_file_without_a_column_is_named(tmp_path: Path) -> None:
    """A bit of a column's name flipped: the file reads, and the column is another."""
    write_parquet(build_table(ROWS).drop_columns(["quote"]), tmp_path / "c.parquet")
    with pytest.raises(InputError, match=r"c\.parquet is damaged \(it has no quote\): .*--force"):
        read_catalogs([tmp_path / "c.parquet"])


def test_parquet_file_with_undecodable_name_is_named(tmp_path: Path) -> None:
    path = tmp_path / "c.parquet"
    write_parquet(build_table(ROWS), path)
    path.write_bytes(path.read_bytes().replace(b"drift_s", b"d\xf4ift_s"))
    with pytest.raises(InputError, match=r"c\.parquet is damaged"):
        read_catalogs([path])


def test_unknown_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must end in"):
        write_catalog(ROWS, tmp_path / "c.xlsx")
