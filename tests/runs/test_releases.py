"""Release lists at URLs: fetched once, refreshed once a run, kept where they cannot be fetched."""

from pathlib import Path

import pytest

from pipeline.core.config import load_show
from pipeline.core.errors import InputError
from pipeline.core.project import Project
from pipeline.feature_lists.writer import dump_features
from pipeline.runs.releases import find_list
from tests.support.faulty_server import Server
from tests.support.project import RecordingReporter, done
from tests.support.releases import VERSIONS, add_release_episode, make_release_project, run_all, say

OLD = VERSIONS["v5.5"]


@pytest.fixture
def project(tmp_path: Path, web_server: Server) -> Project:
    """A project whose list of v5.5 is at a URL, with two episodes that go through it."""
    project = make_release_project(tmp_path)
    project.show.write_text(project.show.read_text().replace("lists/v5.5.csv", f"{web_server.url}/v5.5.csv?key=hush"))
    web_server.files["/v5.5.csv"] = dump_features(OLD, ".csv").encode()
    web_server.content_types["/v5.5.csv"] = "text/csv"
    for name in ("one", "two"):
        add_release_episode(project, name, say(OLD[:3]), "versions: v5.5\n")
    return project


def test_list_at_url_is_fetched_once(project: Project, web_server: Server) -> None:
    assert run_all(project).exit_code == 0
    assert done(run_all(project)) == []
    assert len(web_server.requests) == 1


def test_refresh_fetches_list_once_a_run(project: Project, web_server: Server) -> None:
    run_all(project)
    web_server.files["/v5.5.csv"] = dump_features(OLD[:7], ".csv").encode()
    result = run_all(project, refresh=True)
    assert len(web_server.requests) == 2
    aligned = {(stage.episode_id, stage.reason) for stage in result.stages if stage.stage == "align"}
    assert aligned == {(name, "release list v5.5 changed: 3 entries removed") for name in ("one", "two")}


def test_last_revision_is_used_where_refresh_fails(project: Project, web_server: Server) -> None:
    run_all(project)
    del web_server.files["/v5.5.csv"]
    notes = RecordingReporter()
    result = run_all(project, refresh=True, notes=notes)
    assert (result.exit_code, done(result)) == (0, [])
    assert len(notes.warnings) == 1
    assert notes.warnings[0].startswith("release v5.5: its list cannot be fetched again: ")
    assert "hush" not in notes.warnings[0]


def test_unfetched_list_cannot_be_found_offline(project: Project) -> None:
    show = load_show(project.show)
    with pytest.raises(InputError, match=r"the release list http.*\*\*\* of v5.5 is on the network, and --offline"):
        find_list(project, show, show.releases[0], offline=True)


def test_columns_of_release_table_can_be_named(project: Project, web_server: Server) -> None:
    table = "Nummer;Überschrift\n" + "".join(f"{entry.feature_id};{entry.title}\n" for entry in OLD)
    web_server.files["/v5.5.csv"] = table.encode()
    settings = project.show.read_text().replace("?key=hush", "\n    columns: {Nummer: feature_id, Überschrift: title}")
    project.show.write_text(settings)
    result = run_all(project, "one")
    assert result.exit_code == 0, result.failures
    assert [row.feature_id for row in result.rows["one"] if row.status == "confident"] == [
        entry.feature_id for entry in OLD[:3]
    ]
