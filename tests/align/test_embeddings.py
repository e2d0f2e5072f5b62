"""Vectors of sentences and words, and the units and features that they belong to."""

from dataclasses import replace

import pytest

from pipeline.align.aligner import align
from pipeline.align.embeddings import (
    MAX_SENTENCE_WORDS,
    embed_episode,
    encode_units,
    group_sentences,
    list_sentences,
)
from pipeline.align.units import Unit, split_units
from pipeline.core.schema import Feature, Transcript
from tests.support.speech import SPEECH, TopicEncoder, load_topic_weights


def test_parts_of_a_sentence_share_its_vector() -> None:
    units = [Unit(0, 1, "First part,"), Unit(1, 2, "second part.", starts_sentence=False), Unit(2, 3, "Another.")]
    assert group_sentences(units).tolist() == [0, 0, 1]
    assert list_sentences(units) == ["First part, second part.", "Another."]


def test_words_belong_to_the_unit_that_says_them() -> None:
    units = [Unit(0, 1, "The dog ran,"), Unit(1, 2, "and a puppy.", starts_sentence=False), Unit(2, 3, "Rain.")]
    encoder = TopicEncoder()
    vectors = embed_episode(units, [Feature(1, "A dog", "Or soup")], encode_units(units, encoder), encoder)
    spoken = dict(zip(vectors.spoken_words.texts, vectors.spoken_words.owners.tolist(), strict=True))
    assert spoken == {"dog": 0, "ran": 0, "puppy": 1, "rain": 2}
    assert vectors.title_words.texts == ("dog",)
    assert vectors.text_words.texts == ("dog", "soup")


def test_vectors_of_another_encoder_are_refused() -> None:
    units, encoder = split_units(SPEECH), TopicEncoder()
    foreign = replace(encode_units(units, encoder), encoder="another")
    with pytest.raises(ValueError, match="not of 'topics'"):
        embed_episode(units, [Feature(1, "A dog")], foreign, encoder)


def test_speech_without_full_stops_is_cut_by_length() -> None:
    units = [Unit(index, index + 1, "word " * 8, starts_sentence=index == 0) for index in range(20)]
    groups = group_sentences(units).tolist()
    assert max(groups.count(number) for number in groups) * 8 <= MAX_SENTENCE_WORDS


def test_given_transcript_vectors_give_the_same_alignment() -> None:
    encoder = TopicEncoder()
    vectors = encode_units(split_units(SPEECH), encoder)
    features = [Feature(1, "A puppy"), Feature(2, "Rain")]
    weights = load_topic_weights()
    given = align(SPEECH, features, encoder=encoder, vectors=vectors, weights=weights)
    assert given == align(SPEECH, features, encoder=encoder, weights=weights)


def test_empty_transcript_needs_no_vectors() -> None:
    features, weights = [Feature(1, "A puppy")], load_topic_weights()
    assert align(Transcript((), "en"), features, encoder=TopicEncoder(), weights=weights).placements[0].start is None
