"""Propose title, id and version for entries that lost theirs, from the vendor's own release notes.

Pages that were edited by hand often keep only a sentence about a feature. The vendor's table has the rest; what links
the two is wording, and the order both usually share. A proposal never overwrites what the page says, no release note is
used twice, and where the wording is not clearly nearest to one note the gap stays.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.core.schema import Feature, FeatureList
from pipeline.feature_lists.checks import find_words

# A score is the cosine of the two wordings, rare words weighing most. Below SAFE, or where a second note (or a second
# entry) comes within LEAD times, a person should decide. Where the sure pairs show that list and ids run in the same
# order, or in the opposite one, an entry's note lies between those of its neighbours: few are left there, and both
# limits may be lower. Chosen with benchmarks/fill_list.py --sweep on five lists: the lowest that filled none wrongly.
SAFE, LEAD = 0.25, 1.3
SAFE_IN_ORDER, LEAD_IN_ORDER = 0.06, 1.2
ENOUGH_ANCHORS = 4


@dataclass(frozen=True, slots=True)
class Proposal:
    """What to fill into the entry at `position`: the release note, or None with the reason why the gap stays."""

    position: int
    note: Feature | None
    score: float
    reason: str


def fill_list(features: FeatureList, notes: Sequence[Feature]) -> FeatureList:
    """Return the list with its gaps filled from release notes; a warning says for each with what, or why not."""
    proposals = {proposal.position: proposal for proposal in propose_notes(features.features, notes)}
    filled, told = [], []
    for feature in features.features:
        proposal = proposals.get(feature.position)
        if proposal is None:
            filled.append(feature)
            continue
        filled.append(_fill(feature, proposal.note))
        what = f"filled from #{proposal.note.feature_id} {proposal.note.title}" if proposal.note else "left empty"
        told.append(f"entry {feature.position}: {what} (score {proposal.score:.2f}: {proposal.reason})")
    return replace(features, features=tuple(filled), warnings=(*features.warnings, *told))


def propose_notes(features: Sequence[Feature], notes: Sequence[Feature]) -> tuple[Proposal, ...]:
    """Return a proposal for each entry without id or version, in list order."""
    by_id = {note.feature_id: note for note in notes if note.feature_id is not None}
    proposals = [
        Proposal(feature.position, by_id[feature.feature_id], 1.0, "the same id")
        for feature in features
        if feature.version is None and feature.feature_id in by_id
    ]
    known = {feature.feature_id for feature in features} - {None}
    free = [note for note in notes if note.feature_id not in known]
    gaps = [feature for feature in features if feature.feature_id is None]
    return tuple(sorted((*proposals, *_match(gaps, free)), key=lambda proposal: proposal.position))


def _match(gaps: Sequence[Feature], notes: Sequence[Feature]) -> list[Proposal]:
    """Pair entries and notes, the surest first; what stays doubtful once the sure ones are gone stays open."""
    scores = _score(gaps, notes)
    pairs: dict[int, int] = {}
    while (pair := _find_surest(scores, pairs, SAFE, LEAD)) is not None:
        pairs[pair[0]] = pair[1]
    if ranks := _find_common_order(pairs, notes):
        near = _keep_between(scores, pairs, ranks)
        while (pair := _find_surest(near, pairs, SAFE_IN_ORDER, LEAD_IN_ORDER)) is not None:
            pairs[pair[0]] = pair[1]
            near = _keep_between(scores, pairs, ranks)
    used = set(pairs.values())
    proposals = []
    for row, gap in enumerate(gaps):
        if row in pairs:
            proposals.append(Proposal(gap.position, notes[pairs[row]], scores[row][pairs[row]], "by its wording"))
            continue
        left = [(score, column) for column, score in enumerate(scores[row]) if column not in used]
        best, column = max(left, default=(0.0, -1))
        if best == 0:
            reason = "no release note speaks of it"
        elif best < SAFE:
            reason = f"too little in common with the nearest note: {notes[column].title}"
        else:
            reason = f"several fit, or another entry fits as well: {notes[column].title}"
        proposals.append(Proposal(gap.position, None, best, reason))
    return proposals


def _find_common_order(pairs: dict[int, int], notes: Sequence[Feature]) -> dict[int, int]:
    """Each note's rank by id, falling where the list runs against the ids; empty where the sure pairs show no order."""
    by_id = sorted(range(len(notes)), key=lambda column: notes[column].feature_id or 0)
    ranks = {column: rank for rank, column in enumerate(by_id)}
    found = [ranks[pairs[row]] for row in sorted(pairs)]
    if len(found) < ENOUGH_ANCHORS:
        return {}
    if found == sorted(found):
        return ranks
    return {column: -rank for column, rank in ranks.items()} if found == sorted(found, reverse=True) else {}


