"""Read and write the decisions of people about starts: `configs/corrections/<id>.yaml`."""

import codecs
import math
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from filelock import FileLock, Timeout
from pydantic import BeforeValidator, Field, model_validator

from pipeline.core.config import Text
from pipeline.core.corrections_text import (
    UneditableError,
    add_item,
    change_item,
    find_line,
    insert_lines,
    read_item,
    remove_item,
    replace_item,
)
from pipeline.core.errors import ConfigError, InputError, LockHeldError
from pipeline.core.identity import Name, match_names, name_features, same_name
from pipeline.core.project import Project
from pipeline.core.serialization import features_from_json
from pipeline.core.settings_file import StrictModel, decode_settings, parse_settings, quote_text
from pipeline.core.storage import read_record, replace_file
from pipeline.core.text import normalize_key
from pipeline.core.times import format_time, parse_time

# Seconds to wait for another writer; a write takes milliseconds.
PATIENCE_S = 20.0
# The advice for a file that cannot be reached.
_UNREACHABLE = "bring it back, or remove the link; until then this episode stays as it is"
# The first line of a new corrections file.
HEADER = "# What people decided about this episode's starts. Every re-run follows it; see docs/corrections.md.\n"
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


class Decision(StrEnum):
    """What a person decided about a feature."""

    MOVED = "moved"
    CONFIRMED = "confirmed"
    NOT_DISCUSSED = "not_discussed"
    END = "end"


def _read_seconds(value: object) -> object:
    """Return the seconds of a clock time such as `1:02:07`, and any other value as it is."""
    return parse_time(value) if isinstance(value, str) and ":" in value else value


def _read_day(value: object) -> object:
    """Return the day of a text such as `2026-11-23`, and any other value as it is: a day is no midnight."""
    if isinstance(value, str) and _DAY.fullmatch(value.strip()):
        return date.fromisoformat(value.strip())
    return value


Day = Annotated[datetime | date, BeforeValidator(_read_day)]
Seconds = Annotated[float, BeforeValidator(_read_seconds), Field(ge=0, allow_inf_nan=False, strict=True)]


class Correction(StrictModel):
    """A person's decision about one feature."""

    feature_id: int | None = Field(default=None, ge=1, strict=True, description="the feature's id, where it has one")
    feature_key: Text | None = Field(default=None, description="the id as published, where it is no number: PROJ-1234")
    title: Text | None = Field(default=None, description="the feature's title: finds it where the id does not")
    decision: Decision = Field(description="moved, confirmed, not_discussed, or end")
    start: Seconds | None = Field(default=None, description="where its discussion starts: seconds, or 16:36")
    end: Seconds | None = Field(default=None, description="where its discussion ends: seconds, or 18:02")
    who: str = Field(default="", description="who decided")
    when: Day | None = Field(default=None, description="when, as 2026-11-23 or 2026-11-23T10:00:00Z")
    why: str = Field(default="", description="why, in a few words")

    @model_validator(mode="after")
    def _check_parts(self) -> "Correction":
        """Raise ValueError for a decision that names no feature, lacks its time, or contradicts itself."""
        if self.feature_id is None and self.feature_key is None and self.title is None:
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
        if self.feature_id is not None:
            return f"#{self.feature_id}"
        return self.feature_key or f'"{self.title}"'

    @property
    def identity(self) -> Name:
        """What the decision says of its entry's identity."""
        return Name(normalize_key(self.feature_key, self.feature_id), self.title)


class _CorrectionsFile(StrictModel):
    """The format of `configs/corrections/<id>.yaml`."""

    corrections: Annotated[tuple[Correction, ...], BeforeValidator(lambda value: value or ())] = Field(
        default=(), description="the decisions, one per entry"
    )


def load_corrections(path: Path) -> tuple[Correction, ...]:
    """Return the decisions in a file, in its order; an empty tuple where the file does not exist.

    ConfigError names file, line and field. InputError where the file cannot be reached, as on a share that is gone.
    """
    return _parse(_read(path), path) if has_corrections(path) else ()


