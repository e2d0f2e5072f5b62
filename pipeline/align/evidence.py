"""Measure the evidence that the discussion of each feature starts at each unit.

The columns of pairs, from words; `title` and `text` are those of the feature, numbers are seconds:

- `title_after_6`, `text_before_40` etc.: idf-weighted share of its terms that are spoken after or before a start.
- `*_contrast`, `*_contrast_long`: the share after less the share before, in windows of 40 and 120 s.
- `*_fresh`: the share after, of new terms only. `*_unit`: the share inside this unit or the next ones.
- `*_mass`: logarithm of the summed weights of spoken terms. `text_mass_contrast`: the one after less the one before.
- `phrase_*`, `id_*`: best score of a mention in a window.
- `*_peak`: a value less the largest one of the feature. `*share*`: its share of the values of all features at the unit.
- `intro`, `outro`: closeness to the start and to the end of the episode.

The columns of features: `*_best` is the largest value over all units, `title_idf` the weight of the title, `unspoken`
the share of it that is never spoken, `mean_lead` how far the best value is from the mean, in standard deviations.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.align.cues import BOUNDARY_NAMES, find_overview_end, measure_boundaries
from pipeline.align.late_interaction import LATE_INTERACTION_NAMES, measure_interaction
from pipeline.align.lexical import (
    HalfMatrix,
    Matrix,
    TermIndex,
    build_term_index,
    drop_from_peak,
    feature_shares,
    shrink_rows,
)
from pipeline.align.semantic import SEMANTIC_BOUNDARY_NAMES, SEMANTIC_NAMES, EpisodeVectors, measure_similarity
from pipeline.align.units import Unit, scale_times, seconds_per_feature, time_scale
from pipeline.core.language import extract_terms, language_code
from pipeline.core.schema import Feature, Mention, Method

Vector = NDArray[np.float64]

# The windows, in seconds, in which a feature's words are counted after the start of a unit.
AFTER_S = (6.0, 15.0, 40.0, 120.0)

# The windows, in seconds, in which they are counted before it.
BEFORE_S = (15.0, 40.0, 120.0)

# The windows, in seconds, in which words of the title and of the whole text are counted that are new.
FRESH_TITLE_S = 15.0
FRESH_TEXT_S = 40.0

# A word is new where it was not spoken for this many seconds.
FRESH_S = 120.0

# The windows, in seconds, in which the weights of a feature's words are summed without regard to the words missing.
TITLE_MASS_S = 15.0
TEXT_MASS_S = 40.0

# A unit also counts the words of this many units after it.
LOOK_AHEAD_UNITS = 2

# Seconds before and after the start of a unit in which a spoken id or a phrase of a title counts, by column.
ID_WINDOWS = {"id_now": (-0.5, 8.0), "id_after": (-0.5, 75.0), "id_before": (-75.0, -0.5)}
PHRASE_WINDOWS = {"phrase_after": (-0.5, 12.0), "phrase_before": (-60.0, -0.5)}

# Closeness to the start and to the end of the episode decays exponentially; its time constant in seconds.
EDGE_DECAY_S = 60.0

# Units measured at a time; bounds the memory of long episodes.
BLOCK_UNITS = 2048

# Share of the content words in a feature's passage that come from its own text.
OWN_WORD_SHARE = 0.15

# Largest log-likelihood ratio of one word.
MAX_WORD_RATIO = 4.0

# Largest log-likelihood ratio of the words of one unit, however many of them are the feature's.
MAX_UNIT_RATIO = 6.0

# Log-likelihood ratio of a spoken id, in addition to that of the words.
ID_RATIO = 12.0

# A title counts as this long at most, in words.
MAX_TITLE_WORDS = 12

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

# The onset model also gets the log-odds that any topic starts at a unit, alone and times the overlap of words.
_ONSET_NAMES = (*_OVERLAP_NAMES, "boundary", "boundary_text", *_TIME_NAMES)
FEATURE_NAMES = (
    *("title_best", "text_best", "mass_best", "id_best", "phrase_best", "title_idf", "unspoken"),
    *("title_words", "described", "numbered"),
)
SEMANTIC_FEATURE_NAMES = ("mean_best", "mean_best_title", "mean_lead", "late_best_title", "late_best_text")


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of the columns of `Evidence.pairs`, `.boundaries` and `.features`, and of the onset model's inputs."""

    pairs: tuple[str, ...]
    onset: tuple[str, ...]
    boundaries: tuple[str, ...]
    features: tuple[str, ...]


