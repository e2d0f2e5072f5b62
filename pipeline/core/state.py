"""What must be run again: a small record of what each file was made from, kept beside the project's data.

A stage is up to date when its inputs read as they did when it last ended well and its outputs are still the ones it
wrote. Inputs are named strings (digests, options, versions), so that a difference can be told in words.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.core.errors import InputError
from pipeline.core.storage import read_json, sha256_of, write_json


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a stage must run, in words, and the name of the input that changed; empty where it is something else."""

    text: str
    changed: str = ""


@dataclass
class StateFile:
    """The record of one episode's stages, and the digests of files it has seen."""

    path: Path
    root: Path
    stages: dict[str, dict[str, Any]] = field(default_factory=dict)
    fingerprints: dict[str, list[Any]] = field(default_factory=dict)
    unsaved: bool = False

    @classmethod
    def load(cls, path: Path, root: Path) -> "StateFile":
        """Return the record at `path`; an empty one where there is none or it is damaged, so that all is made anew.

        PermissionError where it may not be read: to transcribe all again for that would help nobody.
        """
        try:
            value = read_json(path) if path.exists() else {}
        except InputError as error:
            if isinstance(error.__cause__, PermissionError):
                raise error.__cause__ from None
            value = {}
        if not _is_well_formed(value):
            return cls(path, root)
        return cls(path, root, value["stages"], _get_fingerprints(value))

    def digest(self, path: Path) -> str:
        """Return a file's SHA-256, read again only if its size or times of change are not the ones seen before.

        One of them no program can set: it tells what was changed under the other's old value, as by a copy.
        """
        name, status = self._name(path), path.stat()
        fingerprint = [status.st_size, status.st_mtime_ns, status.st_ctime_ns]
        known = self.fingerprints.get(name)
        # Audio is a link to its source, and each further link changes that time of all of them.
        compared = 2 if status.st_nlink > 1 else 3
        if known is None or known[:-1][:compared] != fingerprint[:compared]:
            known = self.fingerprints[name] = [*fingerprint, sha256_of(path)]
            self.unsaved = True
        return str(known[-1])

    def find_reason(self, stage: str, inputs: Mapping[str, str], outputs: Sequence[Path]) -> str | None:
        """Return the first reason why a stage must run, in words; None where it is up to date."""
        return next((reason.text for reason in self.find_reasons(stage, inputs, outputs)), None)

    def find_reasons(self, stage: str, inputs: Mapping[str, str], outputs: Sequence[Path]) -> Iterator[Reason]:
        """Yield every reason why a stage must run: none where it is up to date.

        What became of its outputs is told only where its inputs are the same: other ones lead to other files.
        """
        record = self.stages.get(stage)
        if record is None:
            yield Reason("not done yet")
            return
        names = [*inputs, *sorted(set(record["inputs"]) - set(inputs))]
        changes = [(name, record["inputs"].get(name), inputs.get(name)) for name in names]
        if any(before != now for _, before, now in changes):
            yield from (Reason(_describe_change(*one), changed=one[0]) for one in changes if one[1] != one[2])
            return
        for path in outputs:
            name = self._name(path)
            if not path.is_file():
                yield Reason(f"{name} is missing")
            elif self.digest(path) != record["outputs"].get(name):
                yield Reason(f"{name} was changed from outside")
        # What is found by looking what lies there, such as the latest state of a history, is not found once it is gone.
        others = set(record["outputs"]) - {self._name(path) for path in outputs}
        yield from (Reason(f"{name} is missing") for name in sorted(others) if not (self.root / name).is_file())

    def recorded_inputs(self, stage: str) -> dict[str, str] | None:
        """Return the inputs of a stage's last run; None where it has not run yet."""
        record = self.stages.get(stage)
        return None if record is None else dict(record["inputs"])

    def recorded_outputs(self, stage: str) -> dict[Path, str]:
        """Return the digest of each output of a stage's last run; empty where it has not run yet."""
        record = self.stages.get(stage, {"outputs": {}})
        return {self.root / name: digest for name, digest in record["outputs"].items()}

    def record(self, stage: str, inputs: Mapping[str, str], outputs: Sequence[Path]) -> None:
        """Keep what a stage that just ended well was made from, on disk."""
        former = self.stages.get(stage, {}).get("outputs", {})
        self.stages[stage] = {
            "inputs": dict(inputs),
            "outputs": {self._name(path): self.digest(path) for path in outputs},
        }
        # Each edit of a list leads to files of other names; what is asked of the older ones again is read again.
        for name in former.keys() - self.stages[stage]["outputs"].keys():
            self.fingerprints.pop(name, None)
        self._save()

    def save_fingerprints(self) -> None:
        """Keep the digests of files that were only touched, so that the next run need not read them again."""
        if self.unsaved and self.stages:
            self._save()

    def _save(self) -> None:
        write_json(self.path, {"stages": self.stages, "fingerprints": self.fingerprints})
        self.unsaved = False

    def _name(self, path: Path) -> str:
        # Text, not paths: a run asks this thousands of times.
        text, root = path.as_posix(), self.root.as_posix().rstrip("/") + "/"
        return text.removeprefix(root)


def _describe_change(name: str, before: str | None, now: str | None) -> str:
    """A difference for people: short values in full, digests only as changed."""
    if before is not None and now is not None and max(len(before), len(now)) <= 40:
        return f"{name} changed from {before or 'none'} to {now or 'none'}"
    return f"{name} changed"


def _get_fingerprints(value: dict[str, Any]) -> Any:
    """The fingerprints of a state file; version 0.1.0 called them `stamps`."""
    return value.get("fingerprints", value.get("stamps"))


def _is_well_formed(value: dict[str, Any]) -> bool:
    stages, fingerprints = value.get("stages"), _get_fingerprints(value)
    return (
        isinstance(stages, dict)
        and isinstance(fingerprints, dict)
        and all(isinstance(s, dict) and isinstance(s.get("inputs"), dict) for s in stages.values())
        and all(isinstance(s.get("outputs"), dict) for s in stages.values())
        and all(isinstance(fingerprint, list) and len(fingerprint) in {3, 4} for fingerprint in fingerprints.values())
    )
