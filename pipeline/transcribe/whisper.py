"""Adapter for Whisper through faster-whisper and CTranslate2, the only module that computes with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from itertools import chain
from typing import TYPE_CHECKING, Any

from pipeline.core.audio.file import SAMPLE_RATE
from pipeline.core.errors import ModelError
from pipeline.core.schema import Word
from pipeline.transcribe.cpu_tuning import MelBands, count_cores, enable_avx512, tune_malloc
from pipeline.transcribe.models import ModelFolder

if TYPE_CHECKING:
    from faster_whisper import WhisperModel
    from faster_whisper.tokenizer import Tokenizer

    from pipeline.core.audio.file import Samples
    from pipeline.transcribe.chunking import SpeechSpan

# Frames of Whisper's spectrogram per second of audio (Radford et al. 2022, section 2.2).
FRAMES_PER_SECOND = 100

# Frames of the 30 s windows that Whisper was trained on.
_FULL_FRAMES = 30 * FRAMES_PER_SECOND

# Punctuation that belongs to the word after it, as in faster-whisper's defaults.
_PREPEND_PUNCTUATION = "\"'“¿([{-"

# Punctuation that belongs to the word before it, as in faster-whisper's defaults.
_APPEND_PUNCTUATION = "\"'.。,，!！?？:：”)]}、"

# Windows that are decoded together, by device: each step reads all weights of the decoder, and the windows share that
# read. On a CPU each additional window takes 35 MB per worker.
_BATCH_SIZE = {"cpu": 5, "cuda": 16}

# Positions over which the attention is smoothed before it gives word times. Whisper's own 7 take a fiftieth more time
# and move one word in 2,800 by more than 0.1 s (docs/evaluation/transcription.md).
_MEDIAN_FILTER_WIDTH = 3

# Encoder states of half a second of silence; the encoder gives 50 states a second.
_SILENT_STATES = 25

# Audio with a lower peak is amplified to it before the VAD, which misses very quiet speech.
_VAD_PEAK = 0.25

# Largest amplification before the VAD.
_MAX_GAIN = 30.0

# Silero's options, milliseconds: the pause that separates two spans of speech, no padding, and the shortest span.
_VAD_OPTIONS = {"min_silence_duration_ms": 160, "speech_pad_ms": 0, "min_speech_duration_ms": 60}


@dataclass(frozen=True, slots=True)
class DecodingResult:
    """The words of one window, in seconds from its start, and Whisper's confidence.

    `avg_logprob` is the mean log probability over the tokens, `no_speech_prob` the probability that nobody speaks.
    """

    words: tuple[Word, ...]
    avg_logprob: float
    no_speech_prob: float

    @property
    def text(self) -> str:
        """The words as one string."""
        return "".join(word.word for word in self.words).strip()


@dataclass(frozen=True, slots=True)
class DecodingOptions:
    """How a window is decoded; `beam_size` and `no_repeat_ngram_size` (0: off) are parameters of CTranslate2.

    `pad_to_full` pads a window to the 30 s that Whisper was trained on: slower, and safer.
    """

    pad_to_full: bool = False
    no_repeat_ngram_size: int = 0
    beam_size: int = 5


class Whisper:
    """A loaded model. Several threads may call it; on a CPU each call computes on one core."""

    def __init__(self, model: "WhisperModel", name: str, device: str, compute_type: str, workers: int) -> None:
        self._model = model
        model.feature_extractor.mel_filters = MelBands(model.feature_extractor.mel_filters)
        self.name = name
        self.device = device
        self.compute_type = compute_type
        self.workers = workers
        self.batch_size = _BATCH_SIZE[device]
        self._tokenizers: dict[str, Tokenizer] = {}

    @classmethod
    def load(cls, folder: ModelFolder, *, workers: int | None = None) -> "Whisper":
        """Load a model on the best device that works; ModelError if none does.

        `workers` is the number of concurrent calls on a CPU; None means one per core.
        """
        tune_malloc()
        avx512 = enable_avx512()
        from faster_whisper import WhisperModel

        failures = []
        for device, compute_type in list_devices():
            num_workers = 1 if device == "cuda" else workers or count_cores()
            try:
                # One thread a worker: a second thread on the same window gains a seventh (measured, base in int8).
                model = WhisperModel(
                    str(folder.path), device=device, compute_type=compute_type,
                    cpu_threads=1, num_workers=num_workers, local_files_only=True,
                )  # fmt: skip
            except (RuntimeError, ValueError) as error:
                failures.append(f"{device} {compute_type}: {error}")
                continue
            described = f"{compute_type} AVX-512" if avx512 and device == "cpu" else compute_type
            return cls(model, folder.name, device, described, num_workers)
        raise ModelError(
            f"the speech model in {folder.path} cannot be loaded ({'; '.join(failures)})", "fetch it again"
        )

    @property
    def engine(self) -> str:
        """The versions, device and compute type, for the transcript's record."""
        version, core = metadata.version("faster-whisper"), metadata.version("ctranslate2")
        return f"faster-whisper {version}, CTranslate2 {core}, {self.device} {self.compute_type}"

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that this model knows."""
        return tuple(self._model.supported_languages)

    def fit_hotwords(self, names: Sequence[str], language: str) -> tuple[str | None, Sequence[str]]:
        """Return as many names as the prompt has room for, in the form that `decode` takes, and the other names."""
        tokenizer = self._tokenizer(language)
        for count in range(len(names), 0, -1):
            hotwords = ", ".join(names[:count])
            # faster-whisper cuts hotwords at this number of tokens (get_prompt).
            if len(tokenizer.encode(" " + hotwords)) < self._model.max_length // 2 - 1:
                return hotwords, names[count:]
        return None, names

    def find_speech(self, samples: "Samples") -> list["SpeechSpan"]:
        """Return the spans of speech that the Silero VAD finds: (begin, end) in samples, in order."""
        import numpy as np
        from faster_whisper.vad import VadOptions, get_speech_timestamps

        peak = float(np.abs(samples).max(initial=0.0))
        amplified = samples * min(_VAD_PEAK / peak, _MAX_GAIN) if 0 < peak < _VAD_PEAK else samples
        spans = get_speech_timestamps(amplified, VadOptions(**_VAD_OPTIONS))
        return [(int(span["start"]), int(span["end"])) for span in spans]

    def detect_language(self, window: "Samples") -> dict[str, float]:
        """Return the probability of each language for a window of up to 30 s."""
        if not self._model.model.is_multilingual:
            return {"en": 1.0}
        encoded = self._model.encode(self._features([window], pad_to_full=False))
        (ranked,) = self._model.model.detect_language(encoded)
        return {token[2:-2]: float(probability) for token, probability in ranked}

    def decode(
        self, windows: Sequence["Samples"], language: str, options: DecodingOptions, hotwords: str | None = None
    ) -> list[DecodingResult]:
        """Return the words of windows of up to 30 s, decoded as one batch; `hotwords` are names to expect.

        The result is deterministic: beam search without sampling, and no text of earlier windows in the prompt.
        """
        tokenizer = self._tokenizer(language)
        # On a CPU windows are encoded one by one: the attention of several exceeds the cache and costs twice as much.
        size = len(windows) if self.device == "cuda" else 1
        batches = [slice(first, first + size) for first in range(0, len(windows), size)]
        encoded = [
            self._model.encode(self._features(windows[batch], pad_to_full=options.pad_to_full)) for batch in batches
        ]
        generated = self._generate(tokenizer, _join_states(encoded), len(windows), options, hotwords)
        tokens = [[token for token in result.sequences_ids[0] if token < tokenizer.eot] for result in generated]
        frames = [min(_FULL_FRAMES, len(window) * FRAMES_PER_SECOND // SAMPLE_RATE) for window in windows]
        timed = (
            self._time_words(tokenizer, tokens[batch], states, frames[batch])
            for batch, states in zip(batches, encoded, strict=True)
        )
        # CTranslate2's score is the mean over the tokens and the end mark, which the sequence lacks.
        return [
            DecodingResult(words, float(result.scores[0]) * len(ids) / (len(ids) + 1), float(result.no_speech_prob))
            for words, result, ids in zip(chain.from_iterable(timed), generated, tokens, strict=True)
        ]

    def _generate(
        self, tokenizer: "Tokenizer", encoded: Any, count: int, options: DecodingOptions, hotwords: str | None
    ) -> list[Any]:
        """Run the beam search over `count` encoded windows; return CTranslate2's result for each."""
        from faster_whisper.transcribe import get_suppressed_tokens

        prompt = self._model.get_prompt(tokenizer, [], without_timestamps=True, hotwords=hotwords)
        return list(
            self._model.model.generate(
                encoded,
                [list(prompt) for _ in range(count)],
                beam_size=options.beam_size,
                max_length=self._model.max_length,
                suppress_blank=True,
                suppress_tokens=get_suppressed_tokens(tokenizer, [-1]),
                no_repeat_ngram_size=options.no_repeat_ngram_size,
                return_scores=True,
                return_no_speech_prob=True,
            )
        )

    def _features(self, windows: Sequence["Samples"], *, pad_to_full: bool) -> Any:
        """Return spectrograms of shape (windows, mels, frames), padded to the longest window or to 30 s."""
        import numpy as np
        from faster_whisper.audio import pad_or_trim

        spectra = [self._model.feature_extractor(window)[..., :-1] for window in windows]
        # A second of silence at the end tells the model that nothing follows.
        longest = max(spectrum.shape[-1] for spectrum in spectra) + FRAMES_PER_SECOND
        frames = _FULL_FRAMES if pad_to_full else min(_FULL_FRAMES, -(-longest // 50) * 50)
        return np.stack([pad_or_trim(spectrum, frames) for spectrum in spectra]).astype(np.float32)

    def _time_words(
        self, tokenizer: "Tokenizer", tokens: list[list[int]], encoded: Any, frames: list[int]
    ) -> list[tuple[Word, ...]]:
        """Return the words of each window with their times, from the model's cross-attention."""
        from faster_whisper.transcribe import merge_punctuations

        spoken = [index for index, ids in enumerate(tokens) if ids]
        timed: list[tuple[Word, ...]] = [() for _ in tokens]
        if not spoken:
            return timed
        aligned = self._model.find_alignment(
            tokenizer, tokens, encoded, frames, median_filter_width=_MEDIAN_FILTER_WIDTH
        )
        for index, words in enumerate(aligned):
            merge_punctuations(words, _PREPEND_PUNCTUATION, _APPEND_PUNCTUATION)
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


def _join_states(encoded: Sequence[Any]) -> Any:
    """Join encoder states of single windows, each of shape (1, states, width), to one batch for the decoder.

    Shorter ones are padded with copies of the silence that every window ends with.
    """
    import numpy as np
    from ctranslate2 import StorageView

    if len(encoded) == 1:
        return encoded[0]
    arrays = [np.asarray(states) for states in encoded]
    longest = max(array.shape[1] for array in arrays)
    joined = np.empty((len(arrays), longest, arrays[0].shape[2]), dtype=arrays[0].dtype)
    for row, (array,) in zip(joined, arrays, strict=True):
        # The very last state is distorted by the edge of the window.
        silence = array[-_SILENT_STATES - 1 : -1]
        row[: len(array)] = array
        row[len(array) :] = np.resize(silence, (longest - len(array), row.shape[1]))
    return StorageView.from_array(joined)


def list_devices() -> list[tuple[str, str]]:
    """Return (device, compute type) pairs, best first: a GPU in float16, then in int8_float16, then the CPU in int8."""
    import ctranslate2

    devices = []
    if ctranslate2.get_cuda_device_count() > 0:
        supported = ctranslate2.get_supported_compute_types("cuda")
        devices = [("cuda", compute_type) for compute_type in ("float16", "int8_float16") if compute_type in supported]
    # CTranslate2's `default` is float32 on a CPU, at nearly twice the cost of int8.
    return [*devices, ("cpu", "int8")]
