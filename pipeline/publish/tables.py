"""Catalog rows as Parquet, CSV and JSON, every column with the type that the schema gives it."""

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
from pipeline.publish.ledger import LEDGER_SCHEMA_VERSION, LedgerRow
from pipeline.publish.rows import SCHEMA_VERSION, CatalogRow

if TYPE_CHECKING:
    import pyarrow as pa

Row = CatalogRow | LedgerRow

# The metadata key of a Parquet file that holds SCHEMA_VERSION.
VERSION_KEY = "episode_catalog.schema_version"

# The endings of the files that `write_catalog` writes.
OUTPUT_SUFFIXES = frozenset({".csv", ".parquet", ".json"})

# Integer columns of 32 bits; the others have 64, which hold any vendor's number.
SMALL_INTEGERS = frozenset({"position", "moment"})

# Characters that make a CSV cell need quotes (RFC 4180).
_QUOTED_CHARACTERS = re.compile(r'[,"\r\n]')

# A regular expression for Arrow: the apostrophe that `escape_formula` puts before a formula.
_ESCAPED_FORMULA = f"^'({FORMULA})"


@cache
def catalog_schema() -> "pa.Schema":
    """Return the Arrow schema of the catalog: each column with its description, and the schema version."""
    return build_schema(CatalogRow, SCHEMA_VERSION)


@cache
def ledger_schema() -> "pa.Schema":
    """Return the Arrow schema of the ledger."""
    return build_schema(LedgerRow, LEDGER_SCHEMA_VERSION)


def build_schema(row_type: type, version: str) -> "pa.Schema":
    """Return the Arrow schema of rows whose fields carry their descriptions."""
    import pyarrow as pa

    types = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_(), date: pa.date32()}
    fields = []
    for name, hint in get_type_hints(row_type, include_extras=True).items():
        annotated, description = get_args(hint)
        # A union with None has its members as arguments, a plain type has none.
        kinds = get_args(annotated) or (annotated,)
        kind = pa.int32() if name in SMALL_INTEGERS else types[kinds[0]]
        fields.append(pa.field(name, kind, nullable=type(None) in kinds, metadata={"description": description}))
    return pa.schema(fields, metadata={VERSION_KEY: version})


def build_table(rows: Iterable[Row], schema: "pa.Schema | None" = None) -> "pa.Table":
    """Return the rows as an Arrow table; with the catalog's schema, unless another is given."""
    import pyarrow as pa
    from pyarrow import json as arrow_json

    schema = schema or catalog_schema()
    lines = "".join(json.dumps(_to_dict(row), default=_count_days) + "\n" for row in rows).encode()
    if not lines:
        return schema.empty_table()
    # From Python objects, Arrow builds arrays only after importing pandas (0.3 s); from JSON it does not.
    types = {column.name: pa.int32() if column.type == "date32[day]" else column.type for column in schema}
    table = arrow_json.read_json(
        pa.BufferReader(lines),
        read_options=arrow_json.ReadOptions(use_threads=False, block_size=len(lines) + 1),
        parse_options=arrow_json.ParseOptions(explicit_schema=pa.schema(types), unexpected_field_behavior="error"),
    )
    columns = [table[column.name].cast(column.type) for column in schema]
    return pa.table(columns, schema=schema)


def _count_days(day: date) -> int:
    """Return a date as Arrow stores it, in days since 1970; JSON has no dates."""
    return (day - date(1970, 1, 1)).days


def _to_dict(row: Row) -> dict[str, Any]:
    return {column.name: getattr(row, column.name) for column in dataclasses.fields(row)}


def write_catalog(rows: Sequence[CatalogRow], path: Path) -> None:
    """Write rows as .csv, .parquet or .json, by the ending of `path`; equal rows give equal bytes.

    InputError where the ending is another.
    """
    match path.suffix.lower():
        case ".parquet":
            write_parquet(build_table(rows), path)
        case ".csv":
            write_csv(build_table(rows), path)
        case ".json":
            records = ",\n".join(json.dumps(_to_dict(row), ensure_ascii=False, default=str) for row in rows)
            with atomic_write(path) as temporary:
                temporary.write_text(f"[\n{records}\n]\n", encoding="utf-8")
        case _:
            raise InputError(f"the output {path} must end in {', '.join(sorted(OUTPUT_SUFFIXES))}")


def write_parquet(table: "pa.Table", path: Path) -> None:
    """Write a table to one Parquet file."""
    import pyarrow.parquet as pq

    # Arrow takes no path whose bytes are not UTF-8.
    with atomic_write(path) as temporary, temporary.open("wb") as sink:
        pq.write_table(table, sink, compression="zstd")


