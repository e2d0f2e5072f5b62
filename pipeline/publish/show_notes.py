"""Show notes of an episode, with times and links: highlights first, then the full review, as on the show's own page."""

import html
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pipeline.core.urls import escape_url
from pipeline.feature_lists.writer import format_page
from pipeline.publish.chapters import Chapter
from pipeline.publish.rows import CatalogRow, extract_feature, title_of

# The start and the title of each feature whose start is published.
PublishedStarts = set[tuple[float, str]]

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#+|!~&])")


def format_text(rows: Sequence[CatalogRow], chapters: Sequence[Chapter]) -> str:
    """Return notes as the text of a page; a feature that has no chapter stands without a time."""
    published = _list_published(chapters)
    features = [
        replace(
            extract_feature(row),
            # In whole seconds, as a page has them.
            published_s=float(int(row.start_s)) if row.start_s is not None and _is_published(row, published) else None,
        )
        for row in rows
    ]
    return f"{' '.join(title_of(rows).split())}\n\n{format_page(features)}"


def format_markdown(rows: Sequence[CatalogRow], chapters: Sequence[Chapter]) -> str:
    """Return notes as Markdown; titles and descriptions are escaped."""
    published = _list_published(chapters)
    lines = [f"# {_escape_markdown(title_of(rows))}", ""]
    highlights = [row for row in rows if row.highlight]
    if highlights:
        lines += ["## Highlights", "", *(f"- {_escape_markdown(row.title)}" for row in highlights), ""]
    lines += ["## Full feature review", ""]
    for row in rows:
        time = _format_start(row, published)
        link = format_markdown_link(time, row.url)
        number = _escape_markdown(_format_number(row))
        lines.append("- " + " | ".join(part for part in (f"**{_escape_markdown(row.title)}**", number, link) if part))
        if row.description:
            lines.append(f"  {_escape_markdown(row.description)}")
    return "\n".join(lines) + "\n"


def format_html(rows: Sequence[CatalogRow], chapters: Sequence[Chapter], video: dict[str, Any]) -> str:
    """Return notes as an <article> for a web page, with `video` as its JSON-LD; text from outside is escaped."""
    published = _list_published(chapters)
    parts = ["<article>", f"<h1>{html.escape(title_of(rows))}</h1>"]
    highlights = [row for row in rows if row.highlight]
    if highlights:
        parts += ["<h2>Highlights</h2>", "<ul>", *(f"<li>{html.escape(row.title)}</li>" for row in highlights), "</ul>"]
    parts += ["<h2>Full feature review</h2>", "<ul>"]
    for row in rows:
        time = _format_start(row, published)
        time = format_html_link(time, row.url)
        number = html.escape(_format_number(row))
        line = " | ".join(part for part in (f"<strong>{html.escape(row.title)}</strong>", number, time) if part)
        parts.append(f"<li>{line}" + (f"<br>{html.escape(row.description)}" if row.description else "") + "</li>")
    parts += ["</ul>", f'<script type="application/ld+json">{dump_json_ld(video)}</script>', "</article>"]
    return "\n".join(parts) + "\n"


def dump_json_ld(video: dict[str, Any], indent: int | None = None) -> str:
    """Return JSON for a script element, where a title with `</script>` would end the element."""
    # JSON has another way to write "<".
    return json.dumps(video, ensure_ascii=False, indent=indent).replace("<", "\\u003c")


def format_markdown_link(text: str, url: str | None) -> str:
    """Return a plain text as a Markdown link; the text alone where there is no URL, or one that is not of the web."""
    safe = escape_url(url)
    return f"[{text}](<{safe}>)" if text and safe else text


def format_html_link(text: str, url: str | None) -> str:
    """Return a plain text as an HTML link; the text alone where there is no URL, or one that is not of the web."""
    safe = escape_url(url)
    return f'<a href="{html.escape(safe)}">{text}</a>' if text and safe else text


def _list_published(chapters: Sequence[Chapter]) -> PublishedStarts:
    # A chapter has no position in the list: its start and title identify the row.
    return {(chapter.start, chapter.title) for chapter in chapters}


def _is_published(row: CatalogRow, published: PublishedStarts) -> bool:
    return row.start_s is not None and (row.start_s, row.title) in published


def _format_start(row: CatalogRow, published: PublishedStarts) -> str:
    return row.shown_start if _is_published(row, published) else ""


def _format_number(row: CatalogRow) -> str:
    """Return a row's version and id, as a page has them: `v2.204 #979667`."""
    feature_id = f"#{row.feature_id}" if row.feature_id is not None else None
    return " ".join(part for part in (row.version, feature_id) if part)


def _escape_markdown(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))
