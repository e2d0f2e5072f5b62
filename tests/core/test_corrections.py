"""Decisions are matched to changed lists, and saved without a loss."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.corrections import (
    Correction,
    Decision,
    has_corrections,
    load_corrections,
    save_correction,
    withdraw_correction,
)
from pipeline.core.errors import ConfigError, InputError, LockHeldError
from pipeline.core.project import Project
from tests.support.corrections import moved
from tests.support.project import PAGE, REPOSITORY, FakeTranscriber, RecordingReporter, done, run


def write(project: Project, text: str) -> Path:
    path = project.corrections("one")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_clock_times_are_accepted(project: Project) -> None:
    entry = "- {{feature_id: 1, decision: moved, start: {}}}\n"
    for text, seconds in {
        "16:36": 996.0,
        "1:02:07": 3727.0,
        "0:45": 45.0,
        "'0:45'": 45.0,
        "996.4": 996.4,
        "7": 7,
    }.items():
        path = write(project, "corrections:\n" + entry.format(text))
        assert load_corrections(path)[0].start == seconds, text


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        (
            "decision: moved\n    start: 3",
            "line 3: this correction names no feature: give its `feature_id` or its `title`",
        ),
        ("title: A\n    decision: moved", "line 3: `start` is missing: moved needs a time"),
        ("title: A\n    decision: shifted", "line 4: `decision`: Input should be 'moved', 'confirmed'"),
        ("title: A\n    decision: moved\n    start: soon", "line 5: `start`: "),
        ("title: A\n    decision: moved\n    start: '1:99'", "line 5: `start` '1:99' is not a time such as 16:36"),
        ("title: A\n    decision: moved\n    start: -1", "line 5: `start`: "),
        ("title: A\n    decision: moved\n    start: .inf", "line 5: `start`: "),
        ("title: A\n    decision: moved\n    start: true", "line 5: `start`: "),
        ("title: A\n    decision: moved\n    start: 9\n    end: 8", "line 3: `end` 0:08 is not after `start` 0:09"),
        (
            "title: A\n    decision: not_discussed\n    start: 9",
            "line 3: `start` cannot be combined with not_discussed",
        ),
        ("title: A\n    decision: end", "line 3: `end` is missing"),
        ("title: A\n    decision: moved\n    strat: 9", "line 5: `strat` is not a setting here; did you mean `start`?"),
        ("title: A\n    decision: moved\n    start: 9\n    start: 8", "line 6: `start` is set twice"),
        ("feature_id: abc\n    decision: not_discussed", "line 3: `feature_id`: "),
        ("title: A\n    decision: moved\n    start: 9\n    when: soon", "line 6: `"),
    ],
)
def test_mistake_names_file_line_and_field(project: Project, entry: str, complaint: str) -> None:
    path = write(project, f"# ours\ncorrections:\n  - {entry}\n")
    with pytest.raises(ConfigError) as raised:
        load_corrections(path)
    assert str(raised.value).startswith(f"{path} {complaint}")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "corrections:\n", "corrections: []\n"])
def test_file_without_decisions_is_empty(project: Project, text: str) -> None:
    assert load_corrections(write(project, text)) == ()
    save_correction(project, "one", moved(3, title="A", when="2026-11-23"))
    assert [correction.start for correction in load_corrections(project.corrections("one"))] == [3]
    assert project.corrections("one").read_text().startswith(text.split("corrections")[0])


def test_save_keeps_comments_and_order(project: Project) -> None:
    text = (
        "# Ours; ask Anna\ncorrections:\n"
        "  # the long one\n  - title: 'Better search'\n    decision: moved  # twice!\n    start: 16:36\n    why: joke\n"
        "  - feature_id: 500111\n    decision: not_discussed\n"
    )
    write(project, text)
    when = datetime(2026, 11, 23, 10, tzinfo=UTC)
    save_correction(project, "one", moved(12.5, feature_id=500122, title="Dark: a #theme", who="Bo", when=when))
    added = (
        '  - feature_id: 500122\n    title: "Dark: a #theme"\n    decision: moved\n    start: 12.5\n    who: Bo\n'
        "    when: 2026-11-23 10:00:00+00:00\n"
    )
    now = project.corrections("one").read_text()
    assert now.startswith(text)
    assert now.replace("'", '"').endswith(added)
    assert load_corrections(project.corrections("one"))[2].when == when


def test_second_decision_replaces_first_and_keeps_end(project: Project) -> None:
    save_correction(project, "one", moved(10, title="Better search", end=30))
    save_correction(project, "one", moved(12, feature_id=500133, title="Better search", who="Bo"))
    save_correction(project, "one", Correction(feature_id=500133, decision=Decision.END, end=40))
    (saved,) = load_corrections(project.corrections("one"))
    assert (saved.decision, saved.start, saved.end) == ("moved", 12, 40)
    assert (saved.feature_id, saved.title) == (500133, "Better search")
    save_correction(project, "one", Correction(feature_id=500133, decision=Decision.NOT_DISCUSSED))
    (saved,) = load_corrections(project.corrections("one"))
    assert (saved.decision, saved.start, saved.end) == ("not_discussed", None, None)
    withdraw_correction(project, "one", saved)
    assert load_corrections(project.corrections("one")) == ()


@given(
    title=st.one_of(
        st.sampled_from(
            ["16:36", "yes", "0x1F", "1_000", "2026-11-23", "=", "~", "a: b # c", "- x", "'", '"', "<<", "&a"]
        ),
        st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1).filter(str.strip),
    ),
    who=st.text(st.characters(exclude_categories=("Cs", "Cc"))),
    start=st.floats(0, 1e6, allow_nan=False).map(lambda seconds: round(seconds, 3)),
)
def test_any_text_survives_a_round_trip(
    tmp_path_factory: pytest.TempPathFactory, title: str, who: str, start: float
) -> None:
    project = Project(tmp_path_factory.mktemp("typed"))
    typed = moved(start, title=title, who=who, when=datetime(2026, 11, 23, tzinfo=UTC))
    save_correction(project, "one", typed)
    assert load_corrections(project.corrections("one")) == (typed,)


def test_damaged_file_is_not_overwritten(project: Project) -> None:
    path = write(project, "corrections:\n  - title: [\n")
    with pytest.raises(ConfigError, match="line"):
        save_correction(project, "one", moved(3, title="A"))
    assert path.read_text() == "corrections:\n  - title: [\n"


SAVER = """
import sys
from pathlib import Path
from pipeline.core.corrections import Correction, save_correction
from pipeline.core.project import Project
for number in range(10):
    correction = Correction(feature_id=int(sys.argv[2]) * 100 + number, decision="moved", start=number)
    save_correction(Project(Path(sys.argv[1])), "one", correction)
