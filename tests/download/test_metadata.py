"""A publisher's metadata: taken field by field from yt-dlp's description, and stored without secrets."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.download.metadata import Metadata, StatedChapter, find_timestamps, metadata_of_media

# Replayed: the fields of yt-dlp's description of a video, shortened.
YOUTUBE: dict[str, Any] = {
    "id": "abcdefghijk",
    "extractor_key": "Youtube",
    "title": "Kites:  Episode 12",
    "upload_date": "20261102",
    "duration": 3130,
    "language": "en",
    "webpage_url": "https://www.youtube.com/watch?v=abcdefghijk",
    "description": "0:00 Intro\n2:04 Sorting by date\nSee https://example.org/?token=hush",
    "chapters": [{"start_time": 0.0, "end_time": 124.0, "title": "Intro"}, {"start_time": 124.0, "title": "Sorting"}],
    "http_headers": {"Cookie": "session=hush"},
    "formats": [{"url": "https://media.example.org/a?sig=hush"}],
    "cookies": "hush",
}


def test_metadata_is_read_from_description() -> None:
    metadata = metadata_of_media(YOUTUBE)
    assert (metadata.title, metadata.published, metadata.duration) == ("Kites: Episode 12", date(2026, 11, 2), 3130.0)
    assert metadata.chapters == (StatedChapter(0.0, "Intro"), StatedChapter(124.0, "Sorting"))
    assert metadata.link == "https://www.youtube.com/watch?v=abcdefghijk&t={seconds}s"


def test_record_holds_no_secret() -> None:
    record = metadata_of_media(YOUTUBE).to_json()
    assert "hush" not in str(record)
    assert record["description_times"] == [
        {"start": 0.0, "title": "Intro"},
        {"start": 124.0, "title": "Sorting by date"},
    ]


def test_missing_fields_are_left_out() -> None:
    assert metadata_of_media({}).to_json() == {}
    assert Metadata().to_json() == {}


def test_upload_time_is_not_the_publication_date() -> None:
    info = {"direct": True, "timestamp": 1_793_606_400, "webpage_url": "https://example.org/a.mp3", "title": "a"}
    metadata = metadata_of_media(info)
    assert metadata.published is None
    assert metadata.link == "https://example.org/a.mp3#t={seconds}"


@pytest.mark.parametrize(
    ("info", "link"),
    [
        ({"extractor_key": "Vimeo", "webpage_url": "https://vimeo.com/12"}, "https://vimeo.com/12#t={seconds}s"),
        ({"extractor_key": "Other", "webpage_url": "https://example.org/v/12"}, None),
        ({"direct": True, "webpage_url": "https://example.org/a.mp3?token=hush"}, None),
        ({"direct": True, "webpage_url": "https://example.org/{a}.mp3"}, "https://example.org/{{a}}.mp3#t={seconds}"),
    ],
)
def test_link_depends_on_the_player(info: dict[str, Any], link: str | None) -> None:
    assert metadata_of_media(info).link == link


@pytest.mark.parametrize(
    ("line", "chapter"),
    [
        ("2:04 Sorting by date", (124.0, "Sorting by date")),
        ("(1:02:07) - Dark theme", (3727.0, "Dark theme")),
        ("▶ 00:16:36 | Mappings", (996.0, "Mappings")),
        ("Dark theme ... 16:36", (996.0, "Dark theme")),
        ("Added mappings | v2.204 #979667 | 16:36", (996.0, "Added mappings | v2.204 #979667")),
        ("We meet at 16:36 in the office", None),
        ("1:75:00 is no time", None),
        ("https://example.org:80/a", None),
        ("Score 3:75", None),
        ("", None),
    ],
)
def test_times_at_line_ends_are_chapters(line: str, chapter: tuple[float, str] | None) -> None:
    assert [(timestamp.start, timestamp.title) for timestamp in find_timestamps(line)] == ([chapter] if chapter else [])


@given(st.text())
def test_any_description_is_parsed(text: str) -> None:
    assert all(chapter.start >= 0 and chapter.title for chapter in find_timestamps(text))


@given(
    st.dictionaries(
        st.sampled_from([*sorted(YOUTUBE), "timestamp"]), st.one_of(st.none(), st.integers(), st.text(), st.booleans())
    )
)
def test_any_description_of_a_site_is_accepted(info: dict[str, Any]) -> None:
    info.pop("chapters", None)
    assert isinstance(metadata_of_media(info).to_json(), dict)
