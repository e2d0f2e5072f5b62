"""A run does what is not up to date, and only that; one bad episode does not stop the others."""

import json
from pathlib import Path

import pandas as pd
import pytest
from filelock import FileLock

from pipeline.core.errors import ConfigError, LockHeldError
from pipeline.core.project import Project
from pipeline.publish.formats import FORMATS, TAGGED_AUDIO
from pipeline.runs.workflow import list_episodes, list_stage_statuses
from tests.support.files import silent_mp3
from tests.support.project import ALL_STAGES as ALL
from tests.support.project import (
    DEMO_AUDIO,
    LINES,
    PAGE,
    FakeTranscriber,
    RecordingReporter,
    add_episode,
    done,
    make_transcript,
    run,
)
from tests.support.web import MediaServer


def snapshot(project: Project) -> dict[str, bytes]:
    """Every file of the project but the run reports, by path."""
    files = (path for path in project.root.rglob("*") if path.is_file() and project.runs not in path.parents)
    return {path.relative_to(project.root).as_posix(): path.read_bytes() for path in files}


def test_a_first_run_does_every_stage_and_writes_every_file(project: Project, transcriber: FakeTranscriber) -> None:
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


def test_the_catalog_says_where_each_feature_starts(project: Project, transcriber: FakeTranscriber) -> None:
    run(project, transcriber)
    table = pd.read_parquet(project.catalog("one"))
    assert list(table["feature_id"]) == [500111, 500122]
    assert table["start_s"].between([8, 28], [21, 41]).all()
    assert table["url"][0].startswith("https://example.org/one#t=")
    assert table["transcript_source"].unique().tolist() == ["whisper"]
    assert table["audio_sha256"].str.len().eq(64).all()


def test_a_second_run_finds_everything_up_to_date(project: Project, transcriber: FakeTranscriber) -> None:
    run(project, transcriber)
    before = snapshot(project)
    result = run(project, transcriber)
    assert (result.stages, result.written, len(transcriber.calls)) == ([], [], 1)
    assert snapshot(project) == before


def test_an_edited_list_is_aligned_and_published_again_without_transcribing(
    project: Project, transcriber: FakeTranscriber
) -> None:
    run(project, transcriber)
    (project.root / "one.txt").write_text(PAGE + "Offline maps | v4.10 #500133\n")
    result = run(project, transcriber)
    assert done(result) == [
        ("align", "feature list changed: 1 entry added"),
        ("publish", "alignment changed"),
    ]
    assert len(transcriber.calls) == 1
    assert len(pd.read_csv(project.catalog_csv)) == 3


def test_every_revision_of_the_list_is_kept(project: Project, transcriber: FakeTranscriber) -> None:
    run(project, transcriber)
    (project.root / "one.txt").write_text(PAGE.replace("dark", "night"))
    run(project, transcriber)
    kept = sorted(path.read_text() for path in (project.raw("one") / "features").iterdir())
    assert kept == sorted([PAGE, PAGE.replace("dark", "night")])


def test_a_list_at_an_address_is_fetched_once_and_again_when_asked(
    project: Project, transcriber: FakeTranscriber, media_server: MediaServer
) -> None:
    media_server.pages["/list.txt"] = ("text/plain", PAGE.encode())
    settings = project.episode("one")
    settings.write_text(settings.read_text().replace("one.txt", f"{media_server.url}/list.txt"))
    run(project, transcriber)
    media_server.pages["/list.txt"] = ("text/plain", (PAGE + "Offline maps | v4.10 #500133\n").encode())
    assert run(project, transcriber).stages == []
    assert done(run(project, transcriber, refresh=True))[0] == ("align", "feature list changed: 1 entry added")
    assert len(pd.read_parquet(project.catalog("one"))) == 3


def test_offline_does_not_fetch_a_list(project: Project, transcriber: FakeTranscriber) -> None:
    settings = project.episode("one")
    settings.write_text(settings.read_text().replace("one.txt", "https://example.org/list.txt?token=hush"))
    result = run(project, transcriber, offline=True)
    assert result.failures[0].error == (
        "https://example.org/list.txt?token=*** is on the network, and --offline forbids fetching it"
    )


