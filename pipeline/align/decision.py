"""What a person should look at in a feature list: each warning names the line and what to do."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.align.cues import find_outro, find_skipped
from pipeline.align.evidence import Matrix
from pipeline.align.explanations import explain_absence, explain_start, find_ground, quote_from, quote_words
from pipeline.align.inference import Weighing
from pipeline.align.placement_features import mark_order
from pipeline.align.units import Unit, seconds_per_feature
from pipeline.align.weights import PLACEMENT_NAMES, Weights
from pipeline.core.schema import RIGHT_S, Alignment, Feature, Mention, Method, Placement, Status

_ENOUGH = 8  # of fewer entries, many may really not be discussed

# The share of a list that is found, by the sum of confidences: .48 and more for 43 episodes of five shows with their
# own lists. Where a list is gone through fast, passages speak for themselves (`feedback`), those found for another
# episode's list too: .50 and less for 24 such pairs of spoken walkthroughs, .73 and more (by words .54) for right ones.
_FITS, _FITS_FAST = 0.45, 0.52
_FAST_S = 90.0  # seconds an entry


def check_fit(alignment: Alignment) -> Iterator[str]:
    """Yield a warning where so little of a list is found in the talk that it may be another episode's."""
    placements = alignment.placements
    starts = [one.start for one in placements if one.start is not None]
    found = sum(one.confidence for one in placements if one.start is not None)
    is_fast = bool(starts) and max(starts) - min(starts) < _FAST_S * len(placements)
    if len(placements) >= _ENOUGH and found < (_FITS_FAST if is_fast else _FITS) * len(placements):
        yield (
            f"little of this list is found in the talk (some {found:.0f} of {len(placements)} entries): "
            "check that it is this episode's"
        )


# That a feature is not discussed which hosts say they pass over is at least so likely: it was true of all three known.
PASSED_OVER = 0.8

# Where hosts dwell on a feature for longer, a heading's few words come up far from its start as well.
DWELL_S = 60.0

# Alternatives lie at least this far from the start and from each other, and are worth hearing from this mass on.
APART_S = 15.0
ALTERNATIVE_MASS = 0.05
ALTERNATIVES = 3

# A second passage worth naming in the reason has this share of the first one's probability.
RIVAL_SHARE = 0.4


@dataclass(frozen=True, slots=True)
class Decision:
    """Which features are `found`, one entry a feature, with the `times` of their starts in seconds.

    `ordered` are those told in the order of the list, `absent` and `sure` the probabilities that a feature is not
    discussed and that its start is right. Those `passed` over are named at their times, but not discussed.
    """

    times: NDArray[np.float64]
    found: NDArray[np.bool_]
    passed: NDArray[np.bool_]
    ordered: NDArray[np.bool_]
    absent: NDArray[np.float64]
    sure: NDArray[np.float64]


def decide_found(units: Sequence[Unit], weighing: Weighing, weights: Weights) -> Decision:
    """Return which features are discussed at all, and how sure that and their starts are."""
    absent = _squash(weights.absent.rate(weighing.rows))
    sure = _squash(weights.sure.rate(weighing.rows))
    # A text without a single telling word cannot be missed in the talk: its neighbours place it.
    wordless = weighing.rows[:, PLACEMENT_NAMES.index("wordless")] > 0
    found = (absent < weights.absent_from) | wordless
    times = weighing.evidence.starts[weighing.chosen]
    for row, start in weighing.given.items():
        found[row], times[row] = True, start
    passed = find_skipped(units, times, found)
    passed[list(weighing.given)] = False
    found &= ~passed
    absent = np.where(passed, np.maximum(absent, PASSED_OVER), absent)
    ordered = np.zeros(len(found), dtype=bool)
    ordered[found] = mark_order(times[found])
    return Decision(times, found, passed, ordered, absent, sure)


