"""`catalog.csv` equals the dataset of Parquet files after any change of either."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.core.project import Project
from pipeline.publish import combined_csv, dataset, tables
from pipeline.publish.combined_csv import update_csv
from pipeline.publish.dataset import read_dataset
from pipeline.publish.tables import read_csv, write_catalog, write_csv
from tests.support.rows import SCORED_ROWS as ROWS


def publish(project: Project, episode_id: str, title: str = "An episode") -> None:
    rows = [replace(row, episode_id=episode_id, episode_title=title) for row in ROWS]
    write_catalog(rows, project.catalog(episode_id))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project of three published episodes whose `catalog.csv` is up to date."""
    project = Project(tmp_path)
    for name in ("a", "b", "c"):
        publish(project, name)
    assert update_csv(project) == project.catalog_csv
    return project


def write_from_scratch(project: Project) -> bytes:
    """Return the CSV of the whole dataset."""
    write_csv(read_dataset(project.dataset), project.root / "scratch.csv")
    return (project.root / "scratch.csv").read_bytes()


def test_no_episode_means_no_csv(tmp_path: Path) -> None:
    assert update_csv(Project(tmp_path)) is None
    assert not Project(tmp_path).catalog_csv.exists()


def test_rows_stand_in_order_of_episode_names(project: Project) -> None:
    assert read_csv(project.catalog_csv)["episode_id"].to_pylist() == [name for name in "abc" for _ in ROWS]
    assert project.catalog_csv.read_bytes() == write_from_scratch(project)
    assert read_csv(project.catalog_csv).equals(read_dataset(project.dataset).replace_schema_metadata())


def test_unchanged_dataset_writes_nothing(project: Project) -> None:
    before = project.catalog_csv.stat().st_mtime_ns
    assert update_csv(project) is None
    assert project.catalog_csv.stat().st_mtime_ns == before


def edit(project: Project) -> None:
    publish(project, "b", title="Another title,\nof two lines")


def add(project: Project) -> None:
    publish(project, "aa")


def remove(project: Project) -> None:
    project.catalog("b").unlink()


def remove_first(project: Project) -> None:
    project.catalog("a").unlink()


@pytest.mark.parametrize("change", [edit, add, remove, remove_first])
def test_change_writes_what_a_first_run_writes(project: Project, change: Callable[[Project], None]) -> None:
    change(project)
    assert update_csv(project) == project.catalog_csv
    assert project.catalog_csv.read_bytes() == write_from_scratch(project)


def test_edited_csv_is_rewritten(project: Project) -> None:
    project.catalog_csv.write_bytes(project.catalog_csv.read_bytes().replace(b"An episode", b"My episode"))
    assert update_csv(project) == project.catalog_csv
    assert project.catalog_csv.read_bytes() == write_from_scratch(project)


def test_other_program_version_rewrites_csv(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(combined_csv, "__version__", "99.0")
    monkeypatch.setattr(tables, "_format_cell", lambda cell: f'"{cell}"' if cell else "")
    assert update_csv(project) == project.catalog_csv
    assert project.catalog_csv.read_bytes().count(b'"An episode"') == 3 * len(ROWS)


def test_record_of_earlier_version_is_accepted(project: Project) -> None:
    """Version 0.1.0 kept the number of bytes of each episode beside the digests."""
    record = project.state(dataset.STATE)
    text = record.read_text(encoding="utf-8")
    record.write_text(text.replace('"inputs"', '"sizes": {"a.parquet": 4}, "inputs"', 1), encoding="utf-8")
    assert update_csv(project) is None
