"""Catalog rows as Parquet and CSV: the one place that knows pyarrow and pandas."""

import dataclasses
import json
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from pipeline.catalog import CatalogRow
from pipeline.errors import InputError
from pipeline.storage import write_whole

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA_VERSION = "1"
OUTPUT_SUFFIXES = frozenset({".csv", ".parquet", ".json"})

# int64 holds any vendor's number; a position or a place in a list never needs it.
SMALL_INTEGERS = frozenset({"position"})


def catalog_schema() -> "pa.Schema":
    """Return the columns of the catalog, each with its description, and the version of the whole."""
    import pyarrow as pa

    types = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_(), date: pa.date32()}
    hints = get_type_hints(CatalogRow)
    fields = []
    for column in dataclasses.fields(CatalogRow):
        kind = next(t for t in (get_args(hints[column.name]) or (hints[column.name],)) if t is not type(None))
        fields.append(
            pa.field(
                column.name,
                pa.int32() if column.name in SMALL_INTEGERS else types[kind],
                nullable=bool(column.metadata["nullable"]),
                metadata={"description": str(column.metadata["description"])},
            )
        )
    return pa.schema(fields, metadata={"episode_catalog.schema_version": SCHEMA_VERSION})


def build_table(rows: Iterable[CatalogRow]) -> "pa.Table":
    """Return the rows as an Arrow table with the catalog's schema."""
    import pyarrow as pa

    return pa.Table.from_pylist([_as_dict(row) for row in rows], schema=catalog_schema())


def write_catalog(rows: Sequence[CatalogRow], path: Path) -> None:
    """Write rows as .csv, .parquet or .json, by the ending of `path`; the same rows give the same bytes."""
    match path.suffix.lower():
        case ".parquet":
            write_parquet(build_table(rows), path)
        case ".csv":
            write_csv(build_table(rows), path)
        case ".json":
            lines = ",\n".join(json.dumps(_as_dict(row), ensure_ascii=False, default=str) for row in rows)
            with write_whole(path) as temporary:
                temporary.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
        case _:
            raise InputError(f"the output {path} must end in {', '.join(sorted(OUTPUT_SUFFIXES))}")


def write_parquet(table: "pa.Table", path: Path) -> None:
    """Write a table to one Parquet file."""
    import pyarrow.parquet as pq

    with write_whole(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def write_csv(table: "pa.Table", path: Path) -> None:
    """Write a table as CSV for people: UTF-8, one header line, empty cells for null."""
    import pandas as pd

    # Arrow's own types keep a column of integers with gaps from becoming floats.
    frame = table.to_pandas(types_mapper=pd.ArrowDtype)
    with write_whole(path) as temporary:
        frame.to_csv(temporary, index=False, encoding="utf-8", lineterminator="\n")


def read_catalogs(paths: Iterable[Path]) -> "pa.Table":
    """Return the rows of several episodes' Parquet files as one table, in the order of the paths."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    tables = []
    for path in paths:
        try:
            tables.append(pq.read_table(path, schema=catalog_schema()))
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{path} is damaged ({error}): publish its episode again with --force") from error
    return pa.concat_tables(tables) if tables else build_table(())


def _as_dict(row: CatalogRow) -> dict[str, Any]:
    return {column.name: getattr(row, column.name) for column in dataclasses.fields(row)}
