"""A window that went wrong is noticed, heard again, mended or marked; one that went well is heard once."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from pipeline.core.audio_file import SAMPLE_RATE
from pipeline.core.schema import Word
from pipeline.transcribe.chunking import Chunk
from pipeline.transcribe.decoding import MANNERS, decode_chunk, echoes, find_faults, group_windows, packing, repeats
from pipeline.transcribe.whisper import Heard, Manner

LOOP = "and then and then and then and then and then and then and then and then"
SENTENCE = "The list now has a sort button for the due date"
CLOSING = "And that is all there is to say about the list for now"


def heard(
    text: str, *, begin: float = 0.0, end: float = 9.0, log_probability: float = -0.2, no_speech: float = 0.0
) -> Heard:
    """A text said evenly between two moments of a window."""
    words = text.split()
    step = (end - begin) / max(1, len(words))
    timed = tuple(Word(begin + i * step, begin + (i + 1) * step, f" {one}", 0.9) for i, one in enumerate(words))
    return Heard(timed, log_probability, no_speech)


@dataclass
class Told:
    """A recogniser that says what it was told, one answer a call, and keeps how it was asked."""

    answers: list[Heard]
    batch: int = 1
    asked: list[tuple[Manner, float, str | None]] = field(default_factory=list)

    def hear(self, windows: Sequence[np.ndarray], language: str, manner: Manner, hints: str | None) -> list[Heard]:
        assert language == "en"
        self.asked += [(manner, len(window) / SAMPLE_RATE, hints) for window in windows]
        return [self.answers.pop(0) for _ in windows]


def chunk(*speech: tuple[float, float], seconds: float = 20.0, begin: float = 0.0) -> Chunk:
    pieces = tuple((round(a * SAMPLE_RATE), round(b * SAMPLE_RATE)) for a, b in speech)
    return Chunk(0, round(begin * SAMPLE_RATE), np.zeros(round(seconds * SAMPLE_RATE), dtype=np.float32), pieces)


def test_what_was_heard_well_is_heard_once_and_stands_on_the_time_of_the_whole() -> None:
    told = Told([heard(SENTENCE)])
    (segment,) = decode_chunk(told, chunk((1, 10), begin=100.0), "en", hints="Entra")
    assert segment.text == SENTENCE
    assert segment.start == pytest.approx(101, abs=0.2)
    assert segment.end == pytest.approx(110, abs=0.2)
    assert not segment.suspect
    assert [(manner, hints) for manner, _, hints in told.asked] == [(MANNERS[0], "Entra")]


def test_a_loop_is_heard_again_with_more_care_and_without_hints() -> None:
    told = Told([heard(LOOP), heard(LOOP), heard(SENTENCE)])
    (segment,) = decode_chunk(told, chunk((0, 9)), "en", hints="Entra")
    assert (segment.text, segment.suspect) == (SENTENCE, False)
    assert [(manner, hints) for manner, _, hints in told.asked] == [
        (MANNERS[0], "Entra"), (MANNERS[1], None), (MANNERS[2], None),
    ]  # fmt: skip


def test_a_loop_that_stays_is_marked_as_suspect() -> None:
    segments = decode_chunk(Told([heard(LOOP)] * 3), chunk((0, 9)), "en")
    assert segments
    assert all(segment.suspect for segment in segments)


def test_words_for_noise_in_which_the_model_hears_nobody_are_dropped() -> None:
    noise = heard("Thank you.", log_probability=-1.4, no_speech=0.9)
    assert decode_chunk(Told([noise]), chunk((0, 9)), "en") == []


def test_speech_that_was_passed_over_is_heard_by_itself() -> None:
    """Whisper may leave a sentence out between two that it heard."""
    told = Told([heard("Only the end of it", begin=14, end=18), heard(SENTENCE, begin=0.1, end=8)])
    segments = decode_chunk(told, chunk((1, 19)), "en")
    assert " ".join(one.text for one in segments) == f"{SENTENCE} Only the end of it"
    assert told.asked[-1][1] == pytest.approx(14, abs=0.3)


def test_a_window_in_which_a_sentence_was_left_out_is_heard_in_pieces() -> None:
    told = Told([heard(CLOSING, begin=9.2, end=18), heard(SENTENCE, end=8), heard(CLOSING, end=9)])
    segments = decode_chunk(told, chunk((1, 9), (10, 19)), "en", hints="Entra")
    assert " ".join(one.text for one in segments) == f"{SENTENCE} {CLOSING}"
    assert [(round(length), hints) for _, length, hints in told.asked] == [(18, "Entra"), (8, "Entra"), (9, "Entra")]


def test_a_piece_that_goes_wrong_keeps_the_words_that_were_there() -> None:
    told = Told([heard(CLOSING, begin=9.2, end=18), heard(SENTENCE, end=8), heard(LOOP, end=9)])
    segments = decode_chunk(told, chunk((1, 9), (10, 19)), "en")
    assert " ".join(one.text for one in segments) == f"{SENTENCE} {CLOSING}"


def test_pieces_in_which_less_is_found_change_nothing() -> None:
    told = Told([heard(CLOSING, begin=9.2, end=18), heard(""), heard(""), heard("")])
    (segment,) = decode_chunk(told, chunk((1, 9), (10, 19)), "en")
    assert segment.text == CLOSING
    assert told.asked[-1][0] == MANNERS[1]


def test_silence_is_not_heard_at_all() -> None:
    told = Told([])
    assert decode_chunk(told, chunk(), "en") == []
    assert told.asked == []


def test_progress_adds_up_to_the_length_of_the_stretch() -> None:
    seen: list[float] = []
    decode_chunk(
        Told([heard(SENTENCE), heard(SENTENCE)]), chunk((0, 9), (30, 39), seconds=50), "en", on_heard=seen.append
    )
    assert sum(seen) == pytest.approx(50)


def test_windows_of_like_length_are_heard_together_in_groups_of_like_size() -> None:
    windows = [(0, 9), (10, 12), (20, 28), (30, 33), (40, 45)]
    assert group_windows(windows, 4) == [[(0, 9), (20, 28)], [(40, 45), (30, 33), (10, 12)]]
    assert group_windows(windows, 5) == [[(0, 9), (20, 28), (40, 45), (30, 33), (10, 12)]]
    assert group_windows([], 4) == []


def test_segments_come_in_their_order_however_the_windows_were_grouped() -> None:
    told = Told([heard(SENTENCE, end=15), heard("first", end=2), heard("last", end=1)])
    segments = decode_chunk(told, chunk((0, 2), (10, 25), (30, 31), seconds=40), "en")
    assert [round(length) for _, length, _ in told.asked] == [15, 2, 1]
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
def test_what_people_say_is_no_loop(text: str) -> None:
    assert not repeats(text.replace("nine nine nine nine nine nine", "999999"))


@pytest.mark.parametrize("text", [LOOP, "you " * 6, "thank you for watching " * 4])
def test_a_phrase_over_and_over_is_a_loop(text: str) -> None:
    assert repeats(text)


def test_faults_are_named() -> None:
    speech = [(0.0, 9.0)]
    assert find_faults(heard(SENTENCE).words, speech, -0.2) == []
    assert find_faults(heard(SENTENCE).words, speech, -1.2) == ["improbable"]
    assert find_faults(heard(SENTENCE * 12).words, speech, -0.2) == ["repeats itself", "too much for the time"]
    assert find_faults((), speech, -0.2) == ["passed over"]
    assert find_faults((), [(0.0, 1.0)], -0.2) == []


def test_a_recital_of_the_hints_is_heard_again_without_them() -> None:
    told = Told([heard("Entra, Datto, SailPoint"), heard(SENTENCE)])
    (segment,) = decode_chunk(told, chunk((0, 9)), "en", hints="Avalara, Entra, Datto, SailPoint")
    assert segment.text == SENTENCE
    assert told.asked[-1][2] is None


def test_names_that_are_talked_about_are_no_echo() -> None:
    assert echoes("entra datto sailpoint", "Entra, Datto, SailPoint")
    assert not echoes("Datto and Entra, and then SailPoint", "Entra, Datto, SailPoint")
    assert not echoes("Entra, Datto", "Entra, Datto")


def test_packing_is_whisper_s_compression_ratio() -> None:
    assert packing("") == 0
    assert packing("you " * 100) > 2.4 > packing(SENTENCE)
