"""Full-text search over the whole catalog, without a server or an index.

Words match with typos and in other inflections; ids and versions match exactly. Arrow splits all texts into words at
once, and only the distinct words are compared with the query, so that 20,000 rows take a fraction of a second. The
search page (web/site/matching.js) ranks in the browser, while a person types: it has no stemmer there, and matches the
beginnings of words instead.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.core.language import load_stemmer
from pipeline.core.text import normalize_version

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

# The weight of a query word in each column.
FIELD_WEIGHTS = {"title": 3.0, "description": 1.5, "quote": 1.0, "version": 3.0, "episode_title": 0.5}

# Most letters that may be wrong, missing, added or swapped in a query word, by its least number of letters.
MAX_EDITS = ((8, 2), (4, 1), (0, 0))

# Similarity of a word that has the stem of the query word, 1 being the word itself.
SAME_STEM = 0.95

# Similarity of a word that begins with the stem of the query word.
SAME_PREFIX = 0.8

# The least number of letters of a stem that is matched as a prefix.
SHORTEST_PREFIX = 3

# Similarity of a word with edits, before the share of edited letters is subtracted.
EDITED = 0.7

# Added to the inverse document frequency of a query word, so that a word of every row still counts.
LEAST_FREQUENCY_WEIGHT = 0.2

# Ids of more digits do not fit into int64, and are not ids.
LONGEST_ID = 18

# Scripts that put no blanks between words, or particles behind them: Han, Kana, Thai, Hangul.
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff]")

# C++ and C# are words of their own.
_WORD = re.compile(r"\d+(?:\.\d+)+|[^\W_]+(?:\+\+|#)?")
_ID_OR_VERSION = re.compile(r"#?\d{3,}|[vV]?\d+(?:\.\d+)+")


@dataclass(frozen=True, slots=True)
class Hit:
    """A row that matches a query: `row` holds the catalog's columns; scores compare the rows of one query."""

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
    """Return the best rows, best first; every word must match somewhere in a row.

    `version` (with or without its v), `feature_id` and `episode` (an id) are filters. Without words, all rows that pass
    them have the same score.
    """
    import numpy as np

    # Ids and versions match exactly: a similar number is another feature.
    numbers = [word for word in words if _ID_OR_VERSION.fullmatch(word)]
    texts = [word for word in words if not _ID_OR_VERSION.fullmatch(word)]
    passing = np.ones(table.num_rows, dtype=bool)
    if version is not None:
        passing &= _has_version(table, version)
    if episode is not None:
        passing &= _mask_rows(table["episode_id"], lambda value: value == episode)
    if feature_id is not None:
        passing &= _mask_rows(table["feature_id"], lambda value: value == feature_id)
    for number in numbers:
        passing &= _has_number(table, number)
    scores = np.where(passing, _score_rows(table, texts) if texts else 1.0, 0.0)
    rows = np.flatnonzero(scores > 0)
    # Rows of equal score keep the order of the catalog, so that a query has the same result each time.
    best = rows[np.lexsort((rows, -scores[rows]))][:limit].tolist()
    return [Hit(table.slice(row, 1).to_pylist()[0], float(scores[row])) for row in best]


def _mask_rows(column: "pa.ChunkedArray", matches: Callable[[Any], bool]) -> "NDArray[np.bool_]":
    """Return which cells match; in Python, since Arrow imports pandas (0.3 s) to compare with a Python value."""
    import numpy as np

    return np.array([matches(value) for value in column.to_pylist()], dtype=bool)


def _has_version(table: "pa.Table", version: str) -> "NDArray[np.bool_]":
    wanted = normalize_version(version)
    return _mask_rows(table["version"], lambda value: value is not None and normalize_version(value) == wanted)


def _has_number(table: "pa.Table", word: str) -> "NDArray[np.bool_]":
    """Return which rows have an id or a version, or that very number in their text: #979667, v2.204, 365."""
    digits = word.lstrip("#vV")
    passing = _has_version(table, word)
    if digits.isdigit() and len(digits) <= LONGEST_ID:
        passing |= _mask_rows(table["feature_id"], lambda value: value == int(digits))
    if not word.startswith("#"):
        number = re.compile(rf"(?:^|[^\d.]){re.escape(digits)}(?:$|[^\d.]|\.(?:\D|$))")
        for name in ("title", "description"):
            passing |= _mask_rows(table[name], lambda value: number.search(value) is not None)
    return passing


