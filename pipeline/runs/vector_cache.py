"""Cache the vectors of a transcript in a file, so that its sentences are encoded once."""

import hashlib
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.align.embeddings import TranscriptVectors, encode_units, list_sentences
from pipeline.align.encoder import Encoder
from pipeline.align.units import Unit, split_units
from pipeline.core.schema import Transcript
from pipeline.core.storage import write_bytes

# Version of the file's layout and of the way vectors are rounded; part of the key.
_FORMAT = 2

# Arrays of the file, and the fields of `TranscriptVectors` that they hold.
_FIELDS = {"vectors": "sentences", "words": "words", "places": "word_spans", "mean": "word_mean", "encoder": "encoder"}


@dataclass(frozen=True, slots=True)
class VectorCache:
    """A file (.npz) with the vectors of one transcript."""

    path: Path

    def load(self, transcript: Transcript, encoder: Encoder) -> TranscriptVectors:
        """Return the vectors of a transcript.

        They are computed and written where the file is missing, damaged, or made from another transcript or encoder.
        """
        units = split_units(transcript)
        key = make_key(units, encoder.name)
        vectors = read_vectors(self.path, key)
        if vectors is None:
            vectors = encode_units(units, encoder)
            write_vectors(self.path, key, vectors)
        return vectors


def make_key(units: Sequence[Unit], encoder: str) -> str:
    """Return the SHA-256 of everything that vectors depend on: file format, name of the encoder, sentences."""
    digest = hashlib.sha256(f"{_FORMAT}\0{encoder}\0".encode())
    for text in list_sentences(units):
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()


def write_vectors(path: Path, key: str, vectors: TranscriptVectors) -> None:
    """Write vectors under a key; equal vectors give equal bytes."""
    arrays = {name: getattr(vectors, field) for name, field in _FIELDS.items()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, value in {**arrays, "key": key}.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, np.array(value), allow_pickle=False)
            # Unlike a name, a ZipInfo carries no time of writing.
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content.getvalue())
    write_bytes(path, buffer.getvalue())


def read_vectors(path: Path, key: str) -> TranscriptVectors | None:
    """Return the vectors that were written under a key; None where the file is missing, damaged or has another key."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as archive:
            if str(archive["key"]) != key:
                return None
            arrays = {field: archive[name] for name, field in _FIELDS.items()}
    # A flipped bit can declare a zip member encrypted or compressed by an unknown method: RuntimeError.
    except (OSError, ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile):
        return None
    return TranscriptVectors(**{**arrays, "encoder": str(arrays["encoder"])})
