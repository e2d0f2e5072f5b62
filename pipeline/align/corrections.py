"""Match corrections to the entries of a feature list, and apply them to an alignment.

A correction is matched by its feature's id, else by its title, so that it outlives edits of the list, another order
and every re-run. A correction that matches no entry is kept, reported and not used.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.core.corrections import Correction, Decision
from pipeline.core.schema import Alignment, Feature, Method, Placement, Status
from pipeline.core.text import same_wording, wording_similarity
from pipeline.core.times import format_time

# rapidfuzz ratio (0 to 100) from which on two titles may be one entry's, one of them edited.
SAME_ENTRY_RATIO = 80.0

# Points by which the best ratio must exceed the second best.
CLEAR_LEAD = 5.0

# Ratio below which an entry with the right id may be another entry that took the id over.
OTHER_ENTRY_RATIO = 60.0


@dataclass(frozen=True, slots=True)
class UnusedCorrection:
    """A correction that is kept but not used, and why; `only_end` if its start is used and its end is not."""

    correction: Correction
    reason: str
    only_end: bool = False

    def describe(self) -> str:
        """Return one line for a person."""
        subject = f"the correction of {self.correction.name}"
        if self.only_end and self.correction.end is not None:
            subject = f"the end of {self.correction.name} at {format_time(self.correction.end)}"
        return f"{subject} is kept but not used: {self.reason}"


@dataclass(frozen=True, slots=True)
class CorrectionMatches:
    """Corrections by the position of the entry they match, in list order, and those that match no entry."""

    by_position: dict[int, Correction]
    unmatched: tuple[UnusedCorrection, ...] = ()

    def anchors(self) -> dict[int, float | None]:
        """Return the anchors for `align`: starts in seconds by position, None for a feature that is not discussed."""
        return {
            position: correction.start
            for position, correction in self.by_position.items()
            if correction.decision is not Decision.END
        }


def match_corrections(
    corrections: Sequence[Correction], features: Sequence[Feature], duration: float | None = None
) -> CorrectionMatches:
    """Return which correction is about which entry of a list, also if the list was edited since.

    Corrections are matched by id and title, then by id, then by equal title, then by similar title. No entry takes two
    corrections. `duration` is the episode's, in seconds: a correction with a start beyond it is not used.
    """
    matched: dict[int, Correction] = {}
    waiting: list[Correction] = []
    unmatched: list[UnusedCorrection] = []
    for correction in corrections:
        if duration is not None and (start := correction.start or 0.0) > duration:
            reason = f"{format_time(start)} lies after the end of the episode ({format_time(duration)})"
            unmatched.append(UnusedCorrection(correction, reason))
        else:
            waiting.append(correction)
    free = list(features)
    for find in (_find_by_id_and_title, _find_by_id, _find_by_title, _find_by_similar_title):
        for correction in tuple(waiting):
            entry = find(correction, free)
            if entry is not None:
                matched[entry.position] = correction
                free.remove(entry)
                waiting.remove(correction)
    unmatched += [
        UnusedCorrection(correction, _explain_mismatch(correction, features, matched)) for correction in waiting
    ]
    return CorrectionMatches(dict(sorted(matched.items())), tuple(unmatched))


def _find_by_id_and_title(correction: Correction, free: Sequence[Feature]) -> Feature | None:
    """Return the only entry with both the id and the title."""
    if correction.feature_id is None:
        return None
    matches = [
        entry
        for entry in free
        if entry.feature_id == correction.feature_id and same_wording(entry.title, correction.title)
    ]
    return matches[0] if len(matches) == 1 else None


def _find_by_id(correction: Correction, free: Sequence[Feature]) -> Feature | None:
    """Return the only entry with the id; if its title differs and another entry has the title, return that one."""
    if correction.feature_id is None:
        return None
    matches = [entry for entry in free if entry.feature_id == correction.feature_id]
    if len(matches) != 1:
        return None
    # The list's ids may have been corrected: then the old title says more than the number.
    title = correction.title
    is_other = title is not None and wording_similarity(title, matches[0].title) < OTHER_ENTRY_RATIO
    return (_find_by_title(correction, free) if is_other else None) or matches[0]


def _find_by_title(correction: Correction, free: Sequence[Feature]) -> Feature | None:
    """Return the only entry with the title; spaces, signs and capitals are ignored."""
    matches = [entry for entry in free if same_wording(entry.title, correction.title)]
    return matches[0] if len(matches) == 1 else None


def _find_by_similar_title(correction: Correction, free: Sequence[Feature]) -> Feature | None:
    """Return the entry with the clearly most similar title, unless it has another id."""
    if correction.title is None:
        return None
    others = [entry for entry in free if correction.feature_id is None or entry.feature_id is None]
    ranked = sorted(
        ((wording_similarity(correction.title, entry.title), -entry.position, entry) for entry in others), reverse=True
    )
    is_clear = len(ranked) == 1 or (len(ranked) > 1 and ranked[0][0] - ranked[1][0] >= CLEAR_LEAD)
    return ranked[0][2] if is_clear and ranked[0][0] >= SAME_ENTRY_RATIO else None


def _explain_mismatch(correction: Correction, features: Sequence[Feature], matched: dict[int, Correction]) -> str:
    """Return why a correction matches no entry."""
    same = [
        entry for entry in features if correction.feature_id is not None and entry.feature_id == correction.feature_id
    ] or [entry for entry in features if same_wording(entry.title, correction.title)]
    if any(entry.position in matched for entry in same):
        return "another correction is about the same entry"
    if len(same) > 1:
        return f"{len(same)} entries of the list fit it: name it more exactly"
    return "no entry of the list has this id or wording"


def apply_corrections(
    alignment: Alignment, matches: CorrectionMatches
) -> tuple[Alignment, tuple[UnusedCorrection, ...]]:
    """Return the alignment with its corrections, and all corrections that are not used.

    The alignment must have been made with the anchors of `matches`.
    """
    placements = []
    unused = list(matches.unmatched)
    for placement in alignment.placements:
        correction = matches.by_position.get(placement.position)
        if correction is not None and (reason := _refuse_end(correction, placement)):
            unused.append(UnusedCorrection(correction, reason, only_end=True))
        elif correction is not None:
            placement = _apply(placement, correction)
        placements.append(placement)
    return replace(alignment, placements=tuple(placements)), tuple(unused)


def _refuse_end(correction: Correction, placement: Placement) -> str | None:
    """Return why a correction's end cannot be the placement's, or None if it can."""
    if correction.end is None or (placement.start is not None and correction.end > placement.start):
        return None
    return "it was not found" if placement.start is None else f"it starts at {format_time(placement.start)}"


def _apply(placement: Placement, correction: Correction) -> Placement:
    """Return a placement with its correction."""
    end = placement.end if correction.end is None else correction.end
    if correction.decision is Decision.END:
        return replace(placement, end=end, reason=f"{placement.reason}; {_describe(correction)}")
    return replace(
        placement,
        start=correction.start,
        end=end if correction.start is not None else None,
        status=Status.CORRECTED,
        # By definition, a corrected start is right.
        confidence=1.0,
        method=Method.CORRECTION,
        reason=_describe(correction),
        alternatives=(),
    )


def _describe(correction: Correction) -> str:
    """Return what was decided, by whom, when and why: `moved to 16:36 by Anna on 2026-11-23: the joke comes first`."""
    decided = {
        Decision.MOVED: f"moved to {format_time(correction.start or 0.0)}",
        Decision.CONFIRMED: "confirmed",
        Decision.NOT_DISCUSSED: "marked as not discussed",
        Decision.END: "its end was set",
    }[correction.decision]
    by = f" by {correction.who}" if correction.who else " by a person"
    day = f" on {correction.when:%Y-%m-%d}" if correction.when else ""
    return f"{decided}{by}{day}" + (f": {correction.why}" if correction.why else "")


def describe_changes(before: Sequence[Correction], after: Sequence[Correction]) -> str:
    """Return how many corrections changed, for example `1 added, 2 changed`."""
    old = {correction.name: correction for correction in before}
    new = {correction.name: correction for correction in after}
    counts = {
        "added": len(new.keys() - old.keys()),
        "withdrawn": len(old.keys() - new.keys()),
        "changed": sum(new[name] != old[name] for name in new.keys() & old.keys()),
    }
    return ", ".join(f"{count} {kind}" for kind, count in counts.items() if count) or "only their layout"
