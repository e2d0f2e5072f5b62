"""The fitted constants of the alignment, read from `weights.json` beside this module."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from pipeline.align.evidence import LEXICAL_COLUMNS, SEMANTIC_COLUMNS, Columns
from pipeline.align.sequence_model import OrderPrices

# What is known of a placement once the whole episode has been weighed; see `describe_placements`.
PLACEMENT_NAMES = (
    *("mass_near", "mass_wide", "mass_log", "entered", "rival_mass", "onset", "onset_best", "talk", "talk_total"),
    *("in_order", "crowded", "boundary", "title_best", "text_best", "mass_best", "id_said", "phrase_best"),
    *("rarity", "unheard", "wordless", "title_edge", "text_edge", "mass_edge"),
    *("title_words", "described", "numbered", "typical_mass"),
    *("talk_some", "unheard_talk", "text_edge_mass"),
)
MEANING_PLACEMENT_NAMES = (
    *PLACEMENT_NAMES,
    *("mean_best", "mean_best_title", "mean_lead", "mean_edge", "mean_usual"),
    *("mean_here", "mean_share_here", "mean_lost", "mean_here_mass", "mean_edge_mass"),
    *("late_best_title", "late_best_text", "late_edge", "late_here", "late_share_here", "late_edge_mass"),
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
    left out, above `sure_from` its start is called confident, above `bare_sure_from` where the list gives headings
    alone and the talk dwells on each.
    """

    boundary: LinearModel
    onset: LinearModel
    prices: OrderPrices
    absent: LinearModel
    sure: LinearModel
    absent_from: float
    sure_from: float
    bare_sure_from: float


@cache
def load_weights(with_meaning: bool = False) -> Weights:
    """Return the fitted constants that come with the package, for use with sentence vectors or without."""
    data = json.loads(files("pipeline.align").joinpath("weights.json").read_text(encoding="utf-8"))
    return parse_weights(data["meaning" if with_meaning else "words"], with_meaning)


def parse_weights(data: Mapping[str, Mapping[str, float]], with_meaning: bool = False) -> Weights:
    """Return the constants held by a mapping of the shape of one half of `weights.json`."""
    names: Columns = SEMANTIC_COLUMNS if with_meaning else LEXICAL_COLUMNS
    placement = MEANING_PLACEMENT_NAMES if with_meaning else PLACEMENT_NAMES
    limits = data["limits"]
    return Weights(
        boundary=_parse_model(data["boundary"], names.boundaries),
        onset=_parse_model(data["onset"], names.onset),
        prices=OrderPrices(**data["prices"]),
        absent=_parse_model(data["absent"], placement),
        sure=_parse_model(data["sure"], placement),
        absent_from=limits["absent_from"],
        sure_from=limits["sure_from"],
        bare_sure_from=limits["bare_sure_from"],
    )


def _parse_model(values: Mapping[str, float], names: Sequence[str]) -> LinearModel:
    """Return a model whose columns are `names`; a column without a weight counts nothing."""
    if unknown := set(values) - {*names, "bias"}:
        raise ValueError(f"weights.json has weights for unknown columns: {', '.join(sorted(unknown))}")
    weights = np.array([values.get(name, 0.0) for name in names], dtype=np.float32)
    return LinearModel(weights, values.get("bias", 0.0))
