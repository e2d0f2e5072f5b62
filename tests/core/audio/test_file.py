"""Any sound a recording comes in becomes the same samples; what is damaged is refused in one line."""

import struct
from pathlib import Path
from typing import cast

import av
import numpy as np
import pytest

from pipeline.core.audio.file import (
    PER_SECOND,
    SAMPLE_RATE,
    Tally,
    check_complete,
    measure_loudness,
    probe_duration,
    read_samples,
)
from pipeline.core.errors import InputError
from tests.support.project import DEMO_AUDIO

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
def test_formats_decode_to_the_same_samples(
    tmp_path: Path, name: str, codec: str, rate: int, layout: str, *, picture: bool
) -> None:
    path = write_sound(tmp_path / name, codec, rate=rate, layout=layout, picture=picture)
    samples = read(path)
    assert samples.dtype == np.float32
    assert len(samples) / SAMPLE_RATE == pytest.approx(SECONDS, abs=0.15)
    assert [loud_at(samples, second) for second in (1, 3.5, 5)] == [True, False, True]
    assert probe_duration(path) == pytest.approx(SECONDS, abs=0.3)


def test_suffix_does_not_matter(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.mp3", "libmp3lame")
    assert np.array_equal(read(path.rename(tmp_path / "a.wav")), read(write_sound(tmp_path / "b.mp3", "libmp3lame")))


def test_gap_becomes_silence(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.mkv", "pcm_s16le", skip=(1.0, 2.5))
    samples = read(path)
    assert len(samples) / SAMPLE_RATE == pytest.approx(SECONDS, abs=0.1)
    assert [loud_at(samples, second) for second in (0.5, 1.7, 2.8, 3.5, 5)] == [True, False, True, False, True]


def test_damaged_packet_is_skipped(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.mp3", "libmp3lame", sound=np.tile(tone(), 20))
    content = bytearray(path.read_bytes())
    content[20_000:20_300] = bytes(300)
    path.write_bytes(content)
    assert len(read(path)) / SAMPLE_RATE == pytest.approx(20 * SECONDS, abs=0.3)


def test_truncated_file_is_refused_with_its_duration(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.flac", "flac", sound=np.tile(tone(), 3))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match=r"a\.flac is cut off: 0:\d\d of sound where the file itself states 0:18:"):
        read(path)


@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_truncated_video_is_refused(tmp_path: Path, keep: float) -> None:
    path = write_sound(tmp_path / "a.m4a", "aac", sound=np.tile(tone(), 10), options={"movflags": "faststart"})
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    with pytest.raises(InputError, match=r"a\.m4a is (cut off|damaged): .*fetch it again") as raised:
        read(path)
    assert "\n" not in str(raised.value)


def test_encrypted_audio_is_refused(tmp_path: Path) -> None:
    scheme = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": KEY, "encryption_kid": KEY}
    path = write_sound(tmp_path / "a.mp4", "aac", options=scheme)
    with pytest.raises(InputError, match=r"a\.mp4 holds no sound that can be decoded.*not encrypted"):
        read(path)


def test_video_without_audio_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as out:
        video = out.add_stream("mpeg4", rate=5, width=64, height=64, pix_fmt="yuv420p")
        out.mux([*video.encode(av.VideoFrame(64, 64, "yuv420p")), *video.encode(None)])
    with pytest.raises(InputError, match=r"a\.mkv has no audio stream"):
        read(path)


@pytest.mark.parametrize("content", [b"", b"RIFF nothing of the kind", b"plain text", b"<html>404</html>" * 500])
def test_other_files_are_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.wav") as raised:
        read(path)
    assert "\n" not in str(raised.value)


def test_whole_audio_may_lack_stated_duration(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.wav", "pcm_s16le", rate=8_000)
    content = path.read_bytes()
    size = content.index(b"data") + 4
    path.write_bytes(content[:size] + struct.pack("<I", 2 * (len(content) - size - 4)) + content[size + 4 :])
    with pytest.raises(InputError, match=r"cut off: 0:06 of sound where the file itself states 0:12: .*`whole: true`"):
        read(path)
    assert sum(map(len, read_samples(path, whole=True))) / SAMPLE_RATE == pytest.approx(SECONDS, abs=0.1)


def test_sound_beyond_wav_header_is_read_and_said(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.wav", "pcm_s16le", rate=8_000)
    content = path.read_bytes()
    size = content.index(b"data") + 4
    path.write_bytes(content[:size] + struct.pack("<I", 16_000) + content[size + 4 :])
    remarks: list[str] = []
    samples = np.concatenate(list(read_samples(path, remarks=remarks)))
    assert len(samples) / SAMPLE_RATE == pytest.approx(SECONDS, abs=0.1)
    assert remarks == ["a.wav goes on after the length that its header states: it is read to its end"]


def test_channels_in_opposite_phase_are_read(tmp_path: Path) -> None:
    left = tone(8_000)
    sound = np.concatenate([left, -left])
    remarks: list[str] = []
    path = write_sound(tmp_path / "a.flac", "flac", rate=8_000, layout="stereo", sound=sound)
    samples = np.concatenate(list(read_samples(path, remarks=remarks)))
    assert [loud_at(samples, second) for second in (1, 3.5, 5)] == [True, False, True]
    assert remarks == ["the two channels of a.flac cancel each other: the louder one is used"]


def test_colon_in_name_is_no_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_sound(tmp_path / "ep7: holds.wav", "pcm_s16le")
    monkeypatch.chdir(tmp_path)
    assert len(read(Path("ep7: holds.wav"))) / SAMPLE_RATE == pytest.approx(SECONDS, abs=0.1)


@pytest.mark.parametrize(("name", "codec"), [("a.mp3", "libmp3lame"), ("a.aac", "aac")])
def test_joined_files_are_one_recording(tmp_path: Path, name: str, codec: str) -> None:
    first = write_sound(tmp_path / name, codec)
    path = tmp_path / f"joined-{name}"
    path.write_bytes(first.read_bytes() * 3)
    samples = read(path)
    assert len(samples) / SAMPLE_RATE == pytest.approx(3 * SECONDS, abs=0.5)
    assert [loud_at(samples, 2 * SECONDS + second) for second in (1, 3.5, 5)] == [True, False, True]


def test_memory_is_constant_in_duration(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.wav", "pcm_s16le", sound=np.tile(tone(), 20))
    assert max(len(block) for block in read_samples(path)) < SAMPLE_RATE


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
def test_losses_beyond_bounds_are_refused(tally: Tally, seconds: float, stated: float, complaint: str) -> None:
    if not complaint:
        check_complete("talk.mp3", tally, seconds, stated)
        return
    with pytest.raises(InputError, match=complaint):
        check_complete("talk.mp3", tally, seconds, stated)


def test_loudness_has_values_for_every_second(tmp_path: Path) -> None:
    loudness = measure_loudness(DEMO_AUDIO)
    assert len(loudness) / PER_SECOND == pytest.approx(322, abs=2)
    assert max(loudness) == 255
    assert min(loudness) < 40
    (tmp_path / "text.ogg").write_text("not sound")
    with pytest.raises(InputError, match=r"text\.ogg"):
        measure_loudness(tmp_path / "text.ogg")