def has_corrections(path: Path) -> bool:
    """Tell whether a corrections file exists; InputError where that cannot be told, or it is no file.

    A link that leads nowhere, or a share that does not answer, is no proof that nobody decided anything.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        broken = next((place for place in (path, *path.parents[:3]) if place.is_symlink() and not place.exists()), None)
        if broken is None:
            return False
        raise InputError(f"the corrections {path} cannot be reached: {broken} leads nowhere", _UNREACHABLE) from None
    except OSError as error:
        raise InputError(f"the corrections {path} cannot be reached ({error.strerror})", _UNREACHABLE) from error
    if not stat.S_ISREG(mode):
        raise InputError(f"the corrections {path} are no file", "rename what is there")
    return True


def _read(path: Path) -> str:
    try:
        return decode_settings(path.read_bytes(), path)
    except OSError as error:
        raise InputError(f"the corrections {path} cannot be read ({error.strerror})", _UNREACHABLE) from error


def _parse(text: str, path: Path) -> tuple[Correction, ...]:
    if all(not line.strip() or line.lstrip().startswith("#") for line in text.splitlines()):
        return ()
    fields = {**_CorrectionsFile.model_fields, **Correction.model_fields}
    return parse_settings(text, path, _CorrectionsFile, fields).corrections


@dataclass(frozen=True, slots=True)
class CorrectionsFile:
    """A corrections file whose lock is held; the methods return it with one change, which `save` writes.

    InputError names the line where a change would damage something that people wrote.
    """

    path: Path
    text: str
    corrections: tuple[Correction, ...]

    def put(self, correction: Correction, index: int | None = None) -> "CorrectionsFile":
        """Return the file with the decision at `index` replaced, or with one more decision."""
        values = _to_yaml(correction)
        if index is None:
            return self._checked(lambda: add_item(self.text, values), (*self.corrections, correction))
        before = _to_yaml(self.corrections[index])
        expected = (*self.corrections[:index], correction, *self.corrections[index + 1 :])
        return self._checked(lambda: change_item(self.text, index, before, values), expected)

    def remove(self, index: int) -> "CorrectionsFile":
        """Return the file without the decision at `index`."""
        expected = (*self.corrections[:index], *self.corrections[index + 1 :])
        return self._checked(lambda: remove_item(self.text, index), expected)

    def read_lines(self, index: int) -> tuple[str | None, int | None]:
        """Return the lines of the decision at `index` and the number of the first, for `restore`; None in brackets."""
        return read_item(self.text, index), find_line(self.text, index)

    def restore(
        self, correction: Correction, index: int | None, lines: str | None, line: int | None = None
    ) -> "CorrectionsFile":
        """Return the file with an earlier decision in the place of that at `index`, or inserted again.

        `lines` and `line` are what `read_lines` returned: then every character of them is as it was.
        """
        if lines is None or (index is None and line is None):
            return self.put(correction, index)
        if index is None:
            text, at = insert_lines(self.text, lines, line or 0)
            return self._checked(lambda: text, (*self.corrections[:at], correction, *self.corrections[at:]))
        expected = (*self.corrections[:index], correction, *self.corrections[index + 1 :])
        return self._checked(lambda: replace_item(self.text, index, lines), expected)

    def save(self) -> None:
        """Replace the file: a link stays a link, owner, mode, line ends and byte order mark stay as they are."""
        old = self.path.read_bytes() if has_corrections(self.path) else b""
        text = self.text
        if b"\r\n" in old and old.count(b"\r\n") == old.count(b"\n"):
            text = text.replace("\n", "\r\n")
        mark = codecs.BOM_UTF8 if old.startswith(codecs.BOM_UTF8) else b""
        replace_file(self.path, mark + text.encode())

    def _checked(self, change: Callable[[], str], expected: tuple[Correction, ...]) -> "CorrectionsFile":
        """Return the changed file, read back: exactly the expected decisions, or an error that names the line."""
        try:
            text = change()
            content = decode_settings(text.encode(), self.path)
            if [_to_yaml(known) for known in _parse(content, self.path)] == [_to_yaml(known) for known in expected]:
                return CorrectionsFile(self.path, text, expected)
        except UneditableError as error:
            raise InputError(f"{self.path} {error.problem}", error.advice) from error
        except ConfigError as error:
            raise InputError(f"the decision is not saved: with it {error.problem}", "shorten the file") from error
        raise InputError(f"{self.path} cannot take this decision without a change of others", "write it there by hand")


@contextmanager
def edit_corrections(project: Project, episode_id: str) -> Iterator[CorrectionsFile]:
    """Yield the episode's corrections file while its lock is held: nobody else writes it meanwhile.

    LockHeldError where another writer holds the lock for PATIENCE_S, ConfigError where the file is damaged.
    """
    path, lock = project.corrections(episode_id), project.corrections_lock(episode_id)
    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(lock, timeout=PATIENCE_S):
            text = _read(path) if has_corrections(path) else HEADER
            yield CorrectionsFile(path, text, _parse(text, path))
    except Timeout:
        raise LockHeldError(f"{path} has been locked by another writer for {PATIENCE_S:.0f} s: try again") from None


def save_correction(project: Project, episode_id: str, correction: Correction) -> None:
    """Write one decision into the episode's file; it replaces an earlier one about the same feature.

    Everything else in the file stays, including comments, order, and decisions that other writers save at the same
    time. A start and an end of one feature are kept together. Raises LockHeldError where another writer holds the
    lock for PATIENCE_S, ConfigError where the file is damaged, and InputError where a time lies outside of the audio
    or the file cannot be changed without damage; nothing is written then.
    """
    check_times(correction.start, correction.end, _read_duration(project, episode_id))
    with edit_corrections(project, episode_id) as file:
        index = find_decision(file.corrections, correction, _read_list(project, episode_id))
        file.put(complete(correction, None if index is None else file.corrections[index]), index).save()


def withdraw_correction(project: Project, episode_id: str, correction: Correction) -> None:
    """Remove the decision about a feature from the episode's file; do nothing where there is none."""
    with edit_corrections(project, episode_id) as file:
        index = find_decision(file.corrections, correction, _read_list(project, episode_id))
        if index is not None:
            file.remove(index).save()


