"""Real weights on real sound: words with times, the same each time, and plain words about bad audio."""

import wave
from itertools import pairwise
from pathlib import Path

import av
import pytest
from conftest import DEMO_AUDIO

from pipeline.errors import InputError
from pipeline.schema import Transcript
from pipeline.transcribe import WhisperTranscriber
from pipeline.whisper import list_devices

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def tiny() -> WhisperTranscriber:
    return WhisperTranscriber("tiny.en", Path(), offline=True)


def cut_demo(path: Path, seconds: float) -> Path:
    """The first seconds of the demo as a WAV file."""
    with av.open(str(DEMO_AUDIO)) as container, wave.open(str(path), "wb") as out:
        out.setparams((1, 2, 16_000, 0, "NONE", ""))
        resampler = av.AudioResampler("s16", "mono", 16_000)
        for frame in container.decode(audio=0):
            for piece in resampler.resample(frame):
                out.writeframes(piece.to_ndarray().tobytes())
            if frame.time is not None and frame.time > seconds:
                break
    return path


def listen(transcriber: WhisperTranscriber, audio: Path, seen: list[tuple[float, float]] | None = None) -> Transcript:
    def keep(done: float, total: float) -> None:
        if seen is not None:
            seen.append((done, total))

    return transcriber.transcribe(audio, language="en", on_progress=keep)


def test_speech_becomes_words_with_increasing_times(tmp_path: Path, tiny: WhisperTranscriber) -> None:
    seen: list[tuple[float, float]] = []
    transcript = listen(tiny, cut_demo(tmp_path / "a.wav", 30), seen)
    words = [word for segment in transcript.segments for word in segment.words]
    assert "returns desk" in " ".join(s.text for s in transcript.segments).lower()
    assert len(words) > 50
    assert all(a.start <= b.start and a.start <= a.end for a, b in pairwise(words))
    assert (transcript.source, transcript.model, transcript.language) == ("whisper", "tiny.en", "en")
    assert transcript.duration == pytest.approx(30, abs=0.2)
    assert seen[0][0] == 0
    assert seen[-1][0] == seen[-1][1] == pytest.approx(transcript.duration, abs=0.001)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_the_same_audio_gives_the_same_transcript(tmp_path: Path, tiny: WhisperTranscriber) -> None:
    audio = cut_demo(tmp_path / "a.wav", 20)
    assert listen(tiny, audio) == listen(tiny, audio)


def test_the_sound_of_a_video_is_transcribed(tmp_path: Path, tiny: WhisperTranscriber) -> None:
    video = tmp_path / "talk.mkv"
    with av.open(str(DEMO_AUDIO)) as source, av.open(str(video), "w") as out:
        sound = out.add_stream_from_template(source.streams.audio[0])
        picture = out.add_stream("mpeg4", rate=1, width=64, height=64, pix_fmt="yuv420p")
        for packet in source.demux(audio=0):
            if packet.pts is not None and packet.pts * packet.time_base < 15:
                packet.stream = sound
                out.mux(packet)
        for packet in [*picture.encode(av.VideoFrame(64, 64, "yuv420p")), *picture.encode(None)]:
            out.mux(packet)
    assert "returns desk" in " ".join(s.text for s in listen(tiny, video).segments).lower()


@pytest.mark.parametrize("language", ["en", None])
def test_silence_has_no_words(tmp_path: Path, language: str | None) -> None:
    path = tmp_path / "silence.wav"
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, 16_000, 0, "NONE", ""))
        out.writeframes(bytes(2 * 16_000 * 5))
    base = WhisperTranscriber("base", Path(), offline=True)
    transcript = base.transcribe(path, language=language, on_progress=lambda done, total: None)
    assert transcript.segments == ()


@pytest.mark.parametrize("content", [b"", b"RIFF nothing of the kind", b"plain text"])
def test_what_is_no_audio_is_refused_by_name(tmp_path: Path, tiny: WhisperTranscriber, content: bytes) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.wav") as raised:
        listen(tiny, path)
    assert "\n" not in str(raised.value)


def test_audio_without_a_sample_is_refused(tmp_path: Path, tiny: WhisperTranscriber) -> None:
    with wave.open(str(tmp_path / "a.wav"), "wb") as out:
        out.setparams((1, 2, 16_000, 0, "NONE", ""))
    with pytest.raises(InputError, match=r"a\.wav"):
        listen(tiny, tmp_path / "a.wav")


def test_a_processor_without_gpu_computes_in_int8() -> None:
    import ctranslate2

    if ctranslate2.get_cuda_device_count():
        pytest.skip("this machine has a GPU")
    assert list_devices() == [("cpu", "int8")]
