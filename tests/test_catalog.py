"""Rows: what is shown for a start, and what for a feature that was not found."""

from dataclasses import fields, replace
from datetime import date

import pytest

from pipeline.core.schema import Alignment, Episode, Feature, Method, Placement, Provenance, Status
from pipeline.publish.rows import CatalogRow, build_rows

EPISODE = Episode("Show", "ep1", "One", date(2026, 11, 2), "https://example.org/{episode_id}?t={seconds}")
FEATURE = Feature(1, "Title", "Text", 500111, "v4.10", True, published_s=130.0)
PLACED = Placement(1, 124.5678, 200.0, Status.CONFIDENT, 0.98765, Method.PHRASE, "its title is spoken", "All right")
MADE_FROM = Provenance("whisper", "base", "a" * 64, "f" * 64)


def row_of(placement: Placement, episode: Episode = EPISODE) -> CatalogRow:
    (row,) = build_rows(episode, [FEATURE], Alignment((placement,)), MADE_FROM)
    return row


def test_the_columns_are_the_fixed_ones_in_their_order() -> None:
    assert [field.name for field in fields(CatalogRow)] == (
        "show episode_id episode_title published_on position feature_id version title description highlight start_s "
        "end_s start url status confidence method reason quote published_s drift_s transcript_source model "
        "audio_sha256 features_sha256 pipeline_version"
    ).split()


def test_a_start_is_given_in_seconds_for_people_and_as_a_link() -> None:
    row = row_of(PLACED)
    assert (row.start_s, row.start, row.url) == (124.568, "2:04", "https://example.org/ep1?t=124")


def test_drift_is_our_start_minus_the_page_s_time() -> None:
    assert row_of(PLACED).drift_s == pytest.approx(-5.432)


def test_a_feature_not_found_has_no_start_anywhere() -> None:
    row = row_of(Placement(1, None, None, Status.NOT_FOUND, 0.9, Method.ORDER, "never named"))
    assert (row.start_s, row.end_s, row.start, row.url, row.drift_s) == (None, None, None, None, None)
    assert (row.published_s, row.confidence) == (130.0, 0.9)


def test_an_episode_without_a_link_template_has_no_links() -> None:
    assert row_of(PLACED, replace(EPISODE, link=None)).url is None


def test_rows_refuse_placements_of_another_list() -> None:
    with pytest.raises(ValueError, match="position 1 of the list got the placement of 2"):
        row_of(replace(PLACED, position=2))
