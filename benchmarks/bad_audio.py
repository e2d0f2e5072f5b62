"""Transcribe the same speech from difficult recordings, and from files that are no recordings.

python -m benchmarks.bad_audio SPEECH [--model base] [--language en] [--seconds 40]

Prints a table for docs/evaluation/transcription.md: the share of words that differ from the transcript of the original
file, or the error message. The files are made here, from the first seconds of SPEECH.
"""

import argparse
import tempfile
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import av
import numpy as np
from rapidfuzz.distance import Levenshtein

from pipeline.core.audio.file import SAMPLE_RATE, read_samples
from pipeline.core.errors import PipelineError
from pipeline.transcribe.transcriber import WhisperTranscriber

# The key of the encrypted file.
KEY = "00112233445566778899aabbccddeeff"

# Options of FFmpeg that encrypt an MP4 file.
ENCRYPTED = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": KEY, "encryption_kid": KEY}


def write(
    path: Path, sound: np.ndarray, codec: str, *, rate: int = 48_000, layout: str = "mono",
    picture: bool = False, **options: str,
) -> Path:  # fmt: skip
    """Write mono audio to a media file, as one channel of `layout`; `picture` adds frames at uneven times."""
    with av.open(str(path), "w", options=options) as out:
        stream = cast("av.AudioStream", out.add_stream(codec, rate=rate, layout=layout))
        video = out.add_stream("mpeg4", rate=30, width=64, height=64, pix_fmt="yuv420p") if picture else None
        rates = av.AudioResampler("fltp", "mono", rate)
        shapes = av.AudioResampler(stream.format.name, layout, rate, stream.frame_size or None)
        mono = av.AudioFrame.from_ndarray(sound[None], format="fltp", layout="mono")
        mono.sample_rate, mono.pts = SAMPLE_RATE, 0
        channels = np.concatenate(
            [frame.to_ndarray() for frame in [*rates.resample(mono), *rates.resample(None)]], axis=1
        )
        spread = np.zeros((av.AudioLayout(layout).nb_channels, channels.shape[1]), dtype=np.float32)
        spread[2 if layout == "5.1" else 0] = channels  # speech is in the center channel
        whole = av.AudioFrame.from_ndarray(spread, format="fltp", layout=layout)
        whole.sample_rate, whole.pts = rate, 0
        for frame in [*shapes.resample(whole), *shapes.resample(None)]:
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if video:
            for at in (0, 1, 2, 40, 41, 300, 333):
                image = av.VideoFrame(64, 64, "yuv420p")
                image.pts = at
                out.mux(video.encode(image))
            out.mux(video.encode(None))
    return path


def cut(path: Path, share: float) -> Path:
    """Truncate a file to a share of its bytes."""
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    return path


def put(path: Path, content: bytes) -> Path:
    """Write bytes to a file."""
    path.write_bytes(content)
    return path


def write_silent_film(path: Path) -> Path:
    """Write a video without an audio stream."""
    with av.open(str(path), "w") as out:
        video = out.add_stream("mpeg4", rate=5, width=64, height=64, pix_fmt="yuv420p")
        out.mux([*video.encode(av.VideoFrame(64, 64, "yuv420p")), *video.encode(None)])
    return path


def write_empty_wav(path: Path) -> Path:
    """Write a WAV header without samples."""
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
    return path


def damage(path: Path) -> Path:
    """Set a tenth of a file to zeros, in equal distances."""
    content = bytearray(path.read_bytes())
    for at in range(10_000, len(content) - 2_000, 10_000):
        content[at : at + 1_000] = bytes(1_000)
    return put(path, bytes(content))


def make_music(seconds: float) -> np.ndarray:
    """Return a chord with a beat."""
    at = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    chord = sum(np.sin(2 * np.pi * note * at) for note in (220.0, 277.2, 329.6))
    return np.asarray(0.1 * chord * (1 + np.sign(np.sin(4 * np.pi * at))), dtype=np.float32)


