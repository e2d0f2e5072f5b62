"""Recognise one chunk of sound, and know when the recogniser went wrong: then hear again with more care.

Whisper's known failures: a phrase over and over with high confidence, words for music or noise, and speech passed
over without a word. Each leaves a trace that can be measured. A window with such a trace is decoded again in safer
ways; what stays doubtful is marked as suspect, and nothing is matched against it.
"""

import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from pipeline.core.audio_file import SAMPLE_RATE
from pipeline.core.schema import Segment, Word
from pipeline.transcribe.chunking import Chunk, Speech, pack_windows
from pipeline.transcribe.whisper import Heard, Manner
from pipeline.transcribe.word_timestamps import Piece, cut_segments, mend_times

if TYPE_CHECKING:
    from pipeline.core.audio_file import Samples


# Whisper's own bounds (Radford et al. 2022, section 4.5): text that packs this well repeats itself, tokens this
# improbable are guesses, and so are words where the model itself hears nobody.
PACKS_TOO_WELL, TOO_IMPROBABLE, NOBODY_SPEAKS = 2.4, -1.0, 0.6

# Nobody says more letters in a second of speech; auctioneers reach about 30.
TOO_MANY_LETTERS = 40.0

# Speech of this length without a word has been passed over.
PASSED_OVER_S = 2.5

# A window in which that happened is heard again in pieces of about this length.
PIECE_S = 8.0

# A phrase of up to so many words, so many times in a row; people do say "okay, okay, okay, okay".
LOOP_WORDS, LOOP_TIMES, LOOP_TIMES_ONE_WORD = 8, 4, 6

# So many names of the glossary in its own order were read there, not heard.
ECHOED = 3
PASSED_OVER = "passed over"

# Tried in turn until the words of a window are not in doubt.
MANNERS = (Manner(), Manner(whole=True), Manner(whole=True, no_repeat=4))


