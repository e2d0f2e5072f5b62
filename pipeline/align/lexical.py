"""How much a word tells of what is talked about: the rarer it is in the talk, and in the list, the more."""

import numpy as np
from numpy.typing import NDArray

# A word that is said all the time still tells a little.
LEAST = 0.02

# What a word tells that stands in every entry of the list, beside one that stands in a single one.
COMMON = 0.3


def idf_weights(
    said: NDArray[np.float64], blocks: int, listed: NDArray[np.float64], features: int
) -> NDArray[np.float64]:
    """Return a weight for each word, above 0 and up to 1, as tf-idf does.

    `said` (words) is in how many of the talk's `blocks` each is said, `listed` (words) in how many of the list's
    `features` it stands.
    """
    rare = np.log((blocks + 1.0) / (said + 0.5)) / np.log((blocks + 1.0) / 0.5)
    distinct = np.log1p(features / np.maximum(1.0, listed)) / np.log1p(max(1, features))
    weights: NDArray[np.float64] = np.clip(rare, LEAST, 1.0) * (COMMON + (1.0 - COMMON) * distinct)
    return weights
