"""Measure the peak memory of a transcription of 10 minutes, an hour and five hours of the same speech.

python -m benchmarks.transcription_memory AUDIO [--minutes 10 60 300] [--model base] [--workers N]

Each length runs in a process of its own; the figure is the largest resident set that the operating system reports.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path

import numpy as np

from pipeline.core.audio.file import SAMPLE_RATE, read_samples
from pipeline.transcribe.transcriber import WhisperTranscriber


def main() -> None:
    """Print a row for each length."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("audio", type=Path)
    parser.add_argument("--minutes", type=int, nargs="+", default=[10, 60, 300])
    parser.add_argument("--model", default="base")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        _transcribe(arguments.audio, arguments.model, arguments.workers)
        return
    audio = np.concatenate(list(read_samples(arguments.audio)))
    print("| minutes | peak MB | seconds | audio seconds per second | words |\n|---|---|---|---|---|", flush=True)
    for minutes in arguments.minutes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "audio.wav"
            _write(path, audio, minutes * 60 * SAMPLE_RATE)
            workers = ["--workers", str(arguments.workers)] if arguments.workers else []
            command = [sys.executable, "-m", "benchmarks.transcription_memory", str(path), "--measure", *workers]
            done = subprocess.run([*command, "--model", arguments.model], check=True, capture_output=True, text=True)
            print(f"| {minutes} | {done.stdout.strip()}", flush=True)


def _write(path: Path, audio: np.ndarray, samples: int) -> None:
    """Write a WAV file of `samples` samples that repeats `audio`."""
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        for begin in range(0, samples, len(audio)):
            out.writeframes((audio[: samples - begin] * 32767).astype("<i2").tobytes())


def _transcribe(audio: Path, model: str, workers: int | None) -> None:
    began = time.monotonic()
    transcriber = WhisperTranscriber(model, Path(), offline=True, workers=workers)
    transcript = transcriber.transcribe(audio, language="en", on_progress=lambda *_: None)
    seconds = time.monotonic() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    words = sum(len(segment.words) for segment in transcript.segments)
    print(f"{peak:.0f} | {seconds:.0f} | {(transcript.duration or 0) / seconds:.1f} | {words} |")


if __name__ == "__main__":
    main()
