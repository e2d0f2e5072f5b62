"""Index the terms of a feature list and of a transcript, weighted by inverse document frequency (idf)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.core.language import extract_terms, load_stemmer
from pipeline.core.schema import Feature

Matrix = NDArray[np.float32]
HalfMatrix = NDArray[np.float16]
Number = TypeVar("Number", np.float16, np.float32)

# Smallest idf in the transcript: a word that is said all the time still counts a little.
MIN_IDF = 0.02

# Weight of a word that is part of every entry of the list, relative to a word of a single entry.
SHARED_WORD_WEIGHT = 0.3

# Weight of a word of the description alone, relative to a word of the title.
DESCRIPTION_WEIGHT = 0.6

# Seconds of a block; document frequencies in the transcript are counted in blocks.
BLOCK_S = 30.0

# Seconds until or since a word beyond which the distance does not matter.
FAR_S = 1000.0

# Shortest word that is matched by spelling, in characters, and the least rapidfuzz ratio (0 to 100) of a match.
MIN_FUZZY_LENGTH = 5
MIN_FUZZY_RATIO = 84

# Most spoken words that stand for one misrecognized term.
MAX_FUZZY_MATCHES = 2

# Added to the total weight of a text, so that texts with little to match score low: about one word of middling idf.
SHRINKAGE = 0.8

# Share of a passage that belongs to no feature, in the unit of the compared values.
BACKGROUND = 0.15


def idf_weights(
    spoken: NDArray[np.float64], blocks: int, listed: NDArray[np.float64], features: int
) -> NDArray[np.float64]:
    """Return a weight (terms) above 0 and up to 1: the idf in the transcript times the one in the list.

    `spoken` (terms) is the number of the transcript's `blocks` that contain each term, `listed` (terms) the number of
    the list's `features` that do.
    """
    rare = np.log((blocks + 1.0) / (spoken + 0.5)) / np.log((blocks + 1.0) / 0.5)
    distinct = np.log1p(features / np.maximum(1.0, listed)) / np.log1p(max(1, features))
    weights: NDArray[np.float64] = np.clip(rare, MIN_IDF, 1.0) * (
        SHARED_WORD_WEIGHT + (1.0 - SHARED_WORD_WEIGHT) * distinct
    )
    return weights


@dataclass(frozen=True, slots=True)
class TermIndex:
    """The terms of all features: their weights, and when they are spoken.

    `title_weights` and `text_weights` (features, terms) are zero for terms that are not part of the title or the whole
    text. `seconds_until` and `seconds_since` (terms, units) are the times until a term is next spoken and since it was
    last spoken. `is_spoken` (terms) is true for terms that occur at all, `unit_terms` holds the terms of each unit.
    """

    title_weights: Matrix
    text_weights: Matrix
    seconds_until: HalfMatrix
    seconds_since: HalfMatrix
    is_spoken: NDArray[np.bool_]
    unit_terms: tuple[tuple[int, ...], ...]


def build_term_index(
    starts: NDArray[np.float64], spoken: Sequence[Sequence[str]], features: Sequence[Feature], code: str
) -> TermIndex:
    """Return the index of the features' terms.

    `starts` (units) are in seconds, `spoken` holds the terms of each unit, `code` is that of the language.
    """
    titles = [extract_terms(feature.title, code) for feature in features]
    texts = [title + extract_terms(feature.description, code) for title, feature in zip(titles, features, strict=True)]
    index = {term: number for number, term in enumerate(sorted({term for text in texts for term in text}))}
    unit_terms = _match_terms(spoken, titles, index, load_stemmer(code))
    title = np.zeros((len(features), len(index)), dtype=np.float32)
    text = np.zeros_like(title)
    for row, (title_terms, text_terms) in enumerate(zip(titles, texts, strict=True)):
        text[row, [index[term] for term in text_terms]] = DESCRIPTION_WEIGHT
        text[row, [index[term] for term in title_terms]] = 1.0
        title[row, [index[term] for term in title_terms]] = 1.0
    counts, blocks = _count_blocks(starts, unit_terms, len(index))
    listed = np.count_nonzero(text, axis=0).astype(np.float64)
    idf = idf_weights(counts, blocks, listed, len(features)).astype(np.float32)
    until, since = _measure_distances(starts, unit_terms, len(index))
    return TermIndex(title * idf, text * idf, until, since, counts > 0, unit_terms)


def _match_terms(
    spoken: Sequence[Sequence[str]], titles: Sequence[Sequence[str]], index: dict[str, int], stem: Callable[[str], str]
) -> tuple[tuple[int, ...], ...]:
    """Return, for every unit, the numbers of the features' terms that it contains."""
    vocabulary = {term for terms in spoken for term in terms}
    numbers: dict[str, tuple[int, ...]] = {term: (number,) for term, number in index.items()}
    for title in titles:
        for first, second in pairwise(title):
            # "fire wall" in the list, "firewall" in the transcript; the reverse is matched below.
            if (joined := stem(first + second)) in vocabulary:
                numbers.setdefault(joined, (index[first], index[second]))
    _match_spelling(numbers, index, vocabulary)
    matches = []
    for terms in spoken:
        own = [number for term in terms for number in numbers.get(term, ())]
        for first, second in pairwise(terms):
            own.extend(numbers.get(stem(first + second), ()))
        matches.append(tuple(own))
    return tuple(matches)