def _score_rows(table: "pa.Table", texts: Sequence[str]) -> "NDArray[np.float64]":
    """Return each row's score for the words in `texts`, 0 where one of them does not match."""
    import numpy as np

    query = [word for text in texts for word in _split_words(text)]
    matches = np.zeros((len(query), table.num_rows))
    for name, weight in FIELD_WEIGHTS.items():
        rows, codes, vocabulary = _index_words(table[name])
        for number, word in enumerate(query):
            similarity = _rate_vocabulary(word, vocabulary)[codes]
            # Few words match; the others need no further work.
            hits = np.flatnonzero(similarity)
            np.maximum.at(matches[number], rows[hits], weight * similarity[hits])
    scores = np.zeros(table.num_rows)
    for match in matches:
        frequency = np.count_nonzero(match)
        scores += match * (LEAST_FREQUENCY_WEIGHT + math.log(1 + table.num_rows / (1 + frequency)))
    return np.where((matches > 0).all(axis=0), scores, 0.0)


def _index_words(column: "pa.ChunkedArray") -> "tuple[NDArray[np.int64], NDArray[np.int64], list[str]]":
    """Return the row and the vocabulary number of each word of a column, and the vocabulary, in lower case.

    Words are split at white space only: "self-checkout," is a word of the vocabulary.
    """
    import numpy as np
    import pyarrow as pa
    from pyarrow import compute

    lists = compute.utf8_split_whitespace(compute.utf8_lower(column)).combine_chunks()
    # A null cell has a list without words.
    lengths = np.diff(_to_integers(lists.offsets))
    words = lists.flatten().dictionary_encode()
    if isinstance(words, pa.ChunkedArray):
        words = words.combine_chunks()
    return np.repeat(np.arange(len(lengths)), lengths), _to_integers(words.indices), words.dictionary.to_pylist()


def _to_integers(array: "pa.Array") -> "NDArray[np.int64]":
    """Return an Arrow array of 32-bit integers; Arrow's own conversion imports pandas first (0.3 s)."""
    import numpy as np

    values = array.buffers()[1]
    integers = np.frombuffer(values, np.int32) if values else np.zeros(0, np.int32)
    return integers[array.offset : array.offset + len(array)].astype(np.int64)


def _rate_vocabulary(word: str, vocabulary: Sequence[str]) -> "NDArray[np.float64]":
    """Return the similarity of a query word to each word of a vocabulary ("self-checkout,"): that of its best part."""
    import numpy as np

    parts = [(number, part) for number, text in enumerate(vocabulary) for part in _split_words(text)]
    similarity = np.zeros(len(vocabulary))
    if parts:
        distinct = {part: number for number, part in enumerate(dict.fromkeys(part for _, part in parts))}
        rated = _rate_words(word, list(distinct))
        owners = np.array([number for number, _ in parts])
        np.maximum.at(similarity, owners, rated[[distinct[part] for _, part in parts]])
    return similarity


def _rate_words(word: str, others: Sequence[str]) -> "NDArray[np.float64]":
    """Return the similarity of a query word to each of other words, from 0 to 1."""
    import numpy as np
    from rapidfuzz import process
    from rapidfuzz.distance import OSA, Prefix

    similarity = np.zeros(len(others))
    stem_of = load_stemmer("en")
    stem = stem_of(word)
    # A number with another digit is another number.
    has_digit = any(character.isdigit() for character in word)
    edits = 0 if has_digit else next(most for letters, most in MAX_EDITS if len(word) >= letters)
    if edits:
        distances = process.cdist([word], others, scorer=OSA.distance, score_cutoff=edits)[0]
        similarity = np.where(distances <= edits, EDITED * (1 - distances / len(word)), 0.0)
    has_prefix = process.cdist([stem], others, scorer=Prefix.similarity)[0] >= len(stem)
    for number in np.flatnonzero(has_prefix).tolist():
        other = others[number]
        if other == word:
            similarity[number] = 1.0
        elif stem_of(other) == stem:
            similarity[number] = SAME_STEM
        elif len(stem) >= SHORTEST_PREFIX:
            similarity[number] = max(similarity[number], SAME_PREFIX)
    if _UNSPACED.match(word):
        holding = [number for number, other in enumerate(others) if word in other and other != word]
        similarity[holding] = SAME_PREFIX
    return similarity


def _split_words(text: str) -> list[str]:
    """Return the words of a text without case and accents; a version such as 2.204 is one word."""
    if text.isascii():
        return _WORD.findall(text.lower())
    # Signs that combine with the letter before them: accents, but no vowels of Indic scripts.
    letters = (letter for letter in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(letter))
    return _WORD.findall(unicodedata.normalize("NFC", "".join(letters)))
