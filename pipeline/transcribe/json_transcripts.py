"""Read the JSON of other programs: find out which one wrote it, and return its segments as drafts.

`DIALECTS` lists the layouts. A new one is a function there that returns drafts, or None where the value has another
layout. Times are numbers in the file's own unit; `unit` says how many seconds that is, None where the file leaves it
open.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from pipeline.core.errors import InputError
from pipeline.transcribe.drafts import SegmentDraft, WordDraft, name_places
from pipeline.transcribe.json_fields import (
    first_text,
    is_punctuation,
    read_factor,
    read_number,
    read_probability,
    read_record,
    read_speaker,
    read_time,
    records_of,
)

# What a message names as readable.
KNOWN = (
    "whisper, faster-whisper, WhisperX, whisper.cpp, OpenAI, Hugging Face, Podcasting 2.0, YouTube, Deepgram, "
    "AssemblyAI, Amazon Transcribe, Google, Azure, Speechmatics, Rev"
)

# The names under which programs list segments, the best first: utterances of one speaker before sentences of words.
_LISTS = (
    "segments", "audio_segments", "utterances",
    "chunks", "sentences", "cues", "captions", "subtitles", "transcription", "transcript",
    "transcripts", "paragraphs", "phrases", "lines", "items", "results", "entries", "words", "result",
)  # fmt: skip

# The names under which programs wrap their transcript in another object.
_WRAPPERS = ("result", "results", "data", "output", "response", "transcript", "transcription", "payload")

# How deep a transcript may be wrapped.
_MAX_DEPTH = 3

# The fields that name the language.
_LANGUAGES = ("language", "language_code", "languageCode", "detected_language", "locale", "lang")


@dataclass(slots=True)
class JsonTranscript:
    """The drafts of a JSON transcript in the file's order, its language as it names it, and remarks."""

    drafts: list[SegmentDraft]
    unit: float | None = None
    language: str | None = None
    remarks: list[str] = field(default_factory=list)


def parse_json_transcript(value: Any) -> JsonTranscript:
    """Return the transcript in a parsed JSON value; InputError where its layout is unknown or most of it is damaged."""
    for dialect in DIALECTS:
        found = dialect(value)
        if found is not None:
            found.language = found.language or _find_language(value)
            return found
    if first_text(value) or (isinstance(value, dict) and isinstance(value.get("text"), str)):
        raise InputError("it holds text without times", "write it with segments and their times, or as .srt or .vtt")
    raise InputError(f"this JSON is of no known program ({KNOWN})", "write the transcript as .srt or .vtt")


def _find_language(value: Any, depth: int = 0) -> str | None:
    if not isinstance(value, dict) or depth > _MAX_DEPTH:
        return None
    own = next((value[name] for name in _LANGUAGES if isinstance(value.get(name), str) and value[name]), None)
    nested = (value.get(name) for name in ("result", "results", "params", "metadata", *_WRAPPERS))
    return own or next((found for inner in nested if (found := _find_language(inner, depth + 1))), None)


def _read_youtube(value: Any) -> JsonTranscript | None:
    """YouTube's json3: events with pieces of text, in milliseconds."""
    events = records_of(value, "events")
    if not any("tStartMs" in event for event in events):
        return None
    drafts = []
    for event in events:
        start, length = read_number(event.get("tStartMs")), read_number(event.get("dDurationMs"))
        pieces = [piece for piece in records_of(event, "segs") if isinstance(piece.get("utf8"), str)]
        if start is None or event.get("aAppend") or not pieces:
            continue
        words = [WordDraft(start + (read_number(piece.get("tOffsetMs")) or 0), None, piece["utf8"]) for piece in pieces]
        text = "".join(piece["utf8"] for piece in pieces)
        timed = any("tOffsetMs" in piece for piece in pieces)
        drafts.append(SegmentDraft(start, None if length is None else start + length, text, words if timed else []))
    return JsonTranscript(_end_before_next(drafts), unit=1e-3)


def _end_before_next(drafts: list[SegmentDraft]) -> list[SegmentDraft]:
    """YouTube's automatic captions stay while the next ones roll in: each ends where the next begins."""
    for draft, following in pairwise(drafts):
        if draft.end is not None and draft.start < following.start < draft.end:
            draft.end = following.start
    return drafts


