"""A project whose episodes go through two release lists, each with entries that no episode discusses."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.core.project import Project
from pipeline.core.schema import Feature, Transcript
from pipeline.core.serialization import transcript_to_json
from pipeline.core.storage import write_json
from pipeline.feature_lists.writer import dump_features
from pipeline.runs.result import RunResult
from tests.support.invented_shows import invent_episode, invent_features
from tests.support.project import DEMO_AUDIO, FakeTranscriber, RecordingReporter, run

# Ten entries of each version.
ENTRIES = invent_features(20)
VERSIONS = {
    "v5.5": tuple(replace(entry, version="v5.5") for entry in ENTRIES[:10]),
    "v5.6": tuple(replace(entry, position=place, version="v5.6") for place, entry in enumerate(ENTRIES[10:], start=1)),
}

SHOW = """name: The Kite Show
language: en
link: https://example.org/{episode_id}#t={seconds}
releases:
  - version: v5.5
    list: lists/v5.5.csv
  - version: v5.6
    list: lists/v5.6.csv
"""


def write_release(project: Project, version: str, entries: Sequence[Feature]) -> Path:
    """Write the list of a version; return its file."""
    path = project.root / "lists" / f"{version}.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text(dump_features(entries, ".csv"), encoding="utf-8")
    return path


def make_release_project(root: Path) -> Project:
    """Return a project with the lists of both versions and no episode."""
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
    names = episodes or tuple(sorted(path.stem for path in project.episodes.glob("*.yaml")))
    return run(project, FakeTranscriber(Transcript(())), *names, notes=notes, refresh=refresh)
