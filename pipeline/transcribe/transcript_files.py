"""Read transcripts made by others: .srt, .vtt, and the JSON of whisper, faster-whisper and WhisperX."""

import html
import io
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from pipeline.core.errors import InputError
from pipeline.core.schema import Segment, Transcript, Word
from pipeline.core.storage import read_limited
from pipeline.core.text import decode_text

# The file name extensions of transcripts.
SUFFIXES = frozenset({".srt", ".vtt", ".json"})

# From this share of cues that repeat a line of the cue before, a file holds rolling captions. In automatic captions
# every second cue or more does; in others hardly one in a hundred.
ROLLING_SHARE = 0.3

# Times from here on, seconds (a hundred days), are invalid.
MAX_TIME_S = 1e7

# Largest transcript file, bytes; five hours with word times take under 30 MB.
MAX_BYTES = 256 << 20

# A timestamp inside a cue, as YouTube sets before each word: <00:00:00.400>.
_TIMESTAMP = re.compile(r"<((?:\d+:)?\d{2}:\d{2}\.\d{3})>")

# A tag of SubRip or WebVTT, or a timestamp.
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<\d[\d:.]*>")


def load_transcript(path: Path) -> Transcript:
    """Return the transcript in a file; InputError if the file is not a transcript or is damaged.

    A transcript without words has a remark.
    """
    text = decode_text(read_limited(path, MAX_BYTES, "the transcript"))
    suffix = path.suffix.lower()
    try:
        transcript = _parse_json(text) if suffix == ".json" else _parse_captions(text, suffix[1:])
    except InputError as error:
        raise InputError(f"the transcript {path}: {error.problem}", error.advice) from error
    if transcript.segments:
        return transcript
    return replace(transcript, remarks=(f"the transcript {path.name} holds no words: check that it is the right file",))


def _parse_captions(text: str, file_format: str) -> Transcript:
    """Parse a SubRip or WebVTT file; InputError if a cue has a damaged time line."""
    import webvtt
    from webvtt.errors import MalformedFileError

    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        return Transcript(())
    try:
        captions = webvtt.from_buffer(io.StringIO(text), format=file_format).captions
    except MalformedFileError as error:
        raise InputError(f"this is not a .{file_format} file: {error}") from error
    expected = sum("-->" in line for line in text.splitlines())
    if len(captions) < expected:
        raise InputError(f"{expected - len(captions)} of {expected} cues are damaged", "repair their time lines")
    cues = [
        _Cue(
            caption.start_time.in_milliseconds() / 1000,
            caption.end_time.in_milliseconds() / 1000,
            tuple(caption.raw_text.split("\n")),
        )
        for caption in captions
    ]
    return _make_transcript((_read_cue(cue) for cue in drop_repeated_lines(cues)), None)