def _match_spelling(numbers: dict[str, tuple[int, ...]], index: dict[str, int], vocabulary: set[str]) -> None:
    """Add misrecognized words to `numbers`: a term that is never spoken is matched by words of similar spelling."""
    from rapidfuzz import fuzz, process

    unknown = sorted(word for word in vocabulary if word not in numbers and _is_fuzzy(word))
    for term in sorted(index):
        if term in vocabulary or not _is_fuzzy(term):
            continue
        similar = process.extract(
            term, unknown, scorer=fuzz.ratio, score_cutoff=MIN_FUZZY_RATIO, limit=MAX_FUZZY_MATCHES
        )
        for word, _, _ in similar:
            numbers.setdefault(word, (index[term],))


def _is_fuzzy(word: str) -> bool:
    """Return whether a word may be matched by its spelling."""
    return len(word) >= MIN_FUZZY_LENGTH and word.isalpha()


def _count_blocks(
    starts: NDArray[np.float64], unit_terms: Sequence[Sequence[int]], size: int
) -> tuple[NDArray[np.float64], int]:
    """Return the number of blocks (terms) that contain each term, and the number of all blocks."""
    blocks = ((starts - starts[0]) // BLOCK_S).astype(int)
    counts = np.zeros(size)
    for _, number in {(block, number) for block, terms in zip(blocks, unit_terms, strict=True) for number in terms}:
        counts[number] += 1
    return counts, int(blocks[-1]) + 1


def _measure_distances(
    starts: NDArray[np.float64], unit_terms: Sequence[Sequence[int]], size: int
) -> tuple[HalfMatrix, HalfMatrix]:
    """Return the seconds (terms, units) until each term is next spoken and since it was last spoken."""
    # Half precision is exact to a sixteenth of a second where it matters, and these tables are large.
    until = np.full((size, len(starts)), np.inf, dtype=np.float16)
    since = np.full((size, len(starts)), np.inf, dtype=np.float16)
    occurrences: dict[int, list[int]] = {}
    for unit, terms in enumerate(unit_terms):
        for number in set(terms):
            occurrences.setdefault(number, []).append(unit)
    units = np.arange(len(starts))
    for number, where in occurrences.items():
        at = np.array(where)
        following = np.searchsorted(at, units)
        inside = following < len(at)
        until[number, inside] = np.minimum(starts[at[following[inside]]] - starts[inside], FAR_S)
        passed = following > 0
        since[number, passed] = np.minimum(starts[passed] - starts[at[following[passed] - 1]], FAR_S)
    return until, since


def shrink_rows(weights: Matrix) -> Matrix:
    """Return weights whose rows sum to less than one: the fewer and the more common the terms, the less."""
    shares: Matrix = weights / (weights.sum(axis=1, keepdims=True) + np.float32(SHRINKAGE))
    return shares


def drop_from_peak(values: NDArray[Number]) -> NDArray[Number]:
    """Return values (features, units) less the largest one of the same feature: zero at its peak, else negative."""
    drops: NDArray[Number] = values - values.max(axis=1, keepdims=True)
    return drops


def feature_shares(values: Matrix) -> Matrix:
    """Return each feature's share (features, units) of the sum over all features at a unit, BACKGROUND included."""
    shares: Matrix = values / (values.sum(axis=0, keepdims=True) + np.float32(BACKGROUND))
    return shares
