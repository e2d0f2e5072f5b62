"""What the sentences of a transcript and their words mean, as vectors, and the file that keeps them beside it."""

import hashlib
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.align.encoder import Encoder, Encoding
from pipeline.align.late_interaction import FEW, WordVectors, centre
from pipeline.align.semantic import EpisodeVectors
from pipeline.align.units import Unit, split_units
from pipeline.core.language import load_stopwords
from pipeline.core.schema import Feature, Transcript
from pipeline.core.storage import write_bytes

# A transcriber that sets no full stops would make one sentence of an hour.
MAX_WORDS = 40
_FORMAT = 2

# The numbers of a vector of length one are kept as whole steps of this size: a cosine moves by some .002.
_STEP = 1.0 / 127.0

# Words worked on at a time: bounds the memory of long episodes.
_BLOCK = 4096


@dataclass(frozen=True, slots=True)
class TranscriptVectors:
    """The meaning of a transcript's sentences: `vectors` (sentences, 384) of length one, made by `encoder`.

    `words` (words, 384) are those of content words, of length one in steps of 1/127, once their `mean` (384) is taken
    out; `places` (words, 3) tells the sentence of each, and where in it the word begins and ends.
    """

    vectors: NDArray[np.float16]
    words: NDArray[np.int8]
    places: NDArray[np.int32]
    mean: NDArray[np.float32]
    encoder: str


@dataclass(frozen=True, slots=True)
class VectorCache:
    """A file that keeps the vectors of one transcript, so that they are made once."""

    path: Path

    def load(self, transcript: Transcript, encoder: Encoder) -> TranscriptVectors:
        """Return the vectors from the file; made anew, and kept, where it is not of this transcript and encoder."""
        units = split_units(transcript)
        key = digest_sentences(units, encoder.name)
        if (kept := read_vectors(self.path, key)) is not None:
            return kept
        made = encode_units(units, encoder)
        write_vectors(self.path, key, made)
        return made


def group_sentences(units: Sequence[Unit]) -> NDArray[np.int64]:
    """Return (units): the number of the sentence that each unit is part of, from 0."""
    numbers = np.zeros(len(units), dtype=np.int64)
    number, words = -1, MAX_WORDS
    for index, unit in enumerate(units):
        more = len(unit.text.split())
        if unit.starts_sentence or words + more > MAX_WORDS:
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
    telling = _pick_telling(encoding, texts)
    words = encoding.words[telling]
    mean = words.mean(axis=0, dtype=np.float32) if len(words) else np.zeros(words.shape[1], dtype=np.float32)
    steps = np.empty(words.shape, dtype=np.int8)
    for begin in range(0, len(words), _BLOCK):
        part = slice(begin, begin + _BLOCK)
        steps[part] = np.rint(centre(words[part], mean) * np.float32(1.0 / _STEP))
    # Half precision moves a cosine by less than a thousandth, and halves the file.
    return TranscriptVectors(encoding.texts.astype(np.float16), steps, encoding.places[telling], mean, encoder.name)


def _pick_telling(encoding: Encoding, texts: Sequence[str]) -> NDArray[np.int64]:
    """Return which words say something of their own."""
    common = load_stopwords("en")
    words = _read_words(encoding.places, texts)
    return np.array([row for row, word in enumerate(words) if len(word) > 1 and word not in common], dtype=np.int64)


def _read_words(places: NDArray[np.int32], texts: Sequence[str]) -> list[str]:
    """Return the words that stand at the given places, in lower case."""
    return [texts[text][begin:stop].lower() for text, begin, stop in places.tolist()]


def digest_sentences(units: Sequence[Unit], encoder: str) -> str:
    """Return what vectors on disk are known by: a digest of all that they were made from."""
    digest = hashlib.sha256(f"{_FORMAT}\0{encoder}\0".encode())
    for text in list_sentences(units):
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()


_FIELDS = ("vectors", "words", "places", "mean", "encoder")


def write_vectors(path: Path, key: str, vectors: TranscriptVectors) -> None:
    """Keep vectors under a key; the same vectors give the same bytes."""
    written = io.BytesIO()
    # The time in a zip archive is of its making unless it is given.
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:
        for name, value in {**{name: getattr(vectors, name) for name in _FIELDS}, "key": key}.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, np.array(value), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content.getvalue())
    write_bytes(path, written.getvalue())


def read_vectors(path: Path, key: str) -> TranscriptVectors | None:
    """Return the vectors kept under a key; None where the file is missing, damaged or of something else."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as kept:
            if str(kept["key"]) == key:
                arrays = (kept["vectors"], kept["words"], kept["places"], kept["mean"])
                return TranscriptVectors(*arrays, encoder=str(kept["encoder"]))
    # A bit that flips in a zip archive can make it one that is encrypted or compressed in some other way: RuntimeError.
    except (OSError, ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile):
        pass
    return None


def embed_episode(
    units: Sequence[Unit], features: Sequence[Feature], vectors: TranscriptVectors, encoder: Encoder
) -> EpisodeVectors:
    """Return the vectors of units and features side by side; those of features are made by `encoder` now.

    It must be the one that made `vectors`: vectors of two encoders say nothing of each other.
    """
    titles = [feature.title for feature in features]
    texts = [f"{one.title}. {one.description}" if one.description else one.title for one in features]
    listed = encoder.encode([*titles, *texts])
    telling = _pick_telling(listed, [*titles, *texts])
    places, words = listed.places[telling], listed.words[telling]
    # Fewer features share their very subject, which must not be taken out.
    mean = words.mean(axis=0, dtype=np.float32) if len(features) >= FEW and len(words) else vectors.mean
    owned = WordVectors(
        centre(words, mean), places[:, 0].astype(np.int64), tuple(_read_words(places, [*titles, *texts]))
    )
    return EpisodeVectors(
        units=vectors.vectors[group_sentences(units)].astype(np.float32),
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
    places = vectors.places
    owners = np.searchsorted(begins, openings[places[:, 0]] + places[:, 1], side="right") - 1
    texts = tuple(_read_words(places, list_sentences(units)))
    return WordVectors(vectors.words.astype(np.float16) * np.float16(_STEP), owners.astype(np.int64), texts)
