"""Read SubRip and WebVTT as they occur: numbers, marks, milliseconds and blank lines may be missing or misplaced.

A cue begins with a time line and ends before the next one. The parsers of libraries (webvtt-py, pysubs2) refuse such
files or drop cues without a word, and drop the speakers; this one names the lines that it leaves out.
"""

import html
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from pipeline.core.errors import InputError
from pipeline.core.schema import Segment
from pipeline.core.text import INVISIBLE
from pipeline.transcribe.drafts import MAX_TIME_S, WordDraft, name_places, read_words

# From this share of cues that repeat a line of the cue before, a file holds rolling captions. In automatic captions
# every second cue or more does; in others hardly one in a hundred.
ROLLING_SHARE = 0.3

# Characters of a time line, at most: longer lines are text.
_LONGEST_TIME_LINE = 300

# Characters that are quoted from a line in a message.
_QUOTED = 40

# Seconds of a cue whose end is missing, at most.
_LONGEST_OPEN_CUE_S = 10.0

# A clock time: 00:00:01,000, 0:1.5, 00:00:01 or 00:00:01:500, possibly negative or with blanks.
_CLOCK = r"-?\d+(?: ?: ?-?\d+){1,3}(?: ?[.,;] ?-?\d+)?"

# The arrow between two times, as SubRip has it or as editors and translators change it.
_ARROW = r"(?:- ?-? ?>|[–—]+ ?>|→|--&gt;)"

_TIME_LINE = re.compile(rf"(?P<start>{_CLOCK})\s*{_ARROW}\s*(?P<end>{_CLOCK})?(?P<rest>.*)")

# A word that begins or was meant as a clock time.
_LIKE_CLOCK = re.compile(r"(?=\D*\d)[^\s:]*:\S*")

# The settings behind the times of a cue: `align:start position:0%`, or SubRip's `X1:40 X2:600`.
_SETTINGS = re.compile(r"\s*(?:\w+:\S+(?:\s+|$))*")

# The first line of a block of WebVTT that holds no cue.
_NO_CUE = re.compile(r"(?:NOTE|STYLE|REGION)(?:\s|$)|X-TIMESTAMP-MAP")

# A timestamp inside a cue, as YouTube sets before each word: <00:00:00.400>.
_TIMESTAMP = re.compile(r"<((?:\d+:)?\d{2}:\d{2}\.\d{3})>")

# A tag of SubRip or WebVTT, a timestamp, or a tag of Advanced SubStation such as {\an8}.
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<\d[\d:.]*>|\{\\[^{}]*\}")

# The tag of a voice, which names the speaker: <v Ann> or <v.loud Ann>.
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?\s+([^<>]+)>")


@dataclass(frozen=True, slots=True)
class Cue:
    """A cue of a subtitle file: when it is shown, in seconds, its lines with their tags, and who speaks."""

    start: float
    end: float
    lines: tuple[str, ...]
    speaker: str | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """The lines without tags; empty lines are left out."""
        return tuple(text for line in self.lines if (text := strip_tags(line)))


@dataclass(frozen=True, slots=True)
class _TimeLine:
    """Where a cue begins: the index of its line, its times (None where unreadable), and the text after them."""

    index: int
    start: float | None
    end: float | None
    text: str = ""


