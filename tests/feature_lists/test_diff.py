"""The changes between two revisions of a list."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.schema import Feature
from pipeline.feature_lists.diff import compare_lists

LIST = (Feature(1, "Sort", "x", 500111), Feature(2, "Theme", "", 500122), Feature(3, "A bare sentence."))


def renumber(features: list[Feature]) -> list[Feature]:
    return [replace(feature, position=n) for n, feature in enumerate(features, start=1)]


@pytest.mark.parametrize(
    ("now", "description"),
    [
        (LIST, "only its layout"),
        ((*LIST, Feature(4, "New"), Feature(5, "Newer", "", 500144)), "2 entries added"),
        (LIST[:2], "1 entry removed"),
        ((replace(LIST[0], title="Sorting"), *LIST[1:]), "1 entry renamed"),
        ((replace(LIST[0], published_s=12.0), *LIST[1:]), "1 entry edited"),
        ((LIST[1], LIST[0], LIST[2]), "order changed"),
        (
            (LIST[1], replace(LIST[0], title="Sorting"), Feature(3, "New")),
            "1 entry added, 1 removed, 1 renamed, order changed",
        ),
    ],
)
def test_changes_are_described(now: tuple[Feature, ...], description: str) -> None:
    assert compare_lists(LIST, renumber(list(now))).describe() == description


features = st.lists(st.builds(Feature, st.just(1), st.sampled_from("ABC"), feature_id=st.none() | st.integers(1, 3)))


@given(features, features)
def test_added_is_removed_in_reverse(before: list[Feature], now: list[Feature]) -> None:
    forward, backward = compare_lists(before, now), compare_lists(now, before)
    assert forward.added == backward.removed
    assert len(forward.renamed) == len(backward.renamed)
    assert compare_lists(before, before).describe() == "only its layout"
    assert len(before) - len(forward.removed) + len(forward.added) == len(now)


def test_corrected_id_is_an_edit() -> None:
    before = [Feature(1, "Offline maps", feature_id=500130), Feature(2, "Dark theme", feature_id=500122)]
    now = [Feature(1, "Offline maps", feature_id=500139), Feature(2, "Dark theme", feature_id=500122)]
    assert compare_lists(before, now).describe() == "1 entry edited"
