"""Any sound a recording comes in becomes the same samples; what is damaged is refused in one line."""

from pathlib import Path
from typing import cast

import av
import numpy as np
import pytest

from pipeline.core.audio_file import SAMPLE_RATE, probe_duration, read_samples
from pipeline.core.errors import InputError

SECONDS = 6.0
KEY = "00112233445566778899aabbccddeeff"


def tone(rate: int = 48_000, channels: int = 1, loudness: float = 0.3) -> np.ndarray:
    """Six seconds of 440 Hz, with silence in the fourth: shape (channels, samples)."""
    at = np.arange(int(SECONDS * rate)) / rate
    sound = loudness * np.sin(2 * np.pi * 440 * at)
    sound[3 * rate : 4 * rate] = 0
    return np.tile(sound.astype(np.float32), (channels, 1))


def write_sound(
    path: Path, codec: str, *, rate: int = 48_000, layout: str = "mono", sound: np.ndarray | None = None,
    skip: tuple[float, float] | None = None, picture: bool = False, options: dict[str, str] | None = None,
) -> Path:  # fmt: skip
    """A media file; `skip` leaves out the sound between two moments, but not its time."""
    channels = av.AudioLayout(layout).nb_channels
    if sound is None:
        sound = tone(rate, channels)
    with av.open(str(path), "w", options=options or {}) as out:
        stream = cast("av.AudioStream", out.add_stream(codec, rate=rate, layout=layout))
        video = out.add_stream("mpeg4", rate=5, width=64, height=64, pix_fmt="yuv420p") if picture else None
        resampler = av.AudioResampler(stream.format.name, layout, rate, stream.frame_size or None)
        for begin in range(0, sound.shape[1], 1000):
            if skip and skip[0] <= begin / rate < skip[1]:
                continue
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(sound[:, begin : begin + 1000]), format="fltp", layout=layout
            )
            frame.sample_rate, frame.pts = rate, begin
            for piece in [frame] if codec.startswith("pcm") and skip else resampler.resample(frame):
                out.mux(stream.encode(piece))
        for piece in resampler.resample(None):
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
        if video:
            # A picture now and then, as in a recorded slide show.
            for at in (0, 1, 7, 20):
                image = av.VideoFrame(64, 64, "yuv420p")
                image.pts = at
                out.mux(video.encode(image))
            out.mux(video.encode(None))
    return path


def read(path: Path) -> np.ndarray:
    return np.concatenate(list(read_samples(path)))


def loud_at(samples: np.ndarray, second: float) -> bool:
    part = samples[int((second - 0.2) * SAMPLE_RATE) : int((second + 0.2) * SAMPLE_RATE)]
    return bool(np.abs(part).max() > 0.05)


@pytest.mark.parametrize(
    ("name", "codec", "rate", "layout", "picture"),
    [
        ("a.wav", "pcm_s16le", 8_000, "mono", False),
        ("a.wav", "pcm_s24le", 96_000, "5.1", False),
        ("a.flac", "flac", 44_100, "stereo", False),
        ("a.mp3", "libmp3lame", 44_100, "stereo", False),
        ("a.m4a", "aac", 44_100, "stereo", False),
        ("a.webm", "libopus", 48_000, "stereo", False),
        ("a.ogg", "libopus", 48_000, "mono", False),
        ("a.mkv", "aac", 48_000, "mono", True),
        ("a.mp4", "aac", 48_000, "stereo", True),
        ("a.ts", "aac", 48_000, "stereo", True),
    ],
)
def test_any_format_becomes_the_same_sound(
    tmp_path: Path, name: str, codec: str, rate: int, layout: str, *, picture: bool
) -> None:
    path = write_sound(tmp_path / name, codec, rate=rate, layout=layout, picture=picture)
    samples = read(path)
    assert samples.dtype == np.float32
    assert len(samples) / SAMPLE_RATE == pytest.approx(SECONDS, abs=0.15)
    assert [loud_at(samples, second) for second in (1, 3.5, 5)] == [True, False, True]
    assert probe_duration(path) == pytest.approx(SECONDS, abs=0.3)


def test_the_ending_of_a_name_does_not_matter(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.mp3", "libmp3lame")
    assert np.array_equal(read(path.rename(tmp_path / "a.wav")), read(write_sound(tmp_path / "b.mp3", "libmp3lame")))


def test_sound_that_is_missing_becomes_silence_so_that_the_rest_stays_in_its_place(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.mkv", "pcm_s16le", skip=(1.0, 2.5))
    samples = read(path)
    assert len(samples) / SAMPLE_RATE == pytest.approx(SECONDS, abs=0.1)
    assert [loud_at(samples, second) for second in (0.5, 1.7, 2.8, 3.5, 5)] == [True, False, True, False, True]


def test_a_damaged_packet_is_passed_over_as_players_do(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.mp3", "libmp3lame", sound=np.tile(tone(), 20))
    content = bytearray(path.read_bytes())
    content[20_000:20_300] = bytes(300)
    path.write_bytes(content)
    assert len(read(path)) / SAMPLE_RATE == pytest.approx(20 * SECONDS, abs=0.3)


def test_a_file_that_breaks_off_is_refused_with_the_place(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.flac", "flac", sound=np.tile(tone(), 3))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match=r"a\.flac is cut off: 0:\d\d of sound where the file itself states 0:18:"):
        read(path)


@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_a_film_that_breaks_off_is_refused(tmp_path: Path, keep: float) -> None:
    path = write_sound(tmp_path / "a.m4a", "aac", sound=np.tile(tone(), 10), options={"movflags": "faststart"})
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    with pytest.raises(InputError, match=r"a\.m4a is (cut off|damaged): .*fetch it again") as raised:
        read(path)
    assert "\n" not in str(raised.value)


def test_encrypted_sound_is_refused(tmp_path: Path) -> None:
    scheme = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": KEY, "encryption_kid": KEY}
    path = write_sound(tmp_path / "a.mp4", "aac", options=scheme)
    with pytest.raises(InputError, match=r"a\.mp4 holds no sound that can be decoded.*not encrypted"):
        read(path)


def test_a_film_without_sound_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as out:
        video = out.add_stream("mpeg4", rate=5, width=64, height=64, pix_fmt="yuv420p")
        out.mux([*video.encode(av.VideoFrame(64, 64, "yuv420p")), *video.encode(None)])
    with pytest.raises(InputError, match=r"a\.mkv has no audio stream"):
        read(path)


@pytest.mark.parametrize("content", [b"", b"RIFF nothing of the kind", b"plain text", b"<html>404</html>" * 500])
def test_what_is_no_recording_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.wav") as raised:
        read(path)
    assert "\n" not in str(raised.value)


def test_memory_does_not_grow_with_the_recording(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.wav", "pcm_s16le", sound=np.tile(tone(), 20))
    assert max(len(block) for block in read_samples(path)) < SAMPLE_RATE
