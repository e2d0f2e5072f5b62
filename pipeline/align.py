"""Find where each feature's discussion starts: one decision for the whole episode."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.evidence import ITEM_NAMES, PAIR_NAMES, Evidence, Matrix, measure_evidence
from pipeline.mentions import find_mentions
from pipeline.ordering import Posterior, gather_mass, weigh_order
from pipeline.reasons import explain_absence, explain_start, find_ground, quote_words
from pipeline.schema import Alignment, Feature, Mention, Method, Placement, Status, Transcript
from pipeline.sentences import Unit, cut_sentences
from pipeline.weights import PLACEMENT_NAMES, Weights, load_weights

# A start is the unit with most probability inside the best window of this many seconds to either side.
NEAR_S = 4.0
# "The right place" in the sense of the catalog's confidence.
WIDE_S = 30.0
# Alternatives lie at least this far from the start and from each other, and are worth hearing from this mass on.
APART_S = 15.0
ALTERNATIVE_MASS = 0.05
ALTERNATIVES = 3
# A second passage worth naming in the reason has this share of the first one's probability.
RIVAL_SHARE = 0.4
_EDGES = ("title", "text", "mass")


@dataclass(frozen=True, slots=True)
class Weighing:
    """An episode weighed: `rows` (features, len(PLACEMENT_NAMES)) describe the placements at units `chosen`."""

    evidence: Evidence
    posterior: Posterior
    near: NDArray[np.float64]
    chosen: NDArray[np.int64]
    rows: Matrix


def align(transcript: Transcript, features: Sequence[Feature]) -> Alignment:
    """Return a placement for every feature, in list order; the same input gives the same output."""
    # A time that the page already gives must not lead to itself.
    features = [replace(feature, published_s=None) for feature in features]
    units = cut_sentences(transcript)
    if not units or not features:
        return Alignment(tuple(_place_nowhere(feature) for feature in features))
    mentions = find_mentions(units, features, transcript.language)
    weights = load_weights()
    evidence = measure_evidence(units, features, mentions, transcript.language)
    weighing = weigh_episode(evidence, weights)
    return decide_placements(units, features, mentions, weighing, weights)


def _place_nowhere(feature: Feature) -> Placement:
    """Return the placement of a feature in a transcript without speech, which proves nothing."""
    reason = "the transcript holds no speech"
    return Placement(feature.position, None, None, Status.NOT_FOUND, 0.5, Method.ORDER, reason)


def weigh_episode(evidence: Evidence, weights: Weights) -> Weighing:
    """Return all starts weighed against each other, and what the weighing says of each feature's best one."""
    boundaries = rate_boundaries(evidence, weights)
    scores = weights.onset.rate(evidence.pairs).astype(np.float64)
    passages = evidence.passages.astype(np.float64)
    posterior = weigh_order(scores, passages, boundaries.astype(np.float64), weights.prices)
    near = gather_mass(evidence.starts, posterior.starts, NEAR_S)
    chosen = choose_units(evidence.starts, posterior.starts, near)
    rows = describe_placements(evidence, posterior, scores, boundaries, near, chosen)
    return Weighing(evidence, posterior, near, chosen, rows)


def rate_boundaries(evidence: Evidence, weights: Weights) -> Matrix:
    """Return the log-odds (units) that anything starts, and write them into the evidence's empty columns."""
    boundaries = np.clip(weights.boundary.rate(evidence.boundaries), -8.0, 4.0)
    index = PAIR_NAMES.index
    evidence.pairs[:, :, index("boundary")] = boundaries
    evidence.pairs[:, :, index("boundary_text")] = boundaries * evidence.pairs[:, :, index("text_after_40")]
    return boundaries


