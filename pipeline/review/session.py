"""The review of one episode: which starts to check, decisions about them, undo, and a new alignment.

Every decision goes to the corrections file at once, and its undo step to a journal in the project. A crash loses
nothing.
"""

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from pipeline.align.corrections import apply_corrections, match_corrections
from pipeline.core.config import load_episode
from pipeline.core.corrections import Correction, Decision, load_corrections, save_correction, withdraw_correction
from pipeline.core.errors import InputError, PipelineError
from pipeline.core.project import Project
from pipeline.core.schema import Alignment, Feature, Placement, Status, Transcript
from pipeline.core.serialization import alignment_from_json, features_from_json, transcript_from_json
from pipeline.core.storage import read_record, write_json
from pipeline.core.times import format_time
from pipeline.download.record import AUDIO_RECORD, Audio, read_audio
from pipeline.publish.paragraphs import cut_paragraphs
from pipeline.runs.job import RunOptions
from pipeline.runs.reporter import Reporter
from pipeline.runs.stages.base import RELEASES
from pipeline.runs.workflow import check_episode_exists, run_stages
from pipeline.transcribe.transcriber import WhisperTranscriber

# From this confidence on, a feature that was not found needs no check.
CONFIDENT_ABSENCE = 0.9

# Starts nearer than this, seconds, are the same start: confirming one does not move it.
SAME_START_S = 0.05

# Smallest move of a start, seconds, that is reported after a new alignment.
MIN_MOVE_S = 1.0

# Most steps that the journal keeps.
MAX_STEPS = 200


class ConflictError(PipelineError):
    """Somebody else decided about the same feature since the page showed it."""


class Step(NamedTuple):
    """A decision about a feature, for undo: the correction in the file before it and after it."""

    before: Correction | None
    after: Correction | None


@dataclass
class UndoJournal:
    """The latest decisions about an episode, oldest first, in a file that outlives the server."""

    path: Path
    steps: list[Step]

    @classmethod
    def read(cls, path: Path) -> "UndoJournal":
        """Return the journal in a file; an empty one if the file is missing or damaged."""

        def parse(record: dict[str, Any]) -> list[Step]:
            return TypeAdapter(list[Step]).validate_python(record["steps"])

        # Without its journal a review can go on; only undo is lost.
        try:
            return cls(path, read_record(path, parse) if path.exists() else [])
        except InputError:
            return cls(path, [])

    def add(self, step: Step) -> None:
        """Add a step and save the journal."""
        self.steps = [*self.steps, step][-MAX_STEPS:]
        self.save()

    def save(self) -> None:
        """Write the file."""
        steps = [[correction and correction.model_dump(mode="json") for correction in step] for step in self.steps]
        write_json(self.path, {"steps": steps})


@dataclass(frozen=True, slots=True)
class _AlignmentFile:
    """What an alignment file holds; `corrections` are those that it was made with, as JSON.

    With `is_ledger`, its list is made of release lists, most of whose entries other episodes discuss.
    """

    features: tuple[Feature, ...]
    alignment: Alignment
    corrections: list[Any]
    is_ledger: bool = False


@dataclass(frozen=True, slots=True)
class _Entry:
    """A feature, its placement, and the correction about it."""

    feature: Feature
    placement: Placement
    correction: Correction | None

    def to_json(self) -> dict[str, Any]:
        """Return the entry as the page shows it."""
        unsure = self.placement.status is Status.REVIEW or (
            self.placement.status is Status.NOT_FOUND and self.placement.confidence < CONFIDENT_ABSENCE
        )
        # The page reads these names, which are those of Feature and Placement.
        return {
            **asdict(self.feature),
            **asdict(self.placement),
            "needs_person": unsure and self.correction is None,
            "decision": self.correction.model_dump(mode="json") if self.correction else None,
            "signature": _signature(self.correction),
        }


