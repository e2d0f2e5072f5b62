"""The site is written whole, from the catalog's files, and only where something changed."""

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
    project: Project, *, audio: SiteAudio = "none", found: SiteAudioFile | None = None, told: list[str] | None = None
) -> Path | None:
    warnings = told if told is not None else []
    return write_site(
        project,
        ShowConfig.model_validate({"name": "Show", "site_audio": audio}),
        find_audio=lambda _: found,
        warn=lambda name, note: warnings.append(f"{name}: {note}"),
    )


def stamps(project: Project) -> dict[str, int]:
    files = (path for path in project.site.rglob("*") if path.is_file())
    return {path.relative_to(project.site).as_posix(): path.stat().st_mtime_ns for path in files}


@pytest.fixture
def catalog(tmp_path: Path) -> Project:
    project = Project(tmp_path)
    add_to_catalog(project, "one", published=date(2026, 11, 2))
    add_to_catalog(project, "two", published=date(2026, 11, 9))
    return project


def test_every_episode_has_a_page_and_the_newest_comes_first(catalog: Project) -> None:
    assert write(catalog) == catalog.site / "index.html"
    assert set(stamps(catalog)) == {
        "index.html", "data/catalog.js",
        *(f"assets/{'ufuzzy-LICENSE' if asset.endswith('LICENSE') else Path(asset).name}" for asset in ASSETS),
        *(f"episodes/{name}.html" for name in ("one", "two")),
        *(f"data/episodes/{name}.js" for name in ("one", "two")),
    }  # fmt: skip
    data = (catalog.site / "data" / "catalog.js").read_text()
    assert data.index("Episode two") < data.index("Episode one")


def test_nothing_is_written_twice(catalog: Project) -> None:
    write(catalog)
    before = stamps(catalog)
    assert write(catalog) is None
    assert stamps(catalog) == before


def test_the_same_catalog_gives_the_same_bytes(catalog: Project, tmp_path: Path) -> None:
    write(catalog)
    first = {path: path.read_bytes() for path in catalog.site.rglob("*") if path.is_file()}
    shutil.rmtree(catalog.site)
    write(catalog)
    assert {path: path.read_bytes() for path in first} == first


def test_a_changed_episode_is_the_only_one_whose_page_is_made_again(catalog: Project) -> None:
    write(catalog)
    before = stamps(catalog)
    add_to_catalog(catalog, "two", "Something else", published=date(2026, 11, 9))
    write(catalog)
    after = stamps(catalog)
    assert before["episodes/one.html"] == after["episodes/one.html"]
    assert before["episodes/two.html"] != after["episodes/two.html"]
    assert "Something else" in (catalog.site / "data" / "catalog.js").read_text()


@pytest.mark.parametrize("name", ["index.html", "data/catalog.js", "assets/search.js", "episodes/one.html"])
def test_a_file_that_is_gone_or_was_changed_is_made_again(catalog: Project, name: str) -> None:
    write(catalog)
    whole = (catalog.site / name).read_bytes()
    for damaged in (None, "damaged"):
        (catalog.site / name).unlink()
        if damaged is not None:
            (catalog.site / name).write_text(damaged)
        assert write(catalog) is not None
        assert (catalog.site / name).read_bytes() == whole


def test_the_page_of_an_episode_that_is_gone_goes_too(catalog: Project) -> None:
    write(catalog)
    catalog.catalog("one").unlink()
    write(catalog)
    assert not (catalog.site / "episodes" / "one.html").exists()
    assert "Episode one" not in (catalog.site / "index.html").read_text()


def test_what_was_said_by_a_person_beside_the_site_stays(catalog: Project) -> None:
    write(catalog)
    (catalog.site / "CNAME").write_text("shows.example.org")
    add_to_catalog(catalog, "three")
    write(catalog)
    assert (catalog.site / "CNAME").exists()


@pytest.mark.parametrize("content", [None, "not json", '{"segments": 3}'])
def test_an_episode_without_a_transcript_has_a_page_all_the_same(catalog: Project, content: str | None) -> None:
    catalog.transcript("one").unlink()
    if content is not None:
        catalog.transcript("one").write_text(content)
    told: list[str] = []
    write(catalog, told=told)
    assert [line.startswith("one: its page has no transcript: ") for line in told] == [True]
    assert "There is no transcript" in (catalog.site / "episodes" / "one.html").read_text()


def test_audio_is_copied_only_where_the_settings_ask_for_it(catalog: Project) -> None:
    sound = SiteAudioFile(DEMO_AUDIO, "digest")
    write(catalog, found=sound)
    assert not (catalog.site / "media").exists()
    write(catalog, audio="copy", found=sound)
    assert (catalog.site / "media" / "one.ogg").read_bytes() == DEMO_AUDIO.read_bytes()
    assert 'data-address="media/one.ogg"' in (catalog.site / "episodes" / "one.html").read_text()
    write(catalog, audio="link", found=sound)
    assert not list((catalog.site / "media").iterdir())
    assert os.path.relpath(DEMO_AUDIO, catalog.site) in (catalog.site / "data" / "catalog.js").read_text()


def test_an_empty_catalog_has_no_site(tmp_path: Path) -> None:
    assert write(Project(tmp_path)) is None
    assert not (tmp_path / "data").exists()


def test_a_run_writes_the_site_and_says_so(project: Project, transcriber: FakeTranscriber) -> None:
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
