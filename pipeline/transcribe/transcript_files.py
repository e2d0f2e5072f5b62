"""Read transcripts that others made: subtitles (`subtitles`), and the JSON of many programs (`json_transcripts`)."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.core.errors import InputError
from pipeline.core.language import read_language
from pipeline.core.schema import Segment, Transcript
from pipeline.core.storage import read_limited
from pipeline.core.text import decode_text
from pipeline.transcribe.drafts import MAX_TIME_S, SegmentDraft, WordDraft, read_words, scale_times
from pipeline.transcribe.json_transcripts import parse_json_transcript
from pipeline.transcribe.subtitles import parse_subtitles
from pipeline.transcribe.transcript_times import SHIFTED_CLOCK, UNITS, check_times, drop_duplicates, find_unit

# The file name extensions of transcripts.
SUFFIXES = frozenset({".srt", ".vtt", ".json"})

# Largest transcript file, bytes; five hours with word times take under 30 MB.
MAX_BYTES = 256 << 20

# From this share of segments of one word, a file lists words alone; they are grouped.
SINGLE_WORDS_SHARE = 0.9
MIN_SINGLE_WORDS = 5

# A group of words ends at this number of words, at a pause of this many seconds, or at the end of a sentence.
GROUP_WORDS = 40
GROUP_PAUSE_S = 1.0
_SENTENCE_ENDS = (".", "?", "!", "…", "。", "？", "！")

# Seconds of a segment whose end is missing, at most.
_LONGEST_OPEN_SEGMENT_S = 10.0


def load_transcript(path: Path) -> Transcript:
    """Return the transcript in a file; InputError if the file is not a transcript or most of it is damaged.

    Its remarks say what was left out, in which unit its times were read, and where they are doubtful. A transcript
    without words has a remark.
    """
    text = decode_text(read_limited(path, MAX_BYTES, "the transcript"))
    try:
        transcript = _parse_json(text) if path.suffix.lower() == ".json" else _parse_subtitles(text)
    except InputError as error:
        raise InputError(f"the transcript {path}: {error.problem}", error.advice) from error
    remarks = [f"the transcript {path.name}: {remark}" for remark in transcript.remarks]
    if not transcript.segments:
        remarks.append(f"the transcript {path.name} holds no words: check that it is the right file")
    return replace(transcript, remarks=tuple(remarks))


def _parse_subtitles(text: str) -> Transcript:
    """Parse a SubRip or WebVTT file."""
    segments, remarks = parse_subtitles(text.replace("\r\n", "\n").replace("\r", "\n"))
    drafts = [SegmentDraft(segment.start, segment.end, segment.text) for segment in segments]
    factor, unit = find_unit(drafts, SHIFTED_CLOCK) if segments else (1.0, "")
    if unit:
        segments = [_scale_segment(segment, factor) for segment in segments]
        remarks.append(f"its times are read as {unit}: words would be too far apart otherwise")
    return _make_transcript(segments, None, remarks)


def _scale_segment(segment: Segment, factor: float) -> Segment:
    words = tuple(replace(word, start=word.start * factor, end=word.end * factor) for word in segment.words)
    return replace(segment, start=segment.start * factor, end=segment.end * factor, words=words)


def _parse_json(text: str) -> Transcript:
    """Parse a JSON transcript of any known layout."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"this is not JSON: {error}") from error
    found = parse_json_transcript(value)
    remarks = found.remarks
    if found.unit is not None:
        scale_times(found.drafts, found.unit)
    # A stated unit is a fact; without words there is nothing to find one by.
    factor, unit = find_unit(found.drafts, UNITS if found.unit is None else {}) if found.drafts else (1.0, "")
    if unit:
        scale_times(found.drafts, factor)
        remarks.append(f"its times are read as {unit}: as seconds they would not fit its words")
    language = read_language(found.language)
    if found.language and language is None:
        remarks.append(f"its language {found.language!r} is not known: write a code such as en")
    return _make_transcript(map(_read_draft, _group_words(_fill_ends(found.drafts))), language, remarks)


def _fill_ends(drafts: list[SegmentDraft]) -> list[SegmentDraft]:
    """Give each draft without an end, or with one before its start, the end of its words or the next start."""
    later: float | None = None
    for draft in reversed(drafts):
        if draft.end is None or draft.end < draft.start:
            ends = [word.end for word in draft.words if word.end is not None]
            known = max(ends, default=None)
            if known is None:
                latest = draft.start + _LONGEST_OPEN_SEGMENT_S
                known = draft.start if later is None or later < draft.start else min(later, latest)
            draft.end = max(draft.start, known)
        later = draft.start
    return drafts


def _group_words(drafts: list[SegmentDraft]) -> list[SegmentDraft]:
    """Join drafts of single words to sentences of one speaker; other drafts are returned as they are."""
    spoken = [draft for draft in drafts if draft.text.strip()]
    single = sum(len(draft.text.split()) == 1 for draft in spoken)
    if len(spoken) < MIN_SINGLE_WORDS or single < SINGLE_WORDS_SHARE * len(spoken):
        return drafts
    groups: list[SegmentDraft] = []
    for draft in spoken:
        words = draft.words or [WordDraft(draft.start, draft.end, draft.text)]
        if groups and _goes_on(groups[-1], draft):
            group = groups[-1]
            group.end, group.text = draft.end, f"{group.text} {draft.text.strip()}"
            group.words += words
        else:
            groups.append(SegmentDraft(draft.start, draft.end, draft.text.strip(), list(words), draft.speaker))
    return groups


def _goes_on(group: SegmentDraft, draft: SegmentDraft) -> bool:
    """Tell whether a word belongs to the group before it."""
    return (
        group.speaker == draft.speaker
        and len(group.words) < GROUP_WORDS
        and not group.text.endswith(_SENTENCE_ENDS)
        and 0 <= draft.start - (group.end or 0.0) + GROUP_PAUSE_S <= 2 * GROUP_PAUSE_S
    )


def _read_draft(draft: SegmentDraft) -> Segment:
    end = draft.end if draft.end is not None else draft.start
    speakers = [word.speaker for word in draft.words if word.speaker is not None]
    speaker = draft.speaker or (max(set(speakers), key=speakers.count) if speakers else None)
    text = draft.text.strip()
    return Segment(draft.start, end, text, read_words(draft.words, draft.start, end), speaker=speaker)


def _make_transcript(segments: Iterable[Segment], language: str | None, remarks: Sequence[str]) -> Transcript:
    """Return a transcript of the segments that have text, sorted by time; InputError for impossible times."""
    spoken = drop_duplicates(s for s in map(_drop_control_codes, segments) if s.text.strip())
    if any(segment.start >= MAX_TIME_S or segment.end >= MAX_TIME_S for segment in spoken):
        raise InputError(f"a time lies beyond {MAX_TIME_S:.0f} s", "correct it")
    doubts = check_times(spoken)
    spoken.sort(key=lambda segment: (segment.start, segment.end))
    duration = max((s.end for s in spoken), default=None)
    return Transcript(tuple(spoken), language, duration, source="file", remarks=(*remarks, *doubts))


def _drop_control_codes(segment: Segment) -> Segment:
    # The words will stand in terminals, tables and pages.
    words = tuple(replace(word, word=_printable(word.word)) for word in segment.words)
    speaker = " ".join(_printable(segment.speaker).split()) or None if segment.speaker else None
    return replace(segment, text=_printable(segment.text), words=words, speaker=speaker)


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)
