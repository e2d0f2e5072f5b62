"""Show notes: text that reads back as the list, and Markdown and HTML that escape every title."""

import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html
from markdown_it import MarkdownIt

from pipeline.core.schema import Status
from pipeline.feature_lists.load import parse_episodes
from pipeline.publish.chapters import describe_video, format_podlove, list_chapters
from pipeline.publish.show_notes import format_html, format_markdown, format_text
from tests.support.rows import EPISODE, make_row, titled_rows
from tests.support.rows import HOSTILE as TITLES

HOSTILE = '</script><script>alert(1)</script> <img src=x onerror=alert(1)> [x](javascript:alert(1)) **bold** & "q"'


def test_text_has_the_format_of_the_page() -> None:
    rows = titled_rows("Sort by date", "Dark theme")
    assert format_text(rows, list_chapters(rows)) == (
        "One\n\nHighlights:\n· Dark theme (500002)\nFull feature review:\n"
        "Sort by date | v4.10 #500001 | 1:00\nText\nDark theme | v4.10 #500002 | 2:00\nText\n"
    )


def test_doubtful_start_is_left_out_but_feature_stays() -> None:
    rows = titled_rows("Sort by date", "Dark theme")
    rows = (replace(rows[0], status=Status.REVIEW.value), rows[1])
    assert "Sort by date | v4.10 #500001\n" in format_text(rows, list_chapters(rows))
    assert "Sort by date | v4.10 #500001 | 1:00\n" in format_text(rows, list_chapters(rows, include_review=True))


words = st.lists(st.from_regex(r"[A-Z]?[a-z]{2,9}|\(beta\)|“x”|<b>|&amp;|\*", fullmatch=True), min_size=2, max_size=8)


@given(st.lists(words.map(lambda parts: "Adds " + " ".join(parts)), min_size=1, max_size=8))
def test_text_reads_back_as_the_same_list(titles: list[str]) -> None:
    rows = titled_rows(*(f"{title} {n * 7919}" for n, title in enumerate(titles)))
    (listed,) = parse_episodes(format_text(rows, list_chapters(rows)).encode())
    assert [(f.title, f.description, f.feature_id, f.version, f.published_s, f.highlight) for f in listed.features] == [
        (row.title, row.description, row.feature_id, row.version, float(60 * row.position), row.highlight)
        for row in rows
    ]


def test_markdown_escapes_hostile_text() -> None:
    rows = titled_rows(HOSTILE, "Dark theme")
    shown = MarkdownIt("commonmark", {"html": True}).render(format_markdown(rows, list_chapters(rows)))
    tree = lxml_html.fromstring(f"<div>{shown}</div>")
    assert not tree.xpath("//script | //img | //a[starts-with(@href, 'javascript')]")
    assert " ".join(HOSTILE.split()) in tree.text_content()
    assert tree.xpath("//a/@href") == ["https://example.org/?t=60&x=1", "https://example.org/?t=120&x=1"]


def test_html_escapes_hostile_text() -> None:
    rows = titled_rows(HOSTILE, "Dark theme")
    chapters = list_chapters(rows)
    page = format_html(rows, chapters, describe_video(rows, chapters, 300.0))
    tree = lxml_html.fromstring(page)
    (script,) = tree.xpath("//script")
    assert script.get("type") == "application/ld+json"
    assert json.loads(script.text)["hasPart"][0]["name"] == HOSTILE
    assert not tree.xpath("//img")
    assert HOSTILE in tree.xpath("//strong")[0].text_content()


def test_html_links_each_time() -> None:
    rows = titled_rows("Sort by date")
    page = format_html(rows, list_chapters(rows), {})
    assert re.search(r'<a href="https://example.org/\?t=60&amp;x=1">1:00</a>', page)


HOSTILE_LINK = "https://a.example/>)![x](https://evil.example/t.png)<script>alert(1)</script>\"'#t={seconds}"


@pytest.mark.parametrize("title", [*TITLES, "]](x)", "a | b ![c](https://evil.example/d)"])
def test_hostile_link_and_title_make_no_markup(title: str) -> None:
    row = replace(make_row(episode=replace(EPISODE, link=HOSTILE_LINK)), title=title, episode_title=title)
    # A catalog of an earlier version has the link as it was.
    for url in (row.url, HOSTILE_LINK):
        rows = [replace(row, url=url)]
        rendered = MarkdownIt("commonmark").render(format_markdown(rows, list_chapters(rows)))
        for page in (rendered, format_html(rows, list_chapters(rows), {})):
            tags = [(tag.tag, tag.attrib) for tag in lxml_html.fromstring(page).iter() if isinstance(tag.tag, str)]
            assert not {"img", "svg", "base"} & {name for name, _ in tags}
            assert [name for name, attributes in tags if name == "script"] in ([], ["script"])
            assert "alert(1)</script>" not in page
            (link,) = [attributes["href"] for name, attributes in tags if name == "a"]
            assert link.startswith("https://a.example/%3E%29")
        podlove = format_podlove(list_chapters(rows))
        assert len(list(ElementTree.fromstring(podlove.encode()).iter())) == 2
