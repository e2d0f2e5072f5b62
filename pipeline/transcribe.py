"""Turn an episode's audio into a transcript with word times: faster-whisper, on this machine."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pipeline.audio import probe_duration
from pipeline.errors import InputError
from pipeline.models import find_model
from pipeline.schema import Segment, Transcript, Word

if TYPE_CHECKING:
    from faster_whisper import WhisperModel
    from faster_whisper.transcribe import Segment as WhisperSegment

# Called with the seconds of audio done and the seconds in all.
Progress = Callable[[float, float], None]

# Beam 5 as in Whisper's own defaults. Conditioning on the text before lost 65 words of a 10-minute test that came
# back without it; the voice filter keeps Whisper from inventing text in silence.
OPTIONS: dict[str, Any] = {
    "beam_size": 5,
    "vad_filter": True,
    "word_timestamps": True,
    "condition_on_previous_text": False,
}


class Transcriber(Protocol):
    """Anything that turns an audio file into a transcript."""

    def transcribe(self, audio: Path, *, language: str | None, on_progress: Progress) -> Transcript:
        """Return what is said in `audio`; `language` None means: find out."""
        ...


@dataclass
class WhisperTranscriber:
    """A Whisper model by name or path, loaded at the first episode and kept for the next ones."""

    model: str
    root: Path
    offline: bool = False
    _loaded: "tuple[WhisperModel, str] | None" = None

    def transcribe(self, audio: Path, *, language: str | None, on_progress: Progress) -> Transcript:
        """Return the words of `audio` with their times; InputError where it cannot be decoded."""
        probe_duration(audio)
        model, name = self._load()
        import av
        import ctranslate2
        from faster_whisper import decode_audio

        try:
            samples = decode_audio(str(audio))
        except av.FFmpegError as error:
            raise InputError(f"{audio} breaks off or is damaged ({error}): fetch it again") from error
        duration = len(samples) / 16_000
        if duration == 0:
            raise InputError(f"{audio} holds no sound: name another file")
        # Where greedy search fails Whisper samples, so the same audio gives the same words only from the same seed.
        ctranslate2.set_random_seed(0)
        found, info = model.transcribe(samples, language=language, **OPTIONS)
        segments = tuple(_report(found, duration, on_progress))
        return Transcript(segments, info.language, round(duration, 3), source="whisper", model=name)

    def _load(self) -> "tuple[WhisperModel, str]":
        """The model and its name, loaded once: it takes seconds and hundreds of megabytes."""
        if self._loaded is None:
            folder = find_model(self.model, root=self.root, offline=self.offline)
            from faster_whisper import WhisperModel

            device, compute_type = choose_device()
            model = WhisperModel(
                str(folder.path),
                device=device,
                compute_type=compute_type,
                cpu_threads=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0,
                local_files_only=True,
            )
            self._loaded = model, folder.name
        return self._loaded


def choose_device() -> tuple[str, str]:
    """Return the device and the compute type: a GPU in float16 where it can, else the CPU in int8."""
    import ctranslate2

    if ctranslate2.get_cuda_device_count() > 0:
        offered = ctranslate2.get_supported_compute_types("cuda")
        for compute_type in ("float16", "int8_float16"):
            if compute_type in offered:
                return "cuda", compute_type
    # `default` would be float32 on a CPU, nearly twice the cost of int8.
    return "cpu", "int8"


def _report(found: "Iterable[WhisperSegment]", duration: float, on_progress: Progress) -> Iterable[Segment]:
    """The recogniser's segments as ours, telling how far it got."""
    on_progress(0.0, duration)
    for segment in found:
        words = tuple(
            Word(_seconds(word.start), _seconds(word.end), word.word, _seconds(word.probability))
            for word in segment.words or ()
        )
        yield Segment(_seconds(segment.start), _seconds(segment.end), segment.text.strip(), words)
        on_progress(segment.end, duration)
    on_progress(duration, duration)


def _seconds(value: float) -> float:
    """Milliseconds are more than a word time is good for, and keep the file readable."""
    return round(float(value), 3)
