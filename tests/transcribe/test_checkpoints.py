"""Checkpoints resume the same work, and only undamaged ones of the same inputs do."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.core.schema import Segment, Word
from pipeline.transcribe.checkpoints import Checkpoints
from pipeline.transcribe.chunking import Chunk

CHUNK = Chunk(3, 32_000, np.zeros(16_000, dtype=np.float32), ((0, 8_000),))
SEGMENTS = [
    Segment(2.1, 2.9, "Invoices first.", (Word(2.1, 2.5, " Invoices", 0.9), Word(2.5, 2.9, " first.", 0.8))),
    Segment(2.9, 3.0, "you you you", suspect=True),
]

# A file as version 0.1.0 wrote it.
FILE_0_1_0 = """{
 "made_from": "0123abcd",
 "begin": 32000,
 "end": 48000,
 "sha256": "516ec4d65eb11038098b225cbb5b1f4f3432b3a5c1527111474fb02e640ffaab",
 "segments": [
  {"start": 2.1, "end": 2.9, "text": "Invoices first.", "words": [{"start": 2.1, "end": 2.5, "word": " Invoices", \
"probability": 0.9}, {"start": 2.5, "end": 2.9, "word": " first.", "probability": 0.8}]},
  {"start": 2.9, "end": 3.0, "text": "you you you", "words": [], "suspect": true}
 ]
}
"""


@pytest.fixture
def checkpoints(tmp_path: Path) -> Checkpoints:
    return Checkpoints(tmp_path / "one.parts", "0123abcd")


def test_saved_chunk_is_loaded_as_it_was(checkpoints: Checkpoints) -> None:
    assert checkpoints.load(CHUNK) is None
    checkpoints.save(CHUNK, SEGMENTS)
    assert checkpoints.load(CHUNK) == SEGMENTS
    assert [path.name for path in checkpoints.folder.iterdir()] == ["0003.json"]


def test_checkpoint_of_version_0_1_0_is_loaded(checkpoints: Checkpoints) -> None:
    checkpoints.folder.mkdir()
    (checkpoints.folder / "0003.json").write_text(FILE_0_1_0)
    assert checkpoints.load(CHUNK) == SEGMENTS
    checkpoints.save(CHUNK, SEGMENTS)
    assert (checkpoints.folder / "0003.json").read_text() == FILE_0_1_0


@pytest.mark.parametrize(
    "chunk",
    [
        replace(CHUNK, number=4),
        replace(CHUNK, begin=31_999),
        replace(CHUNK, samples=np.zeros(15_999, dtype=np.float32)),
    ],
)
def test_other_chunk_is_not_loaded(checkpoints: Checkpoints, chunk: Chunk) -> None:
    checkpoints.save(CHUNK, SEGMENTS)
    assert checkpoints.load(chunk) is None


def test_other_fingerprint_is_not_loaded(checkpoints: Checkpoints) -> None:
    checkpoints.save(CHUNK, SEGMENTS)
    assert Checkpoints(checkpoints.folder, "another").load(CHUNK) is None


@pytest.mark.parametrize("content", ["", '{"made_from": ', "[]", "{}"])
def test_unreadable_checkpoint_is_not_loaded(checkpoints: Checkpoints, content: str) -> None:
    checkpoints.save(CHUNK, SEGMENTS)
    (checkpoints.folder / "0003.json").write_text(content)
    assert checkpoints.load(CHUNK) is None


def test_flipped_bit_in_a_word_is_detected(checkpoints: Checkpoints) -> None:
    checkpoints.save(CHUNK, SEGMENTS)
    path = checkpoints.folder / "0003.json"
    path.write_text(path.read_text().replace("Invoices", "Hnvoices"))
    assert checkpoints.load(CHUNK) is None
