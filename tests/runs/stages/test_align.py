"""The stage `align`: which list it aligns, when it aligns again, and how far starts move with other audio."""

import json

import pandas as pd
import pytest

from pipeline.core.project import Project
from pipeline.core.schema import Alignment, Feature, Method, Placement, Status
from pipeline.download.record import read_audio
from pipeline.runs.stages.align import METHOD_0_1_0, METHOD_INPUTS_0_1_0, STAGE, describe_start_shifts
from pipeline.runs.workflow import list_stage_statuses
from tests.support.faulty_server import Server, write_tone
from tests.support.project import (
    LINES,
    PAGE,
    FakeTranscriber,
    RecordingReporter,
    add_episode,
    done,
    make_transcript,
    run,
)


def placed(*starts: float | None) -> Alignment:
    return Alignment(
        tuple(
            Placement(n, start, None, Status.CONFIDENT, 1.0, Method.PHRASE, "said")
            for n, start in enumerate(starts, start=1)
        )
    )


FEATURES = (Feature(1, "Sort", feature_id=1), Feature(2, "Theme", feature_id=2), Feature(3, "Export", feature_id=3))


def before(*starts: float | None, sha256: str | None = "old") -> dict[str, object]:
    return {
        "provenance": {"audio_sha256": sha256},
        "features": [{"feature_id": feature.feature_id, "title": feature.title} for feature in FEATURES],
        "placements": [{"start": start} for start in starts],
    }


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ((10.0, 20.0, None), (41.0, 51.0, 70.0), "2 of 2 starts moved, +0:31 at the median (from +0:31 to +0:31)"),
        ((10.0, 20.0, 30.0), (10.2, 50.0, 28.0), "2 of 3 starts moved, +0:14 at the median (from -0:02 to +0:30)"),
        ((10.0, 20.0, 30.0), (10.2, 20.0, 30.4), "none of 3 starts moved"),
        ((None, 20.0, None), (10.0, None, 30.0), "no start was found in both versions"),
    ],
)
def test_start_shifts_are_described(
    old: tuple[float | None, ...], new: tuple[float | None, ...], expected: str
) -> None:
    described = describe_start_shifts(before(*old), FEATURES, placed(*new), "new")
    assert described is not None
    assert described.endswith(expected)


@pytest.mark.parametrize("sha256", [None, "new"])
def test_same_or_unknown_audio_gives_no_shift(sha256: str | None) -> None:
    assert describe_start_shifts(before(1.0, 2.0, 3.0, sha256=sha256), FEATURES, placed(5.0, 6.0, 7.0), "new") is None


def test_shifts_match_features_by_id_not_position() -> None:
    turned = (FEATURES[1], FEATURES[0])
    described = describe_start_shifts(before(10.0, 20.0, 30.0), turned, placed(20.0, 10.0), "new")
    assert described == "the audio changed; none of 2 starts moved"


def test_new_cut_is_transcribed_and_shifts_reported(project: Project) -> None:
    own = write_tone(project.root / "own.mp3", "talk.mp3", 60.0)
    add_episode(project, "one", source=own)
    run(project, FakeTranscriber(make_transcript(LINES)))
    folder, old = project.raw("one"), read_audio(project.raw("one"))
    own.unlink()
    write_tone(own, "talk.mp3", 80.0, pitch=330.0)

    run(project, FakeTranscriber(make_transcript(LINES)), stages=("download",))
    kept = folder / "renditions" / old.sha256[:12]
    assert {path.name for path in kept.iterdir()} == {"audio.mp3", "audio.json"}
    assert json.loads((kept / "audio.json").read_text())["sha256"] == old.sha256
    stale = {status.stage: status.reason for status in list_stage_statuses(project, ["one"], RecordingReporter())}
    assert (stale["download"], stale["transcribe"]) == ("up to date", "audio changed")

    advert = ["And now a word from the people who make our kites."] * 2
    notes = RecordingReporter()
    result = run(project, FakeTranscriber(make_transcript([*advert, *LINES])), notes=notes)
    message = "the audio changed: 2 of 2 starts moved, +0:20 at the median (from +0:20 to +0:20)"
    assert result.notes == [f"one: {message}"]
    assert notes.warnings == [f"one: {message}"]
    reports = sorted(project.runs.glob("*.json"))
    assert json.loads(reports[-1].read_text())["notes"] == [f"one: {message}"]
    assert not (folder / "renditions").exists()


