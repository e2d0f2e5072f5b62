"""The lists of several versions become the list of one episode."""

from dataclasses import replace

from pipeline.core.schema import Feature, FeatureList
from pipeline.feature_lists.releases import join_releases

OLD = FeatureList(
    (Feature(1, "Dark theme", "", 500111, "v4.10"), Feature(2, "Minor fixes", "Of maps."), Feature(3, "Maps")),
    ("line 3: no id",),
    "a" * 64,
)
NEW = FeatureList(
    (
        Feature(1, "Minor fixes", "Of mails."),
        Feature(2, "Theme, dark", "", 500111),
        Feature(3, "Maps", published_s=9.0),
    ),
    (),
    "b" * 64,
)


def test_entries_follow_order_of_versions() -> None:
    joined = join_releases([("v4.11", NEW), ("v4.10", OLD)])
    assert [(entry.position, entry.version, entry.title, entry.description) for entry in joined.features] == [
        (1, "v4.11", "Minor fixes", "Of mails."),
        (2, "v4.11", "Theme, dark", ""),
        (3, "v4.11", "Maps", ""),
        (4, "v4.10", "Minor fixes", "Of maps."),
    ]


def test_entry_keeps_its_own_version() -> None:
    (first, *_) = join_releases([("v4.11", OLD)]).features
    assert first.version == "v4.10"


def test_times_of_release_list_are_left_out() -> None:
    assert {entry.published_s for entry in join_releases([("v4.11", NEW)]).features} == {None}


def test_repeats_within_one_list_stay() -> None:
    twice = replace(OLD, features=(OLD.features[0], replace(OLD.features[0], position=2, title="Another")))
    assert len(join_releases([("v4.10", twice)]).features) == 2


def test_published_ids_are_compared_as_published() -> None:
    listed = [
        FeatureList((Feature(1, "Dark theme", feature_key="KITE-12"),)),
        FeatureList((Feature(1, "A dark theme", feature_key="kite-12"), Feature(2, "Maps", feature_key="KITE-13"))),
    ]
    joined = join_releases([("v1.1", listed[0]), ("v1.2", listed[1])])
    assert [entry.title for entry in joined.features] == ["Dark theme", "Maps"]


def test_warnings_name_their_version() -> None:
    joined = join_releases([("v4.10", OLD), ("v4.11", NEW)])
    assert joined.warnings == ("v4.10: line 3: no id",)


def test_digest_follows_every_list() -> None:
    digests = {
        join_releases(lists).sha256
        for lists in ([("a", OLD)], [("a", OLD), ("b", NEW)], [("b", NEW), ("a", OLD)], [("a", NEW)])
    }
    assert len(digests) == 4
    assert "a" * 64 in digests
