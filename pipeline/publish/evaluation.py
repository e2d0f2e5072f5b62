"""Score a catalog's starts against true ones: the published times, or the starts in a gold file.

Recall is the share of the discussed features that have a start within a tolerance of the true one; a missing start is a
miss. Research on "video chapter grounding" reports the same measure (VidChapters-7M, arXiv 2309.13952).
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.core.errors import InputError
from pipeline.core.extras import describe_installation
from pipeline.core.schema import RIGHT_S, Status
from pipeline.publish.rows import CatalogRow

# The tolerances at which recall is reported, in seconds.
TOLERANCES_S = (3, 5, 10, 30)

# The number of bins of confidence in the reliability table.
BINS = 5

# The color of bars and points in the picture.
COLOR = "#3b6ea5"

# True starts by position in the list, in seconds; None where the feature is known not to be discussed.
TrueStarts = Mapping[int, float | None]


@dataclass(frozen=True, slots=True)
class Reliability:
    """The features whose confidence lies from `low` to `high`: their number, mean confidence, and share right."""

    low: float
    high: float
    count: int
    confidence: float
    right: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How good a set of starts is.

    `recall` is by tolerance in seconds: the share of the `discussed` features found within it. `precision` and `counts`
    are by status: the share of its features that are right, and their number. A feature is right within RIGHT_S of the
    true start, or without a start if it is not discussed. Errors are in seconds, None without any start.
    `calibration_error` is the expected calibration error.
    """

    discussed: int
    missed: int
    undiscussed: int
    placed_undiscussed: int
    recall: dict[int, float]
    median_error: float | None
    p90_error: float | None
    precision: dict[str, float]
    counts: dict[str, int]
    reliability: tuple[Reliability, ...]
    calibration_error: float | None

    def to_json(self) -> dict[str, Any]:
        """Return the figures as a JSON object."""
        return asdict(self)


def evaluate_starts(episodes: Sequence[tuple[Sequence[CatalogRow], TrueStarts]]) -> Evaluation:
    """Return the figures over all episodes, each its rows and its true starts; other positions are left out."""
    pairs = [(row, starts[row.position]) for rows, starts in episodes for row in rows if row.position in starts]
    discussed = [(row, true_start) for row, true_start in pairs if true_start is not None]
    undiscussed = [row for row, true_start in pairs if true_start is None]
    errors = sorted(abs(row.start_s - true_start) for row, true_start in discussed if row.start_s is not None)
    rated = [(row, _is_right(row, true_start)) for row, true_start in pairs]
    counts = {status.value: sum(row.status == status for row, _ in pairs) for status in Status}
    reliability = _measure_reliability(rated)
    return Evaluation(
        discussed=len(discussed),
        missed=sum(row.start_s is None for row, _ in discussed),
        undiscussed=len(undiscussed),
        placed_undiscussed=sum(row.start_s is not None for row in undiscussed),
        recall={s: sum(error <= s for error in errors) / len(discussed) if discussed else 0.0 for s in TOLERANCES_S},
        median_error=statistics.median(errors) if errors else None,
        # An error that occurred, not one between two.
        p90_error=errors[min(len(errors) - 1, int(0.9 * len(errors)))] if errors else None,
        precision={
            status: sum(right for row, right in rated if row.status == status) / count
            for status, count in counts.items()
            if count
        },
        counts=counts,
        reliability=reliability,
        calibration_error=_measure_calibration_error(reliability),
    )


def _is_right(row: CatalogRow, true_start: float | None) -> bool:
    if row.start_s is None:
        return true_start is None
    return true_start is not None and abs(row.start_s - true_start) <= RIGHT_S


def _measure_reliability(rated: Sequence[tuple[CatalogRow, bool]]) -> tuple[Reliability, ...]:
    """Return the features by confidence, in bins of equal width; empty bins are left out."""
    table = []
    for number in range(BINS):
        low, high = number / BINS, (number + 1) / BINS
        # The last bin includes its upper limit.
        members = [
            (row.confidence, right)
            for row, right in rated
            if low <= row.confidence < high or (number == BINS - 1 and row.confidence == 1)
        ]
        if members:
            mean = statistics.mean(confidence for confidence, _ in members)
            share = sum(right for _, right in members) / len(members)
            table.append(Reliability(low, high, len(members), mean, share))
    return tuple(table)


def _measure_calibration_error(reliability: Sequence[Reliability]) -> float | None:
    total = sum(group.count for group in reliability)
    return sum(group.count * abs(group.confidence - group.right) for group in reliability) / total if total else None


def list_published_starts(rows: Sequence[CatalogRow]) -> dict[int, float | None]:
    """Return the page's own times by position; an entry without one is left out, since it may be discussed or not."""
    return {row.position: row.published_s for row in rows if row.published_s is not None}


def draw_reliability(evaluation: Evaluation, path: Path) -> None:
    """Draw recall by tolerance, and the share of right features by confidence, as a .png or .svg file.

    InputError without the extra `plots`.
    """
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        raise InputError("drawing needs the extra `plots`", describe_installation("plots")) from None

    # Without a fixed salt, each drawing of the same figures has other ids.
    mpl.rcParams["svg.hashsalt"] = "episode-catalog"
    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.bar([f"{s} s" for s in TOLERANCES_S], [100 * evaluation.recall[s] for s in TOLERANCES_S], color=COLOR)
    left.set(ylim=(0, 100), ylabel="% of discussed features", title="found within")
    groups = evaluation.reliability
    right.plot([0, 1], [0, 1], color="#bbbbbb", linestyle="--", label="perfect")
    # A point's area grows with its number of features.
    sizes = [30 + 8 * group.count for group in groups]
    right.scatter([group.confidence for group in groups], [group.right for group in groups], s=sizes, color=COLOR)
    for group in groups:
        right.annotate(f"  {group.count}", (group.confidence, group.right), va="center")
    right.set(xlim=(0, 1.05), ylim=(0, 1.05), xlabel="confidence", ylabel="share that is right", title="calibration")
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
