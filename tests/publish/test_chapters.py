"""Chapters in each format, checked against its rules or an independent reader."""

import json
import re
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
from pipeline.core.times import parse_time
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


def test_doubtful_starts_are_published_only_on_request() -> None:
    rows = rows_with(Status.CONFIDENT, Status.REVIEW, Status.CORRECTED, Status.NOT_FOUND)
    assert [c.title for c in list_chapters(rows)] == ["Feature 1", "Feature 3"]
    assert [c.title for c in list_chapters(rows, include_review=True)] == ["Feature 1", "Feature 2", "Feature 3"]


def test_chapters_stand_in_order_of_time() -> None:
    rows = rows_with(Status.CONFIDENT, Status.CONFIDENT)
    assert [c.title for c in list_chapters(rows[::-1])] == ["Feature 1", "Feature 2"]


def test_youtube_starts_at_zero_and_merges_short_chapters() -> None:
    text, messages = format_youtube((*CHAPTERS, Chapter(3733.0, 3760.0, "At once after")), 4000.0)
    assert text == (
        '0:00 Intro\n0:30 Sort by date\n1:00 Dark ‹b›theme‹/b› & "more"\n1:02:07 Limits — raised / At once after\n'
    )
    assert messages == (
        "1:02:13 At once after: merged with the chapter before it, since YouTube requires 10 s for each",
    )


def test_youtube_titles_are_cut_to_fit_a_description() -> None:
    chapters = [Chapter(30.0 * n, 30.0 * n + 30, f"{n}: größere Schrift " + "für alle " * 12) for n in range(60)]
    text, messages = format_youtube(chapters, 1800.0)
    assert 4900 < len(text.encode()) <= 5000
    assert len(text.splitlines()) == 60
    assert re.fullmatch(r"titles are cut to \d\d characters: YouTube saves 5,000 bytes, .*", messages[-1])
    many = [Chapter(10.0 * n, 10.0 * n + 10, "A title of a feature") for n in range(300)]
    assert format_youtube(many, 3000.0)[1][-1].startswith("too long for one description, also with titles of 20")


def test_youtube_gets_no_text_for_few_chapters() -> None:
    text, messages = format_youtube(CHAPTERS[:1], 4000.0)
    assert text == ""
    assert messages[-1] == "no chapters are written: YouTube requires 3, and there are 2"


def test_youtube_moves_early_first_chapter_to_zero() -> None:
    text, _ = format_youtube([Chapter(4.0, 30.0, "A"), Chapter(30.0, 60.0, "B"), Chapter(60.0, 90.0, "C")], 90.0)
    assert text.splitlines() == ["0:00 A", "0:30 B", "1:00 C"]


starts = st.lists(st.floats(0, 5000), min_size=1, max_size=40).map(sorted)


@given(starts)
def test_youtube_rules_hold_for_any_starts(starts: list[float]) -> None:
    chapters = [Chapter(s, e, f"Title {n}") for n, (s, e) in enumerate(zip(starts, [*starts[1:], 5100.0], strict=True))]
    text, _ = format_youtube(chapters, 5100.0)
    if text:
        times = [parse_time(line.split()[0]) for line in text.splitlines()]
        assert times[0] == 0
        assert len(times) >= 3
        assert all(b - a >= 10 for a, b in zip(times, [*times[1:], 5100.0], strict=True))
        # The title of many merged chapters is cut at YouTube's limit.
        assert "…" in text or sum(text.count(f"Title {n}") for n in range(len(starts))) >= len(starts)


def test_podcasting_chapters_follow_version_1_2() -> None:
    value = json.loads(format_podcasting(CHAPTERS))
    assert value["version"] == "1.2.0"
    assert [set(chapter) for chapter in value["chapters"]] == [
        {"startTime", "title", "endTime", "url"},
        {"startTime", "title", "endTime"},
        {"startTime", "title", "endTime", "url"},
    ]
    assert [chapter["startTime"] for chapter in value["chapters"]] == [30.25, 60.0, 3727.0]


def test_independent_reader_reads_podcasting_and_podlove() -> None:
    podcasting = oracle.extract_pci_chapters(json.loads(format_podcasting(CHAPTERS)))
    podlove = oracle.extract_psc_chapters(ElementTree.fromstring(format_podlove(CHAPTERS)))
    for chapters in (podcasting, podlove):
        assert chapters is not None
        assert [chapter.title for chapter in chapters] == [chapter.title for chapter in CHAPTERS]
        assert [float(chapter.start) for chapter in chapters] == pytest.approx([c.start for c in CHAPTERS], abs=1)


def test_podlove_is_well_formed_in_its_namespace() -> None:
    root = etree.fromstring(
        format_podlove((*CHAPTERS, Chapter(4000.0, 4100.0, "bell \x07 and \ud800?"))).encode("utf-8", "replace")
    )
    assert (root.tag, root.get("version")) == ("{http://podlove.org/simple-chapters}chapters", "1.2")
    assert [c.get("start") for c in root] == ["00:00:30.250", "00:01:00.000", "01:02:07.000", "01:06:40.000"]
    assert root[0].get("href") == "https://example.org/1?t=30&x=1"


def test_independent_parser_reads_webvtt(tmp_path: Path) -> None:
    path = tmp_path / "chapters.vtt"
    path.write_text(format_webvtt(CHAPTERS), encoding="utf-8")
    cues = webvtt.read(str(path)).captions
    assert [(cue.start, cue.end) for cue in cues] == [
        ("00:00:30.250", "00:01:00.000"),
        ("00:01:00.000", "00:01:03.500"),
        ("01:02:07.000", "01:03:20.000"),
    ]
    assert "&lt;b&gt;" in cues[1].raw_text


def test_schema_org_clips_have_required_fields() -> None:
    rows = rows_with(Status.CONFIDENT, Status.CONFIDENT)
    video = describe_video(rows, list_chapters(rows), 322.4)
    assert (video["@type"], video["uploadDate"], video["duration"]) == ("VideoObject", "2026-11-02", "PT322S")
    for clip in video["hasPart"]:
        assert {"@type", "name", "startOffset", "endOffset", "url"} == set(clip)
        assert clip["endOffset"] > clip["startOffset"]


def test_id3_chapters_replace_those_of_the_mp3(tmp_path: Path) -> None:
    path = silent_mp3(tmp_path / "a.mp3")
    write_id3(path, CHAPTERS[:1], "Old")
    write_id3(path, CHAPTERS, "Episode")
    tags = MP3(path).tags
    assert tags is not None
    frames = sorted(tags.getall("CHAP"), key=lambda frame: frame.start_time)
    assert [(f.start_time, f.end_time, str(f.sub_frames["TIT2"])) for f in frames] == [
        (30250, 60000, "Sort by date"),
        (60000, 63500, 'Dark <b>theme</b> & "more"'),
        (3727000, 3800000, "Limits — raised"),
    ]
    with av.open(str(path)) as container:
        read_by_ffmpeg = {chapter["start"]: chapter["metadata"]["title"] for chapter in container.chapters()}
    assert read_by_ffmpeg == {round(c.start * 1000): c.title for c in CHAPTERS}
    (contents,) = tags.getall("CTOC")
    assert contents.child_element_ids == [f.element_id for f in frames]
    copy = shutil.copyfile(path, tmp_path / "again.mp3")
    write_id3(Path(copy), CHAPTERS, "Episode")
    assert Path(copy).read_bytes() == path.read_bytes()


def test_many_id3_chapters_get_several_contents_tables(tmp_path: Path) -> None:
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