def parse_subtitles(text: str) -> tuple[list[Segment], list[str]]:
    """Return the segments of a SubRip or WebVTT file in its order, and a remark for what was left out.

    InputError where the file has no cue, or most of its cues cannot be read.
    """
    lines = text.splitlines()
    bare = [unicodedata.normalize("NFKC", line).translate(INVISIBLE).strip() for line in lines]
    time_lines = [found for index, line in enumerate(bare) if (found := _parse_time_line(index, line)) is not None]
    is_vtt = next((line for line in bare if line), "").startswith("WEBVTT")
    if not time_lines and not is_vtt and any(bare):
        raise InputError(
            "it has no line such as 00:00:01,000 --> 00:00:04,000", "name a subtitle file (.srt, .vtt), or repair it"
        )
    lost = [found for found in time_lines if found.start is None]
    if len(lost) * 2 > len(time_lines):
        first = lost[0].index
        raise InputError(
            f"{len(lost)} of {len(time_lines)} cues have no times that can be read, the first in line {first + 1}: "
            f"{bare[first][:_QUOTED]!r}",
            "write their times like 00:00:01,000 --> 00:00:04,000",
        )
    cues = list(_build_cues(lines, bare, time_lines, is_vtt=is_vtt))
    segments = [segment for cue in drop_repeated_lines(cues) for segment in read_cue(cue)]
    places = name_places([found.index + 1 for found in lost])
    remarks = [f"line {places}: the times cannot be read, so the words below are left out"] if lost else []
    return segments, remarks


def _parse_time_line(index: int, line: str) -> _TimeLine | None:
    """The beginning of a cue; None where the line is something else, such as text with an arrow in it."""
    if len(line) > _LONGEST_TIME_LINE:
        return None
    match = _TIME_LINE.match(line)
    if match is None:
        return _TimeLine(index, None, None) if _is_damaged(line) else None
    start, end = _parse_clock(match["start"]), _parse_clock(match["end"]) if match["end"] else None
    if start is None:
        return _TimeLine(index, None, None)
    settings = _SETTINGS.match(match["rest"])
    text = match["rest"][settings.end() if settings else 0 :].strip() if match["end"] else ""
    return _TimeLine(index, start, end, text)


def _is_damaged(line: str) -> bool:
    """Tell whether a line stands in the place of a time line but has no times: one word before its arrow, or none."""
    left, arrow, right = line.partition("-->")
    words, following = left.split(), right.split(maxsplit=1)
    if not arrow or len(words) > 1:
        return False
    return any(_LIKE_CLOCK.fullmatch(word) for word in (*words, *following[:1]))


def _parse_clock(clock: str) -> float | None:
    """Return the seconds of a clock time, None beyond MAX_TIME_S; a negative one counts as 0."""
    if "-" in clock:
        return 0.0
    whole, _, fraction = re.sub(r"[,;]", ".", clock.replace(" ", "")).partition(".")
    fields = whole.split(":")
    # A fourth field, or a third of three digits, is a fraction: 00:00:01:500.
    if not fraction and (len(fields) == 4 or (len(fields) == 3 and len(fields[2]) == 3)):
        fraction = fields.pop()
    seconds = 0.0
    for field in fields:
        seconds = seconds * 60 + float(field)
    seconds += float(f"0.{fraction or 0}")
    return seconds if seconds < MAX_TIME_S else None


def _build_cues(
    lines: Sequence[str], bare: Sequence[str], time_lines: Sequence[_TimeLine], *, is_vtt: bool
) -> Iterator[Cue]:
    """Yield the cues whose times can be read; the lines up to the next time line are their text."""
    numbered = sum(found.index > 0 and bare[found.index - 1].isdecimal() for found in time_lines)
    is_numbered = numbered * 2 >= len(time_lines)
    for position, found in enumerate(time_lines):
        following = time_lines[position + 1] if position + 1 < len(time_lines) else None
        end = following.index if following else len(lines)
        if following and _is_identifier(bare, end - 1, is_vtt=is_vtt, is_numbered=is_numbered):
            end -= 1
        if found.start is None:
            continue
        body = [*([found.text] if found.text else []), *_read_body(lines, bare, found.index + 1, end, is_vtt=is_vtt)]
        later = following.start if following and following.start is not None else None
        yield Cue(found.start, _choose_end(found, later), tuple(body))


def _choose_end(found: _TimeLine, later: float | None) -> float:
    """The end of a cue; where it is missing or before the start, the next cue's start is taken."""
    start = found.start or 0.0
    if found.end is not None and found.end >= start:
        return found.end
    return start if later is None or later < start else min(later, start + _LONGEST_OPEN_CUE_S)


