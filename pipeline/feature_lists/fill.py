"""Fill lost titles, ids and versions of a list from the vendor's release notes.

Pages that were edited by hand often keep only a sentence about a feature, and the vendor's table has the rest. An entry
and its release note share words, and lists and notes usually have the same order. A proposal never overwrites what the
page says and no release note is used twice; the gap stays where the wording is not clearly nearest to one note.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline.core.schema import Feature, FeatureList
from pipeline.feature_lists.checks import find_subject_words

# The thresholds are the lowest with which `benchmarks/fill_list.py --sweep` filled no gap of five lists wrongly.
# The lowest score (cosine of idf weights, 0 to 1) of a note that fills a gap.
MIN_SCORE = 0.25
# The lowest ratio of a pair's score to the best score of a competing pair.
MIN_LEAD = 1.3
# The lowest score where the order of the list leaves few notes for an entry.
MIN_SCORE_IN_ORDER = 0.06
# The lowest ratio of the scores where the order of the list leaves few notes for an entry.
MIN_LEAD_IN_ORDER = 1.2
# The fewest pairs that show whether a list runs in the order of the ids, or in the opposite order.
MIN_ORDERED_PAIRS = 4
# The greatest lead that counts, for pairs without a competing pair.
MAX_LEAD = 100


@dataclass(frozen=True, slots=True)
class Proposal:
    """A release note for the entry at `position`, None where the gap stays; its score, 0 to 1, and the reason."""

    position: int
    note: Feature | None
    score: float
    reason: str

    def describe(self) -> str:
        """Return the proposal as a message to the user."""
        result = "left empty"
        if self.note is not None:
            feature_id = "" if self.note.feature_id is None else f"#{self.note.feature_id} "
            result = f"filled from {feature_id}{self.note.title}"
        return f"entry {self.position}: {result} (score {self.score:.2f}: {self.reason})"


def fill_list(features: FeatureList, notes: Sequence[Feature]) -> FeatureList:
    """Return the list with its gaps filled from release notes, and a warning about each filled or remaining gap."""
    proposals = {proposal.position: proposal for proposal in propose_notes(features.features, notes)}
    filled = [
        _fill_entry(feature, proposals[feature.position].note) if feature.position in proposals else feature
        for feature in features.features
    ]
    messages = [proposals[feature.position].describe() for feature in filled if feature.position in proposals]
    return replace(features, features=tuple(filled), warnings=(*features.warnings, *messages))


def propose_notes(features: Sequence[Feature], notes: Sequence[Feature]) -> tuple[Proposal, ...]:
    """Return a proposal for each entry without an id, or with an id of the notes and no version, in list order."""
    by_id = {note.feature_id: note for note in notes if note.feature_id is not None}
    proposals = [
        Proposal(feature.position, by_id[feature.feature_id], 1.0, "the same id")
        for feature in features
        if feature.version is None and feature.feature_id in by_id
    ]
    listed_ids = {feature.feature_id for feature in features} - {None}
    free = [note for note in notes if note.feature_id not in listed_ids]
    gaps = [feature for feature in features if feature.feature_id is None]
    return tuple(sorted((*proposals, *_match_gaps(gaps, free)), key=lambda proposal: proposal.position))


def _match_gaps(gaps: Sequence[Feature], notes: Sequence[Feature]) -> list[Proposal]:
    """Return a proposal for each gap: pair the gaps and notes with the greatest lead first, then those in order."""
    scores = _score_pairs(gaps, notes)
    pairs: dict[int, int] = {}
    while (pair := _find_best_pair(scores, pairs, MIN_SCORE, MIN_LEAD)) is not None:
        pairs[pair[0]] = pair[1]
    if ranks := _rank_in_common_order(pairs, notes):
        in_order = _keep_scores_in_order(scores, pairs, ranks)
        while (pair := _find_best_pair(in_order, pairs, MIN_SCORE_IN_ORDER, MIN_LEAD_IN_ORDER)) is not None:
            pairs[pair[0]] = pair[1]
            in_order = _keep_scores_in_order(scores, pairs, ranks)
    used = set(pairs.values())
    return [
        Proposal(gap.position, notes[pairs[row]], scores[row][pairs[row]], "by its wording")
        if row in pairs
        else _explain_gap(gap, {column: score for column, score in enumerate(scores[row]) if column not in used}, notes)
        for row, gap in enumerate(gaps)
    ]


def _explain_gap(gap: Feature, scores: Mapping[int, float], notes: Sequence[Feature]) -> Proposal:
    """Return the proposal to leave a gap; `scores` are those of the unused notes, by index."""
    score, column = max(((score, column) for column, score in scores.items()), default=(0.0, -1))
    if score == 0:
        reason = "no release note has a word of it"
    elif score < MIN_SCORE:
        reason = f"too little in common with the nearest note: {notes[column].title}"
    else:
        reason = f"several notes fit, or another entry fits as well: {notes[column].title}"
    return Proposal(gap.position, None, score, reason)


def _rank_in_common_order(pairs: Mapping[int, int], notes: Sequence[Feature]) -> dict[int, int]:
    """Return each note's rank in the order of the list: by id, or by falling id; empty where the pairs show neither."""
    by_id = sorted(range(len(notes)), key=lambda column: notes[column].feature_id or 0)
    ranks = {column: rank for rank, column in enumerate(by_id)}
    paired = [ranks[pairs[row]] for row in sorted(pairs)]
    if len(paired) < MIN_ORDERED_PAIRS:
        return {}
    if paired == sorted(paired):
        return ranks
    return {column: -rank for column, rank in ranks.items()} if paired == sorted(paired, reverse=True) else {}


