"""A media file is complete where all the sound that it states decodes."""

import struct
import wave
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from pipeline.core.audio.file import Tally, decode_audio, is_truncated, open_audio, read_samples
from pipeline.core.errors import InputError
from pipeline.download.integrity import DecodedAudio, check_audio, compare_with_publisher, measure_audio, read_tags
from tests.support.faulty_server import write_tone
from tests.support.project import DEMO_AUDIO

DECODED = Tally(packets=100, frames=100)


@pytest.mark.parametrize("name", ["talk.mp3", "talk.m4a", "talk.webm", "index0.ts"])
def test_complete_file_decodes_in_full(media: Path, name: str) -> None:
    audio = measure_audio(media / name)
    check_audio(name, audio, None)
    assert audio.seconds == pytest.approx(4.0 if name.endswith(".ts") else 20.0, abs=0.2)
    assert audio.tally.damaged == 0


@pytest.mark.parametrize("name", ["talk.mp3", "talk.m4a", "talk.webm"])
@pytest.mark.parametrize("share", [0.3, 0.8])
def test_truncated_file_is_refused_by_its_header(tmp_path: Path, media: Path, name: str, share: float) -> None:
    cut = tmp_path / name
    cut.write_bytes((media / name).read_bytes()[: int((media / name).stat().st_size * share)])
    with pytest.raises(InputError, match=r"is cut off: 0:\d\d of sound where the file itself states 0:20"):
        check_audio(name, measure_audio(cut), None)


@pytest.mark.parametrize("name", ["talk.mp3", "talk.m4a", "talk.webm", "index0.ts"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.8, 0.9, 0.97, 1.0])
def test_download_and_transcription_refuse_the_same_files(tmp_path: Path, media: Path, name: str, share: float) -> None:
    """Both accept a file, or both refuse it with the same message."""
    path = tmp_path / name
    path.write_bytes((media / name).read_bytes()[: int((media / name).stat().st_size * share)])
    messages = []
    for check in (lambda: check_audio(path, measure_audio(path), None), lambda: list(read_samples(path))):
        try:
            check()
            messages.append("")
        except InputError as error:
            messages.append(str(error))
    assert messages[0] == messages[1]


def test_index_error_of_pyav_ends_the_file(media: Path) -> None:
    """At the end of a broadcast recording PyAV may look up streams that began within the file."""

    class Broadcast:
        def demux(self, stream: av.AudioStream) -> Iterator[object]:
            yield from container.demux(stream)
            raise IndexError("list index out of range")

    tally = Tally()
    with open_audio(media / "index0.ts") as (container, stream):
        frames = list(decode_audio(Broadcast(), stream, tally))  # type: ignore[arg-type]
    assert sum(frame.samples / frame.sample_rate for frame in frames) == pytest.approx(4.0, abs=0.2)


def test_truncated_wav_is_refused(tmp_path: Path) -> None:
    """FFmpeg takes its duration from the file's size."""
    path = tmp_path / "talk.wav"
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, 8_000, 0, "NONE", ""))
        out.writeframes(bytes(2 * 8_000 * 20))
    whole = path.read_bytes()
    check_audio(path, measure_audio(path), None)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"is cut off: 0:09 of sound where the file itself states 0:20"):
        check_audio(path, measure_audio(path), None)


@pytest.mark.parametrize("size", [0, 0xFFFF_FFFF])
def test_streamed_wav_without_size_is_complete(tmp_path: Path, size: int) -> None:
    path = tmp_path / "talk.wav"
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, 8_000, 0, "NONE", ""))
        out.writeframes(bytes(2 * 8_000 * 20))
    content = bytearray(path.read_bytes())
    content[40:44] = struct.pack("<I", size)
    path.write_bytes(content)
    audio = measure_audio(path)
    check_audio(path, audio, None)
    assert audio.seconds == pytest.approx(20)


def test_file_without_duration_is_checked_against_publisher(media: Path) -> None:
    audio = measure_audio(media / "index0.ts")
    check_audio("a.ts", audio, None)
    with pytest.raises(InputError, match="0:04 of sound where `duration` in the episode's settings is 0:20"):
        check_audio("a.ts", audio, 20.0)
    check_audio("a.ts", audio, 20.0, whole=True)


@pytest.mark.parametrize(
    ("seconds", "from_feed", "warns"), [(3000.0, True, False), (3000.0, False, True), (2000.0, True, True)]
)
def test_publisher_duration_warns(seconds: float, *, from_feed: bool, warns: bool) -> None:
    audio = DecodedAudio(seconds, None, ".mp3", DECODED)
    warning = compare_with_publisher("a", audio, 3300.0, from_feed=from_feed)
    assert ("where the publisher states 55:00: check that it is whole" in str(warning)) is warns
    assert compare_with_publisher("a", audio, None, from_feed=from_feed) is None


def test_cut_packet_and_publisher_duration_refuse() -> None:
    audio = DecodedAudio(2000.0, None, ".mp3", Tally(packets=100, frames=100, cut=True))
    with pytest.raises(InputError, match="is cut off: .* ends inside a packet: .*`whole: true`"):
        compare_with_publisher("a", audio, 3300.0, from_feed=True)
    assert compare_with_publisher("a", audio, 2050.0, from_feed=True) is None


def test_small_shortfall_is_not_truncation() -> None:
    assert not is_truncated(19.0, 20.0)
    assert not is_truncated(3575.0, 3600.0)
    assert is_truncated(3500.0, 3600.0)
    assert not is_truncated(4000.0, 3600.0)


def test_overwritten_blocks_are_damage(tmp_path: Path, media: Path) -> None:
    content = bytearray((media / "talk.webm").read_bytes())
    for at in range(20_000, len(content) - 2_000, 3_000):
        content[at : at + 1_500] = b"\x00" * 1_500
    holed = tmp_path / "holed.webm"
    holed.write_bytes(content)
    with pytest.raises(InputError, match="is damaged|is cut off|that FFmpeg can read"):
        check_audio(holed, measure_audio(holed), None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><title>Sign in</title>", "is a web page, not audio"),
        (b"\n  <html>", "is a web page, not audio"),
        (b"this is no sound at all " * 200, "is text, not audio or video"),
        (b"\x00" * 5000, "is not audio or video that FFmpeg can read"),
    ],
)
def test_content_without_sound_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "talk.mp3"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"https://example.org/talk.mp3 {message}"):
        measure_audio(path, "https://example.org/talk.mp3")


def test_suffix_follows_the_container(tmp_path: Path, media: Path) -> None:
    wrong = tmp_path / "talk.mp4"
    wrong.write_bytes((media / "index0.ts").read_bytes())
    assert measure_audio(wrong).suffix == ".ts"
    kept = tmp_path / "talk.m4b"
    kept.write_bytes((media / "talk.m4a").read_bytes())
    assert measure_audio(kept).suffix == ".m4b"


def test_demo_audio_is_complete() -> None:
    check_audio("demo", measure_audio(DEMO_AUDIO), 322.0)


def test_title_falls_back_to_the_file_name(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "ep12.mp3", "talk.mp3", 1.0)
    metadata = read_tags(path)
    assert (metadata.title, metadata.published) == ("ep12", None)
    assert metadata.duration == pytest.approx(1.0, abs=0.2)
    estimated = path.read_bytes().replace(b"Info", b"none").replace(b"Xing", b"none")
    path.write_bytes(estimated)
    assert read_tags(path).duration is None
    (tmp_path / "no.mp3").write_bytes(b"no")
    with pytest.raises(InputError, match="not audio"):
        read_tags(tmp_path / "no.mp3")
