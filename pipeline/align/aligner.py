"""Find where each feature's discussion starts: one decision for the whole episode."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from pipeline.align.cues import phrases_digest
from pipeline.align.decision import decide_placements, leave_out
from pipeline.align.embeddings import TranscriptVectors, embed_episode, encode_units, select_features
from pipeline.align.encoder import Encoder
from pipeline.align.evidence import measure_evidence
from pipeline.align.inference import EpisodePosterior, infer_posterior
from pipeline.align.mentions import find_mentions
from pipeline.align.presence import Screening, screen_features
from pipeline.align.semantic import EpisodeVectors
from pipeline.align.units import Unit, split_units
from pipeline.align.weights import Weights, load_weights, weights_digest
from pipeline.core.errors import ModelError
from pipeline.core.schema import Alignment, Discussed, Feature, Mention, Method, Placement, Status, Transcript

# Raise this number with a change of the code that moves starts or changes their confidence. Changes of the fitted
# weights and of the phrases of hosts are part of `alignment_version` by themselves.
ALGORITHM_REVISION = 5

# Default of `anchors`: a person gave no start.
NO_ANCHORS: Mapping[int, float | None] = MappingProxyType({})

# Confidence that a feature is not discussed in a transcript without speech, which proves nothing.
_EVEN_CHANCE = 0.5


@cache
def alignment_version() -> str:
    """Return a SHA-256 that changes whenever the same input may give another alignment.

    It covers the fitted weights, the phrases of hosts and ALGORITHM_REVISION, but not the sentence encoder.
    """
    parts = (str(ALGORITHM_REVISION), weights_digest(), phrases_digest())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def align(
    transcript: Transcript,
    features: Sequence[Feature],
    *,
    encoder: Encoder | None = None,
    vectors: TranscriptVectors | None = None,
    anchors: Mapping[int, float | None] = NO_ANCHORS,
    weights: Weights | None = None,
    discussed: Discussed | None = None,
) -> Alignment:
    """Return a placement for every feature, in list order; the same input gives the same output.

    Args:
        transcript: The episode's transcript.
        features: Entries of the episode's feature list. Times that the list gives are ignored.
        encoder: Sentence encoder, or None to align by words alone.
        vectors: Vectors of the transcript's sentences, made by `encoder`; computed if left out.
        anchors: Starts in seconds that a person gave, by position; None marks a feature that is not discussed. Anchors
            are kept exactly, and the other features are placed around them.
        weights: Weights fitted to `encoder`; those of the package if left out.
        discussed: How much of the list is discussed, where a person knows it; inferred if None.

    Raises:
        ModelError: The weights or the vectors are of another encoder than `encoder`.
    """
    weights = _choose_weights(encoder, vectors, weights)
    # A published time must not decide its own confirmation.
    features = [replace(feature, published_s=None) for feature in features]
    units = split_units(transcript)
    # A feature that a person marked as not discussed leaves the list: to skip it costs the others nothing.
    listed = [feature for feature in features if anchors.get(feature.position, 0.0) is not None]
    aligned = Alignment(())
    if units and listed:
        meaning = None
        if encoder is not None:
            meaning = embed_episode(units, listed, vectors or encode_units(units, encoder), encoder)
        aligned = _align_listed(units, listed, transcript.language, meaning, anchors, weights, discussed)
    placements = {placement.position: placement for placement in aligned.placements}
    result = []
    for feature in features:
        placement = placements.get(feature.position) or _leave_out(feature)
        anchored = feature.position in anchors
        result.append(_anchor_placement(placement, anchors[feature.position]) if anchored else placement)
    return Alignment(tuple(result), aligned.expected_discussed)


def _choose_weights(encoder: Encoder | None, vectors: TranscriptVectors | None, weights: Weights | None) -> Weights:
    """Return the weights to align with; ModelError if weights or vectors are not those of the encoder."""
    name = None if encoder is None else encoder.name
    if weights is None:
        weights = load_weights(name)
    weights.require_encoder(name)
    if encoder is not None and vectors is not None and vectors.encoder != name:
        raise ModelError(
            f"the sentence vectors are of the encoder {vectors.encoder}, not of {name}", "compute them again"
        )
    return weights


def _align_listed(
    units: Sequence[Unit],
    features: Sequence[Feature],
    language: str | None,
    vectors: EpisodeVectors | None,
    anchors: Mapping[int, float | None],
    weights: Weights,
    discussed: Discussed | None,
) -> Alignment:
    """Return the placements of features that may all be discussed."""
    mentions: dict[int, list[Mention]] = {feature.position: [] for feature in features}
    for mention in find_mentions(units, features, language):
        mentions[mention.position].append(mention)

    def infer(rows: NDArray[np.int64], expected: float | None) -> EpisodePosterior:
        listed = [features[row] for row in rows]
        own = [mention for feature in listed for mention in mentions[feature.position]]
        selected = None if vectors is None else select_features(vectors, rows)
        evidence = measure_evidence(units, listed, own, language, selected, expected)
        starts = ((row, anchors.get(feature.position)) for row, feature in enumerate(listed))
        return infer_posterior(evidence, weights, {row: start for row, start in starts if start is not None})

    seconds = units[-1].start - units[0].start
    anchored = [row for row, feature in enumerate(features) if feature.position in anchors]
    screening = screen_features(infer, len(features), seconds, weights, discussed, anchored)
    listed = [features[row] for row in screening.rows]
    if screening.p_present is None:
        own = [mention for feature in listed for mention in mentions[feature.position]]
        return decide_placements(units, listed, own, screening.posterior, weights)
    return _decide_ledger(units, features, mentions, screening, screening.p_present, weights)


def _decide_ledger(
    units: Sequence[Unit],
    features: Sequence[Feature],
    mentions: Mapping[int, Sequence[Mention]],
    screening: Screening,
    p_present: NDArray[np.float64],
    weights: Weights,
) -> Alignment:
    """Return the placements of a list of which only a part is discussed; `mentions` are by position."""
    listed = [features[row] for row in screening.rows]
    own = [mention for feature in listed for mention in mentions[feature.position]]
    alignment = decide_placements(units, listed, own, screening.posterior, weights, p_present[screening.rows])
    placements = {placement.position: placement for placement in alignment.placements}
    starts = sorted(placement.start for placement in alignment.placements if placement.start is not None)
    for feature, present in zip(features, p_present, strict=True):
        if feature.position not in placements:
            left_out = leave_out(feature, mentions[feature.position], starts, 1.0 - float(present))
            placements[feature.position] = left_out
    return Alignment(tuple(placements[feature.position] for feature in features), screening.expected)


def _leave_out(feature: Feature) -> Placement:
    """Return the placement of a feature where there is no speech to place it in."""
    reason = "the transcript holds no speech"
    return Placement(feature.position, None, None, Status.NOT_FOUND, _EVEN_CHANCE, Method.ORDER, reason)


def _anchor_placement(placement: Placement, start: float | None) -> Placement:
    """Return a placement with the start that a person gave; the caller adds who gave it and why."""
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