class Recogniser(Protocol):
    """What hears: a model that is loaded."""

    batch: int

    def hear(self, windows: Sequence["Samples"], language: str, manner: Manner, hints: str | None) -> list[Heard]:
        """Return what is said in each window."""
        ...


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A window as it was heard once, and what is wrong with that."""

    words: tuple[Word, ...]
    sureness: float
    faults: tuple[str, ...]

    @property
    def badness(self) -> tuple[bool, int, float]:
        """Less is better: made-up words are worse than missing ones."""
        return self.is_suspect, len(self.faults), -self.sureness

    @property
    def is_suspect(self) -> bool:
        """Whether the words themselves are in doubt."""
        return any(fault != PASSED_OVER for fault in self.faults)


def decode_chunk(
    recogniser: Recogniser, chunk: Chunk, language: str, *, hints: str | None = None,
    on_heard: Callable[[float], None] = lambda _: None,
) -> list[Segment]:  # fmt: skip
    """Return the segments of a chunk, in seconds from the start of the whole sound.

    `on_heard` is called with the seconds of sound done since the last call.
    """
    windows = pack_windows(chunk.speech, len(chunk.samples))
    attempts: dict[Speech, _Attempt] = {}
    silence = len(chunk.samples) - sum(end - begin for begin, end in windows)
    on_heard(silence / SAMPLE_RATE)
    for group in group_windows(windows, recogniser.batch):
        heard = _hear_group(recogniser, chunk, group, language, hints)
        attempts |= dict(zip(group, heard, strict=True))
        on_heard(sum(end - begin for begin, end in group) / SAMPLE_RATE)
    in_order = (attempts[window] for window in windows)
    return [one for attempt in in_order for one in cut_segments(attempt.words, suspect=attempt.is_suspect)]


def group_windows(windows: Sequence[Speech], most: int) -> list[list[Speech]]:
    """Return windows in groups of at most `most`, equally many in each, those of like length together.

    Windows that are heard together are padded to the longest of them.
    """
    groups = -(-len(windows) // most)
    by_length = sorted(windows, key=lambda window: (window[0] - window[1], window))
    bounds = [len(windows) * index // groups for index in range(groups + 1)] if groups else []
    return [by_length[first:last] for first, last in pairwise(bounds)]


def _hear_group(
    recogniser: Recogniser, chunk: Chunk, windows: Sequence[Speech], language: str, hints: str | None
) -> list[_Attempt]:
    """Windows heard together; those that went wrong once more, each alone, with more care.

    Where speech was only passed over, the words are not in doubt, and the window is heard in shorter pieces.
    """
    attempts = _hear_together(recogniser, chunk, windows, language, MANNERS[0], hints)
    for index, window in enumerate(windows):
        for manner in MANNERS[1:]:
            if attempts[index].is_suspect:
                # Without hints: they may be what was made up.
                (again,) = _hear_together(recogniser, chunk, [window], language, manner, None)
                attempts[index] = min(attempts[index], again, key=lambda one: one.badness)
        if attempts[index].faults == (PASSED_OVER,):
            attempts[index] = _look_again(recogniser, chunk, window, language, hints, attempts[index])
    return attempts


def _look_again(
    recogniser: Recogniser, chunk: Chunk, window: Speech, language: str, hints: str | None, attempt: _Attempt
) -> _Attempt:
    """A window in which speech was passed over, heard in short pieces, of which less gets lost; then the gaps left."""
    words = _hear_in_pieces(recogniser, chunk, window, language, hints, attempt.words)
    gaps = [
        (round(begin * SAMPLE_RATE) - chunk.begin, round(end * SAMPLE_RATE) - chunk.begin)
        for begin, end in find_passed_over(words, _speech_in(chunk, window))
    ]
    for found in _hear_together(recogniser, chunk, gaps, language, MANNERS[1], None):
        words += () if found.is_suspect else found.words
    return replace(attempt, words=tuple(sorted(words, key=lambda word: word.start)))


def _hear_in_pieces(
    recogniser: Recogniser, chunk: Chunk, window: Speech, language: str, hints: str | None, words: Sequence[Word]
) -> list[Word]:
    """The words of a window heard in pieces, where that finds more than `words`; else those."""
    begin, end = window
    speech = [(max(b, begin) - begin, min(e, end) - begin) for b, e in chunk.speech if b < end and e > begin]
    pieces = [(begin + b, begin + e) for b, e in pack_windows(speech, end - begin, PIECE_S)]
    again: list[Word] = []
    if len(pieces) > 1:
        for piece, found in zip(
            pieces, _hear_together(recogniser, chunk, pieces, language, MANNERS[0], hints), strict=True
        ):
            again += _words_in(chunk, piece, words) if found.is_suspect else found.words
    spoken = _speech_in(chunk, window)
    return min(list(words), again, key=lambda some: sum(e - b for b, e in find_passed_over(some, spoken)))


def _hear_together(
    recogniser: Recogniser, chunk: Chunk, pieces: Sequence[Speech], language: str, manner: Manner,
    hints: str | None,
) -> list[_Attempt]:  # fmt: skip
    """Pieces of a chunk, each as it was heard and with what is wrong with that."""
    samples = [chunk.samples[begin:end] for begin, end in pieces]
    heard = recogniser.hear(samples, language, manner, hints) if samples else []
    return [_weigh(one, chunk, piece, hints) for one, piece in zip(heard, pieces, strict=True)]


def _words_in(chunk: Chunk, piece: Speech, words: Sequence[Word]) -> list[Word]:
    begin, end = ((chunk.begin + edge) / SAMPLE_RATE for edge in piece)
    return [word for word in words if begin <= word.start < end]


def _weigh(heard: Heard, chunk: Chunk, window: Speech, hints: str | None = None) -> _Attempt:
    """What was heard in a window, on the time line of the whole, and the traces of failure in it."""
    offset, limit = (chunk.begin + window[0]) / SAMPLE_RATE, (chunk.begin + window[1]) / SAMPLE_RATE
    if heard.no_speech > NOBODY_SPEAKS and heard.log_probability < TOO_IMPROBABLE:
        # The model hears nobody and only guesses at words: it was noise that the voice filter let through.
        return _Attempt((), heard.log_probability, ())
    placed = [
        replace(word, start=min(word.start + offset, limit), end=min(word.end + offset, limit)) for word in heard.words
    ]
    speech = _speech_in(chunk, window)
    words = mend_times(placed, speech)
    faults = find_faults(words, speech, heard.log_probability)
    if hints and echoes(heard.text, hints):
        faults.append("echoes the hints")
    return _Attempt(words, heard.log_probability, tuple(faults))


def _speech_in(chunk: Chunk, window: Speech) -> list[Piece]:
    """Where speech is in a window, in seconds of the whole."""
    return [
        ((max(begin, window[0]) + chunk.begin) / SAMPLE_RATE, (min(end, window[1]) + chunk.begin) / SAMPLE_RATE)
        for begin, end in chunk.speech
        if begin < window[1] and end > window[0]
    ]


def find_faults(words: Sequence[Word], speech: Sequence[Piece], log_probability: float) -> list[str]:
    """Return what is wrong with the words of a window, given where speech is (seconds); empty where nothing is."""
    text = "".join(word.word for word in words).strip()
    seconds = sum(end - begin for begin, end in speech)
    faults = []
    if packing(text) > PACKS_TOO_WELL or repeats(text):
        faults.append("repeats itself")
    if words and log_probability < TOO_IMPROBABLE:
        faults.append("improbable")
    if len(text) > TOO_MANY_LETTERS * max(seconds, 1.0):
        faults.append("too much for the time")
    if find_passed_over(words, speech):
        faults.append(PASSED_OVER)
    return faults


def packing(text: str) -> float:
    """Return how many times shorter a text gets by compression, as Whisper measures it; 0 for none."""
    raw = text.encode()
    return len(raw) / len(zlib.compress(raw)) if raw else 0.0


def repeats(text: str) -> bool:
    """Tell whether a phrase comes LOOP_TIMES in a row, a word alone more often; digits said one by one do not count."""
    words = re.findall(r"\w+", text.lower())
    for length in range(1, LOOP_WORDS + 1):
        times, run = LOOP_TIMES_ONE_WORD if length == 1 else LOOP_TIMES, 0
        for index in range(length, len(words)):
            run = run + 1 if words[index] == words[index - length] and not words[index].isdigit() else 0
            if run >= length * (times - 1):
                return True
    return False


def echoes(text: str, hints: str) -> bool:
    """Tell whether a text recites names of the hints in their order, ECHOED of them in a row."""
    said = " ".join(re.findall(r"\w+", text.lower()))
    names = [" ".join(re.findall(r"\w+", name.lower())) for name in hints.split(",")]
    runs = (" ".join(names[at : at + ECHOED]) for at in range(len(names) - ECHOED + 1))
    return any(run in said for run in runs)


def _join(speech: Sequence[Piece]) -> list[Piece]:
    """Pieces of speech with less than half a second between them, as one."""
    joined: list[Piece] = []
    for begin, end in speech:
        if joined and begin - joined[-1][1] < 0.5:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((begin, end))
    return joined


def find_passed_over(words: Sequence[Word], speech: Sequence[Piece]) -> list[Piece]:
    """Return where there is speech for PASSED_OVER_S in a row without a word, in seconds."""
    found = []
    for begin, end in _join(speech):
        reached = begin
        for word in [*(word for word in words if word.end > begin and word.start < end), None]:
            start = end if word is None else word.start
            if start - reached >= PASSED_OVER_S:
                found.append((reached, start))
            reached = max(reached, start if word is None else word.end)
    return found
