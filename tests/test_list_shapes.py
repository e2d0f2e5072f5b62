"""Lists in the shapes of the release notes of many makers: the share of entries that are read right.

Each list of tests/data/lists has its right entries, written by hand, in a table beside it.
"""

import csv
import re
from pathlib import Path

import pytest

from pipeline.feature_lists.load import parse_episodes
from tests.support.project import REPOSITORY

LISTS = REPOSITORY / "tests" / "data" / "lists"
RIGHT = sorted(LISTS.glob("*.entries.tsv"))
# The lowest share of entries that must be right, and the fewest lists.
MIN_SHARE = 0.97
MIN_LISTS = 40

Entry = tuple[str, str, str, str]


def read_right(path: Path) -> list[Entry]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [(row["key"], row["version"], row["title"], row["description"]) for row in rows]


def read_list(right: Path) -> tuple[list[Entry], tuple[str, ...]]:
    name = right.name.removesuffix(".entries.tsv")
    (path,) = (path for path in LISTS.glob(f"{name}.*") if path != right)
    lists = parse_episodes(path.read_bytes(), path.suffix)
    features = [feature for listed in lists for feature in listed.features]
    entries = [(f.feature_key or "", f.version or "", f.title, f.description) for f in features]
    return entries, tuple(warning for listed in lists for warning in listed.warnings)


def simplify(entry: Entry) -> Entry:
    """Return an entry without the sign of a number and the full stop of a title, which makers write or leave out."""
    key, version, title, description = entry
    return key.removeprefix("#"), version, title.rstrip(". "), description


def test_entries_of_most_shapes_are_right() -> None:
    right, total, wrong = 0, 0, []
    for path in RIGHT:
        expected = [simplify(entry) for entry in read_right(path)]
        found = [simplify(entry) for entry in read_list(path)[0]]
        right += sum(entry in found for entry in expected)
        # An entry that is none counts as a wrong one.
        total += max(len(expected), len(found))
        wrong += [f"{path.name}: {entry}" for entry in expected if entry not in found]
        wrong += [f"{path.name}: not expected: {entry}" for entry in found if entry not in expected]
    assert len(RIGHT) >= MIN_LISTS
    share = f"{right} of {total} entries of {len(RIGHT)} lists are right"
    assert right >= MIN_SHARE * total, "\n".join([share, *wrong])


@pytest.mark.parametrize("right", RIGHT, ids=lambda path: path.name.removesuffix(".entries.tsv"))
def test_no_entry_is_lost_without_a_warning(right: Path) -> None:
    entries, warnings = read_list(right)
    text = " ".join(" ".join(entry) for entry in entries)
    lost = [title for _, _, title, _ in read_right(right) if title.rstrip(". ") not in text]
    assert not lost or re.search("not read as", " ".join(warnings)), lost
