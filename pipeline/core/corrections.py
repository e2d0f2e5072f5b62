"""Read and write the decisions of people about starts: `configs/corrections/<id>.yaml`."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from io import StringIO
from pathlib import Path
from typing import Annotated, Any

from filelock import FileLock, Timeout
from pydantic import BeforeValidator, Field, model_validator

from pipeline.core.config import Text
from pipeline.core.errors import LockHeldError
from pipeline.core.project import Project
from pipeline.core.settings_file import StrictModel, load_settings, make_editor, quote_text
from pipeline.core.storage import write_bytes
from pipeline.core.text import same_wording
from pipeline.core.times import format_time, parse_time

# Seconds to wait for another writer; a write takes milliseconds.
PATIENCE_S = 20.0
# The first line of a new corrections file.
HEADER = "# What people decided about this episode's starts. Every re-run follows it; see docs/corrections.md.\n"


class Decision(StrEnum):
    """What a person decided about a feature."""

    MOVED = "moved"
    CONFIRMED = "confirmed"
    NOT_DISCUSSED = "not_discussed"
    END = "end"


def _read_seconds(value: object) -> object:
    """Return the seconds of a clock time such as `1:02:07`, and any other value as it is."""
    return parse_time(value) if isinstance(value, str) and ":" in value else value


Seconds = Annotated[float, BeforeValidator(_read_seconds), Field(ge=0, allow_inf_nan=False, strict=True)]


class Correction(StrictModel):
    """A person's decision about one feature."""

    feature_id: int | None = Field(default=None, ge=1, strict=True, description="the feature's id, where it has one")
    title: Text | None = Field(default=None, description="the feature's title: finds it where the id does not")
    decision: Decision = Field(description="moved, confirmed, not_discussed, or end")
    start: Seconds | None = Field(default=None, description="where its discussion starts: seconds, or 16:36")
    end: Seconds | None = Field(default=None, description="where its discussion ends: seconds, or 18:02")
    who: str = Field(default="", description="who decided")
    when: datetime | date | None = Field(default=None, description="when, as 2026-11-23 or 2026-11-23T10:00:00Z")
    why: str = Field(default="", description="why, in a few words")

    @model_validator(mode="after")
    def _check_parts(self) -> "Correction":
        """Raise ValueError for a decision that names no feature, lacks its time, or contradicts itself."""
        if self.feature_id is None and self.title is None:
            raise ValueError("this correction names no feature: give its `feature_id` or its `title`")
        starts = self.decision in {Decision.MOVED, Decision.CONFIRMED}
        if starts and self.start is None:
            raise ValueError(f"`start` is missing: {self.decision} needs a time")
        if not starts and self.start is not None:
            raise ValueError(f"`start` cannot be combined with {self.decision}: use `decision: moved`")
        if self.decision is Decision.END and self.end is None:
            raise ValueError("`end` is missing: the decision `end` needs a time")
        if self.decision is Decision.NOT_DISCUSSED and self.end is not None:
            raise ValueError("`end` cannot be combined with not_discussed: remove it")
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise ValueError(f"`end` {format_time(self.end)} is not after `start` {format_time(self.start)}")
        return self

    @property
    def name(self) -> str:
        """The feature's id or quoted title, for messages."""
        return f"#{self.feature_id}" if self.feature_id is not None else f'"{self.title}"'


class _CorrectionsFile(StrictModel):
    """The format of `configs/corrections/<id>.yaml`."""

    corrections: Annotated[tuple[Correction, ...], BeforeValidator(lambda value: value or ())] = Field(
        default=(), description="the decisions, one per entry"
    )


def load_corrections(path: Path) -> tuple[Correction, ...]:
    """Return the decisions in a file, in its order; an empty tuple where the file does not exist.

    ConfigError names file, line and field.
    """
    if not path.exists():
        return ()
    if _holds_comments_only(path):
        return ()
    fields = {**_CorrectionsFile.model_fields, **Correction.model_fields}
    return load_settings(path, _CorrectionsFile, fields).corrections


