"""What changed between two states of an episode's rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from pipeline.core.text import index_by_key

Row = Mapping[str, Any]

# Nobody hears less, and it may be rounding, or another machine's arithmetic.
MOVED_S = 0.1

# What the page says; what follows from our own decision is told as a move or a status.
EDITED = ("feature_id", "version", "description", "highlight", "published_s", "end_s")


@dataclass(frozen=True, slots=True)
class EpisodeChanges:
    """Entries that came, went, or differ, as records fit for JSON; times in seconds.

    `renamed` keep their id; `moved` say by how much (`by_s`, null where there was no start before, or is none now);
    `edited` name the columns of the page that differ, with both values.
    """

    added: tuple[Row, ...] = ()
    removed: tuple[Row, ...] = ()
    renamed: tuple[Row, ...] = ()
    moved: tuple[Row, ...] = ()
    status_changed: tuple[Row, ...] = ()
    edited: tuple[Row, ...] = ()
    reordered: bool = False

    def __bool__(self) -> bool:
        """Tell whether anything changed at all."""
        return any(getattr(self, one.name) for one in fields(self))

    def to_json(self) -> dict[str, Any]:
        """Return what changed, without the kinds of which there is nothing."""
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items() if value}

    def describe(self) -> str:
        """Return `1 added, 2 moved`."""
        counts = {
            one.name.replace("_", " "): getattr(self, one.name) for one in fields(self) if one.name != "reordered"
        }
        parts = [f"{len(value)} {name}" for name, value in counts.items() if value]
        return ", ".join([*parts, *(["order changed"] if self.reordered else [])]) or "nothing changed"


def compare_rows(before: Sequence[Row], now: Sequence[Row]) -> EpisodeChanges:
    """Return what changed; rows are the same by id, else by title, and by title where an id was corrected."""
    pairs, added, removed = _pair(before, now)
    order = [(old["position"], new["position"]) for old, new in pairs]
    # Order is compared among the entries that stayed: one more at the top moves all positions and reorders nothing.
    in_old_order = [new for _, new in sorted(order)]
    return EpisodeChanges(
        added=tuple(_name(row, start_s=row["start_s"], status=row["status"]) for row in added),
        removed=tuple(_name(row, start_s=row["start_s"], status=row["status"]) for row in removed),
        renamed=tuple(_name(b, before=a["title"], after=b["title"]) for a, b in pairs if a["title"] != b["title"]),
        moved=tuple(_name(b, **_measure_move(a, b)) for a, b in pairs if _has_moved(a["start_s"], b["start_s"])),
        status_changed=tuple(
            _name(b, before=a["status"], after=b["status"]) for a, b in pairs if a["status"] != b["status"]
        ),
        edited=tuple(
            _name(b, columns=columns)
            for a, b in pairs
            if (columns := _find_edits(a, b, _is_end_set(a, b, before, now)))
        ),
        reordered=in_old_order != sorted(in_old_order),
    )


def _name(row: Row, **what: Any) -> Row:
    """What tells an entry from others, and what became of it."""
    return {"position": row["position"], "feature_id": row["feature_id"], "title": row["title"], **what}


def _has_moved(before: float | None, now: float | None) -> bool:
    if before is None or now is None:
        return before is not now
    return abs(now - before) >= MOVED_S


def _measure_move(before: Row, now: Row) -> dict[str, Any]:
    old, new = before["start_s"], now["start_s"]
    by = None if old is None or new is None else round(new - old, 3)
    return {"before_s": old, "after_s": new, "by_s": by}


def _is_end_set(before: Row, now: Row, rows_before: Sequence[Row], rows_now: Sequence[Row]) -> bool:
    """Whether a person set the row's end, or took that back: else it is where the next one starts, or the talk ends.

    The last one's end is where the talk ends, which does not move while everything starts where it did.
    """
    if before["start_s"] != now["start_s"] or before["status"] != now["status"]:
        return False
    last = [_is_last(before, rows_before), _is_last(now, rows_now)]
    own = [
        row["end_s"] is not None and row["end_s"] not in [one["start_s"] for one in rows]
        for row, rows in ((before, rows_before), (now, rows_now))
    ]
    return all(own) if all(last) else any(mine and not late for mine, late in zip(own, last, strict=True))


def _is_last(row: Row, rows: Sequence[Row]) -> bool:
    """Whether nothing starts later than the row."""
    return all((one["start_s"] or 0.0) <= (row["start_s"] or 0.0) for one in rows)


def _find_edits(before: Row, now: Row, end_set: bool) -> dict[str, list[Any]]:
    """The page's own columns that differ; an end only where a person set it, as else it follows from starts."""
    shown = end_set or before["status"] == now["status"] == "corrected"
    names = [name for name in EDITED if name != "end_s" or shown]
    return {name: [before[name], now[name]] for name in names if before[name] != now[name]}


def _pair(before: Sequence[Row], now: Sequence[Row]) -> tuple[list[tuple[Row, Row]], list[Row], list[Row]]:
    """The rows that are the same entry, in the order of now; those that came; those that went."""
    old, new = index_by_key(before, _identify), index_by_key(now, _identify)
    mates = {id(row): old[key] for key, row in new.items() if key in old}
    gone = [row for key, row in old.items() if key not in new]
    for row in new.values():
        if id(row) not in mates:
            # The id was corrected, or came or went: the wording is still the same.
            same = [one for one in gone if one["title"] == row["title"]]
            if same:
                mates[id(row)] = same[0]
                gone = [one for one in gone if one is not same[0]]
    pairs = [(mates[id(row)], row) for row in now if id(row) in mates]
    return pairs, [row for row in now if id(row) not in mates], gone


def _identify(row: Row) -> tuple[int | None, str]:
    return row["feature_id"], row["title"]
