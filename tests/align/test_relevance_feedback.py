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
MEMBERSHIPS = np.array([[0.9, 0.8, 0.1, 0.0], [0.1, 0.2, 0.9, 1.0]])


def draw_vectors(generator: np.random.Generator, count: int) -> NDArray[np.float32]:
    """Return `count` random vectors of length one."""
    vectors = generator.normal(size=(count, 8))
    normal: NDArray[np.float64] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return normal.astype(np.float32)


def compare_slowly(
    sentences: NDArray[np.float32], texts: NDArray[np.float32], memberships: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the same by its definition: for each unit, the passages without the sentences around it."""
    units = range(len(sentences))
    cosines = np.zeros(memberships.shape)
    for row, row_memberships in enumerate(memberships):
        for unit in units:
            context = sentences[max(0, unit - CONTEXT_SENTENCES) : unit + CONTEXT_SENTENCES + 1].sum(axis=0)
            far = [other for other in units if abs(other - unit) > EXCLUDED_SENTENCES]
            passage = TEXT_SENTENCES * texts[row] + sum(row_memberships[other] * sentences[other] for other in far)
            cosines[row, unit] = context @ passage / np.linalg.norm(context) / np.linalg.norm(passage)
    own, others = (np.average(cosines, axis=1, weights=weights + 1e-9) for weights in (memberships, 1 - memberships))
    return cosines - (own + others)[:, None] / 2


@given(st.integers(0, 10_000), st.integers(1, 20), st.integers(1, 4))
@settings(max_examples=50, deadline=None)
def test_fast_computation_equals_definition(seed: int, units: int, features: int) -> None:
    generator = np.random.default_rng(seed)
    sentences, texts = draw_vectors(generator, units), draw_vectors(generator, features)
    memberships = generator.dirichlet(np.ones(features + 1), units).T[:features]
    scores = compare_with_passages(sentences, texts, memberships)
    assert np.allclose(scores, compare_slowly(sentences, texts, memberships), atol=1e-3)


def test_sentence_similar_to_passage_outranks_text() -> None:
    """No sentence is similar to the two texts, but the first and the last sentences are equal."""
    first, second, *texts = np.eye(4, dtype=np.float32)
    sentences = np.stack([*[first] * 10, *[second] * 10, *[first] * 5])
    memberships = np.stack([np.repeat([1.0, 0.0, 0.5], (10, 10, 5)), np.repeat([0.0, 1.0, 0.5], (10, 10, 5))])
    scores = compare_with_passages(sentences, np.stack(texts), memberships)
    assert (scores[0, 21:] > 0.2).all()
    assert (scores[1, 21:] < -0.2).all()


def test_without_vectors_there_is_no_feedback() -> None:
    assert measure_feedback(measure_lines(LINES, *FEATURES), MEMBERSHIPS) is None


@pytest.mark.parametrize(
    ("pace", "described", "bare"), [(20.0, 2.0, 1.0), (60.0, 2.0, 1.0), (75.0, 1.84, 0.5), (155.0, 1.0, 0.0)]
)
def test_feedback_fades_with_seconds_per_feature(pace: float, described: float, bare: float) -> None:
    evidence = measure_lines(LINES, *FEATURES, meaning=True)
    assert evidence.unit_vectors is not None
    assert evidence.feature_vectors is not None
    scaled = replace(evidence, starts=np.linspace(0.0, 2 * pace, len(LINES)))
    feedback = measure_feedback(scaled, MEMBERSHIPS)
    assert feedback is not None
    whole = compare_with_passages(evidence.unit_vectors, evidence.feature_vectors, MEMBERSHIPS)
    assert np.allclose(feedback, np.array([[described], [bare]]) * whole, atol=0.01)


def test_passages_of_minutes_give_no_feedback() -> None:
    evidence = measure_lines(LINES, *FEATURES, meaning=True)
    assert measure_feedback(replace(evidence, starts=np.linspace(0.0, 500.0, len(LINES))), MEMBERSHIPS) is None
