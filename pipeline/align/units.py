"""Cut a transcript into the sentence-like units at which a discussion may start."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.core.language import SENTENCE_END
from pipeline.core.schema import Mention, Segment, Transcript, Word

# A breath between two sentences lasts about half a second; the hosts' turns are further apart.
PAUSE_S = 0.7

# Longer units are cut at a comma too: a start may hide behind "and" in the middle of a run-on sentence.
LONG_UNIT_S = 6.0

# Segments without word times are left whole up to this length; interpolating inside them would gain nothing.
LONG_SEGMENT_S = 9.0
_CLAUSE_END = re.compile(r"[,;:—–][\"'”’)]*$")
_SENTENCE_GAP = re.compile(r"(?<=[.?!…])[\"'”’)\]]*\s+|(?<=[。？！])")


@dataclass(frozen=True, slots=True)
class Unit:
    """A sentence or a part of one, with its `start` and `end` in seconds."""

    start: float
    end: float
    text: str
    starts_sentence: bool = True

    @property
    def folded(self) -> str:
        """The text in small letters and with straight apostrophes, as patterns of what hosts say are written."""
        return self.text.lower().replace("’", "'")


def split_units(transcript: Transcript) -> list[Unit]:
    """Return the units of a transcript in order of time; a unit starts where its first word starts.

    Suspect segments are passed over.
    """
    units: list[Unit] = []
    opens = True
    for segment in sorted(transcript.trusted, key=lambda one: (one.start, one.end)):
        pieces = _cut_words(segment) if segment.words else _cut_text(segment)
        for start, end, text in pieces:
            if text:
                units.append(Unit(start, max(start, end), text, opens))
                opens = bool(SENTENCE_END.search(text))
    # Word times of one segment may reach into the next; callers rely on rising starts.
    return sorted(units, key=lambda unit: unit.start)


def _cut_words(segment: Segment) -> Iterator[tuple[float, float, str]]:
    """Yield the pieces of a segment whose words carry times."""
    piece: list[Word] = []
    for word in segment.words:
        if piece and _ends_piece(piece, word):
            yield _join_words(piece)
            piece = []
        piece.append(word)
    if piece:
        yield _join_words(piece)


def _ends_piece(piece: Sequence[Word], following: Word) -> bool:
    """Tell whether a cut falls between the last word of `piece` and the word `following` it."""
    last = piece[-1]
    text = last.word.strip()
    # "2." followed at once by "204" is a decimal point, not the end of a sentence.
    if SENTENCE_END.search(text) and following.word[:1].isspace():
        return True
    if following.start - last.end >= PAUSE_S:
        return True
    return last.end - piece[0].start >= LONG_UNIT_S and bool(_CLAUSE_END.search(text))


def _join_words(piece: Sequence[Word]) -> tuple[float, float, str]:
    """Return the start, the end and the text of consecutive words."""
    return piece[0].start, piece[-1].end, "".join(word.word for word in piece).strip()


def _cut_text(segment: Segment) -> Iterator[tuple[float, float, str]]:
    """Yield the pieces of a segment without word times; times inside it are interpolated by characters."""
    text = " ".join(segment.text.split())
    length = segment.end - segment.start
    if length <= LONG_SEGMENT_S or not text:
        yield segment.start, segment.end, text
        return
    starts = [0, *(match.end() for match in _SENTENCE_GAP.finditer(text))]
    for begin, stop in zip(starts, [*starts[1:], len(text)], strict=True):
        piece = text[begin:stop].strip()
        if piece:
            per_character = length / len(text)
            yield segment.start + begin * per_character, segment.start + stop * per_character, piece


# A feature counts as getting at least so many seconds, but time is stretched no more than so many times. Of 45, 60 and
# 75 s, written walkthroughs are placed best with 60; spoken ones alike with all three.
MIN_SECONDS_PER_FEATURE, MAX_TIME_SCALE = 60.0, 3.0
Timed = TypeVar("Timed", Unit, Mention)


def seconds_per_feature(starts: NDArray[np.float64], count: int) -> float:
    """Return how many seconds of talk there are for each of `count` features; `starts` (units) are in seconds."""
    return float(starts[-1] - starts[0]) / count


def time_scale(dwell: float) -> float:
    """Return by how much to stretch time, where each feature gets `dwell` seconds."""
    return min(MAX_TIME_SCALE, max(1.0, MIN_SECONDS_PER_FEATURE / max(dwell, 1.0)))


def scale_times(things: Sequence[Timed], factor: float) -> list[Timed]:
    """Return units or mentions on a clock that runs `factor` times as slow."""
    return [replace(one, start=one.start * factor, end=one.end * factor) for one in things]
