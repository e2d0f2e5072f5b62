"""What a review page shows of an episode at one moment, and whether that is still so."""

import hashlib
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.align.corrections import CorrectionMatches
from pipeline.core.corrections import Correction
from pipeline.core.errors import InputError, PipelineError
from pipeline.core.schema import Alignment, Feature, Placement, Status

# From this confidence on, a feature that was not found needs no check.
CONFIDENT_ABSENCE = 0.9


class ConflictError(PipelineError):
    """What the page showed is no longer so: the list, the alignment or the decision changed, or the journal."""


@dataclass(frozen=True, slots=True)
class AlignmentFile:
    """What an alignment file holds.

    `corrections` are those that it was made with, as JSON; `titles` what those without a title were about. With
    `is_ledger`, its list is made of release lists, most of whose entries other episodes discuss.
    """

    features: tuple[Feature, ...]
    alignment: Alignment
    corrections: list[Any]
    titles: dict[str, str]
    is_ledger: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A feature, its placement, and the correction about it; `problem` says why that is not used, if it is not."""

    feature: Feature
    placement: Placement
    correction: Correction | None
    problem: str

    def to_json(self) -> dict[str, Any]:
        """Return the entry as the page shows it."""
        unsure = self.placement.status is Status.REVIEW or (
            self.placement.status is Status.NOT_FOUND and self.placement.confidence < CONFIDENT_ABSENCE
        )
        # The page reads these names, which are those of Feature and Placement.
        return {
            **asdict(self.feature),
            **asdict(self.placement),
            "needs_person": bool(self.problem) or (unsure and self.correction is None),
            "decision": self.correction.model_dump(mode="json") if self.correction else None,
            "problem": self.problem,
        }


@dataclass(frozen=True, slots=True)
class View:
    """The files of an episode at one moment: the list, its alignment, the corrections, and which is about what."""

    file: AlignmentFile
    corrections: tuple[Correction, ...]
    matches: CorrectionMatches

    @property
    def entries(self) -> list[Entry]:
        """The features in list order, each with its placement and its correction.

        Of release lists, the features that are neither placed nor corrected are left out.
        """
        matches = self.matches
        return [
            Entry(
                feature,
                placement,
                matches.by_position.get(feature.position),
                matches.outside[feature.position].describe() if feature.position in matches.outside else "",
            )
            for feature, placement in zip(self.file.features, self.file.alignment.placements, strict=True)
            if not self.file.is_ledger
            or placement.status is not Status.NOT_FOUND
            or feature.position in matches.by_position
        ]

    def sign(self, entry: Entry) -> str:
        """Return the signature by which a page names what it shows: list, alignment, entry and correction."""
        decided = entry.correction.model_dump_json() if entry.correction else ""
        shown = [repr(self.file.features), repr(self.file.alignment), f"{entry.feature.position} {decided}"]
        return ".".join(digest(text) for text in shown)

    def find(self, position: int, seen: str | None) -> Entry:
        """Return the entry at a position; ConflictError if it is not what the page with the signature `seen` shows."""
        entry = next((entry for entry in self.entries if entry.feature.position == position), None)
        parts, shown = (seen or "").split("."), self.sign(entry).split(".") if entry else []
        if entry is None and len(parts) < 3:
            raise InputError(f"the feature list has no entry {position}", "reload the page")
        if entry is None or parts[0] != shown[0]:
            raise ConflictError("the list changed", "look again")
        if parts[1:2] != shown[1:2]:
            raise ConflictError("the alignment changed", "look again")
        if parts != shown:
            raise ConflictError(
                f"somebody else has just decided about {entry.feature.title!r}", "check the feature, then decide again"
            )
        return entry

    def index(self, correction: Correction | None) -> int | None:
        """Return the place of a correction in the file."""
        return next((number for number, other in enumerate(self.corrections) if other is correction), None)

    def position_of(self, correction: Correction | None) -> int | None:
        """Return the position of the entry that a correction is about; None if it has none."""
        found = (position for position, other in self.matches.by_position.items() if other == correction)
        return next(found, None)


def digest(text: str) -> str:
    """Return a short text that differs between any two texts."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
