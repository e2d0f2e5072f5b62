"""Write feature lists."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict

from pipeline.core.schema import Feature
from pipeline.core.text import escape_formula
from pipeline.core.times import format_time
from pipeline.feature_lists.tables import COLUMNS

# The endings of the files that `dump_features` writes.
OUTPUT_SUFFIXES = frozenset({".csv", ".json", ".txt"})


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
    return escape_formula(value) if isinstance(value, str) else value


def format_page(features: Sequence[Feature]) -> str:
    """Return a list in the page's own format, highlights first, which `read_page` reads back as the same list.

    Times are in whole seconds, as a page has them.
    """
    lines = []
    highlights = [feature for feature in features if feature.highlight]
    if highlights:
        lines.append("Highlights:")
        lines += [f"· {f.title}" + (f" ({f.feature_id})" if f.feature_id is not None else "") for f in highlights]
    lines.append("Full feature review:")
    # Among entries without ids a plain line could be the description of the one before: bullets tell them apart.
    plain = all(feature.feature_id is not None for feature in features)
    for feature in features:
        marks = f"{feature.version or ''} {f'#{feature.feature_id}' if feature.feature_id is not None else ''}".strip()
        time = "" if feature.published_s is None else format_time(feature.published_s)
        lines.append(("" if plain else "- ") + " | ".join(part for part in (feature.title, marks, time) if part))
        if feature.description:
            lines.append(feature.description if plain else f"  - {feature.description}")
    return "\n".join(lines) + "\n"
