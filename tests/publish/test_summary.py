"""What a run says at its end: counts in words, and the command to type next."""

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.core.schema import Status
from pipeline.publish.summary import count_statuses, describe_counts, suggest_command
from tests.support.rows import make_row

DOUBTFUL = {"confident": 2, "review": 1}
CERTAIN = {"confident": 3}


def test_counts_are_words_in_a_fixed_order() -> None:
    row = make_row()
    statuses = (Status.NOT_FOUND, Status.CONFIDENT, Status.REVIEW, Status.CONFIDENT)
    counts = count_statuses(replace(row, status=status.value) for status in statuses)
    assert describe_counts(counts) == "2 confident, 1 to check, 1 not found"
    assert describe_counts({}) == "no entries"


@pytest.mark.parametrize(
    ("counts", "command"),
    [
        ({"ep1": CERTAIN}, "catalog open ep1"),
        ({"ep1": CERTAIN, "ep2": CERTAIN}, "catalog open"),
        ({"ep1": CERTAIN, "ep2": DOUBTFUL}, "catalog review ep2"),
        ({"ep1": DOUBTFUL, "ep2": DOUBTFUL}, "catalog review ep1  # then 1 more episode"),
        (dict.fromkeys(("a", "b", "c"), DOUBTFUL), "catalog review a  # then 2 more episodes"),
    ],
)
def test_next_command_reviews_doubtful_starts_first(counts: dict[str, dict[str, int]], command: str) -> None:
    assert suggest_command(counts) == command


def test_folder_with_blanks_is_quoted() -> None:
    command = suggest_command({"ep1": CERTAIN}, Path("/my shows/desk"))
    assert shlex.split(command) == ["catalog", "open", "ep1", "--root", "/my shows/desk"]
