"""Decide what must run again: a record of what each stage read and wrote, kept in one JSON file.

A stage is up to date when its inputs equal those of its last successful run and its outputs are still the files that it
wrote. Inputs are named strings (digests, options, versions), so that a difference can be reported in words.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.core.errors import InputError
from pipeline.core.storage import read_json, sha256_of, write_json

# Longer values, such as digests, are not printed in a reason; in characters.
LONGEST_SHOWN_VALUE = 40

# Nanoseconds within which two changes of a file may get one time: where the file system counts whole seconds (FAT: two
# seconds), and where it counts ticks of the kernel.
SECONDS_GRAIN_NS = 2_000_000_000
FINE_GRAIN_NS = 20_000_000


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a stage must run, in words; `changed` names the input that changed, empty for any other reason."""

    text: str
    changed: str = ""


@dataclass(frozen=True, slots=True)
class StageRecord:
    """What a stage read and wrote when it last succeeded.

    `inputs` are named strings; `outputs` maps paths relative to the root to SHA-256 digests.
    """

    inputs: Mapping[str, str]
    outputs: Mapping[str, str]

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "StageRecord":
        """Return the record that `to_json` wrote; KeyError, TypeError or ValueError for any other value."""
        inputs, outputs = value["inputs"], value["outputs"]
        if not isinstance(inputs, dict) or not isinstance(outputs, dict):
            raise TypeError("a stage's inputs and outputs are objects")
        return cls(inputs, outputs)

    def to_json(self) -> dict[str, Any]:
        """Return the record as a JSON object."""
        return {"inputs": dict(self.inputs), "outputs": dict(self.outputs)}


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A file's size in bytes, its timestamps in nanoseconds, and the SHA-256 of its content at that time.

    No program can set `changed_ns` (ctime): it reveals a change of the content under the old `modified_ns` (mtime).
    """

    size: int
    modified_ns: int
    changed_ns: int | None
    sha256: str

    @classmethod
    def from_json(cls, value: list[Any]) -> "Fingerprint":
        """Return the fingerprint that `to_json` wrote; TypeError or ValueError for any other value."""
        if not isinstance(value, list) or len(value) not in {3, 4}:
            raise ValueError("a fingerprint has three or four values")
        # Early versions did not record the time of the last change of the inode.
        return cls(value[0], value[1], value[2] if len(value) == 4 else None, str(value[-1]))

    def to_json(self) -> list[Any]:
        """Return the fingerprint as a JSON list."""
        changed = [] if self.changed_ns is None else [self.changed_ns]
        return [self.size, self.modified_ns, *changed, self.sha256]


@dataclass
class StateFile:
    """The records of an episode's stages, or of the shared files, and the fingerprints of the files they read."""

    path: Path
    root: Path
    _records: dict[str, StageRecord] = field(default_factory=dict)
    _fingerprints: dict[str, Fingerprint] = field(default_factory=dict)
    _unsaved: bool = False

    @classmethod
    def load(cls, path: Path, root: Path) -> "StateFile":
        """Return the state at `path`, whose file names are relative to `root`.

        A missing or damaged file gives an empty state, so that every stage runs again. PermissionError where the file
        may not be read: transcribing everything again would not help.
        """
        try:
            value = read_json(path) if path.exists() else {}
            records = {name: StageRecord.from_json(record) for name, record in value["stages"].items()}
            # Version 0.1.0 called the fingerprints `stamps`.
            fingerprints = value["fingerprints"] if "fingerprints" in value else value["stamps"]
            return cls(
                path, root, records, {name: Fingerprint.from_json(fields) for name, fields in fingerprints.items()}
            )
        except InputError as error:
            if isinstance(error.__cause__, PermissionError):
                raise error.__cause__ from None
        except (AttributeError, KeyError, TypeError, ValueError):
            pass
        return cls(path, root)

    @property
    def stages(self) -> tuple[str, ...]:
        """The names of the stages that have succeeded once."""
        return tuple(self._records)

    def recorded_inputs(self, stage: str) -> dict[str, str] | None:
        """Return the inputs of a stage's last success; None where there is none."""
        return dict(self._records[stage].inputs) if stage in self._records else None

    def recorded_outputs(self, stage: str) -> dict[Path, str]:
        """Return the digest of each output of a stage's last success, by its path; empty where there is none."""
        outputs = self._records[stage].outputs if stage in self._records else {}
        return {self.root / name: digest for name, digest in outputs.items()}

    def digest(self, path: Path, read: Callable[[Path], str] | None = None) -> str:
        """Return a file's SHA-256; the file is read only if its size or a time of change differs from the last time.

        A file that changed within the clock's grain before it was read may change again without another time: it is
        read again the next time. `read` computes the digest in place of `sha256_of`.
        """
        name, status, now = self._name(path), path.stat(), time.time_ns()
        known = self._fingerprints.get(name)
        unchanged = known is not None and (known.size, known.modified_ns) == (status.st_size, status.st_mtime_ns)
        # Audio is a hard link to its source, and each further link changes the ctime of all of them.
        if known is None or not unchanged or (status.st_nlink == 1 and known.changed_ns != status.st_ctime_ns):
            known = Fingerprint(status.st_size, status.st_mtime_ns, status.st_ctime_ns, (read or sha256_of)(path))
            if now - max(status.st_mtime_ns, status.st_ctime_ns) > _grain_ns(status):
                self._fingerprints[name] = known
            else:
                self._fingerprints.pop(name, None)
            self._unsaved = True
        return known.sha256

    def find_reason(self, stage: str, inputs: Mapping[str, str], outputs: Sequence[Path]) -> str | None:
        """Return the first reason why a stage must run, in words; None where it is up to date."""
        return next((reason.text for reason in self.find_reasons(stage, inputs, outputs)), None)

    def find_reasons(self, stage: str, inputs: Mapping[str, str], outputs: Sequence[Path]) -> Iterator[Reason]:
        """Yield every reason why a stage must run: none where it is up to date.

        Outputs are compared only where the inputs are equal: other inputs lead to other files.
        """
        record = self._records.get(stage)
        if record is None:
            yield Reason("not done yet")
            return
        names = [*inputs, *sorted(set(record.inputs) - set(inputs))]
        changes = [(name, record.inputs.get(name), inputs.get(name)) for name in names]
        if any(before != now for _, before, now in changes):
            yield from (
                Reason(_describe_change(name, before, now), changed=name)
                for name, before, now in changes
                if before != now
            )
            return
        for path in outputs:
            name = self._name(path)
            if not path.is_file():
                yield Reason(f"{name} is missing")
            elif self.digest(path) != record.outputs.get(name):
                yield Reason(f"{name} was changed from outside")
        # Some outputs, such as the latest state of a history, are found by listing a folder: once gone, they are not
        # among `outputs`.
        others = set(record.outputs) - {self._name(path) for path in outputs}
        yield from (Reason(f"{name} is missing") for name in sorted(others) if not (self.root / name).is_file())

    def record(self, stage: str, inputs: Mapping[str, str], outputs: Sequence[Path]) -> None:
        """Write the inputs and outputs of a stage that succeeded to the state file."""
        former = self._records[stage].outputs if stage in self._records else {}
        written = {self._name(path): self.digest(path) for path in outputs}
        self._records[stage] = StageRecord(dict(inputs), written)
        # Outputs of other names replace the former ones with each edit of a list: without this the file would grow.
        for name in former.keys() - written.keys():
            self._fingerprints.pop(name, None)
        self._save()

    def remember(self, name: str, values: Mapping[str, str]) -> None:
        """Keep what was computed from an input under a name; it is on disk after the next `save_fingerprints`."""
        if self.recorded_inputs(name) != values:
            self._records[name] = StageRecord(dict(values), {})
            self._unsaved = True

    def convert_inputs(self, stage: str, convert: Callable[[Mapping[str, str]], Mapping[str, str]]) -> None:
        """Replace the recorded inputs of a stage by `convert(inputs)`: the migration of an older version's record."""
        if (record := self._records.get(stage)) is None:
            return
        converted = convert(record.inputs)
        if converted != record.inputs:
            self._records[stage] = StageRecord(converted, record.outputs)
            self._unsaved = True

    def save_fingerprints(self) -> None:
        """Save the digests of files that were only touched, so that the next run does not read these files again."""
        if self._unsaved and self._records:
            self._save()

    def _save(self) -> None:
        stages = {name: record.to_json() for name, record in self._records.items()}
        fingerprints = {name: fingerprint.to_json() for name, fingerprint in self._fingerprints.items()}
        write_json(self.path, {"stages": stages, "fingerprints": fingerprints})
        self._unsaved = False

    def _name(self, path: Path) -> str:
        # Strings instead of paths: a run calls this thousands of times.
        text, root = path.as_posix(), self.root.as_posix().rstrip("/") + "/"
        return text.removeprefix(root)


def _grain_ns(status: os.stat_result) -> int:
    """Return how long after a change of a file another one may get the same time, in nanoseconds."""
    counts_seconds = status.st_mtime_ns % 1_000_000_000 == status.st_ctime_ns % 1_000_000_000 == 0
    return SECONDS_GRAIN_NS if counts_seconds else FINE_GRAIN_NS


def _describe_change(name: str, before: str | None, now: str | None) -> str:
    """Describe a changed input: short values in full, long ones (digests) only as changed."""
    if before is not None and now is not None and max(len(before), len(now)) <= LONGEST_SHOWN_VALUE:
        return f"{name} changed from {before or 'none'} to {now or 'none'}"
    return f"{name} changed"
