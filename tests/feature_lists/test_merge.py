"""Highlights and repeats, merged into their entries."""

from pipeline.core.schema import LineRole
from pipeline.feature_lists.merge import merge_into
from tests.support.feature_lists import LIST_PAGE, make_entry, parse_list


def test_highlight_is_merged_by_id() -> None:
    listed = parse_list(LIST_PAGE)
    assert [feature.highlight for feature in listed.features] == [False, True, False]
    assert listed.features[1].title == "Added a dark theme to the mobile app"
    assert listed.features[1].description == "Easy on the eyes."
    assert [(report.line, report.role, report.position) for report in listed.line_reports[2:4]] == [
        (3, LineRole.HIGHLIGHT, 2),
        (4, LineRole.HIGHLIGHT, 2),
    ]


def test_highlight_without_id_is_merged_by_wording() -> None:
    page = LIST_PAGE.replace("Darktheme for the mobile app (500122)", "Addeda dark theme to themobile app")
    assert [feature.highlight for feature in parse_list(page).features] == [False, True, False]


def test_highlight_in_other_words_gives_a_warning() -> None:
    listed = parse_list(LIST_PAGE.replace("Darktheme for the mobile app (500122)", "Added dark themes to mobile apps"))
    assert not any(feature.highlight for feature in listed.features)
    assert any("line 3: this highlight probably repeats line 8" in warning for warning in listed.warnings)


def test_unlisted_highlight_gives_a_warning() -> None:
    listed = parse_list(LIST_PAGE.replace("500122)", "500999)"))
    assert any("line 3: this highlight (id 500999) is not in the list" in warning for warning in listed.warnings)


def test_repeat_is_one_entry_at_its_last_place() -> None:
    listed = parse_list(
        "Dark theme for all | #500122\nA\nSort by date | #500111\nB\nDark theme for all | v4.10 #500122\nC\n"
    )
    assert [(feature.feature_id, feature.highlight, feature.description) for feature in listed.features] == [
        (500111, False, "B"),
        (500122, True, "C"),
    ]
    assert "line 1: id 500122 stands again in line 5, in the same words: read as its highlight" in listed.warnings


def test_same_id_with_other_title_is_kept() -> None:
    listed = parse_list("Dark theme | v4.10 #500111\nx\nSort by date | v4.10 #500111\ny\n")
    assert len(listed.features) == 2
    assert listed.warnings == ("line 3: id 500111 stands already in line 1, for another title: correct one of them",)


def test_merge_fills_only_missing_values() -> None:
    repeat = make_entry("Theme", ["At last."], feature_id=500_122, version="v4.10", published_s=12.0, line=1)
    entry = make_entry("Dark theme", ["Easy."], published_s=0.0, line=5)
    merge_into(repeat, entry)
    assert entry == make_entry("Dark theme", ["Easy."], version="v4.10", highlight=True, published_s=0.0, line=5)
    assert repeat.merged_into is entry
