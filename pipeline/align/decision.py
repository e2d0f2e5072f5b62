"""Decide which features are discussed and where, how confident each placement is, and what it says of itself."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.align.cues import find_outro, find_skipped
from pipeline.align.explanations import explain_absence, explain_start, find_rationale, quote_from, quote_words
from pipeline.align.inference import EpisodePosterior
from pipeline.align.placement_features import mark_order
from pipeline.align.units import Unit
from pipeline.align.weights import PLACEMENT_NAMES, Thresholds, Weights
from pipeline.core.schema import RIGHT_S, Alignment, Feature, Mention, Method, Placement, Status

# Entries from which on `check_fit` checks a list: in a shorter one, many entries may really not be discussed.
MIN_ENTRIES = 8

# Share of a list that must be found, by the sum of confidences: 43 episodes of five shows reach .48 and more with their
# own lists.
MIN_SHARE = 0.45

# The same for fast lists, where relevance feedback also finds passages for another episode's list: 24 such pairs of
# spoken walkthroughs reach .50 and less, the right pairs .73 and more (.54 by words alone).
MIN_SHARE_FAST = 0.52

# Seconds an entry below which a list counts as fast.
FAST_PACE_S = 90.0

# Confident starts from which on a list that is discussed in part is the episode's own: of another episode's list, one
# start can be confident by chance.
MIN_CONFIDENT = 2

# Smallest `p_absent` of a feature that hosts say they skip; in all three known cases it was not discussed.
SKIPPED_P_ABSENT = 0.8

# Probability of being discussed from which on a feature of a ledger is placed.
LEAST_PRESENCE = 0.5

# Seconds a feature above which a bare title needs more confidence: its few words also occur far from its start.
SLOW_PACE_S = 60.0

# Smallest distance in seconds of an alternative from the start and from other alternatives.
APART_S = 15.0

# Probability mass from which on a place is an alternative.
ALTERNATIVE_MASS = 0.05

# Largest number of alternatives of a placement.
MAX_ALTERNATIVES = 3

# Share of the start's mass from which on another place is named in the reason.
RUNNER_UP_SHARE = 0.4

# Seconds by which an alternative may lie after its unit: alternatives are rounded to milliseconds.
_ROUNDING_S = 0.001


Probabilities = NDArray[np.float64]


def check_fit(alignment: Alignment) -> Iterator[str]:
    """Yield a warning if few of a list's features are found: the list may be another episode's.

    Of a list that is discussed in part, the number of confident starts decides: another episode's has one at most.
    """
    placements = alignment.placements
    confident = sum(placement.status is Status.CONFIDENT for placement in placements)
    if alignment.expected_discussed is not None and confident >= MIN_CONFIDENT:
        return
    starts = [placement.start for placement in placements if placement.start is not None]
    found = sum(placement.confidence for placement in placements if placement.start is not None)
    is_fast = bool(starts) and max(starts) - min(starts) < FAST_PACE_S * len(placements)
    if len(placements) >= MIN_ENTRIES and found < (MIN_SHARE_FAST if is_fast else MIN_SHARE) * len(placements):
        yield (
            f"few features of this list are found in the transcript (about {found:.0f} of {len(placements)}): "
            "check that it is this episode's list"
        )


def describe_share(alignment: Alignment) -> str:
    """Return `31 of 300 entries seem to be discussed here`."""
    total = len(alignment.placements)
    found = sum(placement.start is not None for placement in alignment.placements)
    number = found if alignment.expected_discussed is None else round(alignment.expected_discussed)
    return f"{number} of {total} {'entries seem' if total != 1 else 'entry seems'} to be discussed here"


@dataclass(frozen=True, slots=True)
class EpisodeDecision:
    """What was decided for each feature; every array has one value a feature.

    Attributes:
        times: Starts in seconds.
        discussed: Whether the feature is discussed.
        skipped: Whether hosts name the feature at its time only to say that they skip it.
        in_order: Whether the feature is discussed in the order of the list.
        p_absent: Probability that the feature is not discussed.
        p_correct: Probability that its start is right.
    """

    times: NDArray[np.float64]
    discussed: NDArray[np.bool_]
    skipped: NDArray[np.bool_]
    in_order: NDArray[np.bool_]
    p_absent: NDArray[np.float64]
    p_correct: NDArray[np.float64]


def decide_discussed(
    units: Sequence[Unit], posterior: EpisodePosterior, weights: Weights, p_present: Probabilities | None = None
) -> EpisodeDecision:
    """Return which features are discussed, and the probabilities that this and their starts are right.

    `p_present` (features) is the probability that a feature is discussed, for a list of which only a part is.
    """
    p_absent = weights.absent_classifier.probabilities(posterior.rows)
    p_correct = weights.correct_classifier.probabilities(posterior.rows)
    if p_present is None:
        # A title without a content word cannot be missed in the transcript: its neighbors place it.
        wordless = posterior.rows[:, PLACEMENT_NAMES.index("wordless")] > 0
        discussed = (p_absent < weights.thresholds.absent) | wordless
    else:
        discussed = p_present >= LEAST_PRESENCE
        p_absent, p_correct = 1.0 - p_present, p_correct * p_present
    times = posterior.evidence.starts[posterior.chosen]
    for row, start in posterior.anchors.items():
        discussed[row], times[row] = True, start
    skipped = find_skipped(units, times, discussed)
    skipped[list(posterior.anchors)] = False
    discussed &= ~skipped
    p_absent = np.where(skipped, np.maximum(p_absent, SKIPPED_P_ABSENT), p_absent)
    in_order = np.zeros(len(discussed), dtype=bool)
    in_order[discussed] = mark_order(times[discussed])
    return EpisodeDecision(times, discussed, skipped, in_order, p_absent, p_correct)


def decide_placements(
    units: Sequence[Unit],
    features: Sequence[Feature],
    mentions: Sequence[Mention],
    posterior: EpisodePosterior,
    weights: Weights,
    p_present: Probabilities | None = None,
) -> Alignment:
    """Return a placement for every feature: where it is discussed or that it is not, with confidence and reason.

    `p_present` (features) is the probability that a feature is discussed, for a list of which only a part is.
    """
    decision = decide_discussed(units, posterior, weights, p_present)
    starts = sorted(set(decision.times[decision.discussed].tolist()))
    last_end = find_outro(units, starts[-1] if starts else 0.0) or max(unit.end for unit in units)
    placements = []
    for row, feature in enumerate(features):
        own = [mention for mention in mentions if mention.position == feature.position]
        if decision.discussed[row]:
            start = float(decision.times[row])
            end = next((later for later in starts if later > start), max(last_end, start))
            placement = _place_feature(feature, row, end, own, posterior, decision, weights.thresholds)
            anchored = row in posterior.anchors
            quote = quote_from(units, start) if anchored else quote_words(units, int(posterior.chosen[row]))
            placements.append(replace(placement, quote=quote))
        else:
            skipped_at = float(decision.times[row]) if decision.skipped[row] else None
            placements.append(leave_out(feature, own, starts, float(decision.p_absent[row]), skipped_at))
    return Alignment(tuple(placements))


def leave_out(
    feature: Feature,
    mentions: Sequence[Mention],
    starts: Sequence[float],
    p_absent: float,
    skipped_at: float | None = None,
) -> Placement:
    """Return the placement of a feature that is not discussed.

    Args:
        feature: The feature.
        mentions: Its mentions, in order of time.
        starts: Starts of the other features, in seconds and in order of time.
        p_absent: Probability that it is not discussed.
        skipped_at: Second at which hosts say that they skip the feature, or None.
    """
    method, reason = explain_absence(mentions, starts, skipped_at)
    return Placement(feature.position, None, None, Status.NOT_FOUND, round(p_absent, 3), method, reason)


def _place_feature(
    feature: Feature,
    row: int,
    end: float,
    mentions: Sequence[Mention],
    posterior: EpisodePosterior,
    decision: EpisodeDecision,
    thresholds: Thresholds,
) -> Placement:
    """Return the placement of a feature that is discussed, without its quote."""
    starts, window_mass = posterior.evidence.starts, posterior.window_mass[row]
    start, unit = float(decision.times[row]), int(posterior.chosen[row])
    rationale = find_rationale(posterior.evidence, row, unit, mentions, end)
    alternatives = list_alternatives(starts, window_mass, start)
    runner_up = find_runner_up(starts, window_mass, start, alternatives, float(window_mass[unit]))
    confidence = round(float(decision.p_correct[row]), 3)
    threshold = confidence_threshold(feature, posterior.evidence.pace_s, thresholds)
    is_confident = confidence >= threshold and rationale.method is not Method.ORDER
    return Placement(
        position=feature.position,
        start=round(start, 3),
        end=round(end, 3),
        status=Status.CONFIDENT if is_confident else Status.REVIEW,
        confidence=confidence,
        method=rationale.method,
        reason=explain_start(feature, start, rationale, runner_up, bool(decision.in_order[row])),
        alternatives=alternatives,
    )


def confidence_threshold(feature: Feature, pace_s: float, thresholds: Thresholds) -> float:
    """Return the probability from which on a start is confident; the episode has `pace_s` seconds a feature."""
    is_bare = pace_s > SLOW_PACE_S and not feature.description
    return thresholds.confident_bare_title if is_bare else thresholds.confident


def list_alternatives(starts: NDArray[np.float64], window_mass: NDArray[np.float64], start: float) -> tuple[float, ...]:
    """Return up to MAX_ALTERNATIVES other starts, likeliest first, APART_S from the start and from each other.

    `starts` (units) are in seconds, `window_mass` (units) is the probability of a start around each unit. The result
    is in seconds, rounded to milliseconds.
    """
    taken = [start]
    for unit in np.argsort(-window_mass, kind="stable"):
        if window_mass[unit] < ALTERNATIVE_MASS or len(taken) > MAX_ALTERNATIVES:
            break
        time = float(starts[unit])
        if all(abs(time - other) >= APART_S for other in taken):
            taken.append(time)
    return tuple(round(time, 3) for time in taken[1:])


def find_runner_up(
    starts: NDArray[np.float64],
    window_mass: NDArray[np.float64],
    start: float,
    alternatives: Sequence[float],
    mass: float,
) -> float | None:
    """Return the likeliest alternative further than RIGHT_S from `start`, or None if it is much less likely.

    It must have RUNNER_UP_SHARE of `mass`, the probability of a start around `start`. `starts` (units) are in seconds,
    `window_mass` (units) is the probability of a start around each unit.
    """
    runner_up = next((other for other in alternatives if abs(other - start) > RIGHT_S), None)
    if runner_up is None:
        return None
    unit = int(np.searchsorted(starts, runner_up - _ROUNDING_S))
    return runner_up if window_mass[unit] >= RUNNER_UP_SHARE * mass else None
