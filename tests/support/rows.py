"""Catalog rows that tests publish, search and score."""

from dataclasses import replace
from datetime import date

from pipeline.core.schema import Alignment, Episode, Feature, Method, Placement, Provenance, Status
from pipeline.publish.rows import CatalogRow, build_rows

EPISODE = Episode("Show", "ep1", "One", date(2026, 11, 2), "https://example.org/{episode_id}?t={seconds}")

FEATURE = Feature(1, "Title", "Text", 500111, "v4.10", highlight=True, published_s=130.0)

PLACED = Placement(1, 124.5678, 200.0, Status.CONFIDENT, 0.98765, Method.PHRASE, "its title is spoken", "All right")

MISSING = Placement(1, None, None, Status.NOT_FOUND, 0.9, Method.ORDER, "never named")

PROVENANCE = Provenance("whisper", "base", "a" * 64, "f" * 64)

# Titles and texts that would run, or break out of an element, where a page did not escape them.
HOSTILE = (
    "<script>window.hacked = 1</script>",
    "</script><script>window.hacked = 1</script>",
    '"><img src=x onerror="window.hacked = 1">',
    "' autofocus onfocus='window.hacked = 1",
    "{{ 7 * 7 }}<svg/onload=window.hacked=1>",
    "<!--", "]]>", "</title><base href=//example.org>", "\u202ereversed", "a\x00b", "\u2028</textarea>",
)  # fmt: skip


def make_row(placement: Placement = PLACED, episode: Episode = EPISODE) -> CatalogRow:
    """Return the row of FEATURE with a placement."""
    (row,) = build_rows(episode, [FEATURE], Alignment((placement,)), PROVENANCE)
    return row


def titled_rows(*titles: str) -> tuple[CatalogRow, ...]:
    """Return rows with these titles: ids from 500001, starts a minute apart, the second a highlight."""
    return tuple(
        replace(
            make_row(),
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


def episode_rows(name: str, *titles: str, published: date | None = None) -> tuple[CatalogRow, ...]:
    """Return `titled_rows` of an episode with this id."""
    return tuple(
        replace(row, episode_id=name, episode_title=f"Episode {name}", published_on=published)
        for row in titled_rows(*titles)
    )


def rated_row(
    position: int, start: float | None, confidence: float = 0.9, published: float | None = None
) -> CatalogRow:
    """Return a row with a start, a confidence and a published time, and the status that goes with them."""
    status = Status.NOT_FOUND if start is None else Status.CONFIDENT if confidence > 0.8 else Status.REVIEW
    return replace(
        make_row(),
        position=position,
        feature_id=500_000 + position,
        start_s=start,
        status=status.value,
        confidence=confidence,
        published_s=published,
    )


# Rows to score; the comments compare them with the true starts in tests/publish/test_evaluation.py.
SCORED_ROWS = (
    rated_row(1, 100.0),  # 2 s off
    rated_row(2, 207.0),  # 7 s off
    rated_row(3, 320.0, 0.5),  # 20 s off
    rated_row(4, 500.0),  # 100 s off
    rated_row(5, None),  # missed
    rated_row(6, 600.0, 0.5),  # placed, but not discussed
    rated_row(7, None, 0.7),  # not discussed, and not placed
)

# A row with a value in every column, and a row with null wherever it is allowed.
TABLE_ROWS = (
    make_row(),
    replace(make_row(MISSING), position=2, feature_id=None, version=None, published_on=None, published_s=None),
)