def _holds_comments_only(path: Path) -> bool:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        return False  # load_settings reports the problem
    return all(not line.strip() or line.lstrip().startswith("#") for line in lines)


def save_correction(project: Project, episode_id: str, correction: Correction) -> None:
    """Write one decision into the episode's file; it replaces an earlier one about the same feature.

    Everything else in the file stays, including comments, order, and decisions that other writers save at the same
    time. A start and an end of one feature are kept together. Raises LockHeldError where another writer holds the
    lock for PATIENCE_S, and ConfigError where the file is damaged; nothing is written then.
    """
    if correction.when is None:
        correction = correction.model_copy(update={"when": datetime.now(UTC).replace(microsecond=0)})
    _edit_file(project, episode_id, correction, keep=True)


def withdraw_correction(project: Project, episode_id: str, correction: Correction) -> None:
    """Remove the decision about a feature from the episode's file; do nothing where there is none."""
    _edit_file(project, episode_id, correction, keep=False)


def _edit_file(project: Project, episode_id: str, correction: Correction, *, keep: bool) -> None:
    """Read, change and replace the file under its lock."""
    path, lock = project.corrections(episode_id), project.corrections_lock(episode_id)
    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(lock, timeout=PATIENCE_S):
            known = load_corrections(path)
            before = path.read_text(encoding="utf-8-sig") if path.exists() else HEADER
            editor = make_editor()
            document = editor.load(before) or {}
            # Comments in a file without settings belong to no document: the editor would lose them.
            text = StringIO("" if document or not before else before.rstrip("\n") + "\n")
            text.seek(0, 2)
            document["corrections"] = document.get("corrections") or []
            if not _edit_items(document["corrections"], known, correction, keep=keep):
                return
            editor.dump(document, text)
            write_bytes(path, text.getvalue().encode())
    except Timeout:
        raise LockHeldError(f"{path} has been locked by another writer for {PATIENCE_S:.0f} s: try again") from None


def _edit_items(items: list[Any], known: Sequence[Correction], correction: Correction, *, keep: bool) -> bool:
    """Change the entries of a file, whose decisions are `known`; return False where nothing changes."""
    index = next((number for number, other in enumerate(known) if _is_same_feature(other, correction)), None)
    if not keep:
        if index is not None:
            del items[index]
        return index is not None
    if index is None:
        items.append(_to_yaml(correction))
        return True
    # Field by field: comments inside the entry stay.
    merged = _to_yaml(_merge(known[index], correction))
    for name in [name for name in items[index] if name not in merged]:
        del items[index][name]
    items[index].update(merged)
    return True


def _is_same_feature(left: Correction, right: Correction) -> bool:
    """Return whether two decisions concern one feature: by id, else by wording."""
    if left.feature_id is not None and right.feature_id is not None:
        return left.feature_id == right.feature_id
    return same_wording(left.title, right.title)


def _merge(before: Correction, now: Correction) -> Correction:
    """Return the later decision, completed by the start or end of the earlier one."""
    now = now.model_copy(update={"feature_id": now.feature_id or before.feature_id, "title": now.title or before.title})
    if now.decision is Decision.END and before.start is not None and now.end is not None and now.end > before.start:
        return now.model_copy(update={"decision": before.decision, "start": before.start})
    if now.start is not None and now.end is None and before.end is not None and before.end > now.start:
        return now.model_copy(update={"end": before.end})
    return now


def _to_yaml(correction: Correction) -> dict[str, Any]:
    """Return the fields that are set, for YAML: seconds to the millisecond, text quoted where needed."""
    values = correction.model_dump(exclude_defaults=True)
    for name, value in values.items():
        if isinstance(value, float):
            values[name] = round(value, 3)
        elif isinstance(value, str):
            values[name] = quote_text(value)
    return {**values, "decision": correction.decision.value}
