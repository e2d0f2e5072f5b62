"""Where everything of a project lies: these names are in users' scripts, and stay."""

from pathlib import Path

import pytest

from pipeline.project import Project, place_file

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
}


def test_what_users_rely_on_lies_where_it_was_promised() -> None:
    project = Project(Path("root"))
    for name, promised in PROMISED.items():
        place = getattr(project, name)
        path = place("ep12") if callable(place) else place
        assert path == Path("root") / promised, name


def test_a_file_is_named_from_the_root_or_the_home_of_somebody_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/anna")
    places = {"a.mp3": "root/a.mp3", "/a.mp3": "/a.mp3", "~/a.mp3": "/home/anna/a.mp3", "~draft.mp3": "root/~draft.mp3"}
    for named, path in places.items():
        assert place_file(named, Path("root")) == Path(path)
