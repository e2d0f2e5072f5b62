"""What commands print on stdout for programs."""

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.catalog import CatalogRow

# json escapes the control codes of ASCII alone; terminals obey others, and marks of direction hide what is written.
_UNSAFE = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def print_json(value: Any) -> None:
    """Print a value as JSON; what a terminal would obey stands there as an escape, which reads back as the same."""
    # Where stdout takes no UTF-8, as under an odd locale, escapes say the same.
    text = json.dumps(value, ensure_ascii=(sys.stdout.encoding or "").lower() != "utf-8", indent=1, default=str)
    print(_UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def print_rows_as_json(rows: "Sequence[CatalogRow]") -> None:
    """Print the rows of a catalog as one JSON list."""
    print_json([asdict(row) for row in rows])
