"""Measure how alike the talk and the features are in meaning, from sentence vectors; see `pipeline.encoder`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.align.late_interaction import WordVectors
from pipeline.align.units import Unit

Matrix = NDArray[np.float32]
HalfMatrix = NDArray[np.float16]

# Stretches of speech, in seconds, whose mean vector is compared, after a unit's start and before it.
AFTER_S = (8.0, 20.0, 60.0)
BEFORE_S = (20.0, 60.0)

# A sentence of this many words counts fully in a mean; "Yeah." tells little.
FULL_WORDS = 12

# Words that pull a short stretch's likeness towards zero.
SHRINK_WORDS = 4.0

# The softness of the competition between features for a stretch of speech.
SHARE_WIDTH = 0.1

# How far the sides of a boundary are looked at.
SIDE_S = (20.0, 60.0)

# A passage is judged by itself and its neighbours within this many seconds.
PASSAGE_S = 6.0
SEMANTIC_NAMES = (
    *(f"mean_title_after_{seconds:.0f}" for seconds in AFTER_S),
    *(f"mean_text_after_{seconds:.0f}" for seconds in AFTER_S),
    *(f"mean_title_before_{seconds:.0f}" for seconds in BEFORE_S),
    *(f"mean_text_before_{seconds:.0f}" for seconds in BEFORE_S),
    *("mean_now", "mean_peak_8", "mean_peak_20", "mean_peak_60"),
    *("mean_share_8", "mean_share_20", "mean_share_60", "mean_share_before", "mean_fresh"),
)
_TURN_NAMES = tuple(f"mean_turn_{seconds:.0f}" for seconds in SIDE_S)

# The sentence itself and the one after it: how hosts speak when they go on to something else.
VECTOR_NAMES = tuple(f"{place}_{number}" for place in ("here", "next") for number in range(384))
SEMANTIC_BOUNDARY_NAMES = _TURN_NAMES + VECTOR_NAMES


@dataclass(frozen=True, slots=True)
class EpisodeVectors:
    """Vectors of length one: `units` (units, 384) of each unit's sentence, `titles` and `texts` (features, 384).

    `spoken` are the words of the talk by unit, `title_words` and `text_words` those of the list by feature.
    """

    units: Matrix
    titles: Matrix
    texts: Matrix
    spoken: WordVectors
    title_words: WordVectors
    text_words: WordVectors


@dataclass(frozen=True, slots=True)
class SemanticEvidence:
    """What the vectors say beside the pairs: `sides` (units, columns) and `passages` (features, units).

    `passages` is the cosine of a few seconds around each unit with a feature's whole text, less what is usual for
    the feature in this episode. `sentences` (units, 384) and `texts` (features, 384) are the vectors of length one,
    without what all of them share.
    """

    sides: Matrix
    passages: Matrix
    sentences: Matrix
    texts: Matrix


def measure_similarity(
    units: Sequence[Unit], meaning: EpisodeVectors, pairs: Mapping[str, HalfMatrix]
) -> SemanticEvidence:
    """Return how alike the speech around every unit and every feature are.

    The columns SEMANTIC_NAMES of `pairs`, each (features, units), are filled in.
    """
    starts = np.array([unit.start for unit in units])
    words = np.array([min(len(unit.text.split()), FULL_WORDS) for unit in units], dtype=np.float32)
    spoken = _centre(meaning.units, words)
    titles, texts = _centre(meaning.titles), _centre(meaning.texts)
    sums = np.zeros((len(spoken) + 1, spoken.shape[1]))
    np.cumsum(spoken * words[:, None], axis=0, out=sums[1:])
    counts = np.concatenate([[0.0], np.cumsum(words)])
    for seconds in AFTER_S:
        window = _mean(sums, counts, *_reach(starts, 0.0, seconds))
        pairs[f"mean_title_after_{seconds:.0f}"][:] = titles @ window.T
        pairs[f"mean_text_after_{seconds:.0f}"][:] = texts @ window.T
    for seconds in BEFORE_S:
        window = _mean(sums, counts, *_reach(starts, -seconds, 0.0))
        pairs[f"mean_title_before_{seconds:.0f}"][:] = titles @ window.T
        pairs[f"mean_text_before_{seconds:.0f}"][:] = texts @ window.T
    turns = []
    for seconds in SIDE_S:
        after = _mean(sums, counts, *_reach(starts, 0.0, seconds))
        before = _mean(sums, counts, *_reach(starts, -seconds, 0.0))
        turns.append(np.einsum("ij,ij->i", after, before))
    sides = np.column_stack([*turns, meaning.units, np.concatenate([meaning.units[1:], meaning.units[-1:]])])
    pairs["mean_now"][:] = np.maximum(titles @ spoken.T, texts @ spoken.T)
    _compare(pairs)
    around = texts @ _mean(sums, counts, *_reach(starts, -PASSAGE_S / 2, PASSAGE_S)).T
    usual = np.quantile(around, 0.75, axis=1, keepdims=True)
    return SemanticEvidence(sides.astype(np.float32), (around - usual).astype(np.float32), spoken, texts)


def _centre(vectors: Matrix, weights: Matrix | None = None) -> Matrix:
    """Return vectors without what all of them share, of length one again."""
    # One vector, or two, share everything; four is where a list begins to have a subject of its own.
    mean = np.average(vectors, axis=0, weights=weights) * min(1.0, (len(vectors) - 1) / 4.0)
    rest: Matrix = (vectors - mean).astype(np.float32)
    rest /= np.linalg.norm(rest, axis=1, keepdims=True) + 1e-6
    return rest


def _reach(starts: NDArray[np.float64], begin: float, stop: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for every unit the first unit within `begin` to `stop` seconds of its start, and the one after."""
    first = np.searchsorted(starts, starts + begin, side="left")
    last = np.searchsorted(starts, starts + stop, side="left")
    return first, (np.maximum(last, first + 1) if stop > 0 else last)


def _mean(
    sums: NDArray[np.float64], counts: NDArray[np.float64], first: NDArray[np.int64], last: NDArray[np.int64]
) -> Matrix:
    """Return the mean vectors (units, 384) of stretches: of length one, or less where few words are said."""
    total = sums[last] - sums[first]
    said = (counts[last] - counts[first])[:, None]
    means: Matrix = total / (np.linalg.norm(total, axis=1, keepdims=True) + 1e-6) * (said / (said + SHRINK_WORDS))
    return means.astype(np.float32)


def _compare(pairs: Mapping[str, HalfMatrix]) -> None:
    """Add how each likeness compares with the same feature elsewhere and with other features here."""
    for seconds, name in ((8, "title"), (20, "text"), (60, "text")):
        values = pairs[f"mean_{name}_after_{seconds}"]
        pairs[f"mean_peak_{seconds}"][:] = values - values.max(axis=1, keepdims=True)
        pairs[f"mean_share_{seconds}"][:] = _compete(values)
    pairs["mean_share_before"][:] = _compete(pairs["mean_text_before_20"])
    pairs["mean_fresh"][:] = np.maximum(
        0.0, pairs["mean_text_after_20"] - np.maximum(0.0, pairs["mean_text_before_60"])
    )


def _compete(values: HalfMatrix) -> Matrix:
    """Return each feature's share (features, units) of the speech, with one rival that is always there."""
    odds: Matrix = np.exp(values.astype(np.float32) / SHARE_WIDTH)
    odds /= odds.sum(axis=0, keepdims=True) + np.float32(np.exp(0.3 / SHARE_WIDTH))
    return odds