@dataclass
class ReviewSession:
    """The review of one episode by one person, whose name is `who`."""

    project: Project
    episode_id: str
    who: str
    journal: UndoJournal

    @classmethod
    def open(cls, project: Project, episode_id: str, who: str = "") -> "ReviewSession":
        """Return a session for an aligned episode; InputError if a file that it needs is missing or damaged."""
        check_episode_exists(project, episode_id)
        for path in (
            project.raw(episode_id) / AUDIO_RECORD,
            project.transcript(episode_id),
            project.alignment(episode_id),
        ):
            if not path.is_file():
                raise InputError(f"{path} does not exist", f"run `catalog run {episode_id}` first")
        session = cls(project, episode_id, who, UndoJournal.read(project.undo_journal(episode_id)))
        if not session.audio.is_file():
            raise InputError(f"{session.audio} does not exist", f"run `catalog download {episode_id}` first")
        # Damaged files are reported here instead of on the page.
        session.read_state()
        return session

    @property
    def audio(self) -> Path:
        """The episode's audio file."""
        return self._read_audio().path

    def read_state(self) -> dict[str, Any]:
        """Return all that the page shows except the transcript.

        The keys are `title`, `duration` (seconds), `stale` (whether the corrections have changed since the alignment),
        `undo` (number of steps), `statuses` (labels) and `features`.
        """
        corrections = load_corrections(self.project.corrections(self.episode_id))
        used = self._read_alignment().corrections
        return {
            "title": load_episode(self.project.episode(self.episode_id)).title,
            "duration": self._read_audio().duration,
            "stale": [correction.model_dump(mode="json") for correction in corrections] != used,
            "undo": len(self.journal.steps),
            "statuses": {status.value: status.label for status in Status},
            "features": [entry.to_json() for entry in self._read_entries()],
        }

    def read_paragraphs(self) -> list[dict[str, Any]]:
        """Return the transcript's paragraphs, each with its words, their starts, and the features that it opens."""
        placements = self._read_alignment().alignment.placements
        starts = [(placement.start, placement.position) for placement in placements if placement.start is not None]
        return [asdict(paragraph) for paragraph in cut_paragraphs(self._read_transcript(), starts)]

    def decide(self, position: int, start: float | None, seen: str | None) -> None:
        """Save that a feature starts at `start` seconds, or with None that it is not discussed.

        `seen` is the `signature` of the feature on the page. ConflictError if the correction has changed since,
        InputError if the start lies outside of the episode.
        """
        entry = self._find_entry(position, seen)
        duration = self._read_audio().duration
        # NaN fails this comparison as well.
        if start is not None and not 0 <= start <= duration:
            raise InputError(f"the start must lie between 0:00 and {format_time(duration)}, the end of the episode")
        if start is None:
            correction = self._make_correction(entry.feature, Decision.NOT_DISCUSSED, None)
        else:
            kept = entry.placement.start is not None and abs(entry.placement.start - start) <= SAME_START_S
            decision = Decision.CONFIRMED if kept else Decision.MOVED
            correction = self._make_correction(entry.feature, decision, round(start, 3))
        save_correction(self.project, self.episode_id, correction)
        # The file may combine the correction with an earlier end.
        self.journal.add(Step(entry.correction, self._get_entry(position).correction))

    def withdraw(self, position: int, seen: str | None) -> None:
        """Remove the correction about a feature, no matter who made it; ConflictError as in `decide`."""
        correction = self._find_entry(position, seen).correction
        if correction is not None:
            withdraw_correction(self.project, self.episode_id, correction)
            self.journal.add(Step(correction, None))

    def undo(self) -> int | None:
        """Undo the latest decision that is still in the file; return the position of its feature, None if none is.

        Decisions that somebody else has changed since are dropped from the journal.
        """
        position = None
        while self.journal.steps and position is None:
            position = self._revert(self.journal.steps.pop())
        self.journal.save()
        return position

    def finish(self) -> dict[str, Any]:
        """Align and publish with the corrections; return which other starts `moved`, and `warnings`.

        PipelineError if a stage fails; the corrections stay.
        """
        old = self._read_alignment()
        result = run_stages(
            self.project,
            [self.episode_id],
            ("align", "publish"),
            transcriber=lambda show: WhisperTranscriber(show.model, self.project.root, offline=True),
            reporter=Reporter(),
            options=RunOptions(offline=True),
        )
        if result.failures:
            raise PipelineError(result.failures[0].error or "the alignment failed")
        # The run reads the feature list again: positions of a changed list cannot be compared.
        new = self._read_alignment()
        warnings = self._list_unused_corrections(new)
        if new.features != old.features:
            changed = "the feature list has changed since the last alignment: check its starts again"
            return {"moved": [], "warnings": [*warnings, changed]}
        return {"moved": self._list_moved(old, new), "warnings": warnings}

    def _revert(self, step: Step) -> int | None:
        """Restore what was in the file before a step; return the position, None if the step no longer stands."""
        correction = step.after or step.before
        if correction is None:
            return None
        matches = match_corrections([correction], self._read_alignment().features).by_position
        position = next(iter(matches), None)
        if position is None or _signature(self._get_entry(position).correction) != _signature(step.after):
            return None
        if step.before is not None:
            save_correction(self.project, self.episode_id, step.before)
        else:
            withdraw_correction(self.project, self.episode_id, correction)
        return position

    def _list_moved(self, old: _AlignmentFile, new: _AlignmentFile) -> list[dict[str, Any]]:
        """Return the features without a correction whose placement differs noticeably."""
        decided = {entry.feature.position for entry in self._read_entries() if entry.correction}
        return [
            {
                "position": after.position,
                "title": feature.title,
                "before": {"start": before.start, "status": before.status.value},
                "after": {"start": after.start, "status": after.status.value},
            }
            for feature, before, after in zip(
                new.features, old.alignment.placements, new.alignment.placements, strict=True
            )
            if after.position not in decided and _has_moved(before, after)
        ]

    def _list_unused_corrections(self, file: _AlignmentFile) -> list[str]:
        """Return a line for each correction that is kept but not used."""
        corrections = load_corrections(self.project.corrections(self.episode_id))
        matches = match_corrections(corrections, file.features, self._read_transcript().duration)
        _, unused = apply_corrections(file.alignment, matches)
        return [correction.describe() for correction in unused]

    def _make_correction(self, feature: Feature, decision: Decision, start: float | None) -> Correction:
        # An id that the list names twice does not identify an entry; the title does.
        counts = Counter(listed.feature_id for listed in self._read_alignment().features)
        feature_id = feature.feature_id if counts[feature.feature_id] == 1 else None
        return Correction(feature_id=feature_id, title=feature.title, decision=decision, start=start, who=self.who)

    def _find_entry(self, position: int, seen: str | None) -> _Entry:
        """Return the entry at a position; ConflictError if its correction is not the one with the signature `seen`."""
        entry = self._get_entry(position)
        if _signature(entry.correction) != seen:
            raise ConflictError(
                f"somebody else has just decided about {entry.feature.title!r}", "check the feature, then decide again"
            )
        return entry

    def _get_entry(self, position: int) -> _Entry:
        for entry in self._read_entries():
            if entry.feature.position == position:
                return entry
        raise InputError(f"the feature list has no entry {position}", "reload the page")

    def _read_entries(self) -> list[_Entry]:
        """Return the features in list order, each with its placement and its correction.

        Of release lists, the features that are neither placed nor corrected are left out.
        """
        file = self._read_alignment()
        corrections = load_corrections(self.project.corrections(self.episode_id))
        matched = match_corrections(corrections, file.features, self._read_audio().duration).by_position
        return [
            _Entry(feature, placement, matched.get(feature.position))
            for feature, placement in zip(file.features, file.alignment.placements, strict=True)
            if not file.is_ledger or placement.status is not Status.NOT_FOUND or feature.position in matched
        ]

    def _read_alignment(self) -> _AlignmentFile:
        return read_record(
            self.project.alignment(self.episode_id),
            lambda record: _AlignmentFile(
                features_from_json(record["features"]),
                alignment_from_json(record["placements"]),
                record.get("corrections", []),
                RELEASES in record,
            ),
        )

    def _read_transcript(self) -> Transcript:
        return read_record(self.project.transcript(self.episode_id), transcript_from_json)

    def _read_audio(self) -> Audio:
        return read_audio(self.project.raw(self.episode_id))


def _signature(correction: Correction | None) -> str | None:
    """Return a text that differs between any two corrections."""
    return correction.model_dump_json() if correction else None


def _has_moved(before: Placement, after: Placement) -> bool:
    """Return whether a placement moved by MIN_MOVE_S, changed its status, or was found or lost."""
    if before.start is None or after.start is None:
        return (before.start is None) != (after.start is None)
    return abs(before.start - after.start) >= MIN_MOVE_S or before.status is not after.status
