"""The role of each line of a page (entry, description, heading, highlight, ignored); no line is lost."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.core.schema import LineRole
from pipeline.core.text import is_text
from pipeline.feature_lists.documents import read_document
from pipeline.feature_lists.page import Section, read_page
from tests.support.project import REPOSITORY


def read(text: str, suffix: str = ".txt") -> Section:
    (section,) = read_page(read_document(text.encode(), suffix).lines)
    return section


def entries(text: str, suffix: str = ".txt") -> list[tuple[str, str]]:
    return [(entry.feature.title, " ".join(entry.description)) for entry in read(text, suffix).entries]


# Each line of a golden file: the number, the role, the line of the entry's title or the reason, and the line's text.
GOLDEN = REPOSITORY / "tests" / "data" / "pages"


@pytest.mark.parametrize(
    ("suffix", "golden"), [(".txt", "text"), (".md", "markdown"), (".md", "headings"), (".csv", "table")]
)
def test_every_line_has_its_expected_role(suffix: str, golden: str) -> None:
    table = (GOLDEN / f"{golden}.txt").read_text(encoding="utf-8")
    rows = [line.split("|", 1) for line in table.splitlines()]
    page = "\n".join(text.removeprefix(" ") for _, text in rows)
    reports = {report.line: (report, entry) for report, entry in read(page, suffix).reports}
    for number, (expected, _) in enumerate(rows, start=1):
        outcome = ""
        if number in reports:
            report, entry = reports.pop(number)
            outcome = report.role.value
            outcome += f" {entry.line}" if entry is not None else ""
            outcome += f": {report.reason}" if report.reason else ""
        assert f"{number} {outcome}".split() == expected.split()
    assert not reports


MARKED = """\
Sort by date | v4.10 #500111 | 0:11
The list gets a button.
Dark theme | v4.10 #500122
Export limit | v4.10 #500133
It is a thousand now.
"""


def test_first_line_after_a_marked_entry_describes_it() -> None:
    assert entries(MARKED) == [
        ("Sort by date", "The list gets a button."),
        ("Dark theme", ""),
        ("Export limit", "It is a thousand now."),
    ]


def test_second_plain_line_is_an_entry() -> None:
    assert entries(MARKED.replace("button.\n", "button.\nBatch entry keeps the fund.\n"))[1] == (
        "Batch entry keeps the fund.",
        "",
    )


def test_bare_sentences_are_entries() -> None:
    assert entries("Improves the search.\nAdds a note field.\n\nRemoves the old login.\n") == [
        ("Improves the search.", ""),
        ("Adds a note field.", ""),
        ("Removes the old login.", ""),
    ]


@pytest.mark.parametrize("marker", ["", " #500111"])
def test_nested_bullets_describe_the_bullet_above(marker: str) -> None:
    text = f"- Sort by date{marker}\n- Dark theme\n  - Follows the phone\n- Export limit\n"
    assert entries(text) == [("Sort by date", ""), ("Dark theme", "Follows the phone"), ("Export limit", "")]


def test_first_of_equal_lines_is_not_a_title() -> None:
    assert entries("Sort by date\nDark theme\nExport limit\nIt is a thousand now.\n")[0] == ("Sort by date", "")


def test_entry_may_name_a_site() -> None:
    assert entries("Adds kite.io to what you can visit.\nAdds a note field.\n")[0][0].startswith("Adds kite.io")


def test_spaced_paragraphs_and_bullets_describe_one_entry() -> None:
    text = """\
Sort by date #500111

The invoice list gets a button.

Each column has one now.
- works on the phone
- Warning: saved views are reset

Dark theme #500122

