"""The command `open`: the site or an episode's page."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.core.project import Project
from tests.support.command import catalog


@pytest.fixture
def published(tmp_path: Path) -> Project:
    """A project whose site has the page of `ep1`."""
    project = Project(tmp_path / "my shows")
    (project.site / "episodes").mkdir(parents=True)
    (project.site / "index.html").touch()
    (project.site / "episodes" / "ep1.html").touch()
    return project


@pytest.mark.parametrize(("episode", "page"), [([], "index.html"), (["ep1"], "episodes/ep1.html")])
def test_page_is_printed_and_opened(
    published: Project, monkeypatch: pytest.MonkeyPatch, episode: list[str], page: str
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    result = CliRunner().invoke(app, ["open", *episode, "--root", str(published.root)])
    assert (result.exit_code, result.output) == (0, f"{published.site / page}\n")
    assert opened == [(published.site / page).as_uri()]
    assert CliRunner().invoke(app, ["open", *episode, "--no-browser", "--root", str(published.root)]).exit_code == 0
    assert len(opened) == 1


@pytest.mark.parametrize(
    ("episode", "complaint"),
    [("ep2", "ep2.html is not there: run `catalog run ep2` first"), ("../../x", "'../../x' is no episode id")],
)
def test_page_that_is_not_there_is_one_line(published: Project, episode: str, complaint: str) -> None:
    result = catalog("open", episode, cwd=published.root)
    assert (result.returncode, result.stdout) == (1, "")
    assert complaint in result.stderr
    assert len(result.stderr.splitlines()) == 1
