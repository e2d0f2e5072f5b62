"""Pages and data scripts: what the rows hold, and no markup from outside."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from pipeline.core.schema import Status
from pipeline.publish.paragraphs import Paragraph
from pipeline.publish.players import NO_PLAYER, Player, PlayerKind
from pipeline.publish.rows import CatalogRow
from pipeline.publish.site_pages import (
    EpisodePage,
    anchor_rows,
    format_catalog_script,
    format_episode_page,
    format_policy,
    format_search_page,
    format_words_script,
    list_bars,
    list_ticks,
)
from tests.support.rows import HOSTILE, titled_rows


def make_page(*titles: str, player: Player = NO_PLAYER) -> EpisodePage:
    """Return a page on which every text is a title."""
    rows = tuple(
        replace(row, description=row.title, quote=row.title, show=row.title, episode_title=row.title, version=row.title)
        for row in titled_rows(*titles)
    )
    paragraphs = tuple(Paragraph((row.title,), (row.start_s or 0.0,), (row.position,)) for row in rows)
    return EpisodePage(rows, player, paragraphs, 600.0)


def make_index(page: EpisodePage) -> str:
    return format_search_page(page.rows[0].show, [page])


def read_script(*pages: EpisodePage) -> dict[str, Any]:
    """Return the data of the catalog script, each record as an object by its column names."""
    data = json.loads(format_catalog_script(pages).removeprefix("window.catalogData = ").removesuffix(";\n"))
    for name, columns in data["columns"].items():
        data[name] = [dict(zip(columns, cells, strict=True)) for cells in data[name]]
    return dict(data)


class ElementCollector(HTMLParser):
    """Every element of a page, with the names of its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, list[str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, sorted(name for name, _ in attrs)))


def list_elements(text: str) -> list[tuple[str, list[str]]]:
    parser = ElementCollector()
    parser.feed(text)
    return parser.elements


@pytest.mark.parametrize("title", HOSTILE)
def test_hostile_title_adds_no_element_or_attribute(title: str) -> None:
    for write in (format_episode_page, make_index):
        assert list_elements(write(make_page(title))) == list_elements(write(make_page("plain")))


@pytest.mark.parametrize("title", [*HOSTILE, "two\nlines", '],\n"features": [\n', ""])
def test_script_keeps_any_title(title: str) -> None:
    video = Player(PlayerKind.YOUTUBE, "dQw4w9WgXcQ")
    data = read_script(make_page(title, "plain", player=video), make_page("a"), make_page(title))
    assert [feature["title"] for feature in data["features"]] == [title, "plain", "a", title]
    assert [feature["episode"] for feature in data["features"]] == [0, 0, 1, 2]
    assert [episode["episode_title"] for episode in data["episodes"]] == [title, "a", title]
    assert (data["episodes"][0]["player_kind"], data["episodes"][0]["player_source"]) == ("youtube", "dQw4w9WgXcQ")


def test_script_names_columns_as_the_catalog_does() -> None:
    page = make_page("a")
    (feature,) = read_script(page)["features"]
    assert feature.pop("episode") == 0
    assert feature == {name: getattr(page.rows[0], name) for name in feature}


def test_script_words_every_status() -> None:
    labels = {"confident": "Confident", "review": "To review", "not_found": "Not found", "corrected": "Corrected"}
    assert read_script()["statuses"] == labels
    assert list(labels) == list(Status)


def test_script_without_episodes_still_names_columns() -> None:
    assert read_script()["features"] == []
    assert "title" in read_script()["columns"]["features"]


def test_pages_have_nothing_inline_that_policy_forbids() -> None:
    for text in (format_episode_page(make_page("a", "b")), make_index(make_page("a"))):
        assert not re.search(r"<script(?![^>]* src=)|<style| style=| on\w+=|javascript:", text)
        assert "default-src &#39;none&#39;" in text


def test_policy_allows_only_media_of_its_page() -> None:
    audio = Player(PlayerKind.AUDIO, "https://cdn.example.org/a.mp3")
    assert "frame-src 'none'" in format_policy([audio])
    assert "media-src 'self' https://cdn.example.org;" in format_policy([audio])
    assert "frame-src https://www.youtube-nocookie.com;" in format_policy([Player(PlayerKind.YOUTUBE, "dQw4w9WgXcQ")])
    assert "connect-src" not in format_policy([])


def test_only_web_urls_become_links() -> None:
    page = make_page("a")
    bad = replace(page, rows=tuple(replace(row, url="javascript:alert(1)") for row in page.rows))
    assert "javascript:" not in format_episode_page(bad) + format_catalog_script([bad])


def test_features_stand_in_time_order_missing_last() -> None:
    rows = titled_rows("first", "second", "third")
    rows = (replace(rows[0], start_s=None), replace(rows[1], start_s=90.0), replace(rows[2], start_s=30.0))
    features = read_script(EpisodePage(rows, NO_PLAYER))["features"]
    assert [feature["title"] for feature in features] == ["third", "second", "first"]


def test_words_script_keeps_second_of_each_word() -> None:
    page = EpisodePage((), NO_PLAYER, (Paragraph(("a", "b"), (1.5, 2.25)), Paragraph(("c",), (3.0,))))
    assert json.loads(format_words_script(page)[len("window.catalogWords = ") : -2]) == [[1.5, 2.25], [3.0]]


def with_ids(rows: tuple[CatalogRow, ...], *ids: int | None) -> tuple[CatalogRow, ...]:
    return tuple(replace(row, feature_id=number) for row, number in zip(rows, ids, strict=True))


def test_anchor_is_id_and_position_for_its_repetition() -> None:
    rows = with_ids(titled_rows("a", "b", "c"), 979667, None, 979667)
    assert anchor_rows(rows) == {1: "979667", 2: "p2", 3: "p3"}


def test_bars_stay_inside_timeline_and_visible() -> None:
    rows = titled_rows("a", "b")
    rows = (replace(rows[0], start_s=0.0, end_s=0.1), replace(rows[1], start_s=590.0, end_s=999.0))
    bars = list_bars(EpisodePage(rows, NO_PLAYER, (), 600.0))
    assert all(bar.width >= 0.4 and bar.left + bar.width <= 100.0 for bar in bars)


@pytest.mark.parametrize(("duration", "labels"), [(0.0, []), (100.0, ["0:00", "0:30", "1:00", "1:30"])])
def test_ticks_name_round_times(duration: float, labels: list[str]) -> None:
    assert [label for _, label in list_ticks(duration)] == labels


@pytest.mark.parametrize("duration", [5.0, 322.0, 3000.0, 36_000.0])
def test_ticks_are_few(duration: float) -> None:
    assert 1 <= len(list_ticks(duration)) <= 11


@pytest.mark.parametrize(
    ("titles", "lead"), [(["a"], "1 feature in 1 episode,"), (["a", "b"], "2 features in 1 episode,")]
)
def test_counts_have_singular_and_plural(titles: list[str], lead: str) -> None:
    assert lead in make_index(make_page(*titles))


@pytest.mark.parametrize(("count", "kind"), [(100, "timeline"), (101, "timeline dense")])
def test_many_bars_make_dense_timeline(count: int, kind: str) -> None:
    assert f'<svg class="{kind}"' in format_episode_page(make_page(*["a"] * count))


def test_search_page_names_the_product() -> None:
    assert "0 features of Kites &amp; Strings in 0 episodes" in format_search_page("Show", [], "Kites & Strings")
    assert "0 features in 0 episodes" in format_search_page("Show", [])
