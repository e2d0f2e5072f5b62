"""Chapters in each format, held against its rules or an independent reader."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import av
import podcast_chapter_tools as oracle
import pytest
import webvtt
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from mutagen.id3 import CTOCFlags
from mutagen.mp3 import MP3

from pipeline.core.schema import Status
from pipeline.core.times import format_timestamp, parse_time
from pipeline.publish.chapters import (
    Chapter,
    describe_video,
    format_podcasting,
    format_podlove,
    format_webvtt,
    format_youtube,
    list_chapters,
    write_id3,
)
from pipeline.publish.rows import CatalogRow
from tests.support.files import silent_mp3
from tests.support.rows import make_row

CHAPTERS = (
    Chapter(30.25, 60.0, "Sort by date", "https://example.org/1?t=30&x=1"),
    Chapter(60.0, 63.5, 'Dark <b>theme</b> & "more"'),
    Chapter(3727.0, 3800.0, "Limits — raised", "https://example.org/1?t=3727"),
)


def rows_with(*statuses: Status) -> tuple[CatalogRow, ...]:
    row = make_row()
    return tuple(
        replace(row, position=n, status=status.value, start_s=100.0 * n, end_s=100.0 * n + 50, title=f"Feature {n}")
        for n, status in enumerate(statuses, start=1)
    )


def test_only_trusted_starts_are_published_unless_asked_for() -> None:
    rows = rows_with(Status.CONFIDENT, Status.REVIEW, Status.CORRECTED, Status.NOT_FOUND)
    assert [c.title for c in list_chapters(rows)] == ["Feature 1", "Feature 3"]
    assert [c.title for c in list_chapters(rows, include_review=True)] == ["Feature 1", "Feature 2", "Feature 3"]


def test_chapters_come_in_the_order_of_their_times() -> None:
    rows = rows_with(Status.CONFIDENT, Status.CONFIDENT)
    assert [c.title for c in list_chapters(rows[::-1])] == ["Feature 1", "Feature 2"]


def test_youtube_starts_at_zero_and_merges_what_is_shorter_than_ten_seconds() -> None:
    text, notes = format_youtube((*CHAPTERS, Chapter(3733.0, 3760.0, "At once after")), 4000.0)
    assert text == (
        '0:00 Intro\n0:30 Sort by date\n1:00 Dark ‹b›theme‹/b› & "more"\n1:02:07 Limits — raised / At once after\n'
    )
    assert notes == ("1:02:13 At once after: merged, YouTube wants 10 s for each chapter",)


def test_youtube_gets_nothing_where_its_rules_cannot_hold() -> None:
    text, notes = format_youtube(CHAPTERS[:1], 4000.0)
    assert text == ""
    assert "so none are written" in notes[-1]


def test_youtube_gives_a_first_chapter_in_the_first_seconds_the_start() -> None:
    text, _ = format_youtube([Chapter(4.0, 30.0, "A"), Chapter(30.0, 60.0, "B"), Chapter(60.0, 90.0, "C")], 90.0)
    assert text.splitlines() == ["0:00 A", "0:30 B", "1:00 C"]


times = st.lists(st.floats(0, 5000), min_size=1, max_size=40).map(sorted)


@given(times)
def test_youtube_s_rules_hold_for_any_starts(starts: list[float]) -> None:
    chapters = [Chapter(s, e, f"Title {n}") for n, (s, e) in enumerate(zip(starts, [*starts[1:], 5100.0], strict=True))]
    text, _ = format_youtube(chapters, 5100.0)
    if text:
        found = [parse_time(line.split()[0]) for line in text.splitlines()]
        assert found[0] == 0
        assert len(found) >= 3
        assert all(b - a >= 10 for a, b in zip(found, [*found[1:], 5100.0], strict=True))
        # Of many merged into one, the title is cut where YouTube's limit is.
        assert "…" in text or sum(text.count(f"Title {n}") for n in range(len(starts))) >= len(starts)


def test_podcasting_chapters_obey_version_1_2() -> None:
    value = json.loads(format_podcasting(CHAPTERS))
    assert value["version"] == "1.2.0"
    assert [set(chapter) for chapter in value["chapters"]] == [
        {"startTime", "title", "endTime", "url"},
        {"startTime", "title", "endTime"},
        {"startTime", "title", "endTime", "url"},
    ]
    assert [chapter["startTime"] for chapter in value["chapters"]] == [30.25, 60.0, 3727.0]


def test_an_independent_reader_finds_the_same_podcasting_and_podlove_chapters() -> None:
    podcasting = oracle.extract_pci_chapters(json.loads(format_podcasting(CHAPTERS)))
    podlove = oracle.extract_psc_chapters(ElementTree.fromstring(format_podlove(CHAPTERS)))
    for found in (podcasting, podlove):
        assert found is not None
        assert [chapter.title for chapter in found] == [chapter.title for chapter in CHAPTERS]
        assert [float(chapter.start) for chapter in found] == pytest.approx([c.start for c in CHAPTERS], abs=1)


def test_podlove_chapters_are_well_formed_in_their_namespace() -> None:
    root = etree.fromstring(
        format_podlove((*CHAPTERS, Chapter(4000.0, 4100.0, "bell \x07 and \ud800?"))).encode("utf-8", "replace")
    )
    assert (root.tag, root.get("version")) == ("{http://podlove.org/simple-chapters}chapters", "1.2")
    assert [c.get("start") for c in root] == ["00:00:30.250", "00:01:00.000", "01:02:07.000", "01:06:40.000"]
    assert root[0].get("href") == "https://example.org/1?t=30&x=1"


def test_webvtt_chapters_are_read_by_an_independent_parser(tmp_path: Path) -> None:
    path = tmp_path / "chapters.vtt"
    path.write_text(format_webvtt(CHAPTERS), encoding="utf-8")
    cues = webvtt.read(str(path)).captions
    assert [(cue.start, cue.end) for cue in cues] == [
        ("00:00:30.250", "00:01:00.000"),
        ("00:01:00.000", "00:01:03.500"),
        ("01:02:07.000", "01:03:20.000"),
    ]
    assert "&lt;b&gt;" in cues[1].raw_text


def test_schema_org_clips_carry_what_search_engines_ask_for() -> None:
    rows = rows_with(Status.CONFIDENT, Status.CONFIDENT)
    video = describe_video(rows, list_chapters(rows), 322.4)
    assert (video["@type"], video["uploadDate"], video["duration"]) == ("VideoObject", "2026-11-02", "PT322S")
    for clip in video["hasPart"]:
        assert {"@type", "name", "startOffset", "endOffset", "url"} == set(clip)
        assert clip["endOffset"] > clip["startOffset"]


def test_id3_chapters_are_written_into_an_mp3_and_replace_its_own(tmp_path: Path) -> None:
    path = silent_mp3(tmp_path / "a.mp3")
    write_id3(path, CHAPTERS[:1], "Old")
    write_id3(path, CHAPTERS, "Episode")
    tags = MP3(path).tags
    assert tags is not None
    found = sorted(tags.getall("CHAP"), key=lambda frame: frame.start_time)
    assert [(f.start_time, f.end_time, str(f.sub_frames["TIT2"])) for f in found] == [
        (30250, 60000, "Sort by date"),
        (60000, 63500, 'Dark <b>theme</b> & "more"'),
        (3727000, 3800000, "Limits — raised"),
    ]
    with av.open(str(path)) as container:  # ffmpeg reads them, too
        found_by_ffmpeg = {chapter["start"]: chapter["metadata"]["title"] for chapter in container.chapters()}
    assert found_by_ffmpeg == {round(c.start * 1000): c.title for c in CHAPTERS}
    (contents,) = tags.getall("CTOC")
    assert contents.child_element_ids == [f.element_id for f in found]
    copy = shutil.copyfile(path, tmp_path / "again.mp3")
    write_id3(Path(copy), CHAPTERS, "Episode")
    assert Path(copy).read_bytes() == path.read_bytes()


def test_more_chapters_than_one_table_of_contents_may_name_are_in_several(tmp_path: Path) -> None:
    path = silent_mp3(tmp_path / "a.mp3")
    chapters = [Chapter(float(number), number + 1.0, f"Feature {number}") for number in range(600)]
    write_id3(path, chapters, "Episode")
    tags = MP3(path).tags
    assert tags is not None
    tables = {table.element_id: table.child_element_ids for table in tags.getall("CTOC")}
    (top,) = (table for table in tags.getall("CTOC") if table.flags & CTOCFlags.TOP_LEVEL)
    named = [name for table in top.child_element_ids for name in tables[table]]
    starts = {frame.element_id: frame.start_time for frame in tags.getall("CHAP")}
    assert [starts[name] for name in named] == [1000 * number for number in range(600)]


@pytest.mark.parametrize(
    ("seconds", "clock"), [(0, "00:00:00.000"), (59.9996, "00:01:00.000"), (3727.25, "01:02:07.250")]
)
def test_clocks_carry_milliseconds(seconds: float, clock: str) -> None:
    assert format_timestamp(seconds) == clock
