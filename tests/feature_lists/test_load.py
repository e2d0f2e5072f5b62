"""Whole lists: values, limits, and the choice of an episode."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.errors import InputError
from pipeline.core.schema import Feature
from pipeline.feature_lists.load import load_episodes, load_features, parse_episodes, pick_episode
from tests.support.feature_lists import LIST_PAGE, parse_list


def test_page_gives_every_value_of_a_feature() -> None:
    first, second, third = parse_list(LIST_PAGE).features
    assert first == Feature(
        1,
        "Invoices can be sorted by due date",
        "The invoice list gets a sort button.",
        500111,
        "v4.10",
        False,
        11.0,
        "#500111",
    )
    assert (second.position, second.published_s) == (2, 3727.0)
    assert (third.version, third.published_s) == ("v4.10.1", None)


def test_control_codes_never_reach_a_title() -> None:
    (feature,) = parse_list("\x1b[31mRed\x07 title | v4.10 #500111").features
    assert feature.title.isprintable()


@given(st.binary(), st.sampled_from([".txt", ".md", ".html", ".csv", ".tsv", ".json", ".xlsx"]))
def test_any_bytes_give_a_list_or_an_error(content: bytes, suffix: str) -> None:
    try:
        lists = parse_episodes(content, suffix)
    except InputError:
        return
    for listed in lists:
        assert [f.position for f in listed.features] == list(range(1, len(listed.features) + 1))
        assert all(f.title.strip() and f.title.isprintable() for f in listed.features)


def test_episode_is_picked_by_its_number(tmp_path: Path) -> None:
    intro = "Episode {} of the Kite Show walks through a long list of changes that matter to small teams.\n"
    page = tmp_path / "all.txt"
    page.write_text(intro.format(12) + "Improves the search.\n" + intro.format(11) + "Adds a note field.\n")
    assert load_features(page, episode="11").features[0].title == "Adds a note field."
    with pytest.raises(InputError, match="holds the lists of episodes 12, 11: choose one"):
        load_features(page)
    with pytest.raises(InputError, match="episodes 12, 11"):
        pick_episode(load_episodes(page), "13", page)


def test_error_names_the_file_without_a_list(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("\n \n")
    with pytest.raises(InputError, match=r"list\.txt: no feature found"):
        load_features(tmp_path / "list.txt")


def test_large_file_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "list.txt").open("wb") as file:
        file.truncate(17 << 20)
    with pytest.raises(InputError, match="17 MB"):
        load_features(tmp_path / "list.txt")


@pytest.mark.parametrize("text", ["- {}\n", "Invoices | v4.10 #500111 | 0:11\n{} | v4.10 #500122\n"])
def test_long_title_is_refused_with_its_line(text: str) -> None:
    long = "word " * 2000 + "end"
    with pytest.raises(InputError, match=r"^line [12]: a title can have at most 5000 characters, not 10003"):
        parse_list(text.format(long))


def test_longer_list_than_any_is_refused() -> None:
    with pytest.raises(InputError, match=r"^a list can have at most 2000 entries, not 2001"):
        parse_list("".join(f"Feature {number} | #{500_000 + number}\n" for number in range(2001)))
