"""JSON transcripts of many programs give the same words at the same times."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.errors import InputError
from pipeline.core.schema import Transcript
from pipeline.transcribe.transcript_files import load_transcript

# Words of two speakers, with their times in seconds.
ANN = [("Kites", 1.0, 1.4), ("are", 1.5, 1.6), ("new.", 1.7, 2.0)]
BEN = [("Wind", 5.0, 5.4), ("is", 5.5, 5.6), ("too.", 5.7, 6.0)]
SENTENCES = [("Ann", ANN, "Kites are new."), ("Ben", BEN, "Wind is too.")]


def load(tmp_path: Path, value: Any) -> Transcript:
    path = tmp_path / "talk.json"
    path.write_text(json.dumps(value))
    return load_transcript(path)


def segments(text: str, start: str, end: str, factor: float = 1) -> list[dict[str, Any]]:
    return [
        {text: spoken, start: words[0][1] * factor, end: words[-1][2] * factor, "speaker": name}
        for name, words, spoken in SENTENCES
    ]


def words(text: str, start: str, end: str, factor: float = 1, **more: Any) -> list[dict[str, Any]]:
    return [
        {text: word, start: at * factor, end: until * factor, "speaker": name, **more}
        for name, spoken, _ in SENTENCES
        for word, at, until in spoken
    ]


def clock(seconds: float) -> str:
    return f"00:00:{seconds:06.3f}".replace(".", ",")


WHISPER_CPP = [
    {
        "timestamps": {"from": clock(1), "to": clock(2)},
        "offsets": {"from": 1000, "to": 2000},
        "text": " Kites are new.",
    },
    {"timestamps": {"from": clock(5), "to": clock(6)}, "offsets": {"from": 5000, "to": 6000}, "text": " Wind is too."},
]
YOUTUBE = [
    {"tStartMs": 0, "dDurationMs": 9000, "id": 1},
    {"tStartMs": 1000, "dDurationMs": 4500, "segs": [{"utf8": "Kites"}, {"utf8": " are new.", "tOffsetMs": 500}]},
    {"tStartMs": 4000, "dDurationMs": 10, "aAppend": 1, "segs": [{"utf8": "\n"}]},
    {"tStartMs": 5000, "dDurationMs": 1000, "segs": [{"utf8": "Wind"}, {"utf8": " is too.", "tOffsetMs": 500}]},
]
AMAZON_ITEMS = [
    item
    for name, spoken, _ in SENTENCES
    for word, at, until in spoken
    for item in (
        {
            "type": "pronunciation", "start_time": str(at), "end_time": str(until), "speaker_label": name,
            "alternatives": [{"confidence": "0.9", "content": word.rstrip(".")}],
        },
        *([{"type": "punctuation", "alternatives": [{"content": "."}]}] if word.endswith(".") else []),
    )
]  # fmt: skip
REV = [
    {
        "speaker": name,
        "elements": [
            element
            for word, at, until in spoken
            for element in ({"type": "text", "value": word, "ts": at, "end_ts": until}, {"type": "punct", "value": " "})
        ],
    }
    for name, spoken, _ in SENTENCES
]
GOOGLE = [
    {
        "alternatives": [
            {
                "transcript": text,
                "words": [{"word": word, "startTime": f"{at}s", "endTime": f"{until}s"} for word, at, until in spoken],
            }
        ]
    }
    for _, spoken, text in SENTENCES
]
AZURE = [
    {"offsetInTicks": at * 1e7, "durationInTicks": 1e7, "speaker": 1, "locale": "en-US", "nBest": [{"display": text}]}
    for at, text in ((1, "Kites are new."), (5, "Wind is too."))
]
SPEECHMATICS = [
    {
        "type": "word", "start_time": at, "end_time": until,
        "alternatives": [{"content": word, "speaker": name, "language": "en"}],
    }
    for name, spoken, _ in SENTENCES
    for word, at, until in spoken
]  # fmt: skip

DIALECTS = {
    "Vosk": [
        {"result": [{"word": w, "start": a, "end": b} for w, a, b in spoken], "text": text, "speaker": name}
        for name, spoken, text in SENTENCES
    ],
    "Amazon segments": {
        "results": {
            "transcripts": [{"transcript": "x"}],
            "items": [],
            "audio_segments": segments("transcript", "start_time", "end_time"),
        }
    },
    "WhisperX": {"segments": segments("text", "start", "end"), "language": "en"},
    "bare list": segments("text", "start", "end"),
    "text times": {"segments": [{**one, "start": str(one["start"])} for one in segments("text", "start", "end")]},
    "clock times": [{"text": text, "start": clock(spoken[0][1]), "end": clock(spoken[-1][2]), "speaker": name} for name, spoken, text in SENTENCES],  # noqa: E501
    "Podcasting 2.0": {"version": "1.0.0", "segments": segments("body", "startTime", "endTime")},
    "AssemblyAI": {"audio_duration": 9, "utterances": segments("text", "start", "end", 1000)},
    "AssemblyAI without utterances": {"utterances": None, "words": words("text", "start", "end", 1000)},
    "OpenAI words": {"task": "transcribe", "text": "x", "words": words("word", "start", "end")},
    "Deepgram": {"results": {"utterances": segments("transcript", "start", "end"), "channels": [{"alternatives": []}]}},
    "Deepgram words": {"results": {"channels": [{"alternatives": [{"words": words("punctuated_word", "start", "end", word="x")}]}]}},  # noqa: E501
    "Amazon": {"results": {"transcripts": [{"transcript": "x"}], "items": AMAZON_ITEMS}},
    "Rev": {"monologues": REV},
    "Speechmatics": {"format": "2.9", "results": SPEECHMATICS},
    "wrapped": {"status": "done", "output": {"segments": segments("text", "start", "end")}},
    "named units": {"transcript": segments("text", "startMs", "endMs", 1000)},
}  # fmt: skip
WITHOUT_SPEAKERS = {
    "whisper.cpp": {"result": {"language": "en"}, "transcription": WHISPER_CPP},
    "YouTube": {"wireMagic": "pb3", "events": YOUTUBE},
    "Hugging Face": {
        "text": "x",
        "chunks": [
            {"timestamp": [1.0, 2.0], "text": " Kites are new."},
            {"timestamp": [5.0, 6.0], "text": " Wind is too."},
        ],
    },
    "Google": {"results": GOOGLE},
    "Azure": {"recognizedPhrases": AZURE},
    "start and duration": [{"text": text, "start": at, "duration": 1.0} for text, at in (("Kites are new.", 1), ("Wind is too.", 5))],  # noqa: E501
}  # fmt: skip


@pytest.mark.parametrize("dialect", [*DIALECTS, *WITHOUT_SPEAKERS])
def test_dialects_give_equal_segments(tmp_path: Path, dialect: str) -> None:
    transcript = load(tmp_path, {**DIALECTS, **WITHOUT_SPEAKERS}[dialect])
    assert [segment.text for segment in transcript.segments] == ["Kites are new.", "Wind is too."]
    assert [segment.start for segment in transcript.segments] == pytest.approx([1.0, 5.0])
    assert transcript.segments[1].end == pytest.approx(6.0)
    if dialect in DIALECTS:
        assert [segment.speaker for segment in transcript.segments] == ["Ann", "Ben"]


@pytest.mark.parametrize(
    ("stated", "language"),
    [
        ("english", "en"), ("German", "de"), ("eng", "en"), ("en", "en"), ("en-US", "en-US"), ("pt_BR", "pt-BR"),
        ("Deutsch", "de"), ("English (United States)", "en"), ("mandarin", "zh"),
    ],
)  # fmt: skip
def test_language_is_read_by_name_or_code(tmp_path: Path, stated: str, language: str) -> None:
    transcript = load(tmp_path, {"language": stated, "segments": segments("text", "start", "end")})
    assert (transcript.language, transcript.remarks) == (language, ())


def test_unknown_language_is_reported(tmp_path: Path) -> None:
    transcript = load(tmp_path, {"language": "klingonish", "segments": segments("text", "start", "end")})
    assert transcript.language is None
    assert transcript.remarks == (
        "the transcript talk.json: its language 'klingonish' is not known: write a code such as en",
    )


@pytest.mark.parametrize("value", [{"jobs": [{"id": 1}]}, {"nodes": {"a": 1}}, 3, [], [[1, 2]], {"segments": 3}])
def test_unknown_layout_names_known_ones_and_way_out(tmp_path: Path, value: Any) -> None:
    with pytest.raises(
        InputError, match=r"no known program \(whisper, .*Podcasting 2\.0.*\): .*\.srt or \.vtt"
    ) as raised:
        load(tmp_path, value)
    assert "\n" not in str(raised.value)


def test_text_without_times_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="it holds text without times"):
        load(tmp_path, {"text": "Kites are new."})


def test_damaged_segments_are_left_out_and_named(tmp_path: Path) -> None:
    records = [*segments("text", "start", "end"), {"text": "no start", "end": 7}]
    transcript = load(tmp_path, {"segments": records})
    assert len(transcript.segments) == 2
    assert transcript.remarks == ("the transcript talk.json: segment 3: left out, as it has no text with a start",)


def test_words_beside_segments_are_shared_out(tmp_path: Path) -> None:
    value = {"segments": segments("text", "start", "end"), "words": words("word", "start", "end")}
    transcript = load(tmp_path, value)
    assert [len(segment.words) for segment in transcript.segments] == [3, 3]
    assert transcript.segments[1].words[0].word == " Wind"