Follows the phone.
"""
    assert entries(text) == [
        (
            "Sort by date",
            "The invoice list gets a button. Each column has one now. works on the phone "
            "Warning: saved views are reset",
        ),
        ("Dark theme", "Follows the phone."),
    ]


def test_continuation_belongs_to_the_description_above() -> None:
    text = MARKED.replace("button.\n", "button:\nOne for each column.\nNote: saved views are reset.\nand so on.\n")
    assert entries(text)[0][1] == "The list gets a button: One for each column. Note: saved views are reset. and so on."


def test_lines_before_the_list_have_reasons() -> None:
    text = "Kite news\nBy Ann Lee\nNovember 2, 2026\n5 min read\nWatch now: Episode 3\nFeature review:\n" + MARKED
    section = read(text)
    assert [entry.line for entry in section.entries] == [7, 9, 10]
    assert [(report.line, report.reason) for report, _ in section.reports[:6]] == [
        (1, "stands before the list"),
        (2, "the author"),
        (3, "a date"),
        (4, "the reading time"),
        (5, "a link to the episode"),
        (6, ""),
    ]


def test_list_without_heading_begins_after_boilerplate() -> None:
    text = (
        "Episode 20 of the Kite Show walks through v4.10 with a mix of practical improvements and oddities.\n"
        "Watch Now: The Kite Show: Episode 20\n"
        "For easier tracking, check out releases.example.org to search by id.\n"
        "Improves the search.\nAdds a note field.\nRemoves the old login.\n"
    )
    section = read(text)
    assert section.episode == "20"
    assert [entry.feature.title for entry in section.entries] == [
        "Improves the search.",
        "Adds a note field.",
        "Removes the old login.",
    ]


def test_highlights_before_the_list_are_not_entries() -> None:
    text = (
        "Here are a few key updates:\n· Darktheme (500122)\nEasy on the eyes.\n· Sort by date (500111)Finally.\n"
        "Full Feature review:\n" + MARKED
    )
    section = read(text)
    assert [(h.feature.title, h.feature.feature_id, h.description) for h in section.highlights] == [
        ("Darktheme", 500122, ["Easy on the eyes."]),
        ("Sort by date", 500111, ["Finally."]),
    ]
    assert len(section.entries) == 3


LIST = "Full list:\nSort by date | #500111\nDark theme | #500122\nExport limit | #500133\n"


@pytest.mark.parametrize(
    ("highlights", "expected"),
    [
        ("- Dark theme\n- Export limit", "Dark theme; Export limit"),
        ("- Dark theme\nFollows the phone\n- Export limit", "Dark theme: Follows the phone; Export limit"),
        ("- Dark theme\n  - Follows the phone\n- Export limit", "Dark theme: Follows the phone; Export limit"),
        ("Dark theme (500122)\n- Follows the phone\nSort by date", "Dark theme: Follows the phone; Sort by date"),
        ("Dark theme (500122)\nFollows the phone\nSort by date", "Dark theme: Follows the phone; Sort by date"),
        ("Dark theme\nExport limit\nIt is a thousand.", "Dark theme; Export limit: It is a thousand."),
        ("Adds a dark theme.\nRaises the limit.", "Adds a dark theme.; Raises the limit."),
    ],
)
def test_highlight_differs_from_text_about_another(highlights: str, expected: str) -> None:
    section = read(f"Highlights:\n{highlights}\n{LIST}")
    assert "; ".join(": ".join([entry.feature.title, *entry.description]) for entry in section.highlights) == expected
    assert len(section.entries) == 3


@pytest.mark.parametrize(("tags", "count"), [(3, 2), (4, 7)])
def test_head_may_have_a_few_short_lines(tags: int, count: int) -> None:
    head = ["Kite news", *(f"tag {number}" for number in range(tags)), "November 3, 2026"]
    section = read("\n".join([*head, "Sort by date | #500111", "Dark theme | #500122"]))
    assert len(section.entries) == count


@pytest.mark.parametrize("ending", [".", "!", "?", "…", ".”", '."'])
def test_title_of_bare_sentences_is_not_a_sentence(ending: str) -> None:
    lines = [f"It now sorts by {what}{ending}" for what in ("date", "name", "size")]
    assert [title for title, _ in entries("\n".join(["Kite 4.10 and what is new in it", *lines]))] == lines


def test_boilerplate_ends_the_highlights() -> None:
    section = read(f"Highlights:\nDark theme\nWatch it now\nMore of this below\n{LIST}")
    assert [entry.feature.title for entry in section.highlights] == ["Dark theme"]


def test_heading_describes_no_highlight() -> None:
    section = read(f"## Highlights\n\n- Dark theme\n\n### More of it\n\n## {LIST.replace('list:', 'list')}", ".md")
    assert [(entry.feature.title, entry.description) for entry in section.highlights] == [("Dark theme", [])]


def test_highlights_may_stand_within_the_list() -> None:
    section = read("Features:\nSort by date | #500111\nKey updates\nDark theme | #500122\nUpdates:\nLimit | #500133\n")
    assert [entry.feature.feature_id for entry in section.entries] == [500_111, 500_133]
    assert [entry.feature.feature_id for entry in section.highlights] == [500_122]


def test_important_mentions_are_highlights() -> None:
    text = "Important Mentions\nExport limit | #500133 | 40:10\nSort by date | #500111 | 0:11\nAll features\n" + MARKED
    section = read(text)
    assert [h.feature.feature_id for h in section.highlights] == [500133, 500111]
    assert [entry.feature.feature_id for entry in section.entries] == [500111, 500122, 500133]


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        (".md", "# Kite\n\n## Features\n\n- Sort by date #500111\n  - on every column\n- Dark theme #500122\n"),
        (".md", "# Kite\n\n### Sort by date #500111\n\non every column\n\n### Dark theme #500122\n"),
        (
            ".md",
            "| ID | Title | Notes |\n|--|--|--|\n| 500111 | Sort by date | on every column |\n"
            "| 500122 | Dark theme | |\n",
        ),
        (".csv", "ID,Title,Notes\n500111,Sort by date,on every column\n500122,Dark theme,\n"),
    ],
)
def test_bullets_headings_and_tables_give_equal_entries(suffix: str, text: str) -> None:
    assert entries(text, suffix) == [("Sort by date", "on every column"), ("Dark theme", "")]


def test_line_break_in_markdown_bullet_loses_no_entry() -> None:
    text = "- Dark theme #500122<br>Follows the phone\n- Sort by date #500111\n- Export limit #500133\n"
    assert entries(text, ".md") == [
        ("Dark theme", "Follows the phone"),
        ("Sort by date", ""),
        ("Export limit", ""),
    ]


def test_headings_with_text_are_bare_entries() -> None:
    text = "# Kite\n\n### Sorting\n\nBy date.\n\n### Dark theme\n\nLooks nice.\n\nAt last.\n\n### Limits\n\nHigher.\n"
    assert entries(text, ".md") == [
        ("Sorting", "By date."),
        ("Dark theme", "Looks nice. At last."),
        ("Limits", "Higher."),
    ]


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        (
            "New\nSort by date | #500111\nDark theme | #500122\nChanges\nExport limit | #500133\n",
            ["Sort by date", "Dark theme", "Export limit"],
        ),
        (
            "Features:\nSort by date | #500111\nUpdates:\nDark theme | #500122\n",
            ["Sort by date", "Dark theme"],
        ),
        (
            "Improves the search.\nAdds a note field.\nRemoves the login.\nUpdates\nSpeeds up the export.\n",
            ["Improves the search.", "Adds a note field.", "Removes the login.", "Speeds up the export."],
        ),
    ],
)
def test_heading_within_the_list_loses_no_entry(text: str, titles: list[str]) -> None:
    assert [title for title, _ in entries(text)] == titles


def test_highlight_may_point_to_a_site() -> None:
    section = read("Highlights:\nVisit the new portal at kite.io | #500111\nFull list:\n" + MARKED)
    assert [highlight.feature.feature_id for highlight in section.highlights] == [500111]


def test_page_is_split_where_another_episode_begins() -> None:
    bare = "Improves the search.\nAdds a note field.\n"
    intro = "Episode {} of the Kite Show walks through a long list of changes that matter to small teams.\n"
    text = f"{intro.format(12)}Watch Now: The Kite Show: Episode 12\n{bare}\n{intro.format(11)}{bare}{bare}"
    sections = read_page(read_document(text.encode(), ".txt").lines)
    assert [(s.episode, len(s.entries)) for s in sections] == [("12", 2), ("11", 4)]


def test_row_without_title_is_ignored() -> None:
    section = read("title,id\nSort,500111\n,500122\n", ".csv")
    assert [report.reason for report, _ in section.reports if report.role is LineRole.IGNORED] == [
        "a row without a title"
    ]


lines = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            *MARKED.splitlines(),
            "",
            "  ",
            "•",
            "- a bullet",
            "## Heading",
            "Highlights:",
            "Full Feature review:",
            "Watch Now: Episode 3",
            "In Episode 4 we talk about everything that changed in the last two releases of the product.",
            "| ID | Title |",
            "|----|-------|",
            "| 5 | x |",
            "```",
            "\u200b",
        ]
    ),
)


@given(st.lists(lines, max_size=30), st.sampled_from([".txt", ".md"]))
def test_every_visible_line_has_one_report(parts: list[str], suffix: str) -> None:
    source = [re.sub(r"[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", " ", part) for part in parts]
    # Zero bytes are a sign of UTF-16, whose lines are others.
    assume(is_text("\n".join(source)) and "\x00" not in "".join(source))
    document = read_document("\n".join(source).encode("utf-8", "replace"), suffix)
    reported = [report.line for section in read_page(document.lines) for report, _ in section.reports]
    written = {number for number, text in enumerate(source, start=1) if text.strip()}
    if suffix == ".txt":
        assert reported == sorted(written)
    else:
        assert set(reported) == written


@given(st.lists(lines, max_size=30))
def test_entries_contain_only_text_of_the_page(parts: list[str]) -> None:
    text = "\n".join(parts)
    # A text full of control codes is refused as a binary file.
    assume(is_text(text))
    for section in read_page(read_document(text.encode("utf-8", "replace"), ".txt").lines):
        page = " ".join(" ".join(report.text for report, _ in section.reports).split())
        for entry in (*section.entries, *section.highlights):
            assert " ".join(entry.feature.title.split()) in page
            assert all(part in page for part in entry.description)


def test_line_that_restates_an_entry_describes_it() -> None:
    text = (
        "Adds a note field.\nRemoves the old login.\nReports run faster.\nNames may be longer.\n"
        "bulk=true returns an answer for each object of the /field endpoint | v4.10 #500111\n"
        "The /field endpoint answers in bulk.\nMails have a footer.\nMaps have a legend.\n"
    )
    assert len(entries(text)) == 7
    assert entries(text)[4][1] == "The /field endpoint answers in bulk."


def test_release_headings_give_their_version() -> None:
    text = (
        "# Kite\n\nIt changed.\n\n## v4.11 – 2 November 2026\n\n- Sort\n- Theme\n\n## [4.10]\n\n### Fixed\n\n- Limit\n"
    )
    section = read(text, ".md")
    assert [(entry.feature.title, entry.feature.version) for entry in section.entries] == [
        ("Sort", "v4.11"),
        ("Theme", "v4.11"),
        ("Limit", "v4.10"),
    ]
    assert [line.text for line, _ in section.unread] == ["It changed."]


@pytest.mark.parametrize("verb", ["Highlight", "Stream", "Watch", "Listen to", "Subscribe to"])
def test_title_may_begin_with_any_verb(verb: str) -> None:
    text = f"- Sort by date\n- {verb} events of the team\n- Dark theme\n"
    assert len(entries(text)) == 3
