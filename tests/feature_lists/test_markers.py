"""A line's markers (id, version, time) in any order and form; numbers in prose."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.schema import Feature
from pipeline.core.times import format_time
from pipeline.feature_lists.markers import parse_line
from tests.support.feature_lists import make_entry


@pytest.mark.parametrize(
    "line",
    [
        "Dark theme | v2.204 #998146 | 2:04",
        "Dark theme | V2.204 # 998146 | [2:04]",
        "Dark theme | 2.204 | 998146 | 2:04",
        "Dark theme\tv2.204\t998146\t2:04",
        "Dark theme - v2.204 - #998146 - 2:04",
        "Dark theme – v2.204 – #998146 – 2:04–3:10",
        "Dark theme • v2.204 • ID 998146 • (2:04)",
        "2:04 Dark theme | v2.204 (998146)",
        "[2:04] Dark theme (v2.204, #998146)",
        "#998146 | v2.204 | 2:04 | Dark theme",
        "2:04 - 3:10 | #998146 v2.204: Dark theme",
    ],
)
def test_markers_may_have_any_order_and_separator(line: str) -> None:
    entry = parse_line(line)
    assert entry is not None
    assert entry.feature.feature_key in {"#998146", "998146"}
    assert replace(entry.feature, feature_key=None) == Feature(1, "Dark theme", "", 998146, "v2.204", False, 124.0)


@pytest.mark.parametrize(
    ("line", "title", "description"),
    [
        ("Dark theme #794180 Follows the phone.", "Dark theme", ["Follows the phone."]),
        ("Dark theme | v2.216 #1085470 | 49:41Halo now allows it.", "Dark theme", ["Halo now allows it."]),
        ("ADark theme (987605)Updated matching.", "ADark theme", ["Updated matching."]),
        ("Impact | Risk fields | v2.204 #975163 | 19:31", "Impact | Risk fields", []),
        ("Fixed #12345 in the portal | v2.204 #998146", "Fixed #12345 in the portal", []),
        ("Import (beta) | v2.204 #998146", "Import (beta)", []),
        ("headers to emails” can be overridden | v2.216 #1085470", "headers to emails” can be overridden", []),
        ("2:04 Intro", "Intro", []),
        ("Dark theme ( #998146 ) Follows the phone.", "Dark theme", ["Follows the phone."]),
        ("Dark theme [ v2.204 ] (#998146)", "Dark theme", []),
        ("Dark theme #998146 First part | v2.204 Second part", "Dark theme", ["First part Second part"]),
    ],
)
def test_title_and_description_surround_the_markers(line: str, title: str, description: list[str]) -> None:
    entry = parse_line(line)
    assert entry is not None
    assert (entry.feature.title, entry.description) == (title, description)


@pytest.mark.parametrize(
    "line",
    [
        "Use the new option. The old one will be removed in v4.0.",
        "See #4512 for details.",
        "As described in #4512.",
        "v2.204 brings many things",
        "In 2024 we paid $12,345 for port 8080 at 9:30",
        "It costs (12345) dollars",
        "Improved ID 998146 handling",
        "https://example.org/list#998146 is the page",
        "Don&#8217;t do this",
        "Listen from 2:04",
        "The ratio is 16:9 and the year 2025",
        "#998146 | v2.204 | 2:04",
        "",
    ],
)
def test_number_in_prose_is_no_marker(line: str) -> None:
    assert parse_line(line) is None


def test_further_ids_are_kept_apart() -> None:
    entry = parse_line("Dark theme | v2.204 #998146 / #998147 | 2:04")
    assert entry is not None
    assert (entry.feature.feature_id, entry.other_ids, entry.feature.published_s) == (998146, (998147,), 124.0)


def test_version_may_have_three_parts() -> None:
    entry = parse_line("Dark theme | v2.204.1 #998146")
    assert entry is not None
    assert entry.feature.version == "v2.204.1"


words = st.lists(st.from_regex(r"[A-Za-z][a-z]{1,8}", fullmatch=True), min_size=1, max_size=8).map(" ".join)


@given(words, st.integers(10_000, 99_999_999), st.integers(1, 99), st.integers(1, 999), st.integers(0, 35_999))
def test_line_of_a_page_is_read_back(title: str, feature_id: int, major: int, minor: int, at: int) -> None:
    entry = parse_line(f"{title} | v{major}.{minor} #{feature_id} | {format_time(at)}")
    assert entry == make_entry(
        title, feature_id=feature_id, version=f"v{major}.{minor}", published_s=float(at), feature_key=f"#{feature_id}"
    )


@given(st.text())
def test_title_of_any_line_is_part_of_it(line: str) -> None:
    entry = parse_line(line)
    if entry is not None:
        assert entry.feature.title
        assert entry.feature.title in line
