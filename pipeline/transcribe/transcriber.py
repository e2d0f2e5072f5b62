"""Transcribe an audio file with word times on this machine, chunk by chunk.

Chunks are independent of one another. Several are decoded at once, and each is saved when it is done, so that an
interrupted run resumes. The transcript does not depend on how the work was shared out or interrupted.
"""

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import chain, islice
from pathlib import Path
from threading import Event, Lock
from typing import Any, Protocol

from pipeline.core.audio.file import SAMPLE_RATE, probe_duration, read_samples
from pipeline.core.errors import InputError, ModelError
from pipeline.core.language import language_code, read_language
from pipeline.core.schema import Segment, Transcript
from pipeline.core.storage import sha256_of
from pipeline.transcribe.checkpoints import Checkpoints
from pipeline.transcribe.chunking import (
    MAX_CHUNK_S,
    MAX_WINDOW_S,
    MIN_CHUNK_S,
    TARGET_WINDOW_S,
    Chunk,
    cut_chunks,
    pack_windows,
)
from pipeline.transcribe.cpu_tuning import trim_malloc
from pipeline.transcribe.decoding import DEFAULT_OPTIONS, decode_chunk
from pipeline.transcribe.models import ModelFolder, find_model, list_weights
from pipeline.transcribe.whisper import Whisper

# A progress callback: (seconds of audio done, seconds in all).
Progress = Callable[[float, float], None]

# What the words of a transcript depend on besides the audio, the model and the version of faster-whisper. Projects
# record this value as JSON; if the JSON changes, their episodes are transcribed again. Raise `recipe` when a change of
# the code changes words.
OPTIONS: dict[str, Any] = {
    "recipe": 4,
    "beams": DEFAULT_OPTIONS.beam_size,
    "stretch_s": [MIN_CHUNK_S, MAX_CHUNK_S],
    "window_s": [TARGET_WINDOW_S, MAX_WINDOW_S],
}

# Chunks from the start of the audio in which the language is detected.
LANGUAGE_CHUNKS = 3

# From this probability on, a language other than the one in the settings is reported.
_OTHER_LANGUAGE_THRESHOLD = 0.8

# Chunks, some 20 minutes of audio, after which free memory is returned to the system. Returning it after each group of
# windows took a twentieth of the time.
_CHUNKS_PER_TRIM = 8


class Transcriber(Protocol):
    """Turns an audio file into a transcript."""

    def transcribe(
        self,
        audio: Path,
        *,
        language: str | None,
        on_progress: Progress,
        checkpoints: Path | None = None,
        whole: bool = False,
    ) -> Transcript:
        """Return the transcript of `audio`; `language` None means that the language is detected.

        `checkpoints` is a folder for finished chunks, from which a later call resumes. `whole` audio may be shorter
        than its header states.
        """
        ...


@dataclass
class WhisperTranscriber:
    """A Whisper model by name or path, loaded for the first audio file and kept for later ones.

    `glossary` holds names that the show uses. `workers` is how many chunks are decoded at once; None means one per
    core.
    """

    model: str
    root: Path
    offline: bool = False
    glossary: Sequence[str] = ()
    workers: int | None = None
    _loaded: "tuple[ModelFolder, Whisper] | None" = field(default=None, repr=False)

    def transcribe(
        self,
        audio: Path,
        *,
        language: str | None,
        on_progress: Progress,
        checkpoints: Path | None = None,
        whole: bool = False,
    ) -> Transcript:
        """Return the words of `audio` with their times; InputError if it cannot be decoded.

        ModelError if the model cannot be found or fetched, or does not know the language.
        """
        total = probe_duration(audio)
        folder, whisper = self.load_model()
        if language is not None and language not in whisper.languages:
            # A name, or a code with a region.
            language = language_code(read_language(language) or language)
        if language is not None and language not in whisper.languages:
            raise ModelError(
                f"the speech model {whisper.name} does not know the language {language!r}",
                f"correct `language` in configs/show.yaml (known: {', '.join(whisper.languages[:8])} …), or name "
                "another model",
            )
        choices: list[str] = []
        chunks = cut_chunks(read_samples(audio, whole=whole, remarks=choices), whisper.find_speech)
        first, detected = [], {}
        if language is None:
            first = list(islice(chunks, LANGUAGE_CHUNKS))
            detected = detect_language(whisper, first)
        spoken = language or _likeliest(detected) or "en"
        saved = Checkpoints(checkpoints, self._fingerprint(audio, folder, whisper, spoken)) if checkpoints else None
        hotwords, ignored = whisper.fit_hotwords(self.glossary, spoken)
        work = ChunkTranscriber(
            whisper, spoken, hotwords, saved, on_progress, total, detects_language=language is not None
        )
        on_progress(0.0, total)
        segments = work.transcribe(chain(first, chunks))
        duration = work.end / SAMPLE_RATE
        if duration == 0:
            raise InputError(f"{audio} holds no sound", "name another file")
        on_progress(max(duration, total), max(duration, total))
        remarks = (
            *choices,
            *_remark_glossary(ignored),
            *_remark(segments, duration, language, detected or work.detected),
        )
        return Transcript(
            tuple(segments), spoken, round(duration, 3), source="whisper", model=whisper.name, engine=whisper.engine,
            remarks=remarks,
        )  # fmt: skip

    def load_model(self) -> "tuple[ModelFolder, Whisper]":
        """Return the model and its folder; only the first call loads it, which takes seconds."""
        if self._loaded is None:
            folder = find_model(self.model, root=self.root, offline=self.offline)
            self._loaded = folder, Whisper.load(folder, workers=self.workers)
        return self._loaded

    def _fingerprint(self, audio: Path, folder: ModelFolder, whisper: Whisper, language: str) -> str:
        """Return a digest of everything that the words depend on."""
        weights: object = (folder.path / "model.bin").stat().st_size
        # Published weights are fixed; those of a folder may be exchanged under the same name.
        if folder.origin in {"path", "project"}:
            weights = [sha256_of(path) for path in list_weights(folder.path)]
        described = [sha256_of(audio), folder.name, weights, whisper.engine, language, list(self.glossary), OPTIONS]
        return sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


