"""The site: what is written from the catalog, what is written again, and what is removed."""

import os
import shutil
from datetime import date
from pathlib import Path

import pytest

from pipeline.core.config import ShowConfig, SiteAudio
from pipeline.core.project import Project
from pipeline.core.serialization import transcript_to_json
from pipeline.core.storage import write_json
from pipeline.publish.site import ASSETS, SiteAudioFile, write_site
from pipeline.publish.tables import write_catalog
from pipeline.runs.workflow import run_stages
from tests.support.project import DEMO_AUDIO, LINES, FakeTranscriber, RecordingReporter, add_episode, make_transcript
from tests.support.rows import episode_rows

TITLES = ("Invoices can be sorted by due date", "Added a dark theme to the mobile app")


def add_to_catalog(project: Project, name: str, *titles: str, published: date | None = None) -> None:
    write_catalog(episode_rows(name, *(titles or TITLES), published=published), project.catalog(name))
    write_json(project.transcript(name), transcript_to_json(make_transcript(LINES)))


def write(
    project: Project,
    *,
    setting: SiteAudio = "none",
    audio: SiteAudioFile | None = None,
    warnings: list[str] | None = None,
) -> Path | None:
    """Write the site, with the same audio for each episode; warnings are appended to `warnings`."""
    messages = warnings if warnings is not None else []
    return write_site(
        project,
        ShowConfig.model_validate({"name": "Show", "site_audio": setting}),
        find_audio=lambda _: audio,
        warn=lambda name, message: messages.append(f"{name}: {message}"),
    )


def list_times(project: Project) -> dict[str, int]:
    files = (path for path in project.site.rglob("*") if path.is_file())
    return {path.relative_to(project.site).as_posix(): path.stat().st_mtime_ns for path in files}


@pytest.fixture
def catalog(tmp_path: Path) -> Project:
    project = Project(tmp_path)
    add_to_catalog(project, "one", published=date(2026, 11, 2))
    add_to_catalog(project, "two", published=date(2026, 11, 9))
    return project


def test_every_episode_has_a_page_newest_first(catalog: Project) -> None:
    assert write(catalog) == catalog.site / "index.html"
    assert set(list_times(catalog)) == {
        "index.html", "data/catalog.js", "data/by-id.json",
        *(f"assets/{'ufuzzy-LICENSE' if asset.endswith('LICENSE') else Path(asset).name}" for asset in ASSETS),
        *(f"episodes/{name}.html" for name in ("one", "two")),
        *(f"data/episodes/{name}.js" for name in ("one", "two")),
    }  # fmt: skip
    data = (catalog.site / "data" / "catalog.js").read_text()
    assert data.index("Episode two") < data.index("Episode one")


def test_unchanged_catalog_writes_nothing(catalog: Project) -> None:
    write(catalog)
    before = list_times(catalog)
    assert write(catalog) is None
    assert list_times(catalog) == before


def test_same_catalog_gives_same_bytes(catalog: Project, tmp_path: Path) -> None:
    write(catalog)
    first = {path: path.read_bytes() for path in catalog.site.rglob("*") if path.is_file()}
    shutil.rmtree(catalog.site)
    write(catalog)
    assert {path: path.read_bytes() for path in first} == first


def test_only_page_of_changed_episode_is_rewritten(catalog: Project) -> None:
    write(catalog)
    before = list_times(catalog)
    add_to_catalog(catalog, "two", "Something else", published=date(2026, 11, 9))
    write(catalog)
    after = list_times(catalog)
    assert before["episodes/one.html"] == after["episodes/one.html"]
    assert before["episodes/two.html"] != after["episodes/two.html"]
    assert "Something else" in (catalog.site / "data" / "catalog.js").read_text()


@pytest.mark.parametrize("name", ["index.html", "data/catalog.js", "assets/search.js", "episodes/one.html"])
def test_missing_or_edited_file_is_rewritten(catalog: Project, name: str) -> None:
    write(catalog)
    whole = (catalog.site / name).read_bytes()
    for damaged in (None, "damaged"):
        (catalog.site / name).unlink()
        if damaged is not None:
            (catalog.site / name).write_text(damaged)
        assert write(catalog) is not None
        assert (catalog.site / name).read_bytes() == whole


def test_page_of_removed_episode_is_removed(catalog: Project) -> None:
    write(catalog)
    catalog.catalog("one").unlink()
    write(catalog)
    assert not (catalog.site / "episodes" / "one.html").exists()
    assert "Episode one" not in (catalog.site / "index.html").read_text()


def test_file_of_a_person_beside_site_stays(catalog: Project) -> None:
    write(catalog)
    (catalog.site / "CNAME").write_text("shows.example.org")
    add_to_catalog(catalog, "three")
    write(catalog)
    assert (catalog.site / "CNAME").exists()


@pytest.mark.parametrize("content", [None, "not json", '{"segments": 3}'])
def test_episode_without_transcript_has_a_page(catalog: Project, content: str | None) -> None:
    catalog.transcript("one").unlink()
    if content is not None:
        catalog.transcript("one").write_text(content)
    warnings: list[str] = []
    write(catalog, warnings=warnings)
    assert [warning.startswith("one: its page has no transcript: ") for warning in warnings] == [True]
    assert "There is no transcript" in (catalog.site / "episodes" / "one.html").read_text()


AUDIO = SiteAudioFile(DEMO_AUDIO, "digest")


def test_audio_is_copied_only_if_settings_say_so(catalog: Project) -> None:
    write(catalog, audio=AUDIO)
    assert not (catalog.site / "media").exists()
    write(catalog, setting="copy", audio=AUDIO)
    assert (catalog.site / "media" / "one.ogg").read_bytes() == DEMO_AUDIO.read_bytes()
    assert 'data-source="media/one.ogg"' in (catalog.site / "episodes" / "one.html").read_text()
    write(catalog, setting="link", audio=AUDIO)
    assert not list((catalog.site / "media").iterdir())
    assert os.path.relpath(DEMO_AUDIO, catalog.site) in (catalog.site / "data" / "catalog.js").read_text()


def test_missing_copy_of_audio_is_written_again(catalog: Project) -> None:
    write(catalog, setting="copy", audio=AUDIO)
    (catalog.site / "media" / "one.ogg").unlink()
    assert write(catalog, setting="copy", audio=AUDIO) is not None
    assert (catalog.site / "media" / "one.ogg").read_bytes() == DEMO_AUDIO.read_bytes()


def test_damaged_page_is_repaired_beside_changed_episode(catalog: Project) -> None:
    write(catalog)
    whole = (catalog.site / "episodes" / "one.html").read_bytes()
    (catalog.site / "episodes" / "one.html").write_text("damaged")
    add_to_catalog(catalog, "two", "Something else", published=date(2026, 11, 9))
    write(catalog)
    assert (catalog.site / "episodes" / "one.html").read_bytes() == whole


def test_empty_catalog_has_no_site(tmp_path: Path) -> None:
    assert write(Project(tmp_path)) is None
    assert not (tmp_path / "data").exists()


def test_run_writes_and_reports_site(project: Project, transcriber: FakeTranscriber) -> None:
    def run() -> list[Path]:
        return run_stages(
            project, ["one", "two"], ("download", "transcribe", "align", "publish"),
            transcriber=lambda show: transcriber, reporter=RecordingReporter(),
        ).written  # fmt: skip

    add_episode(project, "two")
    assert project.site / "index.html" in run()
    assert "Episode two" in (project.site / "index.html").read_text()
    assert run() == []
    shutil.rmtree(project.site)
    assert run() == [project.site / "index.html"]
