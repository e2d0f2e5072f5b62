"""A session saves decisions at once, detects conflicts, undoes, and reports what a new alignment moves."""

import random
from pathlib import Path

import pytest

from pipeline.core.corrections import Correction, Decision, load_corrections, save_correction
from pipeline.core.errors import ConfigError, InputError
from pipeline.core.project import Project
from pipeline.core.storage import read_json, write_json
from pipeline.publish.dataset import read_rows
from pipeline.review.session import ReviewSession
from pipeline.review.view import ConflictError
from pipeline.runs.workflow import run_stages
from tests.support.decisions_model import Walk
from tests.support.project import FakeTranscriber, RecordingReporter


@pytest.fixture
def session(aligned: Project) -> ReviewSession:
    return ReviewSession.open(aligned, "one", "Anna")


def saved_decisions(session: ReviewSession) -> dict[int | None, tuple[str, float | None]]:
    corrections = load_corrections(session.project.corrections("one"))
    return {correction.feature_id: (correction.decision.value, correction.start) for correction in corrections}


def signature(session: ReviewSession, position: int) -> str:
    features = {feature["position"]: feature for feature in session.read_state()["features"]}
    return str(features[position]["signature"]) if position in features else "none"


def decide(session: ReviewSession, position: int, start: float | None) -> None:
    """Decide about a feature that a fresh page shows."""
    session.decide(position, start, signature(session, position))


def start_of(session: ReviewSession, position: int) -> float:
    start = session.read_state()["features"][position - 1]["start"]
    assert isinstance(start, float)
    return start


def test_state_holds_every_feature_and_its_placement(session: ReviewSession) -> None:
    state = session.read_state()
    first = state["features"][0]
    assert (state["title"], state["stale"], state["undo"]) == ("Episode one", False, 0)
    assert (first["title"], first["feature_id"], first["published_s"]) == (
        "Invoices can be sorted by due date",
        500111,
        11.0,
    )
    assert {"status", "confidence", "reason", "quote", "alternatives", "needs_person", "decision"} <= set(first)
    assert session.read_paragraphs()[0]["words"][:2] == ("Hello", "and")


def test_decision_is_saved_at_once_with_its_author(session: ReviewSession) -> None:
    kept = start_of(session, 1)
    decide(session, 1, kept)
    decide(session, 2, 42.25)
    assert saved_decisions(session) == {500111: ("confirmed", kept), 500122: ("moved", 42.25)}
    corrections = load_corrections(session.project.corrections("one"))
    assert {correction.who for correction in corrections} == {"Anna"}
    assert session.read_state()["stale"]


def test_not_discussed_is_saved(session: ReviewSession) -> None:
    decide(session, 2, None)
    assert saved_decisions(session) == {500122: ("not_discussed", None)}


def test_undo_reverts_one_decision_at_a_time(session: ReviewSession) -> None:
    decide(session, 1, 5.0)
    decide(session, 1, 7.0)
    decide(session, 2, None)
    assert session.undo() == 2
    assert saved_decisions(session) == {500111: ("moved", 7.0)}
    assert session.undo() == 1
    assert saved_decisions(session) == {500111: ("moved", 5.0)}
    assert session.undo() == 1
    assert saved_decisions(session) == {}
    assert session.undo() is None


def test_later_session_undoes_earlier_decisions(session: ReviewSession) -> None:
    decide(session, 1, 5.0)
    decide(session, 1, 7.0)
    again = ReviewSession.open(session.project, "one")
    assert again.read_state()["undo"] == 2
    assert again.undo() == 1
    assert saved_decisions(again) == {500111: ("moved", 5.0)}
    assert ReviewSession.open(session.project, "one").read_state()["undo"] == 1


def test_undo_skips_decisions_changed_by_others(session: ReviewSession) -> None:
    decide(session, 2, None)
    decide(session, 1, 5.0)
    save_correction(session.project, "one", Correction(feature_id=500111, decision=Decision.MOVED, start=9.0, who="Bo"))
    assert session.undo() == 2
    assert saved_decisions(session) == {500111: ("moved", 9.0)}


def test_damaged_journal_only_loses_undo(session: ReviewSession) -> None:
    decide(session, 1, 5.0)
    session.project.undo_journal("one").write_text('{"steps": [[{"start": "soon"}]]}')
    again = ReviewSession.open(session.project, "one")
    assert (again.read_state()["undo"], again.undo(), saved_decisions(again)) == (0, None, {500111: ("moved", 5.0)})


def test_withdrawal_can_be_undone(session: ReviewSession) -> None:
    decide(session, 1, 5.0)
    session.withdraw(1, session.read_state()["features"][0]["signature"])
    assert saved_decisions(session) == {}
    session.undo()
    assert saved_decisions(session) == {500111: ("moved", 5.0)}