def test_one_episode_of_a_page_with_several_is_taken(project: Project, transcriber: FakeTranscriber) -> None:
    intro = "Episode {} of the Kite Show walks through a long list of changes that matter to small teams.\n"
    (project.root / "one.txt").write_text(intro.format(8) + "Offline maps.\n" + intro.format(9) + PAGE)
    assert "episodes 8, 9: say which" in str(run(project, transcriber).failures[0].error)
    settings = project.episode("one")
    settings.write_text(settings.read_text() + "features_episode: 9\n")
    assert run(project, transcriber).exit_code == 0
    assert len(pd.read_parquet(project.catalog("one"))) == 2


def test_a_show_s_own_column_names_are_understood(project: Project, transcriber: FakeTranscriber) -> None:
    (project.root / "one.csv").write_text("Was,Nummer\nInvoices can be sorted by due date,500111\n")
    settings = project.episode("one")
    settings.write_text(settings.read_text().replace("one.txt", "one.csv"))
    project.show.write_text(project.show.read_text() + "columns:\n  Was: title\n  Nummer: feature_id\n")
    assert run(project, transcriber).exit_code == 0
    assert list(pd.read_parquet(project.catalog("one"))["feature_id"]) == [500111]


def test_notes_chapters_and_subtitles_are_written(project: Project, transcriber: FakeTranscriber) -> None:
    run(project, transcriber)
    assert sorted(path.name for path in project.notes("one").iterdir()) == sorted(FORMATS)
    project.notes("one").joinpath("chapters.json").unlink()
    assert done(run(project, transcriber)) == [("publish", "data/processed/notes/one/chapters.json is missing")]


def test_doubtful_starts_are_published_when_asked_for(project: Project, transcriber: FakeTranscriber) -> None:
    run(project, transcriber)
    assert done(run(project, transcriber, include_review=True)) == [
        ("publish", "doubtful starts changed from left out to published")
    ]


def test_an_mp3_gets_a_copy_with_chapters_unless_the_show_wants_none(
    project: Project, transcriber: FakeTranscriber
) -> None:
    add_episode(project, "one", source=silent_mp3(project.root / "talk.mp3"))
    run(project, transcriber)
    tagged = project.notes("one") / TAGGED_AUDIO
    assert tagged.stat().st_size > (project.root / "talk.mp3").stat().st_size
    tagged.unlink()
    project.show.write_text(project.show.read_text() + "id3_chapters: false\n")
    run(project, transcriber)
    assert not tagged.exists()


def test_status_tells_every_reason_and_each_once(project: Project, transcriber: FakeTranscriber) -> None:
    run(project, transcriber)
    settings = project.episode("one")
    settings.write_text(settings.read_text().replace("Episode one", "Kites").replace("2026-11-02", "2026-11-09"))
    (publish,) = [one.reason for one in list_stage_statuses(project, ["one"], RecordingReporter()) if one.stale]
    assert publish == "title changed from Episode one to Kites; published date changed from 2026-11-02 to 2026-11-09"
    settings.write_text(settings.read_text().replace(str(DEMO_AUDIO), str(silent_mp3(project.root / "talk.mp3"))))
    download = list_stage_statuses(project, ["one"], RecordingReporter())[0].reason
    assert download.startswith("source changed")
    assert ";" not in download


def test_status_tells_what_a_run_would_do_and_does_nothing(project: Project, transcriber: FakeTranscriber) -> None:
    def look() -> list[tuple[str, str]]:
        return [
            (one.stage, one.reason) for one in list_stage_statuses(project, ["one"], RecordingReporter()) if one.stale
        ]

    assert look()[0] == ("download", "not done yet")
    assert look()[1] == ("transcribe", "comes after download")
    run(project, transcriber)
    assert look() == []
    (project.root / "one.txt").write_text(PAGE.replace("dark", "night"))
    before = snapshot(project)
    assert look() == [("align", "feature list changed: 1 entry renamed"), ("publish", "comes after align")]
    assert snapshot(project) == before


