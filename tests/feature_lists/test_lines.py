"""The records of a list: a complete entry, and the text of warnings."""

import pytest

from pipeline.core.schema import Feature
from pipeline.feature_lists.lines import ListWarning, WarningKind
from tests.support.feature_lists import make_entry


def test_complete_entry_has_position_and_description() -> None:
    entry = make_entry("Dark theme", ["At last.", "Easy."], feature_id=500_122, line=7, other_ids=(1,))
    entry.complete(3)
    assert entry.feature == Feature(position=3, title="Dark theme", description="At last. Easy.", feature_id=500_122)


@pytest.mark.parametrize(
    ("lines", "unit", "shown"),
    [
        ((), "line", "look"),
        ((3,), "row", "row 3: look"),
        ((5, 3, 6, 7, 10), "line", "lines 3, 5-7, 10: look"),
        ((1, 2), "entry", "entries 1-2: look"),
    ],
)
def test_warning_begins_with_its_lines(lines: tuple[int, ...], unit: str, shown: str) -> None:
    assert ListWarning(WarningKind.NO_ID, lines, "look").describe(unit) == shown
