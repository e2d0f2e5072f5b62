"""Read the length that the header of an mp3 or WAV file proves, where FFmpeg guesses or trusts a wrong header."""

import os
import struct
from dataclasses import dataclass
from pathlib import Path

# WAV data sizes from here on mean that the length was unknown when the header was written.
_UNKNOWN = 0xFFFF_FF00

# Bytes behind a WAV file's sound that are no sound, at most, where they are no chunk.
_TRAILING_BYTES = 4096

# Samples a second of MPEG 1; MPEG 2 has half of them, MPEG 2.5 a quarter.
_MP3_RATES = (44_100, 48_000, 32_000)
_MP3_DIVISORS = {3: 1, 2: 2, 0: 4}

# Bytes in which the first frame of an mp3 begins, after its tags.
_MP3_HEAD = 8192


def mp3_duration(path: Path) -> float | None:
    """Return the seconds by the Xing, Info or VBRI frame of an mp3, which counts the frames; None without one."""
    with path.open("rb") as opened:
        head = opened.read(10)
        # The size of a leading ID3 tag is four bytes of seven bits.
        size = (
            10 + sum((byte & 0x7F) << 7 * (3 - place) for place, byte in enumerate(head[6:10]))
            if head[:3] == b"ID3"
            else 0
        )
        opened.seek(size)
        frame = opened.read(_MP3_HEAD)
    sync = next((at for at in range(len(frame) - 4) if frame[at] == 0xFF and frame[at + 1] & 0xE6 == 0xE2), None)
    if sync is None:
        return None
    version, rate_index = frame[sync + 1] >> 3 & 3, frame[sync + 2] >> 2 & 3
    count = _count_frames(frame[sync : sync + 256])
    if count is None or rate_index > 2 or version not in _MP3_DIVISORS:
        return None
    return count * (1152 if version == 3 else 576) * _MP3_DIVISORS[version] / _MP3_RATES[rate_index]


def _count_frames(frame: bytes) -> int | None:
    """The number of frames by the first frame of an mp3."""
    for name in (b"Xing", b"Info"):
        at = frame.find(name)
        if at >= 0 and len(frame) >= at + 12 and frame[at + 7] & 1:
            return int.from_bytes(frame[at + 8 : at + 12], "big") or None
    at = frame.find(b"VBRI")
    return int.from_bytes(frame[at + 14 : at + 18], "big") or None if at >= 0 else None


@dataclass(frozen=True, slots=True)
class _Wav:
    """What the header of a WAV file states: bytes a second, and where its sound begins and ends."""

    rate: int
    start: int
    size: int


def _read_wav(path: Path) -> _Wav | None:
    rate = 0
    with path.open("rb") as opened:
        if opened.read(4) != b"RIFF":
            return None
        opened.seek(8, os.SEEK_CUR)
        while len(header := opened.read(8)) == 8:
            name, size = struct.unpack("<4sI", header)
            if name == b"data":
                return _Wav(rate, opened.tell(), size) if rate and 0 < size < _UNKNOWN else None
            # The format chunk holds the bytes per second. Chunks are padded to even sizes.
            content = opened.read(12) if name == b"fmt " else b""
            rate = struct.unpack("<8xI", content)[0] if len(content) == 12 else rate
            opened.seek(size + size % 2 - len(content), os.SEEK_CUR)
    return None


def wav_duration(path: Path) -> float | None:
    """Return the seconds that a WAV header states; None where it was written before they were known."""
    wav = _read_wav(path)
    return wav.size / wav.rate if wav else None


def has_sound_beyond_header(path: Path) -> bool:
    """Tell whether a WAV file goes on after the sound that its header states, with bytes that are no chunk.

    A recorder that was stopped hard, and a file beyond 4 GB, leave a size in the header that is too small.
    """
    wav = _read_wav(path)
    if wav is None:
        return False
    total = path.stat().st_size
    at = wav.start + wav.size + wav.size % 2
    with path.open("rb") as opened:
        while total - at > _TRAILING_BYTES:
            opened.seek(at)
            name, size = struct.unpack("<4sI", opened.read(8))
            # Chunks of metadata have names of letters, and end within the file.
            if name == b"RIFF" or not all(32 <= byte < 127 for byte in name) or at + 8 + size > total + 1:
                return True
            at += 8 + size + size % 2
    return False
