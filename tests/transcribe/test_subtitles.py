"""SubRip and WebVTT as they occur: what is read, and what is left out with a remark."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.errors import InputError
from pipeline.core.schema import Segment
from pipeline.transcribe.subtitles import Cue, drop_repeated_lines, parse_subtitles, read_cue


def read(text: str) -> list[Segment]:
    segments, remarks = parse_subtitles(text)
    assert remarks == []
    return segments


def texts(text: str) -> list[tuple[float, float, str]]:
    return [(segment.start, segment.end, segment.text) for segment in read(text)]


KITES = "The kites are new."
WIND = "So is the wind."


@pytest.mark.parametrize(
    "text",
    [
        f"1\n00:00:01,000 --> 00:00:03,500\n{KITES}\n\n2\n00:00:05,000 --> 00:00:08,000\n{WIND}\n",
        f"\n\n \n1\n00:00:01.000 --> 00:00:03.500\n{KITES}\n\n2\n00:00:05.000 --> 00:00:08.000\n{WIND}",
        f"\u200b\ufeff1\n00:00:01,000 --> 00:00:03,500\n{KITES}\n\n2\n00:00:05,000 --> 00:00:08,000\n{WIND}",
        f"00:00:01,000 --> 00:00:03,500\n{KITES}\n\n00:00:05,000 --> 00:00:08,000\n{WIND}",
        f"1\n00:00:01,000 --> 00:00:03,500\n{KITES}\n2\n00:00:05,000 --> 00:00:08,000\n{WIND}",
        f"1\n0:1,0-->0:3,5\n{KITES}\n\n2\n0:5 --> 0:8\n{WIND}",
        f"1\n00: 00: 01, 000 -> 00: 00: 03, 500\n{KITES}\n\n2\n00:00:05:000 → 00:00:08:000\n{WIND}",
        f"1\n00:00:01,000 --> 00:00:03,500 X1:40 X2:600\n{KITES}\n\n2\n00:00:05,000 --> 00:00:08,000 {WIND}",
        "WEBVTT\n\nSTYLE\n::cue { color: red }\n\nintro\n00:01.000 --> 00:03.500 align:start\n"
        f"{KITES}\n\nNOTE\nseen\n\n00:05.000 --> 00:08.000\n{{\\an8}}So is <i>the</i> wind.",
        "1\n00:00:01,000 --> 00:00:03,500\nThe kites\n\nare new.\n\n2\n00:00:04,000 --> 00:00:05,000\n\n3\n"
        f"00:00:05,000 --> 00:00:08,000\n{WIND}",
    ],
)
def test_subtitles_of_many_makers_are_equal(text: str) -> None:
    assert texts(text) == [(1.0, 3.5, KITES), (5.0, 8.0, WIND)]


def test_negative_time_counts_as_zero() -> None:
    cues = "1\n-00:00:00,400 --> 00:00:02,000\nHello.\n\n2\n00:00:-1,-20 --> 00:00:03,000\nYou."
    assert texts(cues) == [(0.0, 2.0, "Hello."), (0.0, 3.0, "You.")]


@pytest.mark.parametrize("line", ["Go to File --> Export", "from 2 --> 3 kites", "a --> b", "it ends --> 12:30 sharp"])
def test_arrow_in_text_is_text(line: str) -> None:
    cue = f"00:00:01,000 --> 00:00:02,000\n{line}\n"
    spoken = [text for _, _, text in texts(f"{cue}\n00:00:03,000 --> 00:00:04,000\nNext")]
    assert spoken == [line, "Next"]


def test_number_spoken_alone_is_kept() -> None:
    cues = "1\n00:00:01,000 --> 00:00:02,000\n42\n\n2\n00:00:03,000 --> 00:00:04,000\n43"
    assert [text for _, _, text in texts(cues)] == ["42", "43"]
    unnumbered = cues.replace("1\n00", "00").replace("2\n00", "00")
    assert [text for _, _, text in texts(unnumbered)] == ["42", "43"]


def test_cue_without_end_lasts_to_next() -> None:
    cues = (
        "1\n00:00:01,000 -->\nOne\n\n2\n00:00:03,000 --> 00:00:02,000\nTwo\n\n3\n00:01:00,000 --> 00:01:01,000\nThree"
    )
    assert texts(cues) == [(1.0, 3.0, "One"), (3.0, 13.0, "Two"), (60.0, 61.0, "Three")]


def number_cues(count: int) -> str:
    return "".join(f"{n}\n00:00:0{n},000 --> 00:00:0{n},900\nCue {n}\n\n" for n in range(1, count + 1))


def test_line_of_unreadable_times_is_named() -> None:
    segments, remarks = parse_subtitles(number_cues(5).replace("00:00:03,000", "00:0x:03,000"))
    assert [segment.text for segment in segments] == ["Cue 1", "Cue 2", "Cue 4", "Cue 5"]
    assert remarks == ["line 10: the times cannot be read, so the words below are left out"]


def test_mostly_unreadable_times_are_refused() -> None:
    with pytest.raises(InputError, match=r"3 of 3 cues have no times .* first in line 2: '00:0o:01"):
        parse_subtitles(number_cues(3).replace("00:00:0", "00:0o:0"))


def test_voices_are_speakers() -> None:
    cues = "WEBVTT\n\n00:01.000 --> 00:04.000\n<v.loud Ann B&amp;C>Hello.</v>\n\n00:05.000 --> 00:06.000\nNobody.\n"
    assert [(segment.speaker, segment.text) for segment in read(cues)] == [("Ann B&C", "Hello."), (None, "Nobody.")]


def test_two_voices_share_a_cue() -> None:
    first, second = read("WEBVTT\n\n00:01.000 --> 00:05.000\n<v Ann>Hello.</v>\n<v Ben>Hi you.</v>\n")
    assert (first.speaker, first.text, second.speaker, second.text) == ("Ann", "Hello.", "Ben", "Hi you.")
    assert first.start == 1.0 < first.end == second.start < second.end == 5.0


@pytest.mark.parametrize("text", ["1:" * 150, "-->" * 100, "<v " * 5000, "0:0" + " " * 290 + "x", "{\\" * 5000])
def test_hostile_lines_are_read_or_refused(text: str) -> None:
    segments, _ = parse_subtitles(f"00:01.000 --> 00:05.000\nHello.\n{text}\n" * 50)
    assert len(segments) <= 50


# YouTube writes a line with a single blank for an empty line.
ROLLING = """WEBVTT