def test_decision_of_somebody_else_is_a_conflict(session: ReviewSession) -> None:
    seen = signature(session, 1)
    theirs = Correction(feature_id=500111, decision=Decision.MOVED, start=9.0, who="Bo")
    save_correction(session.project, "one", theirs)
    with pytest.raises(ConflictError, match="Invoices can be sorted"):
        session.decide(1, 5.0, seen)
    with pytest.raises(ConflictError):
        session.withdraw(1, seen)
    assert saved_decisions(session) == {500111: ("moved", 9.0)}


def test_new_session_finds_decisions_of_interrupted_one(session: ReviewSession) -> None:
    decide(session, 1, 5.0)
    again = ReviewSession.open(session.project, "one")
    assert again.read_state()["features"][0]["decision"]["start"] == 5.0


def test_finish_aligns_with_decisions_and_publishes(session: ReviewSession) -> None:
    decide(session, 1, 31.0)
    decide(session, 2, None)
    result = session.finish()
    assert result == {"moved": [], "warnings": []}
    rows = read_rows(session.project.dataset)["one"]
    assert [(row.start_s, row.status) for row in rows] == [(31.0, "corrected"), (None, "corrected")]
    assert not session.read_state()["stale"]


def test_finish_reports_unused_corrections(session: ReviewSession) -> None:
    gone = Correction(feature_id=1, title="Gone from the list", decision=Decision.NOT_DISCUSSED)
    save_correction(session.project, "one", gone)
    (warning,) = session.finish()["warnings"]
    assert "#1 is kept but not used" in warning


def test_finish_reports_other_moved_starts(session: ReviewSession) -> None:
    was = start_of(session, 2)
    decide(session, 1, was)
    moved = session.finish()["moved"]
    assert [(feature["position"], feature["before"]["start"]) for feature in moved] == [(2, was)]
    assert moved[0]["after"] != moved[0]["before"]


def test_duplicate_ids_are_told_apart_by_title(transcriber: FakeTranscriber, session: ReviewSession) -> None:
    listed = session.project.root / "one.txt"
    listed.write_text(listed.read_text().replace("500122", "500111"))
    run_stages(session.project, ["one"], ("align",), transcriber=lambda show: transcriber, reporter=RecordingReporter())
    decide(session, 1, 11.0)
    decide(session, 2, 33.0)
    assert [feature["decision"]["start"] for feature in session.read_state()["features"]] == [11.0, 33.0]


@pytest.mark.parametrize("start", [-1.0, 1e5, float("nan")])
def test_start_outside_the_episode_is_refused(session: ReviewSession, start: float) -> None:
    with pytest.raises(InputError, match="the start must lie between 0:00 and 5:22"):
        decide(session, 1, start)
    with pytest.raises(InputError, match="no entry 9"):
        decide(session, 9, 5.0)
    assert saved_decisions(session) == {}


def test_correction_beyond_the_end_can_be_replaced(session: ReviewSession) -> None:
    """Such a correction is not used; the page shows it, and why."""
    path = session.project.corrections("one")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("corrections:\n  - {feature_id: 500111, decision: moved, start: 9000}\n")
    shown = session.read_state()["features"][0]
    assert (shown["decision"]["start"], shown["needs_person"]) == (9000.0, True)
    assert "lies after the end of the episode" in shown["problem"]
    decide(session, 1, 5.0)
    assert saved_decisions(session) == {500111: ("moved", 5.0)}


def test_damaged_corrections_file_is_left_alone(session: ReviewSession) -> None:
    path = session.project.corrections("one")
    path.parent.mkdir(exist_ok=True)
    path.write_text("corrections: [broken")
    with pytest.raises(ConfigError, match="one.yaml line"):
        decide(session, 1, 5.0)
    assert path.read_text() == "corrections: [broken"


@pytest.mark.parametrize(("missing", "advice"), [("alignment", "catalog run one"), ("audio", "catalog download one")])
def test_error_names_missing_file_and_command(session: ReviewSession, missing: str, advice: str) -> None:
    path = session.audio if missing == "audio" else session.project.alignment("one")
    path.unlink()
    with pytest.raises(InputError, match=advice):
        ReviewSession.open(session.project, "one")


def test_review_of_release_lists_shows_found_entries(released: Project) -> None:
    session = ReviewSession.open(released, "old", "Anna")
    features = session.read_state()["features"]
    assert features
    assert {feature["status"] for feature in features} <= {"confident", "review"}
    position = features[-1]["position"]
    session.decide(position, None, features[-1]["signature"])
    assert session.finish()["warnings"] == []
    decided = next(feature for feature in session.read_state()["features"] if feature["position"] == position)
    assert (decided["status"], decided["start"]) == ("corrected", None)
    session.withdraw(position, decided["signature"])
    session.finish()
    assert session.read_state()["features"][-1] == features[-1]


