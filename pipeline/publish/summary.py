"""Say in a few words what was found: how many starts of each status, and the command that comes next."""

import shlex
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from pipeline.core.schema import Status
from pipeline.publish.rows import CatalogRow

# What a line calls each status, in the order of the line.
_WORDS = {
    Status.CONFIDENT: "confident",
    Status.CORRECTED: "corrected",
    Status.REVIEW: "to check",
    Status.NOT_FOUND: "not found",
}


def count_statuses(rows: Iterable[CatalogRow]) -> dict[str, int]:
    """Return how many rows have each status, by its value, without those that none has."""
    counts = Counter(row.status for row in rows)
    return {status.value: counts[status.value] for status in _WORDS if counts[status.value]}


def describe_counts(counts: Mapping[str, int]) -> str:
    """Return counts by status in words: `28 confident, 5 to check, 2 not found`; `no entries` without any."""
    parts = [f"{counts[status.value]} {words}" for status, words in _WORDS.items() if counts.get(status.value)]
    return ", ".join(parts) or "no entries"


def suggest_command(counts: Mapping[str, Mapping[str, int]], root: Path | None = None) -> str:
    """Return the command to type after a run: the review of the first episode with doubtful starts, else the site.

    `counts` holds the statuses of each episode, by its id. `root` is the project's folder where it must be named.
    """
    doubtful = [episode_id for episode_id, statuses in counts.items() if statuses.get(Status.REVIEW.value)]
    option = [] if root is None else ["--root", str(root)]
    if doubtful:
        others = len(doubtful) - 1
        # A shell takes what follows # for a comment: the line can be pasted whole.
        more = f"  # then {others} more {'episode' if others == 1 else 'episodes'}" if others else ""
        return shlex.join(["catalog", "review", doubtful[0], *option]) + more
    named = list(counts) if len(counts) == 1 else []
    return shlex.join(["catalog", "open", *named, *option])
