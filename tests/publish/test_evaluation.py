"""Evaluation: recall, errors, features placed but not discussed, precision and calibration."""

from pathlib import Path

import pytest

from pipeline.publish.evaluation import draw_reliability, evaluate_starts, list_published_starts
from tests.support.rows import SCORED_ROWS as ROWS
from tests.support.rows import rated_row

TRUE_STARTS = {1: 98.0, 2: 200.0, 3: 300.0, 4: 400.0, 5: 450.0, 6: None, 7: None}


def test_recall_counts_missing_start_as_miss() -> None:
    evaluation = evaluate_starts([(ROWS, TRUE_STARTS)])
    assert (evaluation.discussed, evaluation.missed) == (5, 1)
    assert evaluation.recall == {3: 0.2, 5: 0.2, 10: 0.4, 30: 0.6}


def test_errors_leave_out_missing_starts() -> None:
    evaluation = evaluate_starts([(ROWS, TRUE_STARTS)])
    assert (evaluation.median_error, evaluation.p90_error) == (13.5, 100.0)


def test_placed_but_undiscussed_features_are_counted() -> None:
    evaluation = evaluate_starts([(ROWS, TRUE_STARTS)])
    assert (evaluation.placed_undiscussed, evaluation.undiscussed) == (1, 2)


def test_precision_is_by_status() -> None:
    evaluation = evaluate_starts([(ROWS, TRUE_STARTS)])
    assert evaluation.precision == pytest.approx({"confident": 2 / 3, "review": 1 / 2, "not_found": 1 / 2})
    assert evaluation.counts == {"confident": 3, "review": 2, "not_found": 2, "corrected": 0}


def test_calibration_compares_confidence_with_share_right() -> None:
    evaluation = evaluate_starts([(ROWS, TRUE_STARTS)])
    assert [(group.count, group.confidence, group.right) for group in evaluation.reliability] == [
        (2, 0.5, 0.5),
        (1, 0.7, 1.0),
        (4, pytest.approx(0.9), 0.5),
    ]
    assert evaluation.calibration_error == pytest.approx((2 * 0 + 1 * 0.3 + 4 * 0.4) / 7)


def test_row_without_true_start_is_left_out() -> None:
    assert evaluate_starts([(ROWS, {1: 98.0})]).discussed == 1


def test_published_starts_leave_out_entries_without_time() -> None:
    rows = (rated_row(1, 100.0, published=98.0), rated_row(2, 200.0))
    assert list_published_starts(rows) == {1: 98.0}


def test_several_episodes_are_pooled() -> None:
    evaluation = evaluate_starts([(ROWS, TRUE_STARTS), (ROWS, TRUE_STARTS)])
    assert (evaluation.discussed, evaluation.recall[10]) == (10, 0.4)


@pytest.mark.parametrize("ending", [".png", ".svg"])
def test_picture_has_same_bytes_each_time(tmp_path: Path, ending: str) -> None:
    evaluation = evaluate_starts([(ROWS, TRUE_STARTS)])
    draw_reliability(evaluation, tmp_path / f"a{ending}")
    draw_reliability(evaluation, tmp_path / f"b{ending}")
    assert (tmp_path / f"a{ending}").stat().st_size > 5_000
    assert (tmp_path / f"a{ending}").read_bytes() == (tmp_path / f"b{ending}").read_bytes()