def decide_placements(
    units: Sequence[Unit],
    features: Sequence[Feature],
    mentions: Sequence[Mention],
    weighing: Weighing,
    weights: Weights,
) -> Alignment:
    """Return the placements: which features are left out, how sure the others are, and why."""
    decision = decide_found(units, weighing, weights)
    begun = sorted(set(decision.times[decision.found].tolist()))
    last = find_outro(units, begun[-1] if begun else 0.0) or max(unit.end for unit in units)
    placements = []
    for row, feature in enumerate(features):
        own = [mention for mention in mentions if mention.position == feature.position]
        if decision.found[row]:
            start = float(decision.times[row])
            end = next((later for later in begun if later > start), max(last, start))
            placement = _place_feature(feature, row, end, own, weighing, decision, weights)
            known = row in weighing.given
            quote = quote_from(units, start) if known else quote_words(units, int(weighing.chosen[row]))
            placements.append(replace(placement, quote=quote))
        else:
            passed = float(decision.times[row]) if decision.passed[row] else None
            method, reason = explain_absence(own, begun, passed)
            confidence = round(float(decision.absent[row]), 3)
            placements.append(Placement(feature.position, None, None, Status.NOT_FOUND, confidence, method, reason))
    return Alignment(tuple(placements))


def _place_feature(
    feature: Feature,
    row: int,
    end: float,
    mentions: Sequence[Mention],
    weighing: Weighing,
    decision: Decision,
    weights: Weights,
) -> Placement:
    """Return the placement of a feature that was found, still without its quote."""
    start = float(decision.times[row])
    ground = find_ground(weighing.evidence, row, int(weighing.chosen[row]), mentions, end)
    others = list_alternatives(weighing.evidence.starts, weighing.near[row], start)
    confidence = round(float(decision.sure[row]), 3)
    mass = float(weighing.near[row, weighing.chosen[row]])
    rival = find_rival(weighing.evidence.starts, weighing.near[row], start, others, mass)
    enough = demand_sureness(feature, seconds_per_feature(weighing.evidence.starts, len(weighing.rows)), weights)
    confident = confidence >= enough and ground.method is not Method.ORDER
    return Placement(
        position=feature.position,
        start=round(start, 3),
        end=round(end, 3),
        status=Status.CONFIDENT if confident else Status.REVIEW,
        confidence=confidence,
        method=ground.method,
        reason=explain_start(feature, start, ground, rival, bool(decision.ordered[row])),
        alternatives=others,
    )


def demand_sureness(feature: Feature, dwell: float, weights: Weights) -> float:
    """Return from which probability on a start is called confident, where each feature gets `dwell` seconds of talk."""
    return weights.bare_sure_from if dwell > DWELL_S and not feature.description else weights.sure_from


def list_alternatives(starts: NDArray[np.float64], near: NDArray[np.float64], start: float) -> tuple[float, ...]:
    """Return up to three other starts that fit, best first, apart from the start and from each other.

    `starts` (units) are in seconds, and `near` (units) is the probability of a start around each.
    """
    taken = [start]
    for unit in np.argsort(-near, kind="stable"):
        if near[unit] < ALTERNATIVE_MASS or len(taken) > ALTERNATIVES:
            break
        time = float(starts[unit])
        if all(abs(time - other) >= APART_S for other in taken):
            taken.append(time)
    return tuple(round(time, 3) for time in taken[1:])


def find_rival(
    starts: NDArray[np.float64], near: NDArray[np.float64], start: float, others: Sequence[float], mass: float
) -> float | None:
    """Return the first of `others` that is another place than `start`, if it has RIVAL_SHARE of that one's `mass`.

    `starts` (units) are in seconds, and `near` (units) is the probability of a start around each.
    """
    rival = next((other for other in others if abs(other - start) > RIGHT_S), None)
    if rival is None:
        return None
    # Alternatives are rounded to milliseconds.
    unit = int(np.searchsorted(starts, rival - 0.001))
    return rival if near[unit] >= RIVAL_SHARE * mass else None


def _squash(logits: Matrix) -> NDArray[np.float64]:
    """Return probabilities for log-odds."""
    return 1.0 / (1.0 + np.exp(-logits.astype(np.float64)))
