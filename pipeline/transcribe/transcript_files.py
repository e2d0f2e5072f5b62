"""Read transcripts that others made: .srt, .vtt, and the JSON of whisper, faster-whisper and WhisperX."""

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

SUFFIXES = frozenset({".srt", ".vtt", ".json"})

# Of the cues of automatic captions every second one or more repeats a line; of others hardly one in a hundred.
ROLLING = 0.3
_STAMP = re.compile(r"<((?:\d+:)?\d{2}:\d{2}\.\d{3})>")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<\d[\d:.]*>")
LONGEST_SECONDS = 1e7  # a hundred days: a time beyond is none
MAX_BYTES = 256 << 20  # five hours with word times are under 30 MB


def load_transcript(path: Path) -> Transcript:
    """Return the transcript in a file; InputError where it is none, or none of it can be read.

    One without words is read, with a remark.
    """
    text = decode_text(read_limited(path, MAX_BYTES, "the transcript"))
    kind = path.suffix.lower()
    try:
        transcript = _parse_json(text) if kind == ".json" else _parse_captions(text, kind[1:])
    except InputError as error:
        raise InputError(f"the transcript {path}: {error}") from error
    if transcript.segments:
        return transcript
    return replace(transcript, remarks=(f"the transcript {path.name} holds no words: check that it is the right file",))


def _parse_captions(text: str, kind: str) -> Transcript:
    """The cues of a SubRip or WebVTT file; a cue with a damaged time line is an error, not a gap."""
    import webvtt
    from webvtt.errors import MalformedFileError

    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        return Transcript(())
    try:
        cues = webvtt.from_buffer(io.StringIO(text), format=kind).captions
    except MalformedFileError as error:
        raise InputError(f"this is not a .{kind} file: {error}") from error
    announced = sum("-->" in line for line in text.splitlines())
    if len(cues) < announced:
        raise InputError(f"{announced - len(cues)} of {announced} cues are damaged: repair their time lines")
    shown = [
        _Cue(
            cue.start_time.in_milliseconds() / 1000,
            cue.end_time.in_milliseconds() / 1000,
            tuple(cue.raw_text.split("\n")),
        )
        for cue in cues
    ]
    return _transcript((_read_cue(cue) for cue in unroll(shown)), None)


