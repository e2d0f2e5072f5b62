"""Relevance feedback raises units that resemble a passage, but no unit confirms itself."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.align.relevance_feedback import (
    CONTEXT_SENTENCES,
    EXCLUDED_SENTENCES,
    TEXT_SENTENCES,
    compare_with_passages,
    measure_feedback,
)
from pipeline.core.schema import Feature
from tests.support.invented_shows import measure_lines

LINES = ("Our dog is a dog.", "A dog it is.", "Now the rain.", "It is rain.")
FEATURES = (Feature(1, "A puppy", description="It barks."), Feature(2, "The weather"))
TALKS = np.array([[0.9, 0.8, 0.1, 0.0], [0.1, 0.2, 0.9, 1.0]])


def random_vectors(generator: np.random.Generator, count: int) -> NDArray[np.float32]:
    vectors = generator.normal(size=(count, 8))
    normal: NDArray[np.float64] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return normal.astype(np.float32)


def compare_slowly(
    sentences: NDArray[np.float32], texts: NDArray[np.float32], talks: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The same by its definition: for each feature and unit, the passage without what is near the unit."""
    units = range(len(sentences))
    cosines = np.zeros(talks.shape)
    for row, talk in enumerate(talks):
        for unit in units:
            around = sentences[max(0, unit - CONTEXT_SENTENCES) : unit + CONTEXT_SENTENCES + 1].sum(axis=0)
            far = [other for other in units if abs(other - unit) > EXCLUDED_SENTENCES]
            passage = TEXT_SENTENCES * texts[row] + sum(talk[other] * sentences[other] for other in far)
            cosines[row, unit] = around @ passage / np.linalg.norm(around) / np.linalg.norm(passage)
    own, others = (np.average(cosines, axis=1, weights=weights + 1e-9) for weights in (talks, 1 - talks))
    return cosines - (own + others)[:, None] / 2


@given(st.integers(0, 10_000), st.integers(1, 20), st.integers(1, 4))
@settings(max_examples=50, deadline=None)
def test_fast_computation_equals_definition(seed: int, units: int, features: int) -> None:
    generator = np.random.default_rng(seed)
    sentences, texts = random_vectors(generator, units), random_vectors(generator, features)
    talks = generator.dirichlet(np.ones(features + 1), units).T[:features]
    found = compare_with_passages(sentences, texts, talks)
    assert np.allclose(found, compare_slowly(sentences, texts, talks), atol=1e-3)


def test_sentence_similar_to_passage_outranks_text() -> None:
    """Nothing in the talk is like the two texts, but its first and last sentences are like each other."""
    one, other, *texts = np.eye(4, dtype=np.float32)
    sentences = np.stack([*[one] * 10, *[other] * 10, *[one] * 5])
    talks = np.stack([np.repeat([1.0, 0.0, 0.5], (10, 10, 5)), np.repeat([0.0, 1.0, 0.5], (10, 10, 5))])
    found = compare_with_passages(sentences, np.stack(texts), talks)
    assert (found[0, 21:] > 0.2).all()
    assert (found[1, 21:] < -0.2).all()


def test_without_vectors_there_is_no_feedback() -> None:
    assert measure_feedback(measure_lines(LINES, *FEATURES), TALKS) is None


@pytest.mark.parametrize(
    ("dwell", "described", "bare"), [(20.0, 2.0, 1.0), (60.0, 2.0, 1.0), (75.0, 1.84, 0.5), (155.0, 1.0, 0.0)]
)
def test_feedback_fades_with_seconds_per_feature(dwell: float, described: float, bare: float) -> None:
    evidence = measure_lines(LINES, *FEATURES, meaning=True)
    assert evidence.unit_vectors is not None
    assert evidence.feature_vectors is not None
    paced = replace(evidence, starts=np.linspace(0.0, 2 * dwell, len(LINES)))
    fed = measure_feedback(paced, TALKS)
    assert fed is not None
    whole = compare_with_passages(evidence.unit_vectors, evidence.feature_vectors, TALKS)
    assert np.allclose(fed, np.array([[described], [bare]]) * whole, atol=0.01)


def test_passages_of_minutes_give_no_feedback() -> None:
    evidence = measure_lines(LINES, *FEATURES, meaning=True)
    assert measure_feedback(replace(evidence, starts=np.linspace(0.0, 500.0, len(LINES))), TALKS) is None