def check_times(start: float | None, end: float | None, duration: float | None) -> None:
    """Raise InputError where a start or an end lies outside of the audio; `duration` is in seconds, None if unknown."""
    for name, seconds in (("start", start), ("end", end)):
        # NaN fails this comparison as well. People write whole seconds: the last one counts.
        if seconds is not None and duration is not None and not 0 <= seconds <= math.ceil(duration):
            limit = format_time(duration)
            raise InputError(f"the {name} must lie between 0:00 and {limit}, the end of the episode")


def find_decision(known: Sequence[Correction], correction: Correction, entries: Sequence[Name] = ()) -> int | None:
    """Return which of the known decisions is about the same entry; None where none is.

    With the entries of the list, that is the decision whose entry is the same one; else it is told by the names.
    """
    (wanted,) = match_names([correction.identity], entries) if entries else (None,)
    if wanted is not None and wanted.index is not None:
        matches = match_names([other.identity for other in known], entries)
        found = next((number for number, match in enumerate(matches) if match.index == wanted.index), None)
        if found is not None:
            return found
    return next(
        (number for number, other in enumerate(known) if same_name(other.identity, correction.identity, not entries)),
        None,
    )


def complete(now: Correction, before: Correction | None) -> Correction:
    """Return a later decision with its time, completed by the name, the start or the end of the earlier one."""
    if now.when is None:
        now = now.model_copy(update={"when": datetime.now(UTC).replace(microsecond=0)})
    if before is None:
        return now
    names = ("feature_id", "feature_key", "title")
    now = now.model_copy(update={name: getattr(now, name) or getattr(before, name) for name in names})
    if now.decision is Decision.END and before.start is not None and now.end is not None and now.end > before.start:
        return now.model_copy(update={"decision": before.decision, "start": before.start})
    if now.start is not None and now.end is None and before.end is not None and before.end > now.start:
        return now.model_copy(update={"end": before.end})
    return now


def _read_list(project: Project, episode_id: str) -> tuple[Name, ...]:
    """The entries of the list that was aligned last; none where there is no alignment."""
    path = project.alignment(episode_id)
    with suppress(InputError):
        if path.is_file():
            return read_record(path, lambda record: name_features(features_from_json(record["features"])))
    return ()


def _read_duration(project: Project, episode_id: str) -> float | None:
    """The seconds of the episode's audio; None where it was not downloaded."""
    path = project.raw(episode_id) / "audio.json"
    with suppress(InputError):
        if path.is_file():
            return read_record(path, lambda record: float(record["duration"]))
    return None


def _to_yaml(correction: Correction) -> dict[str, Any]:
    """Return the fields that are set, for YAML: seconds to the millisecond, text quoted where needed."""
    values = correction.model_dump(exclude_defaults=True)
    for name, value in values.items():
        if isinstance(value, float):
            values[name] = round(value, 3)
        elif isinstance(value, str):
            values[name] = quote_text(value)
    return {**values, "decision": correction.decision.value}
