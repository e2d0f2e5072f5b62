"""A small project, its speech and its list, a transcriber that returns fixed text, and a reporter that records."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.core.project import Project
from pipeline.core.schema import Segment, Transcript, Word
from pipeline.runs.job import RunOptions
from pipeline.runs.reporter import Reporter
from pipeline.runs.result import RunResult, StageResult
from pipeline.runs.workflow import run_stages
from pipeline.transcribe.transcriber import Progress

REPOSITORY = Path(__file__).parent.parent.parent
DEMO_AUDIO = REPOSITORY / "demo" / "audio.ogg"

# The page of the feature list.
PAGE = """Kite release notes
Full Feature review:
Invoices can be sorted by due date | v4.10 #500111 | 0:11
The invoice list gets a sort button.
Added a dark theme to the mobile app | v4.10 #500122
Follows the setting of the phone.
"""

# The lines of the speech, which discuss the features of PAGE.
LINES = (
    "Hello and welcome to the kite show.",
    "Okay, first one, invoices can now be sorted by due date.",
    "So the invoice list has a sort button for the due date.",
    "All right, next up is the dark theme in the mobile app.",
    "The dark theme follows the setting of your phone.",
    "That was it, see you next week.",
)


def make_transcript(lines: Sequence[str], *, seconds_a_line: float = 10.0) -> Transcript:
    """Return a transcript with a segment a line and evenly spaced words."""
    segments = []
    for number, line in enumerate(lines):
        start, words = number * seconds_a_line, line.split()
        step = seconds_a_line * 0.9 / len(words)
        timed = tuple(
            Word(round(start + i * step, 3), round(start + (i + 1) * step, 3), f" {word}", 0.9)
            for i, word in enumerate(words)
        )
        segments.append(Segment(start, timed[-1].end, line, timed))
    return Transcript(tuple(segments), "en", len(lines) * seconds_a_line, source="whisper", model="fake")


@dataclass
class FakeTranscriber:
    """A transcriber that returns a given transcript and records its calls."""

    transcript: Transcript
    calls: list[Path] = field(default_factory=list)

    def transcribe(
        self,
        audio: Path,
        *,
        language: str | None,
        on_progress: Progress,
        checkpoints: Path | None = None,
        whole: bool = False,
    ) -> Transcript:
        self.calls.append(audio)
        on_progress(1.0, 1.0)
        return self.transcript


@dataclass
class RecordingReporter(Reporter):
    """A reporter that records its calls."""

    started: list[tuple[str, str, str]] = field(default_factory=list)
    results: list[StageResult] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    progress: list[tuple[str, float, float]] = field(default_factory=list)
    waited: list[Path] = field(default_factory=list)

    def stage_started(self, episode_id: str, stage: str, reason: str) -> None:
        self.started.append((episode_id, stage, reason))

    def stage_progress(self, done: float, total: float) -> None:
        assert total == 0 or done <= total

    def episode_progress(self, episode_id: str, done: float, total: float) -> None:
        assert total == 0 or done <= total
        self.progress.append((episode_id, done, total))

    def stage_ended(self, result: StageResult) -> None:
        self.results.append(result)

    def note(self, episode_id: str, message: str) -> None:
        self.notes.append(f"{episode_id}: {message}")

    def warn(self, episode_id: str, message: str) -> None:
        self.warnings.append(f"{episode_id}: {message}")

    def waiting(self, root: Path) -> None:
        self.waited.append(root)


def make_project(root: Path) -> Project:
    """Write a project with one episode, `one`, whose audio is the demo's and whose list is PAGE."""
    project = Project(root)
    project.episodes.mkdir(parents=True)
    project.show.write_text("name: The Kite Show\nlanguage: en\nlink: https://example.org/{episode_id}#t={seconds}\n")
    add_episode(project, "one")
    return project


def add_episode(project: Project, episode_id: str, *, source: Path | str = DEMO_AUDIO, page: str = PAGE) -> None:
    """Add an episode to the project."""
    (project.root / f"{episode_id}.txt").write_text(page, encoding="utf-8")
    settings = f"title: Episode {episode_id}\nsource: {source}\nfeatures: {episode_id}.txt\npublished: 2026-11-02\n"
    project.episode(episode_id).write_text(settings)


def give_transcript(project: Project, episode_id: str) -> None:
    """Give an episode LINES as its transcript, so that a run needs no speech model."""
    cues = [
        f"{number}\n00:00:{number * 8:02},000 --> 00:00:{number * 8 + 7:02},000\n{line}\n"
        for number, line in enumerate(LINES)
    ]
    (project.root / f"{episode_id}.srt").write_text("\n".join(cues), encoding="utf-8")
    with project.episode(episode_id).open("a") as settings:
        settings.write(f"transcript: {episode_id}.srt\n")


def wait_for_another_time(path: Path) -> None:
    """Wait until a new change gets a later time than the last change of `path`; some file systems count in 4 ms."""
    probe = path.with_name(f"{path.name}.probe")
    while True:
        probe.touch()
        later = probe.stat().st_ctime_ns > path.stat().st_ctime_ns
        probe.unlink()
        if later:
            return


ALL_STAGES = ("download", "transcribe", "align", "publish")


def run(
    project: Project,
    transcriber: FakeTranscriber,
    *episodes: str,
    stages: tuple[str, ...] = ALL_STAGES,
    force: bool = False,
    offline: bool = False,
    refresh: bool = False,
    include_review: bool = False,
    notes: RecordingReporter | None = None,
) -> RunResult:
    return run_stages(
        project,
        episodes or ("one",),
        stages,
        transcriber=lambda show: transcriber,
        reporter=notes or RecordingReporter(),
        options=RunOptions(force, offline, refresh, include_review),
    )


def done(result: RunResult) -> list[tuple[str, str]]:
    return [(stage.stage, stage.reason) for stage in result.stages]
