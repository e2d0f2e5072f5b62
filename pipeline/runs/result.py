"""What a run did: the result of each stage of each episode, and of the run as a whole."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.publish.rows import CatalogRow


class StageName(StrEnum):
    """The stages of an episode, in their order; the values name commands and stand in state files and run reports."""

    DOWNLOAD = "download"
    TRANSCRIBE = "transcribe"
    ALIGN = "align"
    PUBLISH = "publish"


@dataclass(frozen=True, slots=True)
class StageResult:
    """The result of one stage of one episode: why it ran, its duration in seconds, and the error where it failed.

    `trace` is the traceback of an unexpected exception. It goes into the run report, not onto the screen.
    """

    episode_id: str
    stage: str
    reason: str
    seconds: float
    error: str | None = None
    trace: str | None = None


@dataclass
class RunResult:
    """The result of a run.

    `rows` holds the catalog rows of each episode that was published, `written` the files that were written, `notes`
    lines for the report, `warnings` pairs of episode id and message, and `mail` the text about the run for a mail.
    """

    stages: list[StageResult] = field(default_factory=list)
    rows: dict[str, tuple["CatalogRow", ...]] = field(default_factory=dict)
    written: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    warnings: list[tuple[str, str]] = field(default_factory=list)
    exit_code: int = 0
    interrupted: bool = False
    mail: str = ""

    def add(self, other: "RunResult") -> None:
        """Add the result of another part of the run."""
        self.stages += other.stages
        self.rows |= other.rows
        self.written += other.written
        self.notes += other.notes
        self.warnings += other.warnings

    @property
    def failures(self) -> list[StageResult]:
        """The stages that failed, at most one an episode."""
        return [result for result in self.stages if result.error is not None]
