"""Pages hold what the rows say, and nothing from outside becomes markup."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from pipeline.publish.paragraphs import Paragraph
from pipeline.publish.players import Player
from pipeline.publish.rows import CatalogRow
from pipeline.publish.site_pages import (
    EpisodePage,
    Listing,
    anchor_rows,
    format_catalog_script,
    format_episode_page,
    format_policy,
    format_search_page,
    format_words_script,
    list_bars,
    list_episode,
    list_ticks,
    read_catalog_script,
)
from tests.support.rows import HOSTILE, rows_of


def page_of(*titles: str, player: Player = Player("none")) -> EpisodePage:  # noqa: B008
    rows = tuple(
        replace(row, description=row.title, quote=row.title, show=row.title, episode_title=row.title, version=row.title)
        for row in rows_of(*titles)
    )
    paragraphs = tuple(Paragraph((row.title,), (row.start_s or 0.0,), (row.position,)) for row in rows)
    return EpisodePage(rows, player, paragraphs, 600.0)


def listing_of(page: EpisodePage) -> Listing:
    return list_episode(page.rows, page.player)


def write_index(page: EpisodePage) -> str:
    return format_search_page(page.rows[0].show, [listing_of(page)])


def write_script(page: EpisodePage) -> str:
    return format_catalog_script([listing_of(page)])


class Tags(HTMLParser):
    """Every element of a page, with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def tags_of(text: str) -> list[tuple[str, list[str]]]:
    parser = Tags()
    parser.feed(text)
    return [(tag, sorted(attributes)) for tag, attributes in parser.seen]


@pytest.mark.parametrize("title", HOSTILE)
def test_a_hostile_title_makes_no_element_and_no_attribute(title: str) -> None:
    for write in (format_episode_page, write_index):
        assert tags_of(write(page_of(title))) == tags_of(write(page_of("plain")))


@pytest.mark.parametrize("title", HOSTILE)
def test_the_data_reads_back_as_what_it_was(title: str) -> None:
    script = write_script(page_of(title))
    data = json.loads(script.removeprefix("window.catalogData = ").rstrip(";\n"))
    assert data["features"][0][4] == title


@pytest.mark.parametrize("title", [*HOSTILE, "two\nlines", '],\n"features": [\n', ""])
def test_what_the_search_knows_is_read_back_from_its_script(title: str) -> None:
    video = Player("youtube", "dQw4w9WgXcQ")
    listings = [listing_of(page_of(title, "plain", player=video)), listing_of(page_of("a")), listing_of(page_of(title))]
    assert list(read_catalog_script(format_catalog_script(listings))) == listings
    assert read_catalog_script(format_catalog_script([])) == ()


def test_no_page_has_anything_inline_that_its_policy_forbids() -> None:
    for text in (format_episode_page(page_of("a", "b")), write_index(page_of("a"))):
        assert not re.search(r"<script(?![^>]* src=)|<style| style=| on\w+=|javascript:", text)
        assert "default-src &#39;none&#39;" in text


def test_a_policy_allows_only_the_media_of_its_page() -> None:
    assert "frame-src 'none'" in format_policy([Player("audio", "https://cdn.example.org/a.mp3")])
    assert "media-src 'self' https://cdn.example.org;" in format_policy(
        [Player("audio", "https://cdn.example.org/a.mp3")]
    )
    assert "frame-src https://www.youtube-nocookie.com;" in format_policy([Player("youtube", "dQw4w9WgXcQ")])
    assert "connect-src" not in format_policy([])


def test_only_web_addresses_become_links() -> None:
    page = page_of("a")
    bad = replace(page, rows=tuple(replace(row, url="javascript:alert(1)") for row in page.rows))
    assert "javascript:" not in format_episode_page(bad) + write_script(bad)


def test_the_features_come_in_order_of_time_and_those_not_found_last() -> None:
    rows = rows_of("first", "second", "third")
    rows = (replace(rows[0], start_s=None), replace(rows[1], start_s=90.0), replace(rows[2], start_s=30.0))
    data = json.loads(write_script(EpisodePage(rows, Player("none")))[len("window.catalogData = ") : -2])
    assert [feature[4] for feature in data["features"]] == ["third", "second", "first"]


def test_words_keep_a_second_each() -> None:
    page = EpisodePage((), Player("none"), (Paragraph(("a", "b"), (1.5, 2.25)), Paragraph(("c",), (3.0,))))
    assert json.loads(format_words_script(page)[len("window.catalogWords = ") : -2]) == [[1.5, 2.25], [3.0]]


def with_ids(rows: tuple[CatalogRow, ...], *ids: int | None) -> tuple[CatalogRow, ...]:
    return tuple(replace(row, feature_id=number) for row, number in zip(rows, ids, strict=True))


def test_a_feature_is_reached_by_its_id_and_a_second_of_the_same_by_its_place() -> None:
    rows = with_ids(rows_of("a", "b", "c"), 979667, None, 979667)
    assert anchor_rows(rows) == {1: "979667", 2: "p2", 3: "p3"}


def test_bars_stay_inside_the_picture_and_can_be_seen() -> None:
    rows = rows_of("a", "b")
    rows = (replace(rows[0], start_s=0.0, end_s=0.1), replace(rows[1], start_s=590.0, end_s=999.0))
    bars = list_bars(EpisodePage(rows, Player("none"), (), 600.0))
    assert all(bar.width >= 0.4 and bar.left + bar.width <= 100.0 for bar in bars)


@pytest.mark.parametrize(("duration", "labels"), [(0.0, []), (100.0, ["0:00", "0:30", "1:00", "1:30"])])
def test_ticks_name_round_times(duration: float, labels: list[str]) -> None:
    assert [label for _, label in list_ticks(duration)] == labels


@pytest.mark.parametrize("duration", [5.0, 322.0, 3000.0, 36_000.0])
def test_ticks_never_crowd(duration: float) -> None:
    assert 1 <= len(list_ticks(duration)) <= 11


@pytest.mark.parametrize(
    ("titles", "told"), [(["a"], "1 feature in 1 episode,"), (["a", "b"], "2 features in 1 episode,")]
)
def test_features_are_counted_as_people_say_it(titles: list[str], told: str) -> None:
    assert told in write_index(page_of(*titles))


@pytest.mark.parametrize(("count", "kind"), [(100, "timeline"), (101, "timeline dense")])
def test_many_bars_stand_closer(count: int, kind: str) -> None:
    assert f'<svg class="{kind}"' in format_episode_page(page_of(*["a"] * count))