@dataclass(frozen=True, slots=True)
class _Cue:
    """What a caption file shows from one moment to another, line by line, with its tags."""

    start: float
    end: float
    lines: tuple[str, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """The lines as they are read; empty ones left out."""
        return tuple(text for line in self.lines if (text := _plain(line)))


def unroll(cues: Sequence[_Cue]) -> list[_Cue]:
    """Return cues that each say something new.

    Automatic captions roll: each cue shows the line before once more above the new one. A file does so where at
    least ROLLING of its cues begin as the one before ended; elsewhere a repeated line was said twice.
    """
    rolling = sum(bool(_count_repeated(before, cue)) for before, cue in pairwise(cues))
    if rolling < ROLLING * (len(cues) - 1):
        return list(cues)
    unrolled = list(cues[:1])
    for before, cue in pairwise(cues):
        fresh = [line for line in cue.lines if _plain(line)][_count_repeated(before, cue) :]
        if fresh:
            unrolled.append(replace(cue, lines=tuple(fresh)))
    return unrolled


def _count_repeated(before: _Cue, cue: _Cue) -> int:
    """How many lines at the beginning of a cue are those at the end of the one before."""
    most = min(len(before.texts), len(cue.texts))
    return next((n for n in range(most, 0, -1) if before.texts[-n:] == cue.texts[:n]), 0)


def _read_cue(cue: _Cue) -> Segment:
    """A cue as a segment; with word times where the words are stamped inside it."""
    text = " ".join(cue.texts)
    # `re.split` with a group gives text, stamp, text, stamp, text …
    pieces = _STAMP.split("\n".join(cue.lines))
    if len(pieces) == 1:
        return Segment(cue.start, cue.end, text)
    starts = [cue.start, *(_read_stamp(stamp) for stamp in pieces[1::2])]
    said = [(start, _plain(piece)) for start, piece in zip(starts, pieces[::2], strict=True)]
    said = [(min(max(start, cue.start), cue.end), piece) for start, piece in said if piece]
    if not said:
        return Segment(cue.start, cue.end, text)
    ends = [*(start for start, _ in said[1:]), cue.end]
    words = ({"start": start, "end": end, "word": piece} for (start, piece), end in zip(said, ends, strict=True))
    return Segment(cue.start, cue.end, text, _read_words(list(words), cue.start, cue.end))


def _plain(line: str) -> str:
    """A line of a cue without its tags."""
    return " ".join(html.unescape(_TAG.sub("", line)).split())


def _read_stamp(stamp: str) -> float:
    seconds = 0.0
    for part in stamp.split(":"):
        seconds = seconds * 60 + float(part)
    return seconds


def _parse_json(text: str) -> Transcript:
    """The segments of a JSON transcript: `{"language": …, "segments": […]}`, or the bare list of segments."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"this is not JSON: {error}") from error
    language = value.get("language") if isinstance(value, dict) else None
    records = value.get("segments") if isinstance(value, dict) else value
    if not isinstance(records, list):
        raise InputError('expected {"segments": [{"start", "end", "text"}, …]}')
    segments = [_read_segment(number, record) for number, record in enumerate(records, start=1)]
    return _transcript(segments, language if isinstance(language, str) else None)


def _transcript(segments: Iterable[Segment], language: str | None) -> Transcript:
    """Segments that say something, in the order of their times."""
    spoken = sorted(
        (s for s in map(_clean, segments) if s.text.strip()), key=lambda segment: (segment.start, segment.end)
    )
    return Transcript(tuple(spoken), language, max((s.end for s in spoken), default=None), source="file")


def _clean(segment: Segment) -> Segment:
    """A segment without control codes, which nobody speaks: its words will stand in terminals, tables and pages."""
    words = tuple(replace(word, word=_visible(word.word)) for word in segment.words)
    return replace(segment, text=_visible(segment.text), words=words)


def _visible(text: str) -> str:
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def _read_segment(number: int, record: Any) -> Segment:
    if not isinstance(record, dict) or not isinstance(record.get("text", ""), str):
        raise InputError(f"segment {number} is not an object with `start`, `end` and `text`")
    start, end = _time(record.get("start")), _time(record.get("end"))
    if start is None:
        raise InputError(f"segment {number} has no `start` in seconds")
    end = start if end is None else max(start, end)
    words = record.get("words") or []
    if not isinstance(words, list) or not all(isinstance(word, dict) for word in words):
        raise InputError(f"segment {number}: `words` is not a list of objects")
    return Segment(start, end, record.get("text", "").strip(), _read_words(words, start, end))


def _read_words(records: list[dict[str, Any]], start: float, end: float) -> tuple[Word, ...]:
    """Words with a time each.

    WhisperX leaves numbers without one: such a word lies between its neighbours.
    """
    known = [(_time(record.get("start")), _time(record.get("end"))) for record in records]
    words, latest = [], start
    for index, record in enumerate(records):
        text = str(record.get("word") or record.get("text") or "")
        begin, finish = known[index]
        if begin is None:
            begin = latest
        if finish is None:
            finish = next((later for later, _ in known[index + 1 :] if later is not None), end)
        begin = max(begin, latest)
        finish = max(begin, finish)
        probability = _time(record.get("probability", record.get("score")))
        # WhisperX and plain lists omit the blank that Whisper keeps before a word.
        words.append(Word(begin, finish, text if text.startswith(" ") else f" {text}", probability))
        latest = begin
    return tuple(word for word in words if word.word.strip())


def _time(value: Any) -> float | None:
    """A finite number that is not negative, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < LONGEST_SECONDS else None
