"""Compare two snapshots of an episode's rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from pipeline.core.identity import Name, pair_entries
from pipeline.core.text import normalize_key
from pipeline.core.wording import same_title

Row = Mapping[str, Any]

# Seconds. A smaller difference of two starts is inaudible, and may come from rounding or another machine's arithmetic.
MIN_MOVE_S = 0.1

# Columns of the feature list, and the end where a person set it. The others follow from the alignment's decision, and
# are reported as a move or a change of status.
EDITABLE_COLUMNS = ("feature_id", "version", "description", "highlight", "published_s", "end_s")


@dataclass(frozen=True, slots=True)
class EpisodeChanges:
    """Entries that were added, removed or changed, as records fit for JSON; times in seconds.

    `renamed` entries kept their id. `moved` entries have the difference `by_s`, which is null where there was no start
    before or is none now. `edited` entries have the `columns` of the list that differ, each with both values.
    """

    added: tuple[Row, ...] = ()
    removed: tuple[Row, ...] = ()
    renamed: tuple[Row, ...] = ()
    moved: tuple[Row, ...] = ()
    status_changed: tuple[Row, ...] = ()
    edited: tuple[Row, ...] = ()
    reordered: bool = False

    def __bool__(self) -> bool:
        """Return whether anything changed."""
        return any(getattr(self, kind.name) for kind in fields(self))

    def to_json(self) -> dict[str, Any]:
        """Return the changes by kind, without empty kinds."""
        changes = {kind.name: getattr(self, kind.name) for kind in fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in changes.items() if value}


def compare_rows(before: Sequence[Row], now: Sequence[Row]) -> EpisodeChanges:
    """Return what changed; `core.identity.pair_entries` says which rows are the same entry."""
    pairs, added, removed = _pair(before, now)
    # The order among entries in both: a new first entry moves every position and reorders nothing.
    now_in_old_order = [new for _, new in sorted((old["position"], new["position"]) for old, new in pairs)]
    return EpisodeChanges(
        added=tuple(_identify(row, start_s=row["start_s"], status=row["status"]) for row in added),
        removed=tuple(_identify(row, start_s=row["start_s"], status=row["status"]) for row in removed),
        renamed=tuple(
            _identify(new, before=old["title"], after=new["title"])
            for old, new in pairs
            if not same_title(old["title"], new["title"])
        ),
        moved=tuple(
            _identify(new, **_measure_move(old, new))
            for old, new in pairs
            if _has_moved(old["start_s"], new["start_s"])
        ),
        status_changed=tuple(
            _identify(new, before=old["status"], after=new["status"])
            for old, new in pairs
            if old["status"] != new["status"]
        ),
        edited=tuple(
            _identify(new, columns=columns)
            for old, new in pairs
            if (columns := _find_edits(old, new, _is_end_set(old, new, before, now)))
        ),
        reordered=now_in_old_order != sorted(now_in_old_order),
    )


def _identify(row: Row, **change: Any) -> Row:
    """The record of a change: what identifies its entry, and the change."""
    return {"position": row["position"], "feature_id": row["feature_id"], "title": row["title"], **change}


def _has_moved(before: float | None, now: float | None) -> bool:
    if before is None or now is None:
        return before is not now
    return abs(now - before) >= MIN_MOVE_S


def _measure_move(before: Row, now: Row) -> dict[str, Any]:
    old, new = before["start_s"], now["start_s"]
    difference = None if old is None or new is None else round(new - old, 3)
    return {"before_s": old, "after_s": new, "by_s": difference}


def _is_end_set(before: Row, now: Row, rows_before: Sequence[Row], rows_now: Sequence[Row]) -> bool:
    """Whether a person set the end of an entry, or took it back.

    Any other end follows: it is the next start, or for the last entry the end of the speech, which does not change
    while every start stays.
    """
    if before["start_s"] != now["start_s"] or before["status"] != now["status"]:
        return False
    last = [_is_last(before, rows_before), _is_last(now, rows_now)]
    own = [
        row["end_s"] is not None and row["end_s"] not in [other["start_s"] for other in rows]
        for row, rows in ((before, rows_before), (now, rows_now))
    ]
    return all(own) if all(last) else any(is_own and not is_last for is_own, is_last in zip(own, last, strict=True))


def _is_last(row: Row, rows: Sequence[Row]) -> bool:
    """Whether nothing starts later than the row."""
    return all((other["start_s"] or 0.0) <= (row["start_s"] or 0.0) for other in rows)


def _find_edits(before: Row, now: Row, end_set: bool) -> dict[str, list[Any]]:
    """The editable columns that differ, with both values; the end only where a person set it."""
    with_end = end_set or before["status"] == now["status"] == "corrected"
    columns = [column for column in EDITABLE_COLUMNS if column != "end_s" or with_end]
    return {column: [before[column], now[column]] for column in columns if before[column] != now[column]}


def _pair(before: Sequence[Row], now: Sequence[Row]) -> tuple[list[tuple[Row, Row]], list[Row], list[Row]]:
    """The pairs of rows of one entry, in the order of `now`; the added rows; the removed rows."""
    indexes = pair_entries([_name(row) for row in before], [_name(row) for row in now])
    old, new = {index for index, _ in indexes}, {index for _, index in indexes}
    added = [row for index, row in enumerate(now) if index not in new]
    removed = [row for index, row in enumerate(before) if index not in old]
    return [(before[a], now[b]) for a, b in indexes], added, removed


def _name(row: Row) -> Name:
    return Name(normalize_key(row.get("feature_key"), row["feature_id"]), row["title"])
