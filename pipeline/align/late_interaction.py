"""Compare features and speech word by word, each word as a vector that depends on its context.

The mean vector of a sentence blurs its words. Here every content word of a feature is matched with the most similar
spoken word, so that "reorder" is matched by "pull it up the list": late interaction, as in ColBERT (Khattab and Zaharia
2020, https://arxiv.org/abs/2004.12832).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.align.lexical import SHRINKAGE, HalfMatrix, Matrix, drop_from_peak, feature_shares, idf_weights

Vectors = Matrix | HalfMatrix

# Largest cosine of two words that are similar by chance.
CHANCE_COSINE = 0.25

# Windows in which a title and a whole text are matched, by column: seconds from the start of a unit.
TITLE_WINDOWS = {"late_title_8": (0.0, 8.0), "late_title_15": (0.0, 15.0), "late_title_before": (-20.0, 0.0)}
TEXT_WINDOWS = {"late_text_15": (0.0, 15.0), "late_text_40": (0.0, 40.0), "late_text_before": (-40.0, 0.0)}

# Units of a block; document frequencies of words in speech are counted in blocks.
BLOCK_UNITS = 6

# Units matched at a time; bounds the memory of long episodes.
BATCH_UNITS = 96

LATE_INTERACTION_NAMES = (
    *TITLE_WINDOWS,
    *TEXT_WINDOWS,
    *("late_contrast", "late_title_peak", "late_text_peak", "late_title_share", "late_text_share"),
)


@dataclass(frozen=True, slots=True)
class WordVectors:
    """The content words of some texts, in the order of their `owners`: the number of the unit or feature of each.

    `vectors` (words, VECTOR_SIZE) have length one, the mean of all words subtracted (see `center`); `texts` are the
    words.
    """

    vectors: Vectors
    owners: NDArray[np.int64]
    texts: tuple[str, ...]


def center(vectors: Vectors, mean: Matrix) -> Matrix:
    """Return vectors (rows, VECTOR_SIZE) less `mean` (VECTOR_SIZE), of length one."""
    rest: Matrix = (vectors - mean).astype(np.float32)
    rest /= np.linalg.norm(rest, axis=1, keepdims=True) + np.float32(1e-6)
    return rest


def measure_interaction(
    starts: NDArray[np.float64],
    spoken: WordVectors,
    titles: WordVectors,
    texts: WordVectors,
    column: Mapping[str, HalfMatrix],
) -> None:
    """Fill the columns LATE_INTERACTION_NAMES (features, units): the share of each feature's words that are spoken.

    `starts` (units) are in seconds. A word of a feature counts by the similarity of the best match in the window.
    """
    count = len(column["late_contrast"])
    for words, windows in ((titles, TITLE_WINDOWS), (texts, TEXT_WINDOWS)):
        best = _match_units(words.vectors, spoken, len(starts))
        weights = _weigh_words(words.texts, spoken, texts, count)
        for row in range(count):
            own = slice(*np.searchsorted(words.owners, [row, row + 1]).tolist())
            for name, (begin, stop) in windows.items():
                within = _best_within(best[own], starts, begin, stop)
                column[name][row] = weights[own] @ within / (weights[own].sum() + np.float32(SHRINKAGE))
    column["late_contrast"][:] = column["late_text_40"] - column["late_text_before"]
    for name, source in (("late_title", "late_title_15"), ("late_text", "late_text_40")):
        values = column[source].astype(np.float32)
        column[f"{name}_peak"][:] = drop_from_peak(values)
        column[f"{name}_share"][:] = feature_shares(values)


def _match_units(vectors: Vectors, spoken: WordVectors, size: int) -> HalfMatrix:
    """Return (words, units): the similarity of the best word of each unit, from 0 for chance to 1 for the same word."""
    best = np.zeros((len(vectors), size), dtype=np.float16)
    if not len(vectors) or not len(spoken.owners):
        return best
    words = vectors.astype(np.float32)
    first = np.flatnonzero(np.diff(spoken.owners, prepend=-1))
    for begin in range(0, len(first), BATCH_UNITS):
        batch = first[begin : begin + BATCH_UNITS]
        stop = int(first[begin + BATCH_UNITS]) if begin + BATCH_UNITS < len(first) else len(spoken.owners)
        cosines = words @ spoken.vectors[batch[0] : stop].T.astype(np.float32)
        similarity = (np.maximum.reduceat(cosines, batch - batch[0], axis=1) - CHANCE_COSINE) / (1.0 - CHANCE_COSINE)
        best[:, spoken.owners[batch]] = np.maximum(similarity, 0.0)
    return best


def _best_within(values: HalfMatrix, starts: NDArray[np.float64], begin: float, stop: float) -> Matrix:
    """Return (words, units): the largest of `values` among the units that start `begin` to `stop` s after each unit."""
    first = np.searchsorted(starts, starts + begin, side="left")
    last = np.searchsorted(starts, starts + stop, side="left")
    # The column of zeros at the end keeps the bounds of every window inside the array; an empty window gives 0.
    padded = np.concatenate([values, np.zeros((len(values), 1), dtype=values.dtype)], axis=1)
    bounds = np.stack([first, np.maximum(last, first)], axis=1).ravel()
    best: Matrix = np.maximum.reduceat(padded, bounds, axis=1)[:, ::2].astype(np.float32)
    best[:, last <= first] = 0.0
    return best


def _weigh_words(words: Sequence[str], spoken: WordVectors, texts: WordVectors, features: int) -> Matrix:
    """Return the idf (words) of words, over blocks of units and over the texts of the features."""
    spoken_counts = _count_owners(spoken.texts, spoken.owners // BLOCK_UNITS)
    blocks = int(spoken.owners.max()) // BLOCK_UNITS + 1 if len(spoken.owners) else 1
    listed_counts = _count_owners(texts.texts, texts.owners)
    counts = np.array([(spoken_counts[word], listed_counts[word]) for word in words], dtype=np.float64).reshape(-1, 2)
    return idf_weights(counts[:, 0], blocks, counts[:, 1], features).astype(np.float32)


def _count_owners(texts: Sequence[str], owners: NDArray[np.int64]) -> Counter[str]:
    """Return the number of different owners of each word."""
    return Counter(word for word, _ in set(zip(texts, owners.tolist(), strict=True)))