@dataclass
class ChunkTranscriber:
    """The transcription of one audio file, with several chunks at once.

    `total` is the expected duration in seconds. With `detects_language` the first chunks also give `detected`.
    """

    whisper: Whisper
    language: str
    hotwords: str | None
    checkpoints: Checkpoints | None
    on_progress: Progress
    total: float
    detects_language: bool = False
    end: int = 0
    _done: float = 0.0
    _lock: Lock = field(default_factory=Lock)
    _stop: Event = field(default_factory=Event)
    _detected: dict[int, dict[str, float]] = field(default_factory=dict)

    @property
    def detected(self) -> dict[str, float]:
        """The mean probability of each language in the first chunks; empty if none was detected."""
        return _mean([self._detected[number] for number in sorted(self._detected)])

    def transcribe(self, chunks: Iterable[Chunk]) -> list[Segment]:
        """Return the segments of all chunks, in order, and set `end` to the number of samples.

        At most two chunks more than there are workers are in memory.
        """
        segments: list[Segment] = []
        running: deque[Future[list[Segment]]] = deque()
        pool = ThreadPoolExecutor(self.whisper.workers, thread_name_prefix="transcribe")
        waits = True
        try:
            for chunk in chunks:
                self.end = chunk.end
                running.append(pool.submit(self._transcribe_chunk, chunk))
                while len(running) > self.whisper.workers + 1:
                    segments += running.popleft().result()
            while running:
                segments += running.popleft().result()
        except KeyboardInterrupt:
            # Ctrl-C does not wait the seconds that a group of windows takes; their chunk is decoded again later.
            waits = False
            raise
        finally:
            # After a failure the other workers stop at their next group of windows; finished chunks stay saved.
            self._stop.set()
            pool.shutdown(waits, cancel_futures=True)
        return segments

    def _transcribe_chunk(self, chunk: Chunk) -> list[Segment]:
        """Return the segments of a chunk: from its checkpoint, else decoded and saved there."""
        if self.detects_language and chunk.number < LANGUAGE_CHUNKS and chunk.speech:
            self._detected[chunk.number] = _detect_language(self.whisper, chunk)
        if self.checkpoints and (saved := self.checkpoints.load(chunk)) is not None:
            self._advance(len(chunk.samples) / SAMPLE_RATE)
            return saved
        segments = decode_chunk(self.whisper, chunk, self.language, hotwords=self.hotwords, on_progress=self._advance)
        if chunk.number % _CHUNKS_PER_TRIM == _CHUNKS_PER_TRIM - 1:
            trim_malloc()
        if self.checkpoints:
            self.checkpoints.save(chunk, segments)
        return segments

    def _advance(self, seconds: float) -> None:
        """Report more finished seconds of audio; InterruptedError once the transcription has stopped.

        Several workers call this.
        """
        if self._stop.is_set():
            raise InterruptedError("the transcription was stopped")
        with self._lock:
            self._done += seconds
            self.on_progress(self._done, max(self.total, self._done))


def detect_language(whisper: Whisper, chunks: Sequence[Chunk]) -> dict[str, float]:
    """Return the mean probability of each language over the longest window of each chunk; empty without speech."""
    spoken = [chunk for chunk in chunks if chunk.speech]
    with ThreadPoolExecutor(whisper.workers) as pool:
        return _mean(list(pool.map(lambda chunk: _detect_language(whisper, chunk), spoken)))


def _detect_language(whisper: Whisper, chunk: Chunk) -> dict[str, float]:
    windows = pack_windows(chunk.speech, len(chunk.samples))
    longest = max(windows, key=lambda window: window[1] - window[0])
    return whisper.detect_language(chunk.samples[slice(*longest)])


def _mean(detected: Sequence[dict[str, float]]) -> dict[str, float]:
    languages = dict.fromkeys(chain.from_iterable(detected))
    return {language: sum(each.get(language, 0.0) for each in detected) / len(detected) for language in languages}


def _likeliest(detected: dict[str, float]) -> str | None:
    return max(detected, key=lambda language: detected[language], default=None)


def _remark_glossary(ignored: Sequence[str]) -> Iterator[str]:
    if ignored:
        yield (
            f"the glossary is too long for the speech model: {len(ignored)} names, from {ignored[0]!r} on, are "
            "ignored; shorten `glossary` in configs/show.yaml"
        )


def _remark(
    segments: Sequence[Segment], duration: float, language: str | None, detected: dict[str, float]
) -> Iterator[str]:
    """Yield what a person should check in a transcript."""
    likeliest = _likeliest(detected)
    if language and likeliest and likeliest != language and detected[likeliest] >= _OTHER_LANGUAGE_THRESHOLD:
        yield (
            f"the speech sounds like {likeliest} ({detected[likeliest]:.0%}) and was transcribed as {language}: "
            f"check `language` in configs/show.yaml, and the audio"
        )
    if not segments:
        yield f"no speech was found in {duration:.0f} s of audio: check that it is the right file"
    suspect = sum(segment.end - segment.start for segment in segments if segment.suspect)
    if suspect >= 1:
        yield f"{suspect:.0f} s of the transcript are suspect (repetition, or words for noise) and were not matched"
