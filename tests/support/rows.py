"""Catalog rows."""

from dataclasses import replace
from datetime import date

from pipeline.core.schema import Alignment, Episode, Feature, Method, Placement, Provenance, Status
from pipeline.publish.rows import CatalogRow, build_rows


def rows_of(*titles: str) -> tuple[CatalogRow, ...]:
    return tuple(
        replace(
            row_of(PLACED),
            position=n,
            feature_id=500_000 + n,
            title=title,
            highlight=n == 2,
            start_s=60.0 * n + 0.5,
            start=f"{n}:00",
            url=f"https://example.org/?t={60 * n}&x=1",
        )
        for n, title in enumerate(titles, start=1)
    )


EPISODE = Episode("Show", "ep1", "One", date(2026, 11, 2), "https://example.org/{episode_id}?t={seconds}")


FEATURE = Feature(1, "Title", "Text", 500111, "v4.10", True, published_s=130.0)


PLACED = Placement(1, 124.5678, 200.0, Status.CONFIDENT, 0.98765, Method.PHRASE, "its title is spoken", "All right")


MADE_FROM = Provenance("whisper", "base", "a" * 64, "f" * 64)


def row_of(placement: Placement, episode: Episode = EPISODE) -> CatalogRow:
    (row,) = build_rows(episode, [FEATURE], Alignment((placement,)), MADE_FROM)
    return row


HOSTILE = (
    "<script>window.hacked = 1</script>",
    "</script><script>window.hacked = 1</script>",
    '"><img src=x onerror="window.hacked = 1">',
    "' autofocus onfocus='window.hacked = 1",
    "{{ 7 * 7 }}<svg/onload=window.hacked=1>",
    "<!--", "]]>", "</title><base href=//example.org>", "\u202ereversed", "a\x00b", "\u2028</textarea>",
)  # fmt: skip


def episode_rows(name: str, *titles: str, published: date | None = None) -> tuple[CatalogRow, ...]:
    return tuple(
        replace(row, episode_id=name, episode_title=f"Episode {name}", published_on=published)
        for row in rows_of(*titles)
    )


def make_row(position: int, start: float | None, confidence: float = 0.9, published: float | None = None) -> CatalogRow:
    status = "not_found" if start is None else "confident" if confidence > 0.8 else "review"
    return replace(
        row_of(PLACED),
        position=position,
        feature_id=500_000 + position,
        start_s=start,
        status=status,
        confidence=confidence,
        published_s=published,
    )


SCORED_ROWS = (
    make_row(1, 100.0),  # 2 s off
    make_row(2, 207.0),  # 7 s off
    make_row(3, 320.0, 0.5),  # 20 s off
    make_row(4, 500.0),  # 100 s off
    make_row(5, None),  # missed
    make_row(6, 600.0, 0.5),  # not discussed, but placed
    make_row(7, None, 0.7),  # not discussed, and so said
)


MISSING = Placement(1, None, None, Status.NOT_FOUND, 0.9, Method.ORDER, "never named")


TABLE_ROWS = (
    row_of(PLACED),
    replace(row_of(MISSING), position=2, feature_id=None, version=None, published_on=None, published_s=None),
)
