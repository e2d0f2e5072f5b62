"""Documents of every format become the same numbered lines, or rows whose columns are known."""

import pytest

from pipeline.core.errors import InputError
from pipeline.feature_lists.documents import read_document
from pipeline.feature_lists.lines import Document, WarningKind
from tests.support.feature_lists import make_entry


def outline(document: Document) -> list[tuple[int, str, str, int]]:
    return [(line.number, line.kind.value, line.text, line.level) for line in document.lines]


def test_plain_text_has_lines_and_bullets() -> None:
    document = read_document("Heading\n\n· One\n  - Two\n1. Three\n•\n".encode(), ".txt")
    assert outline(document) == [
        (1, "text", "Heading", 0),
        (3, "bullet", "One", 1),
        (4, "bullet", "Two", 2),
        (5, "bullet", "Three", 1),
        (6, "markup", "•", 0),
    ]
    assert [line.spaced for line in document.lines] == [False, True, False, False, False]


def test_markdown_keeps_its_source_lines() -> None:
    source = """# Kite [4.10](https://example.org)

Highlights:

- **Dark** theme `#500122`
  second line
  - nested

| ID | Feature | Release |
|----|---------|---------|
| 500111 | Sort *by* date | 4.10 |

---
Text<br>more
"""
    document = read_document(source.encode(), ".md")
    assert outline(document) == [
        (1, "heading", "Kite 4.10", 1),
        (3, "text", "Highlights:", 0),
        (5, "bullet", "Dark theme #500122", 1),
        (6, "text", "second line", 0),
        (7, "bullet", "nested", 2),
        (9, "columns", "ID | Feature | Release", 0),
        (10, "markup", "|----|---------|---------|", 0),
        (11, "row", "500111 | Sort by date | 4.10", 0),
        (13, "markup", "---", 0),
        (14, "text", "Text", 0),
        (14, "text", "more", 0),
    ]
    assert document.lines[7].entry == make_entry(
        "Sort by date", feature_id=500111, version="v4.10", feature_key="500111"
    )


PAGE = """<!doctype html><html><head><title>Kite 4.10</title></head><body>
<nav><ul><li><a href="/">Home</a></li><li><a href="/p">Pricing plans</a></li></ul></nav>
<article><h1>Kite v4.10 in detail</h1>
<p>In this post we walk through everything that changed in the product, with a word on who should care about it.</p>
<h2>Full Feature review</h2>
<p>Invoices can be <b>sorted</b> by due date | v4.10 #500111 | 0:11<br>The list gets a button.</p>
<ul><li><b>Dark theme</b> #500122<br>Easy on the eyes<ul><li>Follows the phone</li></ul></li></ul>
<table><tr><th>ID</th><th>Feature</th></tr><tr><td>500133</td><td>Export limit</td></tr></table>
</article><aside><p>Read also: #599999</p></aside><footer><p>Copyright Kite Inc. Privacy</p></footer></body></html>"""


def test_html_is_read_without_menu_and_footer() -> None:
    document = read_document(PAGE.encode(), ".html")
    assert [(line.kind.value, line.text) for line in document.lines] == [
        ("heading", "Kite v4.10 in detail"),
        (
            "text",
            "In this post we walk through everything that changed in the product, with a word on who should care "
            "about it.",
        ),
        ("heading", "Full Feature review"),
        ("text", "Invoices can be sorted by due date | v4.10 #500111 | 0:11"),
        ("text", "The list gets a button."),
        ("bullet", "Dark theme #500122"),
        ("text", "Easy on the eyes"),
        ("bullet", "Follows the phone"),
        ("columns", "ID | Feature"),
        ("row", "500133 | Export limit"),
    ]


def test_id_outside_the_article_gives_a_warning() -> None:
    (warning,) = read_document(PAGE.encode(), ".html").warnings
    assert warning.kind is WarningKind.ID_OUTSIDE_ARTICLE
    assert warning.describe("line") == "the page names #599999 outside its article"


def test_page_without_an_article_is_refused() -> None:
    with pytest.raises(InputError, match="no article was found"):
        read_document(b"<html><body></body></html>", ".html")


def test_line_ends_of_all_systems_count_alike() -> None:
    for end in ("\n", "\r\n"):
        assert [line.number for line in read_document(f"a b{end}{end}c d{end}".encode(), ".txt").lines] == [1, 3]


@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        (".json", b"{"),
        (".json", b'{"a": 1}'),
        (".json", b"[1]"),
        (".json", b"[" * 100_000),
        (".csv", b"a,b\n1,2\n"),
        (".csv", b""),
        (".xlsx", b"PK no workbook"),
        (".docx", b"PK"),
        (".txt", bytes(range(256)) * 4),
        (".md", b"ID3\x04\x00\x00" * 40),
    ],
)
def test_document_of_another_format_is_refused(suffix: str, content: bytes) -> None:
    with pytest.raises(InputError):
        read_document(content, suffix)
