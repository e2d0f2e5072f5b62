"""What commands print on stdout for programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.catalog import CatalogRow


def print_rows_as_json(rows: "Sequence[CatalogRow]") -> None:
    """Print the rows of a catalog as one JSON list."""
    print(json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=1, default=str))
