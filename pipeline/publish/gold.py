"""Read the true starts of an episode from a file, and pair them with the entries of its list."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

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

# What a gold file in JSON looks like.
_EXPECTED = 'expected {"features": [{"id", "start_s"}, …]}, with "start_s": null for what is not discussed'

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
        return f"{self.key or ''} {self.title}".strip() or f"position {self.position}"


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
        warn(f"{path}: {len(strange)} of {len(entries)} entries fit no entry of the list, or one twice: {named}{more}")
    return starts


def _pair(entries: Sequence[GoldEntry], rows: Sequence[CatalogRow]) -> list[int | None]:
    """Return the position of each entry in the list of `rows`; None where it fits none, or one that is paired."""
    free = {row.position: row for row in rows}
    paired: list[int | None] = [None] * len(entries)
    for find in (_index_keys(rows), _index_titles(rows), lambda entry: [entry.position]):
        for number, entry in enumerate(entries):
            if paired[number] is not None:
                continue
            places = [place for place in find(entry) if place in free and _fits(entry, free[place])]
            if places:
                # Entries with the same title are told apart by their position.
                paired[number] = entry.position if entry.position in places else places[0]
                del free[paired[number] or 0]
    return paired


def _index_keys(rows: Sequence[CatalogRow]) -> Callable[[GoldEntry], Sequence[int]]:
    """Return a function from an entry to the positions of the rows with its key."""
    positions: dict[str, list[int]] = {}
    for row in rows:
        if (key := normalize_key(row.feature_key, row.feature_id)) is not None:
            positions.setdefault(key, []).append(row.position)
    return lambda entry: [] if entry.key is None else positions.get(entry.key, [])


def _index_titles(rows: Sequence[CatalogRow]) -> Callable[[GoldEntry], Sequence[int]]:
    """Return a function from an entry to the positions of the rows with its title."""
    positions: dict[str, list[int]] = {}
    for row in rows:
        positions.setdefault(normalize_wording(row.title), []).append(row.position)
    return lambda entry: positions.get(wording, []) if (wording := normalize_wording(entry.title)) else []


def _fits(entry: GoldEntry, row: CatalogRow) -> bool:
    """Return whether an entry may be that row: with the same key, or without one and with a similar title or none."""
    key = normalize_key(row.feature_key, row.feature_id)
    if entry.key is not None and key is not None:
        return entry.key == key or (
            bool(entry.title) and normalize_wording(entry.title) == normalize_wording(row.title)
        )
    return not entry.title or wording_similarity(entry.title, row.title) >= SIMILAR


def _read_list(path: Path) -> list[GoldEntry]:
    return [
        GoldEntry(normalize_key(f.feature_key, f.feature_id), f.title, f.position, f.published_s)
        for f in load_features(path).features
    ]


class _Record(BaseModel):
    """An entry of a gold file in JSON."""

    model_config = ConfigDict(strict=True)

    feature_key: str | None = None
    id: int | str | None = Field(None, validation_alias=AliasChoices("id", "feature_id"))
    title: str | None = None
    position: int | None = Field(None, ge=1)
    index: int | None = Field(None, ge=0)
    # It has no default: an entry without it would count as not discussed.
    start_s: float | None = Field(ge=0, allow_inf_nan=False, validation_alias=AliasChoices("start_s", "published_s"))


def _read_json(path: Path) -> list[GoldEntry]:
    content = read_limited(path, MAX_GOLD_BYTES, "the file of true starts")
    try:
        records = TypeAdapter(dict[Literal["features"], list[_Record]]).validate_python(
            {"features": json.loads(content)["features"]}
        )["features"]
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = " ".join(f"entry {part + 1}" if isinstance(part, int) else f"`{part}`" for part in first["loc"][1:])
        raise InputError(f"the gold file {path} cannot be read ({place}: {first['msg']})", _EXPECTED) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"the gold file {path} cannot be read ({' '.join(str(error).split())})", _EXPECTED) from error
    entries = []
    for number, record in enumerate(records, start=1):
        key = record.feature_key or (str(record.id) if record.id is not None else None)
        position = record.position or (number if record.index is None else record.index + 1)
        # The key `#714862` and the number 714862 name the same entry.
        entries.append(GoldEntry(normalize_key(key, None), record.title or "", position, record.start_s))
    return entries
