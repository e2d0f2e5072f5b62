"""Describe placements by numbers that tell right starts from wrong ones, and absent features from discussed ones.

The columns, one row a feature; "chosen" is the unit of its placement, "edge" the difference from the episode's median:

- `mass_near`, `mass_log`: probability of a start within WINDOW_S of the chosen unit, and its logarithm.
- `mass_wide`, `runner_up_mass`: probability of a start within RIGHT_S of the chosen unit, and of the best one far away.
- `typical_mass`: median of `mass_near` over the episode. Likely placements of other features show that the list fits.
- `entered`: expected number of starts of the feature.
- `onset`: log-odds of a start at the chosen unit, relative to the feature's average; `onset_best`: at its best unit.
- `boundary`: log-odds that any feature starts at the chosen unit.
- `occupancy`: share of RIGHT_S after the chosen unit that is about the feature; `occupancy_total`, `occupancy_some`:
  time about it in the whole episode, in multiples of the average time a feature.
- `in_order`, `crowded`: whether the placement follows list order, and whether another one is within CROWDED_S.
- `wordless`: whether the title has no content word.
- `title_edge`, `text_edge`, `mass_edge`, `late_edge`, `mean_edge`: how well the feature is matched at best.
- `mean_usual`: median of `mean_best` over the episode.
- `mean_here`, `mean_share_here`, `mean_lost`, `late_here`, `late_share_here`: similarity in meaning at the chosen unit.
- `unspoken_occupancy`, `text_edge_mass`, `mean_here_mass`, `mean_edge_mass`, `late_edge_mass`: products of two columns.
- All others are columns of `Evidence.features`.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pipeline.align.evidence import Evidence
from pipeline.align.lexical import Matrix
from pipeline.align.sequence_model import ChainPosterior, window_posterior
from pipeline.align.weights import PLACEMENT_NAMES, SEMANTIC_PLACEMENT_NAMES
from pipeline.core.schema import RIGHT_S

Vector = NDArray[np.float64]

# Seconds within which another placement makes this one crowded.
CROWDED_S = 6.0

# Total weight of a title's terms, as log(1 + weight), below which a feature has no words to look for.
WORDLESS = 0.05

# Largest `occupancy_total`, in multiples of the average time a feature.
MAX_OCCUPANCY = 3.0

# Largest `entered`, in starts.
MAX_ENTERED = 2.0

# Largest `occupancy_some`: from this multiple of the average time on, a feature has a passage of its own.
OWN_PASSAGE = 0.5

# Columns of evidence, without `_best`, whose difference from the episode's median is described.
_EDGES = ("title", "text", "mass")


def describe_placements(
    evidence: Evidence,
    chain: ChainPosterior,
    scores: Vector,
    boundaries: Matrix,
    window_mass: Vector,
    chosen: NDArray[np.int64],
    typical_mass: float | None = None,
) -> Matrix:
    """Return (features, columns): what tells right placements from wrong ones; `weights` names the columns.

    Args:
        evidence: Evidence of the episode.
        chain: Posterior of the sequence model.
        scores: (features, units), log-odds that a feature starts at a unit.
        boundaries: (units), log-odds that any feature starts at a unit.
        window_mass: (features, units), probability that a feature starts around a unit.
        chosen: (features), the unit that each feature is placed at.
        typical_mass: Median mass of the placements without anchors; None if `window_mass` was inferred without any.
    """
    columns = dict(zip(evidence.names.features, evidence.features.T.astype(np.float64), strict=True))
    mass = window_mass[np.arange(len(chosen)), chosen]
    values = {
        **_describe_posterior(evidence, chain, mass, chosen),
        **_describe_scores(scores, boundaries, chosen),
        "typical_mass": np.full(len(mass), np.median(mass) if typical_mass is None else typical_mass),
        "wordless": (columns["title_idf"] < WORDLESS).astype(np.float64),
        **{f"{name}_edge": columns[f"{name}_best"] - np.median(columns[f"{name}_best"]) for name in _EDGES},
        **{name: columns[name] for name in SEMANTIC_PLACEMENT_NAMES if name in columns},
    }
    # A passage of its own makes up for words that are never said; words without a passage are a passing mention.
    values["occupancy_some"] = np.minimum(values["occupancy_total"], OWN_PASSAGE)
    values["unspoken_occupancy"] = values["unspoken"] * values["occupancy"]
    values["text_edge_mass"] = values["text_edge"] * mass
    names: tuple[str, ...] = PLACEMENT_NAMES
    if evidence.similarities is not None:
        names = SEMANTIC_PLACEMENT_NAMES
        values |= _describe_meaning(evidence, columns, mass, chosen)
    return np.column_stack([values[name] for name in names]).astype(np.float32)


def _describe_posterior(
    evidence: Evidence, chain: ChainPosterior, mass: Vector, chosen: NDArray[np.int64]
) -> dict[str, Vector]:
    """Return what the posterior says of each placement; `mass` (features) is that of the chosen windows."""
    starts = evidence.starts
    wide = window_posterior(starts, chain.starts, RIGHT_S)
    times = starts[chosen]
    far = np.where(np.abs(starts[None, :] - times[:, None]) > 2 * RIGHT_S, wide, 0.0)
    lengths = np.diff(starts, append=starts[-1] + 1.0)
    apart = np.abs(times[:, None] - times[None, :]) + 1e9 * np.eye(len(chosen))
    total = (chain.occupancy * lengths).sum(axis=1) / max(1.0, evidence.pace_s)
    return {
        "mass_near": mass,
        "mass_wide": wide[np.arange(len(chosen)), chosen],
        "mass_log": np.log(mass + 1e-4),
        "entered": np.minimum(chain.starts.sum(axis=1), MAX_ENTERED),
        "runner_up_mass": far.max(axis=1),
        "occupancy": measure_occupancy(starts, chain.occupancy, chosen),
        "occupancy_total": np.minimum(total, MAX_OCCUPANCY),
        "in_order": mark_order(times).astype(np.float64),
        "crowded": (apart.min(axis=1) < CROWDED_S).astype(np.float64),
    }


def _describe_scores(scores: Vector, boundaries: Matrix, chosen: NDArray[np.int64]) -> dict[str, Vector]:
    """Return what the scores of single units say of each placement."""
    top = scores.max(axis=1, keepdims=True)
    onset = scores - top - np.log(np.exp(scores - top).mean(axis=1, keepdims=True))
    return {
        "onset": onset[np.arange(len(chosen)), chosen],
        "onset_best": top[:, 0],
        "boundary": boundaries[chosen].astype(np.float64),
    }


def _describe_meaning(
    evidence: Evidence, columns: Mapping[str, Vector], mass: Vector, chosen: NDArray[np.int64]
) -> dict[str, Vector]:
    """Return what sentence vectors add: similarity at the chosen unit and at best, relative to the episode's median."""
    at_start = evidence.pairs[np.arange(len(chosen)), chosen].T.astype(np.float64)
    pairs = dict(zip(evidence.names.pairs, at_start, strict=True))
    best, late = columns["mean_best"], columns["late_best_text"]
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


def measure_occupancy(starts: Vector, occupancy: Vector, chosen: NDArray[np.int64]) -> Vector:
    """Return (features): the mean probability, in RIGHT_S after each chosen unit, that a unit is about the feature.

    `starts` (units) are in seconds, `occupancy` (features, units) probabilities, `chosen` (features) unit numbers.
    """
    stop = np.searchsorted(starts, starts[chosen] + RIGHT_S, side="right")
    return np.array([occupancy[row, unit : stop[row]].mean() for row, unit in enumerate(chosen)])


def mark_order(times: Vector) -> NDArray[np.bool_]:
    """Return (features): whether a feature is in the longest subsequence of `times` that never falls.

    `times` are in seconds, in list order. Of two longest subsequences the first is taken.
    """
    count = len(times)
    length, before = np.ones(count, dtype=int), np.full(count, -1)
    for row in range(count):
        for earlier in range(row):
            if times[earlier] <= times[row] and length[earlier] + 1 > length[row]:
                length[row], before[row] = length[earlier] + 1, earlier
    ordered = np.zeros(count, dtype=bool)
    row = int(length.argmax()) if count else -1
    while row >= 0:
        ordered[row] = True
        row = before[row]
    return ordered
