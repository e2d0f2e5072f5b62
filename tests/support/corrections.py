"""Corrections that tests save."""

from pipeline.core.corrections import Correction


def moved(start: float, **settings: object) -> Correction:
    """Return a decision that moves a feature to `start` seconds."""
    return Correction.model_validate({"decision": "moved", "start": start, **settings})
