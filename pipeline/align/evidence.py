"""Measure, for every feature and every unit of speech, what speaks for a discussion starting there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.align.cues import BOUNDARY_NAMES, find_overview_end, measure_boundaries
from pipeline.align.late_interaction import LATE_INTERACTION_NAMES, measure_interaction
from pipeline.align.lexical import idf_weights
from pipeline.align.semantic import SEMANTIC_BOUNDARY_NAMES, SEMANTIC_NAMES, EpisodeVectors, measure_similarity
from pipeline.align.units import Unit, scale_times, seconds_per_feature, time_scale
from pipeline.core.language import extract_terms, language_code, load_stemmer
from pipeline.core.schema import Feature, Mention, Method

Matrix = NDArray[np.float32]
HalfMatrix = NDArray[np.float16]

# Stretches of speech, in seconds, over which words are looked for after a unit's start and before it.
AFTER_S = (6.0, 15.0, 40.0, 120.0)
BEFORE_S = (15.0, 40.0, 120.0)

# A word is fresh where it was not said in the two minutes before.
FRESH_S = 120.0
FAR_S = 1000.0

# Plain weight of the words said, beside the share of all words, over this stretch.
MASS_S = 40.0

# Units taken together: bounds the memory of long episodes.
BLOCK_UNITS = 2048

# Document frequencies are counted over blocks of half a minute.
BLOCK_S = 30.0

# Coverage is pulled towards zero for texts with little to match: about one word of middling rarity.
SHRINK = 0.8

# One sentence, however full of a feature's words, tells no more than this (log-likelihood ratio); an id adds its own.
UNIT_CAP = 6.0

# Share of the content words about a feature that come from its own text.
DRAWN = 0.15
ID_GAIN = 12.0
_OVERLAP_NAMES = (
    *(f"title_after_{seconds:.0f}" for seconds in AFTER_S),
    *(f"title_before_{seconds:.0f}" for seconds in BEFORE_S),
    *(f"text_after_{seconds:.0f}" for seconds in AFTER_S),
    *(f"text_before_{seconds:.0f}" for seconds in BEFORE_S),
    *("title_contrast", "text_contrast", "text_contrast_long"),
    *("title_fresh", "text_fresh", "title_unit", "text_unit"),
    *("title_mass", "text_mass", "text_mass_contrast"),
    *("phrase_after", "phrase_before"),
    *("id_now", "id_after", "id_before"),
    *("title_peak", "text_peak", "text_peak_long", "mass_peak"),
    *("title_share", "text_share", "text_share_long", "share_before"),
)
_TIME_NAMES = ("intro", "outro")
PAIR_NAMES = _OVERLAP_NAMES + _TIME_NAMES

# The onset model also sees the log-odds that any topic starts at the unit, alone and times the overlap of words.
_BOUNDARY_INPUTS = ("boundary", "boundary_text")
SEMANTIC_FEATURE_NAMES = ("mean_best", "mean_best_title", "mean_lead", "late_best_title", "late_best_text")
FEATURE_NAMES = (
    *("title_best", "text_best", "mass_best", "id_said", "phrase_best", "rarity", "unheard"),
    *("title_words", "described", "numbered"),
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that was measured on one episode.

    `starts` (units) are in seconds; `pairs` is (features, units, columns), `boundaries` (units, columns), `features`
    (features, columns); `names` tells the columns of all three.
    `passages` (features, units) holds log-likelihood ratios of a unit's words being about a feature, and `similarities`
    (features, units), where there are sentence vectors, how alike they are beyond what is usual. `unit_vectors` (units,
    384) and `feature_vectors` (features, 384) are those vectors. Until `overview_end`, in seconds, what will come is
    announced.
    """

    starts: NDArray[np.float64]
    pairs: HalfMatrix
    boundaries: Matrix
    features: Matrix
    passages: Matrix
    similarities: Matrix | None
    names: "Columns"
    unit_vectors: Matrix | None = None
    feature_vectors: Matrix | None = None
    overview_end: float | None = None


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of what is measured of pairs of feature and unit, of boundaries, and of features.

    `onset` names the inputs of the onset model: those of the pairs and two that follow from the boundary model.
    """

    pairs: tuple[str, ...]
    onset: tuple[str, ...]
    boundaries: tuple[str, ...]
    features: tuple[str, ...]


_ONSET_NAMES = _OVERLAP_NAMES + _BOUNDARY_INPUTS + _TIME_NAMES
LEXICAL_COLUMNS = Columns(PAIR_NAMES, _ONSET_NAMES, BOUNDARY_NAMES, FEATURE_NAMES)
SEMANTIC_COLUMNS = Columns(
    PAIR_NAMES + SEMANTIC_NAMES + LATE_INTERACTION_NAMES,
    _ONSET_NAMES + SEMANTIC_NAMES + LATE_INTERACTION_NAMES,
    BOUNDARY_NAMES + SEMANTIC_BOUNDARY_NAMES,
    (*FEATURE_NAMES, *SEMANTIC_FEATURE_NAMES),
)


@dataclass(frozen=True, slots=True)
class TermIndex:
    """The features' terms against the transcript's: weights (features, terms) of titles and of whole texts.

    `ahead` and `behind` (terms, units) hold the seconds until a term is next said and since it was last said, `said`
    (terms) whether it is said at all, `heard` the numbers of the terms in each unit.
    """

    title: Matrix
    text: Matrix
    ahead: NDArray[np.float16]
    behind: NDArray[np.float16]
    said: NDArray[np.bool_]
    heard: tuple[tuple[int, ...], ...]


def measure_evidence(
    units: Sequence[Unit],
    features: Sequence[Feature],
    mentions: Sequence[Mention],
    language: str | None = None,
    meaning: EpisodeVectors | None = None,
) -> Evidence:
    """Return the evidence of one episode; `units` must not be empty, and `meaning` is left out without an encoder.

    Seconds are those of `pipeline.align.units`, except in the `starts` that come back.
    """
    begun, overview_end = np.array([unit.start for unit in units]), find_overview_end(units)
    clock = time_scale(seconds_per_feature(begun, len(features)))
    units, mentions = scale_times(units, clock), scale_times(mentions, clock)
    names = LEXICAL_COLUMNS if meaning is None else SEMANTIC_COLUMNS
    code = language_code(language)
    starts = np.array([unit.start for unit in units])
    spoken = [extract_terms(unit.text, code) for unit in units]
    wording = build_term_index(starts, spoken, features, code)
    # Half precision is plenty for shares and cosines, and this is by far the largest table.
    pairs = np.zeros((len(features), len(units), len(names.pairs)), dtype=np.float16)
    column = {name: pairs[:, :, index] for index, name in enumerate(names.pairs)}
    _measure_words(column, wording)
    rows = {feature.position: row for row, feature in enumerate(features)}
    _measure_mentions(column, starts, mentions, rows)
    _measure_rivals(column)
    column["intro"][:] = np.exp(-(starts - starts[0]) / 60.0)
    column["outro"][:] = np.exp(-(starts[-1] - starts) / 60.0)
    boundaries, items = measure_boundaries(units, spoken), _measure_items(column, wording, features)
    meanings = sentences = texts = None
    if meaning is not None:
        likeness = measure_similarity(units, meaning, column)
        measure_interaction(starts, meaning.spoken, meaning.title_words, meaning.text_words, column)
        boundaries = np.concatenate([boundaries, likeness.sides], axis=1)
        items = np.column_stack([items, _measure_best(column)])
        meanings, sentences, texts = likeness.passages, likeness.sentences, likeness.texts
    passages = _measure_passages(wording, starts, mentions, rows)
    return Evidence(begun, pairs, boundaries, items, passages, meanings, names, sentences, texts, overview_end)


def collect_onset_inputs(evidence: Evidence, row: int, boundaries: Matrix) -> Matrix:
    """Return (units, columns): the inputs of the onset model for the feature of a row, named in `names.onset`.

    `boundaries` (units) are the log-odds that any topic starts at a unit.
    """
    pairs, names = evidence.pairs[row], evidence.names
    at = len(_OVERLAP_NAMES)
    inputs = np.empty((len(pairs), len(names.onset)), dtype=np.float16)
    inputs[:, :at] = pairs[:, :at]
    inputs[:, at] = boundaries
    inputs[:, at + 1] = boundaries * pairs[:, names.pairs.index("text_after_40")]
    inputs[:, at + 2 :] = pairs[:, at:]
    return inputs.astype(np.float32)


def _measure_best(pairs: dict[str, HalfMatrix]) -> Matrix:
    """Return (features, len(SEMANTIC_FEATURE_NAMES)): how near in meaning the talk ever comes to each feature."""
    long, short = (pairs[name].astype(np.float32) for name in ("mean_text_after_20", "mean_title_after_8"))
    best = long.max(axis=1)
    lead = (best - long.mean(axis=1)) / (long.std(axis=1) + 1e-3)
    late = [pairs[name].max(axis=1).astype(np.float32) for name in ("late_title_15", "late_text_40")]
    return np.column_stack([best, short.max(axis=1), lead, *late])


def build_term_index(
    starts: NDArray[np.float64], spoken: Sequence[Sequence[str]], features: Sequence[Feature], code: str
) -> TermIndex:
    """Return the features' terms, weighed by their rarity in the talk and in the list, and when each is said.

    `starts` (units) are in seconds, `spoken` the terms of each unit; `code` is the language's.
    """
    titles = [extract_terms(feature.title, code) for feature in features]
    texts = [title + extract_terms(feature.description, code) for title, feature in zip(titles, features, strict=True)]
    index = {term: number for number, term in enumerate(sorted({term for text in texts for term in text}))}
    heard = _hear_terms(spoken, titles, index, load_stemmer(code))
    title = np.zeros((len(features), len(index)), dtype=np.float32)
    text = np.zeros_like(title)
    for row, (title_terms, text_terms) in enumerate(zip(titles, texts, strict=True)):
        # A word of the description alone says less than one of the title.
        text[row, [index[term] for term in text_terms]] = 0.6
        text[row, [index[term] for term in title_terms]] = 1.0
        title[row, [index[term] for term in title_terms]] = 1.0
    said, blocks = _count_blocks(starts, heard, len(index))
    listed = np.count_nonzero(text, axis=0).astype(np.float64)
    weight = idf_weights(said, blocks, listed, len(features)).astype(np.float32)
    ahead, behind = _time_terms(starts, heard, len(index))
    return TermIndex(title * weight, text * weight, ahead, behind, said > 0, heard)


def _hear_terms(
    spoken: Sequence[Sequence[str]], titles: Sequence[Sequence[str]], index: dict[str, int], stem: Callable[[str], str]
) -> tuple[tuple[int, ...], ...]:
    """Return, for every unit, the numbers of the features' terms that are said in it."""
    vocabulary = {term for terms in spoken for term in terms}
    sounds: dict[str, tuple[int, ...]] = {term: (number,) for term, number in index.items()}
    for title in titles:
        for first, second in pairwise(title):
            # "fire wall" in the list, "firewall" in the talk; the other way round is met below.
            if (joined := stem(first + second)) in vocabulary:
                sounds.setdefault(joined, (index[first], index[second]))
    _match_spelling(sounds, index, vocabulary)
    heard = []
    for terms in spoken:
        numbers = [number for term in terms for number in sounds.get(term, ())]
        for first, second in pairwise(terms):
            numbers.extend(sounds.get(stem(first + second), ()))
        heard.append(tuple(numbers))
    return tuple(heard)


