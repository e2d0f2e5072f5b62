"""A transcript as a person reads it: paragraphs whose words keep their times, a new one where a feature starts."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.core.language import SENTENCE_END
from pipeline.core.schema import Transcript, Word
from pipeline.publish.subtitles import PARAGRAPH_PAUSE_S, spread_words

# A paragraph of this many words ends with the sentence.
LONG_WORDS = 60

# A word that begins this many seconds before a feature's start is still its first word: starts are rounded.
ROUNDING_S = 0.05


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Words that belong together: `starts` holds a second for each word, `opens` the features that start here."""

    words: tuple[str, ...]
    starts: tuple[float, ...]
    opens: tuple[int, ...] = ()


def cut_paragraphs(transcript: Transcript, features: Sequence[tuple[float, int]]) -> list[Paragraph]:
    """Return the transcript's paragraphs; `features` are pairs of a start in seconds and any number that names it."""
    waiting = deque(sorted(features))
    paragraphs: list[Paragraph] = []
    words: list[Word] = []
    opens: list[int] = []

    def close() -> None:
        if words or opens:
            starts = tuple(round(word.start, 2) for word in words)
            paragraphs.append(Paragraph(tuple(word.word for word in words), starts, tuple(opens)))
        words.clear()
        opens.clear()

    for word in _list_words(transcript):
        starts_feature = waiting and waiting[0][0] <= word.start + ROUNDING_S
        if starts_feature or (words and _ends_before(words, word.start)):
            close()
        while waiting and waiting[0][0] <= word.start + ROUNDING_S:
            opens.append(waiting.popleft()[1])
        words.append(word)
    if waiting:
        # A feature that starts after the last word has a paragraph without words, so that the text still shows it.
        close()
        opens += [number for _, number in waiting]
    close()
    return paragraphs


def _ends_before(words: Sequence[Word], start: float) -> bool:
    """Return whether a word that starts at `start` belongs to another paragraph than `words`."""
    if start - words[-1].end >= PARAGRAPH_PAUSE_S:
        return True
    return len(words) >= LONG_WORDS and bool(SENTENCE_END.search(words[-1].word))


def _list_words(transcript: Transcript) -> Iterator[Word]:
    """Return every word in order of time, without blanks."""
    words: list[Word] = []
    for segment in transcript.segments:
        words += _join_tokens(segment.words) if segment.words else spread_words(segment)
    # Word times of a segment may reach into the next one, and pages find the current word by bisection.
    return iter(sorted(words, key=lambda word: word.start))


def _join_tokens(words: Sequence[Word]) -> list[Word]:
    """Return a segment's words, those without a blank between them ("self", "-checkout") joined to one."""
    joined: list[Word] = []
    has_blanks = any(word.word[:1].isspace() for word in words[1:])
    for word in words:
        texts = word.word.split()
        if joined and texts and has_blanks and not word.word[:1].isspace():
            first = joined.pop()
            joined.append(Word(first.start, word.end, first.word + texts.pop(0)))
        joined += [Word(word.start, word.end, text) for text in texts]
    return joined
