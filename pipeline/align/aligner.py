"""Find where each feature's discussion starts: one decision for the whole episode."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from pipeline.align.decision import decide_placements
from pipeline.align.embeddings import TranscriptVectors, embed_episode, encode_units
from pipeline.align.encoder import Encoder
from pipeline.align.evidence import measure_evidence
from pipeline.align.inference import weigh_episode
from pipeline.align.mentions import find_mentions
from pipeline.align.units import Unit, split_units
from pipeline.align.weights import load_weights
from pipeline.core.schema import Alignment, Feature, Method, Placement, Status, Transcript

NO_ANCHORS: Mapping[int, float | None] = MappingProxyType({})


def align(
    transcript: Transcript,
    features: Sequence[Feature],
    *,
    encoder: Encoder | None = None,
    vectors: TranscriptVectors | None = None,
    anchors: Mapping[int, float | None] = NO_ANCHORS,
) -> Alignment:
    """Return a placement for every feature, in list order; the same input gives the same output.

    With an encoder the meaning of sentences counts beside their words; `vectors` are those of the transcript, where
    they are at hand. `anchors` are starts in seconds that a person gave, by position, None for what is not discussed:
    they are kept to the letter, and the other features are placed around them.
    """
    # A time that the page already gives must not lead to itself.
    features = [replace(feature, published_s=None) for feature in features]
    units = split_units(transcript)
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
    vectors: TranscriptVectors | None,
    anchors: Mapping[int, float | None],
) -> Alignment:
    """Return the placements of features that may all be discussed."""
    mentions = find_mentions(units, features, language)
    meaning = None
    if encoder is not None:
        meaning = embed_episode(units, features, vectors or encode_units(units, encoder), encoder)
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
