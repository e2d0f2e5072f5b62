"""The search site's pages as text: the page with the search, one page an episode, and the data both read.

All are pure functions from the catalog's rows. Text from outside reaches a page through Jinja's escaping or as JSON,
and a content security policy forbids whatever might slip through.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.core.schema import Status
from pipeline.core.times import format_time
from pipeline.core.urls import is_http_url
from pipeline.publish.paragraphs import Paragraph
from pipeline.publish.players import YOUTUBE_FRAME, Player
from pipeline.publish.rows import CatalogRow

if TYPE_CHECKING:
    from jinja2 import Environment

WEB = Path(__file__).parent.parent / "web"
STATUS_WORDS = {
    Status.CONFIDENT: "Confident",
    Status.REVIEW: "To review",
    Status.NOT_FOUND: "Not found",
    Status.CORRECTED: "Corrected",
}

# The script of the catalog has a record a line, so that a change of one row is a change of one line.
_SCRIPT = 'window.catalogData = {\n"episodes": [\n'
_FEATURES = '\n],\n"features": [\n'
_SEPARATOR = ",\n"
_SCRIPT_END = "\n]\n};\n"

# So many marks of time stand under an episode's picture at most, at one of these distances in seconds.
MOST_TICKS = 8
TICK_STEPS = (30, 60, 120, 300, 600, 900, 1800, 3600)

# A bar narrower than this share of the picture could not be seen, or hit.
THINNEST_PERCENT = 0.4


@dataclass(frozen=True, slots=True)
class EpisodePage:
    """What an episode's page shows: its rows in list order, its transcript, what plays it, its length in seconds."""

    rows: tuple[CatalogRow, ...]
    player: Player
    paragraphs: tuple[Paragraph, ...] = ()
    duration: float = 0.0


@dataclass(frozen=True, slots=True)
class Listing:
    """An episode as the search knows it: `published` as in 2026-11-23 or empty, `features` the text of their cells."""

    episode_id: str
    title: str
    published: str
    player: Player
    features: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """A feature in the picture of an episode: left edge and width in percent of its length."""

    left: float
    width: float
    row: CatalogRow


def list_episode(rows: Sequence[CatalogRow], player: Player) -> Listing:
    """Return what the search knows of an episode, from its rows and what plays it."""
    first = rows[0]
    published = first.published_on.isoformat() if first.published_on else ""
    in_time = sorted(rows, key=lambda row: (row.start_s is None, row.start_s or 0.0, row.position))
    # Its number in the catalog, which other episodes may move, stands before the cells.
    features = tuple(_dump(_list_cells(row)).removeprefix("[") for row in in_time)
    return Listing(first.episode_id, first.episode_title, published, player, features)


def format_search_page(show: str, episodes: Sequence[Listing]) -> str:
    """Return `index.html`: the search, and a link to every episode for readers without scripts."""
    return _render(
        "index.html",
        show=show,
        episodes=episodes,
        total=sum(len(episode.features) for episode in episodes),
        statuses=STATUS_WORDS,
        policy=format_policy(episode.player for episode in episodes),
        root=".",
    )


def format_episode_page(episode: EpisodePage) -> str:
    """Return an episode's page: its player, its picture, its features and its transcript."""
    by_position = {row.position: row for row in episode.rows}
    return _render(
        "episode.html",
        episode=episode.rows[0],
        rows=episode.rows,
        bars=list_bars(episode),
        ticks=list_ticks(episode.duration),
        duration=episode.duration,
        player=episode.player,
        paragraphs=[
            (number, paragraph, [by_position[position] for position in paragraph.opens])
            for number, paragraph in enumerate(episode.paragraphs)
        ],
        statuses=STATUS_WORDS,
        policy=format_policy([episode.player]),
        root="..",
    )


def format_catalog_script(episodes: Sequence[Listing]) -> str:
    """Return `data/catalog.js`: every feature the search knows, newest episode first, then in order of time."""
    names = [_dump([one.episode_id, one.title, one.published, one.player.kind, one.player.address]) for one in episodes]
    features = [f"[{number},{cells}" for number, one in enumerate(episodes) for cells in one.features]
    return _SCRIPT + _SEPARATOR.join(names) + _FEATURES + _SEPARATOR.join(features) + _SCRIPT_END