@pytest.mark.parametrize("content", ["{}", '{"features": 3, "placements": [], "provenance": {}}', "[]", "{"])
def test_a_damaged_alignment_is_one_line_that_says_what_to_do(
    project: Project, transcriber: FakeTranscriber, content: str
) -> None:
    run(project, transcriber)
    project.alignment("one").write_text(content)
    result = run(project, transcriber, stages=("publish",))
    assert "one.json" in str(result.failures[0].error)
    assert "--force" in str(result.failures[0].error)
    assert run(project, transcriber).exit_code == 0


def test_what_an_address_holds_of_secrets_is_not_recorded(project: Project, transcriber: FakeTranscriber) -> None:
    add_episode(project, "one", source="http://127.0.0.1:9/talk.mp3?token=hush")
    project.show.write_text(project.show.read_text() + "download: {retries: 0}\n")
    run(project, transcriber)
    kept = [path for path in project.root.rglob("*") if path.is_file() and b"hush" in path.read_bytes()]
    assert kept == [project.episode("one")]


def test_a_new_title_is_only_published_again(project: Project, transcriber: FakeTranscriber) -> None:
    run(project, transcriber)
    settings = project.episode("one")
    settings.write_text(settings.read_text().replace("Episode one", "First"))
    assert done(run(project, transcriber)) == [("publish", "title changed from Episode one to First")]


def test_another_speech_model_transcribes_again(project: Project, transcriber: FakeTranscriber) -> None:
    run(project, transcriber)
    project.show.write_text(project.show.read_text() + "model: small\n")
    assert done(run(project, transcriber))[0] == ("transcribe", "speech model changed from base to small")


def test_an_output_taken_away_is_made_again(project: Project, transcriber: FakeTranscriber) -> None:
    run(project, transcriber)
    before = snapshot(project)
    project.catalog("one").unlink()
    project.catalog_csv.unlink()
    assert done(run(project, transcriber)) == [("publish", "data/processed/catalog/one.parquet is missing")]
    assert snapshot(project).keys() == before.keys()
    assert project.catalog("one").read_bytes() == before["data/processed/catalog/one.parquet"]


def test_force_runs_what_is_up_to_date_and_gives_the_same_bytes(project: Project, transcriber: FakeTranscriber) -> None:
    run(project, transcriber)
    catalog = project.catalog("one").read_bytes(), project.catalog_csv.read_bytes()
    result = run(project, transcriber, force=True)
    assert done(result) == [(stage, "asked for by --force") for stage in ALL]
    assert (project.catalog("one").read_bytes(), project.catalog_csv.read_bytes()) == catalog


