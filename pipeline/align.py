"""Find where each feature's discussion starts: one decision for the whole episode."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from pipeline.encoder import Encoder
from pipeline.evidence import Evidence, Matrix, measure_evidence
from pipeline.feedback import weigh_feedback
from pipeline.mentions import find_mentions
from pipeline.ordering import NO_FIXED, Posterior, gather_mass, weigh_order
from pipeline.outro import find_outro
from pipeline.pace import measure_dwell
from pipeline.passing import find_passed
from pipeline.placement import describe_placements, mark_order
from pipeline.reasons import explain_absence, explain_start, find_ground, quote_from, quote_words
from pipeline.schema import RIGHT_S, Alignment, Feature, Mention, Method, Placement, Status, Transcript
from pipeline.sentences import Unit, cut_sentences
from pipeline.vectors import SentenceVectors, compare_meaning, encode_units
from pipeline.weights import PLACEMENT_NAMES, Weights, load_weights

# A start is the unit with most probability inside the best window of this many seconds to either side.
NEAR_S = 4.0
# That a feature is not discussed which hosts say they pass over is at least so likely: it was true of all three known.
PASSED_OVER = 0.8
# A feature is named by this share of its title; what is put off comes again no sooner than this; log-odds it costs.
NAMED, AGAIN_S, PUT_OFF = 0.4, 45.0, 10.0
BEFORE_CUE_S, AFTER_CUE_S = 40.0, 6.0
# Of places whose probabilities are this even (their ratio), words decide where they differ by such log-odds.
EVEN, CLEAR_WORDS = 0.9, 3.0
# Seconds a feature: at this pace or faster, what sentences mean counts in full.
PACE_S = 40.0
# Where hosts dwell on a feature for longer, a heading's few words come up far from its start as well.
DWELL_S = 60.0
# Alternatives lie at least this far from the start and from each other, and are worth hearing from this mass on.
APART_S = 15.0
ALTERNATIVE_MASS = 0.05
ALTERNATIVES = 3
NO_STARTS: Mapping[int, float] = MappingProxyType({})
NO_ANCHORS: Mapping[int, float | None] = MappingProxyType({})
# A second passage worth naming in the reason has this share of the first one's probability.
RIVAL_SHARE = 0.4


@dataclass(frozen=True, slots=True)
class Weighing:
    """An episode weighed: `near` (features, units) is the probability that a feature starts within NEAR_S of a unit.

    `chosen` (features) is the best unit for each, and `rows` (features, columns) describe those placements, in the
    columns of `pipeline.weights`. `given` are starts in seconds that were known before, by row.
    """

    evidence: Evidence
    posterior: Posterior
    near: NDArray[np.float64]
    chosen: NDArray[np.int64]
    rows: Matrix
    given: Mapping[int, float] = field(default_factory=dict)


def align(
    transcript: Transcript,
    features: Sequence[Feature],
    *,
    encoder: Encoder | None = None,
    vectors: SentenceVectors | None = None,
    anchors: Mapping[int, float | None] = NO_ANCHORS,
) -> Alignment:
    """Return a placement for every feature, in list order; the same input gives the same output.

    With an encoder the meaning of sentences counts beside their words; `vectors` are those of the transcript, where
    they are at hand. `anchors` are starts in seconds that a person gave, by position, None for what is not discussed:
    they are kept to the letter, and the other features are placed around them.
    """
    # A time that the page already gives must not lead to itself.
    features = [replace(feature, published_s=None) for feature in features]
    units = cut_sentences(transcript)
    # What is known not to be discussed leaves the list: passing over it costs the others nothing.
    left = [feature for feature in features if anchors.get(feature.position, 0.0) is not None]
    if units and left:
        placed = _align_listed(units, left, transcript.language, encoder, vectors, anchors)
    else:
        placed = Alignment(tuple(_place_nowhere(feature) for feature in left))
    by_position = {placement.position: placement for placement in placed.placements}
    everything = [by_position.get(feature.position) or _place_nowhere(feature) for feature in features]
    return Alignment(tuple(_hold(one, anchors[one.position]) if one.position in anchors else one for one in everything))


def _align_listed(
    units: Sequence[Unit],
    features: Sequence[Feature],
    language: str | None,
    encoder: Encoder | None,
    vectors: SentenceVectors | None,
    anchors: Mapping[int, float | None],
) -> Alignment:
    """Return the placements of features that may all be discussed."""
    mentions = find_mentions(units, features, language)
    meaning = None
    if encoder is not None:
        meaning = compare_meaning(units, features, vectors or encode_units(units, encoder), encoder)
    weights = load_weights(meaning is not None)
    evidence = measure_evidence(units, features, mentions, language, meaning)
    given = {row: start for row, one in enumerate(features) if (start := anchors.get(one.position)) is not None}
    weighing = weigh_episode(evidence, weights, given)
    return decide_placements(units, features, mentions, weighing, weights)


def _place_nowhere(feature: Feature) -> Placement:
    """Return the placement of a feature in a transcript without speech, which proves nothing."""
    reason = "the transcript holds no speech"
    return Placement(feature.position, None, None, Status.NOT_FOUND, 0.5, Method.ORDER, reason)


def _hold(placement: Placement, start: float | None) -> Placement:
    """Return a placement as a person has it; who and why is for the caller to say."""
    end = placement.end if start is None else max(placement.end or start, start)
    return replace(
        placement,
        start=start,
        end=None if start is None else end,
        status=Status.CORRECTED,
        confidence=1.0,
        method=Method.CORRECTION,
        reason="not discussed, as a person says" if start is None else "starts here, as a person says",
        quote="" if start is None else placement.quote,
        alternatives=(),
    )


def find_units(starts: NDArray[np.float64], given: Mapping[int, float]) -> dict[int, int]:
    """Return the unit nearest to each known start, by row; where two would share one, the later takes the next.

    `starts` (units) and the values of `given` are in seconds.
    """
    fixed: dict[int, int] = {}
    for row, start in sorted(given.items(), key=lambda item: (item[1], item[0])):
        unit = int(np.abs(starts - start).argmin())
        while unit in fixed.values():
            unit += 1
        if unit < len(starts):
            fixed[row] = unit
    return fixed


def weigh_episode(evidence: Evidence, weights: Weights, given: Mapping[int, float] = NO_STARTS) -> Weighing:
    """Return all starts weighed against each other, and what the weighing says of each feature's best one.

    `given` are starts in seconds that are known, by row.
    """
    boundaries = rate_boundaries(evidence, weights)
    scores = np.stack([weights.onset.rate(pairs.astype(np.float32)) for pairs in evidence.pairs]).astype(np.float64)
    passages = evidence.passages.astype(np.float64)
    if evidence.meanings is not None:
        # Talk that dwells on each feature for minutes repeats the same evidence sentence after sentence.
        pace = min(1.0, PACE_S / max(measure_dwell(evidence.starts, len(passages)), 1.0))
        passages += weights.prices.meaning / weights.prices.passage * pace * evidence.meanings
    scores, passages = discount_put_off(evidence, scores, passages)

    def weigh(fixed: Mapping[int, int] = NO_FIXED) -> Posterior:
        first = weigh_order(scores, passages, boundaries.astype(np.float64), weights.prices, fixed)
        more = weigh_feedback(evidence, first.talks)
        if more is None:
            return first
        again = passages + more / weights.prices.passage
        return weigh_order(scores, again, boundaries.astype(np.float64), weights.prices, fixed)

    # How well list and talk fit each other is told by what is found unaided.
    typical = float(np.median(gather_mass(evidence.starts, weigh().starts, NEAR_S).max(axis=1))) if given else None
    posterior = weigh(find_units(evidence.starts, given))
    near = gather_mass(evidence.starts, posterior.starts, NEAR_S)
    chosen = choose_units(evidence.starts, posterior.starts, near, find_likeliest(evidence.starts, near, scores))
    rows = describe_placements(evidence, posterior, scores, boundaries, near, chosen, typical)
    return Weighing(evidence, posterior, near, chosen, rows, given)


def discount_put_off(
    evidence: Evidence, scores: NDArray[np.float64], passages: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return scores and passages (features, units) less what "let's save that for later" takes from a mention."""
    starts = evidence.starts
    heard = np.flatnonzero(evidence.boundaries[:, evidence.names.boundaries.index("put_off")])
    cue = np.zeros(len(starts))
    for unit in heard:
        # The name comes first, "but later" after it.
        cue[
            np.searchsorted(starts, starts[unit] - BEFORE_CUE_S) : np.searchsorted(starts, starts[unit] + AFTER_CUE_S)
        ] = 1.0
    index = evidence.names.pairs.index
    after, before = evidence.pairs[:, :, index("title_after_40")], evidence.pairs[:, :, index("title_before_15")]
    named = np.minimum(1.0, np.maximum(after, before) / NAMED)
    # Who says "later" of a feature that never comes up again speaks of something else.
    last = np.where(named >= 1.0, starts, -np.inf).max(axis=1, keepdims=True)
    share = np.where(starts < last - AGAIN_S, named * cue, 0.0)
    return scores - PUT_OFF * share, passages * (1.0 - share)


