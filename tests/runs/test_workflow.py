"""A run does only what is not up to date; a failed episode does not stop the others."""

import os
import time
from pathlib import Path

import pandas as pd
import pytest
from filelock import FileLock

from pipeline.core.errors import ConfigError, InputError, LockHeldError
from pipeline.core.project import Project
from pipeline.runs.workflow import list_episodes, list_stage_statuses
from tests.support.project import ALL_STAGES as ALL
from tests.support.project import (
    PAGE,
    FakeTranscriber,
    RecordingReporter,
    add_episode,
    done,
    run,
)

# Seconds after which the time of a change is no longer within the grain of any clock.
CLOCK_GRAIN_S = 2.1


def snapshot(project: Project) -> dict[str, bytes]:
    """Every file of the project but the run reports, by path."""
    files = (path for path in project.root.rglob("*") if path.is_file() and project.runs not in path.parents)
    return {path.relative_to(project.root).as_posix(): path.read_bytes() for path in files}


def test_first_run_writes_every_file(project: Project, transcriber: FakeTranscriber) -> None:
    result = run(project, transcriber)
    assert (result.exit_code, done(result)) == (0, [(stage, "not done yet") for stage in ALL])
    assert set(snapshot(project)) >= {
        "data/raw/one/audio.ogg",
        "data/raw/one/audio.json",
        "data/processed/transcripts/one.json",
        "data/processed/alignments/one.json",
        "data/processed/catalog/one.parquet",
        "data/processed/catalog.csv",
    }
    assert not list(project.root.rglob("*.tmp"))


def test_catalog_has_start_of_each_feature(project: Project, transcriber: FakeTranscriber) -> None:
    run(project, transcriber)
    table = pd.read_parquet(project.catalog("one"))
    assert list(table["feature_id"]) == [500111, 500122]
    assert table["start_s"].between([8, 28], [21, 41]).all()
    assert table["url"][0].startswith("https://example.org/one#t=")
    assert table["transcript_source"].unique().tolist() == ["whisper"]
    assert table["audio_sha256"].str.len().eq(64).all()


def test_second_run_finds_everything_up_to_date(project: Project, transcriber: FakeTranscriber) -> None:
    run(project, transcriber)
    # Files that are younger than the clock's grain are read once more, and their fingerprints are then recorded.
    for _ in range(2):
        time.sleep(CLOCK_GRAIN_S)
        before = snapshot(project)
        result = run(project, transcriber)
        assert (result.stages, result.written, len(transcriber.calls)) == ([], [], 1)
    assert snapshot(project) == before


def test_missing_output_is_written_again(project: Project, transcriber: FakeTranscriber) -> None:
    run(project, transcriber)
    before = snapshot(project)
    project.catalog("one").unlink()
    project.catalog_csv.unlink()
    assert done(run(project, transcriber)) == [("publish", "data/processed/catalog/one.parquet is missing")]
    assert snapshot(project).keys() == before.keys()
    assert project.catalog("one").read_bytes() == before["data/processed/catalog/one.parquet"]


def test_force_runs_again_and_gives_equal_bytes(project: Project, transcriber: FakeTranscriber) -> None:
    run(project, transcriber)
    catalog = project.catalog("one").read_bytes(), project.catalog_csv.read_bytes()
    result = run(project, transcriber, force=True)
    assert done(result) == [(stage, "asked for by --force") for stage in ALL]
    assert (project.catalog("one").read_bytes(), project.catalog_csv.read_bytes()) == catalog


