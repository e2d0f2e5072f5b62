"""Tell which features are named only to say that they are passed over."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.sentences import Unit

# Passing over is done within so many seconds; who talks for longer discusses the feature after all.
LONGEST_S = 15.0
# The words for it begin at most so long before the feature's start and after it: later ones are about another feature.
LEAD_S, BREATH_S = 1.0, 6.0
# Hosts speak of themselves; what "you can skip" is most likely the feature.
_HOSTS = r"\b(?:i|we)(?:'ll|'m|'re|'ve|'d| will| have)?(?: just| also| only| probably)? "
_SKIP = r"(?:skip(?:ped|ping)?|(?:jump|pass|step)(?:ed|ing)? over)"
PASSING = re.compile(
    rf"{_HOSTS}(?:(?:gonna|going to|have to|had to|want to) )?{_SKIP}\b|\blet(?:'s|s| me| us) (?:just )?{_SKIP}\b"
    rf"|{_HOSTS}(?:leave|leaving|left) (?:\w+ ){{0,5}}out\b(?! of)"
    r"|\b(?:i|we) don't (?:do|use|sell|run) (?!it |that |this |them |you )\w|\b(?:neither|none) of us\b"
    r"|\b(?:won't|not going to|not gonna) (?:cover|discuss|go into|talk about|read)\b"
    r"|\b(?:didn't|couldn't|never) (?:get|got|come|came) (?:a?round )?to (?:it|that|this|them|those|trying|testing)\b"
    r"|\byou can (?:\w+ )?(?:read|look at|find) (?:\w+ ){0,3}(?:yourself|yourselves)\b|\bin your own time\b"
)

Times = NDArray[np.float64]


def find_passed(units: Sequence[Unit], times: Times, found: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which of the features that are `found` at `times`, in seconds, are only passed over there. English only.

    One counts as such if hosts say right away that they skip it or leave it out, and the next one found, or the end,
    is near.
    """
    heard = np.array([unit.start for unit in units if PASSING.search(unit.folded)])
    passed = np.zeros(len(times), dtype=bool)
    stops = np.append(np.sort(times[found]), max((unit.end for unit in units), default=0.0))
    for row in np.flatnonzero(found):
        start = times[row]
        stop = stops[np.searchsorted(stops, start, side="right") :].min(initial=np.inf)
        said = (heard >= start - LEAD_S) & (heard < min(stop, start + BREATH_S))
        passed[row] = stop - start <= LONGEST_S and bool(said.any())
    return passed
