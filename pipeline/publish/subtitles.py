"""The transcript for readers: SubRip, WebVTT and plain text, cut to lines that fit a screen."""

import textwrap
from collections.abc import Iterator

from pipeline.core.schema import Segment, Transcript
from pipeline.core.times import format_timestamp
from pipeline.publish.chapters import escape_cue

# Podcasting 2.0's advice: SubRip in two lines of 32 characters, WebVTT in lines of up to 65.
SRT_LINE, SRT_LINES = 32, 2
VTT_LINE = 65


def format_srt(transcript: Transcript) -> str:
    """Return the transcript as SubRip."""
    cues = []
    for number, (start, end, text) in enumerate(_cut(transcript, SRT_LINE * SRT_LINES - 8), start=1):
        lines = "\n".join(textwrap.wrap(text, SRT_LINE, break_on_hyphens=False) or [text])
        clock = f"{format_timestamp(start)} --> {format_timestamp(end)}".replace(".", ",")
        cues.append(f"{number}\n{clock}\n{lines}\n")
    return "\n".join(cues)


def format_vtt(transcript: Transcript) -> str:
    """Return the transcript as WebVTT."""
    cues = [
        f"{format_timestamp(start)} --> {format_timestamp(end)}\n{escape_cue(text)}"
        for start, end, text in _cut(transcript, VTT_LINE)
    ]
    return "\n\n".join(["WEBVTT", *cues]) + "\n"


def format_plain(transcript: Transcript) -> str:
    """Return the words alone, a paragraph where the speaking paused for two seconds or went on for a minute."""
    paragraphs: list[list[str]] = []
    begun = ended = 0.0
    for segment in transcript.trusted:
        if not paragraphs or segment.start - ended > 2.0 or segment.end - begun > 60.0:
            paragraphs.append([])
            begun = segment.start
        paragraphs[-1].append(" ".join(segment.text.split()))
        ended = segment.end
    return "\n\n".join(" ".join(paragraph) for paragraph in paragraphs) + "\n"


def _cut(transcript: Transcript, longest: int) -> Iterator[tuple[float, float, str]]:
    """The transcript as cues (start, end, text) of at most `longest` characters, but for a single longer word."""
    for segment in transcript.trusted:
        for start, end, text in _cut_segment(segment, longest):
            yield start, max(end, start + 0.001), text


def _cut_segment(segment: Segment, longest: int) -> Iterator[tuple[float, float, str]]:
    words = [(word.start, word.end, word.word.strip()) for word in segment.words] or spread_words(segment)
    total = sum(len(text) + 1 for _, _, text in words)
    # Cues of about the same length read better than full ones with a word left over.
    longest = min(longest, total // (total // longest + 1) + 8)
    cue: list[tuple[float, float, str]] = []
    length = 0
    for word in words:
        if cue and length + 1 + len(word[2]) > longest:
            yield cue[0][0], cue[-1][1], " ".join(text for _, _, text in cue)
            cue, length = [], 0
        cue.append(word)
        length += len(word[2]) + (1 if length else 0)
    if cue:
        yield cue[0][0], cue[-1][1], " ".join(text for _, _, text in cue)


def spread_words(segment: Segment) -> list[tuple[float, float, str]]:
    """Return the words (start, end, text) of a segment without word times, spread over it by their letters."""
    words = segment.text.split()
    letters = sum(len(word) + 1 for word in words) or 1
    step = (segment.end - segment.start) / letters
    spread, at = [], segment.start
    for word in words:
        spread.append((at, at + step * (len(word) + 1), word))
        at += step * (len(word) + 1)
    return spread