def _is_identifier(bare: Sequence[str], index: int, *, is_vtt: bool, is_numbered: bool) -> bool:
    """Tell whether the line before a time line is the number or name of its cue."""
    if is_vtt:
        return bool(bare[index]) and index > 0 and not bare[index - 1]
    return is_numbered and bare[index].isdecimal()


def _read_body(lines: Sequence[str], bare: Sequence[str], start: int, end: int, *, is_vtt: bool) -> Iterator[str]:
    """Yield the text lines of a cue, without the notes and styles of WebVTT that follow it."""
    skipping = False
    for index in range(start, end):
        if not bare[index]:
            skipping = False
        elif is_vtt and not bare[index - 1] and _NO_CUE.match(bare[index]):
            skipping = True
        if not skipping:
            yield lines[index]


def drop_repeated_lines(cues: Sequence[Cue]) -> list[Cue]:
    """Return rolling captions without the lines that a cue repeats from the cue before; other cues as they are.

    Automatic captions roll: each cue shows the line before once more above the new line. A file rolls if at least
    ROLLING_SHARE of its cues begin as the cue before ends. In other files a repeated line was spoken twice.
    """
    rolling = sum(bool(_count_repeated(before, cue)) for before, cue in pairwise(cues))
    if rolling < ROLLING_SHARE * (len(cues) - 1):
        return list(cues)
    result = list(cues[:1])
    for before, cue in pairwise(cues):
        new_lines = [line for line in cue.lines if strip_tags(line)][_count_repeated(before, cue) :]
        if new_lines:
            result.append(replace(cue, lines=tuple(new_lines)))
    return result


def _count_repeated(before: Cue, cue: Cue) -> int:
    """Return how many lines at the beginning of a cue are the last lines of the cue before."""
    most = min(len(before.texts), len(cue.texts))
    return next((n for n in range(most, 0, -1) if before.texts[-n:] == cue.texts[:n]), 0)


def read_cue(cue: Cue) -> list[Segment]:
    """Return a cue as segments, one a speaker, with word times if the cue holds timestamps."""
    return [segment for part in _split_voices(cue) if (segment := _read_part(part)).text]


def _split_voices(cue: Cue) -> list[Cue]:
    """A cue as cues of one speaker each; they share its time by their characters."""
    # `re.split` with a group gives text, name, text, name, text …
    pieces = _VOICE.split("\n".join(cue.lines))
    names = [None, *(" ".join(html.unescape(name).split()) or None for name in pieces[1::2])]
    spoken = [(name, piece) for name, piece in zip(names, pieces[::2], strict=True) if strip_tags(piece)]
    if len(spoken) < 2:
        return [replace(cue, speaker=name) for name, _ in spoken] or [cue]
    total = sum(len(piece) for _, piece in spoken)
    parts, reached = [], cue.start
    for name, piece in spoken:
        end = reached + (cue.end - cue.start) * len(piece) / total
        parts.append(Cue(reached, min(end, cue.end), tuple(piece.split("\n")), name))
        reached = parts[-1].end
    return parts


def _read_part(cue: Cue) -> Segment:
    text = " ".join(cue.texts)
    pieces = _TIMESTAMP.split("\n".join(cue.lines))
    if len(pieces) == 1:
        return Segment(cue.start, cue.end, text, speaker=cue.speaker)
    starts = [cue.start, *(_parse_clock(timestamp) or 0.0 for timestamp in pieces[1::2])]
    timed = [(start, strip_tags(piece)) for start, piece in zip(starts, pieces[::2], strict=True)]
    timed = [(min(max(start, cue.start), cue.end), piece) for start, piece in timed if piece]
    ends = [*(start for start, _ in timed[1:]), cue.end][: len(timed)]
    words = [WordDraft(start, end, piece) for (start, piece), end in zip(timed, ends, strict=True)]
    return Segment(cue.start, cue.end, text, read_words(words, cue.start, cue.end), speaker=cue.speaker)


def strip_tags(line: str) -> str:
    """Return a line without tags, its white space collapsed."""
    return " ".join(html.unescape(_TAG.sub("", line)).split())