def write_csv(table: "pa.Table", path: Path) -> None:
    """Write a table as the CSV of `format_csv`, in UTF-8 with a byte order mark: Excel needs it to show accents."""
    write_bytes(path, format_csv(table).encode("utf-8-sig"))


def format_csv(table: "pa.Table") -> str:
    """Return a table as CSV: one header line, empty cells for null.

    A text that a spreadsheet would run as a formula gets an apostrophe before it; `read_csv` removes it.
    """
    texts = [column.type == "string" for column in table.schema]
    lines = [",".join(table.schema.names) + "\n"]
    for row in zip(*(column.to_pylist() for column in table.columns), strict=True):
        cells = (escape_formula(cell) if text and cell else cell for cell, text in zip(row, texts, strict=True))
        lines.append(",".join(map(_format_cell, cells)) + "\n")
    return "".join(lines)


def _format_cell(cell: Any) -> str:
    """Return a cell as RFC 4180 has it; the writers of csv and pandas leave a lone carriage return without quotes."""
    text = "" if cell is None else str(cell)
    return '"' + text.replace('"', '""') + '"' if _QUOTED_CHARACTERS.search(text) else text


def read_csv(path: Path) -> "pa.Table":
    """Return the rows of a catalog's CSV with the catalog's types, as the Parquet files hold them.

    InputError where the file is not a catalog.
    """
    import pyarrow as pa
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
        with path.open("rb") as source:
            table = arrow_csv.read_csv(source, convert_options=options, parse_options=parsing)
    except (pa.ArrowException, OSError, KeyError) as error:
        raise InputError(f"{path} is not a catalog ({error}): run `catalog publish --all` to write it again") from error
    columns = [_restore_texts(table[column.name], column) for column in schema]
    return pa.table(columns, schema=pa.schema([column.remove_metadata() for column in schema]))


def _restore_texts(cells: "pa.ChunkedArray", column: "pa.Field") -> "pa.ChunkedArray":
    """Return a CSV column without the apostrophes of formulas, and empty texts where null is not allowed."""
    from pyarrow import compute

    if column.type != "string":
        return cells
    texts = compute.replace_substring_regex(cells, _ESCAPED_FORMULA, r"\1")
    return texts if column.nullable else compute.fill_null(texts, "")


def read_catalogs(paths: Iterable[Path]) -> "pa.Table":
    """Return the rows of several episodes' Parquet files as one table, in the order of the paths.

    InputError where a file is damaged, is not a catalog, or has a newer schema.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    tables = []
    for path in paths:
        try:
            # One file, not a dataset: a folder with a name such as `show=x` must not add a column.
            with path.open("rb") as source:
                tables.append(_upgrade(pq.ParquetFile(source).read(use_threads=False), path))
        # A column name that is not UTF-8 is a ValueError.
        except (pa.ArrowException, OSError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise _damaged(path, reason) from error
    return pa.concat_tables(tables) if tables else build_table(())


def _damaged(path: Path, reason: str) -> InputError:
    # The file of an episode that was renamed or removed cannot be published again.
    advice = "publish its episode again with --force, or remove the file if it has no episode"
    return InputError(f"{path} is damaged ({reason})", advice)


def _upgrade(table: "pa.Table", path: Path) -> "pa.Table":
    """Return a table of this schema version or an older one with the columns of this one.

    A column that is newer than the file is null there. InputError where a column must not be null, and where the file
    has a newer schema.
    """
    import pyarrow as pa

    version = (table.schema.metadata or {}).get(VERSION_KEY.encode(), b"").decode("ascii", "replace")
    if not version.isdigit():
        raise InputError(f"{path} is not a catalog of episode-catalog: move it out of the folder")
    if int(version) > int(SCHEMA_VERSION):
        raise InputError(f"{path} was written by a newer episode-catalog (schema {version}): upgrade this one")
    schema = catalog_schema()
    if table.schema.equals(schema):
        return table
    for column in schema:
        if column.name not in table.schema.names:
            if not column.nullable or version == SCHEMA_VERSION:
                raise _damaged(path, f"it has no {column.name}")
            table = table.append_column(column, pa.nulls(table.num_rows, column.type))
    return table.select(schema.names).cast(schema)


def read_ledger_rows(path: Path) -> tuple[LedgerRow, ...]:
    """Return the rows of a ledger; InputError where the file is damaged, or of another schema version."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with path.open("rb") as source:
            table = pq.ParquetFile(source).read(use_threads=False)
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path} is damaged ({reason}): remove it and run `catalog run --all`") from error
    if not table.schema.equals(ledger_schema()):
        raise InputError(f"{path} has other columns than this version writes: run `catalog run --all`")
    return tuple(LedgerRow(*cells) for cells in zip(*(column.to_pylist() for column in table.columns), strict=True))
