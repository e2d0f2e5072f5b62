"""A person's review of one episode: what to look at, what was decided, and what a new alignment makes of it.

Decisions go to the corrections file one by one, as they are made, and the way back to a journal beside the project's
records: nothing is kept here that a crash could lose.
"""

from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from pipeline.align.corrections import apply_corrections, match_corrections
from pipeline.core.config import load_episode
from pipeline.core.corrections import Correction, Decision, load_corrections, save_correction, withdraw_correction
from pipeline.core.errors import InputError, PipelineError
from pipeline.core.project import Project
from pipeline.core.schema import Alignment, Feature, Placement, Status
from pipeline.core.serialization import alignment_from_json, features_from_json, transcript_from_json
from pipeline.core.storage import read_record, write_json
from pipeline.core.times import format_time
from pipeline.download.record import AUDIO_RECORD, read_audio
from pipeline.publish.paragraphs import cut_paragraphs
from pipeline.runs.job import RunOptions
from pipeline.runs.reporter import Reporter
from pipeline.runs.workflow import check_episode_exists, run_stages
from pipeline.transcribe.transcriber import WhisperTranscriber

# "Not discussed" that is surer than this needs nobody to listen.
SURE_ABSENCE = 0.9

# Starts nearer than this are one place to a listener, seconds.
SAME_S = 0.05

# Other starts move this far before anybody would notice, seconds.
MOVED_S = 1.0

# So many decisions can be undone.
LONGEST_JOURNAL = 200

# A decision about a feature: what stood in the file before it, and after it.
Step = tuple[Correction | None, Correction | None]


class ConflictError(PipelineError):
    """Somebody else decided about the same feature since it was shown."""


