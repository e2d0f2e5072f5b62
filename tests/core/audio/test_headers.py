"""The length that the header of an mp3 or WAV file proves."""

import struct
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.audio.headers import has_sound_beyond_header, mp3_duration, wav_duration
from tests.support.faulty_server import write_tone


def chunk(name: bytes, content: bytes, size: int | None = None) -> bytes:
    return name + struct.pack("<I", len(content) if size is None else size) + content + b"\0" * (len(content) % 2)


FORMAT = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 8_000, 16_000, 2, 16))
SOUND = bytes(range(200, 250)) * 800


def measure(content: bytes) -> tuple[float | None, bool]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "talk.wav"
        path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(content)) + b"WAVE" + content)
        return wav_duration(path), has_sound_beyond_header(path)


def test_wav_duration_comes_from_header() -> None:
    assert measure(FORMAT + chunk(b"LIST", b"odd") + chunk(b"data", b"", 40_000)) == (2.5, False)
    assert measure(FORMAT + chunk(b"data", b"", 0xFFFF_FFFF)) == (None, False)
    assert measure(chunk(b"data", b"", 40_000)) == (None, False)


@pytest.mark.parametrize(
    ("content", "beyond"),
    [
        (chunk(b"data", SOUND), False),
        (chunk(b"data", SOUND, 16_000), True),
        (chunk(b"data", SOUND) + chunk(b"LIST", bytes(9_000)) + chunk(b"id3 ", bytes(9_001)), False),
        (chunk(b"data", SOUND) + b"RIFF" + struct.pack("<I", 9_000) + bytes(9_000), True),
        (chunk(b"data", SOUND) + bytes(100), False),
    ],
)
def test_sound_beyond_header_is_detected(content: bytes, *, beyond: bool) -> None:
    assert measure(FORMAT + content)[1] is beyond


@given(st.binary(max_size=200))
def test_invalid_wav_header_states_no_duration(content: bytes) -> None:
    length, _ = measure(content)
    assert length is None or length > 0


def test_mp3_duration_comes_from_frame_count(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "talk.mp3", "talk.mp3", 5.0)
    assert mp3_duration(path) == pytest.approx(5.0, abs=0.2)
    # Of joined files the first one's frames are proven, and no estimate for the rest.
    path.write_bytes(path.read_bytes() * 3)
    assert mp3_duration(path) == pytest.approx(5.0, abs=0.2)
    content = path.read_bytes().replace(b"Info", b"none").replace(b"Xing", b"none")
    path.write_bytes(content)
    assert mp3_duration(path) is None


@given(st.binary(max_size=300))
def test_invalid_mp3_header_states_no_duration(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "talk.mp3"
        for head in (
            b"",
            b"\xff\xfb\x90\x00",
            b"ID3\x04\x00\x00\x00\x00\x00\x05",
            b"\xff\xfb\x90\x00Xing\x00\x00\x00\x01",
        ):
            path.write_bytes(head + content)
            length = mp3_duration(path)
            assert length is None or length > 0
