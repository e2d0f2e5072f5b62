"""A project whose episodes go through two of three release lists, each with entries that no episode discusses."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.core.project import Project
from pipeline.core.schema import Feature, Transcript
from pipeline.core.serialization import transcript_to_json
from pipeline.core.storage import write_json
from pipeline.feature_lists.writer import dump_features
from pipeline.runs.job import RunOptions
from pipeline.runs.result import RunResult
from pipeline.runs.workflow import list_episodes, run_stages
from tests.support.invented_shows import invent_episode, invent_features
from tests.support.project import ALL_STAGES, DEMO_AUDIO, FakeTranscriber, RecordingReporter

# The entries of each version; no episode goes through the last one.
ENTRIES = invent_features(23)


def take_entries(version: str, begin: int, end: int) -> tuple[Feature, ...]:
    """Return some of the entries as the list of a version."""
    entries = enumerate(ENTRIES[begin:end], start=1)
    return tuple(replace(entry, position=position, version=version) for position, entry in entries)


VERSIONS = {
    "v5.5": take_entries("v5.5", 0, 10),
    "v5.6": take_entries("v5.6", 10, 20),
    "v5.7": take_entries("v5.7", 20, 23),
}

SHOW = """name: The Kite Show
language: en
link: https://example.org/{episode_id}#t={seconds}
releases:
  - version: v5.5
    list: lists/v5.5.csv
  - version: v5.6
    list: lists/v5.6.csv
  - version: v5.7
    list: lists/v5.7.csv
"""


def write_release(project: Project, version: str, entries: Sequence[Feature]) -> Path:
    """Write the list of a version; return its file."""
    path = project.root / "lists" / f"{version}.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text(dump_features(entries, ".csv"), encoding="utf-8")
    return path


def make_release_project(root: Path) -> Project:
    """Return a project with the lists of all versions and no episode."""
    project = Project(root)
    project.episodes.mkdir(parents=True)
    project.show.write_text(SHOW)
    for version, entries in VERSIONS.items():
        write_release(project, version, entries)
    return project


def say(entries: Sequence[Feature], opening: str = "", *, seed: int = 1) -> Transcript:
    """Return an episode that discusses these entries; `opening` is said at its beginning."""
    transcript = invent_episode(entries, range(len(entries)), seed).transcript
    first = replace(transcript.segments[0], text=opening) if opening else transcript.segments[0]
    return replace(transcript, segments=(first, *transcript.segments[1:]))


def add_release_episode(project: Project, episode_id: str, transcript: Transcript, settings: str = "") -> None:
    """Add an episode with this transcript; without further `settings` it names neither a list nor versions."""
    path = project.root / "speech" / f"{episode_id}.json"
    write_json(path, transcript_to_json(transcript))
    project.episode(episode_id).write_text(
        f"title: Episode {episode_id}\nsource: {DEMO_AUDIO}\ntranscript: speech/{episode_id}.json\n{settings}"
    )


def run_all(
    project: Project, *episodes: str, notes: RecordingReporter | None = None, refresh: bool = False
) -> RunResult:
    """Run all stages of these episodes, or of all."""
    return run_stages(
        project,
        episodes or list_episodes(project),
        ALL_STAGES,
        transcriber=lambda show: FakeTranscriber(Transcript(())),
        reporter=notes or RecordingReporter(),
        options=RunOptions(refresh=refresh),
    )


def make_released_project(root: Path) -> Project:
    """Return a project that was run: an episode for each version, and one for both."""
    project = make_release_project(root)
    old, new = VERSIONS["v5.5"], VERSIONS["v5.6"]
    both = "versions: v5.5..v5.6\npublished: 2026-11-09\n"
    add_release_episode(project, "both", say((*old[6:8], *new[:2])), both)
    add_release_episode(project, "new", say(new[4:7]), "versions: v5.6\npublished: 2026-11-16\n")
    add_release_episode(project, "old", say(old[:4]), "versions: v5.5\npublished: 2026-11-02\n")
    assert run_all(project).exit_code == 0
    return project
