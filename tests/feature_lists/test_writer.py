"""Written lists, which are read back as the same lists."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.schema import Feature
from pipeline.feature_lists.writer import dump_features, format_page
from tests.support.feature_lists import LIST_PAGE, parse_list


@pytest.mark.parametrize("suffix", [".csv", ".json", ".txt"])
def test_written_list_is_read_back(suffix: str) -> None:
    features = parse_list(LIST_PAGE).features
    assert parse_list(dump_features(features, suffix), suffix).features == features


def is_read_as_one_title(text: str) -> bool:
    return parse_list(dump_features([Feature(1, text)], ".json"), ".json").features[0].title == text


plain = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1)
titles = plain.map(lambda text: " ".join(text.split())).filter(lambda text: bool(text) and is_read_as_one_title(text))


@given(st.lists(st.tuples(titles, st.booleans()), min_size=1))
def test_tables_keep_any_titles(rows: list[tuple[str, bool]]) -> None:
    features = tuple(
        Feature(number, title, feature_id=500_000 + number if has_id else None)
        for number, (title, has_id) in enumerate(rows, 1)
    )
    for suffix in (".csv", ".json"):
        assert parse_list(dump_features(features, suffix), suffix).features == features


words = st.lists(
    st.from_regex(r"(?!Id)[A-Z][a-z]{1,8}|[a-z]{2,9}|\d{1,3}%|\(beta\)|“x”", fullmatch=True), min_size=2, max_size=9
)
features_without_id = st.builds(
    Feature,
    st.just(1),
    words.map(lambda parts: "Adds " + " ".join(parts)),
    st.just("") | words.map(lambda parts: "The " + " ".join(parts) + "."),
    st.none(),
    st.none() | st.sampled_from(["v4.10", "v4.11.2"]),
    st.booleans(),
    st.none() | st.integers(0, 20_000).map(float),
)


@given(st.lists(features_without_id, min_size=1, max_size=12), st.booleans())
def test_written_page_is_read_back(drawn: list[Feature], with_ids: bool) -> None:
    features = tuple(
        replace(
            feature,
            position=number,
            title=f"{feature.title} {number * 7919}",
            feature_id=500_000 + number if with_ids else None,
            feature_key=f"#{500_000 + number}" if with_ids else None,
            version=feature.version if with_ids else None,
            highlight=feature.highlight and with_ids,
        )
        for number, feature in enumerate(drawn, start=1)
    )
    assert parse_list(format_page(features)).features == features


def test_page_has_bullets_where_ids_are_missing() -> None:
    sort = Feature(1, "Sort by date", "By name, too.", 500_111, "v4.10", highlight=True, published_s=71.0)
    numbered = (sort, Feature(2, "Dark theme", feature_id=500_122))
    assert format_page(numbered) == (
        "Highlights:\n· Sort by date (500111)\nFull feature review:\n"
        "Sort by date | v4.10 #500111 | 1:11\nBy name, too.\nDark theme | #500122\n"
    )
    assert format_page((replace(sort, feature_id=None), Feature(2, "Dark theme"))) == (
        "Highlights:\n· Sort by date\nFull feature review:\n"
        "- Sort by date | v4.10 | 1:11\n  - By name, too.\n- Dark theme\n"
    )
