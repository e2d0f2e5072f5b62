"""Cut a transcript into units: sentences, or parts of sentences, at whose starts a discussion may start."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.core.language import SENTENCE_END
from pipeline.core.schema import Mention, Segment, Transcript, Word

# Pause, in seconds, at which a unit ends; a breath between two sentences takes about 0.5 s, a change of speakers more.
PAUSE_S = 0.7

# Seconds from which on a unit also ends at a comma: a start may be hidden behind "and" in a run-on sentence.
LONG_UNIT_S = 6.0

# Seconds up to which a segment without word times stays whole; interpolation inside it would gain nothing.
LONG_SEGMENT_S = 9.0

# Seconds per feature below which time is scaled. Of 45, 60 and 75 s, written walkthroughs are placed best with 60,
# spoken ones equally well with all three (docs/evaluation/alignment.md).
MIN_SECONDS_PER_FEATURE = 60.0

# Largest factor by which time is scaled.
MAX_TIME_SCALE = 3.0

_CLAUSE_END = re.compile(r"[,;:—–][\"'”’)]*$")
_SENTENCE_GAP = re.compile(r"(?<=[.?!…])[\"'”’)\]]*\s+|(?<=[。？！])")

# Start and end in seconds, and text.
Piece = tuple[float, float, str]


@dataclass(frozen=True, slots=True)
class Unit:
    """A sentence or a part of one, with its `start` and `end` in seconds."""

    start: float
    end: float
    text: str
    starts_sentence: bool = True

    @property
    def folded(self) -> str:
        """The text in lower case with straight apostrophes, in which the phrases of `cues` are written."""
        return self.text.lower().replace("’", "'")


def split_units(transcript: Transcript) -> list[Unit]:
    """Return the units of a transcript in order of time; a unit starts with its first word.

    Suspect segments are left out.
    """
    units: list[Unit] = []
    starts_sentence = True
    for segment in sorted(transcript.trusted, key=lambda segment: (segment.start, segment.end)):
        pieces = _split_words(segment) if segment.words else _split_text(segment)
        for start, end, text in pieces:
            if text:
                units.append(Unit(start, max(start, end), text, starts_sentence))
                starts_sentence = bool(SENTENCE_END.search(text))
    # Word times of a segment may overlap those of the next one.
    return sorted(units, key=lambda unit: unit.start)


def _split_words(segment: Segment) -> Iterator[Piece]:
    """Yield the pieces of a segment whose words have times."""
    words: list[Word] = []
    for word in segment.words:
        if words and _ends_piece(words, word):
            yield _join_words(words)
            words = []
        words.append(word)
    if words:
        yield _join_words(words)


def _ends_piece(words: Sequence[Word], following: Word) -> bool:
    """Return whether a piece ends between the last of its `words` and the word `following` it."""
    last = words[-1]
    text = last.word.strip()
    # "2." followed by "204" without a blank is a decimal point, not the end of a sentence.
    if SENTENCE_END.search(text) and following.word[:1].isspace():
        return True
    if following.start - last.end >= PAUSE_S:
        return True
    return last.end - words[0].start >= LONG_UNIT_S and bool(_CLAUSE_END.search(text))


def _join_words(words: Sequence[Word]) -> Piece:
    """Return consecutive words as a piece."""
    return words[0].start, words[-1].end, "".join(word.word for word in words).strip()


def _split_text(segment: Segment) -> Iterator[Piece]:
    """Yield the pieces of a segment without word times; times inside it are interpolated by characters."""
    text = " ".join(segment.text.split())
    length = segment.end - segment.start
    if length <= LONG_SEGMENT_S or not text:
        yield segment.start, segment.end, text
        return
    begins = [0, *(match.end() for match in _SENTENCE_GAP.finditer(text))]
    for begin, stop in zip(begins, [*begins[1:], len(text)], strict=True):
        piece = text[begin:stop].strip()
        if piece:
            per_character = length / len(text)
            yield segment.start + begin * per_character, segment.start + stop * per_character, piece


Timed = TypeVar("Timed", Unit, Mention)


def seconds_per_feature(starts: NDArray[np.float64], count: float) -> float:
    """Return the seconds of speech for each of `count` features; `starts` (units) are in seconds."""
    return float(starts[-1] - starts[0]) / count


def time_scale(pace: float) -> float:
    """Return the factor, 1 or more, by which time is scaled where each feature gets `pace` seconds."""
    return min(MAX_TIME_SCALE, max(1.0, MIN_SECONDS_PER_FEATURE / max(pace, 1.0)))


def scale_times(items: Sequence[Timed], factor: float) -> list[Timed]:
    """Return units or mentions with their times multiplied by `factor`."""
    return [replace(item, start=item.start * factor, end=item.end * factor) for item in items]
