"""Infer which features of a list are discussed, where the list may hold many that are not.

A vendor's release list has hundreds of entries, of which an episode discusses a tenth. Most evidence is relative to the
list: seconds per feature, the order of its entries, the median entry. Such a list is therefore screened in rounds. Each
round estimates the share that is discussed and drops the features that are hardly among them, until nearly all of the
rest are.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.align.inference import EpisodePosterior
from pipeline.align.weights import Weights
from pipeline.core.schema import Discussed

Probabilities = NDArray[np.float64]
Rows = NDArray[np.int64]

# Infers the posterior of some features (rows of the list), of which so many are expected to be discussed.
Infer = Callable[[Rows, float | None], EpisodePosterior]

# Share of features that are discussed in the lists that the absence classifier was fitted to.
FITTED_SHARE = 0.9

# Share of a list below which it is screened. The own lists of 44 episodes of five shows reach .62 and more (.61 by
# words alone, except for one list of bare sentences). The same lists among as many entries of other episodes reach .59
# and less.
LEDGER_SHARE = 0.6

# Features from which on a list is screened: the share of a shorter list cannot be estimated.
LEAST_FEATURES = 10

# Seconds of speech that a feature gets at least in the first round, before the share is known.
FIRST_PACE_S = 60.0

# Probability of being discussed below which each round drops a feature. The first rounds compare a feature with many
# that are not discussed, and are less certain.
DROP_BELOW = (0.01, 0.05, 0.1)

# Rounds of the share's estimate at most, and the change at which it has converged.
MAX_ITERATIONS = 200
CONVERGED = 1e-5

# Bounds of probabilities and shares: at 0 and 1 the estimate cannot move.
LEAST = 1e-4
LEAST_SHARE = 1e-3
LARGEST_SHARE = 0.995


@dataclass(frozen=True, slots=True)
class Screening:
    """The features that may be discussed, and how probably.

    Attributes:
        posterior: Posterior of the features that are left.
        rows: (features left), their rows in the list.
        p_present: (features of the list), the probability that a feature is discussed; None for an ordinary list, whose
            absent features the classifier knows by itself.
    """

    posterior: EpisodePosterior
    rows: Rows
    p_present: Probabilities | None = None

    @property
    def expected(self) -> float | None:
        """Number of features that are expected to be discussed; None for an ordinary list."""
        return None if self.p_present is None else float(self.p_present.sum())


def screen_features(
    infer: Infer,
    count: int,
    seconds: float,
    weights: Weights,
    discussed: Discussed | None = None,
    anchored: Collection[int] = (),
) -> Screening:
    """Return the features of a list that may be discussed, with their posterior.

    Args:
        infer: Infers the posterior of some features.
        count: Features of the list.
        seconds: Length of the speech.
        weights: Weights that the posterior is inferred with.
        discussed: How much of the list is discussed, where a person knows it.
        anchored: Rows of features whose start a person gave; they stay.
    """
    rows = np.arange(count)
    if discussed is Discussed.MOST or (discussed is None and count < LEAST_FEATURES):
        return Screening(infer(rows, None), rows)
    expected = min(float(count), seconds / FIRST_PACE_S)
    p_present = np.zeros(count)
    for drop_below in DROP_BELOW:
        posterior = infer(rows, expected if expected < len(rows) else None)
        p_present[rows] = estimate_presence(posterior, weights, expected / len(rows))
        p_present[list(anchored)] = 1.0
        is_own_list = len(rows) == count and p_present.mean() >= LEDGER_SHARE
        if is_own_list and discussed is None:
            return Screening(posterior if posterior.evidence.expected is None else infer(rows, None), rows)
        expected = max(1.0, float(p_present[rows].sum()))
        left = rows[p_present[rows] >= drop_below]
        if not len(left):
            break
        rows = left
    posterior = infer(rows, expected if expected < len(rows) else None)
    p_present[rows] = estimate_presence(posterior, weights, expected / len(rows))
    p_present[list(anchored)] = 1.0
    return Screening(posterior, rows, p_present)


def estimate_presence(posterior: EpisodePosterior, weights: Weights, share: float) -> Probabilities:
    """Return (features): the probability that a feature is discussed, of a list of which `share` may be.

    The classifier was fitted to lists of which FITTED_SHARE is discussed. Its probabilities are corrected to the share
    of this list, which the same probabilities estimate: M. Saerens, P. Latinne and C. Decaestecker, Adjusting the
    outputs of a classifier to new a priori probabilities, 2002.
    """
    p_present = np.clip(1.0 - weights.absent_classifier.probabilities(posterior.rows), LEAST, 1.0 - LEAST)
    odds = p_present / (1.0 - p_present) * (1.0 - FITTED_SHARE) / FITTED_SHARE
    share = min(LARGEST_SHARE, max(LEAST_SHARE, share))
    for _ in range(MAX_ITERATIONS):
        shifted = odds * share / (1.0 - share)
        p_present = shifted / (1.0 + shifted)
        before, share = share, min(LARGEST_SHARE, max(LEAST_SHARE, float(p_present.mean())))
        if abs(share - before) < CONVERGED:
            break
    return p_present