@dataclass(frozen=True, slots=True)
class _Cue:
    """A cue of a caption file: when it is shown, in seconds, and its lines with their tags."""

    start: float
    end: float
    lines: tuple[str, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """The lines without tags; empty lines are left out."""
        return tuple(text for line in self.lines if (text := _strip_tags(line)))


def drop_repeated_lines(cues: Sequence[_Cue]) -> list[_Cue]:
    """Return rolling captions without the lines that a cue repeats from the cue before; other cues as they are.

    Automatic captions roll: each cue shows the line before once more above the new line. A file rolls if at least
    ROLLING_SHARE of its cues begin as the cue before ends. In other files a repeated line was spoken twice.
    """
    rolling = sum(bool(_count_repeated(before, cue)) for before, cue in pairwise(cues))
    if rolling < ROLLING_SHARE * (len(cues) - 1):
        return list(cues)
    result = list(cues[:1])
    for before, cue in pairwise(cues):
        new_lines = [line for line in cue.lines if _strip_tags(line)][_count_repeated(before, cue) :]
        if new_lines:
            result.append(replace(cue, lines=tuple(new_lines)))
    return result


def _count_repeated(before: _Cue, cue: _Cue) -> int:
    """Return how many lines at the beginning of a cue are the last lines of the cue before."""
    most = min(len(before.texts), len(cue.texts))
    return next((n for n in range(most, 0, -1) if before.texts[-n:] == cue.texts[:n]), 0)


def _read_cue(cue: _Cue) -> Segment:
    """Return a cue as a segment, with word times if the cue holds timestamps."""
    text = " ".join(cue.texts)
    # `re.split` with a group gives text, timestamp, text, timestamp, text …
    pieces = _TIMESTAMP.split("\n".join(cue.lines))
    if len(pieces) == 1:
        return Segment(cue.start, cue.end, text)
    starts = [cue.start, *(_parse_timestamp(timestamp) for timestamp in pieces[1::2])]
    timed = [(start, _strip_tags(piece)) for start, piece in zip(starts, pieces[::2], strict=True)]
    timed = [(min(max(start, cue.start), cue.end), piece) for start, piece in timed if piece]
    if not timed:
        return Segment(cue.start, cue.end, text)
    ends = [*(start for start, _ in timed[1:]), cue.end]
    words = ({"start": start, "end": end, "word": piece} for (start, piece), end in zip(timed, ends, strict=True))
    return Segment(cue.start, cue.end, text, _read_words(list(words), cue.start, cue.end))


def _strip_tags(line: str) -> str:
    return " ".join(html.unescape(_TAG.sub("", line)).split())


def _parse_timestamp(timestamp: str) -> float:
    seconds = 0.0
    for part in timestamp.split(":"):
        seconds = seconds * 60 + float(part)
    return seconds


def _parse_json(text: str) -> Transcript:
    """Parse a JSON transcript: `{"language": …, "segments": […]}`, or the bare list of segments."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"this is not JSON: {error}") from error
    language = value.get("language") if isinstance(value, dict) else None
    records = value.get("segments") if isinstance(value, dict) else value
    if not isinstance(records, list):
        raise InputError('expected {"segments": [{"start", "end", "text"}, …]}')
    segments = [_read_segment(number, record) for number, record in enumerate(records, start=1)]
    return _make_transcript(segments, language if isinstance(language, str) else None)


def _make_transcript(segments: Iterable[Segment], language: str | None) -> Transcript:
    """Return a transcript of the segments that have text, sorted by time."""
    spoken = sorted(
        (s for s in map(_drop_control_codes, segments) if s.text.strip()),
        key=lambda segment: (segment.start, segment.end),
    )
    return Transcript(tuple(spoken), language, max((s.end for s in spoken), default=None), source="file")


def _drop_control_codes(segment: Segment) -> Segment:
    # The words will stand in terminals, tables and pages.
    words = tuple(replace(word, word=_printable(word.word)) for word in segment.words)
    return replace(segment, text=_printable(segment.text), words=words)


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def _read_segment(number: int, record: Any) -> Segment:
    if not isinstance(record, dict) or not isinstance(record.get("text", ""), str):
        raise InputError(f"segment {number} is not an object with `start`, `end` and `text`")
    start, end = _read_number(record.get("start")), _read_number(record.get("end"))
    if start is None:
        raise InputError(f"segment {number} has no `start` in seconds")
    end = start if end is None else max(start, end)
    words = record.get("words") or []
    if not isinstance(words, list) or not all(isinstance(word, dict) for word in words):
        raise InputError(f"segment {number}: `words` is not a list of objects")
    return Segment(start, end, record.get("text", "").strip(), _read_words(words, start, end))


def _read_words(records: list[dict[str, Any]], start: float, end: float) -> tuple[Word, ...]:
    """Return words with rising times; a word without a time lies between its neighbors.

    WhisperX gives numbers no time. `start` and `end` are those of the segment.
    """
    times = [(_read_number(record.get("start")), _read_number(record.get("end"))) for record in records]
    words, latest = [], start
    for index, record in enumerate(records):
        text = str(record.get("word") or record.get("text") or "")
        word_start, word_end = times[index]
        if word_start is None:
            word_start = latest
        if word_end is None:
            word_end = next((later for later, _ in times[index + 1 :] if later is not None), end)
        word_start = max(word_start, latest)
        word_end = max(word_start, word_end)
        probability = _read_number(record.get("probability", record.get("score")))
        # WhisperX and bare lists omit the blank that Whisper keeps before a word.
        words.append(Word(word_start, word_end, text if text.startswith(" ") else f" {text}", probability))
        latest = word_start
    return tuple(word for word in words if word.word.strip())


def _read_number(value: Any) -> float | None:
    """Return a number from 0 to MAX_TIME_S as float, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < MAX_TIME_S else None
