"""Every exception becomes one line."""

import pytest

from pipeline.core.errors import InputError, explain_error


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (InputError("a.txt is missing", "put it there"), "a.txt is missing: put it there"),
        (InputError("the page says\n<p>503"), "the page says <p>503"),
        (OSError(28, "No space left on device", "a.txt"), "a.txt: No space left on device"),
        (OSError(13, "Permission denied", b"caf\xe9"), "caf\udce9: Permission denied"),
        (OSError(9, "Bad file descriptor", 7), "a file: Bad file descriptor"),
        (OSError(), "a file: OSError"),
        (ValueError("odd\n  value"), "internal error (ValueError: odd value)"),
        (AssertionError(), "internal error (AssertionError)"),
        (SystemExit(2), "internal error (SystemExit: 2)"),
        (MemoryError(), "the memory is full: end other programs, or run fewer episodes at once"),
    ],
)
def test_every_error_becomes_one_line(error: BaseException, line: str) -> None:
    assert explain_error(error) == line


def test_internal_error_names_its_place() -> None:
    with pytest.raises(ZeroDivisionError) as raised:
        1 / 0  # noqa: B018
    assert explain_error(raised.value).startswith(
        "internal error (ZeroDivisionError: division by zero) at test_errors."
    )
