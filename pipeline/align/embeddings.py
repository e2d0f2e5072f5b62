"""Encode the sentences of a transcript and the entries of a list as vectors that can be compared."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.align.encoder import Encoder, Encoding
from pipeline.align.late_interaction import WordVectors, center
from pipeline.align.lexical import HalfMatrix, Matrix
from pipeline.align.semantic import EpisodeVectors
from pipeline.align.units import Unit
from pipeline.core.language import load_stopwords
from pipeline.core.schema import Feature

# Longest sentence, in words; without it, speech transcribed without full stops would be one sentence of an hour.
MAX_SENTENCE_WORDS = 40

# Features from which on the mean of their words is subtracted; the words of fewer share the very subject of the list.
MIN_CENTERED_FEATURES = 5

# Resolution at which the components of word vectors are stored as 8-bit integers; it moves a cosine by about 0.002.
_STEP = 1.0 / 127.0

# Words rounded at a time; bounds the memory of long episodes.
_BLOCK_WORDS = 4096


@dataclass(frozen=True, slots=True)
class TranscriptVectors:
    """The vectors of a transcript's sentences and content words.

    Attributes:
        sentences: (sentences, VECTOR_SIZE) The vectors of sentences, of length one.
        words: (words, VECTOR_SIZE) The vectors of content words less `word_mean`, of length one, in steps of 1/127.
        word_spans: (words, 3) The sentence of each word, its first character there and the one after its last.
        word_mean: (VECTOR_SIZE) The mean vector of the content words.
        encoder: The name of the encoder that made the vectors.
    """

    sentences: HalfMatrix
    words: NDArray[np.int8]
    word_spans: NDArray[np.int32]
    word_mean: Matrix
    encoder: str


def group_sentences(units: Sequence[Unit]) -> NDArray[np.int64]:
    """Return (units): the number of the sentence that each unit is part of, from 0."""
    numbers = np.zeros(len(units), dtype=np.int64)
    number, words = -1, MAX_SENTENCE_WORDS
    for index, unit in enumerate(units):
        count = len(unit.text.split())
        if unit.starts_sentence or words + count > MAX_SENTENCE_WORDS:
            number, words = number + 1, 0
        numbers[index] = number
        words += count
    return numbers


def list_sentences(units: Sequence[Unit]) -> list[str]:
    """Return the texts of the sentences that the units make up, in order of time."""
    texts: list[list[str]] = []
    for unit, number in zip(units, group_sentences(units).tolist(), strict=True):
        if number == len(texts):
            texts.append([])
        texts[number].append(unit.text)
    return [" ".join(parts) for parts in texts]


def encode_units(units: Sequence[Unit], encoder: Encoder) -> TranscriptVectors:
    """Return the vectors of the sentences that the units make up, and of their content words."""
    texts = list_sentences(units)
    encoding = encoder.encode(texts)
    content = content_words(encoding, texts)
    words = encoding.words[content]
    mean = words.mean(axis=0, dtype=np.float32) if len(words) else np.zeros(words.shape[1], dtype=np.float32)
    steps = np.empty(words.shape, dtype=np.int8)
    for begin in range(0, len(words), _BLOCK_WORDS):
        block = slice(begin, begin + _BLOCK_WORDS)
        steps[block] = np.rint(center(words[block], mean) * np.float32(1.0 / _STEP))
    # Half precision moves a cosine by less than 0.001 and halves the file.
    return TranscriptVectors(encoding.texts.astype(np.float16), steps, encoding.word_spans[content], mean, encoder.name)


def embed_episode(
    units: Sequence[Unit], features: Sequence[Feature], vectors: TranscriptVectors, encoder: Encoder
) -> EpisodeVectors:
    """Return the vectors of units, from those of the transcript, and of features, which are encoded now.

    Raises ValueError where `encoder` is not the one that made `vectors`: vectors of two encoders cannot be compared.
    """
    if vectors.encoder != encoder.name:
        raise ValueError(f"the vectors are of the encoder {vectors.encoder!r}, not of {encoder.name!r}")
    titles = [feature.title for feature in features]
    texts = [
        f"{feature.title}. {feature.description}" if feature.description else feature.title for feature in features
    ]
    listed = [*titles, *texts]
    encoding = encoder.encode(listed)
    content = content_words(encoding, listed)
    spans, words = encoding.word_spans[content], encoding.words[content]
    is_centered = len(features) >= MIN_CENTERED_FEATURES and len(words) > 0
    mean = words.mean(axis=0, dtype=np.float32) if is_centered else vectors.word_mean
    owned = WordVectors(center(words, mean), spans[:, 0].astype(np.int64), tuple(_read_words(spans, listed)))
    return EpisodeVectors(
        sentences=vectors.sentences[group_sentences(units)].astype(np.float32),
        titles=encoding.texts[: len(titles)],
        texts=encoding.texts[len(titles) :],
        spoken_words=_assign_words(units, vectors),
        title_words=_select_owners(owned, 0, len(titles)),
        text_words=_select_owners(owned, len(titles), len(listed)),
    )


def select_features(vectors: EpisodeVectors, rows: NDArray[np.int64]) -> EpisodeVectors:
    """Return the vectors of the speech and of some features, whose `rows` rise."""
    return replace(
        vectors,
        titles=vectors.titles[rows],
        texts=vectors.texts[rows],
        title_words=_keep_owners(vectors.title_words, rows),
        text_words=_keep_owners(vectors.text_words, rows),
    )


def _keep_owners(words: WordVectors, owners: NDArray[np.int64]) -> WordVectors:
    """Return the words of some owners, numbered by their place in `owners`."""
    kept = np.flatnonzero(np.isin(words.owners, owners))
    return WordVectors(
        words.vectors[kept],
        np.searchsorted(owners, words.owners[kept]).astype(np.int64),
        tuple(words.texts[index] for index in kept),
    )


def content_words(encoding: Encoding, texts: Sequence[str]) -> NDArray[np.int64]:
    """Return the indices of the words that are neither stop words nor single characters."""
    stopwords = load_stopwords("en")
    words = _read_words(encoding.word_spans, texts)
    return np.array([row for row, word in enumerate(words) if len(word) > 1 and word not in stopwords], dtype=np.int64)


def _read_words(spans: NDArray[np.int32], texts: Sequence[str]) -> list[str]:
    """Return the words at the given spans of texts, in lower case."""
    return [texts[text][begin:stop].lower() for text, begin, stop in spans.tolist()]


def _select_owners(words: WordVectors, begin: int, stop: int) -> WordVectors:
    """Return the words of the owners from `begin` to before `stop`, with owners counted from `begin`."""
    inside = np.flatnonzero((words.owners >= begin) & (words.owners < stop))
    texts = tuple(words.texts[index] for index in inside)
    return WordVectors(words.vectors[inside], words.owners[inside] - begin, texts)


def _assign_words(units: Sequence[Unit], vectors: TranscriptVectors) -> WordVectors:
    """Return the spoken words, each owned by its unit."""
    sentences = group_sentences(units)
    # The texts of all units, each with the blank after it, follow each other; positions are characters in this text.
    begins = np.concatenate([[0], np.cumsum([len(unit.text) + 1 for unit in units], dtype=np.int64)])
    sentence_begins = begins[np.searchsorted(sentences, np.arange(sentences[-1] + 1 if len(sentences) else 0))]
    spans = vectors.word_spans
    owners = np.searchsorted(begins, sentence_begins[spans[:, 0]] + spans[:, 1], side="right") - 1
    texts = tuple(_read_words(spans, list_sentences(units)))
    return WordVectors(vectors.words.astype(np.float16) * np.float16(_STEP), owners.astype(np.int64), texts)