"""


def test_concurrent_saves_lose_nothing(project: Project) -> None:
    savers = [
        subprocess.Popen([sys.executable, "-c", SAVER, str(project.root), str(number)], stderr=subprocess.PIPE)
        for number in (1, 2, 3)
    ]
    assert [saver.communicate()[1] for saver in savers] == [b""] * 3
    saved = {correction.feature_id for correction in load_corrections(project.corrections("one"))}
    assert saved == {100 * saver + number for saver in (1, 2, 3) for number in range(10)}
    assert [path.name for path in project.corrections("one").parent.iterdir()] == ["one.yaml"]


def test_held_lock_is_reported(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from filelock import FileLock

    monkeypatch.setattr("pipeline.core.corrections.PATIENCE_S", 0.1)
    project.corrections_lock("one").parent.mkdir(parents=True)
    with FileLock(project.corrections_lock("one")), pytest.raises(LockHeldError, match="another writer"):
        save_correction(project, "one", moved(3, title="A"))


def test_correction_survives_rerun_and_list_edit(project: Project, transcriber: FakeTranscriber) -> None:
    run(project, transcriber)
    save_correction(project, "one", moved(33.0, feature_id=500122, title="Dark theme", who="Anna", why="later"))
    assert done(run(project, transcriber)) == [
        ("align", "corrections changed: 1 added"),
        ("publish", "alignment changed"),
    ]
    page = PAGE.replace("Added a dark theme to the mobile app", "A night theme").replace("0:11", "0:12")
    (project.root / "one.txt").write_text("Offline maps | v4.10 #500133\n" + page.split("review:\n")[1])
    assert run(project, transcriber).exit_code == 0
    table = pd.read_parquet(project.catalog("one")).set_index("feature_id")
    assert table.loc[500122, ["start_s", "status", "method", "confidence", "title"]].tolist() == [
        33.0, "corrected", "correction", 1.0, "A night theme",
    ]  # fmt: skip
    assert table.loc[500122, "quote"].startswith("All right, next up is the dark theme")
    assert len(transcriber.calls) == 1


def test_not_discussed_row_has_no_start(project: Project, transcriber: FakeTranscriber) -> None:
    save_correction(project, "one", Correction(feature_id=500111, decision=Decision.NOT_DISCUSSED, who="Anna"))
    run(project, transcriber)
    row = pd.read_parquet(project.catalog("one")).iloc[0]
    assert (row["status"], row["method"], row["confidence"]) == ("corrected", "correction", 1.0)
    assert pd.isna(row["start_s"])
    assert pd.isna(row["url"])
    assert row["reason"].startswith("marked as not discussed by Anna on ")


def test_unmatched_correction_is_reported_and_kept(project: Project, transcriber: FakeTranscriber) -> None:
    save_correction(project, "one", moved(5, feature_id=999999, title="Gone"))
    kept = project.corrections("one").read_bytes()
    notes = RecordingReporter()
    assert run(project, transcriber, notes=notes).exit_code == 0
    assert notes.warnings == [
        "one: the correction of #999999 is kept but not used: no entry of the list has this id or wording"
    ]
    assert project.corrections("one").read_bytes() == kept


def test_invalid_corrections_fail_the_episode_in_one_line(project: Project, transcriber: FakeTranscriber) -> None:
    path = write(project, "corrections:\n  - feature_id: 500111\n    decision: moved\n")
    result = run(project, transcriber)
    assert result.exit_code == 1
    assert result.failures[0].error == f"{path} line 2: `start` is missing: moved needs a time"


def test_documented_example_is_valid(project: Project) -> None:
    page = (REPOSITORY / "docs" / "corrections.md").read_text(encoding="utf-8")
    shown = page.split("```yaml\n")[1].split("```")[0]
    moved_one, absent = load_corrections(write(project, shown))
    assert (moved_one.feature_id, moved_one.start, moved_one.end) == (979667, 996.0, 1082.0)
    assert absent.decision is Decision.NOT_DISCUSSED


@pytest.mark.parametrize("ending", ["", "\n", "\n\n"])
def test_comments_alone_stay_and_hide_no_decision(tmp_path: Path, ending: str) -> None:
    """Without a line's end behind them the first decision became part of the comment."""
    project = Project(tmp_path)
    path = project.corrections("one")
    path.parent.mkdir(parents=True)
    path.write_text("# mine, to do" + ending)
    save_correction(project, "one", Correction(feature_id=500111, decision=Decision.NOT_DISCUSSED))
    assert path.read_text().startswith("# mine, to do\ncorrections:\n")
    assert [correction.feature_id for correction in load_corrections(path)] == [500111]


