"""The unit of times, and times that cannot be right."""

import json
from pathlib import Path

import pytest

from pipeline.core.errors import InputError
from pipeline.core.schema import Segment, Transcript
from pipeline.transcribe.transcript_files import load_transcript
from pipeline.transcribe.transcript_times import check_against_audio

LINE = "Okay, the next one is about kites in the wind."
STEP = 4.0


def load(tmp_path: Path, factor: float, *, count: int = 40, shift: float = 0.0) -> Transcript:
    return load_lines(tmp_path, [(n * STEP * factor + shift, (n * STEP + 3) * factor + shift) for n in range(count)])


def load_lines(tmp_path: Path, times: list[tuple[float, float]]) -> Transcript:
    path = tmp_path / "talk.json"
    path.write_text(json.dumps([{"start": start, "end": end, "text": LINE} for start, end in times]))
    return load_transcript(path)


@pytest.mark.parametrize("count", [3, 40])
@pytest.mark.parametrize(
    ("factor", "unit"),
    [(1e3, "milliseconds"), (1e2, "hundredths of a second"), (1e7, "ticks"), (1 / 60, "minutes")],
)
def test_other_units_are_read_and_said(tmp_path: Path, factor: float, unit: str, count: int) -> None:
    transcript = load(tmp_path, factor, count=count)
    assert transcript.segments[1].start == pytest.approx(STEP)
    (remark,) = transcript.remarks
    assert f"read as {unit}" in remark


def test_seconds_are_read_without_remark(tmp_path: Path) -> None:
    assert load(tmp_path, 1).remarks == ()


@pytest.mark.parametrize("factor", [25, 0, 1 / 400])
def test_times_of_no_unit_are_refused(tmp_path: Path, factor: float) -> None:
    with pytest.raises(InputError, match=r"its times cannot be right: \d+ words in"):
        load(tmp_path, factor)


def test_unit_that_changes_is_refused(tmp_path: Path) -> None:
    times = [(n * STEP, n * STEP + 3) for n in range(60)]
    with pytest.raises(InputError, match="its times cannot be right"):
        load_lines(tmp_path, times[:30] + [(start * 1000, end * 1000) for start, end in times[30:]])


def test_words_at_one_time_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="its times"):
        load_lines(
            tmp_path, [(n * STEP, n * STEP + 3) for n in range(30)] + [(120.0, 121 + n / 100) for n in range(30)]
        )


def test_joined_transcripts_are_refused(tmp_path: Path) -> None:
    times = [(n * STEP, n * STEP + 3.5) for n in range(60)]
    shifted = [(start + 0.3, end + 0.3) for start, end in times]
    with pytest.raises(InputError, match="its times begin again"):
        load_lines(tmp_path, times + shifted)


def test_times_that_run_backwards_are_refused(tmp_path: Path) -> None:
    times = [(n * STEP, n * STEP + 3.5) for n in range(60)]
    with pytest.raises(InputError, match="its times run backwards: 59 of 60"):
        load_lines(tmp_path, times[::-1])
    with pytest.raises(InputError, match="60 of 60 segments end before they start"):
        load_lines(tmp_path, [(end, start) for start, end in times])


def test_cues_out_of_order_are_sorted(tmp_path: Path) -> None:
    times = [(n * STEP, n * STEP + 3.5) for n in range(60)]
    transcript = load_lines(tmp_path, times[30:] + times[:30])
    assert [segment.start for segment in transcript.segments] == [start for start, _ in times]


def test_repeated_segments_are_dropped(tmp_path: Path) -> None:
    times = [(n * STEP, n * STEP + 3.5) for n in range(20)]
    assert len(load_lines(tmp_path, times + times).segments) == 20


def test_shifted_clock_of_subtitles_is_said(tmp_path: Path) -> None:
    path = tmp_path / "talk.srt"
    # Seconds stand where minutes should.
    clocks = [(divmod(n * 4, 60), divmod(n * 4 + 3, 60)) for n in range(50)]
    cues = (f"{a:02}:{b:02}:00,000 --> {c:02}:{d:02}:00,000\n{LINE} {b}\n" for (a, b), (c, d) in clocks)
    path.write_text("\n".join(cues))
    transcript = load_transcript(path)
    assert transcript.segments[1].start == STEP
    assert "minutes and seconds in place of hours and minutes" in transcript.remarks[0]


def make_transcript(count: int) -> Transcript:
    spoken = tuple(Segment(n * STEP, n * STEP + 3, LINE) for n in range(count))
    return Transcript(spoken, duration=spoken[-1].end)


def test_transcript_longer_than_audio_is_reported() -> None:
    assert check_against_audio(make_transcript(20), 80.0) == []
    assert (
        "goes on to 1:19, but the audio ends at 1:00: starts may be off"
        in check_against_audio(make_transcript(20), 60.0).pop()
    )
    with pytest.raises(InputError, match="name the transcript of this audio"):
        check_against_audio(make_transcript(200), 60.0)
