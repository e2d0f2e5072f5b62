"""Listen for what sounds like the passages found so far, and not only like the list's few words.

Relevance feedback: a query and the documents that seem to fit it are, by the mean of their vectors, a better query
(J. Rocchio, Relevance feedback in information retrieval, 1971). Here the query is a feature's text, and the documents
are the sentences that a first weighing gives to it, each as far as it does.
"""

from itertools import combinations_with_replacement
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.align.evidence import Evidence, Matrix
from pipeline.align.units import seconds_per_feature

# A feature's text counts as much as so many sentences of its passage: 3 to 20 do alike on spoken walkthroughs.
TEXT_SENTENCES = 10.0

# A sentence is compared together with this many on each side; it and so many do not count in what it is compared with.
BESIDE, LEFT_OUT = 1, 3

# Log-odds for a difference of one between cosines, in full up to the first pace (seconds a feature) and fading until
# the second: for features with a description, and for bare headings, which lead to more of what is not meant.
DESCRIBED, BARE = (2.0, 60.0, 250.0), (1.0, 60.0, 90.0)
Vector = NDArray[np.float64]
Number = TypeVar("Number", np.float32, np.float64)


def measure_feedback(evidence: Evidence, talks: Vector) -> Vector | None:
    """Return log-likelihood ratios (features, units) of a unit being about a feature, given the passages found so far.

    `talks` (features, units) are the probabilities that a unit is about a feature. None where there are no sentence
    vectors, or where hosts dwell on each feature for so long that passages found by mistake would confirm themselves.
    """
    if evidence.unit_vectors is None or evidence.feature_vectors is None:
        return None
    dwell = seconds_per_feature(evidence.starts, len(talks))
    described = evidence.features[:, evidence.names.features.index("described")] > 0
    share = np.where(described, _fade(dwell, *DESCRIBED), _fade(dwell, *BARE))
    return (
        share[:, None] * compare_with_passages(evidence.unit_vectors, evidence.feature_vectors, talks)
        if share.any()
        else None
    )


def _fade(dwell: float, full: float, until: float, nothing: float) -> float:
    return full * min(1.0, max(0.0, (nothing - dwell) / (nothing - until)))


def compare_with_passages(sentences: Matrix, texts: Matrix, talks: Vector) -> Vector:
    """Return (features, units): how much nearer a unit is to a feature's passage than midway between its and others'.

    `sentences` (units, numbers) and `texts` (features, numbers) are vectors of length one, `talks` (features, units)
    the passages. What is near a unit is left out of the passage that it is compared with: it resembles itself.
    """
    near, shares = _shift(sentences.T), _shift(talks)
    around: Matrix = np.sum([near[by].T for by in range(-BESIDE, BESIDE + 1)], axis=0)
    around /= np.linalg.norm(around, axis=1, keepdims=True) + np.float32(1e-6)
    passages: Vector = talks @ sentences + TEXT_SENTENCES * texts
    alike = _shift(passages @ sentences.T)
    # (p - n) . a and |p - n|^2, where n is the sum of what is near: without a vector for each feature and unit.
    products = passages @ around.T
    lengths = np.repeat(np.sum(passages**2, axis=1, keepdims=True), len(sentences), axis=1)
    for by, share in shares.items():
        products -= share * np.einsum("ji,ij->i", near[by], around)
        lengths -= 2 * share * alike[by]
    for one, other in combinations_with_replacement(shares, 2):
        times = 1 if one == other else 2
        lengths += times * shares[one] * shares[other] * np.einsum("ji,ji->i", near[one], near[other])
    cosines = products / (np.sqrt(np.maximum(lengths, 0.0)) + 1e-6)
    own = (talks * cosines).sum(axis=1) / (talks.sum(axis=1) + 1e-6)
    others = ((1 - talks) * cosines).sum(axis=1) / ((1 - talks).sum(axis=1) + 1e-6)
    further: Vector = cosines - (own + others)[:, None] / 2
    return further


def _shift(values: NDArray[Number]) -> dict[int, NDArray[Number]]:
    """Return values (rows, units) as up to LEFT_OUT units later or earlier, zero beyond the ends: views of one copy."""
    padded = np.pad(values, ((0, 0), (LEFT_OUT, LEFT_OUT)))
    return {by: padded[:, LEFT_OUT + by :][:, : values.shape[1]] for by in range(-LEFT_OUT, LEFT_OUT + 1)}
