"""The review of one episode: which starts to check, decisions about them, undo, and a new alignment.

Every decision goes to the corrections file at once, and its undo step to a journal in the project. A crash loses
nothing.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.align.corrections import apply_corrections
from pipeline.core.config import load_episode
from pipeline.core.corrections import (
    Correction,
    CorrectionsFile,
    Decision,
    check_times,
    complete,
    edit_corrections,
    find_decision,
    load_corrections,
)
from pipeline.core.errors import InputError, PipelineError
from pipeline.core.identity import name_features
from pipeline.core.project import Project
from pipeline.core.schema import Feature, Placement, Status, Transcript
from pipeline.core.serialization import alignment_from_json, features_from_json, transcript_from_json
from pipeline.core.storage import read_record
from pipeline.download.record import AUDIO_RECORD, Audio, read_audio
from pipeline.publish.paragraphs import cut_paragraphs
from pipeline.review.journal import Step, read_steps, sign_steps, write_steps
from pipeline.review.view import AlignmentFile, ConflictError, Entry, View, digest
from pipeline.runs.decisions import match_decisions, read_titles
from pipeline.runs.job import RunOptions
from pipeline.runs.reporter import Reporter
from pipeline.runs.stages.base import RELEASES
from pipeline.runs.workflow import check_episode_exists, run_stages
from pipeline.transcribe.transcriber import WhisperTranscriber

# Starts nearer than this, seconds, are the same start: confirming one does not move it.
SAME_START_S = 0.05

# Smallest move of a start, seconds, that is reported after a new alignment.
MIN_MOVE_S = 1.0


@dataclass
class ReviewSession:
    """The review of one episode by one person, whose name is `who`."""

    project: Project
    episode_id: str
    who: str

    @classmethod
    def open(cls, project: Project, episode_id: str, who: str = "") -> "ReviewSession":
        """Return a session for an aligned episode; InputError if a file that it needs is missing or damaged."""
        check_episode_exists(project, episode_id)
        if load_episode(project.episode(episode_id)).source is None:
            raise InputError(
                f"{episode_id} has a transcript only, and no audio to listen to",
                "name its `source` in the settings, or write its corrections by hand",
            )
        for path in (
            project.raw(episode_id) / AUDIO_RECORD,
            project.transcript(episode_id),
            project.alignment(episode_id),
        ):
            if not path.is_file():
                raise InputError(f"{path} does not exist", f"run `catalog run {episode_id}` first")
        session = cls(project, episode_id, who)
        if not session.audio.is_file():
            raise InputError(f"{session.audio} does not exist", f"run `catalog download {episode_id}` first")
        # Damaged files are reported here instead of on the page.
        session.read_state()
        return session

    @property
    def audio(self) -> Path:
        """The episode's audio file."""
        return self._read_audio().path

    @property
    def journal(self) -> Path:
        """The file of the undo steps."""
        return self.project.undo_journal(self.episode_id)

    def read_state(self) -> dict[str, Any]:
        """Return all that the page shows except the transcript.

        The keys are `title`, `duration` (seconds), `stale` (whether the corrections have changed since the alignment),
        `undo` (number of steps), `undo_signature`, `statuses` (labels), `features`, and `unmatched`: the corrections
        that no feature fits.
        """
        view, steps = self._read_view(), read_steps(self.journal)
        return {
            "title": load_episode(self.project.episode(self.episode_id)).title,
            "duration": self._read_audio().duration,
            "stale": [correction.model_dump(mode="json") for correction in view.corrections] != view.file.corrections,
            "undo": len(steps),
            "undo_signature": sign_steps(steps),
            "statuses": {status.value: status.label for status in Status},
            "features": [{**entry.to_json(), "signature": view.sign(entry)} for entry in view.entries],
            "unmatched": [
                {
                    **unused.correction.model_dump(mode="json"),
                    "name": unused.correction.name,
                    "reason": unused.reason,
                    "signature": digest(unused.correction.model_dump_json()),
                }
                for unused in view.matches.unmatched
            ],
        }

    def read_paragraphs(self) -> list[dict[str, Any]]:
        """Return the transcript's paragraphs, each with its words, their starts, and the features that it opens."""
        placements = self._read_alignment().alignment.placements
        starts = [(placement.start, placement.position) for placement in placements if placement.start is not None]
        return [asdict(paragraph) for paragraph in cut_paragraphs(self._read_transcript(), starts)]

    def decide(self, position: int, start: float | None, seen: str | None) -> None:
        """Save that a feature starts at `start` seconds, or with None that it is not discussed.

        `seen` is the `signature` of the feature on the page. ConflictError if the list, the alignment or the correction
        has changed since, InputError if the start lies outside of the audio or the list cannot tell two entries apart.
        """
        check_times(start, None, self._read_audio().duration)
        with edit_corrections(self.project, self.episode_id) as file:
            view = self._view(file.corrections)
            entry = view.find(position, seen)
            correction = complete(self._make_correction(entry, start), entry.correction)
            self._save(view, file, entry, correction)

    def withdraw(self, position: int, seen: str | None) -> None:
        """Remove the correction about a feature, by any author; ConflictError as in `decide`."""
        with edit_corrections(self.project, self.episode_id) as file:
            view = self._view(file.corrections)
            index = view.index(view.find(position, seen).correction)
            if index is not None:
                step = Step(file.corrections[index], None, *file.read_lines(index))
                self._write(file.remove(index), step)

    def attach(self, signature: str, position: int, seen: str | None) -> None:
        """Give a correction that no feature fits to the feature at a position; who decided what and when stays.

        `signature` is that of the correction, `seen` that of the feature. ConflictError if one of them has changed,
        InputError if the feature has a correction already.
        """
        with edit_corrections(self.project, self.episode_id) as file:
            view = self._view(file.corrections)
            entry = view.find(position, seen)
            lost = [unused.correction for unused in view.matches.unmatched]
            known = next((correction for correction in lost if digest(correction.model_dump_json()) == signature), None)
            if known is None:
                raise ConflictError("this decision was changed or found its feature", "look again")
            if entry.correction is not None:
                raise InputError(f"{entry.feature.title!r} has a decision already", "withdraw that one first")
            named = known.model_copy(update={"feature_key": None, **_name(entry.feature)})
            self._save(view, file, entry, named, view.index(known))

    def undo(self, seen: str | None = None) -> int | None:
        """Undo the latest decision that is still in the file; return the position of its feature, None if none is.

        The file is then as it was before, to the letter. Decisions that somebody else has changed since are dropped
        from the journal. `seen` is the `undo_signature` of the page: ConflictError if there are other steps now.
        """
        with edit_corrections(self.project, self.episode_id) as file:
            steps = read_steps(self.journal)
            if seen is not None and seen != sign_steps(steps):
                raise ConflictError("somebody else has just decided", "look at it, then undo again")
            while steps:
                step = steps.pop()
                reverted = self._revert(file, step)
                if reverted is not None:
                    write_steps(self.journal, steps)
                    reverted.save()
                    return self._view(reverted.corrections).position_of(step.before) or self._view(
                        file.corrections
                    ).position_of(step.after)
            write_steps(self.journal, steps)
        return None

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

    def _revert(self, file: CorrectionsFile, step: Step) -> CorrectionsFile | None:
        """Return the file as it was before a step; None if the step no longer stands."""
        if step.after is None:
            names = name_features(self._read_alignment().features)
            if step.before is None or find_decision(file.corrections, step.before, names) is not None:
                return None
            return file.restore(step.before, None, step.lines, step.line)
        if step.after not in file.corrections:
            return None
        index = file.corrections.index(step.after)
        return file.remove(index) if step.before is None else file.restore(step.before, index, step.lines)

    def _save(
        self, view: View, file: CorrectionsFile, entry: Entry, correction: Correction, index: int | None = None
    ) -> None:
        """Save the correction of an entry in the place of that at `index` or its earlier one, and the undo step.

        InputError if the correction would not be found again, or another one would be taken from its entry.
        """
        index = view.index(entry.correction) if index is None else index
        changed = file.put(correction, index)
        position = entry.feature.position
        before, after = view.matches.by_position, self._view(changed.corrections).matches.by_position
        if after != {**before, position: correction}:
            raise InputError(
                f"the list cannot tell {entry.feature.title!r} from another entry", "give one of them an id there"
            )
        known = None if index is None else file.corrections[index]
        lines = () if index is None else file.read_lines(index)
        self._write(changed, Step(known, changed.corrections[-1 if index is None else index], *lines))

    def _write(self, changed: CorrectionsFile, step: Step) -> None:
        # The journal first: a step whose decision never reached the file is skipped by undo.
        write_steps(self.journal, [*read_steps(self.journal), step])
        changed.save()

    def _list_moved(self, old: AlignmentFile, new: AlignmentFile) -> list[dict[str, Any]]:
        """Return the features without a correction whose placement differs noticeably."""
        decided = {entry.feature.position for entry in self._read_view().entries if entry.correction}
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

    def _list_unused_corrections(self, file: AlignmentFile) -> list[str]:
        """Return a line for each correction that is kept but not used, or used for an entry of another wording."""
        matches = self._read_view().matches
        _, unused = apply_corrections(file.alignment, matches)
        return [*matches.reworded, *(correction.describe() for correction in unused)]

    def _make_correction(self, entry: Entry, start: float | None) -> Correction:
        if start is None:
            decision = Decision.NOT_DISCUSSED
        else:
            kept = entry.placement.start is not None and abs(entry.placement.start - start) <= SAME_START_S
            decision = Decision.CONFIRMED if kept else Decision.MOVED
        feature, seconds = entry.feature, None if start is None else round(start, 3)
        return Correction(**_name(feature), decision=decision, start=seconds, who=self.who)

    def _read_view(self) -> View:
        return self._view(load_corrections(self.project.corrections(self.episode_id)))

    def _view(self, corrections: tuple[Correction, ...]) -> View:
        file, duration = self._read_alignment(), self._read_audio().duration
        matches = match_decisions(self.project, self.episode_id, corrections, file.features, duration, file.titles)
        return View(file, corrections, matches)

    def _read_alignment(self) -> AlignmentFile:
        return read_record(
            self.project.alignment(self.episode_id),
            lambda record: AlignmentFile(
                features_from_json(record["features"]),
                alignment_from_json(record["placements"]),
                record.get("corrections", []),
                read_titles(record),
                RELEASES in record,
            ),
        )

    def _read_transcript(self) -> Transcript:
        return read_record(self.project.transcript(self.episode_id), transcript_from_json)

    def _read_audio(self) -> Audio:
        return read_audio(self.project.raw(self.episode_id))


def _name(feature: Feature) -> dict[str, Any]:
    """Return the fields by which a correction names a feature."""
    key = {"feature_key": feature.feature_key} if feature.feature_id is None else {}
    return {"feature_id": feature.feature_id, "title": feature.title, **key}


def _has_moved(before: Placement, after: Placement) -> bool:
    """Return whether a placement moved by MIN_MOVE_S, changed its status, or was found or lost."""
    if before.start is None or after.start is None:
        return (before.start is None) != (after.start is None)
    return abs(before.start - after.start) >= MIN_MOVE_S or before.status is not after.status
