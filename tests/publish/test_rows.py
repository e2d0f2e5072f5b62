"""Rows: what is shown for a start, and what for a feature that was not found."""

from dataclasses import fields, replace

import pytest

from pipeline.core.schema import Method, Placement, Status
from pipeline.publish.rows import CatalogRow
from tests.support.rows import EPISODE, PLACED, make_row


def test_the_columns_are_the_fixed_ones_in_their_order() -> None:
    assert [field.name for field in fields(CatalogRow)] == (
        "show episode_id episode_title published_on position feature_id version title description highlight start_s "
        "end_s start url status confidence method reason quote published_s drift_s transcript_source model "
        "audio_sha256 features_sha256 pipeline_version"
    ).split()


def test_a_start_is_given_in_seconds_for_people_and_as_a_link() -> None:
    row = make_row()
    assert (row.start_s, row.start, row.url) == (124.568, "2:04", "https://example.org/ep1?t=124")


def test_drift_is_our_start_minus_the_page_s_time() -> None:
    assert make_row().drift_s == pytest.approx(-5.432)


def test_a_feature_not_found_has_no_start_anywhere() -> None:
    row = make_row(Placement(1, None, None, Status.NOT_FOUND, 0.9, Method.ORDER, "never named"))
    assert (row.start_s, row.end_s, row.start, row.url, row.drift_s) == (None, None, None, None, None)
    assert (row.published_s, row.confidence) == (130.0, 0.9)


def test_an_episode_without_a_link_template_has_no_links() -> None:
    assert make_row(PLACED, replace(EPISODE, link=None)).url is None


def test_rows_refuse_placements_of_another_list() -> None:
    with pytest.raises(ValueError, match="position 1 of the list got the placement of 2"):
        make_row(replace(PLACED, position=2))
