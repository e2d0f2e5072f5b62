"""The fitted constants of the alignment, read from `weights.json` beside this module."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from pipeline.boundaries import BOUNDARY_NAMES
from pipeline.evidence import PAIR_NAMES
from pipeline.ordering import OrderPrices

# What is known of a placement once the whole episode has been weighed; see `pipeline.align.describe_placements`.
PLACEMENT_NAMES = (
    *("mass_near", "mass_wide", "mass_log", "entered", "rival_mass", "onset", "onset_best", "talk", "talk_total"),
    *("in_order", "crowded", "boundary", "title_best", "text_best", "mass_best", "id_said", "phrase_best"),
    *("rarity", "unheard", "wordless", "title_edge", "text_edge", "mass_edge"),
)


@dataclass(frozen=True, slots=True)
class LinearModel:
    """A logistic regression: one weight for each named column, and what is added."""

    weights: NDArray[np.float32]
    bias: float

    def rate(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the log-odds of rows whose last axis are the model's columns."""
        logits: NDArray[np.float32] = rows @ self.weights + np.float32(self.bias)
        return logits


@dataclass(frozen=True, slots=True)
class Weights:
    """Everything `benchmarks/fit_alignment.py` fits.

    `boundary` says whether anything starts at a unit, `onset` whether a given feature does, `absent` whether a
    feature is not discussed, `sure` whether a start is within 30 s of the truth. Above `absent_from` a feature is
    left out, above `sure_from` its start is called confident.
    """

    boundary: LinearModel
    onset: LinearModel
    prices: OrderPrices
    absent: LinearModel
    sure: LinearModel
    absent_from: float
    sure_from: float


@cache
def load_weights() -> Weights:
    """Return the fitted constants that come with the package."""
    return parse_weights(json.loads(files("pipeline").joinpath("weights.json").read_text(encoding="utf-8")))


def parse_weights(data: Mapping[str, Mapping[str, float]]) -> Weights:
    """Return the constants held by a mapping of the shape of `weights.json`."""
    limits = data["limits"]
    return Weights(
        boundary=_parse_model(data["boundary"], BOUNDARY_NAMES),
        onset=_parse_model(data["onset"], PAIR_NAMES),
        prices=OrderPrices(**data["prices"]),
        absent=_parse_model(data["absent"], PLACEMENT_NAMES),
        sure=_parse_model(data["sure"], PLACEMENT_NAMES),
        absent_from=limits["absent_from"],
        sure_from=limits["sure_from"],
    )


def _parse_model(values: Mapping[str, float], names: Sequence[str]) -> LinearModel:
    """Return a model whose columns are `names`; a column without a weight counts nothing."""
    if unknown := set(values) - {*names, "bias"}:
        raise ValueError(f"weights.json has weights for unknown columns: {', '.join(sorted(unknown))}")
    weights = np.array([values.get(name, 0.0) for name in names], dtype=np.float32)
    return LinearModel(weights, values.get("bias", 0.0))
