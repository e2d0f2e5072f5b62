"""Read single fields of JSON transcripts: the same thing has a name of its own in each program."""

import math
import re
from collections.abc import Iterable
from typing import Any

from pipeline.transcribe.drafts import SegmentDraft

# The names of a text, the best first: Deepgram's `punctuated_word` has the marks that its `word` lacks.
_TEXTS = (
    "text", "punctuated_word", "word", "body", "transcript", "sentence", "content", "value", "utf8", "caption", "line",
)  # fmt: skip

# The names of a start or end, each with the seconds of its unit; None leaves the unit open.
_TIMES: dict[str, dict[str, float | None]] = {
    "start": {
        "start": None, "startTime": None, "start_time": None, "begin": None, "from": None, "startSeconds": 1.0,
        "start_seconds": 1.0, "startMs": 1e-3, "start_ms": 1e-3, "startTimeMs": 1e-3, "tStartMs": 1e-3,
        "offsetInTicks": 1e-7, "offsetMilliseconds": 1e-3, "offset": None, "time": None, "ts": None, "t0": None,
    },
    "end": {
        "end": None, "endTime": None, "end_time": None, "to": None, "endSeconds": 1.0, "end_seconds": 1.0,
        "endMs": 1e-3, "end_ms": 1e-3, "endTimeMs": 1e-3, "end_ts": None, "stop": None, "t1": None,
    },
    "length": {
        "duration": None, "dur": None, "durationMs": 1e-3, "dDurationMs": 1e-3, "durationInTicks": 1e-7,
        "durationMilliseconds": 1e-3,
    },
}  # fmt: skip

# The names of the pair of start and end, and their places in it.
_PAIRS = ("timestamp", "timestamps", "offsets", "time", "timing")
_PLACES = {"start": (0, ("start", "from", "begin")), "end": (1, ("end", "to", "stop"))}

_SPEAKERS = (
    "speaker", "speaker_label", "speakerLabel", "speaker_id", "speakerId", "speaker_name", "speakerName", "speakerTag",
    "speaker_tag",
)  # fmt: skip

_PROBABILITIES = ("probability", "score", "confidence", "p")

# A clock time or a number of seconds written as text: 00:00:01,500, 1.5s, PT1M2.5S.
_CLOCK = re.compile(r"(?:(\d{1,6}):)?(\d{1,6}):(\d{1,6}(?:[.,]\d{1,9})?)")
_SECONDS = re.compile(r"(-?\d{1,12}(?:[.,]\d{1,12})?)\s*(ms|s|sec|seconds)?")
_ISO = re.compile(r"PT(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,9}(?:\.\d{1,9})?)S)?")


def records_of(value: Any, *names: str) -> list[dict[str, Any]]:
    """Return the objects of the list that the names lead to; an empty list where there is none."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def read_record(record: dict[str, Any]) -> SegmentDraft | None:
    """Return a segment; None where it has no text or no start."""
    text, start = first_text(record), read_time(record, "start")
    if text is None or start is None:
        return None
    end, length = read_time(record, "end"), read_time(record, "length")
    return SegmentDraft(start, start + length if end is None and length else end, text, speaker=read_speaker(record))


def first_text(record: Any) -> str | None:
    """Return the text of a segment or word, None where it has none."""
    if not isinstance(record, dict):
        return None
    return next((record[name] for name in _TEXTS if isinstance(record.get(name), str)), None)


def read_time(record: dict[str, Any], kind: str) -> float | None:
    """Return the `start`, `end` or `length` of a record in its own unit; None where it has none."""
    for name in _TIMES[kind]:
        if (number := read_number(record.get(name))) is not None:
            return number
    for name in _PAIRS if kind in _PLACES else ():
        pair, (place, keys) = record.get(name), _PLACES[kind]
        if isinstance(pair, list) and len(pair) == 2:
            return read_number(pair[place])
        if isinstance(pair, dict):
            return next((number for key in keys if (number := read_number(pair.get(key))) is not None), None)
    return None


def read_factor(record: dict[str, Any]) -> float | None:
    """Return the seconds of the unit that the record's names or texts state; None where they leave it open."""
    for name, factor in _TIMES["start"].items():
        value = record.get(name)
        if read_number(value) is not None:
            return factor or (1.0 if isinstance(value, str) and not _is_plain(value) else None)
    pairs = (record.get(name) for name in _PAIRS)
    values: Iterable[Any] = (value for pair in pairs if isinstance(pair, dict) for value in pair.values())
    return 1.0 if any(isinstance(value, str) and not _is_plain(value) for value in values) else None


def _is_plain(text: str) -> bool:
    """Tell whether a text is a number without a unit."""
    match = _SECONDS.fullmatch(text.strip())
    return match is not None and match[2] is None


def read_number(value: Any) -> float | None:
    """Return a number, or a time written as text in seconds; negative times count as 0, others than times are None."""
    if isinstance(value, str):
        value = _parse_text(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # Compared first: an integer of hundreds of digits is no float.
    if not abs(value) < 1e18 or math.isnan(value):
        return None
    return max(0.0, float(value))


def _parse_text(text: str) -> float | None:
    if match := _SECONDS.fullmatch(text):
        return float(match[1].replace(",", ".")) * (1e-3 if match[2] == "ms" else 1.0)
    if match := _CLOCK.fullmatch(text) or (_ISO.fullmatch(text) if len(text) > len("PT") else None):
        hours, minutes, seconds = (float((part or "0").replace(",", ".")) for part in match.groups())
        return hours * 3600 + minutes * 60 + seconds
    return None


def read_speaker(record: dict[str, Any]) -> str | None:
    """Return who speaks: a name or label, or `Speaker 2` for a number."""
    for name in _SPEAKERS:
        value = record.get(name)
        if isinstance(value, dict):
            value = next((value[key] for key in ("name", "label", "id") if value.get(key) is not None), None)
        if isinstance(value, bool):
            continue
        if isinstance(value, int):
            return f"Speaker {value}"
        if isinstance(value, str) and value.strip():
            return " ".join(value.split())
    return None


def read_probability(record: dict[str, Any]) -> float | None:
    """Return the probability of a word, from 0 to 1."""
    for name in _PROBABILITIES:
        value = record.get(name)
        if isinstance(value, int | float | str) and (number := read_number(value)) is not None:
            return number if number <= 1 else None
    return None


def is_punctuation(text: str) -> bool:
    """Tell whether a text has no letter and no digit."""
    return not any(sign.isalnum() for sign in text)
