"""Documents of every format become the same numbered lines, or rows whose columns are known."""

import time
from contextlib import suppress

import pytest

from pipeline.core.errors import InputError
from pipeline.feature_lists.documents import read_document
from pipeline.feature_lists.lines import Document, WarningKind
from pipeline.feature_lists.load import parse_episodes
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


def titles_of(content: bytes, suffix: str) -> list[str]:
    return [feature.title for feature in parse_episodes(content, suffix)[0].features]


@pytest.mark.parametrize("charset", ["windows-1251", "koi8-r", "utf-8", "iso-8859-5"])
@pytest.mark.parametrize(
    "declaration", ['<meta charset="{}">', '<meta http-equiv="Content-Type" content="text/html; charset={}">']
)
def test_declared_encoding_of_a_page_is_used(charset: str, declaration: str) -> None:
    items = "<li>Печать карт | v2.1 #600101</li><li>Новый поиск | v2.1 #600102</li>"
    head = f"<html><head>{declaration.format(charset)}</head>"
    page = f"{head}<body><article><h1>A</h1><ul>{items}</ul></article></body></html>"
    assert titles_of(page.encode(charset), ".html") == ["Печать карт", "Новый поиск"]


@pytest.mark.parametrize("bad", [b"\xff", b"\xc3", b"\xe9\xa0"])
def test_bad_byte_spoils_one_letter(bad: bytes) -> None:
    text = "Größe der Türme | v2.1 #600101\nNächste Prüfung {} | v2.1 #600102\n"
    (listed,) = parse_episodes(text.encode().replace(b"{}", bad), ".txt")
    assert listed.features[0].title == "Größe der Türme"
    assert listed.features[1].title.startswith("Nächste Prüfung")
    assert any("not UTF-8" in warning and "line 2" in warning for warning in listed.warnings)


def test_windows_text_keeps_its_letters() -> None:
    assert titles_of("Größe der Türme | v2.1 #600101\nÉté à Zürich | v2.1 #600102\n".encode("cp1252"), ".txt") == [
        "Größe der Türme",
        "Été à Zürich",
    ]


HUGE = {
    "lines": (b"a\n\n" * 60_000, ".txt"),
    "brackets": (b"![" * 30 + b"\n" + (b"![" * 30 + b"\n") * 30_000, ".md"),
    "elements": (b"<html><body>" + b"<p>a</p>" * 60_000 + b"</body></html>", ".html"),
    "characters": (b"a" * 9_000_000, ".txt"),
    "rows": (b"title\n" + b"a\n" * 60_000, ".csv"),
}


@pytest.mark.parametrize("kind", HUGE)
def test_huge_document_is_refused_at_once(kind: str) -> None:
    began = time.process_time()
    with pytest.raises(InputError, match="is this another file"):
        parse_episodes(*HUGE[kind])
    assert time.process_time() - began < 2


@pytest.mark.slow
def test_many_brackets_are_read_as_text() -> None:
    began = time.process_time()
    with suppress(InputError):
        parse_episodes((b"![" * 30 + b"\n") * 10_000, ".md")
    assert time.process_time() - began < 20


def test_version_as_a_number_keeps_its_zero() -> None:
    (listed,) = parse_episodes(b'[{"title": "Print a map", "id": 600101, "version": 2.10}]', ".json")
    assert listed.features[0].version == "v2.10"
