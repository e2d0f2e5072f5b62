"""Catalog rows as Parquet, CSV and JSON; every column as the schema has it."""

import dataclasses
import json
import re
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from pipeline.core.errors import InputError
from pipeline.core.storage import atomic_write, write_bytes
from pipeline.core.text import FORMULA, escape_formula
from pipeline.publish.rows import CatalogRow

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA_VERSION = "1"
OUTPUT_SUFFIXES = frozenset({".csv", ".parquet", ".json"})
_NEEDS_QUOTES = re.compile(r'[,"\r\n]')

# What `unescape_formula` takes off; Arrow does it for a whole column.
_APOSTROPHE = f"^'({FORMULA})"

# int64 holds any vendor's number; a position or a place in a list never needs it.
SMALL_INTEGERS = frozenset({"position"})


@cache
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
    from pyarrow import json as arrow_json

    schema = catalog_schema()
    lines = "".join(json.dumps(_as_dict(row), default=_count_days) + "\n" for row in rows).encode()
    if not lines:
        return schema.empty_table()
    # Of Python's objects Arrow makes arrays only once it has imported pandas: a third of a second, which JSON saves.
    types = {column.name: pa.int32() if column.type == "date32[day]" else column.type for column in schema}
    table = arrow_json.read_json(
        pa.BufferReader(lines),
        read_options=arrow_json.ReadOptions(use_threads=False, block_size=len(lines) + 1),
        parse_options=arrow_json.ParseOptions(explicit_schema=pa.schema(types), unexpected_field_behavior="error"),
    )
    columns = [table[column.name].cast(column.type) for column in schema]
    return pa.table(columns, schema=schema)


def _count_days(published: date) -> int:
    """A date as Arrow stores it, since JSON has none."""
    return (published - date(1970, 1, 1)).days


def write_catalog(rows: Sequence[CatalogRow], path: Path) -> None:
    """Write rows as .csv, .parquet or .json, by the ending of `path`, else InputError; equal rows give equal bytes."""
    match path.suffix.lower():
        case ".parquet":
            write_parquet(build_table(rows), path)
        case ".csv":
            write_csv(build_table(rows), path)
        case ".json":
            lines = ",\n".join(json.dumps(_as_dict(row), ensure_ascii=False, default=str) for row in rows)
            with atomic_write(path) as temporary:
                temporary.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
        case _:
            raise InputError(f"the output {path} must end in {', '.join(sorted(OUTPUT_SUFFIXES))}")


