"""Segments and words while a transcript is read: their times may be missing, and in a unit that is not known yet."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.core.schema import Word

# Times from here on, seconds (a hundred days), are invalid.
MAX_TIME_S = 1e7

# How many places a message names.
_NAMED_PLACES = 5


@dataclass(slots=True)
class WordDraft:
    """A word as a file states it; a time is None where the file has none."""

    start: float | None
    end: float | None
    text: str
    probability: float | None = None
    speaker: str | None = None


@dataclass(slots=True)
class SegmentDraft:
    """A segment as a file states it; `end` is None where the file has none."""

    start: float
    end: float | None
    text: str
    words: list[WordDraft] = field(default_factory=list)
    speaker: str | None = None


def scale_times(drafts: Sequence[SegmentDraft], factor: float) -> None:
    """Multiply all times by `factor`."""
    for draft in drafts:
        draft.start *= factor
        draft.end = None if draft.end is None else draft.end * factor
        for word in draft.words:
            word.start = None if word.start is None else word.start * factor
            word.end = None if word.end is None else word.end * factor


def read_words(drafts: Sequence[WordDraft], start: float, end: float) -> tuple[Word, ...]:
    """Return words with rising times; a word without a time lies between its neighbors.

    WhisperX gives numbers no time. `start` and `end` are those of the segment.
    """
    words: list[Word] = []
    latest = start
    later = _find_next_starts(drafts, end)
    for draft, next_start in zip(drafts, later, strict=True):
        word_start = max(latest if draft.start is None else draft.start, latest)
        word_end = max(word_start, next_start if draft.end is None else draft.end)
        # WhisperX and bare lists omit the blank that Whisper keeps before a word.
        text = draft.text if draft.text.startswith(" ") else f" {draft.text}"
        words.append(Word(word_start, word_end, text, draft.probability))
        latest = word_start
    return tuple(word for word in words if word.word.strip())


def _find_next_starts(drafts: Sequence[WordDraft], end: float) -> list[float]:
    """For each word the start of the next word that has one, `end` where none has."""
    later, result = end, []
    for draft in reversed(drafts):
        result.append(later)
        later = later if draft.start is None else draft.start
    return result[::-1]


def name_places(numbers: Sequence[int]) -> str:
    """Return `3, 7, 9 and 4 more`."""
    shown = ", ".join(map(str, numbers[:_NAMED_PLACES]))
    more = len(numbers) - _NAMED_PLACES
    return f"{shown} and {more} more" if more > 0 else shown
