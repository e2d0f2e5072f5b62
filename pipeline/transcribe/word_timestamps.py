"""Monotonic, speech-bounded word timestamps, and the segments that they are cut into."""

from collections.abc import Sequence
from itertools import zip_longest

from pipeline.core.schema import Segment, Word

# (begin, end) in seconds.
TimeSpan = tuple[float, float]

# Shortest silence inside a word's time, seconds, that no closed consonant explains: the word lies on one side of it.
_SILENCE_S = 0.3

# How late the VAD reports an onset at most, seconds: two of its frames of 32 ms.
_VAD_DELAY_S = 0.06

# Longest duration of a word without its letters and digits, seconds.
_MAX_BASE_S = 0.5

# Longest duration that each letter adds to a word, seconds.
_MAX_LETTER_S = 0.12

# Longest duration that each digit adds to a word, seconds: numbers may be spelled out digit by digit.
_MAX_DIGIT_S = 0.65

# A pause of this length, seconds, ends a segment.
_PAUSE_S = 0.7

# Shortest segment, seconds, that the end of a sentence ends: shorter ones are not worth a line of subtitles.
_MIN_SENTENCE_S = 1.0

_SENTENCE_ENDS = (".", "?", "!", "…", "。", "？", "！")


def clamp_word_times(words: Sequence[Word], speech: Sequence[TimeSpan]) -> tuple[Word, ...]:
    """Return the words with times that rise, lie in speech, and are no longer than a word can take.

    `speech` holds the spans that the VAD reports, in order. Whisper's times reach into silence; a word that does is cut
    to the speech it overlaps, so that the first word after a pause starts at the onset. Times are rounded to 1 ms.
    """
    spans = [(begin - _VAD_DELAY_S, end) for begin, end in speech]
    clamped: list[Word] = []
    previous_end = 0.0
    for index, word in enumerate(words):
        start, end = _cut_to_speech(max(word.start, previous_end), max(word.end, previous_end), spans)
        excess = end - start - max_word_duration(word.word)
        if excess > 0:
            opens = index == 0 or start - previous_end > _SILENCE_S or words[index - 1].word.endswith(_SENTENCE_ENDS)
            start, end = (start + excess, end) if opens else (start, end - excess)
        start = max(start, previous_end)
        previous_end = max(end, start)
        clamped.append(Word(round(start, 3), round(previous_end, 3), word.word, round(word.probability or 0.0, 3)))
    return tuple(clamped)


def max_word_duration(word: str) -> float:
    """Return the longest time, in seconds, that a person takes to say a word."""
    digits = sum(character.isdigit() for character in word)
    letters = sum(character.isalpha() for character in word)
    return _MAX_BASE_S + _MAX_LETTER_S * letters + _MAX_DIGIT_S * digits


def _cut_to_speech(start: float, end: float, speech: Sequence[TimeSpan]) -> TimeSpan:
    """Return the longest part of a time span that lies in speech; the whole span if none does."""
    overlaps = [(max(start, begin), min(end, stop)) for begin, stop in speech if begin < end and stop > start]
    if not overlaps:
        return start, end
    # Closed consonants interrupt the speech inside a word.
    joined = [overlaps[0]]
    for begin, stop in overlaps[1:]:
        if begin - joined[-1][1] < _SILENCE_S:
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((begin, stop))
    return max(joined, key=lambda span: span[1] - span[0])


def cut_segments(words: Sequence[Word], *, suspect: bool = False) -> list[Segment]:
    """Return the words of a window as segments, each a sentence or the words between two pauses.

    `suspect` is set on every segment.
    """
    segments: list[Segment] = []
    pending: list[Word] = []
    for word, following in zip_longest(words, words[1:]):
        pending.append(word)
        pause = following.start - word.end if following else _PAUSE_S
        ends = word.word.endswith(_SENTENCE_ENDS) and (following is None or following.word[:1].isspace())
        if following is None or pause >= _PAUSE_S or (ends and word.end - pending[0].start >= _MIN_SENTENCE_S):
            text = "".join(part.word for part in pending).strip()
            segments.append(Segment(pending[0].start, word.end, text, tuple(pending), suspect))
            pending = []
    return segments