00:00:00.000 --> 00:00:02.310 align:start position:0%
{blank}
hello<00:00:00.400><c> and</c><00:00:00.640><c> welcome</c>

00:00:02.310 --> 00:00:02.320
hello and welcome
{blank}

00:00:02.320 --> 00:00:05.110
hello and welcome
&gt;&gt;<00:00:02.560><c> invoices</c><00:00:03.300><c> first</c>

00:00:05.110 --> 00:00:05.120
&gt;&gt; invoices first
{blank}

00:00:05.120 --> 00:00:07.110
&gt;&gt; invoices first
then<00:00:05.560><c> dark</c><00:00:05.800><c> mode</c>
""".replace("{blank}", " ")


def test_rolling_captions_keep_each_line_once() -> None:
    segments = read(ROLLING)
    assert [segment.text for segment in segments] == [
        "hello and welcome", ">> invoices first", "then dark mode",
    ]  # fmt: skip
    words = [(word.word, word.start) for segment in segments for word in segment.words]
    assert words[:4] == [(" hello", 0.0), (" and", 0.4), (" welcome", 0.64), (" >>", 2.32)]
    assert words[-1] == (" mode", 5.8)


def test_rolling_subrip_captions_keep_each_line_once() -> None:
    cues = ["one", "one\ntwo", "two\nthree", "three\nfour"]
    text = "".join(f"{n}\n00:00:0{n},000 --> 00:00:0{n},900\n{cue}\n\n" for n, cue in enumerate(cues, start=1))
    assert [segment.text for segment in read(text)] == ["one", "two", "three", "four"]


def test_line_spoken_twice_is_kept_twice() -> None:
    cues = ["Yes.", "Yes.", "And now", "to the list", "of features", "in this release"]
    text = "".join(f"{n}\n00:00:0{n},000 --> 00:00:0{n},900\n{cue}\n\n" for n, cue in enumerate(cues, start=1))
    assert [segment.text for segment in read(text)] == cues


LINES = st.lists(st.sampled_from(["one", "two words", "<c>three</c>", "<00:00:01.500>four", "", " "]), max_size=3)


@given(st.lists(LINES, max_size=8))
def test_word_times_rise_within_their_cue(cues: list[list[str]]) -> None:
    timed = [Cue(float(n), n + 0.9, tuple(lines)) for n, lines in enumerate(cues)]
    for segment in (part for cue in drop_repeated_lines(timed) for part in read_cue(cue)):
        assert all(segment.start <= word.start <= word.end <= segment.end for word in segment.words)
        assert all(before.start <= after.start for before, after in pairwise(segment.words))


def test_cue_of_timestamps_alone_is_dropped() -> None:
    cues = "WEBVTT\n\n00:01.000 --> 00:04.000\n<00:01.500>\n\n00:05.000 --> 00:06.000\n<00:05.500><c>first</c>\n"
    assert [segment.text for segment in read(cues)] == ["first"]
