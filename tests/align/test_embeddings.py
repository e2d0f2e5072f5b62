"""What sentences and words mean, as vectors: shared out to units, and kept beside the transcript."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.align.aligner import align
from pipeline.align.embeddings import (
    MAX_WORDS,
    TranscriptVectors,
    VectorCache,
    embed_episode,
    encode_units,
    group_sentences,
    list_sentences,
)
from pipeline.align.encoder import SIZE
from pipeline.align.units import Unit, split_units
from pipeline.core.schema import Feature, Transcript
from tests.support.speech import TALK, TopicEncoder, tell


def test_parts_of_a_sentence_share_its_vector() -> None:
    units = [Unit(0, 1, "First part,"), Unit(1, 2, "second part.", starts_sentence=False), Unit(2, 3, "Another.")]
    assert group_sentences(units).tolist() == [0, 0, 1]
    assert list_sentences(units) == ["First part, second part.", "Another."]


def test_words_belong_to_the_unit_that_says_them() -> None:
    units = [Unit(0, 1, "The dog ran,"), Unit(1, 2, "and a puppy.", starts_sentence=False), Unit(2, 3, "Rain.")]
    telling = TopicEncoder()
    meaning = embed_episode(units, [Feature(1, "A dog", "Or soup")], encode_units(units, telling), telling)
    spoken = dict(zip(meaning.spoken.texts, meaning.spoken.owners.tolist(), strict=True))
    assert spoken == {"dog": 0, "ran": 0, "puppy": 1, "rain": 2}
    assert meaning.title_words.texts == ("dog",)
    assert meaning.text_words.texts == ("dog", "soup")


def test_speech_without_full_stops_is_cut_by_length() -> None:
    units = [Unit(index, index + 1, "word " * 8, starts_sentence=index == 0) for index in range(20)]
    groups = group_sentences(units).tolist()
    assert max(groups.count(number) for number in groups) * 8 <= MAX_WORDS


def test_kept_vectors_are_made_once_and_are_the_same_bytes(tmp_path: Path) -> None:
    telling, kept = TopicEncoder(), VectorCache(tmp_path / "one.vectors.npz")
    first = kept.load(TALK, telling)
    asked, content = telling.asked, kept.path.read_bytes()
    again = kept.load(TALK, telling)
    assert telling.asked == asked
    assert (first.vectors == again.vectors).all()
    kept.path.unlink()
    kept.load(TALK, telling)
    assert kept.path.read_bytes() == content


def test_kept_vectors_of_another_transcript_are_made_anew(tmp_path: Path) -> None:
    telling, kept = TopicEncoder(), VectorCache(tmp_path / "one.vectors.npz")
    kept.load(TALK, telling)
    assert len(kept.load(tell(["One line."]), telling).vectors) == 1


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 cut"])
def test_damaged_file_is_made_anew(tmp_path: Path, content: bytes) -> None:
    kept = VectorCache(tmp_path / "one.vectors.npz")
    kept.path.write_bytes(content)
    assert kept.load(TALK, TopicEncoder()).encoder == "telling"


def test_no_bit_that_flips_in_kept_vectors_changes_them(tmp_path: Path) -> None:
    kept = VectorCache(tmp_path / "one.vectors.npz")
    right = kept.load(TALK, TopicEncoder())
    content = kept.path.read_bytes()
    for bit in range(content.index(b"PK\x01\x02") * 8, len(content) * 8, 3):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        kept.path.write_bytes(flipped)
        found = kept.load(TALK, TopicEncoder())
        assert all(
            np.array_equal(getattr(found, name), getattr(right, name)) for name in ("vectors", "words", "places")
        )


def test_alignment_takes_vectors_that_are_at_hand() -> None:
    telling = TopicEncoder()
    vectors = encode_units(split_units(TALK), telling)
    features = [Feature(1, "A puppy"), Feature(2, "Rain")]
    assert align(TALK, features, encoder=telling, vectors=vectors) == align(TALK, features, encoder=telling)


def test_empty_transcript_needs_no_vectors() -> None:
    assert align(Transcript((), "en"), [Feature(1, "A puppy")], encoder=TopicEncoder()).placements[0].start is None


def test_vectors_without_rows_are_kept(tmp_path: Path) -> None:
    kept = VectorCache(tmp_path / "empty.vectors.npz").load(Transcript((), "en"), TopicEncoder())
    assert isinstance(kept, TranscriptVectors)
    assert kept.vectors.shape == (0, SIZE)
