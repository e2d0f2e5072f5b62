"""Decode one chunk, detect the windows in which Whisper failed, and decode those again with safer options.

Whisper has three known failures: it repeats a phrase with high confidence, it makes up words for music or noise, and it
skips speech. Each leaves a measurable trace (`Fault`). A window that stays doubtful is marked as suspect, and the
alignment ignores it.
"""

import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from pipeline.core.audio.file import SAMPLE_RATE
from pipeline.core.schema import Segment, Word
from pipeline.transcribe.chunking import Chunk, Window, pack_windows
from pipeline.transcribe.whisper import DecodingOptions, DecodingResult
from pipeline.transcribe.word_timestamps import TimeSpan, clamp_word_times, cut_segments

if TYPE_CHECKING:
    from pipeline.core.audio.file import Samples


# Text with a higher compression ratio repeats itself (Whisper's default: Radford et al. 2022, section 4.5).
COMPRESSION_RATIO_THRESHOLD = 2.4

# Tokens with a lower mean log probability are guesses (same source).
AVG_LOGPROB_THRESHOLD = -1.0

# Above this probability of no speech, improbable words stand for noise (same source).
NO_SPEECH_THRESHOLD = 0.6

# Most characters per second of speech; auctioneers reach about 30 letters.
MAX_CHARACTERS_PER_S = 40.0

# Shortest speech without a word, seconds, that counts as skipped.
MIN_SKIPPED_S = 2.5

# Pauses in speech shorter than this, seconds, do not interrupt skipped speech.
_JOIN_PAUSE_S = 0.5

# Preferred length, seconds, of the shorter windows that replace a window with skipped speech.
RETRY_WINDOW_S = 8.0

# Longest phrase, in words, that is checked for a loop.
MAX_LOOP_WORDS = 8

# Repetitions in a row that make a phrase of several words a loop.
LOOP_REPETITIONS = 4

# Repetitions in a row that make a single word a loop; people do say "okay, okay, okay, okay".
WORD_LOOP_REPETITIONS = 6

# Hotwords in the order of the prompt that show that the model repeats the prompt.
PROMPT_RUN = 3

# The options of the first attempt at a window.
DEFAULT_OPTIONS = DecodingOptions()

# The options of further attempts, in order, while the words of a window are in doubt.
FALLBACK_OPTIONS = (
    DecodingOptions(pad_to_full=True),
    DecodingOptions(pad_to_full=True, no_repeat_ngram_size=4),
)


class Fault(Enum):
    """A sign that the text of a decoded window is wrong or incomplete."""

    REPETITION = auto()
    IMPROBABLE = auto()
    TOO_FAST = auto()
    SKIPPED_SPEECH = auto()
    REPEATED_PROMPT = auto()


