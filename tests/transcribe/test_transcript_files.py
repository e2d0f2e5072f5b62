"""Transcripts made by others, as a whole: their words, order, remarks and errors."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.errors import InputError
from pipeline.core.schema import Segment, Transcript, Word
from pipeline.transcribe.transcript_files import load_transcript

SRT = (
    "1\n00:00:01,000 --> 00:00:04,500\nHello <i>you</i>\nand all\n"
    "\n2\n01:00:05,000 --> 01:00:06,000\nBye &amp; thanks\n"
)
VTT = (
    "WEBVTT\n\nNOTE made by hand\n\nintro\n00:01.000 --> 00:04.500 align:start\n<v Ann>Hello <c.loud>you</c>\nand all\n"
    "\n01:00:05.000 --> 01:00:06.000\nBye &amp; thanks\n"
)


def load(tmp_path: Path, name: str, content: str | bytes | dict[str, Any] | list[Any]) -> Transcript:
    path = tmp_path / name
    if isinstance(content, dict | list):
        content = json.dumps(content)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return load_transcript(path)


@pytest.mark.parametrize(
    ("name", "text", "speaker"),
    [("a.srt", SRT, None), ("a.vtt", VTT, "Ann"), ("A.SRT", SRT.replace("\n", "\r\n"), None)],
)
def test_captions_become_segments_without_tags(tmp_path: Path, name: str, text: str, speaker: str | None) -> None:
    transcript = load(tmp_path, name, text)
    assert transcript.segments == (
        Segment(1.0, 4.5, "Hello you and all", speaker=speaker),
        Segment(3605.0, 3606.0, "Bye & thanks"),
    )
    assert (transcript.source, transcript.model, transcript.duration) == ("file", None, 3606.0)


def test_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    assert len(load(tmp_path, "a.vtt", VTT.encode("utf-8-sig")).segments) == 2


def test_empty_caption_file_gives_a_remark(tmp_path: Path) -> None:
    transcript = load(tmp_path, "a.srt", " \n")
    assert transcript.segments == ()
    assert transcript.remarks == ("the transcript a.srt holds no words: check that it is the right file",)


def test_whisper_json_keeps_words(tmp_path: Path) -> None:
    words = [{"word": " Hi", "start": 0.5, "end": 0.7, "probability": 0.9}]
    segment = {"id": 0, "start": 0.5, "end": 0.7, "text": " Hi", "words": words, "avg_logprob": -0.2}
    transcript = load(tmp_path, "a.json", {"text": " Hi", "language": "en", "segments": [segment]})
    assert transcript.segments == (Segment(0.5, 0.7, "Hi", (Word(0.5, 0.7, " Hi", 0.9),)),)
    assert transcript.language == "en"


def test_bare_list_of_segments_is_read(tmp_path: Path) -> None:
    assert load(tmp_path, "a.json", [{"start": 1, "end": 2, "text": "Hi"}]).segments == (Segment(1.0, 2.0, "Hi"),)


def test_untimed_whisperx_word_lies_between_neighbors(tmp_path: Path) -> None:
    words = [
        {"word": "version", "start": 1.0, "end": 1.4, "score": 0.8},
        {"word": "2.204"},
        {"word": "is", "start": 2.0, "end": 2.2, "score": 0.7},
    ]
    transcript = load(
        tmp_path, "a.json", {"segments": [{"start": 1.0, "end": 2.2, "text": "version 2.204 is", "words": words}]}
    )
    assert transcript.segments[0].words == (
        Word(1.0, 1.4, " version", 0.8),
        Word(1.0, 2.0, " 2.204", None),
        Word(2.0, 2.2, " is", 0.7),
    )


def test_segments_are_sorted_and_empty_ones_dropped(tmp_path: Path) -> None:
    records = [
        {"start": 5, "end": 6, "text": "b"},
        {"start": 3, "end": 4, "text": "  "},
        {"start": 1, "end": 2, "text": "a"},
    ]
    assert [s.text for s in load(tmp_path, "a.json", records).segments] == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", "{"),
        ("a.json", "3"),
        ("a.json", '{"segments": 3}'),
        ("a.json", '{"segments": [3]}'),
        ("a.json", '{"segments": [{"text": "no start"}]}'),
        ("a.json", '{"segments": [{"start": NaN, "end": 1, "text": "x"}]}'),
        ("a.json", '{"segments": [{"start": 1, "end": 2, "text": 5}]}'),
        ("a.json", "[" * 100_000),
        ("a.vtt", "hello\nworld\n"),
        ("a.srt", "hello\nworld\n"),
        ("a.srt", b"\x00\x01\x02\x03"),
    ],
)
def test_error_names_file_that_is_not_a_transcript(tmp_path: Path, name: str, content: str | bytes) -> None:
    with pytest.raises(InputError, match=f"the transcript .*{name}: ") as raised:
        load(tmp_path, name, content)
    assert "\n" not in str(raised.value)
