"""Files that tests write."""

import struct
from pathlib import Path

from tests.support.project import LINES, make_transcript


def write_srt(path: Path) -> Path:
    """Write the transcript of `LINES` as SubRip; return the path."""
    cues = [
        f"{n}\n00:00:{s.start:02.0f},000 --> 00:00:{s.end:02.0f},000\n{s.text}\n"
        for n, s in enumerate(make_transcript(LINES).segments, start=1)
    ]
    path.write_text("\n".join(cues))
    return path


def silent_mp3(path: Path) -> Path:
    """Write half a second of silence as MPEG-1 layer III (128 kbit/s, 44.1 kHz: 417 bytes a frame); return the path."""
    path.write_bytes((struct.pack(">I", 0xFFFB9064) + bytes(413)) * 20)
    return path
