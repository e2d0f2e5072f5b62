"""How fast a list is gone through, and a clock that runs slower where it is gone through fast.

What tells a start is looked for over stretches of 6 to 120 s. Where each feature gets a quarter of a minute, such
stretches reach over its neighbours; so time is counted as if each got a minute.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.schema import Mention
from pipeline.sentences import Unit

# A feature counts as getting at least so many seconds, but time is stretched no more than so many times. Of 45, 60 and
# 75 s, written walkthroughs are placed best with 60; spoken ones alike with all three.
USUAL_S, MOST = 60.0, 3.0

Timed = TypeVar("Timed", Unit, Mention)


def measure_dwell(starts: NDArray[np.float64], count: int) -> float:
    """Return how many seconds of talk there are for each of `count` features; `starts` (units) are in seconds."""
    return float(starts[-1] - starts[0]) / count


def choose_clock(dwell: float) -> float:
    """Return by how much to stretch time, where each feature gets `dwell` seconds."""
    return min(MOST, max(1.0, USUAL_S / max(dwell, 1.0)))


def stretch_times(things: Sequence[Timed], factor: float) -> list[Timed]:
    """Return units or mentions on a clock that runs `factor` times as slow."""
    return [replace(one, start=one.start * factor, end=one.end * factor) for one in things]
