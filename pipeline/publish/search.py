"""Search the whole catalog: words with typos, plural and tense forgiven, ids and versions exact; no server, no index.

Arrow cuts all texts into words at once; only the different words are compared with the question, so 20,000 rows take a
fraction of a second.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.core.language import load_stemmer

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


# What a word found in a column is worth.
FIELDS = {"title": 3.0, "description": 1.5, "quote": 1.0, "version": 3.0, "episode_title": 0.5}

# How many letters may be wrong, missing, added or swapped in a word of this length or more.
SLIPS = ((8, 2), (4, 1), (0, 0))
_WORD = re.compile(r"\d+(?:\.\d+)+|[^\W_]+")
_EXACT = re.compile(r"#?\d{3,}|[vV]?\d+(?:\.\d+)+")


@dataclass(frozen=True, slots=True)
class Hit:
    """A row that answers a question, and how well beside the other rows; `row` holds the catalog's columns."""

    row: dict[str, Any]
    score: float


def search_catalog(
    table: "pa.Table",
    words: Sequence[str] = (),
    *,
    version: str | None = None,
    feature_id: int | None = None,
    episode: str | None = None,
    limit: int = 20,
) -> list[Hit]:
    """Return the best rows, best first; every word must be found somewhere in a row.

    `version` (with or without its v), `feature_id` and `episode` (an id) narrow the rows down; without words all that
    are left answer alike.
    """
    import numpy as np
    from pyarrow import compute

    # Nobody misspells an id a little: one that is near is another feature.
    exact = [word for word in words if _EXACT.fullmatch(word)]
    question = [word for word in words if not _EXACT.fullmatch(word)]
    mask = np.ones(table.num_rows, dtype=bool)
    if version is not None:
        mask &= _has_version(table, version)
    if episode is not None:
        mask &= _to_mask(compute.equal(table["episode_id"], episode))
    if feature_id is not None:
        mask &= _to_mask(compute.equal(table["feature_id"], feature_id))
    for word in exact:
        mask &= _has_number(table, word)
    scores = _score(table, question) if question else mask.astype(float)
    scores = np.where(mask, scores, 0.0)
    found = np.flatnonzero(scores > 0)
    # Equal scores keep the order of the catalog, so that the same question has the same answer.
    best = found[np.lexsort((found, -scores[found]))][:limit]
    rows = table.take(best).to_pylist()
    return [Hit(row, float(scores[index])) for row, index in zip(rows, best, strict=True)]


def _has_version(table: "pa.Table", version: str) -> "NDArray[np.bool_]":
    from pyarrow import compute

    plain = compute.utf8_ltrim(compute.utf8_lower(table["version"]), characters="v ")
    return _to_mask(compute.equal(plain, version.lower().lstrip("v ")))


def _has_number(table: "pa.Table", word: str) -> "NDArray[np.bool_]":
    """Rows with an id or a version, or with that very number in their text: #979667, v2.204, 365."""
    from pyarrow import compute

    digits = word.lstrip("#vV")
    found = _has_version(table, word)
    # More digits are no int64, and no id.
    if digits.isdigit() and len(digits) < 19:
        found |= _to_mask(compute.equal(table["feature_id"], int(digits)))
    if not word.startswith("#"):
        pattern = rf"(?:^|[^\d.]){re.escape(digits)}(?:$|[^\d.]|\.(?:\D|$))"
        for name in ("title", "description"):
            found |= _to_mask(compute.match_substring_regex(table[name], pattern))
    return found


def _score(table: "pa.Table", question: Sequence[str]) -> "NDArray[np.float64]":
    """How well each row answers, 0 where a word of the question is missing from it."""
    import numpy as np

    wanted = [word for text in question for word in _cut_words(text)]
    total, complete = np.zeros(table.num_rows), np.ones(table.num_rows, dtype=bool)
    found = np.zeros((len(wanted), table.num_rows))
    for name, worth in FIELDS.items():
        rows, codes, vocabulary = _index(table[name])
        for number, word in enumerate(wanted):
            likeness = _compare_all(word, vocabulary)[codes]
            # Few words answer; the others need not be looked at one by one.
            hits = np.flatnonzero(likeness)
            np.maximum.at(found[number], rows[hits], worth * likeness[hits])
    for number in range(len(wanted)):
        # As in tf-idf: a word that every row has tells none from the others.
        rare = math.log(1 + table.num_rows / (1 + np.count_nonzero(found[number])))
        total += found[number] * (0.2 + rare)
        complete &= found[number] > 0
    return np.where(complete, total, 0.0)


def _index(column: "pa.ChunkedArray") -> "tuple[NDArray[np.int64], NDArray[np.int64], list[str]]":
    """Each word's row and number in the vocabulary, and the vocabulary: words as written, but in small letters."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import compute

    lower = compute.utf8_lower(compute.fill_null(column, ""))
    lists = compute.utf8_split_whitespace(lower).combine_chunks()
    lengths = np.asarray(compute.list_value_length(lists))
    words = lists.flatten().dictionary_encode()
    if isinstance(words, pa.ChunkedArray):
        words = words.combine_chunks()
    return np.repeat(np.arange(len(lengths)), lengths), np.asarray(words.indices), words.dictionary.to_pylist()


def _compare_all(word: str, vocabulary: Sequence[str]) -> "NDArray[np.float64]":
    """How well each word as written ("self-checkout,") answers one of the question: as well as its best part."""
    import numpy as np

    parts = [(number, part) for number, written in enumerate(vocabulary) for part in _cut_words(written)]
    likeness = np.zeros(len(vocabulary))
    if parts:
        known = {part: number for number, part in enumerate(dict.fromkeys(part for _, part in parts))}
        rated = _compare(word, list(known))
        owners = np.array([number for number, _ in parts])
        np.maximum.at(likeness, owners, rated[[known[part] for _, part in parts]])
    return likeness


def _compare(word: str, vocabulary: Sequence[str]) -> "NDArray[np.float64]":
    """How well each word of the vocabulary answers a word of the question, 0 to 1."""
    import numpy as np
    from rapidfuzz import process
    from rapidfuzz.distance import OSA, Prefix

    likeness = np.zeros(len(vocabulary))
    stem_of = load_stemmer("en")
    stem = stem_of(word)
    # A number with another digit is another number.
    slips = 0 if any(c.isdigit() for c in word) else next(most for size, most in SLIPS if len(word) >= size)
    if slips:
        distances = process.cdist([word], vocabulary, scorer=OSA.distance, score_cutoff=slips)[0]
        likeness = np.where(distances <= slips, 0.7 * (1 - distances / len(word)), 0.0)
    begins = process.cdist([stem], vocabulary, scorer=Prefix.similarity)[0] >= len(stem)
    for number in np.flatnonzero(begins).tolist():
        other = vocabulary[number]
        if other == word:
            likeness[number] = 1.0
        elif stem_of(other) == stem:
            likeness[number] = 0.95
        elif len(stem) >= 3:
            likeness[number] = max(likeness[number], 0.8)
    return likeness


def _cut_words(text: str) -> list[str]:
    """The words of a text in small letters; a version such as 2.204 is one word."""
    return _WORD.findall(text.lower())


def _to_mask(values: "pa.ChunkedArray") -> "NDArray[np.bool_]":
    import numpy as np
    from pyarrow import compute

    return np.asarray(compute.fill_null(values, False).combine_chunks().to_numpy(zero_copy_only=False), dtype=bool)
