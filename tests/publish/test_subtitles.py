"""Subtitles: every word in short cues, read back by an independent parser."""

from pathlib import Path

import pytest
import webvtt
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.schema import Segment, Transcript
from pipeline.publish.subtitles import format_plain, format_srt, format_vtt
from pipeline.transcribe.transcript_files import load_transcript
from tests.support.project import LINES, make_transcript

WITHOUT_WORDS = Transcript(tuple(Segment(s.start, s.end, s.text) for s in make_transcript(LINES).segments))


@pytest.mark.parametrize("transcript", [make_transcript(LINES), WITHOUT_WORDS], ids=["words", "segments"])
def test_words_and_times_read_back(tmp_path: Path, transcript: Transcript) -> None:
    for name, text in (("a.srt", format_srt(transcript)), ("a.vtt", format_vtt(transcript))):
        (tmp_path / name).write_text(text, encoding="utf-8")
        parsed = load_transcript(tmp_path / name)
        assert " ".join(s.text for s in parsed.segments).split() == " ".join(LINES).split()
        assert parsed.segments[0].start == pytest.approx(transcript.segments[0].start, abs=0.01)
        assert parsed.segments[-1].end == pytest.approx(transcript.segments[-1].end, abs=0.01)
        assert all(a.start <= b.start for a, b in zip(parsed.segments, parsed.segments[1:], strict=False))


def test_subrip_cues_have_two_short_lines_at_most() -> None:
    for cue in format_srt(make_transcript(LINES)).split("\n\n"):
        lines = cue.strip().splitlines()[2:]
        assert 1 <= len(lines) <= 2
        assert all(len(line) <= 32 for line in lines)


def test_webvtt_cues_have_65_characters_at_most(tmp_path: Path) -> None:
    (tmp_path / "a.vtt").write_text(format_vtt(make_transcript(LINES)))
    assert all(len(cue.text) <= 65 for cue in webvtt.read(str(tmp_path / "a.vtt")).captions)


def test_markup_in_speech_is_escaped() -> None:
    assert "&lt;b&gt; &amp; so" in format_vtt(Transcript((Segment(0, 1, "<b> & so"),)))


@given(st.lists(st.text(st.characters(categories=("L", "N", "P")), min_size=1, max_size=90), min_size=1, max_size=30))
def test_any_words_are_split_without_loss(words: list[str]) -> None:
    transcript = Transcript((Segment(1.0, 9.0, " ".join(words)),))
    cues = format_srt(transcript).strip().split("\n\n")
    shown = "".join("".join(cue.splitlines()[2:]) for cue in cues)
    assert shown.replace(" ", "") == "".join(words)


def test_plain_text_has_paragraphs_at_pauses() -> None:
    transcript = Transcript((Segment(0, 4, "One."), Segment(4.5, 8, "Two."), Segment(12, 14, "Three.")))
    assert format_plain(transcript) == "One. Two.\n\nThree.\n"


def test_silence_gives_valid_empty_file(tmp_path: Path) -> None:
    (tmp_path / "a.vtt").write_text(format_vtt(Transcript(())))
    assert webvtt.read(str(tmp_path / "a.vtt")).captions == []
