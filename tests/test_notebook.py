"""The analysts' notebook runs on a real catalog and draws its plots."""

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

# The kernel's messaging library warns about every event loop except its own, which it starts on Windows only.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


def run_notebook(catalog: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """Return the outputs of all cells."""
    monkeypatch.setenv("CATALOG", str(catalog))
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(NOTEBOOK.parent)}}).execute()
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


@pytest.mark.model
def test_notebook_draws_four_plots_of_the_demo(demo: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = run_notebook(demo.dataset, monkeypatch)
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 4  # type: ignore[operator]
    assert "12 features in 1 episodes, 11 of them located" in str(outputs[0])


def test_notebook_runs_without_published_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_catalog([replace(row, drift_s=None) for row in ROWS], tmp_path / "catalog" / "one.parquet")
    outputs = run_notebook(tmp_path / "catalog", monkeypatch)
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 3  # type: ignore[operator]


def test_notebook_is_stored_without_outputs() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