class SpeechModel(Protocol):
    """A loaded speech model; `batch_size` is how many windows it decodes at once."""

    batch_size: int

    def decode(
        self, windows: Sequence["Samples"], language: str, options: DecodingOptions, hotwords: str | None
    ) -> list[DecodingResult]:
        """Return the words of each window."""
        ...


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One decoding of a window: its words in seconds of the whole audio, and its faults."""

    words: tuple[Word, ...]
    avg_logprob: float
    faults: tuple[Fault, ...]

    @property
    def badness(self) -> tuple[bool, int, float]:
        """A sort key, best first: words in doubt are worse than missing words."""
        return self.is_suspect, len(self.faults), -self.avg_logprob

    @property
    def is_suspect(self) -> bool:
        """Whether the words themselves are in doubt."""
        return any(fault is not Fault.SKIPPED_SPEECH for fault in self.faults)


def decode_chunk(
    model: SpeechModel, chunk: Chunk, language: str, *, hotwords: str | None = None,
    on_progress: Callable[[float], None] = lambda _: None,
) -> list[Segment]:  # fmt: skip
    """Return the segments of a chunk, in seconds from the start of the whole audio.

    `hotwords` are names to expect, separated by commas. `on_progress` is called with the seconds of audio that were
    done since its last call.
    """
    windows = pack_windows(chunk.speech, len(chunk.samples))
    decoder = _ChunkDecoder(model, chunk, language, hotwords)
    attempts: dict[Window, _Attempt] = {}
    silence = len(chunk.samples) - sum(end - begin for begin, end in windows)
    on_progress(silence / SAMPLE_RATE)
    for group in group_windows(windows, model.batch_size):
        attempts |= dict(zip(group, decoder.decode_group(group), strict=True))
        on_progress(sum(end - begin for begin, end in group) / SAMPLE_RATE)
    in_order = (attempts[window] for window in windows)
    return [segment for attempt in in_order for segment in cut_segments(attempt.words, suspect=attempt.is_suspect)]


def group_windows(windows: Sequence[Window], batch_size: int) -> list[list[Window]]:
    """Return the windows in groups of at most `batch_size`, of equal size, longest windows first.

    The model pads the windows of a group to the longest, so windows of similar length share a group.
    """
    count = -(-len(windows) // batch_size)
    by_length = sorted(windows, key=lambda window: (window[0] - window[1], window))
    bounds = [len(windows) * index // count for index in range(count + 1)] if count else []
    return [by_length[first:last] for first, last in pairwise(bounds)]


@dataclass(frozen=True, slots=True)
class _ChunkDecoder:
    """Decodes windows of one chunk, with retries."""

    model: SpeechModel
    chunk: Chunk
    language: str
    hotwords: str | None

    def decode_group(self, windows: Sequence[Window]) -> list[_Attempt]:
        """Decode windows as one batch, then each one with faults again by itself; return the best attempts."""
        attempts = self._decode(windows, DEFAULT_OPTIONS, self.hotwords)
        for index, window in enumerate(windows):
            for options in FALLBACK_OPTIONS:
                if attempts[index].is_suspect:
                    # Without hotwords, which may be the cause.
                    (retried,) = self._decode([window], options, None)
                    attempts[index] = min(attempts[index], retried, key=lambda attempt: attempt.badness)
            if attempts[index].faults == (Fault.SKIPPED_SPEECH,):
                attempts[index] = self._recover_skipped(window, attempts[index])
        return attempts

    def _recover_skipped(self, window: Window, attempt: _Attempt) -> _Attempt:
        """Decode a window with skipped speech in shorter windows, then whatever speech still lacks words."""
        words = self._decode_shorter(window, attempt.words)
        gaps = [
            (round(begin * SAMPLE_RATE) - self.chunk.begin, round(end * SAMPLE_RATE) - self.chunk.begin)
            for begin, end in find_skipped(words, self._speech_in(window))
        ]
        for retried in self._decode(gaps, FALLBACK_OPTIONS[0], None):
            words += () if retried.is_suspect else retried.words
        return replace(attempt, words=tuple(sorted(words, key=lambda word: word.start)))

    def _decode_shorter(self, window: Window, words: Sequence[Word]) -> list[Word]:
        """Return the words of a window from shorter windows if they skip less speech than `words`, else `words`."""
        begin, end = window
        speech = [(max(b, begin) - begin, min(e, end) - begin) for b, e in self.chunk.speech if b < end and e > begin]
        shorter = [(begin + b, begin + e) for b, e in pack_windows(speech, end - begin, RETRY_WINDOW_S)]
        retried: list[Word] = []
        if len(shorter) > 1:
            for part, attempt in zip(shorter, self._decode(shorter, DEFAULT_OPTIONS, self.hotwords), strict=True):
                retried += self._words_in(part, words) if attempt.is_suspect else attempt.words
        spans = self._speech_in(window)
        return min(list(words), retried, key=lambda choice: sum(e - b for b, e in find_skipped(choice, spans)))

    def _decode(self, windows: Sequence[Window], options: DecodingOptions, hotwords: str | None) -> list[_Attempt]:
        samples = [self.chunk.samples[begin:end] for begin, end in windows]
        results = self.model.decode(samples, self.language, options, hotwords) if samples else []
        return [self._assess(result, window, hotwords) for result, window in zip(results, windows, strict=True)]

    def _assess(self, result: DecodingResult, window: Window, hotwords: str | None) -> _Attempt:
        """Move the words of a window to the time line of the whole audio, clamp their times, and find faults."""
        begin, end = self._in_seconds(window)
        if result.no_speech_prob > NO_SPEECH_THRESHOLD and result.avg_logprob < AVG_LOGPROB_THRESHOLD:
            # Noise that the VAD took for speech.
            return _Attempt((), result.avg_logprob, ())
        placed = [
            replace(word, start=min(word.start + begin, end), end=min(word.end + begin, end)) for word in result.words
        ]
        speech = self._speech_in(window)
        words = clamp_word_times(placed, speech)
        faults = find_faults(words, speech, result.avg_logprob)
        if hotwords and repeats_prompt(result.text, hotwords):
            faults.append(Fault.REPEATED_PROMPT)
        return _Attempt(words, result.avg_logprob, tuple(faults))

    def _words_in(self, window: Window, words: Sequence[Word]) -> list[Word]:
        begin, end = self._in_seconds(window)
        return [word for word in words if begin <= word.start < end]

    def _speech_in(self, window: Window) -> list[TimeSpan]:
        """Return the speech in a window, in seconds of the whole audio."""
        return [
            self._in_seconds((max(begin, window[0]), min(end, window[1])))
            for begin, end in self.chunk.speech
            if begin < window[1] and end > window[0]
        ]

    def _in_seconds(self, window: Window) -> TimeSpan:
        """Return a span of the chunk in seconds of the whole audio."""
        return (self.chunk.begin + window[0]) / SAMPLE_RATE, (self.chunk.begin + window[1]) / SAMPLE_RATE


def find_faults(words: Sequence[Word], speech: Sequence[TimeSpan], avg_logprob: float) -> list[Fault]:
    """Return the faults of a decoded window; `speech` holds its spans of speech in seconds."""
    text = "".join(word.word for word in words).strip()
    seconds = sum(end - begin for begin, end in speech)
    faults = []
    if compression_ratio(text) > COMPRESSION_RATIO_THRESHOLD or has_loop(text):
        faults.append(Fault.REPETITION)
    if words and avg_logprob < AVG_LOGPROB_THRESHOLD:
        faults.append(Fault.IMPROBABLE)
    if len(text) > MAX_CHARACTERS_PER_S * max(seconds, 1.0):
        faults.append(Fault.TOO_FAST)
    if find_skipped(words, speech):
        faults.append(Fault.SKIPPED_SPEECH)
    return faults


def compression_ratio(text: str) -> float:
    """Return the size of a text divided by its zlib-compressed size, as Whisper computes it; 0 for an empty text."""
    raw = text.encode()
    return len(raw) / len(zlib.compress(raw)) if raw else 0.0


def has_loop(text: str) -> bool:
    """Return whether a phrase of up to MAX_LOOP_WORDS words comes too often in a row.

    The limit is LOOP_REPETITIONS, for a single word WORD_LOOP_REPETITIONS. Repeated digits do not count: ids hold them.
    """
    words = re.findall(r"\w+", text.lower())
    for length in range(1, MAX_LOOP_WORDS + 1):
        repetitions, run = WORD_LOOP_REPETITIONS if length == 1 else LOOP_REPETITIONS, 0
        for index in range(length, len(words)):
            run = run + 1 if words[index] == words[index - length] and not words[index].isdigit() else 0
            if run >= length * (repetitions - 1):
                return True
    return False


def repeats_prompt(text: str, hotwords: str) -> bool:
    """Return whether a text holds PROMPT_RUN hotwords in a row, in the order of the prompt."""
    spoken = " ".join(re.findall(r"\w+", text.lower()))
    names = [" ".join(re.findall(r"\w+", name.lower())) for name in hotwords.split(",")]
    runs = (" ".join(names[at : at + PROMPT_RUN]) for at in range(len(names) - PROMPT_RUN + 1))
    return any(run in spoken for run in runs)


def find_skipped(words: Sequence[Word], speech: Sequence[TimeSpan]) -> list[TimeSpan]:
    """Return the spans of at least MIN_SKIPPED_S, in seconds, in which there is speech but no word."""
    skipped = []
    for begin, end in _merge_spans(speech):
        reached = begin
        for word in [*(word for word in words if word.end > begin and word.start < end), None]:
            start = end if word is None else word.start
            if start - reached >= MIN_SKIPPED_S:
                skipped.append((reached, start))
            reached = max(reached, start if word is None else word.end)
    return skipped


def _merge_spans(speech: Sequence[TimeSpan]) -> list[TimeSpan]:
    """Merge spans of speech with less than _JOIN_PAUSE_S between them."""
    merged: list[TimeSpan] = []
    for begin, end in speech:
        if merged and begin - merged[-1][1] < _JOIN_PAUSE_S:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((begin, end))
    return merged
