"""Make episodes in which features are not discussed, by cutting their passages out of episodes where they are.

Shows rarely skip what is on their list, so there is little to learn from them how a skipped feature looks: it is still
named in the intro, by its neighbours and in passing, but nobody talks about it.
"""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.align.late_interaction import WordVectors
from pipeline.align.semantic import EpisodeVectors
from pipeline.align.units import Unit

# Of the features that are discussed, so many are cut out.
SHARE = 0.12
# The last passage ends with its feature or with the episode: so long at most, and so far before the end.
LAST_S, OUTRO_S = 120.0, 20.0
# A passage shorter than this, or one that two features share, stays.
SHORTEST_S = 3.0
FEWEST_FEATURES, FEWEST_UNITS = 4, 30

Times = NDArray[np.float64]


def cut_passages(name: str, starts: Times, truth: Times, seed: int) -> tuple[NDArray[np.bool_], Times] | None:
    """Return which units stay, and the true starts afterwards, not-a-number for what was cut out.

    `starts` are those of the units, `truth` those of the features, in seconds; the same name and seed cut the same.
    None where too little would be left.
    """
    discussed = np.flatnonzero(~np.isnan(truth))
    if len(discussed) < FEWEST_FEATURES:
        return None
    chance = np.random.default_rng(zlib.crc32(f"{name}/{seed}".encode()))
    after = truth.copy()
    cuts = []
    for row in chance.choice(discussed, max(1, round(SHARE * len(discussed))), replace=False):
        begin = float(truth[row])
        later = truth[truth > begin + 0.5]
        stop = float(later.min()) if len(later) else min(begin + LAST_S, float(starts[-1]) - OUTRO_S)
        if stop - begin > SHORTEST_S and (np.abs(truth - begin) <= 0.5).sum() == 1:
            cuts.append((begin, stop))
            after[row] = np.nan
    stays = np.ones(len(starts), dtype=bool)
    for begin, stop in cuts:
        stays &= (starts < begin - 0.2) | (starts >= stop - 0.2)
    if not cuts or stays.sum() < FEWEST_UNITS:
        return None
    return stays, close_gaps(after, starts, stays)


def close_gaps(times: Times, starts: Times, stays: NDArray[np.bool_]) -> Times:
    """Return times moved forward by as much speech as was cut out before each."""
    lengths = np.diff(starts, append=starts[-1] + 1.0)
    gone = np.concatenate([[0.0], np.cumsum(np.where(stays, 0.0, lengths))])
    moved: Times = times - np.where(np.isnan(times), 0.0, gone[np.searchsorted(starts, times - 0.2)])
    return moved


def keep_units(units: Sequence[Unit], starts: Times, stays: NDArray[np.bool_]) -> list[Unit]:
    """Return the units that stay, with the gaps closed."""
    moved = close_gaps(starts, starts + 0.2, stays)
    return list(_move_units(units, moved, stays))


def _move_units(units: Sequence[Unit], moved: Times, stays: NDArray[np.bool_]) -> Iterator[Unit]:
    """Yield the units that stay at their new times."""
    for unit, start, here in zip(units, moved.tolist(), stays.tolist(), strict=True):
        if here:
            yield replace(unit, start=start, end=start + unit.end - unit.start)


def keep_meaning(meaning: EpisodeVectors, stays: NDArray[np.bool_]) -> EpisodeVectors:
    """Return the vectors without those of the units that were cut out."""
    spoken, numbers = meaning.spoken_words, np.cumsum(stays) - 1
    inside = np.flatnonzero(stays[spoken.owners])
    words = WordVectors(
        spoken.vectors[inside], numbers[spoken.owners[inside]], tuple(spoken.texts[index] for index in inside)
    )
    return replace(meaning, sentences=meaning.sentences[stays], spoken_words=words)
