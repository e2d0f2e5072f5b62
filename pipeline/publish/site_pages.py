"""The text of the site's files: the search page, a page for each episode, and the data scripts that both load.

All functions are pure. Text from outside reaches a page through Jinja's escaping or as JSON, and a content security
policy blocks scripts and media of other origins.
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
from pipeline.publish.players import YOUTUBE_FRAME, Player, PlayerKind
from pipeline.publish.rows import CatalogRow, title_of

if TYPE_CHECKING:
    from jinja2 import Environment

# The folder of the templates, scripts and styles.
WEB = Path(__file__).parent.parent / "web"

# The columns of an episode in the catalog script.
EPISODE_COLUMNS = ("episode_id", "episode_title", "player_kind", "player_source")

# The columns of a feature in the catalog script, before them the number of its episode there. Except for that number
# they are columns of the catalog.
FEATURE_COLUMNS = (
    "position",
    "feature_id",
    "version",
    "title",
    "description",
    "highlight",
    "start_s",
    "start",
    "status",
    "quote",
    "url",
)
EPISODE_NUMBER = "episode"

# The wording of each status, by its value.
STATUS_LABELS = {status.value: status.label for status in Status}

# Most times that stand under an episode's timeline.
MOST_TICKS = 8

# Distances between the times under a timeline, in seconds; the first that keeps to MOST_TICKS is taken.
TICK_STEPS_S = (30, 60, 120, 300, 600, 900, 1800, 3600)

# The share of a timeline that has times under it: a later one would run over the right edge.
LABELED_SHARE = 0.96

# The least width of a bar in a timeline, in percent of its length: a narrower one is hard to see and to click.
THINNEST_PERCENT = 0.4


@dataclass(frozen=True, slots=True)
class EpisodePage:
    """What an episode's page shows: its rows in list order, its player, its transcript, its duration in seconds.

    `name` is the id of an episode without rows, in which no entry of its list is found.
    """

    rows: tuple[CatalogRow, ...]
    player: Player
    paragraphs: tuple[Paragraph, ...] = ()
    duration: float = 0.0
    name: str = ""

    @property
    def episode_id(self) -> str:
        """The episode's id."""
        return self.rows[0].episode_id if self.rows else self.name

    @property
    def title(self) -> str:
        """The episode's title."""
        return title_of(self.rows) or self.name

    @property
    def published_on(self) -> date | None:
        """The day on which the episode was published; None where it is unknown."""
        return self.rows[0].published_on if self.rows else None


@dataclass(frozen=True, slots=True)
class Bar:
    """A feature in an episode's timeline: left edge and width in percent of its length."""

    left: float
    width: float
    row: CatalogRow


def format_search_page(
    show: str, episodes: Sequence[EpisodePage], product: str = "", versions: Sequence[tuple[str, str]] = ()
) -> str:
    """Return `index.html`: the search, and a link to every episode for readers without scripts.

    `product` is the product whose features the show discusses; it may be empty. `versions` holds the file name of each
    version's page, without its suffix, and what the page is called.
    """
    return render(
        "index.html",
        show=show,
        product=product,
        episodes=episodes,
        versions=versions,
        total=sum(len(episode.rows) for episode in episodes),
        statuses=STATUS_LABELS,
        policy=format_policy(episode.player for episode in episodes),
        root=".",
    )


def format_episode_page(episode: EpisodePage) -> str:
    """Return an episode's page: its player, its timeline, its features and its transcript."""
    by_position = {row.position: row for row in episode.rows}
    return render(
        "episode.html",
        episode=episode,
        show=episode.rows[0].show if episode.rows else "",
        rows=episode.rows,
        anchors=anchor_rows(episode.rows),
        bars=list_bars(episode),
        ticks=list_ticks(episode.duration),
        duration=episode.duration,
        player=episode.player,
        paragraphs=[
            (number, paragraph, [by_position[position] for position in paragraph.opens])
            for number, paragraph in enumerate(episode.paragraphs)
        ],
        statuses=STATUS_LABELS,
        policy=format_policy([episode.player]),
        root="..",
    )


