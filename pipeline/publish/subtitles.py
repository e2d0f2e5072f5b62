"""The transcript for readers: SubRip, WebVTT and plain text, in lines that fit a screen."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.core.schema import Segment, Transcript, Word
from pipeline.core.times import format_timestamp
from pipeline.publish.chapters import SHORTEST_CUE_S, escape_cue

# Characters in a line of SubRip, as Podcasting 2.0 recommends.
SRT_LINE = 32

# Lines in a cue of SubRip, as Podcasting 2.0 recommends.
SRT_LINES = 2

# Characters in a cue of WebVTT, as Podcasting 2.0 recommends.
VTT_LINE = 65

# Characters of a SubRip cue that stay free, since a line ends with a whole word.
SRT_RESERVE = 8

# Characters by which a cue may exceed the even share of its segment, so that the last cue is not a single word.
EVEN_RESERVE = 8

# A pause of this many seconds starts a new paragraph of the plain text.
PARAGRAPH_PAUSE_S = 2.0

# The longest paragraph of the plain text, in seconds.
LONGEST_PARAGRAPH_S = 60.0


@dataclass(frozen=True, slots=True)
class Cue:
    """A text shown from `start` to `end`, in seconds."""

    start: float
    end: float
    text: str


def format_srt(transcript: Transcript) -> str:
    """Return the transcript as SubRip, in cues of at most two lines of 32 characters."""
    cues = []
    for number, cue in enumerate(_split_transcript(transcript, SRT_LINE * SRT_LINES - SRT_RESERVE), start=1):
        lines = "\n".join(textwrap.wrap(cue.text, SRT_LINE, break_on_hyphens=False) or [cue.text])
        # SubRip writes seconds with a decimal comma.
        times = f"{format_timestamp(cue.start)} --> {format_timestamp(cue.end)}".replace(".", ",")
        cues.append(f"{number}\n{times}\n{lines}\n")
    return "\n".join(cues)


def format_vtt(transcript: Transcript) -> str:
    """Return the transcript as WebVTT, in cues of at most 65 characters."""
    cues = [
        f"{format_timestamp(cue.start)} --> {format_timestamp(cue.end)}\n{escape_cue(cue.text)}"
        for cue in _split_transcript(transcript, VTT_LINE)
    ]
    return "\n\n".join(["WEBVTT", *cues]) + "\n"


def format_plain(transcript: Transcript) -> str:
    """Return the words alone, in paragraphs that end at a pause of two seconds or after a minute."""
    paragraphs: list[list[str]] = []
    start = end = 0.0
    for segment in transcript.trusted:
        if not paragraphs or segment.start - end > PARAGRAPH_PAUSE_S or segment.end - start > LONGEST_PARAGRAPH_S:
            paragraphs.append([])
            start = segment.start
        paragraphs[-1].append(" ".join(segment.text.split()))
        end = segment.end
    return "\n\n".join(" ".join(paragraph) for paragraph in paragraphs) + "\n"


def _split_transcript(transcript: Transcript, longest: int) -> Iterator[Cue]:
    """Yield the transcript in cues of at most `longest` characters; a longer word has a cue of its own."""
    for segment in transcript.trusted:
        for words in _split_segment(segment, longest):
            start, end = words[0].start, max(words[-1].end, words[0].start + SHORTEST_CUE_S)
            yield Cue(start, end, " ".join(word.word for word in words))


def _split_segment(segment: Segment, longest: int) -> Iterator[list[Word]]:
    """Yield the words of a segment, without blanks, cue by cue."""
    words = [Word(word.start, word.end, word.word.strip()) for word in segment.words] or spread_words(segment)
    total = sum(len(word.word) + 1 for word in words)
    # Cues of about equal length read better than full ones with a word left over.
    longest = min(longest, total // (total // longest + 1) + EVEN_RESERVE)
    cue: list[Word] = []
    length = 0
    for word in words:
        if cue and length + 1 + len(word.word) > longest:
            yield cue
            cue, length = [], 0
        cue.append(word)
        length += len(word.word) + (1 if length else 0)
    if cue:
        yield cue


def spread_words(segment: Segment) -> list[Word]:
    """Return the words of a segment without word times: its time is divided among them by their numbers of letters."""
    texts = segment.text.split()
    letters = sum(len(text) + 1 for text in texts) or 1
    step = (segment.end - segment.start) / letters
    words, start = [], segment.start
    for text in texts:
        end = start + step * (len(text) + 1)
        words.append(Word(start, end, text))
        start = end
    return words
