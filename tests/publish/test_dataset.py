"""A file in the dataset's folder that is no episode's is left out, and stops nothing."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.core.errors import InputError
from pipeline.core.project import Project
from pipeline.publish import dataset
from pipeline.publish.combined_csv import update_csv
from pipeline.publish.dataset import read_dataset, read_rows, scan_dataset
from pipeline.publish.tables import read_csv, write_catalog
from tests.support.rows import SCORED_ROWS as ROWS


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project of the published episodes `a` and `b`."""
    made = Project(tmp_path)
    for name in ("a", "b"):
        write_catalog([replace(row, episode_id=name) for row in ROWS], made.catalog(name))
    return made


def write_other_table(path: Path) -> None:
    pq.write_table(pa.table({"price": [1.5]}), path)


def copy_episode(path: Path) -> None:
    path.write_bytes((path.parent / "a.parquet").read_bytes())


def cut_episode(path: Path) -> None:
    path.write_bytes((path.parent / "a.parquet").read_bytes()[:-20])


def link_to_nothing(path: Path) -> None:
    path.symlink_to("gone.parquet")


FOREIGN: list[tuple[str, Callable[[Path], None], str]] = [
    ("prices.parquet", write_other_table, "is not a catalog of episode-catalog"),
    ("a-2.parquet", copy_episode, "holds rows of the episode a, as a copy does"),
    ("a (1).parquet", copy_episode, "is not named after an episode"),
    ("c.parquet", cut_episode, "is damaged"),
    ("c.parquet", link_to_nothing, "is a link to nothing"),
    ("c.parquet", Path.mkdir, "is not a file"),
    ("c.parquet", Path.touch, "is damaged"),
    ("c.parquet", os.mkfifo, "is not a file"),
    (".hidden.parquet", Path.touch, ""),
    ("._a.parquet", Path.touch, ""),
]


@pytest.mark.parametrize(("name", "make", "problem"), FOREIGN)
def test_foreign_file_is_left_out(project: Project, name: str, make: Callable[[Path], None], problem: str) -> None:
    update_csv(project)
    before = project.catalog_csv.read_bytes()
    make(project.dataset / name)
    scanned = scan_dataset(project)
    assert scanned.episode_ids == ["a", "b"]
    problems = [file.problem for file in scanned.files if file.problem]
    assert [problem in found and name in found for found in problems] == ([True] if problem else [])
    update_csv(project, scanned)
    assert project.catalog_csv.read_bytes() == before


def test_unchanged_files_are_not_read_again(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    copy_episode(project.dataset / "a-2.parquet")
    update_csv(project)
    monkeypatch.setattr(dataset, "read_catalogs", lambda paths: pytest.fail(f"{paths} is read"))
    assert [bool(file.problem) for file in scan_dataset(project).files] == [True, False, False]
    assert update_csv(project) is None


def test_corrected_file_counts_again(project: Project) -> None:
    cut_episode(project.dataset / "b.parquet")
    update_csv(project)
    assert set(read_csv(project.catalog_csv)["episode_id"].to_pylist()) == {"a"}
    write_catalog([replace(row, episode_id="b") for row in ROWS], project.catalog("b"))
    update_csv(project)
    assert set(read_csv(project.catalog_csv)["episode_id"].to_pylist()) == {"a", "b"}


def test_copy_that_an_earlier_version_took_is_found(project: Project) -> None:
    copy_episode(project.dataset / "a-2.parquet")
    update_csv(project)
    record = project.state(dataset.STATE)
    text = record.read_text().replace('"checks of the dataset": "1", ', "")
    record.write_text(text.replace(": " + scan_dataset(project).files[0].problem, ""))
    assert "as a copy does" in scan_dataset(project).files[0].problem


def test_rows_are_read_beside_foreign_files(project: Project) -> None:
    write_other_table(project.dataset / "prices.parquet")
    copy_episode(project.dataset / "a-2.parquet")
    messages: list[str] = []
    assert read_dataset(project.dataset, messages.append).num_rows == 2 * len(ROWS)
    assert [Path(message.split()[0]).name for message in messages] == ["a-2.parquet", "prices.parquet"]
    assert {name: len(rows) for name, rows in read_rows(project.dataset).items()} == {"a": len(ROWS), "b": len(ROWS)}


def test_catalogs_under_other_names_are_read(project: Project, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    os.replace(project.catalog("a"), tmp_path / "kept" / "My talk.parquet")
    assert set(read_rows(tmp_path / "kept")) == {"a"}


def test_folder_of_foreign_files_is_refused(tmp_path: Path) -> None:
    write_other_table(tmp_path / "prices.parquet")
    with pytest.raises(InputError, match="prices.parquet is not a catalog"):
        read_dataset(tmp_path)
