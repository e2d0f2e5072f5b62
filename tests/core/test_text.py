"""Text of any encoding becomes text that people see, and nothing that drives a terminal."""

import codecs

import pytest

from pipeline.core.text import clean_line, clean_text, decode_text, printable


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
def test_a_file_is_read_in_whatever_encoding_it_has(content: bytes, text: str) -> None:
    assert decode_text(content) == text


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_file_is_read_in_the_encodings_of_common_editors(codec: str) -> None:
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
def test_what_cannot_be_seen_is_taken_out(text: str, clean: str) -> None:
    assert clean_text(text) == clean


def test_a_tab_stays_between_the_parts_of_an_entry_and_nowhere_else() -> None:
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
def test_a_sign_stands_for_what_a_terminal_would_obey(text: str, shown: str) -> None:
    assert printable(text) == shown
