"""An encoder of a few topics, and speech about them."""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pipeline.align.encoder import MODEL_SHA256, VECTOR_SIZE, Encoding
from pipeline.align.weights import Weights, load_weights
from pipeline.core.schema import Segment, Transcript

TOPICS = {"dog": 0, "puppy": 0, "rain": 1, "weather": 1, "soup": 2, "lunch": 2}


class TopicEncoder:
    """An encoder in which each topic is a direction, so that a puppy is a dog; it counts the texts that it encodes."""

    name = "topics"

    def __init__(self) -> None:
        self.encoded_texts = 0

    def encode(self, texts: Sequence[str]) -> Encoding:
        self.encoded_texts += len(texts)
        vectors = np.zeros((len(texts), VECTOR_SIZE), dtype=np.float32)
        vectors[:, 10] = 0.3
        words, spans = [], []
        for row, text in enumerate(texts):
            for match in re.finditer(r"\w+", text.lower()):
                word = np.zeros(VECTOR_SIZE, dtype=np.float32)
                word[TOPICS.get(match.group(), 11)] = 1.0
                vectors[row] += word * (match.group() in TOPICS)
                words.append(word)
                spans.append((row, *match.span()))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return Encoding(
            vectors,
            np.array(words, dtype=np.float16).reshape(-1, VECTOR_SIZE),
            np.array(spans, dtype=np.int32).reshape(-1, 3),
        )


def load_topic_weights() -> Weights:
    """Return the package's weights for sentence vectors, as if they were fitted to `TopicEncoder`."""
    return replace(load_weights(MODEL_SHA256), encoder=TopicEncoder.name)


def make_speech(lines: Sequence[str], seconds: float = 10.0) -> Transcript:
    """Return an English transcript with a segment a line, one every `seconds`."""
    segments = (Segment(seconds * index, seconds * index + 9.0, line) for index, line in enumerate(lines))
    return Transcript(tuple(segments), "en")


SPEECH = make_speech(
    ["Hello there.", "The puppy ran off.", "A dog again.", "The weather was bad.", "Rain all day.", "Bye."]
)
