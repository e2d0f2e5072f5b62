"""Words become terms that are equal for written and transcribed spellings."""

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
def test_tokenize_splits_words(text: str, words: list[str]) -> None:
    assert tokenize(text) == words


def test_terms_are_stems_without_stop_words() -> None:
    assert extract_terms("Added improved sorting of invoices") == ["sort", "invoic"]


def test_spoken_numbers_become_digits() -> None:
    assert extract_terms("twelve seats") == extract_terms("12 seats")


@pytest.mark.parametrize(("language", "same"), [("de", True), ("en", False), ("qq", False)])
def test_stems_depend_on_language(language: str, same: bool) -> None:
    stem = load_stemmer(language)
    assert (stem("rechnungen") == stem("rechnung")) == same


def test_unknown_language_keeps_all_words() -> None:
    assert load_stopwords("qq") == frozenset()
    assert {"the", "added"} <= load_stopwords("en")
    assert "added" not in load_stopwords("de")


@pytest.mark.parametrize(
    ("tag", "code"), [("en-GB", "en"), ("pt_BR", "pt"), ("DE", "de"), (None, "en"), ("", "en"), ("-", "en")]
)
def test_language_code_is_first_part_of_tag(tag: str | None, code: str) -> None:
    assert language_code(tag) == code
