"""What each line of a page is: entry, description, heading, highlight, or ignored for a reason; none is lost."""

import re
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.core.schema import Feature, LineRole
from pipeline.core.text import is_text
from pipeline.feature_lists.documents import read_document
from pipeline.feature_lists.load import parse_episodes
from pipeline.feature_lists.page import Section, read_page
from pipeline.feature_lists.writer import format_page
from tests.support.project import REPOSITORY


def read(text: str, suffix: str = ".txt") -> Section:
    (section,) = read_page(read_document(text.encode(), suffix).lines)
    return section


def entries(text: str, suffix: str = ".txt") -> list[tuple[str, str]]:
    return [(draft.title, " ".join(draft.description)) for draft in read(text, suffix).entries]


# Each line of a page: its number, what became of it (and of which entry, by the line of its title, or why), its text.
GOLDEN = REPOSITORY / "tests" / "data" / "pages"


@pytest.mark.parametrize(
    ("suffix", "golden"), [(".txt", "text"), (".md", "markdown"), (".md", "headings"), (".csv", "table")]
)
def test_what_becomes_of_every_line_of_a_page(suffix: str, golden: str) -> None:
    told = (GOLDEN / f"{golden}.txt").read_text(encoding="utf-8")
    shown = [line.split("|", 1) for line in told.splitlines()]
    page = "\n".join(text.removeprefix(" ") for _, text in shown)
    accounts = {account.line: account for account in read(page, suffix).accounts}
    for number, (expected, _) in enumerate(shown, start=1):
        account = accounts.pop(number, None)
        what = "" if account is None else account.role.value
        if account is not None and account.entry is not None:
            what += f" {account.entry}"
        if account is not None and account.reason:
            what += f": {account.reason}"
        assert f"{number} {what}".split() == expected.split()
    assert not accounts


MARKED = """\
Sort by date | v4.10 #500111 | 0:11
The list gets a button.
Dark theme | v4.10 #500122
Export limit | v4.10 #500133
It is a thousand now.
"""


def test_the_first_line_after_a_marked_entry_describes_it() -> None:
    assert entries(MARKED) == [
        ("Sort by date", "The list gets a button."),
        ("Dark theme", ""),
        ("Export limit", "It is a thousand now."),
    ]


def test_a_second_plain_line_is_an_entry_of_its_own() -> None:
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


@pytest.mark.parametrize("marks", ["", " #500111"])
def test_bullets_beside_each_other_are_entries_and_those_below_describe(marks: str) -> None:
    text = f"- Sort by date{marks}\n- Dark theme\n  - Follows the phone\n- Export limit\n"
    assert entries(text) == [("Sort by date", ""), ("Dark theme", "Follows the phone"), ("Export limit", "")]


def test_a_line_like_all_others_is_no_title() -> None:
    assert entries("Sort by date\nDark theme\nExport limit\nIt is a thousand now.\n")[0] == ("Sort by date", "")


def test_an_entry_may_name_a_site_and_send_nobody_there() -> None:
    assert entries("Adds kite.io to what you can visit.\nAdds a note field.\n")[0][0].startswith("Adds kite.io")


def test_a_title_a_blank_line_a_paragraph_and_bullets_are_one_entry() -> None:
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


def test_a_line_that_goes_on_from_the_one_before_belongs_to_it() -> None:
    text = MARKED.replace("button.\n", "button:\nOne for each column.\nNote: saved views are reset.\nand so on.\n")
    assert entries(text)[0][1] == "The list gets a button: One for each column. Note: saved views are reset. and so on."


def test_what_stands_before_the_list_is_accounted_for() -> None:
    text = "Kite news\nBy Ann Lee\nNovember 2, 2026\n5 min read\nWatch now: Episode 3\nFeature review:\n" + MARKED
    section = read(text)
    assert [draft.line for draft in section.entries] == [7, 9, 10]
    assert [(a.line, a.reason) for a in section.accounts[:6]] == [
        (1, "stands before the list"),
        (2, "who wrote it"),
        (3, "a date"),
        (4, "the reading time"),
        (5, "a link to the episode"),
        (6, ""),
    ]