def read_catalog_script(script: str) -> tuple[Listing, ...]:
    """Return the episodes of a script that `format_catalog_script` wrote."""
    names, _, features = script.removeprefix(_SCRIPT).removesuffix(_SCRIPT_END).partition(_FEATURES)
    cells: dict[str, list[str]] = {}
    # A line break in a text is written as \\n: here they stand between records alone.
    for line in features.split(_SEPARATOR) if features else ():
        number, _, rest = line.removeprefix("[").partition(",")
        cells.setdefault(number, []).append(rest)
    return tuple(
        Listing(name, title, published, Player(kind, address), tuple(cells.get(str(number), ())))
        for number, (name, title, published, kind, address) in enumerate(json.loads(f"[{names}]"))
    )


def _list_cells(row: CatalogRow) -> list[object]:
    """A feature as the search reads it, in the order of `NAMES` in search.js, but for the first of them."""
    url = row.url if is_http_url(row.url) else ""
    marks = [row.position, row.feature_id, row.version or "", row.title, row.description, int(row.highlight)]
    return [*marks, row.start_s, row.status, row.quote, url]


def format_words_script(episode: EpisodePage) -> str:
    """Return `data/episodes/<id>.js`: for each paragraph of the transcript the second at which each word is spoken."""
    starts = ",\n".join(_dump(paragraph.starts) for paragraph in episode.paragraphs)
    return f"window.catalogWords = [\n{starts}\n];\n"


def format_policy(players: Iterable[Player]) -> str:
    """Return the content security policy of a page with these players: nothing but its own files and their media."""
    frames = {player.origin for player in players if player.kind == "youtube"}
    media = {player.origin for player in players if player.kind in {"audio", "video"}} - {""}
    rules = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "media-src": " ".join(["'self'", *sorted(media)]),
        "frame-src": YOUTUBE_FRAME if frames else "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{rule} {sources}" for rule, sources in rules.items())


def list_bars(episode: EpisodePage) -> list[Bar]:
    """Return the features in the picture of the episode, in order of time; none where its length is unknown."""
    bars = []
    for row in episode.rows:
        if row.start_s is None or episode.duration <= 0:
            continue
        left = min(100.0, 100.0 * row.start_s / episode.duration)
        width = 100.0 * max(0.0, (row.end_s or row.start_s) - row.start_s) / episode.duration
        bars.append(Bar(round(left, 3), round(max(THINNEST_PERCENT, min(width, 100.0 - left)), 3), row))
    return sorted(bars, key=lambda bar: bar.left)


def list_ticks(duration: float) -> list[tuple[float, str]]:
    """Return marks (percent, time) to stand under an episode's picture."""
    if duration <= 0:
        return []
    step = next((step for step in TICK_STEPS if duration / step <= MOST_TICKS), TICK_STEPS[-1])
    # The last mark would run over the picture's right edge.
    return [(round(100.0 * at / duration, 3), format_time(at)) for at in range(0, int(duration * 0.96) + 1, step)]


def name_anchor(row: CatalogRow) -> str:
    """Return what names a feature in an address: its id, or its place in the list where it has none."""
    return str(row.feature_id) if row.feature_id is not None else f"p{row.position}"


def anchor_rows(rows: Sequence[CatalogRow]) -> dict[int, str]:
    """Return each position's anchor; where a page lists an id twice, the first has it."""
    anchors: dict[int, str] = {}
    for row in rows:
        anchor = name_anchor(row)
        anchors[row.position] = f"p{row.position}" if anchor in anchors.values() else anchor
    return anchors


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(WEB / "site"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["time"] = format_time
    environment.filters["date"] = _format_date
    environment.filters["anchors"] = anchor_rows
    environment.tests["web_address"] = is_http_url
    return environment


def _format_date(published: date | str) -> str:
    """A date for people, given as such or as 2026-11-23."""
    day = date.fromisoformat(published) if isinstance(published, str) else published
    return f"{day.day} {day:%B %Y}"


def _render(name: str, **values: object) -> str:
    return _environment().get_template(name).render(values)


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
