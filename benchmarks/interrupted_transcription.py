"""Kill transcriptions at random moments, resume them, and compare the transcripts with that of an undisturbed run.

python -m benchmarks.interrupted_transcription AUDIO [--kills 20] [--model base] [--seed 1]

Each round starts without checkpoints and is killed with SIGKILL once, at a random moment within the time of an
undisturbed run. A second run then resumes it and finishes. All transcripts must have the same SHA-256.
"""

import argparse
import hashlib
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pipeline.core.serialization import transcript_to_json
from pipeline.core.storage import dump_json
from pipeline.transcribe.transcriber import WhisperTranscriber


def main() -> None:
    """Print a line for each kill; exit 1 if a transcript differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("audio", type=Path)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--model", default="base")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--checkpoints", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.checkpoints:
        print(_digest(arguments.audio, arguments.model, arguments.checkpoints))
        return
    chance = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        undisturbed = _run(arguments, Path(folder) / "whole").communicate()[0].strip()
        seconds = time.monotonic() - began
        print(f"undisturbed: {seconds:.1f} s, {undisturbed[:16]}", flush=True)
        different = 0
        for number in range(arguments.kills):
            checkpoints = Path(folder) / str(number)
            moment = chance.uniform(0, seconds)
            process = _run(arguments, checkpoints)
            try:
                process.wait(moment)
            except subprocess.TimeoutExpired:
                process.kill()
            process.communicate()
            saved = len(list(checkpoints.glob("*.json")))
            began = time.monotonic()
            digest = _run(arguments, checkpoints).communicate()[0].strip()
            different += digest != undisturbed
            rest = time.monotonic() - began
            print(
                f"killed at {moment:.1f} s, {saved} chunks saved, the rest took {rest:.1f} s: {digest[:16]}",
                flush=True,
            )
    sys.exit(f"{different} transcripts differ" if different else 0)


def _run(arguments: argparse.Namespace, checkpoints: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "benchmarks.interrupted_transcription", str(arguments.audio)]
    options = ["--model", arguments.model, "--checkpoints", str(checkpoints)]
    return subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True)


def _digest(audio: Path, model: str, checkpoints: Path) -> str:
    """Return the SHA-256 of the transcript file."""
    transcriber = WhisperTranscriber(model, Path(), offline=True)
    transcript = transcriber.transcribe(audio, language="en", on_progress=lambda *_: None, checkpoints=checkpoints)
    return hashlib.sha256(dump_json(transcript_to_json(transcript)).encode()).hexdigest()


if __name__ == "__main__":
    main()
