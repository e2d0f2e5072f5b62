"""A file is whole where all that it promises can be decoded."""

import struct
import wave
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from pipeline.core.audio_file import Tally, decode_audio, is_truncated, open_audio, read_samples
from pipeline.core.errors import InputError
from pipeline.download.integrity import Sound, check_audio, measure_audio, read_tags
from tests.support.faulty_server import write_tone
from tests.support.project import DEMO_AUDIO

DECODED = Tally(packets=100, frames=100)


@pytest.mark.parametrize("name", ["talk.mp3", "talk.m4a", "talk.webm", "index0.ts"])
def test_all_of_a_whole_file_decodes(media: Path, name: str) -> None:
    sound = measure_audio(media / name)
    check_audio(name, sound, None)
    assert sound.seconds == pytest.approx(4.0 if name.endswith(".ts") else 20.0, abs=0.2)
    assert sound.tally.damaged == 0


@pytest.mark.parametrize("name", ["talk.mp3", "talk.m4a", "talk.webm"])
@pytest.mark.parametrize("share", [0.3, 0.8])
def test_a_file_that_was_cut_off_is_found_out_by_what_it_states(
    tmp_path: Path, media: Path, name: str, share: float
) -> None:
    cut = tmp_path / name
    cut.write_bytes((media / name).read_bytes()[: int((media / name).stat().st_size * share)])
    with pytest.raises(InputError, match=r"is cut off: 0:\d\d of sound where the file itself states 0:20"):
        check_audio(name, measure_audio(cut), None)


@pytest.mark.parametrize("name", ["talk.mp3", "talk.m4a", "talk.webm", "index0.ts"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.8, 0.9, 0.97, 1.0])
def test_a_download_and_a_transcription_judge_alike(tmp_path: Path, media: Path, name: str, share: float) -> None:
    """What one takes, the other does not refuse later; and both say the same of what they refuse."""
    path = tmp_path / name
    path.write_bytes((media / name).read_bytes()[: int((media / name).stat().st_size * share)])
    complaints = []
    for judge in (lambda: check_audio(path, measure_audio(path), None), lambda: list(read_samples(path))):
        try:
            judge()
            complaints.append("")
        except InputError as error:
            complaints.append(str(error))
    assert complaints[0] == complaints[1]


def test_a_stream_that_begins_within_a_file_ends_nothing(media: Path) -> None:
    """At the end of a broadcast recording PyAV may ask for streams that it never saw begin."""

    class Broadcast:
        def demux(self, stream: av.AudioStream) -> Iterator[object]:
            yield from container.demux(stream)
            raise IndexError("list index out of range")

    tally = Tally()
    with open_audio(media / "index0.ts") as (container, stream):
        frames = list(decode_audio(Broadcast(), stream, tally))  # type: ignore[arg-type]
    assert sum(frame.samples / frame.sample_rate for frame in frames) == pytest.approx(4.0, abs=0.2)


def test_a_wav_file_that_was_cut_off_is_found_out(tmp_path: Path) -> None:
    """FFmpeg says that it is as long as what is left of it."""
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
def test_a_wav_file_that_was_written_as_a_stream_is_whole(tmp_path: Path, size: int) -> None:
    path = tmp_path / "talk.wav"
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, 8_000, 0, "NONE", ""))
        out.writeframes(bytes(2 * 8_000 * 20))
    content = bytearray(path.read_bytes())
    content[40:44] = struct.pack("<I", size)
    path.write_bytes(content)
    sound = measure_audio(path)
    check_audio(path, sound, None)
    assert sound.seconds == pytest.approx(20)


def test_a_file_that_states_nothing_is_held_against_what_was_promised(media: Path) -> None:
    sound = measure_audio(media / "index0.ts")
    check_audio("a.ts", sound, None)
    with pytest.raises(InputError, match="0:04 of sound where the publisher states 0:20"):
        check_audio("a.ts", sound, 20.0)


def test_a_feeds_word_is_taken_roughly() -> None:
    check_audio("a", Sound(3000.0, None, ".mp3", DECODED), 3300.0, roughly=True)
    with pytest.raises(InputError, match="cut off"):
        check_audio("a", Sound(3000.0, None, ".mp3", DECODED), 3300.0)
    with pytest.raises(InputError, match="cut off"):
        check_audio("a", Sound(2000.0, None, ".mp3", DECODED), 3300.0, roughly=True)


def test_a_little_less_is_what_encoders_do() -> None:
    assert not is_truncated(19.0, 20.0)
    assert not is_truncated(3575.0, 3600.0)
    assert is_truncated(3500.0, 3600.0)
    assert not is_truncated(4000.0, 3600.0)


def test_a_file_with_a_hole_is_damaged(tmp_path: Path, media: Path) -> None:
    content = bytearray((media / "talk.webm").read_bytes())
    for at in range(20_000, len(content) - 2_000, 3_000):
        content[at : at + 1_500] = b"\x00" * 1_500
    holed = tmp_path / "holed.webm"
    holed.write_bytes(content)
    with pytest.raises(InputError, match="is damaged|is cut off|that we can read"):
        check_audio(holed, measure_audio(holed), None)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><title>Sign in</title>", "is a web page, not audio"),
        (b"\n  <html>", "is a web page, not audio"),
        (b"this is no sound at all " * 200, "is text, not audio or video"),
        (b"\x00" * 5000, "is not audio or video that we can read"),
    ],
)
def test_what_is_no_sound_is_named(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "talk.mp3"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"https://example.org/talk.mp3 {complaint}"):
        measure_audio(path, "https://example.org/talk.mp3")


def test_an_ending_that_does_not_fit_is_told(tmp_path: Path, media: Path) -> None:
    wrong = tmp_path / "talk.mp4"
    wrong.write_bytes((media / "index0.ts").read_bytes())
    assert measure_audio(wrong).suffix == ".ts"
    kept = tmp_path / "talk.m4b"
    kept.write_bytes((media / "talk.m4a").read_bytes())
    assert measure_audio(kept).suffix == ".m4b"


def test_the_demo_is_whole() -> None:
    check_audio("demo", measure_audio(DEMO_AUDIO), 322.0)


def test_a_file_says_its_title_or_its_name(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "ep12.mp3", "talk.mp3", 1.0)
    metadata = read_tags(path)
    assert (metadata.title, metadata.published) == ("ep12", None)
    assert metadata.duration == pytest.approx(1.0, abs=0.2)
    (tmp_path / "no.mp3").write_bytes(b"no")
    with pytest.raises(InputError, match="not audio"):
        read_tags(tmp_path / "no.mp3")
