"""One line: id, version and time in any order and dress, the title between them; numbers in prose are no marks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.times import format_time
from pipeline.feature_lists.lines import MarkedLine, read_line

FULL = MarkedLine("Dark theme", "", 998146, "v2.204", 124.0)


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
def test_the_parts_stand_in_any_order_with_any_separator(line: str) -> None:
    assert read_line(line) == FULL


@pytest.mark.parametrize(
    ("line", "title", "description"),
    [
        ("Dark theme #794180 Follows the phone.", "Dark theme", "Follows the phone."),
        ("Dark theme | v2.216 #1085470 | 49:41Halo now allows it.", "Dark theme", "Halo now allows it."),
        ("ADark theme (987605)Updated matching.", "ADark theme", "Updated matching."),
        ("Impact | Risk fields | v2.204 #975163 | 19:31", "Impact | Risk fields", ""),
        ("Fixed #12345 in the portal | v2.204 #998146", "Fixed #12345 in the portal", ""),
        ("Import (beta) | v2.204 #998146", "Import (beta)", ""),
        ("headers to emails” can be overridden | v2.216 #1085470", "headers to emails” can be overridden", ""),
        ("2:04 Intro", "Intro", ""),
        ("Dark theme ( #998146 ) Follows the phone.", "Dark theme", "Follows the phone."),
        ("Dark theme [ v2.204 ] (#998146)", "Dark theme", ""),
        ("Dark theme #998146 First part | v2.204 Second part", "Dark theme", "First part Second part"),
    ],
)
def test_title_and_description_lie_around_the_marks(line: str, title: str, description: str) -> None:
    found = read_line(line)
    assert found is not None
    assert (found.title, found.description) == (title, description)


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
def test_a_number_in_prose_is_no_mark(line: str) -> None:
    assert read_line(line) is None


def test_the_second_id_of_an_entry_is_told_apart() -> None:
    found = read_line("Dark theme | v2.204 #998146 / #998147 | 2:04")
    assert found is not None
    assert (found.feature_id, found.other_ids, found.published_s) == (998146, (998147,), 124.0)


def test_a_version_may_have_more_than_two_parts() -> None:
    found = read_line("Dark theme | v2.204.1 #998146")
    assert found is not None
    assert found.version == "v2.204.1"


words = st.lists(st.from_regex(r"[A-Za-z][a-z]{1,8}", fullmatch=True), min_size=1, max_size=8).map(" ".join)


@given(words, st.integers(10_000, 99_999_999), st.integers(1, 99), st.integers(1, 999), st.integers(0, 35_999))
def test_any_entry_written_as_the_page_does_is_read_back(
    title: str, number: int, major: int, minor: int, at: int
) -> None:
    found = read_line(f"{title} | v{major}.{minor} #{number} | {format_time(at)}")
    assert found == MarkedLine(title, "", number, f"v{major}.{minor}", float(at))


@given(st.text())
def test_any_line_is_read_or_left_without_losing_a_letter(line: str) -> None:
    found = read_line(line)
    if found is not None:
        assert found.title
        assert all(part in line for part in (found.title,))
