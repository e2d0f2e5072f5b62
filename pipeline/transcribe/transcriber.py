"""Turn an episode's audio into a transcript with word times, on this machine, chunk by chunk.

Each chunk is on disk as soon as it is recognised, so that an interrupted run goes on where it stopped. Chunks
do not depend on one another: several are recognised at once, and the transcript is the same however the work was
shared out or interrupted.
"""

import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import chain, islice
from pathlib import Path
from threading import Event, Lock
from typing import Any, Protocol

from pipeline.core.audio_file import SAMPLE_RATE, probe_duration, read_samples
from pipeline.core.errors import InputError, ModelError
from pipeline.core.schema import Segment, Transcript
from pipeline.core.serialization import segments_from_json, segments_to_json
from pipeline.core.storage import read_json, sha256_of, write_json
from pipeline.transcribe.chunking import (
    COMFORTABLE_S,
    LONGEST_S,
    SHORTEST_S,
    WINDOW_S,
    Chunk,
    cut_chunks,
    pack_windows,
)
from pipeline.transcribe.cpu_tuning import give_memory_back
from pipeline.transcribe.decoding import MANNERS, decode_chunk
from pipeline.transcribe.models import ModelFolder, find_model
from pipeline.transcribe.whisper import Whisper

# Called with the seconds of audio done and the seconds in all.
Progress = Callable[[float, float], None]

# What the words of a transcript depend on besides the audio, the model and the versions of the recogniser.
OPTIONS: dict[str, Any] = {
    "recipe": 4,
    "beams": MANNERS[0].beams,
    "stretch_s": [SHORTEST_S, LONGEST_S],
    "window_s": [COMFORTABLE_S, WINDOW_S],
}

# The language is listened for in so many chunks from the start, in the fullest window of each.
LANGUAGE_CHUNKS = 3

# Free memory is returned after so many chunks, some 20 minutes of sound. To do so after each group of windows took a
# twentieth of the time.
_CHUNKS_PER_TRIM = 8

# Heard with this probability, another language than the one in the settings is reported.
_ANOTHER_LANGUAGE = 0.8


class Transcriber(Protocol):
    """Anything that turns an audio file into a transcript."""

    def transcribe(
        self, audio: Path, *, language: str | None, on_progress: Progress, checkpoints: Path | None = None
    ) -> Transcript:
        """Return what is said in `audio`; `language` None means: find out.

        `checkpoints` is a folder where finished chunks may be kept until the next call.
        """
        ...


@dataclass
class WhisperTranscriber:
    """A Whisper model by name or path, loaded at the first episode and kept for the next ones.

    `glossary` holds names that the show uses; `workers` is how many chunks are recognised at once (None: one
    for each core).
    """

    model: str
    root: Path
    offline: bool = False
    glossary: Sequence[str] = ()
    workers: int | None = None
    _loaded: "tuple[ModelFolder, Whisper] | None" = field(default=None, repr=False)

    def transcribe(
        self, audio: Path, *, language: str | None, on_progress: Progress, checkpoints: Path | None = None
    ) -> Transcript:
        """Return the words of `audio` with their times; InputError where it cannot be decoded.

        ModelError where the model is not here and cannot be fetched, or does not know the language.
        """
        total = probe_duration(audio)
        folder, whisper = self._load()
        if language is not None and language not in whisper.languages:
            raise ModelError(
                f"the speech model {whisper.name} does not know the language {language!r}: correct `language` in "
                f"configs/show.yaml, or name a model that does (known here: {', '.join(whisper.languages[:8])} …)"
            )
        chunks = cut_chunks(read_samples(audio), whisper.find_speech)
        first, heard = [], {}
        if language is None:
            first = list(islice(chunks, LANGUAGE_CHUNKS))
            heard = listen_for_language(whisper, first)
        spoken = language or max(heard, key=lambda one: heard[one], default="en")
        made_from = self._describe(audio, folder, whisper, spoken) if checkpoints else ""
        hints, unheard = whisper.fit_hints(self.glossary, spoken)
        work = _Work(whisper, spoken, hints, checkpoints, made_from, on_progress, total, listens=language is not None)
        on_progress(0.0, total)
        segments = work.decode_all(chain(first, chunks))
        duration = work.end / SAMPLE_RATE
        if duration == 0:
            raise InputError(f"{audio} holds no sound: name another file")
        on_progress(max(duration, total), max(duration, total))
        return Transcript(
            tuple(segments), spoken, round(duration, 3), source="whisper", model=whisper.name, engine=whisper.engine,
            remarks=(*_remark_glossary(unheard), *_remark(segments, duration, language, heard or work.languages)),
        )  # fmt: skip

    def _load(self) -> "tuple[ModelFolder, Whisper]":
        """The model, loaded once: it takes seconds and hundreds of megabytes."""
        if self._loaded is None:
            folder = find_model(self.model, root=self.root, offline=self.offline)
            self._loaded = folder, Whisper.load(folder, workers=self.workers)
        return self._loaded

    def _describe(self, audio: Path, folder: ModelFolder, whisper: Whisper, language: str) -> str:
        """A digest of everything that the words depend on."""
        weights = (folder.path / "model.bin").stat().st_size
        described = [sha256_of(audio), folder.name, weights, whisper.engine, language, list(self.glossary), OPTIONS]
        return sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


