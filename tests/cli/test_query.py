"""The commands `search` and `evaluate`."""

import json
from pathlib import Path

import pytest

from pipeline.core.project import Project
from tests.support.command import catalog


@pytest.fixture
def published(aligned: Project) -> Path:
    """The root of a project whose one episode is published."""
    return aligned.root


def test_search_prints_start_and_link(published: Path) -> None:
    result = catalog("search", "drak", "themes", cwd=published)
    assert result.returncode == 0
    assert "Added a dark theme to the mobile app" in result.stdout
    assert "https://example.org/one#t=30" in result.stdout
    rows = json.loads(catalog("search", "#500111", "--json", cwd=published).stdout)
    assert [row["title"] for row in rows] == ["Invoices can be sorted by due date"]
    assert catalog("search", "nonsense", cwd=published).stdout == "nothing found\n"


def test_evaluate_scores_against_list_or_gold_file(published: Path) -> None:
    result = catalog("evaluate", cwd=published)
    assert result.returncode == 0
    assert "1 feature is discussed; found within\n  3 s: 100%" in result.stdout
    (published / "gold.csv").write_text("title,id,time\nx,500111,10\ny,500122,\n")
    scored = catalog("evaluate", "one", "--gold", "gold.csv", "--json", "--picture", "p.png", cwd=published)
    assert json.loads(scored.stdout)["placed_undiscussed"] == 1
    assert (published / "p.png").stat().st_size > 5_000
    assert catalog("evaluate", "--gold", "gold.csv", cwd=published).returncode == 2
    assert catalog("evaluate", "nine", cwd=published).returncode == 1
