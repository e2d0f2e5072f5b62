"""The notebook an analyst starts from runs on a real catalog, and draws its pictures."""

from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from pipeline.core.project import Project
from pipeline.publish.tables import write_catalog
from tests.support.project import REPOSITORY
from tests.support.rows import SCORED_ROWS as ROWS

NOTEBOOK = REPOSITORY / "docs" / "catalog.ipynb"

# The kernel's messaging library starts an event loop of its own kind on Windows only, and warns about others.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


def run(catalog: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """The outputs of all cells."""
    monkeypatch.setenv("CATALOG", str(catalog))
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(NOTEBOOK.parent)}}).execute()
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


@pytest.mark.model
def test_it_runs_on_the_demo_and_draws_four_pictures(demo: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = run(demo.dataset, monkeypatch)
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 4  # type: ignore[operator]
    assert "12 features in 1 episodes, 11 of them located" in str(outputs[0])


def test_it_runs_on_a_catalog_without_published_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_catalog([replace(row, drift_s=None) for row in ROWS], tmp_path / "catalog" / "one.parquet")
    outputs = run(tmp_path / "catalog", monkeypatch)
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 3  # type: ignore[operator]


def test_it_is_kept_without_outputs() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