def _match_spelling(sounds: dict[str, tuple[int, ...]], index: dict[str, int], vocabulary: set[str]) -> None:
    """Let a misheard word stand for the listed one that it resembles, where that is never said itself."""
    from rapidfuzz import fuzz, process

    strangers = sorted(word for word in vocabulary if word not in sounds and len(word) >= 5 and word.isalpha())
    for term in sorted(index):
        if term in vocabulary or len(term) < 5 or not term.isalpha():
            continue
        for word, _, _ in process.extract(term, strangers, scorer=fuzz.ratio, score_cutoff=84, limit=2):
            sounds.setdefault(word, (index[term],))


def _count_blocks(
    starts: NDArray[np.float64], heard: Sequence[Sequence[int]], size: int
) -> tuple[NDArray[np.float64], int]:
    """Return in how many blocks of the talk each term is said, and how many there are."""
    blocks = ((starts - starts[0]) // BLOCK_S).astype(int)
    said = np.zeros(size)
    for _, number in {(block, number) for block, terms in zip(blocks, heard, strict=True) for number in terms}:
        said[number] += 1
    return said, int(blocks[-1]) + 1


def _time_terms(
    starts: NDArray[np.float64], heard: Sequence[Sequence[int]], size: int
) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
    """Return the seconds (terms, units) until each term is next said and since it was last said."""
    # Half precision is exact to a sixteenth of a second where it matters, and these are the largest tables.
    ahead = np.full((size, len(starts)), np.inf, dtype=np.float16)
    behind = np.full((size, len(starts)), np.inf, dtype=np.float16)
    places: dict[int, list[int]] = {}
    for unit, terms in enumerate(heard):
        for number in set(terms):
            places.setdefault(number, []).append(unit)
    units = np.arange(len(starts))
    for number, where in places.items():
        at = np.array(where)
        following = np.searchsorted(at, units)
        inside = following < len(at)
        ahead[number, inside] = np.minimum(starts[at[following[inside]]] - starts[inside], FAR_S)
        passed = following > 0
        behind[number, passed] = np.minimum(starts[passed] - starts[at[following[passed] - 1]], FAR_S)
    return ahead, behind


def _measure_words(column: dict[str, HalfMatrix], wording: TermIndex) -> None:
    """Fill in the overlap of titles and texts with the speech after and before every unit."""
    size = wording.ahead.shape[1]
    for begin in range(0, size, BLOCK_UNITS):
        block = slice(begin, min(size, begin + BLOCK_UNITS))
        part = {name: values[:, block] for name, values in column.items()}
        _measure_block(part, wording, wording.ahead[:, block], wording.behind[:, block])
    for name in ("title_unit", "text_unit"):
        column[name][:] = _look_ahead(column[name])
    column["title_contrast"][:] = column["title_after_40"] - column["title_before_40"]
    column["text_contrast"][:] = column["text_after_40"] - column["text_before_40"]
    column["text_contrast_long"][:] = column["text_after_120"] - column["text_before_120"]
    column["text_mass_contrast"][:] += column["text_mass"]


def _measure_block(
    column: dict[str, HalfMatrix], wording: TermIndex, ahead: NDArray[np.float16], behind: NDArray[np.float16]
) -> None:
    """Fill in the overlap for a block of units."""
    title, text = _normalise_rows(wording.title), _normalise_rows(wording.text)
    for seconds in AFTER_S:
        said = (ahead <= seconds).astype(np.float32)
        column[f"title_after_{seconds:.0f}"][:] = title @ said
        column[f"text_after_{seconds:.0f}"][:] = text @ said
        if seconds == MASS_S:
            column["text_mass"][:] = np.log1p(wording.text @ said)
    for seconds in BEFORE_S:
        said = (behind <= seconds).astype(np.float32)
        column[f"title_before_{seconds:.0f}"][:] = title @ said
        column[f"text_before_{seconds:.0f}"][:] = text @ said
        if seconds == MASS_S:
            column["text_mass_contrast"][:] = -np.log1p(wording.text @ said)
    new = behind > FRESH_S
    column["title_fresh"][:] = title @ ((ahead <= 15.0) & new).astype(np.float32)
    column["text_fresh"][:] = text @ ((ahead <= 40.0) & new).astype(np.float32)
    now = (ahead <= 0.0).astype(np.float32)
    column["title_unit"][:] = title @ now
    column["text_unit"][:] = text @ now
    column["title_mass"][:] = np.log1p(wording.title @ (ahead <= 15.0).astype(np.float32))


def _normalise_rows(weights: Matrix) -> Matrix:
    """Return weights whose rows sum to a little less than one, the less the fewer and commoner the words."""
    shares: Matrix = weights / (weights.sum(axis=1, keepdims=True) + np.float32(SHRINK))
    return shares


def _look_ahead(values: HalfMatrix, reach: int = 2) -> HalfMatrix:
    """Return the largest value among each unit and the `reach` units after it."""
    best = values.copy()
    for step in range(1, reach + 1):
        np.maximum(best[:, :-step], values[:, step:], out=best[:, :-step])
    return best


def _measure_mentions(
    column: dict[str, HalfMatrix], starts: NDArray[np.float64], mentions: Sequence[Mention], rows: dict[int, int]
) -> None:
    """Fill in the best id and phrase mention said within some seconds after a unit's start or before it."""
    reaches: dict[bool, tuple[tuple[str, float, float], ...]] = {
        True: (("id_now", -0.5, 8.0), ("id_after", -0.5, 75.0), ("id_before", -75.0, -0.5)),
        False: (("phrase_after", -0.5, 12.0), ("phrase_before", -60.0, -0.5)),
    }
    for mention in mentions:
        row = rows[mention.position]
        gap = mention.start - starts
        for name, begin, stop in reaches[mention.method is Method.SPOKEN_ID]:
            where = (gap >= begin) & (gap <= stop)
            values = column[name]
            values[row, where] = np.maximum(values[row, where], np.float32(mention.score))


def _measure_rivals(column: dict[str, HalfMatrix]) -> None:
    """Fill in how each value compares with the same feature elsewhere and with other features here."""
    for source, peak, share in (
        ("title_after_15", "title_peak", "title_share"),
        ("text_after_40", "text_peak", "text_share"),
        ("text_after_120", "text_peak_long", "text_share_long"),
        ("text_before_40", "", "share_before"),
    ):
        values = column[source].astype(np.float32)
        if peak:
            column[peak][:] = values - values.max(axis=1, keepdims=True)
        column[share][:] = values / (values.sum(axis=0, keepdims=True) + np.float32(0.15))
    column["mass_peak"][:] = column["text_mass"] - column["text_mass"].max(axis=1, keepdims=True)


def _measure_items(column: dict[str, HalfMatrix], wording: TermIndex, features: Sequence[Feature]) -> Matrix:
    """Return (features, len(FEATURE_NAMES)): what says whether a feature is discussed at all."""
    items = np.zeros((len(wording.title), len(FEATURE_NAMES)), dtype=np.float32)
    values = {
        "title_best": column["title_after_15"].max(axis=1),
        "text_best": column["text_after_120"].max(axis=1),
        "mass_best": column["text_mass"].max(axis=1),
        "id_said": column["id_now"].max(axis=1),
        "phrase_best": column["phrase_after"].max(axis=1),
        "rarity": np.log1p(wording.title.sum(axis=1)),
        "unheard": (wording.title * ~wording.said).sum(axis=1) / (wording.title.sum(axis=1) + np.float32(0.1)),
        # What kind of list it is: headlines, bare sentences, entries with descriptions and ids.
        "title_words": np.array([min(len(feature.title.split()), 12) / 12 for feature in features]),
        "described": np.array([bool(feature.description) for feature in features]),
        "numbered": np.array([feature.feature_id is not None for feature in features]),
    }
    for index, name in enumerate(FEATURE_NAMES):
        items[:, index] = values[name]
    return items


def _measure_passages(
    wording: TermIndex, starts: NDArray[np.float64], mentions: Sequence[Mention], rows: dict[int, int]
) -> Matrix:
    """Return (features, units): the log-likelihood ratio of a unit's words being about a feature."""
    counts = np.ones(wording.text.shape[1])
    for terms in wording.heard:
        for number in terms:
            counts[number] += 1
    background = counts / max(counts.sum(), 1.0)
    share = wording.text / (wording.text.sum(axis=1, keepdims=True) + np.float32(SHRINK))
    gain = np.minimum(np.log1p(DRAWN * share / background), 4.0).astype(np.float32)
    passages = np.zeros((len(share), len(starts)), dtype=np.float32)
    for unit, terms in enumerate(wording.heard):
        if terms:
            passages[:, unit] = gain[:, list(terms)].sum(axis=1)
    np.minimum(passages, np.float32(UNIT_CAP), out=passages)
    for mention in mentions:
        if mention.method is Method.SPOKEN_ID:
            unit = max(0, int(np.searchsorted(starts, mention.start + 0.01, side="right")) - 1)
            passages[rows[mention.position], unit] += np.float32(ID_GAIN * mention.score)
    return passages
