"""Vectors are computed once for a transcript, and again where the file does not hold them."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.align.embeddings import TranscriptVectors
from pipeline.align.encoder import VECTOR_SIZE
from pipeline.align.units import Unit
from pipeline.core.schema import Transcript
from pipeline.runs.vector_cache import VectorCache, make_key, read_vectors
from tests.support.speech import SPEECH, TopicEncoder, make_speech


@pytest.fixture
def cache(tmp_path: Path) -> VectorCache:
    return VectorCache(tmp_path / "one.vectors.npz")


def test_vectors_are_computed_once(cache: VectorCache) -> None:
    encoder = TopicEncoder()
    first = cache.load(SPEECH, encoder)
    encoded, content = encoder.encoded_texts, cache.path.read_bytes()
    second = cache.load(SPEECH, encoder)
    assert encoder.encoded_texts == encoded
    assert (first.sentences == second.sentences).all()
    cache.path.unlink()
    cache.load(SPEECH, encoder)
    assert cache.path.read_bytes() == content, "equal vectors give equal bytes"


def test_another_transcript_is_encoded_again(cache: VectorCache) -> None:
    encoder = TopicEncoder()
    cache.load(SPEECH, encoder)
    assert len(cache.load(make_speech(["One line."]), encoder).sentences) == 1


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 cut"])
def test_damaged_file_is_replaced(cache: VectorCache, content: bytes) -> None:
    cache.path.write_bytes(content)
    assert cache.load(SPEECH, TopicEncoder()).encoder == "topics"


def test_no_flipped_bit_changes_vectors(cache: VectorCache) -> None:
    right = cache.load(SPEECH, TopicEncoder())
    content = cache.path.read_bytes()
    for bit in range(content.index(b"PK\x01\x02") * 8, len(content) * 8, 3):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        cache.path.write_bytes(flipped)
        vectors = cache.load(SPEECH, TopicEncoder())
        assert all(
            np.array_equal(getattr(vectors, name), getattr(right, name))
            for name in ("sentences", "words", "word_spans")
        )


def test_empty_transcript_is_cached(cache: VectorCache) -> None:
    vectors = cache.load(Transcript((), "en"), TopicEncoder())
    assert isinstance(vectors, TranscriptVectors)
    assert vectors.sentences.shape == (0, VECTOR_SIZE)


def test_files_of_version_0_1_are_read(cache: VectorCache) -> None:
    units = [Unit(0.0, 1.0, "The dog ran.")]
    key = "d537858a37836dab907961151724d831ca625525f1caff22fc5bc0a44ac72a3a"
    np.savez(
        cache.path,
        vectors=np.ones((1, 2), dtype=np.float16),
        words=np.ones((2, 2), dtype=np.int8),
        places=np.array([[0, 4, 7], [0, 8, 11]], dtype=np.int32),
        mean=np.zeros(2, dtype=np.float32),
        encoder=np.array("topics"),
        key=np.array(key),
    )
    vectors = read_vectors(cache.path, key)
    assert vectors is not None
    assert (vectors.sentences.shape, vectors.word_mean.shape, vectors.encoder) == ((1, 2), (2,), "topics")
    assert vectors.word_spans.tolist() == [[0, 4, 7], [0, 8, 11]]
    assert make_key(units, "topics") == key
