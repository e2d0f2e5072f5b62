"""The sentence encoder encodes meaning, where the extra `encoder` is installed."""

from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from pipeline.align import encoder as encoder_module
from pipeline.align.aligner import align
from pipeline.align.encoder import DISTRIBUTION, VECTOR_SIZE, Encoder, load_encoder, load_tokenizer
from pipeline.core.errors import ModelError
from pipeline.core.schema import Feature
from tests.support.speech import make_speech


@pytest.fixture(scope="module")
def minilm() -> Encoder:
    encoder = load_encoder("en")
    if encoder is None:
        pytest.skip("the extra `encoder` is not installed")
    return encoder


def test_equal_meaning_outranks_equal_words(minilm: Encoder) -> None:
    vectors = minilm.encode(
        ["Users can log in with their phone.", "Sign on by mobile.", "The phone rang at lunch."]
    ).texts
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.1


def test_vectors_of_length_one_ignore_other_texts(minilm: Encoder) -> None:
    texts = ["One.", "Two words.", "", "A much longer sentence about several things at once, really."]
    vectors = minilm.encode(texts).texts
    assert vectors.shape == (4, VECTOR_SIZE)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert minilm.encode(texts[1:2]).texts[0] == pytest.approx(vectors[1], abs=1e-5)
    assert (minilm.encode(texts).texts == vectors).all()


def test_word_vectors_depend_on_context(minilm: Encoder) -> None:
    texts = ["The bank raised its rates.", "We sat on the river bank!", "A loan from the savings bank."]
    encoding = minilm.encode(texts)
    words = [texts[text][begin:stop] for text, begin, stop in encoding.word_spans.tolist()]
    assert words[:5] == ["The", "bank", "raised", "its", "rates"]
    money, river, savings = (encoding.words[row] for row, word in enumerate(words) if word == "bank")
    assert money @ savings / np.linalg.norm(savings) > money @ river / np.linalg.norm(river)


def test_no_texts_give_no_vectors(minilm: Encoder) -> None:
    assert minilm.encode([]).texts.shape == minilm.encode([]).words.shape == (0, VECTOR_SIZE)


def test_passages_in_other_words_are_found(minilm: Encoder) -> None:
    lines = ["Hello and welcome.", "Okay, next one.", "Now everything turns black at night so your eyes don't hurt."]
    lines += ["I like that on my phone.", "Moving on.", "You get a bill for each month as a file you can print."]
    lines += ["My accountant asked for it.", "That was all, see you."]
    features = [Feature(1, "Dark theme"), Feature(2, "Invoices as PDF")]
    placements = align(make_speech(lines), features, encoder=minilm).placements
    starts = [placement.start for placement in placements]
    assert starts[0] in (10.0, 20.0)
    assert starts[1] in (40.0, 50.0)


def test_unsupported_language_has_no_encoder() -> None:
    assert load_encoder("de") is None


def test_without_extra_there_is_no_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder_module, "DISTRIBUTION", "no-such-distribution")
    encoder_module._load_minilm.cache_clear()
    try:
        assert load_encoder("en") is None
    finally:
        encoder_module._load_minilm.cache_clear()


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        metadata.distribution(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        pytest.skip("the extra `encoder` is not installed")
    monkeypatch.setattr(encoder_module, "MODEL_SHA256", "0" * 64)
    encoder_module._load_minilm.cache_clear()
    try:
        with pytest.raises(ModelError, match="not the published one"):
            load_encoder("en")
    finally:
        encoder_module._load_minilm.cache_clear()


def test_batches_hold_texts_of_equal_length() -> None:
    tokens = [[0] * length for length in (3, 1, 3, 2, *[3] * encoder_module.BATCH_SIZE)]
    batches = list(encoder_module._batch_by_length(tokens))
    assert sorted(index for batch in batches for index in batch) == list(range(len(tokens)))
    assert all(len({len(tokens[index]) for index in batch}) == 1 for batch in batches)
    assert max(map(len, batches)) == encoder_module.BATCH_SIZE


def test_tokens_are_those_of_bert() -> None:
    try:
        files = metadata.files(encoder_module.TOKENIZER_DISTRIBUTION) or ()
    except metadata.PackageNotFoundError:
        pytest.skip("the extra `encoder` is not installed")
    (path,) = (Path(str(file.locate())) for file in files if file.name == "tokenizer.json")
    tokenizer = load_tokenizer(path)
    encoding = tokenizer.encode("Embeddings, héllo!")
    assert encoding.tokens == ["[CLS]", "em", "##bed", "##ding", "##s", ",", "hello", "!", "[SEP]"]
    assert len(tokenizer.encode("word " * 500).ids) == encoder_module.MAX_TOKENS
