"""Score the alignment on ledgers: an episode's own features among those of other episodes of its show.

usage: python -m benchmarks.ledger FOLDER... [--vectors FOLDER] [--ratios 0 1 3 10] [--episodes N]
           [--held-out] [--baseline]

Own features stay in their order. The others come from random places of other episodes of the show, as far as there are
enough. "Placed" counts features that are not discussed but got a start all the same. `--held-out` fits the weights
without each show; `--episodes` scores a sample of each show, but the pool is the whole show.
"""

import argparse
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.episodes import AnnotatedEpisode, load_episodes
from benchmarks.grounding import HEADER, Change, Guess, align_episode, align_held_out, align_rigidly, format_row
from pipeline.core.schema import Feature


@dataclass(frozen=True, slots=True)
class Mixer:
    """Mixes features of other episodes of the show into an episode's list.

    Attributes:
        pool: Episodes of all shows.
        ratio: Other features for each own feature.
        seed: Seed of the random choice, together with the episode's name.
    """

    pool: tuple[AnnotatedEpisode, ...]
    ratio: float
    seed: int = 0

    def mix(self, episode: AnnotatedEpisode) -> AnnotatedEpisode:
        """Return an episode with a ledger for a list; features of other episodes have no start."""
        if not self.ratio:
            return episode
        generator = random.Random(f"{episode.show}/{episode.name}/{self.ratio:g}/{self.seed}")
        others = self._list_others(episode)
        others = generator.sample(others, min(len(others), round(self.ratio * len(episode.features))))
        size = len(episode.features) + len(others)
        own_places = set(generator.sample(range(size), len(episode.features)))
        own = iter(zip(episode.features, episode.truth, strict=True))
        strange = iter((feature, None) for feature in others)
        entries = [next(own) if place in own_places else next(strange) for place in range(size)]
        features = [replace(feature, position=place) for place, (feature, _) in enumerate(entries, start=1)]
        return replace(episode, features=tuple(features), truth=tuple(start for _, start in entries))

    def _list_others(self, episode: AnnotatedEpisode) -> list[Feature]:
        """Return the features of other episodes of the show that are not on the episode's own list."""
        titles = {feature.title.lower() for feature in episode.features}
        ids = {feature.feature_id for feature in episode.features} - {None}
        others = (other for other in self.pool if other.show == episode.show and other.name != episode.name)
        return [
            feature
            for other in others
            for feature in other.features
            if feature.title.lower() not in titles and feature.feature_id not in ids
        ]


def sample_shows(episodes: Sequence[AnnotatedEpisode], count: int | None, seed: int = 5) -> list[AnnotatedEpisode]:
    """Return at most `count` episodes of each show, drawn at random; all of them if None."""
    shows: dict[str, list[AnnotatedEpisode]] = {}
    for episode in episodes:
        shows.setdefault(episode.show, []).append(episode)
    generator = np.random.default_rng(seed)
    sample: list[AnnotatedEpisode] = []
    for own in shows.values():
        size = len(own) if count is None else min(count, len(own))
        sample += [own[index] for index in sorted(generator.choice(len(own), size, replace=False))]
    return sample


def print_scores(title: str, guesses: Sequence[tuple[str, list[Guess]]]) -> None:
    """Print a row for each show."""
    rows: dict[str, list[Guess]] = {}
    for show, own in guesses:
        rows.setdefault(show, []).extend(own)
    for show, own in sorted(rows.items()):
        print(format_row(f"{show[:20]} {title}", own), flush=True)


def main() -> None:
    """Print the table that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, help="folders with annotated episodes")
    parser.add_argument("--vectors", type=Path, help="let meaning count; folder where sentence vectors are cached")
    parser.add_argument("--ratios", nargs="+", type=float, default=[0.0, 1.0, 3.0, 10.0], help="others for each own")
    parser.add_argument("--episodes", type=int, help="episodes of each show at most")
    parser.add_argument("--held-out", action="store_true", help="fit the weights without each show")
    parser.add_argument("--baseline", action="store_true", help="score tf-idf in strict list order as well")
    arguments = parser.parse_args()
    pool = tuple(load_episodes(arguments.folders))
    episodes = sample_shows(pool, arguments.episodes)
    changes: list[Change] = [Mixer(pool, ratio).mix for ratio in arguments.ratios]
    aligner = partial(align_episode, cache=arguments.vectors)
    wanted = {episode.key for episode in episodes}
    held_out = align_held_out(pool, arguments.vectors, changes, wanted) if arguments.held_out else []
    print(HEADER)
    for number, (ratio, change) in enumerate(zip(arguments.ratios, changes, strict=True)):
        if held_out:
            scores = [(episode.show, held_out[number][episode.key]) for episode in episodes]
        else:
            scores = [(episode.show, aligner(change(episode))) for episode in episodes]
        print_scores(f"x{ratio:g}", scores)
        if arguments.baseline:
            print_scores(f"x{ratio:g} tf-idf", [(episode.show, align_rigidly(change(episode))) for episode in episodes])


if __name__ == "__main__":
    main()