@pytest.mark.parametrize("seed", [11, 12])
def test_random_walk_loses_and_misapplies_nothing(tmp_path: Path, seed: int) -> None:
    """`python -m benchmarks.decisions` walks further."""
    walk = Walk(tmp_path, random.Random(seed))
    for _ in range(60):
        walk.step()
    assert walk.counts["with its entry"] > 0


def test_changed_list_is_a_conflict(transcriber: FakeTranscriber, session: ReviewSession) -> None:
    seen = signature(session, 2)
    listed = session.project.root / "one.txt"
    head, entries = listed.read_text().split("review:\n")
    listed.write_text(f"{head}review:\nOffline maps | v4.10 #500133\n{entries}")
    run_stages(session.project, ["one"], ("align",), transcriber=lambda show: transcriber, reporter=RecordingReporter())
    with pytest.raises(ConflictError, match="the list changed: look again"):
        session.decide(2, 5.0, seen)
    with pytest.raises(ConflictError, match="the list changed: look again"):
        session.withdraw(2, seen)
    assert saved_decisions(session) == {}


def test_changed_alignment_is_a_conflict(session: ReviewSession) -> None:
    seen = signature(session, 1)
    record = read_json(session.project.alignment("one"))
    record["placements"][0]["start"] += 3
    write_json(session.project.alignment("one"), record)
    with pytest.raises(ConflictError, match="the alignment changed: look again"):
        session.decide(1, 5.0, seen)


def write_corrections(session: ReviewSession, text: str) -> Path:
    path = session.project.corrections("one")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_undo_restores_file_to_the_letter(session: ReviewSession) -> None:
    text = (
        "corrections:\n  # on top\n  - feature_id: 500111   # Cleo: see the ticket\n    decision: end\n    end: 0:50\n"
        "    who: Cleo\n    when: 2026-11-23\n  # the next one is disputed\n  - title: Gone\n"
        "    decision: moved\n    start: 0:07\n"
    )
    path = write_corrections(session, text)
    decide(session, 1, 20.0)
    assert saved_decisions(session)[500111] == ("moved", 20.0)
    session.undo()
    assert path.read_text() == text
    session.withdraw(1, signature(session, 1))
    assert "disputed" in path.read_text()
    session.undo()
    assert path.read_text() == text


def test_undo_of_another_page_is_a_conflict(session: ReviewSession) -> None:
    decide(session, 1, 5.0)
    seen = session.read_state()["undo_signature"]
    decide(ReviewSession.open(session.project, "one", "Bo"), 2, 9.0)
    with pytest.raises(ConflictError, match="somebody else has just decided"):
        session.undo(seen)
    assert session.undo(session.read_state()["undo_signature"]) == 2


def test_two_sessions_share_one_journal(session: ReviewSession) -> None:
    other = ReviewSession.open(session.project, "one", "Bo")
    decide(session, 1, 5.0)
    decide(other, 2, 9.0)
    decide(session, 1, 6.0)
    assert ReviewSession.open(session.project, "one").read_state()["undo"] == 3


def test_decision_without_feature_is_attached(session: ReviewSession) -> None:
    text = "corrections:\n  - title: Themes at night\n    decision: moved\n    start: 0:44\n    who: Cleo\n"
    path = write_corrections(session, text)
    (lost,) = session.read_state()["unmatched"]
    assert (lost["title"], lost["start"]) == ("Themes at night", 44.0)
    session.attach(lost["signature"], 2, signature(session, 2))
    state = session.read_state()
    assert (state["unmatched"], state["features"][1]["decision"]["who"]) == ([], "Cleo")
    assert "start: 0:44" in path.read_text()
    with pytest.raises(ConflictError, match="look again"):
        session.attach(lost["signature"], 1, signature(session, 1))
    session.undo()
    assert path.read_text() == text


def test_attach_keeps_an_existing_decision(session: ReviewSession) -> None:
    write_corrections(session, "corrections:\n  - title: Themes at night\n    decision: moved\n    start: 0:44\n")
    decide(session, 2, 9.0)
    (lost,) = session.read_state()["unmatched"]
    with pytest.raises(InputError, match="has a decision already"):
        session.attach(lost["signature"], 2, signature(session, 2))


def test_same_titles_without_ids_are_refused(transcriber: FakeTranscriber, session: ReviewSession) -> None:
    listed = session.project.root / "one.txt"
    listed.write_text("Bug fixes | 0:11\nOther\nBug fixes | 0:30\n")
    run_stages(session.project, ["one"], ("align",), transcriber=lambda show: transcriber, reporter=RecordingReporter())
    with pytest.raises(InputError, match="cannot tell 'Bug fixes' from another entry"):
        decide(session, 1, 11.0)
    assert not session.project.corrections("one").exists()
