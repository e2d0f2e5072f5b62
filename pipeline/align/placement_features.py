"""Describe placements once a whole episode has been weighed: what tells right from wrong, and absent features."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pipeline.align.evidence import Evidence, Matrix
from pipeline.align.sequence_model import Posterior, gather_mass
from pipeline.align.weights import MEANING_PLACEMENT_NAMES, PLACEMENT_NAMES
from pipeline.core.schema import RIGHT_S

_EDGES = ("title", "text", "mass")


def describe_placements(
    evidence: Evidence,
    posterior: Posterior,
    scores: NDArray[np.float64],
    boundaries: Matrix,
    near: NDArray[np.float64],
    chosen: NDArray[np.int64],
    typical: float | None = None,
) -> Matrix:
    """Return (features, columns): what tells right placements from wrong and absent features; named in `weights`.

    `scores` (features, units) and `boundaries` (units) are log-odds of a start, `near` (features, units) the posterior
    around each unit, `chosen` (features) the units of the placements. `typical` is the usual mass of a placement where
    `near` cannot tell, since starts were given.
    """
    starts, every = evidence.starts, np.arange(len(chosen))
    wide = gather_mass(starts, posterior.starts, RIGHT_S)
    times = starts[chosen]
    far = np.where(np.abs(starts[None, :] - times[:, None]) > 2 * RIGHT_S, wide, 0.0)
    lengths = np.diff(starts, append=starts[-1] + 1.0)
    gap = max(1.0, (starts[-1] - starts[0]) / max(1, len(chosen)))
    apart = np.abs(times[:, None] - times[None, :]) + 1e9 * np.eye(len(chosen))
    top = scores.max(axis=1, keepdims=True)
    onset = scores - top - np.log(np.exp(scores - top).mean(axis=1, keepdims=True))
    items = dict(zip(evidence.names.features, evidence.features.T.astype(np.float64), strict=True))
    mass = near[every, chosen]
    values: dict[str, NDArray[np.float64]] = {
        "mass_near": mass,
        "mass_wide": wide[every, chosen],
        "mass_log": np.log(mass + 1e-4),
        "entered": np.minimum(posterior.starts.sum(axis=1), 2.0),
        "rival_mass": far.max(axis=1),
        "onset": onset[every, chosen],
        "onset_best": top[:, 0],
        "talk": gather_talk(starts, posterior.talks, chosen),
        "talk_total": np.minimum((posterior.talks * lengths).sum(axis=1) / gap, 3.0),
        "in_order": mark_order(times).astype(np.float64),
        "crowded": (apart.min(axis=1) < 6.0).astype(np.float64),
        "boundary": boundaries[chosen].astype(np.float64),
        # An episode whose other features are placed surely is one whose list fits it.
        "typical_mass": np.full(len(mass), np.median(mass) if typical is None else typical),
        "wordless": (items["rarity"] < 0.05).astype(np.float64),
        # How well a feature's words are met, against what is usual in this episode.
        **{f"{name}_edge": items[f"{name}_best"] - np.median(items[f"{name}_best"]) for name in _EDGES},
        **{name: items[name] for name in MEANING_PLACEMENT_NAMES if name in items},
    }
    # A passage of its own makes up for words that are never said; words without a passage are a passing mention.
    values["talk_some"] = np.minimum(values["talk_total"], 0.5)
    values["unheard_talk"] = values["unheard"] * values["talk"]
    values["text_edge_mass"] = values["text_edge"] * mass
    names: tuple[str, ...] = PLACEMENT_NAMES
    if evidence.similarities is not None:
        names = MEANING_PLACEMENT_NAMES
        values |= _describe_meaning(evidence, items, mass, chosen)
    return np.column_stack([values[name] for name in names]).astype(np.float32)


def _describe_meaning(
    evidence: Evidence, items: Mapping[str, NDArray[np.float64]], mass: NDArray[np.float64], chosen: NDArray[np.int64]
) -> dict[str, NDArray[np.float64]]:
    """Return what sentence vectors add: likeness at the chosen unit, and at best, against what is usual."""
    at_start = evidence.pairs[np.arange(len(chosen)), chosen].T.astype(np.float64)
    pairs = dict(zip(evidence.names.pairs, at_start, strict=True))
    best, late = items["mean_best"], items["late_best_text"]
    usual, late_edge = np.median(best), late - np.median(late)
    return {
        "mean_edge": best - usual,
        "mean_usual": np.full(len(mass), usual),
        "mean_here": pairs["mean_text_after_20"],
        "mean_share_here": pairs["mean_share_20"],
        "mean_lost": pairs["mean_peak_20"],
        "mean_here_mass": pairs["mean_text_after_20"] * mass,
        "mean_edge_mass": (best - usual) * mass,
        "late_edge": late_edge,
        "late_here": pairs["late_text_40"],
        "late_share_here": pairs["late_text_share"],
        "late_edge_mass": late_edge * mass,
    }


def gather_talk(
    starts: NDArray[np.float64], talks: NDArray[np.float64], chosen: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return which share of the half minute after each chosen unit belongs to its feature.

    `starts` (units) are in seconds, `talks` (features, units) probabilities, `chosen` (features) numbers of units.
    """
    stop = np.searchsorted(starts, starts[chosen] + RIGHT_S, side="right")
    return np.array([talks[row, unit : stop[row]].mean() for row, unit in enumerate(chosen)])


def mark_order(times: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which features belong to the longest run of the list whose `times` (seconds, in list order) never fall."""
    count = len(times)
    length, before = np.ones(count, dtype=int), np.full(count, -1)
    for row in range(count):
        for earlier in range(row):
            if times[earlier] <= times[row] and length[earlier] + 1 > length[row]:
                length[row], before[row] = length[earlier] + 1, earlier
    marks = np.zeros(count, dtype=bool)
    row = int(length.argmax()) if count else -1
    while row >= 0:
        marks[row] = True
        row = before[row]
    return marks
