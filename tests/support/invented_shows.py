"""Invented episodes: features with words of their own, discussed in any order, and the evidence of lines."""

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.align.embeddings import embed_episode, encode_units
from pipeline.align.evidence import Evidence, measure_evidence
from pipeline.align.mentions import find_mentions
from pipeline.align.units import split_units
from pipeline.core.schema import Feature, Segment, Transcript
from tests.support.project import make_transcript
from tests.support.speech import TopicEncoder

# Sentences about none of the features.
CHATTER = (
    "We had soup for lunch again today.",
    "Honestly the weather has been so strange this week.",
    "My neighbour keeps borrowing the ladder.",
    "I would not know, you tell me.",
    "People keep writing to us about that.",
)
BITS = ["ba", "ro", "ti", "lu", "ke", "mo", "sa", "ni", "do", "fe", "gu", "pi"]
WORDS = ["".join(three) for three in itertools.product(BITS, BITS, ("x", "rk", "lm"))]


@dataclass(frozen=True, slots=True)
class InventedEpisode:
    """An invented episode: its transcript, its list, and the true starts of the discussed features by position."""

    transcript: Transcript
    features: tuple[Feature, ...]
    truth: dict[int, float]


def invent_features(count: int) -> tuple[Feature, ...]:
    """Return features that share no word with each other."""
    words = random.Random(7).sample(WORDS, 4 * count)
    return tuple(
        Feature(
            number + 1,
            f"Added {words[4 * number]} {words[4 * number + 1]}",
            f"Brings {words[4 * number + 2]} with {words[4 * number + 3]}.",
            600_100 + 13 * number,
            "v5.5",
        )
        for number in range(count)
    )


def invent_episode(
    features: Sequence[Feature], order: Sequence[int], seed: int = 1, say_ids: bool = False
) -> InventedEpisode:
    """Return an episode that discusses features in this order, half a minute each, between an intro and an outro."""
    generator = random.Random(seed)
    sentences = list(CHATTER)
    begins: dict[int, int] = {}
    for place in order:
        feature = features[place]
        begins[feature.position] = len(sentences)
        first, second = feature.title.split()[1:3]
        third, fourth = feature.description.rstrip(".").split()[1], feature.description.rstrip(".").split()[3]
        sentences += [f"All right, next one, {first} {second}.", f"So now {first} does {third} for you."]
        sentences += [f"That is number {feature.feature_id}."] if say_ids else []
        sentences += [*generator.sample(CHATTER, 2), f"With {fourth}, the {second} is easier.", CHATTER[3]]
    sentences += ["That's it for today.", *CHATTER, "See you next week."]
    segments = tuple(Segment(5.0 * index, 5.0 * index + 4.6, text) for index, text in enumerate(sentences))
    truth = {position: 5.0 * index for position, index in begins.items()}
    return InventedEpisode(Transcript(segments, "en"), tuple(features), truth)


def measure_lines(lines: Sequence[str], *features: Feature, meaning: bool = False, begin: float = 0.0) -> Evidence:
    """Return the evidence of lines of ten seconds each; with `meaning`, `TopicEncoder` encodes them."""
    units = [
        replace(unit, start=unit.start + begin, end=unit.end + begin) for unit in split_units(make_transcript(lines))
    ]
    vectors = embed_episode(units, features, encode_units(units, TopicEncoder()), TopicEncoder()) if meaning else None
    return measure_evidence(units, features, find_mentions(units, features, "en"), "en", vectors)
