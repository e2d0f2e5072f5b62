"""Score a catalog's starts against the truth: published times, or starts that a person wrote down.

Recall within some seconds of the true start, a missing start counting as a miss, is what the research on "video chapter
grounding" reports (VidChapters-7M, arXiv 2309.13952).
"""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.core.errors import InputError
from pipeline.core.schema import RIGHT_S, Status
from pipeline.feature_lists.load import load_features
from pipeline.publish.rows import CatalogRow

TOLERANCES_S = (3, 5, 10, 30)
BINS = 5  # of confidence, for the reliability table

# True starts by position in the list, in seconds; None where the feature is known not to be discussed.
Truth = Mapping[int, float | None]


@dataclass(frozen=True, slots=True)
class Reliability:
    """Features whose confidence lies from `low` to `high`: how many, how sure on average, and which share was right."""

    low: float
    high: float
    count: int
    confidence: float
    right: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How good a set of starts is: `recall` is the share of `discussed` features found within so many seconds.

    `precision` and `counts` are by status: the share of its features that are right, and how many it has. Errors are
    in seconds, None without any start; `calibration_error` is the expected calibration error.
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


def evaluate_starts(pairs: Sequence[tuple[Sequence[CatalogRow], Truth]]) -> Evaluation:
    """Return the figures over all episodes; a row whose position the truth does not know is left out."""
    judged = [(row, truth[row.position]) for rows, truth in pairs for row in rows if row.position in truth]
    discussed = [(row, true) for row, true in judged if true is not None]
    undiscussed = [row for row, true in judged if true is None]
    errors = sorted(abs(row.start_s - true) for row, true in discussed if row.start_s is not None)
    counts = {status.value: sum(row.status == status for row, _ in judged) for status in Status}
    right = [(row, _is_right(row, true)) for row, true in judged]
    reliability = _measure_reliability(right)
    total = sum(bin_.count for bin_ in reliability)
    return Evaluation(
        discussed=len(discussed),
        missed=sum(row.start_s is None for row, _ in discussed),
        undiscussed=len(undiscussed),
        placed_undiscussed=sum(row.start_s is not None for row in undiscussed),
        recall={s: sum(error <= s for error in errors) / len(discussed) if discussed else 0.0 for s in TOLERANCES_S},
        median_error=statistics.median(errors) if errors else None,
        p90_error=errors[min(len(errors) - 1, int(0.9 * len(errors)))] if errors else None,
        precision={
            status: sum(ok for row, ok in right if row.status == status) / count
            for status, count in counts.items()
            if count
        },
        counts=counts,
        reliability=reliability,
        calibration_error=sum(b.count * abs(b.confidence - b.right) for b in reliability) / total if total else None,
    )


def published_starts(rows: Sequence[CatalogRow]) -> dict[int, float | None]:
    """Return the page's own times by position; an entry without a time may be discussed or not, so it is left out."""
    return {row.position: row.published_s for row in rows if row.published_s is not None}


def load_gold(path: Path, rows: Sequence[CatalogRow]) -> dict[int, float | None]:
    """Return the true starts in a gold file, by position in the list of `rows`.

    A gold file is JSON with `features` of `id` or `index` (from 0) and `start_s`, null where the feature is not
    discussed; or any feature list, whose entries without a time are not discussed. Entries are matched by id, else by
    position. InputError where it is neither.
    """
    by_id = {row.feature_id: row.position for row in rows if row.feature_id is not None}
    if path.suffix.lower() == ".json":
        return _read_gold_json(path, by_id)
    listed = load_features(path).features
    return {by_id.get(f.feature_id, f.position) if f.feature_id else f.position: f.published_s for f in listed}


def _read_gold_json(path: Path, by_id: Mapping[int, int]) -> dict[int, float | None]:
    try:
        records = json.loads(path.read_text(encoding="utf-8"))["features"]
        truth = {}
        for number, record in enumerate(records):
            position = by_id.get(record.get("id", record.get("feature_id")))
            start = record.get("start_s", record.get("published_s"))
            truth[position or record.get("position", record.get("index", number) + 1)] = (
                None if start is None else float(start)
            )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f'the gold file {path} cannot be read ({error}): expected {{"features": [{{"id", "start_s"}}, …]}}'
        ) from error
    return truth


def draw_reliability(evaluation: Evaluation, path: Path) -> None:
    """Draw recall by tolerance and confidence against what was right, as an image named by its ending.

    InputError without the extra `plots`.
    """
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        raise InputError("drawing needs the extra `plots`: pip install 'episode-catalog[plots]'") from None

    # The same figures give the same bytes.
    mpl.rcParams["svg.hashsalt"] = "episode-catalog"
    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.bar([f"{s} s" for s in TOLERANCES_S], [100 * evaluation.recall[s] for s in TOLERANCES_S], color="#3b6ea5")
    left.set(ylim=(0, 100), ylabel="% of discussed features", title="found within")
    bins = evaluation.reliability
    right.plot([0, 1], [0, 1], color="#bbbbbb", linestyle="--", label="perfect")
    sizes = [30 + 8 * b.count for b in bins]
    right.scatter([b.confidence for b in bins], [b.right for b in bins], s=sizes, color="#3b6ea5")
    for b in bins:
        right.annotate(f"  {b.count}", (b.confidence, b.right), va="center")
    right.set(xlim=(0, 1.05), ylim=(0, 1.05), xlabel="confidence", ylabel="share that is right", title="calibration")
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def _is_right(row: CatalogRow, true: float | None) -> bool:
    if row.start_s is None:
        return true is None
    return true is not None and abs(row.start_s - true) <= RIGHT_S


def _measure_reliability(judged: Sequence[tuple[CatalogRow, bool]]) -> tuple[Reliability, ...]:
    """The features by confidence, in bins of equal width; empty bins are left out."""
    table = []
    for number in range(BINS):
        low, high = number / BINS, (number + 1) / BINS
        inside = [
            (row.confidence, ok)
            for row, ok in judged
            if low <= row.confidence < high or (number == BINS - 1 and row.confidence == 1)
        ]
        if inside:
            mean = statistics.mean(confidence for confidence, _ in inside)
            table.append(Reliability(low, high, len(inside), mean, sum(ok for _, ok in inside) / len(inside)))
    return tuple(table)
