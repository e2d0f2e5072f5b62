"""The header of a WAV file is read as it is, whatever stands in it; what is lost is weighed."""

import struct
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.audio_file import Tally, _wav_duration, check_complete
from pipeline.core.errors import InputError


def chunk(name: bytes, content: bytes, size: int | None = None) -> bytes:
    return name + struct.pack("<I", len(content) if size is None else size) + content + b"\0" * (len(content) % 2)


FORMAT = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 8_000, 16_000, 2, 16))


def length_of(content: bytes) -> float | None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "talk.wav"
        path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(content)) + b"WAVE" + content)
        return _wav_duration(path)


def test_the_length_of_a_wav_file_is_what_its_header_says() -> None:
    assert length_of(FORMAT + chunk(b"LIST", b"odd") + chunk(b"data", b"", 40_000)) == 2.5
    assert length_of(FORMAT + chunk(b"data", b"", 0xFFFF_FFFF)) is None
    assert length_of(chunk(b"data", b"", 40_000)) is None


@given(st.binary(max_size=200))
def test_a_header_that_is_none_says_nothing(content: bytes) -> None:
    length = length_of(content)
    assert length is None or length > 0


@pytest.mark.parametrize(
    ("tally", "seconds", "stated", "complaint"),
    [
        (Tally(100, 0, 100), 100.0, 100.0, ""),
        (Tally(1000, 10, 990), 99.0, 100.0, ""),
        (Tally(1000, 11, 989), 99.0, 100.0, "damaged: 1% of it"),
        (Tally(100, 0, 100), 96.0, 100.0, "cut off: 1:36 of sound where the file itself states 1:40"),
        (Tally(100, 100, 0), 0.0, 100.0, "no sound that can be decoded"),
    ],
)
def test_what_is_lost_is_weighed(tally: Tally, seconds: float, stated: float, complaint: str) -> None:
    if not complaint:
        check_complete("talk.mp3", tally, seconds, stated)
        return
    with pytest.raises(InputError, match=complaint):
        check_complete("talk.mp3", tally, seconds, stated)