LEXICAL_COLUMNS = Columns(PAIR_NAMES, _ONSET_NAMES, BOUNDARY_NAMES, FEATURE_NAMES)
SEMANTIC_COLUMNS = Columns(
    PAIR_NAMES + SEMANTIC_NAMES + LATE_INTERACTION_NAMES,
    _ONSET_NAMES + SEMANTIC_NAMES + LATE_INTERACTION_NAMES,
    BOUNDARY_NAMES + SEMANTIC_BOUNDARY_NAMES,
    FEATURE_NAMES + SEMANTIC_FEATURE_NAMES,
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """All measurements of one episode.

    Attributes:
        starts: (units) The starts of the units, in seconds.
        pairs: (features, units, columns) How well the speech around each unit fits each feature.
        boundaries: (units, columns) Whether any topic starts at a unit.
        features: (features, columns) Whether a feature is discussed at all.
        passages: (features, units) The log-likelihood ratio of a unit's words being about a feature.
        similarities: (features, units) The cosine of speech and feature above the feature's usual one; None without
            sentence vectors, as are the two below.
        names: The names of all columns.
        unit_vectors: (units, VECTOR_SIZE) The vector of each unit's sentence.
        feature_vectors: (features, VECTOR_SIZE) The vector of each feature's text.
        overview_end: The second until which hosts announce topics; None where the episode has no overview.
    """

    starts: Vector
    pairs: HalfMatrix
    boundaries: Matrix
    features: Matrix
    passages: Matrix
    similarities: Matrix | None
    names: Columns
    unit_vectors: Matrix | None = None
    feature_vectors: Matrix | None = None
    overview_end: float | None = None
    expected: float | None = None

    @property
    def pace_s(self) -> float:
        """Seconds of speech for each feature that is expected to be discussed."""
        return seconds_per_feature(self.starts, self.expected or len(self.pairs))


def measure_evidence(
    units: Sequence[Unit],
    features: Sequence[Feature],
    mentions: Sequence[Mention],
    language: str | None = None,
    vectors: EpisodeVectors | None = None,
    expected: float | None = None,
) -> Evidence:
    """Return the evidence of one episode; `units` must not be empty, and `vectors` is None without an encoder.

    `expected` is the number of features that are expected to be discussed, all of them if None.

    All windows are in scaled seconds (`units.time_scale`); the `starts` of the evidence are in real ones.
    """
    real_starts, overview_end = np.array([unit.start for unit in units]), find_overview_end(units)
    factor = time_scale(seconds_per_feature(real_starts, expected or len(features)))
    units, mentions = scale_times(units, factor), scale_times(mentions, factor)
    names = LEXICAL_COLUMNS if vectors is None else SEMANTIC_COLUMNS
    code = language_code(language)
    starts = np.array([unit.start for unit in units])
    terms = [extract_terms(unit.text, code) for unit in units]
    index = build_term_index(starts, terms, features, code)
    # Half precision suffices for shares and cosines, and this is by far the largest table.
    pairs = np.zeros((len(features), len(units), len(names.pairs)), dtype=np.float16)
    column = {name: pairs[:, :, number] for number, name in enumerate(names.pairs)}
    rows = {feature.position: row for row, feature in enumerate(features)}
    _fill_lexical_columns(column, index, starts, mentions, rows)
    boundaries, feature_rows = measure_boundaries(units, terms), _measure_features(column, index, features)
    passages = _measure_passages(index, starts, mentions, rows)
    if vectors is None:
        return Evidence(
            real_starts, pairs, boundaries, feature_rows, passages, None, names, None, None, overview_end, expected
        )
    semantic = measure_similarity(units, vectors, column)
    measure_interaction(starts, vectors.spoken_words, vectors.title_words, vectors.text_words, column)
    return Evidence(
        starts=real_starts,
        pairs=pairs,
        boundaries=np.concatenate([boundaries, semantic.boundaries], axis=1),
        features=np.column_stack([feature_rows, _measure_similar_features(column)]),
        passages=passages,
        similarities=semantic.similarities,
        names=names,
        unit_vectors=semantic.unit_vectors,
        feature_vectors=semantic.feature_vectors,
        overview_end=overview_end,
        expected=expected,
    )


def collect_onset_inputs(evidence: Evidence, row: int, boundaries: Matrix) -> Matrix:
    """Return (units, columns): the inputs of the onset model for the feature of a row, named in `names.onset`.

    `boundaries` (units) are the log-odds that any topic starts at a unit.
    """
    pairs, names = evidence.pairs[row], evidence.names
    at = names.onset.index("boundary")
    inputs = np.empty((len(pairs), len(names.onset)), dtype=np.float16)
    inputs[:, :at] = pairs[:, :at]
    inputs[:, at] = boundaries
    inputs[:, at + 1] = boundaries * pairs[:, names.pairs.index("text_after_40")]
    inputs[:, at + 2 :] = pairs[:, at:]
    return inputs.astype(np.float32)


def _fill_lexical_columns(
    column: Mapping[str, HalfMatrix],
    index: TermIndex,
    starts: Vector,
    mentions: Sequence[Mention],
    rows: Mapping[int, int],
) -> None:
    """Fill the columns PAIR_NAMES (features, units); `rows` are those of the features, by position."""
    _fill_overlaps(column, index)
    _fill_mentions(column, starts, mentions, rows)
    _fill_comparisons(column)
    column["intro"][:] = np.exp(-(starts - starts[0]) / EDGE_DECAY_S)
    column["outro"][:] = np.exp(-(starts[-1] - starts) / EDGE_DECAY_S)


def _fill_overlaps(column: Mapping[str, HalfMatrix], index: TermIndex) -> None:
    """Fill the columns on the words of titles and texts that are spoken after and before every unit."""
    size = index.seconds_until.shape[1]
    for begin in range(0, size, BLOCK_UNITS):
        block = slice(begin, min(size, begin + BLOCK_UNITS))
        part = {name: values[:, block] for name, values in column.items()}
        _fill_block(part, index, index.seconds_until[:, block], index.seconds_since[:, block])
    for name in ("title_unit", "text_unit"):
        column[name][:] = _take_following_best(column[name])
    column["title_contrast"][:] = column["title_after_40"] - column["title_before_40"]
    column["text_contrast"][:] = column["text_after_40"] - column["text_before_40"]
    column["text_contrast_long"][:] = column["text_after_120"] - column["text_before_120"]
    column["text_mass_contrast"][:] += column["text_mass"]


def _fill_block(column: Mapping[str, HalfMatrix], index: TermIndex, until: HalfMatrix, since: HalfMatrix) -> None:
    """Fill the same columns for a block of units; `until` and `since` (terms, units) are those of the block."""
    title, text = shrink_rows(index.title_weights), shrink_rows(index.text_weights)
    for seconds in AFTER_S:
        spoken = (until <= seconds).astype(np.float32)
        column[f"title_after_{seconds:.0f}"][:] = title @ spoken
        column[f"text_after_{seconds:.0f}"][:] = text @ spoken
        if seconds == TEXT_MASS_S:
            column["text_mass"][:] = np.log1p(index.text_weights @ spoken)
    for seconds in BEFORE_S:
        spoken = (since <= seconds).astype(np.float32)
        column[f"title_before_{seconds:.0f}"][:] = title @ spoken
        column[f"text_before_{seconds:.0f}"][:] = text @ spoken
        if seconds == TEXT_MASS_S:
            column["text_mass_contrast"][:] = -np.log1p(index.text_weights @ spoken)
    new = since > FRESH_S
    column["title_fresh"][:] = title @ ((until <= FRESH_TITLE_S) & new).astype(np.float32)
    column["text_fresh"][:] = text @ ((until <= FRESH_TEXT_S) & new).astype(np.float32)
    now = (until <= 0.0).astype(np.float32)
    column["title_unit"][:] = title @ now
    column["text_unit"][:] = text @ now
    column["title_mass"][:] = np.log1p(index.title_weights @ (until <= TITLE_MASS_S).astype(np.float32))


def _take_following_best(values: HalfMatrix) -> HalfMatrix:
    """Return the largest value of each unit and the LOOK_AHEAD_UNITS units after it."""
    best = values.copy()
    for step in range(1, LOOK_AHEAD_UNITS + 1):
        np.maximum(best[:, :-step], values[:, step:], out=best[:, :-step])
    return best


def _fill_mentions(
    column: Mapping[str, HalfMatrix], starts: Vector, mentions: Sequence[Mention], rows: Mapping[int, int]
) -> None:
    """Fill the columns on ids and phrases with the best score of a mention in each window around a unit's start."""
    for mention in mentions:
        row = rows[mention.position]
        gap = mention.start - starts
        windows = ID_WINDOWS if mention.method is Method.SPOKEN_ID else PHRASE_WINDOWS
        for name, (begin, stop) in windows.items():
            inside = (gap >= begin) & (gap <= stop)
            values = column[name]
            values[row, inside] = np.maximum(values[row, inside], np.float32(mention.score))


def _fill_comparisons(column: Mapping[str, HalfMatrix]) -> None:
    """Fill the columns that compare a value with the same feature elsewhere and with other features at the unit."""
    for source, peak, share in (
        ("title_after_15", "title_peak", "title_share"),
        ("text_after_40", "text_peak", "text_share"),
        ("text_after_120", "text_peak_long", "text_share_long"),
    ):
        values = column[source].astype(np.float32)
        column[peak][:] = drop_from_peak(values)
        column[share][:] = feature_shares(values)
    column["share_before"][:] = feature_shares(column["text_before_40"].astype(np.float32))
    column["mass_peak"][:] = drop_from_peak(column["text_mass"])


def _measure_features(column: Mapping[str, HalfMatrix], index: TermIndex, features: Sequence[Feature]) -> Matrix:
    """Return (features, len(FEATURE_NAMES)): evidence that a feature is discussed at all."""
    title_sums = index.title_weights.sum(axis=1)
    values = {
        "title_best": column["title_after_15"].max(axis=1),
        "text_best": column["text_after_120"].max(axis=1),
        "mass_best": column["text_mass"].max(axis=1),
        "id_best": column["id_now"].max(axis=1),
        "phrase_best": column["phrase_after"].max(axis=1),
        "title_idf": np.log1p(title_sums),
        "unspoken": (index.title_weights * ~index.is_spoken).sum(axis=1) / (title_sums + np.float32(0.1)),
        # The kind of list: headlines, bare sentences, entries with descriptions and ids.
        "title_words": [min(len(feature.title.split()), MAX_TITLE_WORDS) / MAX_TITLE_WORDS for feature in features],
        "described": [bool(feature.description) for feature in features],
        "numbered": [feature.feature_id is not None for feature in features],
    }
    return np.column_stack([np.asarray(values[name], dtype=np.float32) for name in FEATURE_NAMES])


def _measure_similar_features(column: Mapping[str, HalfMatrix]) -> Matrix:
    """Return (features, len(SEMANTIC_FEATURE_NAMES)): the largest similarity of any speech to each feature."""
    long, short = (column[name].astype(np.float32) for name in ("mean_text_after_20", "mean_title_after_8"))
    best = long.max(axis=1)
    lead = (best - long.mean(axis=1)) / (long.std(axis=1) + 1e-3)
    late = [column[name].max(axis=1).astype(np.float32) for name in ("late_title_15", "late_text_40")]
    return np.column_stack([best, short.max(axis=1), lead, *late])


def _measure_passages(index: TermIndex, starts: Vector, mentions: Sequence[Mention], rows: Mapping[int, int]) -> Matrix:
    """Return (features, units): the log-likelihood ratio of a unit's words being about a feature."""
    counts = np.ones(index.text_weights.shape[1])
    for terms in index.unit_terms:
        for number in terms:
            counts[number] += 1
    background = counts / max(counts.sum(), 1.0)
    word_ratios = np.log1p(OWN_WORD_SHARE * shrink_rows(index.text_weights) / background)
    word_ratios = np.minimum(word_ratios, MAX_WORD_RATIO).astype(np.float32)
    passages = np.zeros((len(word_ratios), len(starts)), dtype=np.float32)
    for unit, terms in enumerate(index.unit_terms):
        if terms:
            passages[:, unit] = word_ratios[:, list(terms)].sum(axis=1)
    np.minimum(passages, np.float32(MAX_UNIT_RATIO), out=passages)
    for mention in mentions:
        if mention.method is Method.SPOKEN_ID:
            unit = max(0, int(np.searchsorted(starts, mention.start + 0.01, side="right")) - 1)
            passages[rows[mention.position], unit] += np.float32(ID_RATIO * mention.score)
    return passages
