"""A transcript as a person reads it: paragraphs whose words keep their times, a new one where a feature starts."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.core.language import SENTENCE_END
from pipeline.core.schema import Transcript, Word
from pipeline.publish.subtitles import spread_words

# A paragraph ends at a pause of so many seconds, or after the sentence that makes it this many words long.
PAUSE_S = 2.0
LONG_WORDS = 60

# A word that begins this much before a feature's start is still its first one: starts are rounded.
NEAR_S = 0.05


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Words that belong together; `starts` holds a second for each, and `opens` the features that start with it."""

    words: tuple[str, ...]
    starts: tuple[float, ...]
    opens: tuple[int, ...] = ()


def cut_paragraphs(transcript: Transcript, features: Sequence[tuple[float, int]]) -> list[Paragraph]:
    """Return the transcript's paragraphs; `features` are (start in seconds, any number that names the feature)."""
    waiting = deque(sorted(features))
    paragraphs: list[Paragraph] = []
    words: list[tuple[float, float, str]] = []
    opens: list[int] = []

    def close() -> None:
        if words or opens:
            texts, starts = tuple(text for _, _, text in words), tuple(round(start, 2) for start, _, _ in words)
            paragraphs.append(Paragraph(texts, starts, tuple(opens)))
        words.clear()
        opens.clear()

    for start, end, text in _list_words(transcript):
        due = waiting and waiting[0][0] <= start + NEAR_S
        if due or (words and _ends_before(words, start)):
            close()
        while waiting and waiting[0][0] <= start + NEAR_S:
            opens.append(waiting.popleft()[1])
        words.append((start, end, text))
    if waiting:
        # A start after the last word has a paragraph without words: the feature must not vanish from the text.
        close()
        opens += [number for _, number in waiting]
    close()
    return paragraphs


def _ends_before(words: Sequence[tuple[float, float, str]], start: float) -> bool:
    """Whether what follows at `start` belongs to another paragraph than these words."""
    if start - words[-1][1] >= PAUSE_S:
        return True
    return len(words) >= LONG_WORDS and bool(SENTENCE_END.search(words[-1][2]))


def _list_words(transcript: Transcript) -> Iterator[tuple[float, float, str]]:
    """Every word (start, end, text) in order of time, each text without blanks."""
    words: list[tuple[float, float, str]] = []
    for segment in transcript.segments:
        words += _join_parts(segment.words) if segment.words else spread_words(segment)
    # Word times of one segment may reach into the next, and a page must find the current word by bisection.
    return iter(sorted(words, key=lambda word: word[0]))


def _join_parts(words: Sequence[Word]) -> list[tuple[float, float, str]]:
    """A segment's words, the parts of one ("self", "-checkout") put together again: they have no blank between them."""
    joined: list[tuple[float, float, str]] = []
    has_blanks = any(word.word[:1].isspace() for word in words[1:])
    for word in words:
        texts = word.word.split()
        if joined and texts and has_blanks and not word.word[:1].isspace():
            start, _, text = joined.pop()
            joined.append((start, word.end, text + texts.pop(0)))
        joined += [(word.start, word.end, text) for text in texts]
    return joined