def test_equal_inputs_give_equal_catalogs(
    project: Project, transcriber: FakeTranscriber, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run(project, transcriber)
    other = Project(tmp_path_factory.mktemp("other"))
    for name in ("configs/show.yaml", "configs/episodes/one.yaml", "one.txt"):
        copy = other.root / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((project.root / name).read_bytes())
    run(other, transcriber)
    assert other.catalog("one").read_bytes() == project.catalog("one").read_bytes()
    assert other.catalog_csv.read_bytes() == project.catalog_csv.read_bytes()


def test_stage_alone_needs_the_one_before(project: Project, transcriber: FakeTranscriber) -> None:
    result = run(project, transcriber, stages=("align",))
    assert result.exit_code == 1
    assert "run `catalog transcribe one` first" in str(result.failures[0].error)


def test_failed_episode_does_not_stop_others(project: Project, transcriber: FakeTranscriber) -> None:
    add_episode(project, "bad", source="missing.mp3")
    add_episode(project, "two")
    notes = RecordingReporter()
    result = run(project, transcriber, "bad", "one", "two", notes=notes)
    assert result.exit_code == 3
    assert [(r.episode_id, r.stage) for r in result.failures] == [("bad", "download")]
    assert "missing.mp3 does not exist" in str(result.failures[0].error)
    assert pd.read_csv(project.catalog_csv)["episode_id"].unique().tolist() == ["one", "two"]
    assert [r.error is None for r in notes.results] == [r.error is None for r in result.stages]


def test_single_failed_episode_exits_1(project: Project, transcriber: FakeTranscriber) -> None:
    (project.root / "one.txt").write_text("\n")
    result = run(project, transcriber)
    assert result.exit_code == 1
    assert "one.txt: no feature found" in str(result.failures[0].error)


def test_unknown_episode_stops_the_run_at_once(project: Project, transcriber: FakeTranscriber) -> None:
    with pytest.raises(ConfigError, match=r"there is no episode nine: .*known: one"):
        run(project, transcriber, "one", "nine")
    assert not (project.root / "data").exists() or not list(project.raw("one").glob("*"))


def test_folder_without_project_stays_untouched(tmp_path: Path, transcriber: FakeTranscriber) -> None:
    with pytest.raises(ConfigError, match="show.yaml does not exist"):
        run(Project(tmp_path), transcriber)
    assert list(tmp_path.iterdir()) == []


def test_concurrent_run_is_refused(project: Project, transcriber: FakeTranscriber) -> None:
    project.processed.mkdir(parents=True)
    with FileLock(project.lock), pytest.raises(LockHeldError, match="another run is at work") as raised:
        run(project, transcriber)
    assert raised.value.exit_code == 4


def test_episodes_are_listed_by_name(project: Project) -> None:
    add_episode(project, "ep2")
    add_episode(project, "ep10")
    assert list_episodes(project) == ["ep10", "ep2", "one"]


def test_status_shows_due_stages_and_writes_nothing(project: Project, transcriber: FakeTranscriber) -> None:
    def look() -> list[tuple[str, str]]:
        return [
            (status.stage, status.reason)
            for status in list_stage_statuses(project, ["one"], RecordingReporter())
            if status.stale
        ]

    assert look()[0] == ("download", "not done yet")
    assert look()[1] == ("transcribe", "comes after download")
    run(project, transcriber)
    assert look() == []
    (project.root / "one.txt").write_text(PAGE.replace("dark", "night"))
    before = snapshot(project)
    assert look() == [("align", "feature list changed: 1 entry renamed"), ("publish", "comes after align")]
    assert snapshot(project) == before


@pytest.mark.parametrize("name", ["ep3.yml", "one (1).yaml", "EP4.yaml", "-x.yaml"])
def test_misnamed_settings_stop_no_other_episode(project: Project, transcriber: FakeTranscriber, name: str) -> None:
    (project.episodes / name).write_bytes(project.episode("one").read_bytes())
    assert list_episodes(project) == ["one"]
    notes = RecordingReporter()
    assert run(project, transcriber, notes=notes).exit_code == 3
    assert [f"{name} is not read as an episode: " in warning for warning in notes.warnings] == [True]
    assert project.catalog_csv.is_file()
    assert "is not read as an episode" in max(project.runs.glob("*.json")).read_text()


def test_pipe_among_the_settings_is_reported(project: Project, transcriber: FakeTranscriber) -> None:
    os.mkfifo(project.episodes / "two.yaml")
    (project.episodes / "three.yaml").mkdir()
    notes = RecordingReporter()
    assert run(project, transcriber, notes=notes).exit_code == 3
    assert [warning.rpartition("as an episode: ")[2] for warning in notes.warnings] == [
        "it is not a file: remove it"
    ] * 2
    assert project.catalog_csv.is_file()


def test_link_to_missing_disk_is_named(project: Project, transcriber: FakeTranscriber) -> None:
    (project.root / "data").symlink_to("/mnt/not-mounted/show")
    with pytest.raises(InputError, match=r"/data leads to /mnt/not-mounted/show, which is not there: bring it back"):
        run(project, transcriber)


def test_corrections_of_no_episode_are_reported(project: Project, transcriber: FakeTranscriber) -> None:
    folder = project.corrections("one").parent
    folder.mkdir()
    (folder / "one.yml").touch()
    notes = RecordingReporter()
    assert run(project, transcriber, notes=notes).exit_code == 0
    assert [f"{folder / 'one.yml'} belongs to no episode" in warning for warning in notes.warnings] == [True]


def test_foreign_catalog_file_stops_nothing(project: Project, transcriber: FakeTranscriber) -> None:
    project.dataset.mkdir(parents=True)
    (project.dataset / "notes.parquet").write_bytes(b"no Parquet")
    notes = RecordingReporter()
    assert run(project, transcriber, notes=notes).exit_code == 0
    assert [warning.startswith("notes: ") for warning in notes.warnings] == [True]
    assert {"index.html"} <= {path.name for path in project.site.iterdir()}
    assert len(list(project.runs.glob("*.json"))) == 1


def test_damaged_catalog_of_another_episode_is_a_failure(project: Project, transcriber: FakeTranscriber) -> None:
    add_episode(project, "two")
    run(project, transcriber, "one", "two")
    project.catalog("two").write_bytes(b"PAR1")
    assert run(project, transcriber, "one").exit_code == 3
    assert pd.read_csv(project.catalog_csv)["episode_id"].unique().tolist() == ["one"]
    assert run(project, transcriber, "one", "two").exit_code == 0
    assert pd.read_csv(project.catalog_csv)["episode_id"].unique().tolist() == ["one", "two"]
