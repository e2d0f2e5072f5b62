"""Weights belong to one sentence encoder, and have a weight for each number of its vectors."""

import json
from importlib.resources import files
from typing import Any

import numpy as np
import pytest

from pipeline.align.encoder import MODEL_SHA256
from pipeline.align.semantic import VECTOR_NAMES
from pipeline.align.weights import LogisticModel, load_weights, parse_weights, sigmoid
from pipeline.core.errors import ModelError


@pytest.fixture
def semantic() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(files("pipeline.align").joinpath("weights.json").read_text())["semantic"]
    return data


def test_weights_name_the_encoder_they_are_fitted_to() -> None:
    assert load_weights(MODEL_SHA256).encoder == MODEL_SHA256
    assert load_weights().encoder is None


def test_other_encoder_gets_no_weights() -> None:
    with pytest.raises(
        ModelError, match=f"are for the sentence encoder {MODEL_SHA256}, not for the sentence encoder other"
    ):
        load_weights("other")


def test_word_weights_refuse_an_encoder() -> None:
    with pytest.raises(ModelError, match="are for words alone, not for the sentence encoder other"):
        load_weights().require_encoder("other")


def test_missing_dimensions_of_the_encoder_are_refused(semantic: dict[str, Any]) -> None:
    del semantic["boundary"][VECTOR_NAMES[-1]]
    count = len(VECTOR_NAMES)
    with pytest.raises(ModelError, match=f"boundary weights for {count - 1} of the {count} numbers"):
        parse_weights(semantic)


def test_weights_of_unknown_columns_are_refused(semantic: dict[str, Any]) -> None:
    semantic["onset"]["no_such_column"] = 1.0
    with pytest.raises(ModelError, match="unknown columns: no_such_column"):
        parse_weights(semantic)


def test_column_without_a_weight_counts_nothing(semantic: dict[str, Any]) -> None:
    del semantic["onset"]["intro"]
    assert 0.0 in parse_weights(semantic).onset.weights


def test_logistic_model_gives_probabilities() -> None:
    model = LogisticModel(np.array([2.0, 0.0], dtype=np.float32), -1.0)
    rows = np.array([[0.5, 7.0], [1.0, 7.0]], dtype=np.float32)
    assert model.log_odds(rows).tolist() == [0.0, 1.0]
    assert model.probabilities(rows) == pytest.approx([0.5, 1 / (1 + np.exp(-1.0))])
    assert sigmoid(np.array([-np.inf, np.inf], dtype=np.float32)).tolist() == [0.0, 1.0]
