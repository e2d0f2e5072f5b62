"""Wordings are the same in any layout and Unicode form, and differ where a number, a sign or an opposite does."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.wording import (
    contradicts,
    is_related,
    nearly_same,
    normalize_wording,
    same_title,
    same_wording,
    wording_similarity,
)


@pytest.mark.parametrize("seen", ["Dark theme", "dark-theme!", "DarkTheme", " dark_theme ", "„Dark“ theme…"])
def test_wording_ignores_spaces_punctuation_and_case(seen: str) -> None:
    assert same_wording(seen, "Dark theme")
    assert wording_similarity(seen, "Dark theme") == 100.0


@pytest.mark.parametrize(("one", "other"), [("Dark theme", "Dark themes"), ("Dark theme", None), (None, None)])
def test_different_or_unknown_wordings_differ(one: str | None, other: str | None) -> None:
    assert not same_wording(one, other)


def test_similarity_falls_with_each_different_letter() -> None:
    near, far = wording_similarity("Dark theme", "Dark themes"), wording_similarity("Dark theme", "Export limit")
    assert 100.0 > near > 90.0 > far


@given(st.text(max_size=20))
def test_unicode_form_and_capitals_never_matter(text: str) -> None:
    for other in (unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text), f" {text} "):
        assert normalize_wording(other) == normalize_wording(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Samples in C++", "Samples in C"),
        ("Samples in F#", "Samples in F"),
        (".NET samples", "NET samples"),
        ("Firmware 2.1", "Firmware 21"),
        ("Firmware 2 1", "Firmware 21"),
        ("Ratio 1:1", "Ratio 11"),
        ("Offset -5", "Offset 5"),
        ("Grade A+", "Grade A-"),
        ("Budget in $", "Budget in €"),
        ("Rows < 10", "Rows > 10"),
        ("Sort ↑", "Sort ↓"),
        ("x != y", "x = y"),
        ("main()", "main"),
        ("कि", "की"),
        ("café", "cafe"),
    ],
)
def test_signs_and_digits_are_kept(one: str, other: str) -> None:
    assert not same_wording(one, other)
    assert not nearly_same(one, other)


@pytest.mark.parametrize("text", ["한글 지원", "Café für Ångström", "ガイド", "Việt Nam"])
def test_unicode_forms_are_one_wording(text: str) -> None:
    decomposed = unicodedata.normalize("NFD", text)
    assert decomposed != text
    assert same_wording(text, decomposed)
    assert same_title(text, decomposed)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Works with Server 2019 in every region", "Works with Server 2022 in every region"),
        ("Added the export of invoices to the list", "Removed the export of invoices to the list"),
        ("Invoices can be locked by an accountant", "Invoices can be unlocked by an accountant"),
        ("Sort the table in ascending order of dates", "Sort the table in descending order of dates"),
        ("Guests can comment on published pages", "Guests can't comment on published pages"),
        ("Two columns in the printed report of loans", "Three columns in the printed report of loans"),
        ("The rollout of phase II for all branches", "The rollout of phase III for all branches"),
        ("Support for plan B in the whole planner", "Support for plan C in the whole planner"),
        ("Minimize the window of the media player", "Maximize the window of the media player"),
        ("Login with a password for the kiosk", "Login without a password for the kiosk"),
    ],
)
def test_contradiction_is_never_nearly_same(one: str, other: str) -> None:
    assert contradicts(one, other)
    assert contradicts(other, one)
    assert not nearly_same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Better search in the archive", "Better serch in the archive"),
        ("Notes can be pinned to a board", "Notes can now be pinned to the board"),
        ("A work flow for late returns", "A workflow for late returns"),
        ("Colour labels for the shelves", "Color labels for the shelves"),
    ],
)
def test_slips_are_nearly_same(one: str, other: str) -> None:
    assert nearly_same(one, other)
    assert nearly_same(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Export the reading list as a PDF file", "Export the reading list as a CSV file"),
        ("支持在归档中搜索旧版", "支持在归档中搜索新版"),
    ],
)
def test_exchanged_word_is_another_entry(one: str, other: str) -> None:
    assert not nearly_same(one, other)


def test_related_wordings_share_content() -> None:
    assert is_related("Added a dark theme to the mobile app", "A night theme")
    assert not is_related("Barcode labels for shelves", "Seed library packets")
    assert not is_related("Dark theme for phone 10", "Dark theme for phone 11")