def rate_boundaries(evidence: Evidence, weights: Weights) -> Matrix:
    """Return the log-odds (units) that anything starts, and write them into the evidence's empty columns."""
    boundaries = np.clip(weights.boundary.rate(evidence.boundaries), -8.0, 4.0)
    index = evidence.names.pairs.index
    evidence.pairs[:, :, index("boundary")] = boundaries
    evidence.pairs[:, :, index("boundary_text")] = boundaries * evidence.pairs[:, :, index("text_after_40")]
    return boundaries


def find_likeliest(
    starts: NDArray[np.float64], near: NDArray[np.float64], scores: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return for every feature the unit at which its likeliest window is centred.

    Where order speaks for one window and words for another, the probabilities may be even; then words win.
    """
    likeliest: NDArray[np.int64] = near.argmax(axis=1)
    for row, unit in enumerate(likeliest):
        even = (near[row] >= EVEN * near[row, unit]) & (scores[row] >= scores[row, unit] + CLEAR_WORDS)
        even &= np.abs(starts - starts[unit]) > 2 * NEAR_S
        if even.any():
            likeliest[row] = np.where(even, near[row], -1.0).argmax()
    return likeliest


def choose_units(
    starts: NDArray[np.float64],
    posterior: NDArray[np.float64],
    near: NDArray[np.float64],
    likeliest: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return for every feature the likeliest unit inside its likeliest window; no two share one while others fit.

    `starts` (units) are in seconds, `posterior` and `near` (features, units) probabilities at and around a unit.
    """
    chosen = np.zeros(len(posterior), dtype=np.int64)
    free = np.ones(len(starts), dtype=bool)
    for row in np.argsort(-near.max(axis=1), kind="stable"):
        inside = np.abs(starts - starts[likeliest[row]]) <= NEAR_S
        if (inside & free).any():
            inside &= free
        units = np.flatnonzero(inside)
        chosen[row] = units[posterior[row, units].argmax()]
        free[chosen[row]] = False
    return chosen


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
    passed = find_passed(units, times, found)
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
    enough = demand_sureness(feature, measure_dwell(weighing.evidence.starts, len(weighing.rows)), weights)
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
