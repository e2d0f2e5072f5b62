"""Find where each feature's discussion starts: one decision for the whole episode."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from types import MappingProxyType

from pipeline.align.cues import phrases_digest
from pipeline.align.decision import decide_placements
from pipeline.align.embeddings import TranscriptVectors, embed_episode, encode_units
from pipeline.align.encoder import Encoder
from pipeline.align.evidence import measure_evidence
from pipeline.align.inference import infer_posterior
from pipeline.align.mentions import find_mentions
from pipeline.align.semantic import EpisodeVectors
from pipeline.align.units import Unit, split_units
from pipeline.align.weights import Weights, load_weights, weights_digest
from pipeline.core.errors import ModelError
from pipeline.core.schema import Alignment, Discussed, Feature, Method, Placement, Status, Transcript

# Raise this number with a change of the code that moves starts or changes their confidence. Changes of the fitted
# weights and of the phrases of hosts are part of `alignment_version` by themselves.
ALGORITHM_REVISION = 4

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
    discussed: Discussed | None = None,  # noqa: ARG001
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
    placements: dict[int, Placement] = {}
    if units and listed:
        meaning = None
        if encoder is not None:
            meaning = embed_episode(units, listed, vectors or encode_units(units, encoder), encoder)
        aligned = _align_listed(units, listed, transcript.language, meaning, anchors, weights)
        placements = {placement.position: placement for placement in aligned.placements}
    result = []
    for feature in features:
        placement = placements.get(feature.position) or _leave_out(feature)
        anchored = feature.position in anchors
        result.append(_anchor_placement(placement, anchors[feature.position]) if anchored else placement)
    return Alignment(tuple(result))


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
    meaning: EpisodeVectors | None,
    anchors: Mapping[int, float | None],
    weights: Weights,
) -> Alignment:
    """Return the placements of features that may all be discussed."""
    mentions = find_mentions(units, features, language)
    evidence = measure_evidence(units, features, mentions, language, meaning)
    starts = ((row, anchors.get(feature.position)) for row, feature in enumerate(features))
    posterior = infer_posterior(evidence, weights, {row: start for row, start in starts if start is not None})
    return decide_placements(units, features, mentions, posterior, weights)


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
