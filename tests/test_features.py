"""Feature lists: pages, tables and JSON become the same entries, and what looks odd is said by line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.features import decode_text, dump_features, load_features, parse_features, parse_time
from pipeline.schema import Feature

PAGE = """\
In Episode 3 we open the Kite release notes.
Highlights of this episode:
· Darktheme for the mobile app (500122)
Easy on the eyes.
Full Feature review:
Invoices can be sorted by due date | v4.10 #500111 | 0:11
The invoice list gets a sort button.
Added a dark theme to the mobile app | v4.10 #500122 | 1:02:07
Export limit raised | v4.10.1 #500133
"""


def test_a_page_gives_title_version_id_time_and_description() -> None:
    first, second, third = parse_features(PAGE).features
    assert first == Feature(
        1, "Invoices can be sorted by due date", "The invoice list gets a sort button.", 500111, "v4.10", False, 11.0
    )
    assert (second.position, second.published_s, second.description) == (2, 3727.0, "")
    assert (third.version, third.published_s) == ("v4.10.1", None)


def test_a_highlight_marks_its_entry_and_makes_none() -> None:
    assert [f.highlight for f in parse_features(PAGE).features] == [False, True, False]


def test_a_highlight_whose_entry_is_missing_is_reported() -> None:
    page = PAGE.replace("(500122)", "(500999)")
    assert any("highlight 500999" in warning for warning in parse_features(page).warnings)


def test_lines_before_the_list_are_reported_as_left_out() -> None:
    assert "lines 1 to 5: read as the page's introduction, not as entries" in parse_features(PAGE).warnings


@pytest.mark.parametrize(
    "line",
    [
        "Dark theme | v4.10 #500122 | 2:04",
        "- Dark theme | v4.10 | #500122 | [2:04]",
        "2:04 Dark theme – v4.10 – # 500122",
        "* Dark theme | V4.10 #500122 (2:04)",
        "Dark\u00a0theme\u200b | v4.10\u00a0#500122 | 2:04",
    ],
)
def test_the_parts_of_an_entry_may_be_written_in_many_ways(line: str) -> None:
    (feature,) = parse_features(line).features
    assert (feature.title, feature.version, feature.feature_id, feature.published_s) == (
        "Dark theme",
        "v4.10",
        500122,
        124.0,
    )


def test_a_description_glued_to_the_time_is_not_part_of_the_title() -> None:
    (feature,) = parse_features("Bulk replies | v4.10 #500144 | 47:46The endpoint answers in bulk.").features
    assert (feature.title, feature.description) == ("Bulk replies", "The endpoint answers in bulk.")


def test_bare_sentences_are_entries_of_their_own() -> None:
    features = parse_features("Improves the search.\nAdds a note field.\n\nRemoves the old login.\n").features
    assert [f.title for f in features] == ["Improves the search.", "Adds a note field.", "Removes the old login."]


def test_a_second_plain_line_after_an_entry_is_an_entry_without_id() -> None:
    listed = parse_features("A | v4.10 #500111\nAbout A.\nBatch entry keeps the fund.\nB | v4.10 #500122\n")
    assert [(f.title, f.description) for f in listed.features] == [
        ("A", "About A."),
        ("Batch entry keeps the fund.", ""),
        ("B", ""),
    ]
    assert listed.warnings == ("line 3: no id: Batch entry keeps the fund.",)


def test_a_repeated_id_is_reported_by_line() -> None:
    listed = parse_features("A | v4.10 #500111\nB | v4.10 #500111\n")
    assert len(listed.features) == 2
    assert listed.warnings == ("line 2: id 500111 stands already in line 1",)


def test_control_codes_never_reach_a_title() -> None:
    (feature,) = parse_features("\x1b[31mRed\x07 title | v4.10 #500111").features
    assert feature.title.isprintable()


def test_a_table_is_read_by_the_names_people_give_its_columns() -> None:
    table = 'Feature,ID,Release,Timestamp,Description\n"Sort, by date",#500111,4.10,2:04,Why\n'
    (feature,) = parse_features(table, ".csv").features
    assert feature == Feature(1, "Sort, by date", "Why", 500111, "v4.10", False, 124.0)


def test_a_row_without_a_title_is_reported_not_dropped_in_silence() -> None:
    listed = parse_features("title,feature_id\nA,1234\n,5678\n", ".csv")
    assert (len(listed.features), listed.warnings) == (1, ("line 3: left out, it has no title",))


@pytest.mark.parametrize("ending", [".csv", ".json"])
def test_a_list_written_is_read_back_as_it_was(ending: str) -> None:
    features = parse_features(PAGE).features
    assert parse_features(dump_features(features, ending), ending).features == features


titles = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1).filter(
    lambda title: parse_features(dump_features([Feature(1, title)], ".json"), ".json").features[0].title == title
)


@given(st.lists(st.builds(Feature, st.just(1), titles, feature_id=st.integers(1, 10**9) | st.none()), min_size=1))
def test_any_list_survives_both_formats(features: list[Feature]) -> None:
    placed = tuple(
        Feature(position, f.title, f.description, f.feature_id) for position, f in enumerate(features, start=1)
    )
    for ending in (".csv", ".json"):
        assert parse_features(dump_features(placed, ending), ending).features == placed


@given(st.text())
def test_any_text_is_a_list_or_a_plain_refusal(text: str) -> None:
    try:
        listed = parse_features(text)
    except InputError:
        return
    assert [f.position for f in listed.features] == list(range(1, len(listed.features) + 1))
    assert all(f.title.strip() and f.title.isprintable() for f in listed.features)


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_file_is_read_in_the_encodings_of_common_editors(codec: str) -> None:
    assert decode_text("Größe – “ok”".encode(codec)) == "Größe – “ok”"


def test_a_file_is_named_when_it_holds_no_list(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("\n \n")
    with pytest.raises(InputError, match=r"list\.txt: no feature found"):
        load_features(tmp_path / "list.txt")


@pytest.mark.parametrize(("ending", "text"), [(".json", "{"), (".json", '{"a": 1}'), (".csv", "a,b\n1,2\n")])
def test_a_table_that_is_none_is_refused(tmp_path: Path, ending: str, text: str) -> None:
    path = tmp_path / f"list{ending}"
    path.write_text(text)
    with pytest.raises(InputError, match=f"list{ending}: "):
        load_features(path)


@pytest.mark.parametrize(("text", "seconds"), [("2:04", 124), ("49:41", 2981), ("1:02:07", 3727), ("75:00", 4500)])
def test_times_are_minutes_or_hours(text: str, seconds: float) -> None:
    assert parse_time(text) == seconds


@pytest.mark.parametrize("text", ["2", "1:75", "1:2:3:4", "1:75:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_time(text)