def test_two_projects_with_the_same_inputs_write_the_same_catalog(
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


def test_one_stage_alone_asks_for_the_one_before(project: Project, transcriber: FakeTranscriber) -> None:
    result = run(project, transcriber, stages=("align",))
    assert result.exit_code == 1
    assert "run `catalog transcribe one` first" in str(result.failures[0].error)


def test_a_bad_episode_leaves_the_others_done(project: Project, transcriber: FakeTranscriber) -> None:
    add_episode(project, "bad", source="missing.mp3")
    add_episode(project, "two")
    notes = RecordingReporter()
    result = run(project, transcriber, "bad", "one", "two", notes=notes)
    assert result.exit_code == 3
    assert [(r.episode_id, r.stage) for r in result.failures] == [("bad", "download")]
    assert "missing.mp3 does not exist" in str(result.failures[0].error)
    assert pd.read_csv(project.catalog_csv)["episode_id"].unique().tolist() == ["one", "two"]
    assert [r.error is None for r in notes.results] == [r.error is None for r in result.stages]


def test_a_single_bad_episode_is_wrong_input(project: Project, transcriber: FakeTranscriber) -> None:
    (project.root / "one.txt").write_text("\n")
    result = run(project, transcriber)
    assert result.exit_code == 1
    assert "one.txt: no feature found" in str(result.failures[0].error)


def test_a_list_s_warnings_are_told(project: Project, transcriber: FakeTranscriber) -> None:
    (project.root / "one.txt").write_text(PAGE + "Again | v4.10 #500111\n")
    notes = RecordingReporter()
    run(project, transcriber, notes=notes)
    assert any("id 500111 stands already in line 3, for another title" in warning for warning in notes.warnings)


def test_an_unknown_episode_stops_the_run_before_it_starts(project: Project, transcriber: FakeTranscriber) -> None:
    with pytest.raises(ConfigError, match=r"there is no episode nine: .*known: one"):
        run(project, transcriber, "one", "nine")
    assert not (project.root / "data").exists() or not list(project.raw("one").glob("*"))


def test_a_folder_that_is_no_project_is_left_alone(tmp_path: Path, transcriber: FakeTranscriber) -> None:
    with pytest.raises(ConfigError, match="show.yaml does not exist"):
        run(Project(tmp_path), transcriber)
    assert list(tmp_path.iterdir()) == []


def test_a_second_run_at_the_same_time_is_refused(project: Project, transcriber: FakeTranscriber) -> None:
    project.processed.mkdir(parents=True)
    with FileLock(project.lock), pytest.raises(LockHeldError, match="another run is at work") as raised:
        run(project, transcriber)
    assert raised.value.exit_code == 4


def test_a_run_leaves_a_report_of_each_stage(project: Project, transcriber: FakeTranscriber) -> None:
    run(project, transcriber)
    run(project, transcriber)  # nothing to do, nothing to report
    (report,) = project.runs.glob("*.json")
    record = json.loads(report.read_text())
    assert [stage["stage"] for stage in record["stages"]] == list(ALL)
    assert all(stage["seconds"] >= 0 and stage["error"] is None for stage in record["stages"])


def test_the_audio_is_linked_not_copied_where_the_disk_allows(
    project: Project, transcriber: FakeTranscriber, tmp_path: Path
) -> None:
    own = tmp_path / "talk.ogg"
    own.write_bytes(DEMO_AUDIO.read_bytes())
    add_episode(project, "one", source="talk.ogg")
    run(project, transcriber, stages=("download",))
    assert (project.raw("one") / "audio.ogg").samefile(own)


def test_episodes_are_listed_by_name(project: Project) -> None:
    add_episode(project, "ep2")
    add_episode(project, "ep10")
    assert list_episodes(project) == ["ep10", "ep2", "one"]
    (project.episodes / "ep3.yml").touch()
    with pytest.raises(ConfigError, match=r"ep3\.yml is not read as an episode: name it ep3\.yaml"):
        list_episodes(project)


def test_a_transcript_in_the_settings_takes_the_place_of_speech_recognition(
    project: Project, transcriber: FakeTranscriber
) -> None:
    cues = [
        f"{n}\n00:00:{segment.start:02.0f},000 --> 00:00:{segment.end:02.0f},000\n{segment.text}\n"
        for n, segment in enumerate(make_transcript(LINES).segments, start=1)
    ]
    (project.root / "one.srt").write_text("\n".join(cues))
    settings = project.episode("one")
    settings.write_text(settings.read_text() + "transcript: one.srt\n")
    result = run(project, transcriber)
    assert transcriber.calls == []
    row = result.rows["one"][0]
    assert (row.transcript_source, row.model) == ("file", "")
    assert row.start_s == pytest.approx(10, abs=1)
    assert row.audio_sha256
    (project.root / "one.srt").write_text("\n".join(cues[:-1]))
    assert run(project, transcriber).stages[0].reason == "transcript file changed"


def test_a_transcript_that_is_not_there_is_named(project: Project, transcriber: FakeTranscriber) -> None:
    settings = project.episode("one")
    settings.write_text(settings.read_text() + "transcript: lost.srt\n")
    (failure,) = run(project, transcriber).failures
    assert "lost.srt is not there: correct `transcript`" in (failure.error or "")


@pytest.mark.parametrize("again", [True, False])
def test_a_new_glossary_transcribes_anew_only_where_the_settings_say_so(
    project: Project, transcriber: FakeTranscriber, *, again: bool
) -> None:
    settings = project.show.read_text()
    if again:
        settings += "retranscribe_on_glossary_change: true\n"
    project.show.write_text(settings + "glossary: [Entra]\n")
    run(project, transcriber)
    project.show.write_text(settings + "glossary: [Entra, Datto]\n")
    stages = [(stage.stage, stage.reason) for stage in run(project, transcriber).stages]
    assert stages == ([("transcribe", "glossary changed from Entra to Entra; Datto")] if again else [])