def _read_whisper_cpp(value: Any) -> JsonTranscript | None:
    """whisper.cpp: `transcription` with offsets in milliseconds, and tokens in its full form."""
    records = records_of(value, "transcription")
    if not any(isinstance(record.get("offsets"), dict) for record in records):
        return None
    drafts = []
    for record in records:
        offsets = record.get("offsets")
        start = read_number(offsets.get("from")) if isinstance(offsets, dict) else None
        if start is None or not isinstance(offsets, dict) or not isinstance(record.get("text"), str):
            continue
        words = _join_tokens(records_of(record, "tokens"))
        drafts.append(SegmentDraft(start, read_number(offsets.get("to")), record["text"], words, read_speaker(record)))
    return JsonTranscript(drafts, unit=1e-3)


def _join_tokens(tokens: list[dict[str, Any]]) -> list[WordDraft]:
    """The words of whisper.cpp's tokens: a token that begins with a blank begins a word."""
    words: list[WordDraft] = []
    for token in tokens:
        text, offsets = token.get("text"), token.get("offsets")
        if not isinstance(text, str) or text.startswith("[_") or not isinstance(offsets, dict):
            continue
        start, end = read_number(offsets.get("from")), read_number(offsets.get("to"))
        if words and not text.startswith(" "):
            words[-1].text += text
            words[-1].end = end
        else:
            words.append(WordDraft(start, end, text, read_probability(token)))
    return words


def _read_amazon(value: Any) -> JsonTranscript | None:
    """Amazon Transcribe, and Speechmatics: single words and punctuation marks with alternatives."""
    results = value.get("results") if isinstance(value, dict) else None
    items = records_of(results, "items") or records_of(value, "results")
    if not items or not any(_content_of(item) and read_time(item, "start") is not None for item in items):
        return None
    return JsonTranscript(_as_drafts(_read_items(items)))


def _as_drafts(words: Iterable[WordDraft]) -> list[SegmentDraft]:
    """Words as segments of one word each: those without a start are left out."""
    return [SegmentDraft(w.start, w.end, w.text, [w], w.speaker) for w in words if w.start is not None]


def _read_items(items: list[dict[str, Any]]) -> list[WordDraft]:
    words: list[WordDraft] = []
    for item in items:
        content = _content_of(item)
        if not content:
            continue
        if words and (item.get("type") == "punctuation" or is_punctuation(content)):
            words[-1].text += content
            continue
        alternative = records_of(item, "alternatives")[0]
        speaker = read_speaker(item) or read_speaker(alternative)
        start, end = read_time(item, "start"), read_time(item, "end")
        words.append(WordDraft(start, end, content, read_probability(alternative), speaker))
    return words


def _content_of(item: dict[str, Any]) -> str:
    alternatives = records_of(item, "alternatives")
    content = alternatives[0].get("content") if alternatives else None
    return content if isinstance(content, str) else ""


def _read_deepgram(value: Any) -> JsonTranscript | None:
    """Deepgram: the words of each channel. Its utterances, where it has any, are read as segments."""
    results = value.get("results") if isinstance(value, dict) else None
    channels = records_of(results, "channels")
    if not channels:
        return None
    if records_of(results, "utterances"):
        return _read_lists(results, unit=1.0)
    drafts: list[SegmentDraft] = []
    for number, channel in enumerate(channels, start=1):
        for alternative in records_of(channel, "alternatives")[:1]:
            words = _read_word_list(records_of(alternative, "words"))
            for word in words:
                word.speaker = word.speaker or (f"Channel {number}" if len(channels) > 1 else None)
            drafts += _as_drafts(words)
    return JsonTranscript(drafts, unit=1.0) if drafts else None


def _read_google(value: Any) -> JsonTranscript | None:
    """Google Speech-to-Text: results with alternatives, whose words have times such as "1.300s"."""
    results = records_of(value, "results") or records_of(value, "response", "results")
    drafts = []
    for result in results:
        for alternative in records_of(result, "alternatives")[:1]:
            words = _read_word_list(records_of(alternative, "words"))
            text = alternative.get("transcript")
            if isinstance(text, str) and words and words[0].start is not None:
                drafts.append(SegmentDraft(words[0].start, words[-1].end, text, words))
    return JsonTranscript(drafts, unit=1.0) if drafts else None


def _read_azure(value: Any) -> JsonTranscript | None:
    """Azure's batch transcription: phrases with the best of several readings, in ticks of 100 nanoseconds."""
    drafts = []
    phrases = records_of(value, "recognizedPhrases")
    for phrase in phrases:
        start, length = read_number(phrase.get("offsetInTicks")), read_number(phrase.get("durationInTicks"))
        best = records_of(phrase, "nBest")
        text = best[0].get("display") if best else None
        if start is not None and isinstance(text, str):
            end = None if length is None else start + length
            drafts.append(SegmentDraft(start, end, text, speaker=read_speaker(phrase)))
    locale = next((phrase["locale"] for phrase in phrases if isinstance(phrase.get("locale"), str)), None)
    return JsonTranscript(drafts, unit=1e-7, language=locale) if drafts else None


