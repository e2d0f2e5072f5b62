"""Check the times of a transcript by its words: nobody speaks a hundred words a second, or ten an hour.

A file that states no unit is read in the one unit that makes sense; times that make no sense in any unit are refused.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from pipeline.core.errors import InputError
from pipeline.core.schema import Segment, Transcript
from pipeline.core.times import format_time
from pipeline.transcribe.drafts import SegmentDraft

# Words a second of speech that are possible over a whole transcript. Hosts speak 2 to 4; 25 frames a second taken for
# seconds give 0.1 to 0.16.
SLOWEST = 0.2
FASTEST = 15.0

# Words a second that a unit other than seconds must give: less than a factor of ten, so that one unit at most fits.
USUAL = (0.7, 6.9)

# Words below which a transcript is judged by a tenth of SLOWEST only: a few cues may stand for long.
ENOUGH_WORDS = 20

# Words of a stretch whose pace is checked by itself, and the slowest pace of its segments.
STRETCH_WORDS = 60
SLOWEST_STRETCH = 0.02

# The share of the words that may lie in impossible stretches, or of the segments that others cover.
MAX_ODD_SHARE = 0.1
MAX_COVERED_SHARE = 0.4

# The share of segments that may begin before the one above in the file: in shuffled cues it is half.
MAX_BACKWARD_SHARE = 0.75

# Segments before one, in the order of time, that are compared with it.
_COMPARED = 8

# The distance in the file from which two segments at the same time are no rolling captions.
_FAR_APART = 4

# Seconds that a transcript may go on after the audio.
SLACK_SECONDS = 5.0

# Characters of a word, at most: scripts without blanks have no other words.
_WORD_CHARACTERS = 8

# What numbers may mean, in seconds, where a file states no unit.
UNITS = {
    "milliseconds": 1e-3,
    "hundredths of a second": 1e-2,
    "microseconds": 1e-6,
    "ticks of 100 nanoseconds": 1e-7,
    "nanoseconds": 1e-9,
    "minutes": 60.0,
}

# What clock times such as 00:30:00 may mean, in their own seconds: the fields are shifted by one.
SHIFTED_CLOCK = {"minutes and seconds in place of hours and minutes": 1 / 60}


def count_words(text: str) -> float:
    """Return the words of a text; in scripts without blanks, an estimate by its characters."""
    return max(len(text.split()), len(text) / _WORD_CHARACTERS)


def find_unit(drafts: Sequence[SegmentDraft], units: dict[str, float]) -> tuple[float, str]:
    """Return the seconds of a time's unit and, where that is not 1, the unit's name.

    InputError where the words fit neither seconds nor exactly one of `units`.
    """
    reversed_ends = sum(draft.end is not None and draft.end < draft.start for draft in drafts)
    if reversed_ends * 2 > len(drafts):
        raise InputError(f"{reversed_ends} of {len(drafts)} segments end before they start", "correct their times")
    timed = [(draft.start, draft.end, count_words(draft.text)) for draft in drafts if draft.text.strip()]
    words = sum(count for _, _, count in timed)
    busy = sum(max(0.0, end - start) for start, end, _ in timed if end is not None)
    reached = max((start if end is None else end for start, end, _ in timed), default=0.0)
    span = reached - min((start for start, _, _ in timed), default=0.0)
    shortest, longest = min(busy or span, span), max(busy, span)
    slowest = SLOWEST if words >= ENOUGH_WORDS else SLOWEST / 10
    if longest == 0 and words < ENOUGH_WORDS:
        return 1.0, ""
    if longest and words >= slowest * shortest and (words <= FASTEST * longest or words < ENOUGH_WORDS):
        return 1.0, ""
    fitting = [
        (factor, name)
        for name, factor in units.items()
        if USUAL[0] * shortest * factor <= words <= USUAL[1] * longest * factor
    ]
    if len(fitting) == 1:
        return fitting[0]
    raise InputError(
        f"its times cannot be right: {words:.0f} words in {_describe_span(shortest)}",
        "give its times in seconds, or name a subtitle file (.srt, .vtt)",
    )


def _describe_span(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds < 60 else format_time(seconds)


def check_times(segments: Sequence[Segment]) -> list[str]:
    """Return a remark for each doubt about the times of segments, given in the order of their file.

    InputError where stretches have an impossible pace, or where the segments of two transcripts cover each other.
    """
    _check_direction(segments)
    _check_covered(segments)
    ordered = sorted(segments, key=lambda segment: segment.start)
    odd = _find_odd_stretches(ordered)
    if not odd:
        return []
    total = sum(count_words(segment.text) for segment in segments)
    start, words, seconds = odd[0]
    found = f"{words:.0f} words in {_describe_span(seconds)} from {format_time(start)} on"
    if sum(count for _, count, _ in odd) > MAX_ODD_SHARE * total:
        raise InputError(f"its times cannot be right: {found}", "repair them, or name another transcript")
    return [f"some times cannot be right, so starts may be off there: {found}"]


def _find_odd_stretches(ordered: Sequence[Segment]) -> list[tuple[float, float, float]]:
    """The start, words and seconds of stretches whose pace is impossible."""
    odd, first, words, busy = [], 0, 0.0, 0.0
    for index, (segment, following) in enumerate(pairwise(ordered)):
        words += count_words(segment.text)
        busy += segment.end - segment.start
        if words < STRETCH_WORDS:
            continue
        start = ordered[first].start
        span = following.start - start
        if words > FASTEST * max(span, busy) or words > FASTEST * span * 4:
            odd.append((start, words, span))
        elif words < SLOWEST_STRETCH * min(busy, span):
            odd.append((start, words, busy))
        first, words, busy = index + 1, 0.0, 0.0
    return odd


def _check_direction(segments: Sequence[Segment]) -> None:
    """InputError where almost every segment begins before the one before it in the file."""
    back = sum(following.start < segment.start for segment, following in pairwise(segments))
    if len(segments) > _COMPARED and back > MAX_BACKWARD_SHARE * (len(segments) - 1):
        raise InputError(
            f"its times run backwards: {back} of {len(segments)} segments begin before the one above",
            "repair them, or name another transcript",
        )


def _check_covered(segments: Sequence[Segment]) -> None:
    """Raise InputError where many segments overlap others that stand far from them in the file."""
    order = sorted(range(len(segments)), key=lambda index: segments[index].start)
    covered = []
    for place, index in enumerate(order):
        segment = segments[index]
        others = (other for other in order[max(0, place - _COMPARED) : place] if abs(other - index) >= _FAR_APART)
        if any(_covers(segments[other], segment) for other in others):
            covered.append(index)
    if len(segments) > _COMPARED and len(covered) > MAX_COVERED_SHARE * len(segments):
        start = format_time(segments[max(covered)].start)
        raise InputError(
            f"its times begin again: {len(covered)} of {len(segments)} segments lie within others, the last at {start}",
            "two transcripts seem to be joined: let the times of the second go on after the first",
        )


def _covers(segment: Segment, other: Segment) -> bool:
    """Return whether a segment lasts through most of another, later one."""
    length = other.end - other.start
    shared = min(segment.end, other.end) - max(segment.start, other.start)
    return shared > length / 2 if length > 0 else segment.start <= other.start < segment.end


def drop_duplicates(segments: Iterable[Segment]) -> list[Segment]:
    """Return segments without those that say the same at the same time as one before."""
    seen: set[tuple[float, float, str]] = set()
    kept = []
    for segment in segments:
        key = segment.start, segment.end, segment.text
        if key not in seen:
            seen.add(key)
            kept.append(segment)
    return kept


def check_against_audio(transcript: Transcript, seconds: float) -> list[str]:
    """Return a warning where a transcript goes on after its audio, which has `seconds`.

    InputError where most of its words lie there: it is not the transcript of this audio.
    """
    end = transcript.duration or 0.0
    if end <= seconds + SLACK_SECONDS:
        return []
    later = sum(count_words(segment.text) for segment in transcript.segments if segment.start > seconds)
    if later * 2 > sum(count_words(segment.text) for segment in transcript.segments):
        raise InputError(
            f"the transcript goes on to {format_time(end)}, but the audio ends at {format_time(seconds)}",
            "name the transcript of this audio, or correct its times",
        )
    return [
        f"the transcript goes on to {format_time(end)}, but the audio ends at {format_time(seconds)}: starts may be off"
    ]
