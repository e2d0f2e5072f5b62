"""Episodes that go through release lists: which entries they get, when they are aligned again, what they publish."""

from dataclasses import replace

import pytest

from pipeline.core.corrections import Correction, Decision, save_correction
from pipeline.core.project import Project
from pipeline.core.schema import Feature, Transcript
from pipeline.publish.dataset import read_rows
from pipeline.runs.workflow import list_stage_statuses
from tests.support.invented_shows import CHATTER
from tests.support.project import RecordingReporter, done
from tests.support.releases import (
    VERSIONS,
    add_release_episode,
    run_all,
    say,
    write_release,
)

OLD, NEW = VERSIONS["v5.5"], VERSIONS["v5.6"]


@pytest.fixture
def project(released: Project) -> Project:
    return released


def found(project: Project, episode_id: str, *, confident: bool = True) -> list[int | None]:
    """Return the ids of an episode's rows, or of those that are confident."""
    rows = read_rows(project.dataset, [episode_id])[episode_id]
    return [row.feature_id for row in rows if row.status in {"confident", "corrected"} or not confident]


def ids(*entries: Feature) -> list[int | None]:
    return [entry.feature_id for entry in entries]


def test_rows_are_entries_found_in_their_versions(project: Project) -> None:
    assert found(project, "old") == ids(*OLD[:4])
    assert found(project, "both") == ids(*OLD[6:8], *NEW[:2])
    rows = [row for rows in read_rows(project.dataset).values() for row in rows]
    assert {row.status for row in rows} <= {"confident", "review"}
    assert {row.version for row in rows if row.episode_id == "both" and row.feature_id in ids(*NEW)} == {"v5.6"}


def test_run_says_how_many_are_discussed(project: Project) -> None:
    notes = RecordingReporter()
    (project.root / "configs" / "corrections").mkdir()
    project.corrections("old").write_text("# none yet\n")
    run_all(project, "old", notes=notes)
    assert len(notes.notes) == 1
    assert notes.notes[0].startswith("old: ")
    assert notes.notes[0].endswith(" of 10 entries seem to be discussed here")


def test_changed_list_aligns_only_its_episodes(project: Project) -> None:
    assert done(run_all(project)) == []
    renamed = replace(OLD[0], title=f"{OLD[0].title} again")
    added = Feature(11, "Added zeppelin hangar", "Brings moorings.", 699_999, "v5.5")
    write_release(project, "v5.5", (renamed, *OLD[1:], added))
    result = run_all(project)
    aligned = {(stage.episode_id, stage.reason) for stage in result.stages if stage.stage == "align"}
    reason = "release list v5.5 changed: 1 entry added, 1 renamed"
    assert aligned == {("old", reason), ("both", reason)}
    assert found(project, "old") == ids(*OLD[:4])
    assert read_rows(project.dataset, ["old"])["old"][0].title == renamed.title
    assert done(run_all(project)) == []


def test_layout_of_list_changes_nothing(project: Project) -> None:
    before = project.alignment("old").read_bytes()
    path = write_release(project, "v5.5", OLD)
    path.write_text(path.read_text() + "\n\n")
    stages = run_all(project, "old").stages
    assert [(stage.stage, stage.reason) for stage in stages][:1] == [
        ("align", "release list v5.5 changed: only its layout")
    ]
    assert project.alignment("old").read_bytes() != before  # it names the list's new digest
    assert found(project, "old") == ids(*OLD[:4])


def test_revisions_of_release_list_are_kept(project: Project) -> None:
    write_release(project, "v5.5", OLD[:8])
    run_all(project)
    assert len(list(project.release_lists("v5.5").glob("*.csv"))) == 2
    assert len(list(project.release_lists("v5.6").glob("*.csv"))) == 1


def test_episode_may_change_its_versions(project: Project) -> None:
    path = project.episode("old")
    path.write_text(path.read_text().replace("versions: v5.5", "versions: [v5.5, v5.6]"))
    reasons = dict(done(run_all(project, "old")))
    assert reasons["align"] == (
        "versions changed from v5.5 to v5.5, v5.6; release list v5.6 changed: the episode goes through it now"
    )


