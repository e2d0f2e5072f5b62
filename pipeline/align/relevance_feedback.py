"""Score units by their similarity to the passages that a first pass finds, and not to the list's few words only.

Relevance feedback: the mean of a query's vector and the vectors of its most relevant documents is a better query
(J. Rocchio, Relevance feedback in information retrieval, 1971). Here the query is a feature's text, and the documents
are the sentences of its passage, each weighted by the probability that it belongs there.
"""

from itertools import combinations_with_replacement
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.align.evidence import Evidence
from pipeline.align.lexical import Matrix

Vector = NDArray[np.float64]
Number = TypeVar("Number", np.float32, np.float64)

# Weight of a feature's text, in sentences of its passage; 3 to 20 do equally well on spoken walkthroughs.
TEXT_SENTENCES = 10.0

# A sentence is compared together with this many sentences on each side.
CONTEXT_SENTENCES = 1

# This many sentences on each side of a sentence are left out of the passages that it is compared with.
EXCLUDED_SENTENCES = 3


class Fade(NamedTuple):
    """A weight that decreases with the seconds per feature.

    `weight` is in log-odds for a difference of 1 in cosine. It is full up to `full_s` and zero from `zero_s`, in
    seconds per feature.
    """

    weight: float
    full_s: float
    zero_s: float

    def at(self, pace: float) -> float:
        """Return the weight where each feature gets `pace` seconds."""
        return self.weight * min(1.0, max(0.0, (self.zero_s - pace) / (self.zero_s - self.full_s)))


# Weight of feedback for features with a description.
DESCRIBED = Fade(2.0, 60.0, 250.0)

# The same for bare headings, whose passages are wrong more often.
BARE = Fade(1.0, 60.0, 90.0)


def measure_feedback(evidence: Evidence, memberships: Vector) -> Vector | None:
    """Return log-likelihood ratios (features, units) of a unit being about a feature, given the passages found so far.

    `memberships` (features, units) are the probabilities that a unit is about a feature. The result is None without
    sentence vectors, and where each feature gets so long that a wrong passage would confirm itself.
    """
    if evidence.unit_vectors is None or evidence.feature_vectors is None:
        return None
    is_described = evidence.features[:, evidence.names.features.index("described")] > 0
    weights = np.where(is_described, DESCRIBED.at(evidence.pace_s), BARE.at(evidence.pace_s))
    if not weights.any():
        return None
    return weights[:, None] * compare_with_passages(evidence.unit_vectors, evidence.feature_vectors, memberships)


def compare_with_passages(sentences: Matrix, texts: Matrix, memberships: Vector) -> Vector:
    """Return (features, units): the cosine of a unit and a feature's passage, less the midpoint of two means.

    The means are those of the feature's own units and of the others. `sentences` (units, VECTOR_SIZE) and `texts`
    (features, VECTOR_SIZE) are vectors of length one, `memberships` (features, units) the passages. A unit and its
    neighbors are left out of the passage that the unit is compared with, as it resembles itself.
    """
    near, shares = _shift(sentences.T), _shift(memberships)
    context: Matrix = np.sum([near[by].T for by in range(-CONTEXT_SENTENCES, CONTEXT_SENTENCES + 1)], axis=0)
    context /= np.linalg.norm(context, axis=1, keepdims=True) + np.float32(1e-6)
    passages: Vector = memberships @ sentences + TEXT_SENTENCES * texts
    alike = _shift(passages @ sentences.T)
    # With p the passage, n the sum of the excluded sentences, and a the context, this computes (p - n) . a and
    # |p - n|^2 without a vector for each pair of feature and unit.
    products = passages @ context.T
    lengths = np.repeat(np.sum(passages**2, axis=1, keepdims=True), len(sentences), axis=1)
    for by, share in shares.items():
        products -= share * np.einsum("ji,ij->i", near[by], context)
        lengths -= 2 * share * alike[by]
    for first, second in combinations_with_replacement(shares, 2):
        times = 1 if first == second else 2
        lengths += times * shares[first] * shares[second] * np.einsum("ji,ji->i", near[first], near[second])
    cosines = products / (np.sqrt(np.maximum(lengths, 0.0)) + 1e-6)
    own = (memberships * cosines).sum(axis=1) / (memberships.sum(axis=1) + 1e-6)
    others = ((1 - memberships) * cosines).sum(axis=1) / ((1 - memberships).sum(axis=1) + 1e-6)
    lead: Vector = cosines - (own + others)[:, None] / 2
    return lead


def _shift(values: NDArray[Number]) -> dict[int, NDArray[Number]]:
    """Return values (rows, units) shifted by up to EXCLUDED_SENTENCES units each way, zero beyond the ends.

    All are views of one padded copy.
    """
    size = values.shape[1]
    padded = np.pad(values, ((0, 0), (EXCLUDED_SENTENCES, EXCLUDED_SENTENCES)))
    steps = range(-EXCLUDED_SENTENCES, EXCLUDED_SENTENCES + 1)
    return {by: padded[:, EXCLUDED_SENTENCES + by :][:, :size] for by in steps}
