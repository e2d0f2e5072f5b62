"""Where everything of a project lies: these names are in users' scripts, and stay."""

from pathlib import Path

import pandas as pd
import pytest

from pipeline.core.project import Project, resolve_path
from tests.support.project import FakeTranscriber, RecordingReporter, run

PROMISED = {
    "show": "configs/show.yaml",
    "episode": "configs/episodes/ep12.yaml",
    "corrections": "configs/corrections/ep12.yaml",
    "raw": "data/raw/ep12",
    "transcript": "data/processed/transcripts/ep12.json",
    "alignment": "data/processed/alignments/ep12.json",
    "catalog": "data/processed/catalog/ep12.parquet",
    "catalog_csv": "data/processed/catalog.csv",
    "notes": "data/processed/notes/ep12",
    "site": "data/processed/site",
    "runs": "data/processed/runs",
    "ledger": "data/processed/ledger.parquet",
    "ledger_csv": "data/processed/ledger.csv",
}


def test_documented_paths() -> None:
    project = Project(Path("root"))
    for name, promised in PROMISED.items():
        place = getattr(project, name)
        path = place("ep12") if callable(place) else place
        assert path == Path("root") / promised, name


@pytest.mark.parametrize("version", ["v2.204", "Wave 1/2026", "../x", "..", "Été", "24H2"])
def test_release_lists_lie_in_one_folder(version: str) -> None:
    folder = Project(Path("root")).release_lists(version)
    assert folder.parent == Path("root/data/raw/releases")
    assert folder.name.strip(".")
    assert folder.name == version or version not in {"v2.204", "24H2"}


def test_path_resolves_from_root_or_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/anna")
    places = {"a.mp3": "root/a.mp3", "/a.mp3": "/a.mp3", "~/a.mp3": "/home/anna/a.mp3", "~draft.mp3": "root/~draft.mp3"}
    for named, path in places.items():
        assert resolve_path(named, Path("root")) == Path(path)


def test_orphaned_episode_is_reported_until_removed(project: Project, transcriber: FakeTranscriber) -> None:
    run(project, transcriber)
    project.episode("one").rename(project.episode("two"))
    notes = RecordingReporter()
    run(project, transcriber, "two", notes=notes)
    message = (
        "one: the episode is published but has no settings: remove data/processed/catalog/one.parquet if that is meant"
    )
    assert message in notes.warnings
    project.catalog("one").unlink()
    run(project, transcriber, "two", notes=(after := RecordingReporter()))
    assert after.warnings == []
    assert set(pd.read_csv(project.catalog_csv)["episode_id"]) == {"two"}
    assert not list(project.site.rglob("one.*"))


def test_unreadable_folder_of_corrections_ends_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each episode reports it; the tests may run as root, who reads every folder."""
    project = Project(tmp_path)
    folder = project.corrections("any").parent
    folder.mkdir(parents=True)
    (folder / "gone.yaml").touch()
    assert project.find_unread_corrections() == [folder / "gone.yaml"]

    def refuse(_: Path) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert project.find_unread_corrections() == []
