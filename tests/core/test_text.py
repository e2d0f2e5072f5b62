"""Text of any encoding becomes text that people see, and nothing that drives a terminal."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.text import (
    clean_line,
    clean_text,
    decode_text,
    escape_formula,
    printable,
    unescape_formula,
)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("Dünkles “Schema”".encode(), "Dünkles “Schema”"),
        (codecs.BOM_UTF8 + b"Schema", "Schema"),
        (codecs.BOM_UTF16_LE + "Dünkles".encode("utf-16-le"), "Dünkles"),
        (codecs.BOM_UTF16_BE + "Dünkles".encode("utf-16-be"), "Dünkles"),
        (codecs.BOM_UTF16_LE + "Schema".encode("utf-16-le") + b"\x00", "Schema�"),
        ("Dünkles “Schema” – 5 €".encode("cp1252"), "Dünkles “Schema” – 5 €"),
        (b"D\xfcnkles\x81", "Dünkles�"),
        ("Dünkles Schema".encode("utf-16-le"), "Dünkles Schema"),
        ("Dünkles Schema".encode("utf-16-be"), "Dünkles Schema"),
        (b"", ""),
        (b"\x00", "\x00"),
        (b"one\rtwo\r", "one\ntwo\n"),
        (b"one\r\ntwo\r", "one\r\ntwo\r"),
    ],
)
def test_decode_detects_encoding(content: bytes, text: str) -> None:
    assert decode_text(content) == text


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_decode_reads_encodings_of_common_editors(codec: str) -> None:
    assert decode_text("Größe – “ok”".encode(codec)) == "Größe – “ok”"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("plain", "plain"),
        ("  two \t words\n", "two words"),
        ("in\u00advisi\u200bble", "invisible"),
        ("\u202eturned\u202c", "turned"),
        ("red\x1b[31m", "red [31m"),
    ],
)
def test_clean_removes_invisible_characters(text: str, clean: str) -> None:
    assert clean_text(text) == clean


def test_clean_line_keeps_separating_tabs() -> None:
    assert clean_line("\t Dark  theme\t\tv2.204 \u200b\t#998146\t") == "Dark theme\tv2.204\t#998146"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain – “text”", "plain – “text”"),
        ("two\nlines", "two\nlines"),
        ("red\x1b[31m", "red�[31m"),
        ("a\u202eb\tc\nd", "a�b�c\nd"),
    ],
)
def test_printable_replaces_terminal_controls(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "\tx", "\rx", "\nx", "＝1", "＋1", "－1", "＠x", "'=1"])
def test_formula_is_escaped(text: str) -> None:
    assert escape_formula(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "plain", "1-1", "'quoted'", " =1"])
def test_other_text_is_not_escaped(text: str) -> None:
    assert escape_formula(text) == unescape_formula(text) == text


@given(st.text())
def test_escaped_text_survives_a_round_trip(text: str) -> None:
    assert unescape_formula(escape_formula(text)) == text


@given(st.text("'=x"))
def test_own_apostrophes_survive_a_round_trip(text: str) -> None:
    assert unescape_formula(escape_formula(text)) == text
