"""Encode the sentences of a transcript and the entries of a list as vectors that can be compared."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.align.encoder import Encoder, Encoding
from pipeline.align.late_interaction import FEW, WordVectors, centre
from pipeline.align.semantic import EpisodeVectors
from pipeline.align.units import Unit
from pipeline.core.language import load_stopwords
from pipeline.core.schema import Feature

# Longest sentence, in words; without it, speech transcribed without full stops would be one sentence of an hour.
MAX_SENTENCE_WORDS = 40

# Resolution at which the components of a unit vector are stored as 8-bit integers; it moves a cosine by about 0.002.
_STEP = 1.0 / 127.0

# Words rounded at a time; bounds the memory of long episodes.
_BLOCK_WORDS = 4096


@dataclass(frozen=True, slots=True)
class TranscriptVectors:
    """The vectors of a transcript's sentences and content words.

    `sentences` (sentences, 384) have length one. `words` (words, 384) are those of content words less their mean
    `word_mean` (384), of length one, in steps of 1/127. `word_spans` (words, 3) gives the sentence of each word, its
    first character there and the one after its last. `encoder` names the encoder that made them.
    """

    sentences: NDArray[np.float16]
    words: NDArray[np.int8]
    word_spans: NDArray[np.int32]
    word_mean: NDArray[np.float32]
    encoder: str


def group_sentences(units: Sequence[Unit]) -> NDArray[np.int64]:
    """Return (units): the number of the sentence that each unit is part of, from 0."""
    numbers = np.zeros(len(units), dtype=np.int64)
    number, words = -1, MAX_SENTENCE_WORDS
    for index, unit in enumerate(units):
        more = len(unit.text.split())
        if unit.starts_sentence or words + more > MAX_SENTENCE_WORDS:
            number, words = number + 1, 0
        numbers[index] = number
        words += more
    return numbers


def list_sentences(units: Sequence[Unit]) -> list[str]:
    """Return the texts of the sentences, in order of time."""
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
        part = slice(begin, begin + _BLOCK_WORDS)
        steps[part] = np.rint(centre(words[part], mean) * np.float32(1.0 / _STEP))
    # Half precision moves a cosine by less than a thousandth, and halves the file.
    return TranscriptVectors(encoding.texts.astype(np.float16), steps, encoding.word_spans[content], mean, encoder.name)


def content_words(encoding: Encoding, texts: Sequence[str]) -> NDArray[np.int64]:
    """Return which words say something of their own."""
    common = load_stopwords("en")
    words = _read_words(encoding.word_spans, texts)
    return np.array([row for row, word in enumerate(words) if len(word) > 1 and word not in common], dtype=np.int64)


def _read_words(places: NDArray[np.int32], texts: Sequence[str]) -> list[str]:
    """Return the words that stand at the given places, in lower case."""
    return [texts[text][begin:stop].lower() for text, begin, stop in places.tolist()]


def embed_episode(
    units: Sequence[Unit], features: Sequence[Feature], vectors: TranscriptVectors, encoder: Encoder
) -> EpisodeVectors:
    """Return the vectors of units and features; `vectors` are those of the transcript.

    Raises ValueError where `encoder` is not the one that made `vectors`: vectors of two encoders cannot be compared.
    """
    if vectors.encoder != encoder.name:
        raise ValueError(f"the vectors are of the encoder {vectors.encoder!r}, not of {encoder.name!r}")
    titles = [feature.title for feature in features]
    texts = [f"{one.title}. {one.description}" if one.description else one.title for one in features]
    listed = encoder.encode([*titles, *texts])
    content = content_words(listed, [*titles, *texts])
    places, words = listed.word_spans[content], listed.words[content]
    # Fewer features share their very subject, which must not be taken out.
    mean = words.mean(axis=0, dtype=np.float32) if len(features) >= FEW and len(words) else vectors.word_mean
    owned = WordVectors(
        centre(words, mean), places[:, 0].astype(np.int64), tuple(_read_words(places, [*titles, *texts]))
    )
    return EpisodeVectors(
        units=vectors.sentences[group_sentences(units)].astype(np.float32),
        titles=listed.texts[: len(titles)],
        texts=listed.texts[len(titles) :],
        spoken=_place_words(units, vectors),
        title_words=_pick_owners(owned, 0, len(titles)),
        text_words=_pick_owners(owned, len(titles), 2 * len(titles)),
    )


def _pick_owners(words: WordVectors, begin: int, stop: int) -> WordVectors:
    """Return the words of some owners, which are counted from `begin`."""
    inside = np.flatnonzero((words.owners >= begin) & (words.owners < stop))
    return WordVectors(
        words.vectors[inside], words.owners[inside] - begin, tuple(words.texts[index] for index in inside)
    )


def _place_words(units: Sequence[Unit], vectors: TranscriptVectors) -> WordVectors:
    """Return the words of a talk by the unit that each is said in."""
    groups = group_sentences(units)
    lengths = np.array([len(unit.text) + 1 for unit in units], dtype=np.int64)
    # Where each unit begins, in characters of all sentences one after the other.
    begins = np.concatenate([[0], np.cumsum(lengths)])
    openings = begins[np.searchsorted(groups, np.arange(groups[-1] + 1 if len(groups) else 0))]
    places = vectors.word_spans
    owners = np.searchsorted(begins, openings[places[:, 0]] + places[:, 1], side="right") - 1
    texts = tuple(_read_words(places, list_sentences(units)))
    return WordVectors(vectors.words.astype(np.float16) * np.float16(_STEP), owners.astype(np.int64), texts)
