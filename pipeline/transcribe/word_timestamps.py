"""Word times that hold: rising, within the speech, and no longer than a word can be said."""

from collections.abc import Sequence
from itertools import zip_longest

from pipeline.core.schema import Segment, Word

# A piece of speech: (begin, end) in seconds.
Piece = tuple[float, float]

# A silence inside a word's time that is longer than any closed consonant: the word is on one side of it.
_SILENCE_S = 0.3

# The voice filter hears an onset up to two of its frames (32 ms each) late.
_ONSET_S = 0.06

# The slowest that people say a letter or a digit, with the time a short word takes at least.
_SHORTEST_S, _LETTER_S, _DIGIT_S = 0.5, 0.12, 0.65

# A segment ends at a pause, or at the end of a sentence once it is worth a line of subtitles.
_PAUSE_S, _LONG_S = 0.7, 1.0
_SENTENCE_ENDS = (".", "?", "!", "…", "。", "？", "！")


def mend_times(words: Sequence[Word], speech: Sequence[Piece]) -> tuple[Word, ...]:
    """Return the words with times that hold; `speech` is where the voice filter heard speech, all in seconds.

    A word that reaches into silence is cut to the speech it is in, so that a start after a pause is the onset.
    """
    heard = [(begin - _ONSET_S, end) for begin, end in speech]
    mended: list[Word] = []
    reached = 0.0
    for number, word in enumerate(words):
        start, end = _cut_to_speech(max(word.start, reached), max(word.end, reached), heard)
        too_long = end - start - longest_said(word.word)
        if too_long > 0:
            opens = number == 0 or start - reached > _SILENCE_S or words[number - 1].word.endswith(_SENTENCE_ENDS)
            start, end = (start + too_long, end) if opens else (start, end - too_long)
        start = max(start, reached)
        reached = max(end, start)
        mended.append(Word(round(start, 3), round(reached, 3), word.word, round(word.probability or 0.0, 3)))
    return tuple(mended)


def longest_said(word: str) -> float:
    """Return the most seconds that a person takes to say a word; a number may be spelled out digit by digit."""
    digits = sum(character.isdigit() for character in word)
    letters = sum(character.isalpha() for character in word)
    return _SHORTEST_S + _LETTER_S * letters + _DIGIT_S * digits


def _cut_to_speech(start: float, end: float, heard: Sequence[Piece]) -> Piece:
    """The part of a word's time in the piece of speech that holds most of it; the whole where it is in none."""
    inside = [(max(start, begin), min(end, stop)) for begin, stop in heard if begin < end and stop > start]
    if not inside:
        return start, end
    # Pieces of speech that follow each other closely are one: consonants close the mouth.
    joined = [inside[0]]
    for begin, stop in inside[1:]:
        if begin - joined[-1][1] < _SILENCE_S:
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((begin, stop))
    return max(joined, key=lambda piece: piece[1] - piece[0])


def cut_segments(words: Sequence[Word], *, suspect: bool = False) -> list[Segment]:
    """Return the words of a window as segments: a sentence, or what is said between two pauses."""
    segments: list[Segment] = []
    held: list[Word] = []
    for word, following in zip_longest(words, words[1:]):
        held.append(word)
        pause = following.start - word.end if following else _PAUSE_S
        ends = word.word.endswith(_SENTENCE_ENDS) and (following is None or following.word[:1].isspace())
        if following is None or pause >= _PAUSE_S or (ends and word.end - held[0].start >= _LONG_S):
            text = "".join(one.word for one in held).strip()
            segments.append(Segment(held[0].start, word.end, text, tuple(held), suspect))
            held = []
    return segments