def test_without_a_heading_the_list_begins_after_the_page_s_usual_lines() -> None:
    text = (
        "Episode 20 of the Kite Show walks through v4.10 with a mix of practical improvements and oddities.\n"
        "Watch Now: The Kite Show: Episode 20\n"
        "For easier tracking, check out releases.example.org to search by id.\n"
        "Improves the search.\nAdds a note field.\nRemoves the old login.\n"
    )
    section = read(text)
    assert section.episode == "20"
    assert [draft.title for draft in section.entries] == [
        "Improves the search.",
        "Adds a note field.",
        "Removes the old login.",
    ]


def test_highlights_before_the_list_are_kept_apart() -> None:
    text = (
        "Here are a few key updates:\n· Darktheme (500122)\nEasy on the eyes.\n· Sort by date (500111)Finally.\n"
        "Full Feature review:\n" + MARKED
    )
    section = read(text)
    assert [(h.title, h.feature_id, h.description) for h in section.highlights] == [
        ("Darktheme", 500122, ["Easy on the eyes."]),
        ("Sort by date", 500111, ["Finally."]),
    ]
    assert len(section.entries) == 3


LIST = "Full list:\nSort by date | #500111\nDark theme | #500122\nExport limit | #500133\n"


@pytest.mark.parametrize(
    ("highlights", "read_as"),
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
def test_a_highlight_is_told_from_what_is_said_of_the_one_above(highlights: str, read_as: str) -> None:
    section = read(f"Highlights:\n{highlights}\n{LIST}")
    assert "; ".join(": ".join([draft.title, *draft.description]) for draft in section.highlights) == read_as
    assert len(section.entries) == 3


@pytest.mark.parametrize(("tags", "entries_read"), [(3, 2), (4, 7)])
def test_a_few_short_lines_may_stand_between_those_that_every_page_has(tags: int, entries_read: int) -> None:
    head = ["Kite news", *(f"tag {number}" for number in range(tags)), "November 3, 2026"]
    section = read("\n".join([*head, "Sort by date | #500111", "Dark theme | #500122"]))
    assert len(section.entries) == entries_read


@pytest.mark.parametrize("ending", [".", "!", "?", "…", ".”", '."'])
def test_a_page_of_sentences_has_a_title_that_is_none(ending: str) -> None:
    lines = [f"It now sorts by {what}{ending}" for what in ("date", "name", "size")]
    assert [title for title, _ in entries("\n".join(["Kite 4.10 and what is new in it", *lines]))] == lines


def test_highlights_end_at_the_usual_lines_of_a_page() -> None:
    section = read(f"Highlights:\nDark theme\nWatch it now\nMore of this below\n{LIST}")
    assert [draft.title for draft in section.highlights] == ["Dark theme"]


def test_a_heading_says_nothing_of_the_highlight_above_it() -> None:
    section = read(f"## Highlights\n\n- Dark theme\n\n### More of it\n\n## {LIST.replace('list:', 'list')}", ".md")
    assert [(draft.title, draft.description) for draft in section.highlights] == [("Dark theme", [])]


def test_highlights_may_stand_within_the_list() -> None:
    section = read("Features:\nSort by date | #500111\nKey updates\nDark theme | #500122\nUpdates:\nLimit | #500133\n")
    assert [draft.feature_id for draft in section.entries] == [500_111, 500_133]
    assert [draft.feature_id for draft in section.highlights] == [500_122]


def test_important_mentions_with_times_stand_before_the_list() -> None:
    text = "Important Mentions\nExport limit | #500133 | 40:10\nSort by date | #500111 | 0:11\nAll features\n" + MARKED
    section = read(text)
    assert [h.feature_id for h in section.highlights] == [500133, 500111]
    assert [draft.feature_id for draft in section.entries] == [500111, 500122, 500133]


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
def test_lists_items_headings_and_tables_give_the_same_entries(suffix: str, text: str) -> None:
    assert entries(text, suffix) == [("Sort by date", "on every column"), ("Dark theme", "")]


def test_headings_with_text_below_are_entries_where_nothing_is_marked() -> None:
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
def test_a_heading_in_the_middle_of_a_list_loses_none_of_its_entries(text: str, titles: list[str]) -> None:
    assert [title for title, _ in entries(text)] == titles


def test_a_highlight_that_points_elsewhere_is_still_a_highlight() -> None:
    section = read("Highlights:\nVisit the new portal at kite.io | #500111\nFull list:\n" + MARKED)
    assert [highlight.feature_id for highlight in section.highlights] == [500111]


def test_a_page_of_several_episodes_is_split_where_another_is_named() -> None:
    bare = "Improves the search.\nAdds a note field.\n"
    intro = "Episode {} of the Kite Show walks through a long list of changes that matter to small teams.\n"
    text = f"{intro.format(12)}Watch Now: The Kite Show: Episode 12\n{bare}\n{intro.format(11)}{bare}{bare}"
    sections = read_page(read_document(text.encode(), ".txt").lines)
    assert [(s.episode, len(s.entries)) for s in sections] == [("12", 2), ("11", 4)]


def test_a_row_without_a_title_is_ignored_with_a_reason() -> None:
    section = read("title,id\nSort,500111\n,500122\n", ".csv")
    assert [a.reason for a in section.accounts if a.role is LineRole.IGNORED] == ["a row without a title"]


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
def test_every_line_that_is_not_blank_is_accounted_for_once_and_none_is_made_up(parts: list[str], suffix: str) -> None:
    source = [re.sub(r"[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", " ", part) for part in parts]
    assume(is_text("\n".join(source)))
    document = read_document("\n".join(source).encode("utf-8", "replace"), suffix)
    accounts = [account.line for section in read_page(document.lines) for account in section.accounts]
    written = {number for number, text in enumerate(source, start=1) if text.strip()}
    if suffix == ".txt":
        assert accounts == sorted(written)
    else:
        assert set(accounts) == written


@given(st.lists(lines, max_size=30))
def test_no_entry_says_what_its_lines_do_not(parts: list[str]) -> None:
    text = "\n".join(parts)
    # What is full of control codes is refused as a whole, as some other kind of file.
    assume(is_text(text))
    for section in read_page(read_document(text.encode("utf-8", "replace"), ".txt").lines):
        told = " ".join(account.text for account in section.accounts)
        for draft in (*section.entries, *section.highlights):
            assert " ".join(draft.title.split()) in " ".join(told.split())
            assert all(part in " ".join(told.split()) for part in draft.description)


words = st.lists(
    st.from_regex(r"[A-Z][a-z]{1,8}|[a-z]{2,9}|\d{1,3}%|\(beta\)|“x”", fullmatch=True), min_size=2, max_size=9
)
sentences = words.map(lambda parts: "The " + " ".join(parts) + ".")
features = st.builds(
    lambda title, description, version, highlight, at: (title, description, version, highlight, at),
    words.map(lambda parts: "Adds " + " ".join(parts)),
    st.just("") | sentences,
    st.none() | st.sampled_from(["v4.10", "v4.11.2"]),
    st.booleans(),
    st.none() | st.integers(0, 20_000).map(float),
)


@given(st.lists(features, min_size=1, max_size=12), st.booleans())
def test_show_notes_written_by_us_are_read_back_as_the_same_list(
    parts: list[tuple[str, str, str | None, bool, float | None]], with_ids: bool
) -> None:
    listed = tuple(
        Feature(
            n,
            f"{title} {n * 7919}",
            text,
            500_000 + n if with_ids else None,
            version if with_ids else None,
            mark and with_ids,
            at,
        )
        for n, (title, text, version, mark, at) in enumerate(parts, start=1)
    )
    (found,) = parse_episodes(format_page(listed).encode())
    assert found.features == listed


def test_a_list_with_ids_is_written_without_bullets_and_another_with_them() -> None:
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
