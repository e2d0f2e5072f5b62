"""Rows: their columns, and the cells of a start and of a missing feature."""

from dataclasses import fields, replace

import pytest

from pipeline.core.schema import Feature, Method, Placement, Status
from pipeline.publish.rows import CatalogRow, extract_feature
from tests.support.rows import EPISODE, FEATURE, PLACED, make_row


def test_columns_are_the_fixed_ones_in_order() -> None:
    assert [field.name for field in fields(CatalogRow)] == (
        "show episode_id episode_title published_on position feature_id version title description highlight start_s "
        "end_s start url status confidence method reason quote published_s drift_s transcript_source model "
        "audio_sha256 features_sha256 pipeline_version feature_key"
    ).split()


def test_start_has_seconds_text_and_link() -> None:
    row = make_row()
    assert (row.start_s, row.start, row.url) == (124.568, "0:02:04", "https://example.org/ep1?t=124")


def test_drift_is_start_minus_published_time() -> None:
    assert make_row().drift_s == pytest.approx(-5.432)


def test_missing_feature_has_no_start_in_any_column() -> None:
    row = make_row(Placement(1, None, None, Status.NOT_FOUND, 0.9, Method.ORDER, "never named"))
    assert (row.start_s, row.end_s, row.start, row.url, row.drift_s) == (None, None, None, None, None)
    assert (row.published_s, row.confidence) == (130.0, 0.9)


def test_episode_without_link_template_has_no_links() -> None:
    assert make_row(PLACED, replace(EPISODE, link=None)).url is None


def test_placements_of_another_list_are_refused() -> None:
    with pytest.raises(ValueError, match="position 1 of the list got the placement of 2"):
        make_row(replace(PLACED, position=2))


def test_row_holds_every_field_of_its_feature() -> None:
    row = make_row()
    for field in fields(Feature):
        assert getattr(row, field.name) == getattr(FEATURE, field.name), field.name
    assert extract_feature(row) == FEATURE
