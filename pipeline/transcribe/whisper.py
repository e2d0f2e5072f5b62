"""Whisper on this machine, by faster-whisper and CTranslate2: the only module that knows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from itertools import chain
from typing import TYPE_CHECKING, Any

from pipeline.core.audio_file import SAMPLE_RATE
from pipeline.core.errors import ModelError
from pipeline.core.schema import Word
from pipeline.transcribe.cpu_tuning import MelBands, count_cores, keep_large_blocks, use_wide_registers
from pipeline.transcribe.models import ModelFolder

if TYPE_CHECKING:
    from faster_whisper import WhisperModel
    from faster_whisper.tokenizer import Tokenizer

    from pipeline.core.audio_file import Samples
    from pipeline.transcribe.chunking import Speech

FRAMES_A_SECOND = 100
_FULL_WINDOW = 30 * FRAMES_A_SECOND  # what Whisper was trained on
_PUNCTUATION_BEFORE, _PUNCTUATION_AFTER = "\"'“¿([{-", "\"'.。,，!！?？:：”)]}、"

# Windows decoded together: each step reads all weights of the decoder, which several windows share. On a processor
# each more takes 35 MB a worker.
_BATCH = {"cpu": 5, "cuda": 16}

# Positions over which the attention is smoothed before words are timed by it. Whisper's own 7 take a fiftieth of the
# whole time more, and move one word in 2,800 by more than a tenth of a second (docs/evaluation/transcription.md).
_SMOOTHED = 3

# Half a second of what the encoder makes of silence: it gives 50 states a second.
_SILENT_STATES = 25

# Speech whose loudest moment is below this is made louder for the voice filter, up to so many times.
_LOUDEST, _MOST_GAIN = 0.25, 30.0

# A pause that separates two pieces of speech, and the shortest piece.
_VOICE = {"min_silence_duration_ms": 160, "speech_pad_ms": 0, "min_speech_duration_ms": 60}


@dataclass(frozen=True, slots=True)
class Heard:
    """What Whisper made of one window: words with seconds from the window's start, and how sure it was.

    `log_probability` is the mean over tokens, `no_speech` the probability that nobody speaks.
    """

    words: tuple[Word, ...]
    log_probability: float
    no_speech: float

    @property
    def text(self) -> str:
        """The words in a row."""
        return "".join(word.word for word in self.words).strip()


@dataclass(frozen=True, slots=True)
class Manner:
    """How to decode. `whole` gives short windows the 30 seconds that Whisper knows: slower, and safer."""

    whole: bool = False
    no_repeat: int = 0
    beams: int = 5


class Whisper:
    """A loaded model. Several threads may call it: on a processor each has its own core."""

    def __init__(self, model: "WhisperModel", name: str, device: str, compute_type: str, workers: int) -> None:
        self._model = model
        model.feature_extractor.mel_filters = MelBands(model.feature_extractor.mel_filters)
        self.name = name
        self.device = device
        self.compute_type = compute_type
        self.workers = workers
        self.batch = _BATCH[device]
        self._tokenizers: dict[str, Tokenizer] = {}

    @classmethod
    def load(cls, folder: ModelFolder, *, workers: int | None = None) -> "Whisper":
        """Load a model on the best device there is, else ModelError; `workers` None means: one for each core."""
        keep_large_blocks()
        wide = use_wide_registers()
        from faster_whisper import WhisperModel

        failures = []
        for device, compute_type in list_devices():
            threads = 1 if device == "cuda" else workers or count_cores()
            try:
                # One thread a worker: a second thread on the same window gains a seventh (measured, base in int8).
                model = WhisperModel(
                    str(folder.path), device=device, compute_type=compute_type,
                    cpu_threads=1, num_workers=threads, local_files_only=True,
                )  # fmt: skip
            except (RuntimeError, ValueError) as error:
                failures.append(f"{device} {compute_type}: {error}")
                continue
            computes = f"{compute_type} AVX-512" if wide and device == "cpu" else compute_type
            return cls(model, folder.name, device, computes, threads)
        raise ModelError(f"the speech model in {folder.path} cannot be loaded ({'; '.join(failures)}): fetch it again")

    @property
    def engine(self) -> str:
        """What recognises, for the record of a transcript."""
        version, core = metadata.version("faster-whisper"), metadata.version("ctranslate2")
        return f"faster-whisper {version}, CTranslate2 {core}, {self.device} {self.compute_type}"

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that this model knows."""
        return tuple(self._model.supported_languages)

    def fit_hints(self, names: Sequence[str], language: str) -> tuple[str | None, Sequence[str]]:
        """Return names to expect as the hint that `hear` takes, and those for which there was no room in it."""
        tokenizer = self._tokenizer(language)
        for fitting in range(len(names), 0, -1):
            hint = ", ".join(names[:fitting])
            if len(tokenizer.encode(" " + hint)) < self._model.max_length // 2 - 1:
                return hint, names[fitting:]
        return None, names

    def find_speech(self, samples: "Samples") -> list["Speech"]:
        """Return where speech is, by Silero's voice filter: (begin, end) in samples, in order."""
        import numpy as np
        from faster_whisper.vad import VadOptions, get_speech_timestamps

        # The filter is deaf to very quiet speech; Whisper itself hears relative to the loudest moment.
        peak = float(np.abs(samples).max(initial=0.0))
        louder = samples * min(_LOUDEST / peak, _MOST_GAIN) if 0 < peak < _LOUDEST else samples
        return [(int(one["start"]), int(one["end"])) for one in get_speech_timestamps(louder, VadOptions(**_VOICE))]

    def detect_language(self, window: "Samples") -> dict[str, float]:
        """Return the probability of each language for a window of up to 30 seconds."""
        if not self._model.model.is_multilingual:
            return {"en": 1.0}
        encoded = self._model.encode(self._features([window], whole=False))
        (found,) = self._model.model.detect_language(encoded)
        return {token[2:-2]: float(probability) for token, probability in found}

    def hear(
        self, windows: Sequence["Samples"], language: str, manner: Manner, hints: str | None = None
    ) -> list[Heard]:
        """Return what is said in windows of up to 30 seconds, decoded together; `hints` are words to expect.

        Beam search alone, without sampling: the same windows always give the same words.
        """
        from faster_whisper.transcribe import get_suppressed_tokens

        model, tokenizer = self._model, self._tokenizer(language)
        # On a processor one by one: the attention of several windows does not fit its cache, and costs twice as much.
        size = len(windows) if self.device == "cuda" else 1
        parts = [slice(first, first + size) for first in range(0, len(windows), size)]
        encoded = [model.encode(self._features(windows[part], whole=manner.whole)) for part in parts]
        prompt = model.get_prompt(tokenizer, [], without_timestamps=True, hotwords=hints)
        results = model.model.generate(
            _join(encoded),
            [list(prompt) for _ in windows],
            beam_size=manner.beams,
            max_length=model.max_length,
            suppress_blank=True,
            suppress_tokens=get_suppressed_tokens(tokenizer, [-1]),
            no_repeat_ngram_size=manner.no_repeat,
            return_scores=True,
            return_no_speech_prob=True,
        )
        tokens = [[one for one in result.sequences_ids[0] if one < tokenizer.eot] for result in results]
        frames = [min(_FULL_WINDOW, len(window) * FRAMES_A_SECOND // SAMPLE_RATE) for window in windows]
        timed = (
            self._time_words(tokenizer, tokens[part], states, frames[part])
            for part, states in zip(parts, encoded, strict=True)
        )
        # The score is the mean over the tokens and the end mark, which the sequence does not hold.
        return [
            Heard(spoken, float(result.scores[0]) * len(ids) / (len(ids) + 1), float(result.no_speech_prob))
            for spoken, result, ids in zip(chain.from_iterable(timed), results, tokens, strict=True)
        ]

    def _features(self, windows: Sequence["Samples"], *, whole: bool) -> Any:
        """The spectrograms of windows, shape (windows, mels, frames), as long as the longest of them or 30 s."""
        import numpy as np
        from faster_whisper.audio import pad_or_trim

        spectra = [self._model.feature_extractor(window)[..., :-1] for window in windows]
        # A second of silence at the end tells the model that nothing more comes.
        longest = max(spectrum.shape[-1] for spectrum in spectra) + FRAMES_A_SECOND
        frames = _FULL_WINDOW if whole else min(_FULL_WINDOW, -(-longest // 50) * 50)
        return np.stack([pad_or_trim(spectrum, frames) for spectrum in spectra]).astype(np.float32)

    def _time_words(
        self, tokenizer: "Tokenizer", tokens: list[list[int]], encoded: Any, frames: list[int]
    ) -> list[tuple[Word, ...]]:
        """The words of each window with their times, by the model's own cross-attention."""
        from faster_whisper.transcribe import merge_punctuations

        spoken = [index for index, ids in enumerate(tokens) if ids]
        timed: list[tuple[Word, ...]] = [() for _ in tokens]
        if not spoken:
            return timed
        found = self._model.find_alignment(tokenizer, tokens, encoded, frames, median_filter_width=_SMOOTHED)
        for index, words in enumerate(found):
            merge_punctuations(words, _PUNCTUATION_BEFORE, _PUNCTUATION_AFTER)
            timed[index] = tuple(
                Word(float(word["start"]), float(word["end"]), word["word"], float(word["probability"]))
                for word in words
                if word["word"].strip()
            )
        return timed

    def _tokenizer(self, language: str) -> "Tokenizer":
        from faster_whisper.tokenizer import Tokenizer

        if language not in self._tokenizers:
            multilingual = self._model.model.is_multilingual
            self._tokenizers[language] = Tokenizer(
                self._model.hf_tokenizer, multilingual, task="transcribe", language=language
            )
        return self._tokenizers[language]


def _join(encoded: Sequence[Any]) -> Any:
    """Windows that were encoded one by one, each of shape (1, states, width), as one batch for the decoder.

    The shorter ones get more of the silence that each ends with.
    """
    import numpy as np
    from ctranslate2 import StorageView

    if len(encoded) == 1:
        return encoded[0]
    arrays = [np.asarray(one) for one in encoded]
    states = max(array.shape[1] for array in arrays)
    joined = np.empty((len(arrays), states, arrays[0].shape[2]), dtype=arrays[0].dtype)
    for row, (array,) in zip(joined, arrays, strict=True):
        # The very last state feels the edge of the window.
        silence = array[-_SILENT_STATES - 1 : -1]
        row[: len(array)] = array
        row[len(array) :] = np.resize(silence, (states - len(array), row.shape[1]))
    return StorageView.from_array(joined)


def list_devices() -> list[tuple[str, str]]:
    """Return devices and compute types, the best first: a GPU in float16, then in int8_float16, then the CPU."""
    import ctranslate2

    found = []
    if ctranslate2.get_cuda_device_count() > 0:
        offered = ctranslate2.get_supported_compute_types("cuda")
        found = [("cuda", compute_type) for compute_type in ("float16", "int8_float16") if compute_type in offered]
    # `default` would be float32 on a CPU, nearly twice the cost of int8.
    return [*found, ("cpu", "int8")]