def _keep_scores_in_order(
    scores: Sequence[Sequence[float]], pairs: Mapping[int, int], ranks: Mapping[int, int]
) -> list[list[float]]:
    """Return the scores with 0 for each note that is not between those of the nearest paired entries on both sides."""
    kept = []
    for row, row_scores in enumerate(scores):
        low = max((ranks[column] for paired, column in pairs.items() if paired < row), default=-math.inf)
        high = min((ranks[column] for paired, column in pairs.items() if paired > row), default=math.inf)
        kept.append([score if low < ranks[column] < high else 0.0 for column, score in enumerate(row_scores)])
    return kept


def _find_best_pair(
    scores: Sequence[Sequence[float]], pairs: Mapping[int, int], min_score: float, min_lead: float
) -> tuple[int, int] | None:
    """Return the pair with the greatest lead over pairs with the same entry or note; None where no lead is enough."""
    used = set(pairs.values())
    best_pair = None
    rows = [row for row in range(len(scores)) if row not in pairs]
    for row in rows:
        ranked = sorted(((s, c) for c, s in enumerate(scores[row]) if c not in used), reverse=True)[:2]
        if not ranked or ranked[0][0] < min_score:
            continue
        score, column = ranked[0]
        second_note = ranked[1][0] if len(ranked) > 1 else 0.0
        other_entries = [scores[other][column] for other in rows if other != row]
        runner_up = max([second_note, *other_entries, score / MAX_LEAD])
        if score / runner_up >= min_lead:
            best_pair, min_lead = (row, column), score / runner_up
    return best_pair


def _score_pairs(gaps: Sequence[Feature], notes: Sequence[Feature]) -> list[list[float]]:
    """Return the score of each entry (row) with each note (column): the cosine of their idf weights, from 0 to 1.

    Entries and notes of different versions have the score 0.
    """
    gap_words = [find_subject_words(f"{gap.title} {gap.description}") for gap in gaps]
    note_words = [find_subject_words(f"{note.title} {note.description}") for note in notes]
    counts = Counter(word for words in (*gap_words, *note_words) for word in words)
    total = len(gaps) + len(notes)
    idf = {word: math.log(1 + total / count) for word, count in counts.items()}

    def norm(words: frozenset[str]) -> float:
        return math.sqrt(sum(idf[word] ** 2 for word in sorted(words))) or 1.0

    note_norms = [norm(words) for words in note_words]
    scores = []
    for gap, words in zip(gaps, gap_words, strict=True):
        gap_norm = norm(words)
        scores.append(
            [
                sum(idf[word] ** 2 for word in sorted(words & others)) / (gap_norm * note_norm)
                if gap.version is None or note.version is None or gap.version == note.version
                else 0.0
                for note, others, note_norm in zip(notes, note_words, note_norms, strict=True)
            ]
        )
    return scores


def _fill_entry(feature: Feature, note: Feature | None) -> Feature:
    """Return the entry with the values that it lacked; a bare sentence becomes the description of the note's title."""
    if note is None:
        return feature
    is_bare = feature.feature_id is None and feature.version is None and not feature.description
    return replace(
        feature,
        title=note.title if is_bare else feature.title,
        description=feature.title if is_bare else feature.description,
        feature_id=feature.feature_id if feature.feature_id is not None else note.feature_id,
        version=feature.version or note.version,
    )