def test_method_inputs_of_version_0_1_are_converted() -> None:
    recorded = {"transcript": "t", **METHOD_INPUTS_0_1_0, "episode-catalog": "0.1.0"}
    assert STAGE.convert_inputs(recorded) == {"transcript": "t", "alignment method": METHOD_0_1_0}
    older = STAGE.convert_inputs({**recorded, "alignment": "3"})
    assert older == {"transcript": "t", "alignment method": "older than version 0.2.0"}
    current = {"transcript": "t", "alignment method": "m"}
    assert STAGE.convert_inputs(current) == current


@pytest.mark.parametrize(("number", "stages"), [("4", ["publish"]), ("3", ["align", "publish"])])
def test_upgrade_from_version_0_1_0_repeats_little(
    project: Project, transcriber: FakeTranscriber, monkeypatch: pytest.MonkeyPatch, number: str, stages: list[str]
) -> None:
    monkeypatch.setattr("pipeline.runs.stages.align.alignment_version", lambda: METHOD_0_1_0)
    run(project, transcriber)
    path = project.state("one")
    state = json.loads(path.read_text())
    inputs = {name: record["inputs"] for name, record in state["stages"].items()}
    inputs["transcribe"]["recogniser"] = inputs["transcribe"].pop("transcriber")
    del inputs["align"]["alignment method"]
    inputs["align"] |= {**METHOD_INPUTS_0_1_0, "alignment": number, "episode-catalog": "0.1.0"}
    inputs["publish"]["episode-catalog"] = "0.1.0"
    path.write_text(json.dumps({"stages": state["stages"], "stamps": state["fingerprints"]}))
    assert [stage for stage, _ in done(run(project, transcriber))] == stages
    assert run(project, transcriber).stages == []


def test_edited_list_is_aligned_without_transcribing(project: Project, transcriber: FakeTranscriber) -> None:
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


def test_list_at_url_is_fetched_again_with_refresh(
    project: Project, transcriber: FakeTranscriber, web_server: Server
) -> None:
    web_server.put("/list.txt", PAGE.encode(), "text/plain")
    settings = project.episode("one")
    settings.write_text(settings.read_text().replace("one.txt", f"{web_server.url}/list.txt"))
    run(project, transcriber)
    web_server.put("/list.txt", (PAGE + "Offline maps | v4.10 #500133\n").encode(), "text/plain")
    assert run(project, transcriber).stages == []
    assert done(run(project, transcriber, refresh=True))[0] == ("align", "feature list changed: 1 entry added")
    assert len(pd.read_parquet(project.catalog("one"))) == 3


def test_offline_fetches_no_list(project: Project, transcriber: FakeTranscriber) -> None:
    settings = project.episode("one")
    settings.write_text(settings.read_text().replace("one.txt", "https://example.org/list.txt?token=hush"))
    result = run(project, transcriber, offline=True)
    assert result.failures[0].error == (
        "the feature list https://example.org/list.txt?token=*** is on the network, and --offline forbids fetching it: "
        "run without --offline"
    )


def test_one_episode_of_several_is_taken(project: Project, transcriber: FakeTranscriber) -> None:
    intro = "Episode {} of the Kite Show walks through a long list of changes that matter to small teams.\n"
    (project.root / "one.txt").write_text(intro.format(8) + "Offline maps.\n" + intro.format(9) + PAGE)
    assert "episodes 8, 9: choose one with --episode" in str(run(project, transcriber).failures[0].error)
    settings = project.episode("one")
    settings.write_text(settings.read_text() + "features_episode: 9\n")
    assert run(project, transcriber).exit_code == 0
    assert len(pd.read_parquet(project.catalog("one"))) == 2


def test_column_names_of_the_show_apply(project: Project, transcriber: FakeTranscriber) -> None:
    (project.root / "one.csv").write_text("Was,Nummer\nInvoices can be sorted by due date,500111\n")
    settings = project.episode("one")
    settings.write_text(settings.read_text().replace("one.txt", "one.csv"))
    project.show.write_text(project.show.read_text() + "columns:\n  Was: title\n  Nummer: feature_id\n")
    assert run(project, transcriber).exit_code == 0
    assert list(pd.read_parquet(project.catalog("one"))["feature_id"]) == [500111]


def test_warnings_of_the_list_are_reported(project: Project, transcriber: FakeTranscriber) -> None:
    (project.root / "one.txt").write_text(PAGE + "Again | v4.10 #500111\n")
    notes = RecordingReporter()
    run(project, transcriber, notes=notes)
    assert any("id 500111 stands already in line 3, for another title" in warning for warning in notes.warnings)
