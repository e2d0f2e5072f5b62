"""Fitted weights of the alignment, read from `weights.json` next to this module.

The file has two sets: `lexical` for alignments by words alone, and `semantic` for those with a sentence encoder. The
second set names the encoder whose vectors it was fitted to, and fits no other encoder.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.align.evidence import LEXICAL_COLUMNS, SEMANTIC_COLUMNS, Columns
from pipeline.align.semantic import VECTOR_NAMES
from pipeline.align.sequence_model import TransitionCosts
from pipeline.core.errors import ModelError

# Columns that describe a placement once the posterior is known; `placement_features` says what they are.
PLACEMENT_NAMES = (
    *("mass_near", "mass_wide", "mass_log", "entered", "runner_up_mass", "onset", "onset_best"),
    *("occupancy", "occupancy_total", "in_order", "crowded", "boundary"),
    *("title_best", "text_best", "mass_best", "id_best", "phrase_best"),
    *("title_idf", "unspoken", "wordless", "title_edge", "text_edge", "mass_edge"),
    *("title_words", "described", "numbered", "typical_mass"),
    *("occupancy_some", "unspoken_occupancy", "text_edge_mass"),
)

# The same with a sentence encoder.
SEMANTIC_PLACEMENT_NAMES = (
    *PLACEMENT_NAMES,
    *("mean_best", "mean_best_title", "mean_lead", "mean_edge", "mean_usual"),
    *("mean_here", "mean_share_here", "mean_lost", "mean_here_mass", "mean_edge_mass"),
    *("late_best_title", "late_best_text", "late_edge", "late_here", "late_share_here", "late_edge_mass"),
)


def sigmoid(log_odds: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the probabilities of log-odds (natural logarithm)."""
    return 1.0 / (1.0 + np.exp(-log_odds.astype(np.float64)))


@dataclass(frozen=True, slots=True)
class LogisticModel:
    """A logistic regression: one weight for each named column, and a bias."""

    weights: NDArray[np.float32]
    bias: float

    def log_odds(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the log-odds of rows whose last axis holds the model's columns."""
        values: NDArray[np.float32] = rows @ self.weights + np.float32(self.bias)
        return values

    def probabilities(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the probabilities of rows whose last axis holds the model's columns."""
        return sigmoid(self.log_odds(rows))


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Probabilities from which the decision takes effect.

    Attributes:
        absent: A feature is left out from this probability on that it is not discussed.
        confident: A start is confident from this probability on that it is right.
        confident_bare_title: The same for a feature without a description, where much is said about each feature.
    """

    absent: float
    confident: float
    confident_bare_title: float


@dataclass(frozen=True, slots=True)
class Weights:
    """One set of everything that `benchmarks/fit_alignment.py` fits.

    Attributes:
        encoder: Name of the sentence encoder the weights are fitted to, or None for words alone.
        boundary: Model of whether any feature starts at a unit.
        onset: Model of whether a given feature starts at a unit.
        costs: Weights and costs of the sequence model.
        absent_classifier: Model of whether a feature is not discussed.
        correct_classifier: Model of whether a start is right, that is within RIGHT_S of the truth.
        thresholds: Probabilities from which the decision takes effect.
    """

    encoder: str | None
    boundary: LogisticModel
    onset: LogisticModel
    costs: TransitionCosts
    absent_classifier: LogisticModel
    correct_classifier: LogisticModel
    thresholds: Thresholds

    def require_encoder(self, name: str | None) -> None:
        """Raise ModelError unless `name` is the encoder of these weights, or None where they are for words alone."""
        if name != self.encoder:
            advice = "fit weights to that encoder with benchmarks/fit_alignment.py, or align without it"
            if name is None:
                advice = "align with that encoder, or with weights for words alone"
            fitted, given = _describe_encoder(self.encoder), _describe_encoder(name)
            raise ModelError(f"the alignment weights are for {fitted}, not for {given}", advice)


def _describe_encoder(name: str | None) -> str:
    return "words alone" if name is None else f"the sentence encoder {name}"


@cache
def load_weights(encoder: str | None = None) -> Weights:
    """Return the weights that come with the package, for a sentence encoder of this name or for words alone.

    Raises ModelError if the package has no weights for that encoder.
    """
    data = json.loads(_read_file())
    weights = parse_weights(data["lexical" if encoder is None else "semantic"])
    weights.require_encoder(encoder)
    return weights


@cache
def weights_digest() -> str:
    """Return the SHA-256 of `weights.json`."""
    return hashlib.sha256(_read_file()).hexdigest()


def _read_file() -> bytes:
    return files("pipeline.align").joinpath("weights.json").read_bytes()


def parse_weights(data: Mapping[str, Any]) -> Weights:
    """Return the weights held by a mapping of the shape of one set of `weights.json`.

    Raises ModelError if the mapping has weights for columns that do not exist, or names an encoder without a weight
    for each number of its vectors.
    """
    encoder: str | None = data.get("encoder")
    names: Columns = LEXICAL_COLUMNS if encoder is None else SEMANTIC_COLUMNS
    placement = PLACEMENT_NAMES if encoder is None else SEMANTIC_PLACEMENT_NAMES
    if encoder is not None:
        _check_dimensions(data["boundary"], encoder)
    return Weights(
        encoder=encoder,
        boundary=_parse_model(data["boundary"], names.boundaries),
        onset=_parse_model(data["onset"], names.onset),
        costs=TransitionCosts(**data["transition_costs"]),
        absent_classifier=_parse_model(data["absent_classifier"], placement),
        correct_classifier=_parse_model(data["correct_classifier"], placement),
        thresholds=Thresholds(**data["thresholds"]),
    )


def _check_dimensions(values: Mapping[str, float], encoder: str) -> None:
    """Raise ModelError unless there is a boundary weight for each number of the encoder's vectors."""
    if missing := set(VECTOR_NAMES) - set(values):
        raise ModelError(
            f"weights.json has boundary weights for {len(VECTOR_NAMES) - len(missing)} of the {len(VECTOR_NAMES)} "
            f"numbers of two vectors of the sentence encoder {encoder}",
            "fit them again with benchmarks/fit_alignment.py",
        )


def _parse_model(values: Mapping[str, float], names: Sequence[str]) -> LogisticModel:
    """Return a model with the columns `names`; a column without a weight counts nothing."""
    if unknown := set(values) - {*names, "bias"}:
        raise ModelError(f"weights.json has weights for unknown columns: {', '.join(sorted(unknown))}")
    weights = np.array([values.get(name, 0.0) for name in names], dtype=np.float32)
    return LogisticModel(weights, values.get("bias", 0.0))
