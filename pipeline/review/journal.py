"""The undo steps of one corrections file, oldest first: all servers of an episode share one journal."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from pipeline.core.corrections import Correction
from pipeline.core.errors import InputError
from pipeline.core.storage import read_record, write_json

# Most steps that the journal keeps.
MAX_STEPS = 200


class Step(NamedTuple):
    """A decision about a feature, for undo: the correction in the file before it and after it.

    `lines` is the text of `before` in the file, None where it has no lines of its own; `line` is where they began.
    """

    before: Correction | None
    after: Correction | None
    lines: str | None = None
    line: int | None = None


def read_steps(path: Path) -> list[Step]:
    """Return the steps in a journal; none if the file is missing or damaged."""

    def parse(record: dict[str, Any]) -> list[Step]:
        return TypeAdapter(list[Step]).validate_python(record["steps"])

    # Without its journal a review can go on; only undo is lost.
    try:
        return read_record(path, parse) if path.exists() else []
    except InputError:
        return []


def write_steps(path: Path, steps: Sequence[Step]) -> None:
    """Write the latest MAX_STEPS steps; the caller holds the lock of the corrections file."""
    latest = steps[-MAX_STEPS:]
    records = [
        [*(correction and correction.model_dump(mode="json") for correction in step[:2]), step.lines, step.line]
        for step in latest
    ]
    write_json(path, {"steps": records})


def sign_steps(steps: Sequence[Step]) -> str:
    """Return a text that differs between any two journals: a page names with it the steps that it shows."""
    text = repr([[correction and correction.model_dump_json() for correction in step[:2]] for step in steps])
    return hashlib.sha256(text.encode()).hexdigest()[:16]
