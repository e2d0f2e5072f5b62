"""Evidence that the discussion of a feature starts at a unit."""

from collections.abc import Sequence

import numpy as np

from pipeline.align.cues import BOUNDARY_NAMES
from pipeline.align.evidence import (
    FEATURE_NAMES,
    PAIR_NAMES,
    Evidence,
    collect_onset_inputs,
    measure_evidence,
)
from pipeline.align.lexical import HalfMatrix
from pipeline.align.mentions import find_mentions
from pipeline.align.units import Unit
from pipeline.core.schema import Feature

CHATTER = "we had soup for lunch and the dog slept on the sofa again"
LAMPS = Feature(1, "Dimmer curves for ceiling lamps", "Brightness follows a logarithmic ramp.", 700111)
DOORS = Feature(2, "Garage doors report jammed rollers", "", 700222)
LINES = [
    CHATTER,
    CHATTER,
    "next the dimmer curves",
    "ceiling lamps, a ramp",
    CHATTER,
    "garage doors, jammed rollers",
    CHATTER,
]


def measure_lines(lines: Sequence[str], features: Sequence[Feature] = (LAMPS, DOORS)) -> Evidence:
    """Return the evidence of units that follow each other every 30 seconds."""
    units = [Unit(30.0 * index, 30.0 * index + 25.0, line) for index, line in enumerate(lines)]
    return measure_evidence(units, features, find_mentions(units, features, "en"), "en")


def get_column(evidence: Evidence, name: str) -> HalfMatrix:
    """Return one column of the pairs, (features, units)."""
    return evidence.pairs[:, :, PAIR_NAMES.index(name)]


def test_arrays_have_named_columns() -> None:
    evidence = measure_lines(LINES)
    assert evidence.pairs.shape == (2, 7, len(PAIR_NAMES))
    assert evidence.boundaries.shape == (7, len(BOUNDARY_NAMES))
    assert evidence.features.shape == (2, len(FEATURE_NAMES))
    assert evidence.passages.shape == (2, 7)


def test_overview_end_is_in_real_seconds() -> None:
    lines = ["today it is lamps", "welcome, ana", *LINES * 2]
    many = tuple(Feature(number, f"Thing number {number}") for number in range(1, 40))
    assert measure_lines(lines).overview_end == measure_lines(lines, many).overview_end == 30.0
    assert measure_lines(LINES).overview_end is None


def test_title_overlap_peaks_before_its_words() -> None:
    after = get_column(measure_lines(LINES), "title_after_40")
    assert after[0].argmax() == 2
    assert after[1].argmax() in (4, 5)


def test_contrast_changes_sign_across_passage() -> None:
    contrast = get_column(measure_lines(LINES), "text_contrast")[0]
    assert contrast[2] > 0.3
    assert contrast[4] < 0


def test_repeated_word_is_not_fresh() -> None:
    fresh = get_column(measure_lines([CHATTER, "garage doors", "garage doors", CHATTER]), "title_fresh")[1]
    assert fresh[1] > fresh[2] == 0


def test_rare_word_outweighs_common_one() -> None:
    features = (Feature(1, "Soup spoons"), Feature(2, "Soup ladles"))
    lines = [*(["soup again"] * 6), "soup spoons", "soup ladles"]
    after = get_column(measure_lines(lines, features), "title_after_6")
    assert after[0, 6] > 2 * after[0, 2]


def test_joined_and_split_words_match() -> None:
    features = (Feature(1, "Runbook for the night shift"), Feature(2, "Fire wall rules"))
    after = get_column(measure_lines(["run book", CHATTER, "the firewall"], features), "title_after_6")
    assert after[0].argmax() == 0
    assert after[1].argmax() == 2


def test_misspelled_word_matches() -> None:
    after = get_column(measure_lines([CHATTER, "the kubernets thing"], (Feature(1, "Kubernetes"),)), "title_after_6")
    assert after[0, 1] > 0


def test_id_counts_for_units_before_it() -> None:
    evidence = measure_lines([CHATTER, "so the first", "that's 700111", CHATTER, CHATTER])
    assert get_column(evidence, "id_after")[0].tolist() == [1.0, 1.0, 1.0, 0.0, 0.0]
    assert evidence.passages[0].argmax() == 2


def test_feature_of_common_words_has_no_idf() -> None:
    features = measure_lines(LINES, (Feature(1, "Various improvements"), DOORS)).features
    idf = features[:, FEATURE_NAMES.index("title_idf")]
    assert idf[0] == 0 < idf[1]


def test_onset_inputs_add_boundary_log_odds() -> None:
    evidence = measure_lines(LINES)
    boundaries = np.linspace(-2.0, 2.0, len(LINES), dtype=np.float32)
    inputs = collect_onset_inputs(evidence, 0, boundaries)
    column = {name: inputs[:, at] for at, name in enumerate(evidence.names.onset)}
    assert np.allclose(column["boundary"], boundaries, atol=1e-3)
    assert np.allclose(column["boundary_text"], boundaries * column["text_after_40"], atol=1e-3)
    rest = [evidence.names.onset.index(name) for name in evidence.names.pairs]
    assert np.array_equal(inputs[:, rest], evidence.pairs[0].astype(np.float32))


def test_arrays_are_finite_for_single_unit() -> None:
    evidence = measure_lines(["hello"], (LAMPS,))
    assert np.isfinite(evidence.pairs).all()
    assert np.isfinite(evidence.passages).all()
