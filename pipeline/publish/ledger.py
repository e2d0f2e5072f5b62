"""The ledger: every entry of the show's release lists, with each moment at which an episode speaks of it.

An entry that no episode speaks of yet has one row without a moment. The rows come from the release lists and from the
catalog alone, so that an episode with a list of its own counts as well.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated

from pipeline.core.errors import InputError
from pipeline.core.schema import Feature, Status
from pipeline.core.text import normalize_key, normalize_version
from pipeline.core.times import format_time
from pipeline.core.wording import normalize_wording, wording_similarity
from pipeline.publish.rows import CatalogRow

# The version of the columns; see `SCHEMA_VERSION` in `pipeline.publish.rows`.
LEDGER_SCHEMA_VERSION = "1"

# The status of an entry that no episode speaks of yet; the others are those of the catalog.
NOT_YET = "not_yet"

# Confidence below which a start in review is a mention where another episode has a certain one.
MENTION_CONFIDENCE = 0.5

# The columns that a moment takes from its catalog row.
MOMENT_COLUMNS = (
    *("episode_id", "episode_title", "published_on", "start_s", "end_s", "start", "url"),
    *("confidence", "method", "reason", "quote"),
)

# Statuses of a start that is certain.
_CERTAIN = frozenset({Status.CONFIDENT.value, Status.CORRECTED.value})


class MomentKind(StrEnum):
    """Whether an episode discusses an entry, or only mentions it."""

    DISCUSSION = "discussion"
    MENTION = "mention"


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One entry of a release list and one moment; the fields, in this order, are the columns of the ledger.

    Names and meanings are those of `CatalogRow` where both have a column.
    """

    show: Annotated[str, "the show's name"]
    version: Annotated[str, "the release whose list has the entry, as configs/show.yaml names it"]
    position: Annotated[int, "place in the release list, from 1"]
    feature_id: Annotated[int | None, "the vendor's number of the feature"]
    title: Annotated[str, "the feature's title, as the release list has it"]
    description: Annotated[str, "the feature's description; empty where the release list has none"]
    status: Annotated[str, "confident, review or corrected, as in the catalog; not_yet where no episode speaks of it"]
    moment: Annotated[int | None, "which moment of the entry, from 1, by publication date; null for not_yet"]
    kind: Annotated[str | None, "discussion, or mention where the entry is only called back to; null for not_yet"]
    episode_id: Annotated[str | None, "the episode's id"]
    episode_title: Annotated[str | None, "the episode's title"]
    published_on: Annotated[date | None, "when the episode was published"]
    start_s: Annotated[float | None, "where the moment starts, in seconds"]
    end_s: Annotated[float | None, "where the moment ends, in seconds"]
    start: Annotated[str | None, "start_s for people and spreadsheets: 0:16:36, 1:02:07"]
    url: Annotated[str | None, "deep link at the start"]
    confidence: Annotated[float | None, "probability that start_s is within 30 s of what a person would write"]
    method: Annotated[str | None, "what decided: spoken_id, phrase, semantic, order, correction"]
    reason: Annotated[str | None, "why, in one short sentence"]
    quote: Annotated[str | None, "the words spoken from the start, at most 200 characters"]
    feature_key: Annotated[
        str | None, "the id as published, such as #998146, PROJ-1234 or KB5034441; feature_id is its number"
    ]

    @property
    def shown_start(self) -> str:
        """The start as players show it, such as 16:36; empty without a start."""
        return "" if self.start_s is None else format_time(self.start_s)


def build_ledger(
    show: str,
    releases: Mapping[str, Sequence[Feature]],
    catalog: Mapping[str, Sequence[CatalogRow]],
    *,
    is_callback: Callable[[str], bool] = lambda _: False,
) -> tuple[LedgerRow, ...]:
    """Return the rows of every release list: in the order of `releases`, then of the list, then of publication.

    Args:
        show: The show's name.
        releases: The entries of each release list, by version.
        catalog: The catalog rows of each episode, by its id; rows without a start are not moments.
        is_callback: Whether the words from a start on refer to an earlier episode ("as we said last week").
    """
    index = _EntryIndex(releases)
    moments: dict[tuple[str, int], list[CatalogRow]] = {}
    # Episodes without a date come last. Moments of one episode are in order of time.
    found = [row for rows in catalog.values() for row in rows if row.start_s is not None]
    for row in sorted(found, key=lambda row: (row.published_on or date.max, row.episode_id, row.start_s, row.position)):
        for key in index.find(row):
            moments.setdefault(key, []).append(row)
    return tuple(
        row
        for version, features in releases.items()
        for feature in features
        for row in _build_rows(show, version, feature, moments.get((version, feature.position), []), is_callback)
    )