@dataclass
class _Work:
    """The recognition of one file: what is finished is kept in `checkpoints`, and found there again."""

    whisper: Whisper
    language: str
    hints: str | None
    checkpoints: Path | None
    made_from: str
    on_progress: Progress
    total: float
    listens: bool = False
    end: int = 0
    _done: float = 0.0
    _lock: Lock = field(default_factory=Lock)
    _stop: Event = field(default_factory=Event)
    _listened: dict[int, dict[str, float]] = field(default_factory=dict)

    @property
    def languages(self) -> dict[str, float]:
        """The mean probability of each language, where the work `listens` for them too."""
        return _mean([self._listened[number] for number in sorted(self._listened)])

    def decode_all(self, chunks: Iterator[Chunk]) -> list[Segment]:
        """The segments of all chunks, in order; two more chunks than there are workers are in memory at most."""
        found: list[Segment] = []
        waiting: deque[Future[list[Segment]]] = deque()
        pool = ThreadPoolExecutor(self.whisper.workers, thread_name_prefix="recognise")
        waits = True
        try:
            for chunk in chunks:
                self.end = chunk.end
                waiting.append(pool.submit(self._recognise, chunk))
                while len(waiting) > self.whisper.workers + 1:
                    found += waiting.popleft().result()
            while waiting:
                found += waiting.popleft().result()
        except KeyboardInterrupt:
            # A person who interrupts does not wait the seconds that a group of windows takes: it is heard again.
            waits = False
            raise
        finally:
            # After a failure the others stop at their next group of windows; what they finished is kept.
            self._stop.set()
            pool.shutdown(waits, cancel_futures=True)
        return found

    def _recognise(self, chunk: Chunk) -> list[Segment]:
        """One chunk: as it was kept, or recognised now and kept."""
        path = self.checkpoints / f"{chunk.number:04}.json" if self.checkpoints else None
        if self.listens and chunk.number < LANGUAGE_CHUNKS and chunk.speech:
            self._listened[chunk.number] = _listen(self.whisper, chunk)
        if path and (kept := self._read(path, chunk)) is not None:
            self._advance(len(chunk.samples) / SAMPLE_RATE)
            return kept
        found = decode_chunk(self.whisper, chunk, self.language, hints=self.hints, on_heard=self._advance)
        if chunk.number % _CHUNKS_PER_TRIM == _CHUNKS_PER_TRIM - 1:
            give_memory_back()
        if path:
            segments = segments_to_json(found)
            record = {"made_from": self.made_from, "begin": chunk.begin, "end": chunk.end}
            write_json(path, {**record, "sha256": _digest(segments), "segments": segments})
        return found

    def _read(self, path: Path, chunk: Chunk) -> list[Segment] | None:
        """A chunk that was kept, where it is this one, of this audio, by this model; a damaged one is not."""
        if not path.is_file():
            return None
        try:
            record = read_json(path)
            if (record["made_from"], record["begin"], record["end"]) != (self.made_from, chunk.begin, chunk.end):
                return None
            if record["sha256"] != _digest(record["segments"]):
                return None
            return list(segments_from_json(record["segments"]))
        except (InputError, KeyError, TypeError):
            return None

    def _advance(self, seconds: float) -> None:
        """Tell that so many more seconds of sound are done; several workers call this."""
        if self._stop.is_set():
            raise InterruptedError("recognition was stopped")
        with self._lock:
            self._done += seconds
            self.on_progress(min(self._done, max(self.total, self._done)), max(self.total, self._done))


def listen_for_language(whisper: Whisper, chunks: Sequence[Chunk]) -> dict[str, float]:
    """Return the mean probability of each language over the fullest window of each chunk; empty without speech."""
    spoken = [chunk for chunk in chunks if chunk.speech]
    with ThreadPoolExecutor(whisper.workers) as pool:
        return _mean(list(pool.map(lambda one: _listen(whisper, one), spoken)))


def _listen(whisper: Whisper, chunk: Chunk) -> dict[str, float]:
    """The probability of each language in a chunk."""
    return whisper.detect_language(chunk.samples[slice(*_fullest_window(chunk))])


def _mean(found: Sequence[dict[str, float]]) -> dict[str, float]:
    languages = dict.fromkeys(chain.from_iterable(found))
    return {language: sum(one.get(language, 0.0) for one in found) / len(found) for language in languages}


def _digest(segments: list[dict[str, Any]]) -> str:
    """By what the words of a chunk are known to be those that were kept."""
    return sha256(json.dumps(segments, sort_keys=True).encode()).hexdigest()


def _fullest_window(chunk: Chunk) -> tuple[int, int]:
    """The window of a chunk with the most sound in it."""
    return max(pack_windows(chunk.speech, len(chunk.samples)), key=lambda window: window[1] - window[0])


def _remark_glossary(unheard: Sequence[str]) -> Iterator[str]:
    if unheard:
        yield f"the glossary is too long: from {unheard[0]!r} on, {len(unheard)} names were not listened for"


def _remark(
    segments: Sequence[Segment], duration: float, language: str | None, heard: dict[str, float]
) -> Iterator[str]:
    """What a person should know about a transcript."""
    likeliest = max(heard, key=lambda one: heard[one], default=None)
    if language and likeliest and likeliest != language and heard[likeliest] >= _ANOTHER_LANGUAGE:
        yield (
            f"the speech sounds like {likeliest} ({heard[likeliest]:.0%}) and was transcribed as {language}: "
            f"check `language` in configs/show.yaml, and the audio"
        )
    if not segments:
        yield f"no speech was heard in {duration:.0f} s of audio: check that it is the right file"
    suspect = sum(segment.end - segment.start for segment in segments if segment.suspect)
    if suspect >= 1:
        yield f"{suspect:.0f} s of the transcript are suspect (repetition, or words for noise) and were not matched"