def test_correction_survives_renaming_and_change_to_release_list(project: Project) -> None:
    typed = "\n".join(f"{entry.title} | v5.5 #{entry.feature_id}" for entry in OLD[:4])
    (project.root / "typed.txt").write_text(f"Full feature review:\n{typed}\n")
    settings = project.episode("old").read_text()
    project.episode("old").write_text(settings.replace("versions: v5.5", "features: typed.txt"))
    for number, start in ((0, 31.0), (2, 91.0)):
        moved = Correction(
            feature_id=OLD[number].feature_id, title=OLD[number].title, decision=Decision.MOVED, start=start
        )
        save_correction(project, "old", moved)
    absent = Correction(feature_id=OLD[3].feature_id, title=OLD[3].title, decision=Decision.NOT_DISCUSSED)
    save_correction(project, "old", absent)
    run_all(project, "old")
    project.episode("old").write_text(settings)
    notes = RecordingReporter()
    write_release(project, "v5.5", (replace(OLD[0], title=f"{OLD[0].title} for you"), *OLD[1:]))
    reasons = dict(done(run_all(project, "old", notes=notes)))
    assert "release list v5.5 changed: the episode goes through it now" in reasons["align"]
    assert notes.warnings == []
    rows = {row.feature_id: row for row in read_rows(project.dataset, ["old"])["old"]}
    corrected = [rows[entry.feature_id] for entry in (OLD[0], OLD[2], OLD[3])]
    assert [(row.start_s, row.status) for row in corrected] == [
        (31.0, "corrected"), (91.0, "corrected"), (None, "corrected"),
    ]  # fmt: skip


def test_list_of_its_own_wins(project: Project) -> None:
    (project.root / "typed.txt").write_text(f"Full feature review:\n{OLD[0].title} | v5.5 #{OLD[0].feature_id}\n")
    path = project.episode("old")
    path.write_text(path.read_text() + "features: typed.txt\n")
    run_all(project, "old")
    assert found(project, "old", confident=False) == ids(OLD[0])
    write_release(project, "v5.5", OLD[:8])
    assert {stage.episode_id for stage in run_all(project).stages} == {"both"}


def test_spoken_versions_choose_the_lists(project: Project) -> None:
    add_release_episode(project, "said", say(NEW[:3], "Welcome, today it is version five point six."))
    notes = RecordingReporter()
    run_all(project, "said", notes=notes)
    assert found(project, "said") == ids(*NEW[:3])
    assert "of 10 entries" in notes.notes[0]
    write_release(project, "v5.5", OLD[:8])
    assert "said" not in {stage.episode_id for stage in run_all(project).stages}


def test_episode_without_spoken_version_gets_all_lists(project: Project) -> None:
    add_release_episode(project, "silent", say(NEW[:3]))
    notes = RecordingReporter()
    run_all(project, "silent", notes=notes)
    assert "of 23 entries" in notes.notes[0]


def test_episode_without_any_entry_is_published(project: Project) -> None:
    small_talk = Transcript(tuple(part for part in say(OLD[:1]).segments if part.text in CHATTER), "en")
    add_release_episode(project, "bonus", small_talk, "versions: v5.5\ndiscussed: few\n")
    notes = RecordingReporter()
    result = run_all(project, "bonus", notes=notes)
    assert result.failures == []
    assert found(project, "bonus") == []
    problem = "bonus: no entry of v5.5 is found in the transcript: check `versions` in its settings"
    assert problem in notes.warnings
    assert "bonus" in (project.site / "index.html").read_text()
    assert done(run_all(project)) == []


def test_missing_release_list_fails_only_its_episodes(project: Project) -> None:
    (project.root / "lists" / "v5.6.csv").unlink()
    result = run_all(project)
    assert {failure.episode_id for failure in result.failures} == {"both", "new"}
    assert result.exit_code == 3
    assert "v5.6.csv of v5.6 is missing: correct `releases` in" in str(result.failures[0].error)
    # The ledger stays as it was, and says so.
    assert project.ledger.is_file()
    assert [name for name, _ in result.warnings] == ["release v5.6"]


def test_share_is_an_input_of_the_alignment(project: Project) -> None:
    path = project.episode("old")
    path.write_text(path.read_text() + "discussed: some\n")
    assert dict(done(run_all(project, "old")))["align"] == "share discussed changed"


def test_status_explains_unknown_version(project: Project) -> None:
    path = project.episode("old")
    path.write_text(path.read_text().replace("v5.5", "v9.9"))
    reasons = {status.reason for status in list_stage_statuses(project, ["old"], RecordingReporter()) if status.stale}
    assert any("line 4: `versions` names 'v9.9', which is not in `releases`" in reason for reason in reasons)
