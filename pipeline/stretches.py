"""Cut the sound of an episode at silences: into stretches of a few minutes, and each into windows for the recogniser.

A stretch is what is recognised, kept and gone on with after an interruption; a window is what Whisper hears at once.
Everything counts in samples, so that the same file is always cut in the same places.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from pipeline.audio import SAMPLE_RATE

if TYPE_CHECKING:
    from pipeline.audio import Samples

# From the first to the last sample of speech without a pause, as (begin, end) in samples.
Speech = tuple[int, int]

# Long enough to cost nothing at the seams, short enough to lose little when interrupted and to share out evenly.
SHORTEST_S, LONGEST_S = 90.0, 180.0
# Whisper hears 30 seconds at once. Shorter windows cost less, as the encoder works with the square of their length;
# measured on half an hour of speech, windows of 20 s lost words that 24 and 28 s kept (benchmarks/transcription.py).
WINDOW_S = 24.0
# Inside a longer silence the recogniser would make words up.
PAUSE_S = 3.0
# The voice filter hears an onset a moment late.
MARGIN_S = 0.1


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of the sound: its number from 0, its first sample in the whole, its samples, and the speech in it."""

    number: int
    begin: int
    samples: "Samples"
    speech: tuple[Speech, ...]

    @property
    def end(self) -> int:
        """The first sample after it, in the whole."""
        return self.begin + len(self.samples)


def cut_stretches(
    blocks: Iterable["Samples"], find_speech: Callable[["Samples"], Sequence[Speech]]
) -> Iterator[Stretch]:
    """Yield the stretches of a sound that comes in blocks, cut in the longest silence within LONGEST_S.

    `find_speech` returns where speech is in the samples it is given. At most LONGEST_S and a block are in memory.
    """
    import numpy as np

    held: list[Samples] = []
    size = begin = number = 0
    shortest, longest = int(SHORTEST_S * SAMPLE_RATE), int(LONGEST_S * SAMPLE_RATE)
    for block in blocks:
        held.append(block)
        size += len(block)
        while size >= longest:
            sound = np.concatenate(held)
            speech = find_speech(sound[:longest])
            cut = _find_cut(sound, speech, shortest, longest)
            yield Stretch(number, begin, sound[:cut], _clip(speech, cut))
            held, size, begin, number = [sound[cut:]], size - cut, begin + cut, number + 1
    if size:
        sound = np.concatenate(held)
        yield Stretch(number, begin, sound, tuple(find_speech(sound)))


def _find_cut(sound: "Samples", speech: Sequence[Speech], shortest: int, longest: int) -> int:
    """The middle of the longest silence between `shortest` and `longest`; without one, the quietest moment there."""
    import numpy as np

    edges = [(0, shortest), *speech, (longest, longest)]
    pauses = [(max(before[1], shortest), after[0]) for before, after in pairwise(edges)]
    begin, end = max(pauses, key=lambda pause: (pause[1] - pause[0], -pause[0]))
    if end > begin:
        return (begin + end) // 2
    step = SAMPLE_RATE // 5
    loudness = np.abs(sound[shortest : longest - longest % step]).reshape(-1, step).sum(axis=1)
    return shortest + int(loudness.argmin()) * step + step // 2


def _clip(speech: Sequence[Speech], cut: int) -> tuple[Speech, ...]:
    return tuple((begin, min(end, cut)) for begin, end in speech if begin < cut)


def pack_windows(speech: Sequence[Speech], samples: int, *, window_s: float = WINDOW_S) -> list[Speech]:
    """Return windows of at most `window_s` that hold all the speech of a stretch of so many samples.

    A window ends where the speech after it would no longer fit, or pauses for PAUSE_S; speech without a pause is
    cut where the window is full. Windows do not overlap.
    """
    margin = int(MARGIN_S * SAMPLE_RATE)
    longest = int(window_s * SAMPLE_RATE) - 2 * margin
    packed: list[list[int]] = []
    for begin, end in speech:
        fits = packed and end - packed[-1][0] <= longest
        if fits and begin - packed[-1][1] < PAUSE_S * SAMPLE_RATE:
            packed[-1][1] = end
            continue
        packed += [[at, min(end, at + longest)] for at in range(begin, end, longest)]
    windows = []
    for index, (begin, end) in enumerate(packed):
        before = packed[index - 1][1] if index else 0
        after = packed[index + 1][0] if index + 1 < len(packed) else samples
        windows.append((max(begin - margin, (before + begin) // 2), min(end + margin, (end + after) // 2)))
    return windows
