"""The sentence encoder: real weights where the extra is installed, and a stand-in that knows a few meanings."""

import re
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from pipeline import encoder as encoder_module
from pipeline.align import align
from pipeline.encoder import DISTRIBUTION, SIZE, Encoder, Encoding, load_encoder, load_tokenizer
from pipeline.errors import ModelError
from pipeline.late_interaction import WordVectors
from pipeline.meaning import MEANING_NAMES, Meaning, measure_likeness
from pipeline.schema import Feature, Segment, Transcript
from pipeline.sentences import Unit, cut_sentences
from pipeline.vectors import (
    MAX_WORDS,
    KeptVectors,
    SentenceVectors,
    compare_meaning,
    encode_units,
    group_sentences,
    list_sentences,
)

TOPICS = {"dog": 0, "puppy": 0, "rain": 1, "weather": 1, "soup": 2, "lunch": 2}


class Telling:
    """Knows that a puppy is a dog: each topic is a direction, and counts what it was asked."""

    name = "telling"

    def __init__(self) -> None:
        self.asked = 0

    def encode(self, texts: Sequence[str]) -> Encoding:
        self.asked += len(texts)
        vectors = np.zeros((len(texts), SIZE), dtype=np.float32)
        vectors[:, 10] = 0.3
        words, places = [], []
        for row, text in enumerate(texts):
            for match in re.finditer(r"\w+", text.lower()):
                word = np.zeros(SIZE, dtype=np.float32)
                word[TOPICS.get(match.group(), 11)] = 1.0
                vectors[row] += word * (match.group() in TOPICS)
                words.append(word)
                places.append((row, *match.span()))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return Encoding(
            vectors,
            np.array(words, dtype=np.float16).reshape(-1, SIZE),
            np.array(places, dtype=np.int32).reshape(-1, 3),
        )


@pytest.fixture(scope="module")
def minilm() -> Encoder:
    found = load_encoder("en")
    if found is None:
        pytest.skip("the extra `encoder` is not installed")
    return found


def tell(lines: Sequence[str], seconds: float = 10.0) -> Transcript:
    segments = (Segment(seconds * index, seconds * index + 9.0, line) for index, line in enumerate(lines))
    return Transcript(tuple(segments), "en")


TALK = tell(["Hello there.", "The puppy ran off.", "A dog again.", "The weather was bad.", "Rain all day.", "Bye."])


def test_equal_meaning_is_nearer_than_equal_words(minilm: Encoder) -> None:
    vectors = minilm.encode(
        ["Users can log in with their phone.", "Sign on by mobile.", "The phone rang at lunch."]
    ).texts
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.1


def test_vectors_have_length_one_and_do_not_depend_on_their_company(minilm: Encoder) -> None:
    texts = ["One.", "Two words.", "", "A much longer sentence about several things at once, really."]
    vectors = minilm.encode(texts).texts
    assert vectors.shape == (4, SIZE)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert minilm.encode(texts[1:2]).texts[0] == pytest.approx(vectors[1], abs=1e-5)
    assert (minilm.encode(texts).texts == vectors).all()


def test_words_are_known_by_what_they_mean_where_they_stand(minilm: Encoder) -> None:
    texts = ["The bank raised its rates.", "We sat on the river bank!", "A loan from the savings bank."]
    encoding = minilm.encode(texts)
    words = [texts[text][begin:stop] for text, begin, stop in encoding.places.tolist()]
    assert words[:5] == ["The", "bank", "raised", "its", "rates"]
    money, river, savings = (encoding.words[row] for row, word in enumerate(words) if word == "bank")
    assert money @ savings / np.linalg.norm(savings) > money @ river / np.linalg.norm(river)


def test_no_texts_give_no_vectors(minilm: Encoder) -> None:
    assert minilm.encode([]).texts.shape == minilm.encode([]).words.shape == (0, SIZE)


def test_real_weights_find_what_is_said_in_other_words(minilm: Encoder) -> None:
    lines = ["Hello and welcome.", "Okay, next one.", "Now everything turns black at night so your eyes don't hurt."]
    lines += ["I like that on my phone.", "Moving on.", "You get a bill for each month as a file you can print."]
    lines += ["My accountant asked for it.", "That was all, see you."]
    features = [Feature(1, "Dark theme"), Feature(2, "Invoices as PDF")]
    placements = align(tell(lines), features, encoder=minilm).placements
    starts = [one.start for one in placements]
    assert starts[0] in (10.0, 20.0)
    assert starts[1] in (40.0, 50.0)


def test_language_that_the_encoder_does_not_know_has_none() -> None:
    assert load_encoder("de") is None


def test_without_the_extra_there_is_no_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder_module, "DISTRIBUTION", "no-such-distribution")
    encoder_module._load_minilm.cache_clear()
    try:
        assert load_encoder("en") is None
    finally:
        encoder_module._load_minilm.cache_clear()