@dataclass
class ReviewSession:
    """One episode under review by one person, `who`; `undoable` are the latest decisions, oldest first."""

    project: Project
    episode_id: str
    who: str = ""
    undoable: list[Step] = field(default_factory=list)

    @classmethod
    def open(cls, project: Project, episode_id: str, who: str = "") -> "ReviewSession":
        """Return a review of an episode that was aligned; InputError where something it needs is missing."""
        check_episode_exists(project, episode_id)
        for path in (
            project.raw(episode_id) / AUDIO_RECORD,
            project.transcript(episode_id),
            project.alignment(episode_id),
        ):
            if not path.is_file():
                raise InputError(f"{path} is not there: run `catalog run {episode_id}` first")
        review = cls(project, episode_id, who, read_journal(project.undo_journal(episode_id)))
        if not review.audio.is_file():
            raise InputError(f"{review.audio} is not there: run `catalog download {episode_id}` first")
        review.describe()
        return review

    @property
    def audio(self) -> Path:
        """The episode's audio."""
        return read_audio(self.project.raw(self.episode_id)).path

    def describe(self) -> dict[str, Any]:
        """Return everything the page shows but the transcript: each feature, where it was placed, what was decided."""
        features, alignment, used = self._read_alignment()
        duration = self._read_duration()
        corrections = load_corrections(self.project.corrections(self.episode_id))
        placed = match_corrections(corrections, features, duration).by_position
        return {
            "title": load_episode(self.project.episode(self.episode_id)).title,
            "duration": duration,
            # What the alignment was made with is not what stands in the file now.
            "stale": [one.model_dump(mode="json") for one in corrections] != used,
            "undo": len(self.undoable),
            "features": [
                self._describe_feature(feature, placement, placed.get(feature.position))
                for feature, placement in zip(features, alignment.placements, strict=True)
            ],
        }

    def read_transcript(self) -> list[dict[str, Any]]:
        """Return the transcript's paragraphs: words, a second for each, and the positions that open with them."""
        _, alignment, _ = self._read_alignment()
        starts = [(one.start, one.position) for one in alignment.placements if one.start is not None]
        transcript = read_record(self.project.transcript(self.episode_id), transcript_from_json)
        return [asdict(paragraph) for paragraph in cut_paragraphs(transcript, starts)]

    def decide(self, position: int, start: float | None, seen: str | None) -> None:
        """Save that a feature starts at `start`, or, where that is None, that it is not discussed.

        `seen` is the decision that the person saw (`signature` of the feature); ConflictError where it is not
        the one in the file any more, InputError where the start lies outside of the episode.
        """
        feature, placement, before = self._find(position)
        if _sign(before) != seen:
            raise ConflictError(f"somebody else just decided about {feature.title!r}: look again, then decide")
        duration = self._read_duration()
        if start is not None and not 0 <= start <= duration:
            raise InputError(f"a start lies between 0:00 and {format_time(duration)}, the end of the episode")
        if start is None:
            now = self._correct(feature, Decision.NOT_DISCUSSED, None)
        else:
            kept = placement.start is not None and abs(placement.start - start) <= SAME_S
            now = self._correct(feature, Decision.CONFIRMED if kept else Decision.MOVED, round(start, 3))
        save_correction(self.project, self.episode_id, now)
        self._keep_step(before, self._find(position)[2])

    def withdraw(self, position: int, seen: str | None) -> None:
        """Take the decision about a feature back, whoever made it; ConflictError as in `decide`."""
        feature, _, before = self._find(position)
        if _sign(before) != seen:
            raise ConflictError(f"somebody else just decided about {feature.title!r}: look again, then decide")
        if before is not None:
            withdraw_correction(self.project, self.episode_id, before)
            self._keep_step(before, None)

    def undo(self) -> int | None:
        """Make the file say what it said before the last decision that still stands; return the position concerned."""
        while self.undoable:
            before, now = self.undoable.pop()
            about = now or before
            standing = self._find_standing(about) if about else None
            if about is not None and standing is not None and _sign(standing[1]) == _sign(now):
                if before is not None:
                    save_correction(self.project, self.episode_id, before)
                else:
                    withdraw_correction(self.project, self.episode_id, about)
                self._write_journal()
                return standing[0]
        self._write_journal()
        return None

    def _find_standing(self, about: Correction) -> tuple[int, Correction | None] | None:
        """The position of the entry that a decision is about, and what stands about it now; None where it is gone."""
        features, _, _ = self._read_alignment()
        position = next(iter(match_corrections([about], features).by_position), None)
        return None if position is None else (position, self._find(position)[2])

    def _keep_step(self, before: Correction | None, now: Correction | None) -> None:
        self.undoable = [*self.undoable, (before, now)][-LONGEST_JOURNAL:]
        self._write_journal()

    def _write_journal(self) -> None:
        steps = [[one and one.model_dump(mode="json") for one in step] for step in self.undoable]
        write_json(self.project.undo_journal(self.episode_id), {"steps": steps})

    def finish(self) -> dict[str, Any]:
        """Align and publish again with what was decided; return what moved besides, and what was warned of.

        PipelineError where a stage fails; every decision stays.
        """
        features, before, _ = self._read_alignment()
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
        listed, after, _ = self._read_alignment()
        warnings = self._list_unused_corrections(listed, after)
        if listed != features:
            return {"moved": [], "warnings": [*warnings, "the feature list was changed meanwhile: look again"]}
        decided = {feature["position"] for feature in self.describe()["features"] if feature["decision"]}
        moved = [
            {"position": new.position, "title": feature.title, "before": _place(old), "after": _place(new)}
            for feature, old, new in zip(features, before.placements, after.placements, strict=True)
            if new.position not in decided and _has_moved(old, new)
        ]
        return {"moved": moved, "warnings": warnings}

    def _list_unused_corrections(self, features: tuple[Feature, ...], alignment: Alignment) -> list[str]:
        """Return a line for each correction that is kept but not used."""
        corrections = load_corrections(self.project.corrections(self.episode_id))
        duration = read_record(self.project.transcript(self.episode_id), transcript_from_json).duration
        _, unused = apply_corrections(alignment, match_corrections(corrections, features, duration))
        return [correction.describe() for correction in unused]

    def _read_alignment(self) -> tuple[tuple[Feature, ...], Alignment, list[Any]]:
        return read_record(
            self.project.alignment(self.episode_id),
            lambda record: (
                features_from_json(record["features"]),
                alignment_from_json(record["placements"]),
                record.get("corrections", []),
            ),
        )

    def _read_duration(self) -> float:
        """The audio's length in seconds."""
        return read_audio(self.project.raw(self.episode_id)).duration

    def _find(self, position: int) -> tuple[Feature, Placement, Correction | None]:
        """A feature, its placement, and what was decided about it."""
        features, alignment, _ = self._read_alignment()
        placed = match_corrections(load_corrections(self.project.corrections(self.episode_id)), features).by_position
        for feature, placement in zip(features, alignment.placements, strict=True):
            if feature.position == position:
                return feature, placement, placed.get(position)
        raise InputError(f"the list has no entry {position}: reload the page")

    def _correct(self, feature: Feature, decision: Decision, start: float | None) -> Correction:
        features, _, _ = self._read_alignment()
        # Where a list names an id twice, only the wording tells its entries apart.
        unique = Counter(one.feature_id for one in features)[feature.feature_id] == 1
        feature_id = feature.feature_id if unique else None
        return Correction(feature_id=feature_id, title=feature.title, decision=decision, start=start, who=self.who)

    def _describe_feature(self, feature: Feature, placement: Placement, decided: Correction | None) -> dict[str, Any]:
        unsure = placement.status is Status.REVIEW or (
            placement.status is Status.NOT_FOUND and placement.confidence < SURE_ABSENCE
        )
        return {
            **asdict(feature),
            **asdict(placement),
            "needs_person": unsure and decided is None,
            "decision": decided.model_dump(mode="json") if decided else None,
            "signature": _sign(decided),
        }


def read_journal(path: Path) -> list[Step]:
    """Return the decisions of earlier reviews; none where the journal is missing or damaged."""

    def parse(record: dict[str, Any]) -> list[Step]:
        before_and_after = TypeAdapter(list[Step])
        return before_and_after.validate_python(record["steps"])

    try:
        return read_record(path, parse) if path.exists() else []
    except InputError:
        return []


def _sign(decided: Correction | None) -> str | None:
    """What tells one decision from another."""
    return decided.model_dump_json() if decided else None


def _place(placement: Placement) -> dict[str, Any]:
    return {"start": placement.start, "status": placement.status.value}


def _has_moved(old: Placement, new: Placement) -> bool:
    """Whether a listener would notice: another place, or found where it was not, or surer than it was."""
    if old.start is None or new.start is None:
        return (old.start is None) != (new.start is None)
    return abs(old.start - new.start) >= MOVED_S or old.status is not new.status