def _build_rows(
    show: str, version: str, feature: Feature, moments: Sequence[CatalogRow], is_callback: Callable[[str], bool]
) -> Iterable[LedgerRow]:
    """Yield a row for each moment of an entry, in their order; one row without a moment where there is none."""
    kinds = classify_moments(moments, is_callback)
    pairs: Sequence[tuple[CatalogRow | None, MomentKind | None]] = list(zip(moments, kinds, strict=True))
    for number, (moment, kind) in enumerate(pairs or [(None, None)], start=1):
        yield LedgerRow(
            show=show,
            version=version,
            position=feature.position,
            feature_id=feature.feature_id,
            title=feature.title,
            description=feature.description,
            status=moment.status if moment else NOT_YET,
            moment=number if moment else None,
            kind=kind.value if kind else None,
            **{column: getattr(moment, column, None) for column in MOMENT_COLUMNS},
            feature_key=feature.feature_key or (None if feature.feature_id is None else f"#{feature.feature_id}"),
        )


def classify_moments(moments: Sequence[CatalogRow], is_callback: Callable[[str], bool]) -> list[MomentKind]:
    """Return the kind of each moment of one entry; `moments` are in order of publication.

    A moment is a mention where an earlier episode discusses the entry and its words call back to that, or where its
    start is doubtful and that of another episode is certain. So at least one moment of an entry is a discussion, and a
    start that a person set always is.
    """
    kinds: list[MomentKind] = []
    for row in moments:
        pairs = zip(moments, kinds, strict=False)
        discussed = {other.episode_id for other, kind in pairs if kind is MomentKind.DISCUSSION} - {row.episode_id}
        certain = {other.episode_id for other in moments if other.status in _CERTAIN} - {row.episode_id}
        calls_back = bool(discussed) and is_callback(row.quote)
        is_doubtful = bool(certain) and row.status == Status.REVIEW and row.confidence < MENTION_CONFIDENCE
        is_mention = row.status != Status.CORRECTED and (calls_back or is_doubtful)
        kinds.append(MomentKind.MENTION if is_mention else MomentKind.DISCUSSION)
    return kinds


@dataclass(frozen=True, slots=True)
class VersionCounts:
    """How many entries of a version's release list some episode speaks of."""

    version: str
    discussed: int
    total: int

    def describe(self) -> str:
        """Return `v2.204: 48 of 61 discussed, 13 to come`."""
        return f"{self.version}: {self.discussed} of {self.total} discussed, {self.total - self.discussed} to come"


def count_discussed(rows: Sequence[LedgerRow]) -> list[VersionCounts]:
    """Return the counts of each version, in the order of the rows."""
    entries: dict[str, dict[int, bool]] = {}
    for row in rows:
        entries.setdefault(row.version, {})[row.position] = row.status != NOT_YET
    return [VersionCounts(version, sum(found.values()), len(found)) for version, found in entries.items()]


def choose_version(
    rows: Sequence[LedgerRow], version: str | None, releases: Sequence[str] = ()
) -> tuple[LedgerRow, ...]:
    """Return the rows of a version, with or without its v, or all where it is None.

    InputError for a version without rows; `releases` are the versions that the show's settings name.
    """
    if version is None:
        return tuple(rows)
    wanted = normalize_version(version)
    chosen = tuple(row for row in rows if normalize_version(row.version) == wanted)
    if not chosen and wanted in map(normalize_version, releases):
        raise InputError(f"the list of {version} is not in the ledger yet", "run `catalog run --all`")
    if not chosen:
        known = ", ".join(dict.fromkeys([*(row.version for row in rows), *releases]))
        raise InputError(f"there is no release list of {version} (known: {known})")
    return chosen


def list_entries(rows: Sequence[LedgerRow]) -> list[Feature]:
    """Return the entries of the rows as a feature list, each once."""
    entries = {(row.version, row.position): row for row in rows}
    return [
        Feature(position, row.title, row.description, row.feature_id, row.version, feature_key=row.feature_key)
        for position, row in enumerate(entries.values(), start=1)
    ]


class _EntryIndex:
    """The entries of all release lists, by id and by wording."""

    def __init__(self, releases: Mapping[str, Sequence[Feature]]) -> None:
        self._by_key: dict[str, list[tuple[str, Feature]]] = {}
        self._by_wording: dict[str, list[tuple[str, Feature]]] = {}
        for version, features in releases.items():
            for feature in features:
                if (key := normalize_key(feature.feature_key, feature.feature_id)) is not None:
                    self._by_key.setdefault(key, []).append((version, feature))
                self._by_wording.setdefault(normalize_wording(feature.title), []).append((version, feature))

    def find(self, row: CatalogRow) -> Iterable[tuple[str, int]]:
        """Return version and position of the entries that a row is about: at most one of each release list."""
        key = normalize_key(row.feature_key, row.feature_id)
        entries = self._by_key.get(key, []) if key is not None else []
        if not entries:
            entries = [
                (version, feature)
                for version, feature in self._by_wording.get(normalize_wording(row.title), [])
                # Another id is another feature, and so is the same wording in another release ("Minor fixes").
                if key is None or normalize_key(feature.feature_key, feature.feature_id) is None
                if row.version is None or normalize_version(row.version) == normalize_version(version)
            ]
        best: dict[str, Feature] = {}
        for version, feature in entries:
            known = best.get(version)
            # Two entries of one list can have the same id by mistake.
            if known is None or _similarity(feature, row) > _similarity(known, row):
                best[version] = feature
        return [(version, feature.position) for version, feature in best.items()]


def _similarity(feature: Feature, row: CatalogRow) -> float:
    return wording_similarity(feature.title, row.title)
