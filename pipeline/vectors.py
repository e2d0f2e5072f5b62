"""What each sentence of a transcript means, as vectors, and the file that keeps them beside the transcript."""

import hashlib
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.encoder import Encoder
from pipeline.meaning import Meaning
from pipeline.schema import Feature, Transcript
from pipeline.sentences import Unit, cut_sentences
from pipeline.storage import write_bytes

# A recogniser that sets no full stops would make one sentence of an hour.
MAX_WORDS = 40
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class SentenceVectors:
    """The meaning of a transcript's sentences: `vectors` (sentences, 384) of length one, made by `encoder`."""

    vectors: NDArray[np.float16]
    encoder: str


@dataclass(frozen=True, slots=True)
class KeptVectors:
    """A file that keeps the vectors of one transcript, so that they are made once."""

    path: Path

    def load(self, transcript: Transcript, encoder: Encoder) -> SentenceVectors:
        """Return the vectors from the file; made anew, and kept, where it is not of this transcript and encoder."""
        units = cut_sentences(transcript)
        key = digest_sentences(units, encoder.name)
        if (kept := read_vectors(self.path, key)) is not None:
            return kept
        made = encode_units(units, encoder)
        write_vectors(self.path, key, made)
        return made


def group_sentences(units: Sequence[Unit]) -> NDArray[np.int64]:
    """Return for every unit the number of the sentence it is part of."""
    numbers = np.zeros(len(units), dtype=np.int64)
    number, words = -1, MAX_WORDS
    for index, unit in enumerate(units):
        more = len(unit.text.split())
        if unit.opens or words + more > MAX_WORDS:
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


def encode_units(units: Sequence[Unit], encoder: Encoder) -> SentenceVectors:
    """Return the vectors of the sentences that the units make up."""
    # Half precision moves a cosine by less than a thousandth, and halves the file.
    return SentenceVectors(encoder.encode(list_sentences(units)).astype(np.float16), encoder.name)


def digest_sentences(units: Sequence[Unit], encoder: str) -> str:
    """Return what vectors on disk are known by: a digest of all that they were made from."""
    digest = hashlib.sha256(f"{_FORMAT}\0{encoder}\0".encode())
    for text in list_sentences(units):
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()


def write_vectors(path: Path, key: str, vectors: SentenceVectors) -> None:
    """Keep vectors under a key; the same vectors give the same bytes."""
    written = io.BytesIO()
    # The time in a zip archive is of its making unless it is given.
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:
        for name, value in (("vectors", vectors.vectors), ("encoder", vectors.encoder), ("key", key)):
            content = io.BytesIO()
            np.lib.format.write_array(content, np.array(value), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content.getvalue())
    write_bytes(path, written.getvalue())


def read_vectors(path: Path, key: str) -> SentenceVectors | None:
    """Return the vectors kept under a key; None where the file is missing, damaged or of something else."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as kept:
            if str(kept["key"]) == key and kept["vectors"].ndim == 2 and kept["vectors"].dtype == np.float16:
                return SentenceVectors(kept["vectors"], str(kept["encoder"]))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        pass
    return None


def compare_meaning(
    units: Sequence[Unit], features: Sequence[Feature], vectors: SentenceVectors, encoder: Encoder
) -> Meaning:
    """Return the vectors of units and features side by side."""
    titles = [feature.title for feature in features]
    texts = [f"{one.title}. {one.description}" if one.description else one.title for one in features]
    spoken = vectors.vectors[group_sentences(units)].astype(np.float32)
    listed = encoder.encode([*titles, *texts])
    return Meaning(spoken, listed[: len(titles)], listed[len(titles) :])