def format_catalog_script(episodes: Sequence[EpisodePage]) -> str:
    """Return `data/catalog.js`: the episodes in the order given, their features in order of time.

    A record is a list of cells, named by the script's `columns`, and stands on a line of its own, so that a change of
    one row is a change of one line.
    """
    features = (
        [number, *_list_cells(row)] for number, episode in enumerate(episodes) for row in _sort_by_time(episode.rows)
    )
    parts = {
        "columns": dump({"episodes": EPISODE_COLUMNS, "features": [EPISODE_NUMBER, *FEATURE_COLUMNS]}),
        "statuses": dump(STATUS_LABELS),
        "episodes": _dump_lines(
            [episode.episode_id, episode.title, episode.player.kind, episode.player.source] for episode in episodes
        ),
        "features": _dump_lines(features),
    }
    return "window.catalogData = {\n" + ",\n".join(f'"{name}": {text}' for name, text in parts.items()) + "\n};\n"


def _list_cells(row: CatalogRow) -> list[object]:
    """Return a feature's cells in the order of FEATURE_COLUMNS; a URL that is not of the web is left out."""
    cells = {name: getattr(row, name) for name in FEATURE_COLUMNS}
    # The script sorts versions as texts, and makes a link of a URL that is not empty.
    url = row.url if is_http_url(row.url) else ""
    return list((cells | {"version": row.version or "", "start": row.shown_start or None, "url": url}).values())


def _sort_by_time(rows: Sequence[CatalogRow]) -> list[CatalogRow]:
    """Return rows in order of their starts, those without one last."""
    return sorted(rows, key=lambda row: (row.start_s is None, row.start_s or 0.0, row.position))


def format_words_script(episode: EpisodePage) -> str:
    """Return `data/episodes/<id>.js`: for each paragraph of the transcript the second at which each word starts."""
    return f"window.catalogWords = {_dump_lines(paragraph.starts for paragraph in episode.paragraphs)};\n"


def format_policy(players: Iterable[Player]) -> str:
    """Return the content security policy of a page with these players: its own files and their media, nothing else."""
    players = tuple(players)
    has_video = any(player.kind is PlayerKind.YOUTUBE for player in players)
    media = {player.origin for player in players if player.kind in {PlayerKind.AUDIO, PlayerKind.VIDEO}} - {""}
    rules = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "media-src": " ".join(["'self'", *sorted(media)]),
        "frame-src": YOUTUBE_FRAME if has_video else "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{rule} {sources}" for rule, sources in rules.items())


def list_bars(episode: EpisodePage) -> list[Bar]:
    """Return the bars of an episode's timeline, in order of time; none where its duration is unknown."""
    bars = []
    for row in episode.rows:
        if row.start_s is None or episode.duration <= 0:
            continue
        left = min(100.0, 100.0 * row.start_s / episode.duration)
        width = 100.0 * max(0.0, (row.end_s or row.start_s) - row.start_s) / episode.duration
        bars.append(Bar(round(left, 3), round(max(THINNEST_PERCENT, min(width, 100.0 - left)), 3), row))
    return sorted(bars, key=lambda bar: bar.left)


def list_ticks(duration: float) -> list[tuple[float, str]]:
    """Return the times (percent, text) to write under a timeline of `duration` seconds."""
    if duration <= 0:
        return []
    step = next((step for step in TICK_STEPS_S if duration / step <= MOST_TICKS), TICK_STEPS_S[-1])
    times = range(0, int(duration * LABELED_SHARE) + 1, step)
    return [(round(100.0 * time / duration, 3), format_time(time)) for time in times]


def name_anchor(row: CatalogRow) -> str:
    """Return a feature's name in a URL: its id, or its place in the list where it has none."""
    return str(row.feature_id) if row.feature_id is not None else f"p{row.position}"


def anchor_rows(rows: Sequence[CatalogRow]) -> dict[int, str]:
    """Return each position's anchor; where a page lists an id twice, the first entry has it."""
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
    environment.filters["date"] = lambda day: f"{day.day} {day:%B %Y}"
    environment.tests["http_url"] = is_http_url
    return environment


def render(name: str, **values: object) -> str:
    """Return a template of the site with these values."""
    return _environment().get_template(name).render(values)


def dump(value: object) -> str:
    """Return a value as JSON on one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _dump_lines(records: Iterable[object]) -> str:
    return "[\n" + ",\n".join(map(dump, records)) + "\n]"