def write_parquet(table: "pa.Table", path: Path) -> None:
    """Write a table to one Parquet file."""
    import pyarrow.parquet as pq

    with atomic_write(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def write_csv(table: "pa.Table", path: Path) -> None:
    """Write a table as CSV for people: UTF-8, one header line, empty cells for null, no cell a spreadsheet would run.

    A text that a spreadsheet would take for a formula gets an apostrophe before it; `read_csv` takes it off again.
    """
    header, parts = format_csv([table])
    write_bytes(path, header + b"".join(parts))


def format_csv(tables: Sequence["pa.Table"]) -> tuple[bytes, list[bytes]]:
    """Return the header of a catalog's CSV and the lines of each table; InputError where they would not read as it."""
    import pyarrow as pa

    schema = catalog_schema()
    header = (",".join(schema.names) + "\n").encode()
    parts = [_format_rows(table) for table in tables]
    if tables:
        written = pa.concat_tables(tables).replace_schema_metadata()
        if not _parse_csv(pa.BufferReader(header + b"".join(parts)), "the CSV").equals(written):
            raise InputError("catalog.csv would not hold what the Parquet files do: please report this")
    return header, parts


def _format_rows(table: "pa.Table") -> bytes:
    texts = [column.type == "string" for column in table.schema]
    lines = []
    for row in zip(*(column.to_pylist() for column in table.columns), strict=True):
        cells = (escape_formula(cell) if text and cell else cell for cell, text in zip(row, texts, strict=True))
        lines.append(",".join(map(_quote, cells)) + "\n")
    return "".join(lines).encode()


def _quote(cell: Any) -> str:
    """A cell as RFC 4180 has it: the writers of csv and pandas leave a lone carriage return bare."""
    text = "" if cell is None else str(cell)
    return '"' + text.replace('"', '""') + '"' if _NEEDS_QUOTES.search(text) else text


def read_csv(path: Path) -> "pa.Table":
    """Return the rows of a catalog's CSV with the catalog's types, as the Parquet files hold them.

    InputError where it is not a catalog.
    """
    return _parse_csv(path, path)


def _parse_csv(source: Any, shown: object) -> "pa.Table":
    """The rows of a CSV, which `shown` names in an error."""
    import pyarrow as pa
    from pyarrow import compute
    from pyarrow import csv as arrow_csv

    schema = catalog_schema()
    options = arrow_csv.ConvertOptions(
        column_types={column.name: column.type for column in schema},
        include_columns=schema.names,
        null_values=[""],
        true_values=["True"],
        false_values=["False"],
        strings_can_be_null=True,
        quoted_strings_can_be_null=True,
    )
    parsing = arrow_csv.ParseOptions(newlines_in_values=True)
    try:
        table = arrow_csv.read_csv(source, convert_options=options, parse_options=parsing)
    except (pa.ArrowException, OSError, KeyError) as error:
        raise InputError(f"{shown} is not a catalog ({error}): run `catalog publish --all`") from error
    columns = []
    # To fill with a text of Python's, Arrow would import pandas first.
    empty = compute.utf8_slice_codeunits(table["position"].cast(pa.string()), 0, 0)
    for column in schema:
        values = table[column.name]
        if column.type == "string":
            values = compute.replace_substring_regex(values, _APOSTROPHE, r"\1")
            if not column.nullable:
                values = compute.coalesce(values, empty)
        columns.append(values)
    return pa.table(columns, schema=pa.schema([column.remove_metadata() for column in schema]))


def read_catalogs(paths: Iterable[Path]) -> "pa.Table":
    """Return the rows of several episodes' Parquet files as one table, in the order of the paths.

    InputError where one is damaged, not ours, or of a newer schema.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    tables = []
    for path in paths:
        try:
            # One file, not a dataset: a folder named like `show=x` must not add a column.
            tables.append(_upgrade(pq.ParquetFile(path).read(use_threads=False), path))
        except (pa.ArrowException, OSError, ValueError) as error:  # a column's name that is no UTF-8 is a ValueError
            reason = " ".join(str(error).split())
            raise InputError(f"{path} is damaged ({reason}): publish its episode again with --force") from error
    return pa.concat_tables(tables) if tables else build_table(())


def _upgrade(table: "pa.Table", path: Path) -> "pa.Table":
    """A table of this or an older schema version as this one has it; newer ones are refused.

    A column that is younger than the file is empty; InputError where it may not be.
    """
    import pyarrow as pa

    version = (table.schema.metadata or {}).get(b"episode_catalog.schema_version", b"").decode("ascii", "replace")
    if not version.isdigit():
        raise InputError(f"{path} is not a catalog of ours: move it out of the folder")
    if int(version) > int(SCHEMA_VERSION):
        raise InputError(f"{path} was written by a newer episode-catalog (schema {version}): upgrade this one")
    schema = catalog_schema()
    if table.schema.equals(schema):
        return table
    for column in schema:
        if column.name not in table.schema.names:
            if not column.nullable or version == SCHEMA_VERSION:
                raise InputError(f"{path} is damaged (it has no {column.name}): publish its episode again with --force")
            table = table.append_column(column, pa.nulls(table.num_rows, column.type))
    return table.select(schema.names).cast(schema)


def read_dataset(folder: Path) -> "pa.Table":
    """Return the rows of all episodes in a folder, in the order of their files; InputError where there is none."""
    files = sorted(folder.glob("*.parquet"))
    if not files:
        raise InputError(
            f"{folder} holds no catalog yet: run `catalog run --all` first, or name the project with --root"
        )
    return read_catalogs(files)


def read_rows(folder: Path, episodes: Sequence[str] | None = None) -> dict[str, tuple[CatalogRow, ...]]:
    """Return the rows of these episodes, or of all, by episode id; InputError where one has none."""
    rows: dict[str, list[CatalogRow]] = {}
    # A name is no pattern: [] must not match.
    files = [folder / f"{name}.parquet" for name in episodes or ()]
    table = read_catalogs(files) if files and all(file.is_file() for file in files) else read_dataset(folder)
    for record in table.to_pylist():
        rows.setdefault(record["episode_id"], []).append(CatalogRow(**record))
    if missing := [name for name in episodes or () if name not in rows]:
        raise InputError(f"{folder} holds no catalog of {missing[0]}: run `catalog run {missing[0]}` first")
    return {name: tuple(rows[name]) for name in (episodes or rows)}


def _as_dict(row: CatalogRow) -> dict[str, Any]:
    return {column.name: getattr(row, column.name) for column in dataclasses.fields(row)}
