"""Compare features with the talk word by word, each word being known by a vector of what it means where it stands.

The mean of a sentence blurs its single words. Here every content word of a feature looks for the spoken word that
resembles it most, "late interaction" as in ColBERT (Khattab and Zaharia 2020, https://arxiv.org/abs/2004.12832), so
that "reorder" is met by "pull it up the list".
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.align.lexical import idf_weights

Matrix = NDArray[np.float32]
HalfMatrix = NDArray[np.float16]
Vectors = Matrix | HalfMatrix

# Cosines up to this one are chance.
CHANCE = 0.25

# Stretches of speech, in seconds, over which a title and a whole text are looked for; negative ones lie before.
TITLE_REACHES = {"late_title_8": (0.0, 8.0), "late_title_15": (0.0, 15.0), "late_title_before": (-20.0, 0.0)}
TEXT_REACHES = {"late_text_15": (0.0, 15.0), "late_text_40": (0.0, 40.0), "late_text_before": (-40.0, 0.0)}
LATE_INTERACTION_NAMES = (
    *TITLE_REACHES,
    *TEXT_REACHES,
    *("late_contrast", "late_title_peak", "late_text_peak", "late_title_share", "late_text_share"),
)

# Pulls texts with little to match towards zero, as for words that are matched by spelling.
SHRINK = 0.8

# What competes with the features for a stretch of speech.
RIVAL = 0.15

# Rarity of a word in the talk is counted over blocks of this many units.
BLOCK_UNITS = 6

# Units matched at a time: bounds the memory of long episodes.
BLOCK_OWNERS = 96

# Fewer features than this have no subject of their own to be taken out.
FEW = 5


@dataclass(frozen=True, slots=True)
class WordVectors:
    """Content words in their context, in order of `owners`: the unit or the feature that each is part of.

    `vectors` (words, 384) have length one once `centre` has taken out what the words of a text share.
    """

    vectors: Vectors
    owners: NDArray[np.int64]
    texts: tuple[str, ...]


def centre(vectors: Vectors, mean: Matrix) -> Matrix:
    """Return vectors (words, 384) less the `mean` (384) of what they share, of length one."""
    rest: Matrix = (vectors - mean).astype(np.float32)
    rest /= np.linalg.norm(rest, axis=1, keepdims=True) + np.float32(1e-6)
    return rest


def measure_interaction(
    starts: NDArray[np.float64],
    spoken: WordVectors,
    titles: WordVectors,
    texts: WordVectors,
    pairs: Mapping[str, HalfMatrix],
) -> None:
    """Fill LATE_INTERACTION_NAMES of `pairs` (features, units): how much of each feature is said around each unit."""
    count = len(pairs["late_contrast"])
    for words, reaches in ((titles, TITLE_REACHES), (texts, TEXT_REACHES)):
        best = _match_units(words.vectors, spoken, len(starts))
        weights = _weigh_words(words.texts, spoken, texts, count)
        for row in range(count):
            own = slice(*np.searchsorted(words.owners, [row, row + 1]).tolist())
            for name, (begin, stop) in reaches.items():
                within = _best_within(best[own], starts, begin, stop)
                pairs[name][row] = weights[own] @ within / (weights[own].sum() + np.float32(SHRINK))
    pairs["late_contrast"][:] = pairs["late_text_40"] - pairs["late_text_before"]
    for name, source in (("late_title", "late_title_15"), ("late_text", "late_text_40")):
        values = pairs[source].astype(np.float32)
        pairs[f"{name}_peak"][:] = values - values.max(axis=1, keepdims=True)
        pairs[f"{name}_share"][:] = values / (values.sum(axis=0, keepdims=True) + np.float32(RIVAL))


def _match_units(vectors: Vectors, spoken: WordVectors, size: int) -> HalfMatrix:
    """Return (words, units): how well the best word of each unit fits, 0 for chance to 1 for the same word."""
    best = np.zeros((len(vectors), size), dtype=np.float16)
    if not len(vectors) or not len(spoken.owners):
        return best
    sought = vectors.astype(np.float32)
    first = np.flatnonzero(np.diff(spoken.owners, prepend=-1))
    for begin in range(0, len(first), BLOCK_OWNERS):
        opens = first[begin : begin + BLOCK_OWNERS]
        stop = int(first[begin + BLOCK_OWNERS]) if begin + BLOCK_OWNERS < len(first) else len(spoken.owners)
        likeness = sought @ spoken.vectors[opens[0] : stop].T.astype(np.float32)
        matched = (np.maximum.reduceat(likeness, opens - opens[0], axis=1) - CHANCE) / (1.0 - CHANCE)
        best[:, spoken.owners[opens]] = np.maximum(matched, 0.0)
    return best


def _best_within(values: HalfMatrix, starts: NDArray[np.float64], begin: float, stop: float) -> Matrix:
    """Return the largest of `values` (words, units) among the units that start `begin` to `stop` s from each."""
    first = np.searchsorted(starts, starts + begin, side="left")
    last = np.searchsorted(starts, starts + stop, side="left")
    # A column of zeros at the end lets every stretch have an end, and is what an empty one comes to.
    padded = np.concatenate([values, np.zeros((len(values), 1), dtype=values.dtype)], axis=1)
    bounds = np.stack([first, np.maximum(last, first)], axis=1).ravel()
    best: Matrix = np.maximum.reduceat(padded, bounds, axis=1)[:, ::2].astype(np.float32)
    best[:, last <= first] = 0.0
    return best


def _weigh_words(words: Sequence[str], spoken: WordVectors, texts: WordVectors, features: int) -> Matrix:
    """Return how much each word tells, its rarity counted over blocks of the talk and over the list."""
    said = _count_owners(spoken.texts, spoken.owners // BLOCK_UNITS)
    blocks = int(spoken.owners.max()) // BLOCK_UNITS + 1 if len(spoken.owners) else 1
    listed = _count_owners(texts.texts, texts.owners)
    counts = np.array([(said[word], listed[word]) for word in words], dtype=np.float64).reshape(-1, 2)
    return idf_weights(counts[:, 0], blocks, counts[:, 1], features).astype(np.float32)


def _count_owners(texts: Sequence[str], owners: NDArray[np.int64]) -> Counter[str]:
    """Return in how many different owners each word stands."""
    return Counter(word for word, _ in set(zip(texts, owners.tolist(), strict=True)))
