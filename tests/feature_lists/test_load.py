"""Lists as a whole: highlights merged, repeats told, formats that read back, episodes picked."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.errors import InputError
from pipeline.core.schema import Feature, FeatureList
from pipeline.feature_lists.load import load_episodes, load_features, parse_episodes, pick_episode
from pipeline.feature_lists.writer import dump_features

PAGE = """\
In Episode 3 we open the Kite release notes and walk through everything that small teams should know.
Highlights of this episode:
· Darktheme for the mobile app (500122)
Easy on the eyes.
Full Feature review:
Invoices can be sorted by due date | v4.10 #500111 | 0:11
The invoice list gets a sort button.
Added a dark theme to the mobile app | v4.10 #500122 | 1:02:07
Export limit raised | v4.10.1 #500133
"""


def parse(text: str, suffix: str = ".txt") -> FeatureList:
    (features,) = parse_episodes(text.encode(), suffix)
    return features


def test_a_page_gives_title_version_id_time_and_description() -> None:
    first, second, third = parse(PAGE).features
    assert first == Feature(
        1, "Invoices can be sorted by due date", "The invoice list gets a sort button.", 500111, "v4.10", False, 11.0
    )
    assert (second.position, second.published_s) == (2, 3727.0)
    assert (third.version, third.published_s) == ("v4.10.1", None)


def test_a_highlight_is_merged_by_its_id_and_makes_no_entry() -> None:
    listed = parse(PAGE)
    assert [f.highlight for f in listed.features] == [False, True, False]
    assert listed.features[1].title == "Added a dark theme to the mobile app"
    assert listed.features[1].description == "Easy on the eyes."
    assert [(report.line, report.role, report.position) for report in listed.line_reports[2:4]] == [
        (3, "highlight", 2),
        (4, "highlight", 2),
    ]


def test_a_highlight_without_an_id_is_merged_where_its_wording_is_nearly_the_same() -> None:
    page = PAGE.replace("Darktheme for the mobile app (500122)", "Addeda dark theme to themobile app")
    assert [f.highlight for f in parse(page).features] == [False, True, False]


def test_a_highlight_in_other_words_is_reported_not_merged() -> None:
    listed = parse(PAGE.replace("Darktheme for the mobile app (500122)", "Added dark themes to mobile apps"))
    assert not any(f.highlight for f in listed.features)
    assert any("line 3: this highlight probably repeats line 8" in warning for warning in listed.warnings)


def test_a_highlight_that_is_not_in_the_list_is_reported() -> None:
    listed = parse(PAGE.replace("500122)", "500999)"))
    assert any("line 3: this highlight (id 500999) is not in the list" in warning for warning in listed.warnings)


def test_an_id_that_stands_twice_in_the_same_words_is_one_entry_at_its_last_place() -> None:
    listed = parse(
        "Dark theme for all | #500122\nA\nSort by date | #500111\nB\nDark theme for all | v4.10 #500122\nC\n"
    )
    assert [(f.feature_id, f.highlight, f.description) for f in listed.features] == [
        (500111, False, "B"),
        (500122, True, "C"),
    ]
    assert "line 1: id 500122 stands again in line 5, in the same words: read as its highlight" in listed.warnings


def test_an_id_that_stands_twice_for_other_titles_is_reported_and_kept() -> None:
    listed = parse("Dark theme | v4.10 #500111\nx\nSort by date | v4.10 #500111\ny\n")
    assert len(listed.features) == 2
    assert listed.warnings == ("line 3: id 500111 stands already in line 1, for another title: correct one of them",)


def test_control_codes_never_reach_a_title() -> None:
    (feature,) = parse("\x1b[31mRed\x07 title | v4.10 #500111").features
    assert feature.title.isprintable()


@pytest.mark.parametrize("ending", [".csv", ".json", ".txt"])
def test_a_list_written_is_read_back_as_it_was(ending: str) -> None:
    features = parse(PAGE).features
    assert parse(dump_features(features, ending), ending).features == features


plain = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1)
titles = plain.map(lambda text: " ".join(text.split())).filter(
    lambda text: bool(text) and parse(dump_features([Feature(1, text)], ".json"), ".json").features[0].title == text
)


@given(st.lists(st.tuples(titles, st.booleans()), min_size=1))
def test_any_titles_survive_tables(parts: list[tuple[str, bool]]) -> None:
    listed = tuple(
        Feature(n, title, "", 500_000 + n if numbered else None) for n, (title, numbered) in enumerate(parts, 1)
    )
    for ending in (".csv", ".json"):
        assert parse(dump_features(listed, ending), ending).features == listed


@given(st.binary(), st.sampled_from([".txt", ".md", ".html", ".csv", ".tsv", ".json", ".xlsx"]))
def test_any_bytes_are_a_list_or_a_plain_refusal(content: bytes, suffix: str) -> None:
    try:
        lists = parse_episodes(content, suffix)
    except InputError:
        return
    for listed in lists:
        assert [f.position for f in listed.features] == list(range(1, len(listed.features) + 1))
        assert all(f.title.strip() and f.title.isprintable() for f in listed.features)


def test_an_episode_of_several_is_picked_by_its_number(tmp_path: Path) -> None:
    intro = "Episode {} of the Kite Show walks through a long list of changes that matter to small teams.\n"
    page = tmp_path / "all.txt"
    page.write_text(intro.format(12) + "Improves the search.\n" + intro.format(11) + "Adds a note field.\n")
    assert load_features(page, episode="11").features[0].title == "Adds a note field."
    with pytest.raises(InputError, match="holds the lists of episodes 12, 11: say which"):
        load_features(page)
    with pytest.raises(InputError, match="episodes 12, 11"):
        pick_episode(load_episodes(page), "13", page)


def test_a_file_is_named_when_it_holds_no_list(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("\n \n")
    with pytest.raises(InputError, match=r"list\.txt: no feature found"):
        load_features(tmp_path / "list.txt")


def test_a_file_that_is_too_large_for_a_list_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "list.txt").open("wb") as file:
        file.truncate(17 << 20)
    with pytest.raises(InputError, match="17 MB"):
        load_features(tmp_path / "list.txt")


@pytest.mark.parametrize("text", ["- {}\n", "Invoices | v4.10 #500111 | 0:11\n{} | v4.10 #500122\n"])
def test_a_title_without_end_is_refused_with_its_line(text: str) -> None:
    long = "word " * 2000 + "end"
    with pytest.raises(InputError, match=r"^line [12]: 10003 characters are more than a title can have"):
        parse(text.format(long))
