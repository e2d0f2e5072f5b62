"""Read the true starts of an episode from a file, and pair them with the entries of its list."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.core.errors import InputError
from pipeline.core.storage import read_limited
from pipeline.core.text import normalize_key
from pipeline.core.wording import normalize_wording, wording_similarity
from pipeline.feature_lists.load import load_features
from pipeline.publish.rows import CatalogRow

# The largest file of true starts, in bytes.
MAX_GOLD_BYTES = 16 << 20

# The least similarity (0 to 100) of two titles at the same position that are taken for one entry.
SIMILAR = 60.0

# The most entries that a warning names; it counts the others.
MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class GoldEntry:
    """One entry of a gold file: what names it, and its start in seconds, None where it is not discussed."""

    key: str | None
    title: str
    position: int
    start: float | None

    @property
    def name(self) -> str:
        """How a warning names the entry."""
        return f"{self.key or ''} {self.title}".strip() or f"number {self.position}"


def load_gold(
    path: Path, rows: Sequence[CatalogRow], warn: Callable[[str], None] = lambda _: None
) -> dict[int, float | None]:
    """Return the true starts in a gold file, by position in the list of `rows`.

    A gold file is JSON: `features`, each with an `id` or a `title` or an `index` (from 0), and a `start_s`, null where
    the feature is not discussed. Any feature list is a gold file too; its entries without a time are not discussed.
    Entries are paired by id, else by title, else by position where the titles are alike or the entry has none. `warn`
    receives a line where entries fit none of `rows`. InputError where the file is neither, or no entry fits.
    """
    entries = _read_json(path) if path.suffix.lower() == ".json" else _read_list(path)
    starts: dict[int, float | None] = {}
    strange = []
    for entry, position in zip(entries, _pair(entries, rows), strict=True):
        if position is None:
            strange.append(entry.name)
        else:
            starts[position] = entry.start
    if entries and rows and not starts:
        raise InputError(f"no entry of {path} is in the episode's list", "name the true starts of this episode")
    if strange:
        named = "; ".join(strange[:MOST_NAMED])
        more = f" and {len(strange) - MOST_NAMED} more" if len(strange) > MOST_NAMED else ""
        warn(f"{path}: {len(strange)} of {len(entries)} entries are not in the episode's list: {named}{more}")
    return starts


def _pair(entries: Sequence[GoldEntry], rows: Sequence[CatalogRow]) -> list[int | None]:
    """Return the position of each entry in the list of `rows`; None where it fits none, or one that is paired."""
    by_key = {normalize_key(row.feature_key, row.feature_id): row.position for row in rows}
    by_title = {normalize_wording(row.title): row.position for row in rows}
    by_position = {row.position: row for row in rows}
    by_key.pop(None, None)
    found = [by_key.get(entry.key) or by_title.get(normalize_wording(entry.title)) for entry in entries]
    taken = {position for position in found if position is not None}
    paired: list[int | None] = []
    used: set[int] = set()
    for entry, position in zip(entries, found, strict=True):
        row = by_position.get(entry.position)
        if position is None and row is not None and row.position not in taken and _fits(entry, row):
            position = row.position
        if position in used:
            position = None
        if position is not None:
            used.add(position)
        paired.append(position)
    return paired


def _fits(entry: GoldEntry, row: CatalogRow) -> bool:
    """Return whether an entry at the position of a row may be that row."""
    key = normalize_key(row.feature_key, row.feature_id)
    if entry.key is not None and key is not None:
        return False
    return not entry.title or wording_similarity(entry.title, row.title) >= SIMILAR


def _read_list(path: Path) -> list[GoldEntry]:
    return [
        GoldEntry(normalize_key(f.feature_key, f.feature_id), f.title, f.position, f.published_s)
        for f in load_features(path).features
    ]


def _read_json(path: Path) -> list[GoldEntry]:
    try:
        records = json.loads(read_limited(path, MAX_GOLD_BYTES, "the file of true starts"))["features"]
        entries = []
        for number, record in enumerate(records):
            key = record.get("feature_key") or record.get("id", record.get("feature_id"))
            start = record.get("start_s", record.get("published_s"))
            # The key `#714862` and the number 714862 name the same entry.
            known = normalize_key(None, key) if isinstance(key, int) else normalize_key(key, None)
            position = int(record.get("position", record.get("index", number) + 1))
            seconds = None if start is None else float(start)
            entries.append(GoldEntry(known, str(record.get("title") or ""), position, seconds))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f'the gold file {path} cannot be read ({error}): expected {{"features": [{{"id", "start_s"}}, …]}}'
        ) from error
    return entries