def test_weights_that_are_not_the_published_ones_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        metadata.distribution(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        pytest.skip("the extra `encoder` is not installed")
    monkeypatch.setattr(encoder_module, "SHA256", "0" * 64)
    encoder_module._load_minilm.cache_clear()
    try:
        with pytest.raises(ModelError, match="not the published one"):
            load_encoder("en")
    finally:
        encoder_module._load_minilm.cache_clear()


def test_words_are_cut_as_bert_cuts_them() -> None:
    try:
        files = metadata.files(encoder_module.TOKENIZER_DISTRIBUTION) or ()
    except metadata.PackageNotFoundError:
        pytest.skip("the extra `encoder` is not installed")
    (path,) = (Path(str(file.locate())) for file in files if file.name == "tokenizer.json")
    tokenizer = load_tokenizer(path)
    encoding = tokenizer.encode("Embeddings, héllo!")
    assert encoding.tokens == ["[CLS]", "em", "##bed", "##ding", "##s", ",", "hello", "!", "[SEP]"]
    assert len(tokenizer.encode("word " * 500).ids) == encoder_module.MAX_PIECES


def test_parts_of_a_sentence_share_its_vector() -> None:
    units = [Unit(0, 1, "First part,"), Unit(1, 2, "second part.", opens=False), Unit(2, 3, "Another.")]
    assert group_sentences(units).tolist() == [0, 0, 1]
    assert list_sentences(units) == ["First part, second part.", "Another."]


def test_words_belong_to_the_unit_that_says_them() -> None:
    units = [Unit(0, 1, "The dog ran,"), Unit(1, 2, "and a puppy.", opens=False), Unit(2, 3, "Rain.")]
    telling = Telling()
    meaning = compare_meaning(units, [Feature(1, "A dog", "Or soup")], encode_units(units, telling), telling)
    spoken = dict(zip(meaning.spoken.texts, meaning.spoken.owners.tolist(), strict=True))
    assert spoken == {"dog": 0, "ran": 0, "puppy": 1, "rain": 2}
    assert meaning.title_words.texts == ("dog",)
    assert meaning.text_words.texts == ("dog", "soup")


def test_speech_without_full_stops_is_cut_by_length() -> None:
    units = [Unit(index, index + 1, "word " * 8, opens=index == 0) for index in range(20)]
    groups = group_sentences(units).tolist()
    assert max(groups.count(number) for number in groups) * 8 <= MAX_WORDS


def test_kept_vectors_are_made_once_and_are_the_same_bytes(tmp_path: Path) -> None:
    telling, kept = Telling(), KeptVectors(tmp_path / "one.vectors.npz")
    first = kept.load(TALK, telling)
    asked, content = telling.asked, kept.path.read_bytes()
    again = kept.load(TALK, telling)
    assert telling.asked == asked
    assert (first.vectors == again.vectors).all()
    kept.path.unlink()
    kept.load(TALK, telling)
    assert kept.path.read_bytes() == content


def test_kept_vectors_of_another_transcript_are_made_anew(tmp_path: Path) -> None:
    telling, kept = Telling(), KeptVectors(tmp_path / "one.vectors.npz")
    kept.load(TALK, telling)
    assert len(kept.load(tell(["One line."]), telling).vectors) == 1


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 cut"])
def test_damaged_file_is_made_anew(tmp_path: Path, content: bytes) -> None:
    kept = KeptVectors(tmp_path / "one.vectors.npz")
    kept.path.write_bytes(content)
    assert kept.load(TALK, Telling()).encoder == "telling"


def test_no_bit_that_flips_in_kept_vectors_changes_them(tmp_path: Path) -> None:
    kept = KeptVectors(tmp_path / "one.vectors.npz")
    right = kept.load(TALK, Telling())
    content = kept.path.read_bytes()
    for bit in range(content.index(b"PK\x01\x02") * 8, len(content) * 8, 3):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        kept.path.write_bytes(flipped)
        found = kept.load(TALK, Telling())
        assert all(
            np.array_equal(getattr(found, name), getattr(right, name)) for name in ("vectors", "words", "places")
        )


def test_likeness_is_highest_where_the_topic_starts() -> None:
    units = cut_sentences(TALK)
    features = [Feature(1, "A puppy"), Feature(2, "Rain")]
    telling = Telling()
    meaning = compare_meaning(units, features, encode_units(units, telling), telling)
    pairs = {name: np.zeros((2, len(units)), dtype=np.float16) for name in MEANING_NAMES}
    likeness = measure_likeness(units, meaning, pairs)
    assert pairs["mean_text_after_20"].argmax(axis=1).tolist() == [1, 3]
    assert likeness.passages.argmax(axis=1).tolist()[0] in (1, 2)


def test_everything_is_finite_for_one_unit_and_one_feature() -> None:
    ones = np.ones((1, SIZE), dtype=np.float32) / np.sqrt(SIZE)
    word = WordVectors(ones, np.zeros(1, dtype=np.int64), ("hello",))
    meaning = Meaning(ones, ones, ones, word, word, word)
    pairs = {name: np.full((1, 1), np.nan, dtype=np.float16) for name in MEANING_NAMES}
    likeness = measure_likeness([Unit(0, 1, "hello")], meaning, pairs)
    assert all(np.isfinite(values).all() for values in pairs.values())
    assert np.isfinite(likeness.sides).all()


def test_alignment_takes_vectors_that_are_at_hand() -> None:
    telling = Telling()
    vectors = encode_units(cut_sentences(TALK), telling)
    features = [Feature(1, "A puppy"), Feature(2, "Rain")]
    assert align(TALK, features, encoder=telling, vectors=vectors) == align(TALK, features, encoder=telling)


def test_empty_transcript_needs_no_vectors() -> None:
    assert align(Transcript((), "en"), [Feature(1, "A puppy")], encoder=Telling()).placements[0].start is None


def test_vectors_without_rows_are_kept(tmp_path: Path) -> None:
    kept = KeptVectors(tmp_path / "empty.vectors.npz").load(Transcript((), "en"), Telling())
    assert isinstance(kept, SentenceVectors)
    assert kept.vectors.shape == (0, SIZE)