def choose_units(
    starts: NDArray[np.float64], posterior: NDArray[np.float64], near: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return for every feature the likeliest unit inside its likeliest window; no two share one while others fit."""
    chosen = np.zeros(len(posterior), dtype=np.int64)
    free = np.ones(len(starts), dtype=bool)
    for row in np.argsort(-near.max(axis=1), kind="stable"):
        inside = np.abs(starts - starts[near[row].argmax()]) <= NEAR_S
        if (inside & free).any():
            inside &= free
        units = np.flatnonzero(inside)
        chosen[row] = units[posterior[row, units].argmax()]
        free[chosen[row]] = False
    return chosen


def describe_placements(
    evidence: Evidence,
    posterior: Posterior,
    scores: NDArray[np.float64],
    boundaries: Matrix,
    near: NDArray[np.float64],
    chosen: NDArray[np.int64],
) -> Matrix:
    """Return (features, len(PLACEMENT_NAMES)): what tells right placements from wrong and absent features."""
    starts, every = evidence.starts, np.arange(len(chosen))
    wide = gather_mass(starts, posterior.starts, WIDE_S)
    times = starts[chosen]
    far = np.where(np.abs(starts[None, :] - times[:, None]) > 2 * WIDE_S, wide, 0.0)
    lengths = np.diff(starts, append=starts[-1] + 1.0)
    gap = max(1.0, (starts[-1] - starts[0]) / max(1, len(chosen)))
    apart = np.abs(times[:, None] - times[None, :]) + 1e9 * np.eye(len(chosen))
    top = scores.max(axis=1, keepdims=True)
    onset = scores - top - np.log(np.exp(scores - top).mean(axis=1, keepdims=True))
    items = dict(zip(ITEM_NAMES, evidence.items.T, strict=True))
    values = {
        "mass_near": near[every, chosen],
        "mass_wide": wide[every, chosen],
        "mass_log": np.log(near[every, chosen] + 1e-4),
        "entered": np.minimum(posterior.starts.sum(axis=1), 2.0),
        "rival_mass": far.max(axis=1),
        "onset": onset[every, chosen],
        "onset_best": top[:, 0],
        "talk": gather_talk(starts, posterior.talks, chosen),
        "talk_total": np.minimum((posterior.talks * lengths).sum(axis=1) / gap, 3.0),
        "in_order": mark_order(times),
        "crowded": apart.min(axis=1) < 6.0,
        "boundary": boundaries[chosen],
        "wordless": items["rarity"] < 0.05,
        # How well a feature's words are met, against what is usual in this episode.
        **{f"{name}_edge": items[f"{name}_best"] - np.median(items[f"{name}_best"]) for name in _EDGES},
        **{name: items[name] for name in PLACEMENT_NAMES if name in items},
    }
    return np.column_stack([values[name] for name in PLACEMENT_NAMES]).astype(np.float32)


def gather_talk(
    starts: NDArray[np.float64], talks: NDArray[np.float64], chosen: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return how much of the half minute after each chosen unit belongs to its feature."""
    stop = np.searchsorted(starts, starts[chosen] + WIDE_S, side="right")
    return np.array([talks[row, unit : stop[row]].mean() for row, unit in enumerate(chosen)])


def mark_order(times: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which features belong to the longest run of the list that rises in time."""
    count = len(times)
    length, before = np.ones(count, dtype=int), np.full(count, -1)
    for row in range(count):
        for earlier in range(row):
            if times[earlier] <= times[row] and length[earlier] + 1 > length[row]:
                length[row], before[row] = length[earlier] + 1, earlier
    marks = np.zeros(count, dtype=bool)
    row = int(length.argmax()) if count else -1
    while row >= 0:
        marks[row] = True
        row = before[row]
    return marks


@dataclass(frozen=True, slots=True)
class Decision:
    """Which features are placed: times in seconds and probabilities, one entry a feature."""

    times: NDArray[np.float64]
    found: NDArray[np.bool_]
    ordered: NDArray[np.bool_]
    absent: NDArray[np.float64]
    sure: NDArray[np.float64]


def decide_found(weighing: Weighing, weights: Weights) -> Decision:
    """Return which features are discussed at all, and how sure that and their starts are."""
    absent = _squash(weights.absent.rate(weighing.rows))
    sure = np.minimum(_squash(weights.sure.rate(weighing.rows)), 1.0 - absent)
    # A text without a single telling word cannot be missed in the talk: its neighbours place it.
    wordless = weighing.rows[:, PLACEMENT_NAMES.index("wordless")] > 0
    found = (absent < weights.absent_from) | wordless
    times = weighing.evidence.starts[weighing.chosen]
    ordered = np.zeros(len(found), dtype=bool)
    ordered[found] = mark_order(times[found])
    return Decision(times, found, ordered, absent, sure)


def decide_placements(
    units: Sequence[Unit],
    features: Sequence[Feature],
    mentions: Sequence[Mention],
    weighing: Weighing,
    weights: Weights,
) -> Alignment:
    """Return the placements: which features are left out, how sure the others are, and why."""
    decision = decide_found(weighing, weights)
    last = max(unit.end for unit in units)
    begun = sorted(set(decision.times[decision.found].tolist()))
    placements = []
    for row, feature in enumerate(features):
        own = [mention for mention in mentions if mention.position == feature.position]
        if decision.found[row]:
            start = float(decision.times[row])
            end = next((later for later in begun if later > start), max(last, start))
            placement = _place_feature(feature, row, end, own, weighing, decision, weights)
            placements.append(replace(placement, quote=quote_words(units, int(weighing.chosen[row]))))
        else:
            method, reason = explain_absence(own, begun)
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
    rival = next((other for other in others if abs(other - start) > WIDE_S), None)
    if rival is not None:
        unit = int(np.searchsorted(weighing.evidence.starts, rival - 0.001))
        rival = rival if weighing.near[row, unit] >= RIVAL_SHARE * weighing.rows[row, 0] else None
    confident = confidence >= weights.sure_from and ground.method is not Method.ORDER
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


def list_alternatives(starts: NDArray[np.float64], near: NDArray[np.float64], start: float) -> tuple[float, ...]:
    """Return up to three other starts that fit, best first, apart from the start and from each other."""
    taken = [start]
    for unit in np.argsort(-near, kind="stable"):
        if near[unit] < ALTERNATIVE_MASS or len(taken) > ALTERNATIVES:
            break
        time = float(starts[unit])
        if all(abs(time - other) >= APART_S for other in taken):
            taken.append(time)
    return tuple(round(time, 3) for time in taken[1:])


def _squash(logits: Matrix) -> NDArray[np.float64]:
    """Return probabilities for log-odds."""
    return 1.0 / (1.0 + np.exp(-logits.astype(np.float64)))
