"""A line's markers (id, version, time) in any order and form; numbers in prose."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.schema import Feature
from pipeline.core.times import format_time
from pipeline.feature_lists.markers import parse_entries, parse_line
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


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("Dark theme | KITE-12 | 2:04", "KITE-12"),
        ("[KITE-12] - Dark theme", "KITE-12"),
        ("Dark theme (GH-12)", "GH-12"),
        ("Dark theme [AB#77]", "AB#77"),
        ("Dark theme | KB5034441", "KB5034441"),
        ("Dark theme !345", "!345"),
        ("Dark theme (#12)", "#12"),
        ("Dark theme (#1148) (4f3b2a1), closes #1101", "#1148"),
    ],
)
def test_id_of_any_tracker_is_the_key(line: str, key: str) -> None:
    entry = parse_line(line)
    assert entry is not None
    assert (entry.feature.title, entry.feature.feature_key) == ("Dark theme", key)


@pytest.mark.parametrize("line", ["Adds text in UTF-8", "Support of SHA-256 (AES-128)", "Faster on RTX-4090"])
def test_name_of_a_standard_is_not_a_key(line: str) -> None:
    assert parse_line(line) is None


@pytest.mark.parametrize(
    ("marker", "version"),
    [("v1.2.3-rc.1", "v1.2.3-rc.1"), ("24H2", "24H2"), ("2024.03 LTS", "v2024.03 LTS"), ("Version 3.119", "v3.119")],
)
def test_version_is_kept_whole(marker: str, version: str) -> None:
    entry = parse_line(f"Dark theme | {marker} | #500111")
    assert entry is not None
    assert (entry.feature.title, entry.feature.version) == ("Dark theme", version)


def test_line_may_hold_two_entries() -> None:
    entries = parse_entries("Dark theme | v4.10 #500111 | 0:30 Sorting | v4.10 #500122 | 0:57")
    assert [(entry.feature.title, entry.feature.published_s) for entry in entries] == [
        ("Dark theme", 30.0),
        ("Sorting", 57.0),
    ]


def test_full_width_signs_are_markers() -> None:
    entry = parse_line("００：３０　標題")
    assert entry is not None
    assert (entry.feature.title, entry.feature.published_s) == ("標題", 30.0)