def _keep_between(scores: Sequence[Sequence[float]], pairs: dict[int, int], ranks: dict[int, int]) -> list[list[float]]:
    """The scores, 0 where a note does not lie between those of the nearest paired entries on both sides."""
    kept = []
    for row, line in enumerate(scores):
        low = max((ranks[column] for paired, column in pairs.items() if paired < row), default=-math.inf)
        high = min((ranks[column] for paired, column in pairs.items() if paired > row), default=math.inf)
        kept.append([score if low < ranks[column] < high else 0.0 for column, score in enumerate(line)])
    return kept


def _find_surest(
    scores: Sequence[Sequence[float]], pairs: dict[int, int], safe: float, lead: float
) -> tuple[int, int] | None:
    """The pair that leads its rivals, both ways, by the most; None where none is safe."""
    used = set(pairs.values())
    surest = None
    rows = [row for row in range(len(scores)) if row not in pairs]
    for row in rows:
        ranked = sorted(((s, c) for c, s in enumerate(scores[row]) if c not in used), reverse=True)[:2]
        if not ranked or ranked[0][0] < safe:
            continue
        best, column = ranked[0]
        rivals = [scores[other][column] for other in rows if other != row]
        second = max([ranked[1][0] if len(ranked) > 1 else 0.0, *rivals, best / 100])
        if best / second >= lead:
            surest, lead = (row, column), best / second
    return surest


def _score(gaps: Sequence[Feature], notes: Sequence[Feature]) -> list[list[float]]:
    """How well each entry (row) goes with each note (column), 0 to 1: cosine of rare words, 0 for another version."""
    gap_words = [find_words(f"{gap.title} {gap.description}") for gap in gaps]
    note_words = [find_words(f"{note.title} {note.description}") for note in notes]
    seen = Counter(word for words in (*gap_words, *note_words) for word in words)
    total = len(gaps) + len(notes)
    weight = {word: math.log(1 + total / count) for word, count in seen.items()}

    def norm(words: frozenset[str]) -> float:
        return math.sqrt(sum(weight[word] ** 2 for word in sorted(words))) or 1.0

    note_norms = [norm(words) for words in note_words]
    scores = []
    for gap, words in zip(gaps, gap_words, strict=True):
        gap_norm = norm(words)
        scores.append(
            [
                sum(weight[word] ** 2 for word in sorted(words & theirs)) / (gap_norm * note_norm)
                if gap.version is None or note.version is None or gap.version == note.version
                else 0.0
                for note, theirs, note_norm in zip(notes, note_words, note_norms, strict=True)
            ]
        )
    return scores


def _fill(feature: Feature, note: Feature | None) -> Feature:
    """The entry with what it lacked; a bare sentence becomes the description of the title it gets."""
    if note is None:
        return feature
    bare = feature.feature_id is None and feature.version is None and not feature.description
    return replace(
        feature,
        title=note.title if bare else feature.title,
        description=feature.title if bare else feature.description,
        feature_id=feature.feature_id if feature.feature_id is not None else note.feature_id,
        version=feature.version or note.version,
    )
