"""Speech and features are compared by meaning, also where they share no words."""

import numpy as np

from pipeline.align.embeddings import embed_episode, encode_units
from pipeline.align.encoder import VECTOR_SIZE
from pipeline.align.late_interaction import WordVectors
from pipeline.align.semantic import SEMANTIC_NAMES, EpisodeVectors, measure_similarity
from pipeline.align.units import Unit, split_units
from pipeline.core.schema import Feature
from tests.support.speech import SPEECH, TopicEncoder


def test_similarity_is_highest_where_topic_starts() -> None:
    units = split_units(SPEECH)
    features = [Feature(1, "A puppy"), Feature(2, "Rain")]
    encoder = TopicEncoder()
    vectors = embed_episode(units, features, encode_units(units, encoder), encoder)
    columns = {name: np.zeros((2, len(units)), dtype=np.float16) for name in SEMANTIC_NAMES}
    evidence = measure_similarity(units, vectors, columns)
    assert columns["mean_text_after_20"].argmax(axis=1).tolist() == [1, 3]
    assert evidence.similarities.argmax(axis=1).tolist()[0] in (1, 2)


def test_columns_are_finite_for_single_unit() -> None:
    ones = np.ones((1, VECTOR_SIZE), dtype=np.float32) / np.sqrt(VECTOR_SIZE)
    word = WordVectors(ones, np.zeros(1, dtype=np.int64), ("hello",))
    vectors = EpisodeVectors(ones, ones, ones, word, word, word)
    columns = {name: np.full((1, 1), np.nan, dtype=np.float16) for name in SEMANTIC_NAMES}
    evidence = measure_similarity([Unit(0, 1, "hello")], vectors, columns)
    assert all(np.isfinite(values).all() for values in columns.values())
    assert np.isfinite(evidence.boundaries).all()
