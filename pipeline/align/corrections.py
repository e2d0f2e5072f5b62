"""Match corrections to the entries of a feature list, and apply them to an alignment.

`core.identity` says which entry a correction is about, so that it outlives edits of the list, another order and every
re-run. A correction that matches no entry is kept, reported and not used.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from pipeline.core.corrections import Correction, Decision
from pipeline.core.identity import History, Name, match_names, name_features, no_history, pair_entries
from pipeline.core.schema import Alignment, Feature, Method, Placement, Status
from pipeline.core.times import format_time

# Titles of the entries that corrections without a title were about when they were first used, by id.
Titles = Mapping[str, str]
NO_TITLES: Titles = MappingProxyType({})


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
    """Corrections by the position of the entry they match, in list order, and those that match no entry.

    Those of `outside`, by position, have a start outside of the audio: they match an entry and are not used.
    `reworded` are lines about entries whose wording is another than that of their correction.
    """

    by_position: dict[int, Correction]
    unmatched: tuple[UnusedCorrection, ...] = ()
    outside: dict[int, UnusedCorrection] = field(default_factory=dict)
    reworded: tuple[str, ...] = ()

    def anchors(self) -> dict[int, float | None]:
        """Return the anchors for `align`: starts in seconds by position, None for a feature that is not discussed."""
        return {
            position: correction.start
            for position, correction in self.by_position.items()
            if correction.decision is not Decision.END and not self._is_outside(position)
        }

    def _is_outside(self, position: int) -> bool:
        return position in self.outside and not self.outside[position].only_end


def match_corrections(
    corrections: Sequence[Correction],
    features: Sequence[Feature],
    duration: float | None = None,
    *,
    history: History = no_history,
    titles: Titles = NO_TITLES,
) -> CorrectionMatches:
    """Return which correction is about which entry of a list, also if the list was edited since.

    No entry takes two corrections. `duration` is that of the audio, in seconds: a start or an end beyond it is not
    used. `history` returns the earlier revisions of the list, `titles` what corrections without a title were about.
    """
    names = [_name(correction, titles) for correction in corrections]
    matched: dict[int, Correction] = {}
    unmatched: list[UnusedCorrection] = []
    outside: dict[int, UnusedCorrection] = {}
    reworded: list[str] = []
    for correction, name, match in zip(
        corrections, names, match_names(names, name_features(features), history), strict=True
    ):
        if match.index is None:
            unmatched.append(UnusedCorrection(correction, match.reason))
            continue
        feature = features[match.index]
        matched[feature.position] = correction
        if match.reworded:
            reworded.append(
                f'the correction of {correction.name} "{name.title}" is used for "{feature.title}": if that is another '
                "feature, withdraw it in `catalog review`"
            )
        if (unused := _find_time_outside(correction, duration)) is not None:
            outside[feature.position] = unused
    return CorrectionMatches(dict(sorted(matched.items())), tuple(unmatched), outside, tuple(reworded))


def _name(correction: Correction, titles: Titles) -> Name:
    """What names the entry of a correction; the title that its id had, where it gives none itself."""
    name = correction.identity
    return name if name.title is not None else Name(name.key, titles.get(str(name.key)))


def find_titles(matches: CorrectionMatches, features: Sequence[Feature], titles: Titles) -> dict[str, str]:
    """Return the `titles` for the next match: of each correction without a title, that of its entry when first used."""
    listed = {feature.position: feature.title for feature in features}
    used = {str(match.identity.key): listed[at] for at, match in matches.by_position.items() if match.title is None}
    waiting = [str(unused.correction.identity.key) for unused in matches.unmatched if unused.correction.title is None]
    kept = {key: titles[key] for key in waiting if key in titles}
    return {**kept, **{key: titles.get(key, title) for key, title in used.items()}}


def _find_time_outside(correction: Correction, duration: float | None) -> UnusedCorrection | None:
    """Return a correction with a start or an end outside of the audio, and which; None where both lie inside."""
    limit = math.inf if duration is None else math.ceil(duration)
    for name, seconds in (("start", correction.start), ("end", correction.end)):
        if seconds is not None and seconds > limit:
            reason = f"{format_time(seconds)} lies after the end of the episode ({format_time(duration or 0.0)})"
            return UnusedCorrection(correction, reason, only_end=name == "end")
    return None


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
        outside = matches.outside.get(placement.position)
        if outside is not None and correction is not None:
            unused.append(outside)
            correction = _without_end(correction) if outside.only_end else None
        if correction is not None and (reason := _refuse_end(correction, placement)):
            unused.append(UnusedCorrection(correction, reason, only_end=True))
        elif correction is not None:
            placement = _apply(placement, correction)
        placements.append(placement)
    return replace(alignment, placements=tuple(placements)), tuple(unused)


def _without_end(correction: Correction) -> Correction | None:
    """Return a correction without its end; None where it says nothing else."""
    return None if correction.decision is Decision.END else correction.model_copy(update={"end": None})


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
    pairs = pair_entries([old.identity for old in before], [new.identity for new in after])
    counts = {
        "added": len(after) - len(pairs),
        "withdrawn": len(before) - len(pairs),
        "changed": sum(before[old] != after[new] for old, new in pairs),
    }
    return ", ".join(f"{count} {kind}" for kind, count in counts.items() if count) or "only their layout"
