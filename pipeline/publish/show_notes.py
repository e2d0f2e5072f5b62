"""Show notes of an episode in the page's own format: highlights first, then the full review, with times and links."""

import html
import json
import re
from collections.abc import Sequence
from typing import Any

from pipeline.core.schema import Feature
from pipeline.feature_lists.writer import format_page
from pipeline.publish.chapters import Chapter
from pipeline.publish.rows import CatalogRow

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#+|!~&])")


def format_text(rows: Sequence[CatalogRow], chapters: Sequence[Chapter]) -> str:
    """Return notes as the text of a page; a feature whose start is not among `chapters` stands without a time."""
    published = _name_published(chapters)
    features = [
        Feature(
            row.position,
            row.title,
            row.description,
            row.feature_id,
            row.version,
            row.highlight,
            float(int(row.start_s)) if row.start_s is not None and (row.start_s, row.title) in published else None,
        )
        for row in rows
    ]
    return f"{' '.join(rows[0].episode_title.split())}\n\n{format_page(features)}"


def format_markdown(rows: Sequence[CatalogRow], chapters: Sequence[Chapter]) -> str:
    """Return notes as Markdown; the text of titles and descriptions can never become markup."""
    published = _name_published(chapters)
    lines = [f"# {_plain(rows[0].episode_title)}", ""]
    highlights = [row for row in rows if row.highlight]
    if highlights:
        lines += ["## Highlights", "", *(f"- {_plain(row.title)}" for row in highlights), ""]
    lines += ["## Full feature review", ""]
    for row in rows:
        time = _time(row, published)
        link = f"[{time}](<{row.url}>)" if time and row.url else time
        marks = _plain(_marks(row))
        lines.append("- " + " | ".join(part for part in (f"**{_plain(row.title)}**", marks, link) if part))
        if row.description:
            lines.append(f"  {_plain(row.description)}")
    return "\n".join(lines) + "\n"


def format_html(rows: Sequence[CatalogRow], chapters: Sequence[Chapter], video: dict[str, Any]) -> str:
    """Return notes as an article for a web page, with `video` as its JSON-LD; text from outside is escaped."""
    published = _name_published(chapters)
    parts = ["<article>", f"<h1>{html.escape(rows[0].episode_title)}</h1>"]
    highlights = [row for row in rows if row.highlight]
    if highlights:
        parts += ["<h2>Highlights</h2>", "<ul>", *(f"<li>{html.escape(row.title)}</li>" for row in highlights), "</ul>"]
    parts += ["<h2>Full feature review</h2>", "<ul>"]
    for row in rows:
        time = _time(row, published)
        if time and row.url:
            time = f'<a href="{html.escape(row.url)}">{time}</a>'
        marks = html.escape(_marks(row))
        line = " | ".join(part for part in (f"<strong>{html.escape(row.title)}</strong>", marks, time) if part)
        parts.append(f"<li>{line}" + (f"<br>{html.escape(row.description)}" if row.description else "") + "</li>")
    # "</script>" inside a title would end the element; JSON may write the sign otherwise.
    data = json.dumps(video, ensure_ascii=False).replace("<", "\\u003c")
    parts += ["</ul>", f'<script type="application/ld+json">{data}</script>', "</article>"]
    return "\n".join(parts) + "\n"


def _name_published(chapters: Sequence[Chapter]) -> set[tuple[float, str]]:
    """What tells the rows whose starts are published from the others."""
    return {(chapter.start, chapter.title) for chapter in chapters}


def _marks(row: CatalogRow) -> str:
    """A row's version and id, as a page has them."""
    return " ".join(
        part for part in (row.version, f"#{row.feature_id}" if row.feature_id is not None else None) if part
    )


def _time(row: CatalogRow, published: set[tuple[float, str]]) -> str:
    return row.start or "" if row.start_s is not None and (row.start_s, row.title) in published else ""


def _plain(text: str) -> str:
    """Text that Markdown shows as it is."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))
