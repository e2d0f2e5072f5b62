"""Make episodes with skipped features, by cutting passages out of episodes that discuss the features.

Shows rarely skip a feature of their list, so published episodes teach little about skipped features. A feature that is
cut out is like a skipped one: it is still named in the intro, near its neighbors and in passing, but not discussed.
"""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.align.late_interaction import WordVectors
from pipeline.align.semantic import EpisodeVectors
from pipeline.align.units import Unit

# Share of the discussed features that are cut out.
CUT_SHARE = 0.12

# Seconds of the last feature's passage at most.
MAX_LAST_S = 120.0

# Seconds before the end of the episode at which the last feature's passage ends at the latest.
OUTRO_S = 20.0

# Seconds of a passage at least: a shorter one stays.
MIN_PASSAGE_S = 3.0

# Seconds within which two features share a start: their passage stays.
SAME_START_S = 0.5

# Seconds before a cut time from which on a unit counts as starting at that time.
MARGIN_S = 0.2

# Discussed features of an episode at least.
MIN_FEATURES = 4

# Units that must stay at least.
MIN_UNITS = 30

Times = NDArray[np.float64]


def cut_passages(name: str, starts: Times, truth: Times, seed: int) -> tuple[NDArray[np.bool_], Times] | None:
    """Return which units stay, and the true starts after the cut, not-a-number for the features that were cut out.

    `starts` (units) and `truth` (features) are in seconds. The same name and seed give the same cut. Returns None if
    too little would be left.
    """
    discussed = np.flatnonzero(~np.isnan(truth))
    if len(discussed) < MIN_FEATURES:
        return None
    random = np.random.default_rng(zlib.crc32(f"{name}/{seed}".encode()))
    after = truth.copy()
    cuts = []
    for row in random.choice(discussed, max(1, round(CUT_SHARE * len(discussed))), replace=False):
        begin = float(truth[row])
        later = truth[truth > begin + SAME_START_S]
        stop = float(later.min()) if len(later) else min(begin + MAX_LAST_S, float(starts[-1]) - OUTRO_S)
        if stop - begin > MIN_PASSAGE_S and (np.abs(truth - begin) <= SAME_START_S).sum() == 1:
            cuts.append((begin, stop))
            after[row] = np.nan
    stays = np.ones(len(starts), dtype=bool)
    for begin, stop in cuts:
        stays &= (starts < begin - MARGIN_S) | (starts >= stop - MARGIN_S)
    if not cuts or stays.sum() < MIN_UNITS:
        return None
    return stays, close_gaps(after, starts, stays)


def close_gaps(times: Times, starts: Times, stays: NDArray[np.bool_]) -> Times:
    """Return times, in seconds, less the length of the speech that was cut out before each."""
    lengths = np.diff(starts, append=starts[-1] + 1.0)
    gone = np.concatenate([[0.0], np.cumsum(np.where(stays, 0.0, lengths))])
    moved: Times = times - np.where(np.isnan(times), 0.0, gone[np.searchsorted(starts, times - MARGIN_S)])
    return moved


def keep_units(units: Sequence[Unit], starts: Times, stays: NDArray[np.bool_]) -> list[Unit]:
    """Return the units that stay, with the gaps closed."""
    moved = close_gaps(starts, starts + MARGIN_S, stays)
    return list(_move_units(units, moved, stays))


def _move_units(units: Sequence[Unit], moved: Times, stays: NDArray[np.bool_]) -> Iterator[Unit]:
    """Yield the units that stay at their new times."""
    for unit, start, stay in zip(units, moved.tolist(), stays.tolist(), strict=True):
        if stay:
            yield replace(unit, start=start, end=start + unit.end - unit.start)


def keep_vectors(vectors: EpisodeVectors, stays: NDArray[np.bool_]) -> EpisodeVectors:
    """Return the vectors of the units that stay, and of the list."""
    spoken, numbers = vectors.spoken_words, np.cumsum(stays) - 1
    inside = np.flatnonzero(stays[spoken.owners])
    words = WordVectors(
        spoken.vectors[inside], numbers[spoken.owners[inside]], tuple(spoken.texts[index] for index in inside)
    )
    return replace(vectors, sentences=vectors.sentences[stays], spoken_words=words)
