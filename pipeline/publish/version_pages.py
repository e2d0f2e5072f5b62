"""The text of the site's page for each version, and of `by-id.json`, the moments of each entry for other sites.

All functions are pure; see `pipeline.publish.site_pages` for how text from outside is escaped.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.core.text import normalize_key
from pipeline.core.urls import is_http_url
from pipeline.core.wording import wording_similarity
from pipeline.publish.ledger import LedgerRow, VersionCounts
from pipeline.publish.rows import CatalogRow
from pipeline.publish.site_pages import (
    STATUS_LABELS,
    EpisodePage,
    anchor_rows,
    dump,
    format_policy,
    render,
)

# The version of `by-id.json`. A new field leaves it; a field that is removed or means something else raises it.
BY_ID_SCHEMA = 1

# The fields of a moment in `by-id.json` that are those of its row; `page` and `kind` follow.
MOMENT_FIELDS = (
    *("version", "title", "episode_id", "episode_title", "published_on"),
    *("start_s", "start", "url", "status", "confidence"),
)

# The longest file name of a version's page, without its suffix.
LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a release list on its version's page; `moments` are pairs of a row and its place on the site."""

    row: LedgerRow
    moments: tuple[tuple[LedgerRow, str], ...]


@dataclass(frozen=True, slots=True)
class VersionPage:
    """What a version's page shows: its entries in the order of its release list."""

    version: str
    entries: tuple[Entry, ...]

    @property
    def counts(self) -> VersionCounts:
        """How many of the entries some episode speaks of."""
        return VersionCounts(self.version, sum(bool(entry.moments) for entry in self.entries), len(self.entries))

    @property
    def title(self) -> str:
        """What the page is called: `v2.204: 48 of 61 discussed, 13 to come`."""
        return self.counts.describe() if self.entries else f"{self.version}: its list is not in the ledger yet"


class PageIndex:
    """Where on the site's pages each moment stands."""

    def __init__(self, episodes: Iterable[EpisodePage]) -> None:
        self._names: set[str] = set()
        self._moments: dict[tuple[str, float], list[tuple[CatalogRow, str]]] = {}
        for episode in episodes:
            self._names.add(episode.episode_id)
            anchors = anchor_rows(episode.rows)
            for row in episode.rows:
                if row.start_s is not None:
                    place = (row, anchors[row.position])
                    self._moments.setdefault((row.episode_id, row.start_s), []).append(place)

    def locate(self, row: LedgerRow | CatalogRow) -> str:
        """Return a moment's place, such as `episodes/ep12.html#998146`; empty where the site has no such episode."""
        if row.episode_id not in self._names:
            return ""
        places = self._moments.get((row.episode_id, row.start_s or 0.0), [])
        # Two features can start at the same second.
        best = max(places, key=lambda place: _likeness(place[0], row), default=None)
        return f"episodes/{row.episode_id}.html" + (f"#{best[1]}" if best else "")


def _likeness(row: CatalogRow, moment: LedgerRow | CatalogRow) -> tuple[bool, float]:
    key = _key_of(moment)
    return key is not None and key == _key_of(row), wording_similarity(row.title, moment.title)


def _key_of(row: LedgerRow | CatalogRow) -> str | None:
    return normalize_key(row.feature_key, row.feature_id)


def name_pages(versions: Iterable[str]) -> dict[str, str]:
    """Return the file name of each version's page, without its suffix: safe in every file system and URL."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for version in versions:
        stem = re.sub(r"[^A-Za-z0-9._-]+", "-", version)[:LONGEST_NAME].strip(".-") or "version"
        # Windows has devices of these names.
        stem = f"version-{stem}" if re.match(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)", stem) else stem
        name, number = stem, 1
        # Some file systems do not distinguish upper and lower case.
        while name.casefold() in taken:
            number += 1
            name = f"{stem}-{number}"
        taken.add(name.casefold())
        names[version] = name
    return names


def build_version_pages(
    versions: Iterable[str], rows: Sequence[LedgerRow], index: PageIndex
) -> tuple[VersionPage, ...]:
    """Return the page of each version, in their order; without entries where the ledger does not have it yet."""
    grouped: dict[str, dict[int, list[LedgerRow]]] = {version: {} for version in versions}
    for row in rows:
        if row.version in grouped:
            grouped[row.version].setdefault(row.position, []).append(row)
    return tuple(
        VersionPage(version, tuple(_build_entry(found, index) for found in entries.values()))
        for version, entries in grouped.items()
    )


def _build_entry(rows: Sequence[LedgerRow], index: PageIndex) -> Entry:
    return Entry(rows[0], tuple((row, index.locate(row)) for row in rows if row.moment is not None))


def format_version_page(show: str, page: VersionPage) -> str:
    """Return a version's page: each entry with its moments, or `not yet`."""
    return render(
        "version.html",
        show=show,
        page=page,
        counts=page.counts,
        statuses=STATUS_LABELS,
        policy=format_policy([]),
        root="..",
    )


def format_by_id(episodes: Iterable[EpisodePage], ledger: Sequence[LedgerRow], index: PageIndex) -> str:
    """Return `data/by-id.json`: the moments of each id, by publication, one id a line.

    The ledger comes first: it has the ids of entries that an episode's own list names by title alone. Moments of
    features that no release list has follow from the catalog. An entry that no episode speaks of has no moments.
    """
    moments: dict[str, dict[tuple[str, float], dict[str, object]]] = {}
    names: dict[str, str] = {}
    rows: list[LedgerRow | CatalogRow] = [*ledger]
    rows += [row for episode in episodes for row in episode.rows]
    for row in rows:
        if (key := _key_of(row)) is None:
            continue
        names.setdefault(key, (row.feature_key or str(row.feature_id)).strip().lstrip("#"))
        known = moments.setdefault(key, {})
        if row.episode_id is not None and row.start_s is not None:
            known.setdefault((row.episode_id, row.start_s), _describe_moment(row, index))
    # Numbers by their size: 99 before 100.
    ids = sorted(moments, key=lambda key: (not key.isdecimal(), len(key) if key.isdecimal() else 0, key))
    lines = (f"{dump(names[key])}:{dump(sorted(moments[key].values(), key=_date_moment))}" for key in ids)
    return f'{{\n"schema": {BY_ID_SCHEMA},\n"moments": {{\n' + ",\n".join(lines) + "\n}\n}\n"


def _describe_moment(row: LedgerRow | CatalogRow, index: PageIndex) -> dict[str, object]:
    moment = {name: getattr(row, name) for name in MOMENT_FIELDS}
    return moment | {
        "start": row.shown_start or None,
        "published_on": row.published_on.isoformat() if row.published_on else None,
        "url": row.url if is_http_url(row.url) else None,
        "page": index.locate(row) or None,
        "kind": row.kind if isinstance(row, LedgerRow) else None,
    }


def _date_moment(moment: Mapping[str, object]) -> tuple[str, str, float]:
    # Episodes without a date come last, as in the ledger.
    return str(moment["published_on"] or "~"), str(moment["episode_id"]), float(str(moment["start_s"]))
