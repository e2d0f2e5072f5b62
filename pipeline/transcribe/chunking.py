"""Cut audio at silences into chunks of about two minutes, and each chunk into windows for the model.

A chunk is the unit of work: it is decoded, saved and resumed as a whole. A window is the audio that Whisper decodes at
once. All positions are sample indices, so that the same audio is always cut at the same places.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from pipeline.core.audio.file import SAMPLE_RATE

if TYPE_CHECKING:
    from pipeline.core.audio.file import Samples


# Speech without a pause, as (begin, end) in samples; `end` is exclusive.
SpeechSpan = tuple[int, int]

# Audio that is decoded at once, as (begin, end) in samples of its chunk; `end` is exclusive.
Window = tuple[int, int]

# Shortest chunk, seconds (the last of an audio file may be shorter). Short enough to lose little work at an
# interruption and to share the work out evenly.
MIN_CHUNK_S = 75.0

# Longest chunk, seconds. Long enough that the seams between chunks cost nothing measurable.
MAX_CHUNK_S = 150.0

# Longest window, seconds; Whisper's own limit is 30. Measured in docs/evaluation/transcription.md.
MAX_WINDOW_S = 28.0

# Preferred length of a window, seconds. The cost of the encoder grows with the square of the length, and each cut may
# cost a word. Measured in docs/evaluation/transcription.md.
TARGET_WINDOW_S = 20.0

# A cut in a pause of this length, seconds, costs nothing: speakers pause this long between sentences and turns.
CLEAR_PAUSE_S = 0.7

# Longest silence inside a window, seconds. In a longer one Whisper makes words up.
MAX_SILENCE_S = 3.0

# Audio kept on either side of speech, seconds: the VAD reports an onset slightly late.
PADDING_S = 0.1


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of the audio: its number from 0, its first sample in the whole audio, its samples, and its speech.

    The spans in `speech` are relative to `begin`.
    """

    number: int
    begin: int
    samples: "Samples"
    speech: tuple[SpeechSpan, ...]

    @property
    def end(self) -> int:
        """The first sample after the chunk, in the whole audio."""
        return self.begin + len(self.samples)


def cut_chunks(
    blocks: Iterable["Samples"], find_speech: Callable[["Samples"], Sequence[SpeechSpan]]
) -> Iterator[Chunk]:
    """Yield the chunks of audio that arrives in blocks of any size.

    Each chunk ends in the longest silence between MIN_CHUNK_S and MAX_CHUNK_S. `find_speech` returns the speech spans
    of the samples it gets. At most MAX_CHUNK_S of audio and one block are in memory.
    """
    import numpy as np

    pending: list[Samples] = []
    size = begin = number = 0
    shortest, longest = int(MIN_CHUNK_S * SAMPLE_RATE), int(MAX_CHUNK_S * SAMPLE_RATE)
    for block in blocks:
        pending.append(block)
        size += len(block)
        while size >= longest:
            samples = np.concatenate(pending)
            speech = find_speech(samples[:longest])
            cut = _find_cut(samples, speech, shortest, longest)
            yield Chunk(number, begin, samples[:cut], _clip_spans(speech, cut))
            pending, size, begin, number = [samples[cut:]], size - cut, begin + cut, number + 1
    if size:
        samples = np.concatenate(pending)
        yield Chunk(number, begin, samples, tuple(find_speech(samples)))


def _find_cut(samples: "Samples", speech: Sequence[SpeechSpan], shortest: int, longest: int) -> int:
    """Return the middle of the longest silence between two positions, else the quietest position between them."""
    import numpy as np

    edges = [(0, shortest), *speech, (longest, longest)]
    pauses = [(max(before[1], shortest), after[0]) for before, after in pairwise(edges)]
    begin, end = max(pauses, key=lambda pause: (pause[1] - pause[0], -pause[0]))
    if end > begin:
        return (begin + end) // 2
    step = SAMPLE_RATE // 5
    loudness = np.abs(samples[shortest : longest - longest % step]).reshape(-1, step).sum(axis=1)
    return shortest + int(loudness.argmin()) * step + step // 2


def _clip_spans(speech: Sequence[SpeechSpan], cut: int) -> tuple[SpeechSpan, ...]:
    return tuple((begin, min(end, cut)) for begin, end in speech if begin < cut)


def pack_windows(speech: Sequence[SpeechSpan], samples: int, target_s: float = TARGET_WINDOW_S) -> list[Window]:
    """Return windows that hold all the speech of a chunk, in order, without overlap.

    `samples` is the length of the chunk, `target_s` the preferred length of a window in seconds. No window is longer
    than MAX_WINDOW_S or spans a silence of MAX_SILENCE_S. Cuts lie in long pauses; speech without a pause is cut where
    the window is full.
    """
    padding = int(PADDING_S * SAMPLE_RATE)
    longest = int(MAX_WINDOW_S * SAMPLE_RATE) - 2 * padding
    spans = [(at, min(end, at + longest)) for begin, end in speech for at in range(begin, end, longest)]
    packed = _join_spans(spans, longest, target_s)
    windows = []
    for index, (begin, end) in enumerate(packed):
        before = packed[index - 1][1] if index else 0
        after = packed[index + 1][0] if index + 1 < len(packed) else samples
        windows.append((max(begin - padding, (before + begin) // 2), min(end + padding, (end + after) // 2)))
    return windows


def _join_spans(spans: Sequence[SpeechSpan], longest: int, target_s: float) -> list[Window]:
    """Join neighboring spans to windows of at most `longest` samples at the lowest total cost.

    The cost of a window is 1 + (length / target)² + the cost of the cut before it. Dynamic programming over the spans
    finds the minimum.
    """
    # best[n]: the lowest cost of windows that hold the first n spans, and the first span of the last of them.
    best: list[tuple[float, int]] = [(0.0, 0)]
    for last, (_, end) in enumerate(spans):
        choices = []
        for first in range(last, -1, -1):
            begin = spans[first][0]
            pause = (begin - spans[first - 1][1]) / SAMPLE_RATE if first else CLEAR_PAUSE_S
            length = (end - begin) / SAMPLE_RATE
            if end - begin > longest:
                break
            cut_cost = max(0.0, 1 - pause / CLEAR_PAUSE_S) ** 2
            choices.append((best[first][0] + 1 + (length / target_s) ** 2 + cut_cost, first))
            if pause >= MAX_SILENCE_S:
                break
        best.append(min(choices))
    windows: list[Window] = []
    last = len(spans)
    while last:
        first = best[last][1]
        windows.insert(0, (spans[first][0], spans[last - 1][1]))
        last = first
    return windows