def test_link_owner_mode_and_line_ends_stay(project: Project, tmp_path: Path) -> None:
    shared = tmp_path / "shared.yaml"
    shared.write_bytes(b"\xef\xbb\xbfcorrections:\r\n  - title: A\r\n    decision: not_discussed\r\n")
    shared.chmod(0o664)
    path = project.corrections("one")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(shared)
    save_correction(project, "one", moved(3, title="B", when="2026-11-23"))
    assert path.is_symlink()
    assert shared.stat().st_mode & 0o777 == 0o664
    content = shared.read_bytes()
    assert content.startswith(b"\xef\xbb\xbfcorrections:\r\n  - title: A\r\n")
    assert content.count(b"\n") == content.count(b"\r\n") == 7


@pytest.mark.parametrize("broken", ["file", "folder", "loop"])
def test_unreachable_corrections_are_an_error(project: Project, broken: str) -> None:
    path = project.corrections("one")
    link = path if broken in {"file", "loop"} else path.parent
    path.parent.mkdir(parents=True, exist_ok=True)
    if broken == "folder":
        path.parent.rmdir()
    link.symlink_to(link if broken == "loop" else project.root / "gone")
    for use in (load_corrections, has_corrections):
        with pytest.raises(InputError, match="cannot be reached"):
            use(path)
    with pytest.raises(InputError, match="cannot be reached"):
        save_correction(project, "one", moved(3, title="A"))
    assert link.is_symlink()


def test_unreachable_corrections_stop_the_episode(project: Project, transcriber: FakeTranscriber) -> None:
    write(project, "corrections:\n  - {feature_id: 500111, decision: moved, start: 33}\n")
    run(project, transcriber)
    before = project.catalog("one").read_bytes()
    folder = project.corrections("one").parent
    folder.rename(project.root / "share")
    folder.symlink_to(project.root / "gone")
    result = run(project, transcriber)
    assert "cannot be reached" in str(result.failures[0].error)
    assert project.catalog("one").read_bytes() == before


def test_time_outside_the_audio_is_refused(project: Project, transcriber: FakeTranscriber) -> None:
    run(project, transcriber)
    for times in ({"start": 9000.0}, {"start": 3.0, "end": 9000.0}):
        with pytest.raises(InputError, match="must lie between 0:00 and"):
            save_correction(project, "one", moved(feature_id=500111, **times))
    assert not project.corrections("one").exists()


def test_id_without_title_keeps_its_first_wording(project: Project, transcriber: FakeTranscriber) -> None:
    """An id that another entry takes over takes no decision along."""
    write(project, "corrections:\n  - {feature_id: 500122, decision: moved, start: 33}\n")
    run(project, transcriber)
    page = PAGE.replace("Added a dark theme to the mobile app", "Seed library packets")
    (project.root / "one.txt").write_text(page.replace("mobile app", "seeds"))
    notes = RecordingReporter()
    run(project, transcriber, notes=notes)
    assert any('its id now stands for "Seed library packets"' in warning for warning in notes.warnings)
    table = pd.read_parquet(project.catalog("one")).set_index("feature_id")
    assert table.loc[500122, "status"] != "corrected"


@pytest.mark.parametrize(
    "written",
    [
        "- {feature_id: 11, decision: moved, start: 16:36, when: 2026-11-23}",
        "- title: \"16:36\"\n  decision: end\n  end: 18:02\n  why: 'no: not yet'",
        "- feature_id: 11\n  <<: &a\n    decision: moved\n    start: 3\n- feature_id: 12\n  <<: *a",
    ],
)
def test_files_of_version_0_1_0_take_decisions(project: Project, written: str) -> None:
    path = write(project, f"corrections:\n{written}\n")
    known = load_corrections(path)
    save_correction(project, "one", moved(9, feature_id=99, title="New", when="2026-11-24"))
    assert path.read_text().startswith(f"corrections:\n{written}\n")
    assert load_corrections(path)[:-1] == known
