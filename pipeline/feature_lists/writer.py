"""Write feature lists."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict

from pipeline.core.schema import Feature
from pipeline.core.text import disarm
from pipeline.feature_lists.page import format_page
from pipeline.feature_lists.tables import COLUMNS


def dump_features(features: Sequence[Feature], suffix: str) -> str:
    """Return a list as .csv, .json or a page's text (.txt), which read back as the same list."""
    records = [asdict(feature) for feature in features]
    if suffix == ".txt":
        return format_page(features)
    if suffix == ".json":
        return json.dumps({"features": records}, ensure_ascii=False, indent=1) + "\n"
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _show_cell(record[name]) for name in COLUMNS} for record in records)
    return text.getvalue()


def _show_cell(value: object) -> object:
    """A value as a cell that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    return disarm(value) if isinstance(value, str) else value
