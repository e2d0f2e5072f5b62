"""Windows with faults are detected, decoded again, and repaired or marked; good windows are decoded once."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from pipeline.core.audio.file import SAMPLE_RATE
from pipeline.core.schema import Word
from pipeline.transcribe.chunking import Chunk
from pipeline.transcribe.decoding import (
    DEFAULT_OPTIONS,
    FALLBACK_OPTIONS,
    Fault,
    compression_ratio,
    decode_chunk,
    find_faults,
    group_windows,
    has_loop,
    repeats_prompt,
)
from pipeline.transcribe.whisper import DecodingOptions, DecodingResult

LOOP = "and then and then and then and then and then and then and then and then"
SENTENCE = "The list now has a sort button for the due date"
CLOSING = "And that is all there is to say about the list for now"


def make_result(
    text: str, *, begin: float = 0.0, end: float = 9.0, avg_logprob: float = -0.2, no_speech_prob: float = 0.0
) -> DecodingResult:
    """A text spread evenly over a part of a window, in seconds."""
    words = text.split()
    step = (end - begin) / max(1, len(words))
    timed = tuple(Word(begin + i * step, begin + (i + 1) * step, f" {word}", 0.9) for i, word in enumerate(words))
    return DecodingResult(timed, avg_logprob, no_speech_prob)


@dataclass
class FakeModel:
    """A speech model that returns fixed results, one per window, and records options, seconds and hotwords."""

    results: list[DecodingResult]
    batch_size: int = 1
    calls: list[tuple[DecodingOptions, float, str | None]] = field(default_factory=list)

    def decode(
        self, windows: Sequence[np.ndarray], language: str, options: DecodingOptions, hotwords: str | None
    ) -> list[DecodingResult]:
        assert language == "en"
        self.calls += [(options, len(window) / SAMPLE_RATE, hotwords) for window in windows]
        return [self.results.pop(0) for _ in windows]


def make_chunk(*speech: tuple[float, float], seconds: float = 20.0, begin: float = 0.0) -> Chunk:
    spans = tuple((round(a * SAMPLE_RATE), round(b * SAMPLE_RATE)) for a, b in speech)
    return Chunk(0, round(begin * SAMPLE_RATE), np.zeros(round(seconds * SAMPLE_RATE), dtype=np.float32), spans)


def test_good_window_is_decoded_once_and_placed() -> None:
    model = FakeModel([make_result(SENTENCE)])
    (segment,) = decode_chunk(model, make_chunk((1, 10), begin=100.0), "en", hotwords="Entra")
    assert segment.text == SENTENCE
    assert segment.start == pytest.approx(101, abs=0.2)
    assert segment.end == pytest.approx(110, abs=0.2)
    assert not segment.suspect
    assert [(options, hotwords) for options, _, hotwords in model.calls] == [(DEFAULT_OPTIONS, "Entra")]


def test_loop_is_decoded_again_without_hotwords() -> None:
    model = FakeModel([make_result(LOOP), make_result(LOOP), make_result(SENTENCE)])
    (segment,) = decode_chunk(model, make_chunk((0, 9)), "en", hotwords="Entra")
    assert (segment.text, segment.suspect) == (SENTENCE, False)
    assert [(options, hotwords) for options, _, hotwords in model.calls] == [
        (DEFAULT_OPTIONS, "Entra"), (FALLBACK_OPTIONS[0], None), (FALLBACK_OPTIONS[1], None),
    ]  # fmt: skip


def test_persistent_loop_is_marked_as_suspect() -> None:
    segments = decode_chunk(FakeModel([make_result(LOOP)] * 3), make_chunk((0, 9)), "en")
    assert segments
    assert all(segment.suspect for segment in segments)


def test_improbable_words_without_speech_are_dropped() -> None:
    noise = make_result("Thank you.", avg_logprob=-1.4, no_speech_prob=0.9)
    assert decode_chunk(FakeModel([noise]), make_chunk((0, 9)), "en") == []


def test_skipped_speech_is_decoded_by_itself() -> None:
    """Whisper may leave out a sentence between two others."""
    model = FakeModel([make_result("Only the end of it", begin=14, end=18), make_result(SENTENCE, begin=0.1, end=8)])
    segments = decode_chunk(model, make_chunk((1, 19)), "en")
    assert " ".join(segment.text for segment in segments) == f"{SENTENCE} Only the end of it"
    assert model.calls[-1][1] == pytest.approx(14, abs=0.3)


def test_window_with_skipped_sentence_is_split() -> None:
    model = FakeModel(
        [make_result(CLOSING, begin=9.2, end=18), make_result(SENTENCE, end=8), make_result(CLOSING, end=9)]
    )
    segments = decode_chunk(model, make_chunk((1, 9), (10, 19)), "en", hotwords="Entra")
    assert " ".join(segment.text for segment in segments) == f"{SENTENCE} {CLOSING}"
    assert [(round(seconds), hotwords) for _, seconds, hotwords in model.calls] == [
        (18, "Entra"), (8, "Entra"), (9, "Entra"),
    ]  # fmt: skip


def test_suspect_part_keeps_words_of_the_whole() -> None:
    model = FakeModel([make_result(CLOSING, begin=9.2, end=18), make_result(SENTENCE, end=8), make_result(LOOP, end=9)])
    segments = decode_chunk(model, make_chunk((1, 9), (10, 19)), "en")
    assert " ".join(segment.text for segment in segments) == f"{SENTENCE} {CLOSING}"


def test_split_that_finds_less_changes_nothing() -> None:
    model = FakeModel([make_result(CLOSING, begin=9.2, end=18), make_result(""), make_result(""), make_result("")])
    (segment,) = decode_chunk(model, make_chunk((1, 9), (10, 19)), "en")
    assert segment.text == CLOSING
    assert model.calls[-1][0] == FALLBACK_OPTIONS[0]


def test_silence_is_not_decoded() -> None:
    model = FakeModel([])
    assert decode_chunk(model, make_chunk(), "en") == []
    assert model.calls == []


def test_progress_adds_up_to_the_chunk() -> None:
    progress: list[float] = []
    model = FakeModel([make_result(SENTENCE), make_result(SENTENCE)])
    decode_chunk(model, make_chunk((0, 9), (30, 39), seconds=50), "en", on_progress=progress.append)
    assert sum(progress) == pytest.approx(50)


def test_groups_hold_windows_of_similar_length() -> None:
    windows = [(0, 9), (10, 12), (20, 28), (30, 33), (40, 45)]
    assert group_windows(windows, 4) == [[(0, 9), (20, 28)], [(40, 45), (30, 33), (10, 12)]]
    assert group_windows(windows, 5) == [[(0, 9), (20, 28), (40, 45), (30, 33), (10, 12)]]
    assert group_windows([], 4) == []


def test_segments_stay_in_order_whatever_the_groups() -> None:
    model = FakeModel([make_result(SENTENCE, end=15), make_result("first", end=2), make_result("last", end=1)])
    segments = decode_chunk(model, make_chunk((0, 2), (10, 25), (30, 31), seconds=40), "en")
    assert [round(seconds) for _, seconds, _ in model.calls] == [15, 2, 1]
    assert " ".join(segment.text for segment in segments) == f"first {SENTENCE} last"


@pytest.mark.parametrize(
    "text",
    [
        "okay, okay, okay, okay, I called this one",
        "the id is nine nine nine nine nine nine eight",
        "that is 9 9 9 9 9 9 9 9",
        "we have tickets, and more tickets, and then yet more tickets, and then some",
    ],
)
def test_natural_repetition_is_not_a_loop(text: str) -> None:
    assert not has_loop(text.replace("nine nine nine nine nine nine", "999999"))


@pytest.mark.parametrize("text", [LOOP, "you " * 6, "thank you for watching " * 4])
def test_phrase_repeated_in_a_row_is_a_loop(text: str) -> None:
    assert has_loop(text)


def test_each_fault_is_found() -> None:
    speech = [(0.0, 9.0)]
    assert find_faults(make_result(SENTENCE).words, speech, -0.2) == []
    assert find_faults(make_result(SENTENCE).words, speech, -1.2) == [Fault.IMPROBABLE]
    assert find_faults(make_result(SENTENCE * 12).words, speech, -0.2) == [Fault.REPETITION, Fault.TOO_FAST]
    assert find_faults((), speech, -0.2) == [Fault.SKIPPED_SPEECH]
    assert find_faults((), [(0.0, 1.0)], -0.2) == []


def test_repeated_prompt_is_decoded_again_without_hotwords() -> None:
    model = FakeModel([make_result("Entra, Datto, SailPoint"), make_result(SENTENCE)])
    (segment,) = decode_chunk(model, make_chunk((0, 9)), "en", hotwords="Avalara, Entra, Datto, SailPoint")
    assert segment.text == SENTENCE
    assert model.calls[-1][2] is None


def test_names_in_conversation_do_not_repeat_the_prompt() -> None:
    assert repeats_prompt("entra datto sailpoint", "Entra, Datto, SailPoint")
    assert not repeats_prompt("Datto and Entra, and then SailPoint", "Entra, Datto, SailPoint")
    assert not repeats_prompt("Entra, Datto", "Entra, Datto")


def test_compression_ratio_equals_that_of_whisper() -> None:
    assert compression_ratio("") == 0
    assert compression_ratio("you " * 100) > 2.4 > compression_ratio(SENTENCE)
