"""Real models on real audio: timed words, the same transcript after an interruption, and errors for bad audio."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import wave
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import cast

import av
import numpy as np
import pytest

from pipeline.core.audio.file import SAMPLE_RATE, read_samples
from pipeline.core.errors import InputError, ModelError
from pipeline.core.schema import Segment, Transcript
from pipeline.transcribe.chunking import Chunk
from pipeline.transcribe.models import ModelFolder
from pipeline.transcribe.transcriber import OPTIONS, ChunkTranscriber, WhisperTranscriber
from pipeline.transcribe.whisper import DecodingResult, Whisper
from tests.support.project import DEMO_AUDIO

needs_model = pytest.mark.model


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


def transcribe(
    transcriber: WhisperTranscriber, audio: Path, *, language: str | None = "en", checkpoints: Path | None = None
) -> Transcript:
    return transcriber.transcribe(audio, language=language, on_progress=lambda *_: None, checkpoints=checkpoints)


def text_of(segments: Sequence[Segment]) -> str:
    return " ".join(segment.text for segment in segments).lower()


def test_options_json_equals_version_0_1_0() -> None:
    """Projects record it; another value would transcribe every episode again."""
    recorded = '{"beams": 5, "recipe": 4, "stretch_s": [75.0, 150.0], "window_s": [20.0, 28.0]}'
    assert json.dumps(OPTIONS, sort_keys=True) == recorded


def test_fingerprint_equals_version_0_1_0(tmp_path: Path) -> None:
    """Checkpoints record it; with another value an interrupted run of version 0.1.0 would start over."""
    (tmp_path / "a.wav").write_bytes(b"audio")
    (tmp_path / "model.bin").write_bytes(b"weights")
    transcriber = WhisperTranscriber("base", Path(), glossary=["Entra", "Datto"])
    whisper = cast("Whisper", SimpleNamespace(engine="faster-whisper 1, CTranslate2 4, cpu int8"))
    fingerprint = transcriber._fingerprint(tmp_path / "a.wav", ModelFolder("base", tmp_path, "hub"), whisper, "en")
    assert fingerprint == "6aa8678b12b2b42cb2cdfece5d14918a7d499fbef0788247a29fc78807e50773"


@needs_model
def test_speech_becomes_words_with_rising_times(tmp_path: Path, tiny: WhisperTranscriber) -> None:
    progress: list[tuple[float, float]] = []
    audio = cut_demo(tmp_path / "a.wav", 30)
    transcript = tiny.transcribe(audio, language="en", on_progress=lambda *now: progress.append(now))
    words = [word for segment in transcript.segments for word in segment.words]
    assert "returns desk" in text_of(transcript.segments)
    assert len(words) > 50
    assert all(a.start <= b.start and a.start <= a.end for a, b in pairwise(words))
    assert (transcript.source, transcript.model, transcript.language) == ("whisper", "tiny.en", "en")
    assert transcript.duration == pytest.approx(30, abs=0.2)
    assert progress[0][0] == 0
    assert progress[-1][0] == progress[-1][1] == pytest.approx(transcript.duration, abs=0.001)
    assert [done for done, _ in progress] == sorted(done for done, _ in progress)


@needs_model
def test_same_audio_gives_same_transcript(tmp_path: Path, tiny: WhisperTranscriber) -> None:
    audio = cut_demo(tmp_path / "a.wav", 20)
    assert transcribe(tiny, audio) == transcribe(tiny, audio)


@needs_model
def test_audio_of_a_video_is_transcribed(tmp_path: Path, tiny: WhisperTranscriber) -> None:
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
    assert "returns desk" in text_of(transcribe(tiny, video).segments)


@pytest.fixture(scope="module")
def base() -> WhisperTranscriber:
    return WhisperTranscriber("base", Path(), offline=True)


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    """Ten seconds of the demo, two hosts greeting."""
    return np.concatenate(list(read_samples(DEMO_AUDIO)))[: 10 * SAMPLE_RATE]


def write_wav(path: Path, sound: np.ndarray, rate: int = SAMPLE_RATE) -> Path:
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, rate, 0, "NONE", ""))
        out.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    return path


def make_noise(seconds: float, kind: str) -> np.ndarray:
    """Audio without speech."""
    at = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    random = np.random.default_rng(7)
    match kind:
        case "silence":
            return np.zeros_like(at)
        case "tone":
            return 0.3 * np.sin(2 * np.pi * 440 * at)
        case "noise":
            return 0.1 * random.standard_normal(len(at))
        case _:
            # Chords that change twice a second, with a beat under them.
            roots = 220 * 2 ** (random.integers(0, 12, int(seconds * 2) + 1) / 12)
            root = roots[(at * 2).astype(int)]
            chord = sum(np.sin(2 * np.pi * root * step * at) for step in (1, 1.25, 1.5)) / 6
            return np.asarray(chord * (0.6 + 0.4 * (at * 4 % 1 < 0.2)))


@needs_model
@pytest.mark.parametrize("kind", ["silence", "tone", "noise", "music"])
@pytest.mark.parametrize("language", ["en", None])
@pytest.mark.parametrize("glossary", [(), ("Entra", "Datto", "SailPoint")])
def test_audio_without_speech_has_no_words(
    tmp_path: Path, base: WhisperTranscriber, kind: str, language: str | None, glossary: tuple[str, ...]
) -> None:
    audio = write_wav(tmp_path / "a.wav", make_noise(20, kind))
    base.load_model()
    transcript = transcribe(replace(base, glossary=glossary), audio, language=language)
    assert transcript.trusted == ()
    assert "no speech was found" in transcript.remarks[0]


@needs_model
@pytest.mark.parametrize("kind", ["silence", "tone", "noise", "music"])
def test_speech_between_noises_has_correct_times(
    tmp_path: Path, base: WhisperTranscriber, speech: np.ndarray, kind: str
) -> None:
    sound = np.concatenate([make_noise(12, kind), speech, make_noise(12, kind)])
    transcript = transcribe(base, write_wav(tmp_path / "a.wav", sound))
    words = [word for segment in transcript.trusted for word in segment.words]
    assert "returns desk" in text_of(transcript.trusted)
    assert 12.3 <= words[0].start <= 12.9
    assert words[-1].end <= 22.2


@needs_model
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda sound: sound / np.abs(sound).max() * 0.002, id="very quiet"),
        pytest.param(lambda sound: sound * 30, id="clipped"),
        pytest.param(lambda sound: np.repeat(sound[::2], 2), id="telephone"),
        pytest.param(lambda sound: sound + make_noise(10, "noise")[: len(sound)] / 10, id="noisy"),
    ],
)
def test_speech_in_bad_recordings_is_transcribed(
    tmp_path: Path, base: WhisperTranscriber, speech: np.ndarray, change: Callable[[np.ndarray], np.ndarray]
) -> None:
    transcript = transcribe(base, write_wav(tmp_path / "a.wav", change(speech)))
    text = text_of(transcript.trusted)
    assert "returns desk" in text
    assert "librarians" in text


@needs_model
def test_language_is_detected_if_settings_name_none(
    tmp_path: Path, base: WhisperTranscriber, speech: np.ndarray
) -> None:
    transcript = transcribe(base, write_wav(tmp_path / "a.wav", speech), language=None)
    assert (transcript.language, transcript.remarks) == ("en", ())


@needs_model
def test_other_language_than_in_settings_is_reported(
    tmp_path: Path, base: WhisperTranscriber, speech: np.ndarray
) -> None:
    transcript = transcribe(base, write_wav(tmp_path / "a.wav", speech), language="de")
    assert transcript.language == "de"
    assert "sounds like en" in transcript.remarks[0]


@needs_model
def test_model_without_the_language_is_refused(tiny: WhisperTranscriber) -> None:
    with pytest.raises(ModelError, match=r"tiny\.en does not know the language 'de'"):
        transcribe(tiny, DEMO_AUDIO, language="de")


@needs_model
def test_names_beyond_the_prompt_are_reported(tmp_path: Path, tiny: WhisperTranscriber, speech: np.ndarray) -> None:
    names = [f"Productname{number}" for number in range(200)]
    tiny.load_model()
    transcript = transcribe(replace(tiny, glossary=names), write_wav(tmp_path / "a.wav", speech))
    (remark,) = transcript.remarks
    match = re.match(r"the glossary is too long for the speech model: (\d+) names, from 'Productname(\d+)' on,", remark)
    assert match is not None
    assert int(match[1]) + int(match[2]) == 200
    assert "returns desk" in text_of(transcript.trusted)


@needs_model
def test_local_model_needs_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, speech: np.ndarray) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert transcribe(WhisperTranscriber("tiny.en", Path()), write_wav(tmp_path / "a.wav", speech)).segments


TRANSCRIBE = """
import sys
from pathlib import Path
from pipeline.transcribe.transcriber import WhisperTranscriber
WhisperTranscriber("tiny.en", Path(), offline=True, workers=1).transcribe(
    Path(sys.argv[1]), language="en", on_progress=lambda *_: None, checkpoints=Path(sys.argv[2])
)
"""


def test_interrupt_does_not_wait_for_running_windows() -> None:
    finished = Event()

    class SlowModel:
        workers = batch_size = 1

        def decode(self, windows: Sequence[np.ndarray], *_: object) -> list[DecodingResult]:
            finished.wait(60)
            return [DecodingResult((), 0.0, 0.0)] * len(windows)

    def interrupted() -> Iterator[Chunk]:
        yield Chunk(0, 0, np.zeros(SAMPLE_RATE, dtype=np.float32), ((0, SAMPLE_RATE),))
        raise KeyboardInterrupt

    work = ChunkTranscriber(cast("Whisper", SlowModel()), "en", None, None, lambda *_: None, 1.0)
    with pytest.raises(KeyboardInterrupt):
        work.transcribe(interrupted())
    assert not finished.is_set()
    finished.set()


@needs_model
@pytest.mark.slow
def test_killed_transcription_resumes_with_same_words(tmp_path: Path, tiny: WhisperTranscriber) -> None:
    """Killed after the first of three chunks, with one worker; resumed with one worker per core."""
    first = tmp_path / "0000.json"
    process = subprocess.Popen([sys.executable, "-c", TRANSCRIBE, str(DEMO_AUDIO), str(tmp_path)])
    deadline = time.monotonic() + 120
    while not first.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    written = first.stat().st_mtime_ns
    # A checkpoint that a crash of the machine cut off.
    (tmp_path / "0001.json").write_text('{"made_from": ')
    resumed = transcribe(tiny, DEMO_AUDIO, checkpoints=tmp_path)
    assert first.stat().st_mtime_ns == written
    assert len(resumed.segments) > 50
    assert resumed == transcribe(tiny, DEMO_AUDIO)


@needs_model
def test_checkpoints_of_other_audio_are_ignored(tmp_path: Path, tiny: WhisperTranscriber, speech: np.ndarray) -> None:
    audio = write_wav(tmp_path / "a.wav", speech)
    checkpoints = tmp_path / "checkpoints"
    transcript = transcribe(tiny, audio, checkpoints=checkpoints)
    saved = json.loads((checkpoints / "0000.json").read_text())
    saved |= {"segments": [], "sha256": sha256(b"[]").hexdigest()}
    (checkpoints / "0000.json").write_text(json.dumps(saved))
    assert transcribe(tiny, audio, checkpoints=checkpoints).segments == ()
    write_wav(audio, speech * 0.9)
    again = transcribe(tiny, audio, checkpoints=checkpoints)
    assert [segment.text for segment in again.segments] == [segment.text for segment in transcript.segments]


@needs_model
def test_damaged_checkpoint_is_decoded_again(tmp_path: Path, tiny: WhisperTranscriber, speech: np.ndarray) -> None:
    audio = write_wav(tmp_path / "a.wav", speech)
    transcript = transcribe(tiny, audio, checkpoints=tmp_path)
    saved = tmp_path / "0000.json"
    content = saved.read_text()
    word = transcript.segments[0].words[0].word.strip()
    saved.write_text(content.replace(word, chr(ord(word[0]) ^ 1) + word[1:]))
    assert transcribe(tiny, audio, checkpoints=tmp_path) == transcript
    assert saved.read_text() == content


@needs_model
@pytest.mark.parametrize("content", [b"", b"RIFF nothing of the kind", b"plain text"])
def test_error_names_file_that_is_not_audio(tmp_path: Path, tiny: WhisperTranscriber, content: bytes) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.wav") as raised:
        transcribe(tiny, path)
    assert "\n" not in str(raised.value)


@needs_model
def test_audio_without_samples_is_refused(tmp_path: Path, tiny: WhisperTranscriber) -> None:
    with wave.open(str(tmp_path / "a.wav"), "wb") as out:
        out.setparams((1, 2, 16_000, 0, "NONE", ""))
    with pytest.raises(InputError, match=r"a\.wav"):
        transcribe(tiny, tmp_path / "a.wav")