def _read_rev(value: Any) -> JsonTranscript | None:
    """Rev: monologues of one speaker, made of elements; punctuation marks have no times."""
    drafts: list[SegmentDraft] = []
    for monologue in records_of(value, "monologues"):
        speaker = read_speaker(monologue)
        words: list[WordDraft] = []
        for element in records_of(monologue, "elements"):
            text, start = element.get("value"), read_number(element.get("ts"))
            if not isinstance(text, str):
                continue
            if start is not None:
                end = read_number(element.get("end_ts"))
                words.append(WordDraft(start, end, text, read_probability(element), speaker))
            elif words:
                words[-1].text += text.rstrip()
        drafts += _as_drafts(words)
    return JsonTranscript(drafts, unit=1.0) if drafts else None


def _read_lists(value: Any, depth: int = 0, unit: float | None = None) -> JsonTranscript | None:
    """Return the segments, or words alone, of a bare list or of a list under one of the usual names; None elsewhere."""
    if isinstance(value, list):
        return _read_records([record for record in value if isinstance(record, dict)], len(value), unit)
    if not isinstance(value, dict) or depth > _MAX_DEPTH:
        return None
    for name in _LISTS:
        if isinstance(value.get(name), list) and (found := _read_lists(value[name], depth, unit)):
            if name != "words":
                _share_words(found, _read_word_list(records_of(value, "words")))
            return found
    inner = (value[name] for name in _WRAPPERS if isinstance(value.get(name), dict))
    return next((found for value in inner if (found := _read_lists(value, depth + 1, unit))), None)


def _read_records(records: list[dict[str, Any]], count: int, unit: float | None) -> JsonTranscript | None:
    """The segments of a list; InputError where most of its `count` items are none, None where all are."""
    drafts, lost, factors = [], [], set()
    for number, record in enumerate(records, start=1):
        words = _read_word_list(records_of(record, "words") or records_of(record, "result"))
        draft = read_record(record) or _read_by_words(record, words)
        if draft is None:
            lost.append(number)
        else:
            draft.words = words
            drafts.append(draft)
            factors.add(read_factor(record))
    missing = count - len(drafts)
    if not drafts and not any(first_text(record) and _is_timed(record) for record in records):
        return None
    if missing > len(drafts):
        raise InputError(f"{missing} of {count} segments have no text with a start, the first is {(lost or [1])[0]}")
    found = JsonTranscript(drafts, factors.pop() or unit if len(factors) == 1 else unit)
    if lost:
        found.remarks.append(f"segment {name_places(lost)}: left out, as it has no text with a start")
    return found


def _read_by_words(record: dict[str, Any], words: list[WordDraft]) -> SegmentDraft | None:
    """A segment whose times are those of its words, as Vosk writes it; None without timed words."""
    timed = [word for word in words if word.start is not None]
    if not timed or timed[0].start is None:
        return None
    text = first_text(record) or " ".join(word.text.strip() for word in words)
    return SegmentDraft(timed[0].start, timed[-1].end, text, speaker=read_speaker(record))


def _is_timed(record: dict[str, Any]) -> bool:
    return any(isinstance(name, str) and ("start" in name.lower() or "time" in name.lower()) for name in record)


def _read_word_list(records: Iterable[dict[str, Any]]) -> list[WordDraft]:
    """The words of a list, with or without times; punctuation without times joins the word before."""
    words: list[WordDraft] = []
    for record in records:
        text = first_text(record)
        if not text or record.get("type") in {"spacing", "audio_event"}:
            continue
        start, end = read_time(record, "start"), read_time(record, "end")
        if start is None and words and is_punctuation(text):
            words[-1].text += text
            continue
        words.append(WordDraft(start, end, text, read_probability(record), read_speaker(record)))
    return words


def _share_words(found: JsonTranscript, words: list[WordDraft]) -> None:
    """Give the words that a file lists beside its segments to the segments, by their times."""
    if not words or any(draft.words for draft in found.drafts):
        return
    drafts, position = sorted(found.drafts, key=lambda draft: draft.start), 0
    for word in words:
        if word.start is None:
            continue
        while position + 1 < len(drafts) and drafts[position + 1].start <= word.start:
            position += 1
        drafts[position].words.append(word)


# The layouts, the most telling first.
DIALECTS: tuple[Callable[[Any], JsonTranscript | None], ...] = (
    _read_youtube,
    _read_whisper_cpp,
    _read_deepgram,
    _read_azure,
    _read_rev,
    _read_google,
    _read_amazon,
    _read_lists,
)
