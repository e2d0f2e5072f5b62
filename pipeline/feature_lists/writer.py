"""Writers of feature lists; the readers of this package return the same list for what is written here."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from pipeline.core.schema import Feature
from pipeline.core.serialization import features_to_json
from pipeline.core.storage import write_bytes
from pipeline.core.text import escape_formula
from pipeline.core.times import format_time
from pipeline.feature_lists.tables import COLUMNS

# The endings of the files that `dump_features` writes.
OUTPUT_SUFFIXES = frozenset({".csv", ".json", ".txt"})


def write_features(path: Path, features: Sequence[Feature]) -> None:
    """Write a list as .csv, .json or .txt, by the ending of `path`; OSError where it cannot be written."""
    suffix = path.suffix.lower()
    # Excel needs the byte order mark to show accents.
    write_bytes(path, dump_features(features, suffix).encode("utf-8-sig" if suffix == ".csv" else "utf-8"))


def dump_features(features: Sequence[Feature], suffix: str) -> str:
    """Return a list as the text of a .csv, .json or .txt file; `suffix` is one of `OUTPUT_SUFFIXES`."""
    if suffix == ".txt":
        return format_page(features)
    if suffix == ".json":
        return json.dumps({"features": features_to_json(features)}, ensure_ascii=False, indent=1) + "\n"
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _format_cell(value) for name, value in asdict(feature).items()} for feature in features)
    return text.getvalue()


def _format_cell(value: object) -> object:
    """Return a value as a cell that no spreadsheet runs as a formula."""
    if value is None:
        return ""
    return escape_formula(value) if isinstance(value, str) else value


def format_page(features: Sequence[Feature]) -> str:
    """Return a list as the text of a page, highlights first.

    Times are in whole seconds.
    """
    lines = []
    highlights = [feature for feature in features if feature.highlight]
    if highlights:
        lines.append("Highlights:")
        lines += [f"· {f.title}" + (f" ({f.feature_id})" if f.feature_id is not None else "") for f in highlights]
    lines.append("Full feature review:")
    # Among entries without ids a plain line would be the description of the entry above: bullets set them apart.
    has_ids = all(feature.feature_id is not None or feature.feature_key is not None for feature in features)
    for feature in features:
        lines.append(("" if has_ids else "- ") + _format_entry(feature))
        if feature.description:
            lines.append(feature.description if has_ids else f"  - {feature.description}")
    return "\n".join(lines) + "\n"


def _format_entry(feature: Feature) -> str:
    """Return `Title | v2.204 #979667 | 16:36`, without the markers that the feature does not have."""
    feature_key = feature.feature_key if feature.feature_id is None else f"#{feature.feature_id}"
    release = " ".join(marker for marker in (feature.version, feature_key) if marker)
    time = None if feature.published_s is None else format_time(feature.published_s)
    return " | ".join(part for part in (feature.title, release, time) if part)
