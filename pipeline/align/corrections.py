"""Which decision of a person is about which entry of a list, however it was edited since; and what it makes of a start.

A decision is keyed by its feature's id, else by its wording, so that it outlives edits, another order and every
re-run. One that fits no entry of the list is reported and kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pipeline.core.corrections import Correction, Decision
from pipeline.core.schema import Alignment, Feature, Method, Placement, Status
from pipeline.core.text import same_wording, wording_similarity
from pipeline.core.times import format_time

# Two wordings are one entry's, one of them edited, from this rapidfuzz ratio on, if no other comes as near by LEAD.
LIKE_WORDING, LEAD = 80.0, 5.0

# Below this ratio an entry with the right id and another wording may be some other entry that took the id over.
UNLIKE_WORDING = 60.0

# How complaints about decisions begin.
_CORRECTION, _END = "the correction of", "the end of"


@dataclass(frozen=True, slots=True)
class Fitting:
    """Decisions by the position of the entry they are about, and those that fit none, each with the reason."""

    placed: Mapping[int, Correction] = field(default_factory=dict)
    unfit: tuple[tuple[Correction, str], ...] = ()

    def find_anchors(self) -> dict[int, float | None]:
        """Return what `align` must hold to: starts by position, None for what is not discussed."""
        fixed = {position: one for position, one in self.placed.items() if one.decision is not Decision.END}
        return {position: one.start for position, one in fixed.items()}

    def describe_unfit(self) -> list[str]:
        """Return a line for each decision that is kept though it fits nothing."""
        return [f"{_CORRECTION} {one.name} is kept but not used: {reason}" for one, reason in self.unfit]


def match_corrections(
    corrections: Sequence[Correction], features: Sequence[Feature], duration: float | None = None
) -> Fitting:
    """Return which decision is about which entry of a list, however it was edited since.

    By id and wording, then by id, then by equal wording, then by wording that was edited slightly. No entry takes
    two decisions. `duration` is the episode's, in seconds: a start beyond it fits nothing.
    """
    placed: dict[int, Correction] = {}
    waiting: list[Correction] = []
    unfit: list[tuple[Correction, str]] = []
    for one in corrections:
        if duration is not None and (start := one.start or 0.0) > duration:
            unfit.append((one, f"{format_time(start)} lies after the end of the episode ({format_time(duration)})"))
        else:
            waiting.append(one)
    free = list(features)
    for find in (_find_same, _find_by_id, _find_by_wording, _find_like):
        for one in tuple(waiting):
            entry = find(one, free)
            if entry is not None:
                placed[entry.position] = one
                free.remove(entry)
                waiting.remove(one)
    unfit += [(one, _explain_unfit(one, features, placed)) for one in waiting]
    return Fitting(dict(sorted(placed.items())), tuple(unfit))


def _find_same(one: Correction, free: Sequence[Feature]) -> Feature | None:
    """The entry with both the id and the wording."""
    if one.feature_id is None:
        return None
    fitting = [f for f in free if f.feature_id == one.feature_id and same_wording(f.title, one.title)]
    return fitting[0] if len(fitting) == 1 else None


def _find_by_id(one: Correction, free: Sequence[Feature]) -> Feature | None:
    """The entry with the id; but where an id was corrected, its old wording elsewhere says more than the number."""
    fitting = [f for f in free if f.feature_id == one.feature_id] if one.feature_id is not None else []
    if len(fitting) != 1:
        return None
    unlike = one.title is not None and wording_similarity(one.title, fitting[0].title) < UNLIKE_WORDING
    return (_find_by_wording(one, free) if unlike else None) or fitting[0]


def _find_by_wording(one: Correction, free: Sequence[Feature]) -> Feature | None:
    """The only entry with the very wording, spaces, signs and capitals apart."""
    fitting = [f for f in free if same_wording(f.title, one.title)]
    return fitting[0] if len(fitting) == 1 else None


def _find_like(one: Correction, free: Sequence[Feature]) -> Feature | None:
    """The entry whose wording is clearly nearest, unless ids say it is another."""
    if one.title is None:
        return None
    others = [f for f in free if one.feature_id is None or f.feature_id is None]
    ranked = sorted(((wording_similarity(one.title, f.title), -f.position, f) for f in others), reverse=True)
    clear = len(ranked) == 1 or (len(ranked) > 1 and ranked[0][0] - ranked[1][0] >= LEAD)
    return ranked[0][2] if clear and ranked[0][0] >= LIKE_WORDING else None


def _explain_unfit(one: Correction, features: Sequence[Feature], placed: Mapping[int, Correction]) -> str:
    same_id = [f for f in features if one.feature_id is not None and f.feature_id == one.feature_id]
    same = same_id or [f for f in features if same_wording(f.title, one.title)]
    if any(f.position in placed for f in same):
        return "another correction is about the same entry"
    if len(same) > 1:
        return f"{len(same)} entries of the list fit it: name it more exactly"
    return "no entry of the list has this id or wording"


def apply_corrections(alignment: Alignment, fitting: Fitting) -> tuple[Alignment, list[str]]:
    """Return the alignment as people want it, and a line for each end that cannot be.

    The alignment must have been made with the anchors of the same `fitting`.
    """
    placements, complaints = [], []
    for placement in alignment.placements:
        one = fitting.placed.get(placement.position)
        if one is not None and one.end is not None and (placement.start is None or one.end <= placement.start):
            where = "was not found" if placement.start is None else f"starts at {format_time(placement.start)}"
            complaints.append(f"{_END} {one.name} at {format_time(one.end)} is kept but not used: it {where}")
        elif one is not None:
            placement = _apply(placement, one)
        placements.append(placement)
    return Alignment(tuple(placements)), complaints


def concerns_decision(warning: str) -> bool:
    """Tell the complaints of this module from a run's other warnings."""
    return warning.startswith((f"{_CORRECTION} ", f"{_END} "))


def _apply(placement: Placement, one: Correction) -> Placement:
    end = placement.end if one.end is None else one.end
    if one.decision is Decision.END:
        return replace(placement, end=end, reason=f"{placement.reason}; {_describe(one)}")
    return replace(
        placement,
        start=one.start,
        end=end if one.start is not None else None,
        status=Status.CORRECTED,
        # A person's word is what "right" means in the definition of confidence.
        confidence=1.0,
        method=Method.CORRECTION,
        reason=_describe(one),
        alternatives=(),
    )


def _describe(one: Correction) -> str:
    """`moved to 16:36 by Anna on 2026-11-23: the joke comes first`."""
    what = {
        Decision.MOVED: f"moved to {format_time(one.start or 0.0)}",
        Decision.CONFIRMED: "confirmed",
        Decision.NOT_DISCUSSED: "marked as not discussed",
        Decision.END: "its end was set",
    }[one.decision]
    by = f" by {one.who}" if one.who else " by a person"
    day = f" on {one.when:%Y-%m-%d}" if one.when else ""
    return f"{what}{by}{day}" + (f": {one.why}" if one.why else "")


def describe_changes(before: Sequence[Correction], now: Sequence[Correction]) -> str:
    """Return `1 added, 2 changed`, for a person who asks why an episode is aligned again."""
    old, new = {one.name: one for one in before}, {one.name: one for one in now}
    counts = {
        "added": len(new.keys() - old.keys()),
        "withdrawn": len(old.keys() - new.keys()),
        "changed": sum(new[name] != old[name] for name in new.keys() & old.keys()),
    }
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count) or "only their layout"
