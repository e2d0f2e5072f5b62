"""Real weights on real sound: words with times, the same however the work goes, and plain words about bad audio."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import wave
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from threading import Event
from typing import cast

import av
import numpy as np
import pytest

from pipeline.core.audio_file import SAMPLE_RATE, read_samples
from pipeline.core.errors import InputError, ModelError
from pipeline.core.schema import Transcript
from pipeline.transcribe.chunking import Chunk
from pipeline.transcribe.transcriber import WhisperTranscriber, _Work
from pipeline.transcribe.whisper import Heard, Whisper, list_devices
from tests.support.project import DEMO_AUDIO

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


def hum(seconds: float, kind: str) -> np.ndarray:
    """Sound in which nobody speaks."""
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


@pytest.mark.parametrize("kind", ["silence", "tone", "noise", "music"])
@pytest.mark.parametrize("language", ["en", None])
@pytest.mark.parametrize("glossary", [(), ("Entra", "Datto", "SailPoint")])
def test_where_nobody_speaks_there_are_no_words(
    tmp_path: Path, base: WhisperTranscriber, kind: str, language: str | None, glossary: tuple[str, ...]
) -> None:
    audio = write_wav(tmp_path / "a.wav", hum(20, kind))
    listener = WhisperTranscriber("base", Path(), offline=True, glossary=glossary, _loaded=base._load())
    transcript = listener.transcribe(audio, language=language, on_progress=lambda *_: None)
    assert transcript.trusted == ()
    assert "no speech was heard" in transcript.remarks[0]


@pytest.mark.parametrize("kind", ["silence", "tone", "noise", "music"])
def test_speech_between_noises_is_found_where_it_is(
    tmp_path: Path, base: WhisperTranscriber, speech: np.ndarray, kind: str
) -> None:
    sound = np.concatenate([hum(12, kind), speech, hum(12, kind)])
    transcript = listen(base, write_wav(tmp_path / "a.wav", sound))
    words = [word for segment in transcript.trusted for word in segment.words]
    assert "returns desk" in " ".join(segment.text for segment in transcript.trusted).lower()
    assert 12.3 <= words[0].start <= 12.9
    assert words[-1].end <= 22.2


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda sound: sound / np.abs(sound).max() * 0.002, id="very quiet"),
        pytest.param(lambda sound: sound * 30, id="clipped"),
        pytest.param(lambda sound: np.repeat(sound[::2], 2), id="telephone"),
        pytest.param(lambda sound: sound + hum(10, "noise")[: len(sound)] / 10, id="noisy"),
    ],
)
def test_bad_recordings_of_speech_are_understood(
    tmp_path: Path, base: WhisperTranscriber, speech: np.ndarray, change: Callable[[np.ndarray], np.ndarray]
) -> None:
    transcript = listen(base, write_wav(tmp_path / "a.wav", change(speech)))
    text = " ".join(segment.text for segment in transcript.trusted).lower()
    assert "returns desk" in text
    assert "librarians" in text


def test_the_language_is_heard_where_the_settings_name_none(
    tmp_path: Path, base: WhisperTranscriber, speech: np.ndarray
) -> None:
    audio = write_wav(tmp_path / "a.wav", speech)
    transcript = base.transcribe(audio, language=None, on_progress=lambda *_: None)
    assert (transcript.language, transcript.remarks) == ("en", ())


def test_speech_in_another_language_than_the_settings_name_is_reported(
    tmp_path: Path, base: WhisperTranscriber, speech: np.ndarray
) -> None:
    audio = write_wav(tmp_path / "a.wav", speech)
    transcript = base.transcribe(audio, language="de", on_progress=lambda *_: None)
    assert transcript.language == "de"
    assert "sounds like en" in transcript.remarks[0]


def test_a_model_that_does_not_know_the_language_is_refused(tmp_path: Path, tiny: WhisperTranscriber) -> None:
    with pytest.raises(ModelError, match=r"tiny\.en does not know the language 'de'"):
        tiny.transcribe(DEMO_AUDIO, language="de", on_progress=lambda *_: None)


def test_a_glossary_that_does_not_fit_is_told_and_the_first_names_count(
    tmp_path: Path, tiny: WhisperTranscriber, speech: np.ndarray
) -> None:
    names = [f"Productname{number}" for number in range(200)]
    listener = WhisperTranscriber("tiny.en", Path(), offline=True, glossary=names, _loaded=tiny._load())
    transcript = listen(listener, write_wav(tmp_path / "a.wav", speech))
    assert "the glossary is too long: from 'Productname" in transcript.remarks[0]
    assert "returns desk" in " ".join(segment.text for segment in transcript.trusted).lower()


def test_nothing_is_asked_of_the_network_where_the_model_is_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, speech: np.ndarray
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    listener = WhisperTranscriber("tiny.en", Path())
    assert listen(listener, write_wav(tmp_path / "a.wav", speech)).segments


KILLED = """
import sys
from pathlib import Path
from pipeline.transcribe.transcriber import WhisperTranscriber
WhisperTranscriber("tiny.en", Path(), offline=True, workers=1).transcribe(
    Path(sys.argv[1]), language="en", on_progress=lambda *_: None, checkpoints=Path(sys.argv[2])
)
"""


def test_who_interrupts_does_not_wait_for_the_windows_that_are_being_heard() -> None:
    let_go = Event()

    class Patient:
        workers = batch = 1

        def hear(self, windows: Sequence[np.ndarray], *_: object) -> list[Heard]:
            let_go.wait(60)
            return [Heard((), 0.0, 0.0)] * len(windows)

    def interrupted() -> Iterator[Chunk]:
        yield Chunk(0, 0, np.zeros(SAMPLE_RATE, dtype=np.float32), ((0, SAMPLE_RATE),))
        raise KeyboardInterrupt

    work = _Work(cast("Whisper", Patient()), "en", None, None, "", lambda *_: None, 1.0)
    with pytest.raises(KeyboardInterrupt):
        work.decode_all(interrupted())
    assert not let_go.is_set()
    let_go.set()


def test_a_killed_transcription_goes_on_and_gives_the_same_words(tmp_path: Path, tiny: WhisperTranscriber) -> None:
    """Killed after the first of three chunks, with one worker; gone on with by as many as there are cores."""
    first = tmp_path / "0000.json"
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(DEMO_AUDIO), str(tmp_path)])
    deadline = time.monotonic() + 120
    while not first.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    written = first.stat().st_mtime_ns
    # What a crash of the machine leaves of a chunk is no obstacle.
    (tmp_path / "0001.json").write_text('{"made_from": ')
    gone_on = tiny.transcribe(DEMO_AUDIO, language="en", on_progress=lambda *_: None, checkpoints=tmp_path)
    assert first.stat().st_mtime_ns == written
    assert len(gone_on.segments) > 50
    assert gone_on == tiny.transcribe(DEMO_AUDIO, language="en", on_progress=lambda *_: None)


def test_what_was_kept_of_other_audio_or_settings_is_not_gone_on_with(
    tmp_path: Path, tiny: WhisperTranscriber, speech: np.ndarray
) -> None:
    audio = write_wav(tmp_path / "a.wav", speech)
    checkpoints = tmp_path / "checkpoints"
    transcript = tiny.transcribe(audio, language="en", on_progress=lambda *_: None, checkpoints=checkpoints)
    kept = json.loads((checkpoints / "0000.json").read_text())
    kept |= {"segments": [], "sha256": sha256(b"[]").hexdigest()}
    (checkpoints / "0000.json").write_text(json.dumps(kept))
    assert tiny.transcribe(audio, language="en", on_progress=lambda *_: None, checkpoints=checkpoints).segments == ()
    write_wav(audio, speech * 0.9)
    again = tiny.transcribe(audio, language="en", on_progress=lambda *_: None, checkpoints=checkpoints)
    assert [one.text for one in again.segments] == [one.text for one in transcript.segments]


def test_a_kept_stretch_in_which_a_bit_flipped_is_heard_again(
    tmp_path: Path, tiny: WhisperTranscriber, speech: np.ndarray
) -> None:
    audio = write_wav(tmp_path / "a.wav", speech)
    transcript = tiny.transcribe(audio, language="en", on_progress=lambda *_: None, checkpoints=tmp_path)
    kept = tmp_path / "0000.json"
    content = kept.read_text()
    word = transcript.segments[0].words[0].word.strip()
    kept.write_text(content.replace(word, chr(ord(word[0]) ^ 1) + word[1:]))
    assert tiny.transcribe(audio, language="en", on_progress=lambda *_: None, checkpoints=tmp_path) == transcript
    assert kept.read_text() == content


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
