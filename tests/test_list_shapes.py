"""Lists in the shapes of the release notes of many makers: the share of entries that are read right.

Each list has its right entries, written by hand, in a table beside it. The reader was developed on tests/data/lists;
the entries of tests/data/lists_unseen were written before the reader first read those lists.
"""

import csv
import re
from pathlib import Path

import pytest

from pipeline.feature_lists.load import parse_episodes
from tests.support.project import REPOSITORY

LISTS = REPOSITORY / "tests" / "data" / "lists"
UNSEEN = REPOSITORY / "tests" / "data" / "lists_unseen"
RIGHT = sorted(LISTS.glob("*.entries.tsv"))
RIGHT_UNSEEN = sorted(UNSEEN.glob("*.entries.tsv"))
# The lowest share of entries that must be right, and the fewest lists.
MIN_SHARE = 0.97
MIN_LISTS = 40
MIN_UNSEEN_SHARE = 0.74
MIN_UNSEEN_LISTS = 16
# Lists that are known to lose an entry without a warning.
LOSING = {"workspace"}

Entry = tuple[str, str, str, str]


def read_right(path: Path) -> list[Entry]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [(row["key"], row["version"], row["title"], row["description"]) for row in rows]


def read_list(right: Path) -> tuple[list[Entry], tuple[str, ...]]:
    name = right.name.removesuffix(".entries.tsv")
    (path,) = (path for path in right.parent.glob(f"{name}.*") if path != right)
    lists = parse_episodes(path.read_bytes(), path.suffix)
    features = [feature for listed in lists for feature in listed.features]
    entries = [(f.feature_key or "", f.version or "", f.title, f.description) for f in features]
    return entries, tuple(warning for listed in lists for warning in listed.warnings)


def simplify(entry: Entry) -> Entry:
    """Return an entry without the sign of a number and the full stop of a title, which makers write or leave out."""
    key, version, title, description = entry
    return key.removeprefix("#"), version, title.rstrip(". "), description


@pytest.mark.parametrize(
    ("paths", "min_lists", "min_share"),
    [(RIGHT, MIN_LISTS, MIN_SHARE), (RIGHT_UNSEEN, MIN_UNSEEN_LISTS, MIN_UNSEEN_SHARE)],
    ids=["developed-on", "unseen"],
)
def test_entries_of_most_shapes_are_right(paths: list[Path], min_lists: int, min_share: float) -> None:
    right, total, wrong = 0, 0, []
    for path in paths:
        expected = [simplify(entry) for entry in read_right(path)]
        found = [simplify(entry) for entry in read_list(path)[0]]
        right += sum(entry in found for entry in expected)
        # An entry that is none counts as a wrong one.
        total += max(len(expected), len(found))
        wrong += [f"{path.name}: {entry}" for entry in expected if entry not in found]
        wrong += [f"{path.name}: not expected: {entry}" for entry in found if entry not in expected]
    assert len(paths) >= min_lists
    share = f"{right} of {total} entries of {len(paths)} lists are right"
    assert right >= min_share * total, "\n".join([share, *wrong])


@pytest.mark.parametrize("right", [*RIGHT, *RIGHT_UNSEEN], ids=lambda path: path.name.removesuffix(".entries.tsv"))
def test_no_entry_is_lost_without_a_warning(right: Path, request: pytest.FixtureRequest) -> None:
    entries, warnings = read_list(right)
    text = " ".join(" ".join(entry) for entry in entries)
    if right.name.removesuffix(".entries.tsv") in LOSING:
        request.applymarker(pytest.mark.xfail(strict=True, reason="loses an entry without a warning"))
    lost = [title for _, _, title, _ in read_right(right) if title.rstrip(". ") not in text]
    assert not lost or re.search("not read as", " ".join(warnings)), lost