def make_cases(folder: Path, speech: np.ndarray) -> Iterator[tuple[str, Callable[[], Path], str | None]]:
    """Yield a description, a function that writes the file, and the language in the settings if it is another."""
    noise = np.random.default_rng(1).normal(0, 0.05, 30 * SAMPLE_RATE).astype(np.float32)
    silence = np.zeros(30 * SAMPLE_RATE, dtype=np.float32)
    wav = "pcm_s16le"
    yield "8 kHz, mono", lambda: write(folder / "a.wav", speech, wav, rate=8_000), None
    yield "96 kHz, 5.1, 24 bits", lambda: write(folder / "b.wav", speech, "pcm_s24le", rate=96_000, layout="5.1"), None
    yield "film, frames at uneven times", lambda: write(folder / "c.mp4", speech, "aac", picture=True), None
    yield "very quiet (a 300th)", lambda: write(folder / "d.flac", speech / 300, "flac"), None
    yield "clipped (30 times too loud)", lambda: write(folder / "e.wav", np.clip(30 * speech, -1, 1), wav), None
    yield (
        "mp3 that is called .wav",
        lambda: write(folder / "f.mp3", speech, "libmp3lame").rename(folder / "f.wav"),
        None,
    )
    yield "30 s of silence before", lambda: write(folder / "g.wav", np.concatenate([silence, speech]), wav), None
    yield "English, `language: de`", lambda: write(folder / "h.wav", speech, wav), "de"
    yield "silence", lambda: write(folder / "i.wav", silence, wav), None
    yield "noise", lambda: write(folder / "j.wav", noise, wav), None
    yield "a chord with a beat", lambda: write(folder / "k.wav", make_music(30), wav), None
    yield "mp3, a tenth zeroed", lambda: damage(write(folder / "l.mp3", speech, "libmp3lame")), None
    yield "mp3, cut in half", lambda: cut(write(folder / "m.mp3", speech, "libmp3lame"), 0.5), None
    yield "flac, cut in half", lambda: cut(write(folder / "n.flac", speech, "flac"), 0.5), None
    yield "m4a, cut in half", lambda: cut(write(folder / "o.m4a", speech, "aac"), 0.5), None
    yield "webm, cut in half", lambda: cut(write(folder / "p.webm", speech, "libopus"), 0.5), None
    yield "wav, cut in half", lambda: cut(write(folder / "q.wav", speech, wav), 0.5), None
    yield "encrypted mp4", lambda: write(folder / "r.mp4", speech, "aac", **ENCRYPTED), None
    yield "film without sound", lambda: write_silent_film(folder / "s.mkv"), None
    yield "wav without a sample", lambda: write_empty_wav(folder / "t.wav"), None
    yield "empty file", lambda: put(folder / "u.mp3", b""), None
    yield "web page", lambda: put(folder / "v.mp3", b"<!DOCTYPE html><title>Sign in</title>"), None
    yield "text", lambda: put(folder / "w.mp3", b"not a sound\n" * 300), None
    yield "zeros", lambda: put(folder / "x.mp3", bytes(9_000)), None


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("speech", type=Path)
    parser.add_argument("--model", default="base")
    parser.add_argument("--language", default="en")
    parser.add_argument("--seconds", type=float, default=40.0)
    arguments = parser.parse_args()
    transcriber = WhisperTranscriber(arguments.model, Path(), offline=True)
    speech = np.concatenate(list(read_samples(arguments.speech)))[: int(arguments.seconds * SAMPLE_RATE)]

    def transcribe(path: Path, language: str | None) -> tuple[list[str], tuple[str, ...]]:
        transcript = transcriber.transcribe(path, language=language or arguments.language, on_progress=lambda *_: None)
        return " ".join(segment.text for segment in transcript.trusted).lower().split(), transcript.remarks

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        expected, _ = transcribe(write(folder / "0.wav", speech, "pcm_s16le", rate=SAMPLE_RATE), None)
        print(f"{len(expected)} words in {len(speech) / SAMPLE_RATE:.0f} s\n\n| file | result |\n|---|---|")
        for description, make, language in make_cases(folder, speech):
            try:
                words, remarks = transcribe(make(), language)
            except PipelineError as error:
                print(f"| {description} | error: {str(error).replace(f'{folder}/', '')} |", flush=True)
                continue
            differ = 100 * Levenshtein.distance(expected, words) / len(expected)
            result = f"{differ:.1f}% of words differ" if words else "no words"
            print(f"| {description} | {'; '.join([result, *remarks])} |", flush=True)


if __name__ == "__main__":
    main()
