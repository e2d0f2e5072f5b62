"""Words become terms that can be compared, however they were written or heard."""

import pytest

from pipeline.core.language import extract_terms, language_code, load_stemmer, load_stopwords, tokenize


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Dark theme", ["dark", "theme"]),
        ("SharePoint", ["share", "point"]),
        ("C R M and J-S-O-N", ["crm", "and", "json"]),
        ("1,000 seats in 2.204", ["1000", "seats", "in", "2.204"]),
        ("the team’s list", ["the", "team", "list"]),
        ("ﬁle № 7", ["file", "no", "7"]),
        ("", []),
    ],
)
def test_words_are_cut_as_they_are_meant(text: str, words: list[str]) -> None:
    assert tokenize(text) == words


def test_terms_are_stems_without_what_every_release_note_says() -> None:
    assert extract_terms("Added improved sorting of invoices") == ["sort", "invoic"]


def test_numbers_are_digits_whether_written_or_spoken() -> None:
    assert extract_terms("twelve seats") == extract_terms("12 seats")


@pytest.mark.parametrize(("language", "same"), [("de", True), ("en", False), ("qq", False)])
def test_each_language_has_its_own_stems(language: str, same: bool) -> None:
    stem = load_stemmer(language)
    assert (stem("rechnungen") == stem("rechnung")) == same


def test_a_language_that_nobody_knows_keeps_all_its_words() -> None:
    assert load_stopwords("qq") == frozenset()
    assert {"the", "added"} <= load_stopwords("en")
    assert "added" not in load_stopwords("de")


@pytest.mark.parametrize(
    ("tag", "code"), [("en-GB", "en"), ("pt_BR", "pt"), ("DE", "de"), (None, "en"), ("", "en"), ("-", "en")]
)
def test_a_language_tag_is_known_by_its_first_part(tag: str | None, code: str) -> None:
    assert language_code(tag) == code
