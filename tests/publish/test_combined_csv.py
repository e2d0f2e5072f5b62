"""`catalog.csv` says what the Parquet files say, whatever happened to either."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.core.project import Project
from pipeline.publish import combined_csv as catalog_csv
from pipeline.publish import tables
from pipeline.publish.combined_csv import read_everything, update_csv
from pipeline.publish.tables import read_csv, read_dataset, write_catalog, write_csv
from tests.support.rows import SCORED_ROWS as ROWS


def publish(project: Project, episode_id: str, title: str = "An episode") -> None:
    rows = [replace(row, episode_id=episode_id, episode_title=title) for row in ROWS]
    write_catalog(rows, project.catalog(episode_id))


@pytest.fixture
def three(tmp_path: Path) -> Project:
    """A project of three published episodes whose `catalog.csv` is up to date."""
    project = Project(tmp_path)
    for name in ("a", "b", "c"):
        publish(project, name)
    assert update_csv(project) == project.catalog_csv
    return project


def from_scratch(project: Project) -> bytes:
    """What the CSV of the whole dataset is."""
    write_csv(read_dataset(project.dataset), project.root / "scratch.csv")
    return (project.root / "scratch.csv").read_bytes()


def test_without_any_episode_there_is_no_csv(tmp_path: Path) -> None:
    assert update_csv(Project(tmp_path)) is None
    assert not Project(tmp_path).catalog_csv.exists()


def test_it_holds_the_rows_of_all_episodes_in_the_order_of_their_names(three: Project) -> None:
    assert read_csv(three.catalog_csv)["episode_id"].to_pylist() == [name for name in "abc" for _ in ROWS]
    assert three.catalog_csv.read_bytes() == from_scratch(three)


def test_it_is_not_written_again_where_nothing_changed(three: Project) -> None:
    before = three.catalog_csv.stat().st_mtime_ns
    assert update_csv(three) is None
    assert three.catalog_csv.stat().st_mtime_ns == before


def edit(project: Project) -> None:
    publish(project, "b", title="Another title,\nof two lines")


def add(project: Project) -> None:
    publish(project, "aa")


def remove(project: Project) -> None:
    project.catalog("b").unlink()


def remove_the_first(project: Project) -> None:
    project.catalog("a").unlink()


@pytest.mark.parametrize("change", [edit, add, remove, remove_the_first])
def test_after_a_change_it_is_what_a_run_from_scratch_writes(three: Project, change: Callable[[Project], None]) -> None:
    change(three)
    assert update_csv(three) == three.catalog_csv
    assert three.catalog_csv.read_bytes() == from_scratch(three)


def test_only_the_changed_episode_is_read_and_formatted(three: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    real = tables.read_catalogs

    def watch(paths: list[Path]) -> object:
        read.extend(path.stem for path in paths)
        return real(paths)

    monkeypatch.setattr(tables, "read_catalogs", watch)
    edit(three)
    update_csv(three)
    assert read == ["b"]


def test_a_csv_that_somebody_edited_is_written_anew_and_not_built_upon(three: Project) -> None:
    three.catalog_csv.write_bytes(three.catalog_csv.read_bytes().replace(b"An episode", b"My episode"))
    edit(three)
    update_csv(three)
    assert three.catalog_csv.read_bytes() == from_scratch(three)


def test_another_version_of_the_program_writes_every_line_anew(three: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog_csv, "__version__", "99.0")
    monkeypatch.setattr(tables, "_quote", lambda cell: f'"{cell}"' if cell else "")
    assert update_csv(three) == three.catalog_csv
    assert three.catalog_csv.read_bytes().count(b'"An episode"') == 3 * len(ROWS)


def test_everything_is_read_from_the_csv_where_it_is_up_to_date(three: Project) -> None:
    whole = read_everything(three)
    assert whole.equals(read_dataset(three.dataset).replace_schema_metadata())


def test_everything_is_read_from_the_parquet_files_where_the_csv_is_not_up_to_date(three: Project) -> None:
    edit(three)
    titles = read_everything(three)["episode_title"].to_pylist()
    assert titles.count("Another title,\nof two lines") == len(ROWS)
