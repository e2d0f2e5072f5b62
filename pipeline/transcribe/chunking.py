"""Cut the sound of an episode at silences: into chunks of a few minutes, and each into windows for the recogniser.

A chunk is what is recognised, kept and gone on with after an interruption; a window is what Whisper hears at once.
Everything counts in samples, so that the same file is always cut in the same places.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from pipeline.core.audio_file import SAMPLE_RATE

if TYPE_CHECKING:
    from pipeline.core.audio_file import Samples


# From the first to the last sample of speech without a pause, as (begin, end) in samples.
Speech = tuple[int, int]

# Long enough to cost nothing at the seams, short enough to lose little when interrupted and to share out evenly.
SHORTEST_S, LONGEST_S = 75.0, 150.0

# Whisper hears 30 seconds at once. Shorter windows cost less, as the encoder works with the square of their length and
# each word looks back over all of it, but every seam may cost a word. Measured: docs/evaluation/transcription.md.
WINDOW_S, COMFORTABLE_S = 28.0, 20.0

# A pause from which on a cut costs nothing: between sentences, and between speakers, people are silent this long.
CLEAR_PAUSE_S = 0.7

# Inside a longer silence the recogniser would make words up.
PAUSE_S = 3.0

# The voice filter hears an onset a moment late.
MARGIN_S = 0.1


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of the sound: its number from 0, its first sample in the whole, its samples, and the speech in it."""

    number: int
    begin: int
    samples: "Samples"
    speech: tuple[Speech, ...]

    @property
    def end(self) -> int:
        """The first sample after it, in the whole."""
        return self.begin + len(self.samples)


def cut_chunks(blocks: Iterable["Samples"], find_speech: Callable[["Samples"], Sequence[Speech]]) -> Iterator[Chunk]:
    """Yield the chunks of a sound that comes in blocks, cut in the longest silence within LONGEST_S.

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
            yield Chunk(number, begin, sound[:cut], _clip(speech, cut))
            held, size, begin, number = [sound[cut:]], size - cut, begin + cut, number + 1
    if size:
        sound = np.concatenate(held)
        yield Chunk(number, begin, sound, tuple(find_speech(sound)))


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


def pack_windows(speech: Sequence[Speech], samples: int, comfortable: float = COMFORTABLE_S) -> list[Speech]:
    """Return windows of at most WINDOW_S that hold all the speech of a chunk of so many samples.

    They are cut in long pauses and come near to `comfortable` seconds: of all ways to cut, the cheapest is taken. A
    window ends where speech pauses for PAUSE_S. Speech that has no pause is cut where the window is full. Windows do
    not overlap.
    """
    margin = int(MARGIN_S * SAMPLE_RATE)
    longest = int(WINDOW_S * SAMPLE_RATE) - 2 * margin
    pieces = [(at, min(end, at + longest)) for begin, end in speech for at in range(begin, end, longest)]
    packed = _pack_cheaply(pieces, longest, comfortable)
    windows = []
    for index, (begin, end) in enumerate(packed):
        before = packed[index - 1][1] if index else 0
        after = packed[index + 1][0] if index + 1 < len(packed) else samples
        windows.append((max(begin - margin, (before + begin) // 2), min(end + margin, (end + after) // 2)))
    return windows


def _pack_cheaply(pieces: Sequence[Speech], longest: int, comfortable: float) -> list[Speech]:
    """Neighbouring pieces joined to windows of at most `longest` samples, as cheaply as can be: a shortest path."""
    # For the first so many pieces: the least cost of windows that hold them, and where the last window begins.
    least: list[tuple[float, int]] = [(0.0, 0)]
    for last, (_, end) in enumerate(pieces):
        choices = []
        for first in range(last, -1, -1):
            begin = pieces[first][0]
            pause = (begin - pieces[first - 1][1]) / SAMPLE_RATE if first else CLEAR_PAUSE_S
            length = (end - begin) / SAMPLE_RATE
            if end - begin > longest:
                break
            seam = max(0.0, 1 - pause / CLEAR_PAUSE_S) ** 2
            choices.append((least[first][0] + 1 + (length / comfortable) ** 2 + seam, first))
            if pause >= PAUSE_S:
                break
        least.append(min(choices))
    windows: list[Speech] = []
    last = len(pieces)
    while last:
        first = least[last][1]
        windows.insert(0, (pieces[first][0], pieces[last - 1][1]))
        last = first
    return windows
