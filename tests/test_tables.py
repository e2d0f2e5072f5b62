"""The files of the catalog: types, order, metadata, the same bytes each time."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from test_catalog import PLACED, row_of

from pipeline.errors import InputError
from pipeline.schema import Method, Placement, Status
from pipeline.tables import build_table, catalog_schema, read_catalogs, write_catalog

MISSING = Placement(1, None, None, Status.NOT_FOUND, 0.9, Method.ORDER, "never named")
ROWS = (
    row_of(PLACED),
    replace(row_of(MISSING), position=2, feature_id=None, version=None, published_on=None, published_s=None),
)

TYPES = {
    "published_on": pa.date32(),
    "position": pa.int32(),
    "feature_id": pa.int64(),
    "highlight": pa.bool_(),
    **dict.fromkeys(("start_s", "end_s", "confidence", "published_s", "drift_s"), pa.float64()),
}
NULLABLE = set(
    "published_on feature_id version start_s end_s start url published_s drift_s audio_sha256 features_sha256".split()
)


def test_every_column_has_its_fixed_type() -> None:
    for column in catalog_schema():
        assert column.type == TYPES.get(column.name, pa.string()), column.name
        assert column.nullable == (column.name in NULLABLE), column.name


def test_parquet_carries_a_schema_version_and_a_description_of_every_column(tmp_path: Path) -> None:
    write_catalog(ROWS, tmp_path / "c.parquet")
    schema = pq.read_schema(tmp_path / "c.parquet")
    assert schema.metadata[b"episode_catalog.schema_version"] == b"1"
    assert all(len(column.metadata[b"description"]) > 5 for column in schema)


def test_parquet_gives_the_rows_back(tmp_path: Path) -> None:
    write_catalog(ROWS, tmp_path / "c.parquet")
    first, second = pq.read_table(tmp_path / "c.parquet").to_pylist()
    assert (first["start_s"], first["feature_id"], first["published_on"]) == (124.568, 500111, date(2026, 11, 2))
    assert second["start_s"] is None
    assert second["feature_id"] is None


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".json"])
def test_the_same_rows_give_the_same_bytes(tmp_path: Path, ending: str) -> None:
    write_catalog(ROWS, tmp_path / f"a{ending}")
    write_catalog(ROWS, tmp_path / f"b{ending}")
    assert (tmp_path / f"a{ending}").read_bytes() == (tmp_path / f"b{ending}").read_bytes()


def test_csv_keeps_integers_whole_and_leaves_gaps_empty(tmp_path: Path) -> None:
    write_catalog(ROWS, tmp_path / "c.csv")
    header, first, second = (tmp_path / "c.csv").read_text(encoding="utf-8").splitlines()
    assert header.split(",")[:6] == ["show", "episode_id", "episode_title", "published_on", "position", "feature_id"]
    assert first.split(",")[3:7] == ["2026-11-02", "1", "500111", "v4.10"]
    assert second.split(",")[3:7] == ["", "2", "", ""]


def test_csv_and_parquet_say_the_same(tmp_path: Path) -> None:
    rows = (replace(ROWS[0], title='He said "no",\nthen – “yes” £5', description=""), ROWS[1])
    for ending in (".csv", ".parquet"):
        write_catalog(rows, tmp_path / f"c{ending}")
    table = pd.read_parquet(tmp_path / "c.parquet")
    text = pd.read_csv(tmp_path / "c.csv", dtype=str, keep_default_na=False)
    assert list(text.columns) == list(table.columns)
    assert list(text["title"]) == list(table["title"])
    assert list(text["highlight"]) == ["True", "True"]


def test_json_holds_the_rows_as_objects(tmp_path: Path) -> None:
    write_catalog(ROWS, tmp_path / "c.json")
    first = json.loads((tmp_path / "c.json").read_text(encoding="utf-8"))[0]
    assert (first["position"], first["published_on"]) == (1, "2026-11-02")


def test_several_episodes_are_read_in_the_order_of_their_files(tmp_path: Path) -> None:
    for name in ("b", "a"):
        write_catalog([replace(ROWS[0], episode_id=name)], tmp_path / f"{name}.parquet")
    table = read_catalogs(sorted(tmp_path.glob("*.parquet")))
    assert table["episode_id"].to_pylist() == ["a", "b"]
    assert table.schema == catalog_schema()


def test_no_rows_are_still_a_table(tmp_path: Path) -> None:
    assert build_table([]).schema == catalog_schema()
    assert read_catalogs([]).num_rows == 0


def test_a_damaged_parquet_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "c.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(InputError, match=r"c\.parquet is damaged"):
        read_catalogs([tmp_path / "c.parquet"])


def test_an_unknown_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must end in"):
        write_catalog(ROWS, tmp_path / "c.xlsx")
