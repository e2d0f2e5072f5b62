"""Measure the similarity in meaning of speech and features, from sentence vectors.

The columns of pairs; numbers are seconds:

- `mean_title_after_8`, `mean_text_before_20` etc.: cosine of the feature and the mean vector of a window.
- `mean_now`: cosine of the feature and the unit's sentence.
- `mean_peak_*`: a cosine less the largest one of the feature. `mean_share_*`: its share in a softmax over all features.
- `mean_fresh`: how much more similar the speech after the start of the unit is than the speech before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.align.encoder import VECTOR_SIZE
from pipeline.align.late_interaction import WordVectors, center
from pipeline.align.lexical import HalfMatrix, Matrix, drop_from_peak
from pipeline.align.units import Unit

Indices = NDArray[np.int64]
Vector = NDArray[np.float64]

# The windows, in seconds, whose mean vector is compared with features, after the start of a unit.
AFTER_S = (8.0, 20.0, 60.0)

# The windows, in seconds, before it.
BEFORE_S = (20.0, 60.0)

# The windows, in seconds, whose mean vectors on both sides of a boundary are compared with each other.
SIDE_S = (20.0, 60.0)

# Length of the window, in seconds, around the start of a unit whose mean vector is the passage at this unit.
PASSAGE_S = 6.0

# Words from which on a sentence counts fully in a mean; "Yeah." says little.
FULL_SENTENCE_WORDS = 12

# Words added to the length of a window, so that the similarity of a window of few words is close to zero.
SHRINKAGE_WORDS = 4.0

# Temperature of the softmax over features, in cosine.
TEMPERATURE = 0.1

# Cosine that competes with those of the features: speech about no feature.
BACKGROUND_COSINE = 0.3

# Quantile of a feature's cosines over the episode that counts as its usual one.
USUAL_QUANTILE = 0.75

# Vectors from which on the mean is subtracted in full; the mean of one or two vectors is what they say themselves.
FULL_MEAN_VECTORS = 5

SEMANTIC_NAMES = (
    *(f"mean_title_after_{seconds:.0f}" for seconds in AFTER_S),
    *(f"mean_text_after_{seconds:.0f}" for seconds in AFTER_S),
    *(f"mean_title_before_{seconds:.0f}" for seconds in BEFORE_S),
    *(f"mean_text_before_{seconds:.0f}" for seconds in BEFORE_S),
    *("mean_now", "mean_peak_8", "mean_peak_20", "mean_peak_60"),
    *("mean_share_8", "mean_share_20", "mean_share_60", "mean_share_before", "mean_fresh"),
)
_TURN_NAMES = tuple(f"mean_turn_{seconds:.0f}" for seconds in SIDE_S)

# The vectors of the unit's sentence and of the next one: how hosts speak when they go on to another topic.
VECTOR_NAMES = tuple(f"{place}_{number}" for place in ("here", "next") for number in range(VECTOR_SIZE))
SEMANTIC_BOUNDARY_NAMES = _TURN_NAMES + VECTOR_NAMES


@dataclass(frozen=True, slots=True)
class EpisodeVectors:
    """The vectors of an episode's speech and of its features, of length one.

    `sentences` (units, VECTOR_SIZE) are those of each unit's sentence, `titles` and `texts` (features, VECTOR_SIZE)
    those of features. The owners of `spoken_words` are units, those of `title_words` and `text_words` features.
    """

    sentences: Matrix
    titles: Matrix
    texts: Matrix
    spoken_words: WordVectors
    title_words: WordVectors
    text_words: WordVectors


@dataclass(frozen=True, slots=True)
class SemanticEvidence:
    """Evidence from sentence vectors in addition to the columns of pairs; the fields become those of `Evidence`.

    `boundaries` (units, len(SEMANTIC_BOUNDARY_NAMES)) goes into the boundary model. `similarities` (features, units) is
    the cosine of the passage at each unit and a feature's text, less the usual one of the feature in this episode.
    `unit_vectors` (units, VECTOR_SIZE) and `feature_vectors` (features, VECTOR_SIZE) have length one, their mean
    subtracted.
    """

    boundaries: Matrix
    similarities: Matrix
    unit_vectors: Matrix
    feature_vectors: Matrix


@dataclass(frozen=True, slots=True)
class _Speech:
    """Running sums over units, from which the mean vector of any window follows.

    `starts` (units) are in seconds, `sums` (units + 1, VECTOR_SIZE) are sums of vectors, `counts` (units + 1) sums of
    words.
    """

    starts: Vector
    sums: Vector
    counts: Vector

    def average(self, begin: float, stop: float) -> Matrix:
        """Return the mean vectors (units, VECTOR_SIZE) from `begin` to `stop` seconds around the start of each unit.

        They have length one, or less where few words are spoken. A window after the start holds its unit at least.
        """
        first = np.searchsorted(self.starts, self.starts + begin, side="left")
        last = np.searchsorted(self.starts, self.starts + stop, side="left")
        if stop > 0:
            last = np.maximum(last, first + 1)
        total = self.sums[last] - self.sums[first]
        words = (self.counts[last] - self.counts[first])[:, None]
        lengths = np.linalg.norm(total, axis=1, keepdims=True)
        means: Matrix = total / (lengths + 1e-6) * (words / (words + SHRINKAGE_WORDS))
        return means.astype(np.float32)


def measure_similarity(
    units: Sequence[Unit], vectors: EpisodeVectors, column: Mapping[str, HalfMatrix]
) -> SemanticEvidence:
    """Return evidence from the similarity of speech and features, and fill the columns SEMANTIC_NAMES.

    Each `column` is (features, units).
    """
    words = np.array([min(len(unit.text.split()), FULL_SENTENCE_WORDS) for unit in units], dtype=np.float32)
    sentences = _subtract_mean(vectors.sentences, words)
    titles, texts = _subtract_mean(vectors.titles), _subtract_mean(vectors.texts)
    speech = _sum_speech(units, sentences, words)
    for seconds in AFTER_S:
        window = speech.average(0.0, seconds)
        column[f"mean_title_after_{seconds:.0f}"][:] = titles @ window.T
        column[f"mean_text_after_{seconds:.0f}"][:] = texts @ window.T
    for seconds in BEFORE_S:
        window = speech.average(-seconds, 0.0)
        column[f"mean_title_before_{seconds:.0f}"][:] = titles @ window.T
        column[f"mean_text_before_{seconds:.0f}"][:] = texts @ window.T
    column["mean_now"][:] = np.maximum(titles @ sentences.T, texts @ sentences.T)
    _fill_comparisons(column)
    sides = (np.einsum("ij,ij->i", speech.average(0.0, s), speech.average(-s, 0.0)) for s in SIDE_S)
    following = np.concatenate([vectors.sentences[1:], vectors.sentences[-1:]])
    boundaries = np.column_stack([*sides, vectors.sentences, following]).astype(np.float32)
    cosines = texts @ speech.average(-PASSAGE_S / 2, PASSAGE_S).T
    usual = np.quantile(cosines, USUAL_QUANTILE, axis=1, keepdims=True)
    return SemanticEvidence(boundaries, (cosines - usual).astype(np.float32), sentences, texts)


def _sum_speech(units: Sequence[Unit], sentences: Matrix, words: Matrix) -> _Speech:
    """Return the running sums of sentence vectors (units, VECTOR_SIZE), each weighted by its `words` (units)."""
    sums = np.zeros((len(sentences) + 1, sentences.shape[1]))
    np.cumsum(sentences * words[:, None], axis=0, out=sums[1:])
    starts = np.array([unit.start for unit in units])
    return _Speech(starts, sums, np.concatenate([[0.0], np.cumsum(words)]))


def _subtract_mean(vectors: Matrix, weights: Matrix | None = None) -> Matrix:
    """Return vectors less their weighted mean, of length one; of few vectors, less a part of the mean."""
    share = min(1.0, (len(vectors) - 1) / (FULL_MEAN_VECTORS - 1))
    return center(vectors, np.average(vectors, axis=0, weights=weights) * share)


def _fill_comparisons(column: Mapping[str, HalfMatrix]) -> None:
    """Fill the columns that compare a cosine with the same feature elsewhere and with other features at the unit."""
    for seconds, name in ((8, "title"), (20, "text"), (60, "text")):
        values = column[f"mean_{name}_after_{seconds}"]
        column[f"mean_peak_{seconds}"][:] = drop_from_peak(values)
        column[f"mean_share_{seconds}"][:] = _softmax_shares(values)
    column["mean_share_before"][:] = _softmax_shares(column["mean_text_before_20"])
    column["mean_fresh"][:] = np.maximum(
        0.0, column["mean_text_after_20"] - np.maximum(0.0, column["mean_text_before_60"])
    )


def _softmax_shares(cosines: HalfMatrix) -> Matrix:
    """Return each feature's share (features, units) in a softmax over all features and BACKGROUND_COSINE."""
    odds: Matrix = np.exp(cosines.astype(np.float32) / TEMPERATURE)
    odds /= odds.sum(axis=0, keepdims=True) + np.float32(np.exp(BACKGROUND_COSINE / TEMPERATURE))
    return odds
