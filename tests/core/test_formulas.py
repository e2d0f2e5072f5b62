"""No text in a CSV is run by a spreadsheet, and each comes back as it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.text import escape_formula, unescape_formula


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "\tx", "\rx", "\nx", "＝1", "＋1", "－1", "＠x", "'=1"])
def test_what_a_spreadsheet_would_run_is_told_to_be_text(text: str) -> None:
    assert escape_formula(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "plain", "1-1", "'quoted'", " =1"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert escape_formula(text) == unescape_formula(text) == text


@given(st.text())
def test_any_text_comes_back(text: str) -> None:
    assert unescape_formula(escape_formula(text)) == text


@given(st.text("'=x"))
def test_apostrophes_of_its_own_come_back_too(text: str) -> None:
    assert unescape_formula(escape_formula(text)) == text
