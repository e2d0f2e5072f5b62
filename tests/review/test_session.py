"""A review saves each decision at once, notices others at work, and shows what a new alignment moves."""

from pathlib import Path

import pytest

from pipeline.core.audio_file import PER_SECOND, measure_loudness
from pipeline.core.corrections import Correction, Decision, load_corrections, save_correction
from pipeline.core.errors import ConfigError, InputError
from pipeline.core.project import Project
from pipeline.publish.tables import read_rows
from pipeline.review.session import ConflictError, ReviewSession
from pipeline.runs.workflow import run_stages
from tests.support.project import FakeTranscriber, RecordingReporter


@pytest.fixture
def review(aligned: Project) -> ReviewSession:
    return ReviewSession.open(aligned, "one", "Anna")


def decided(review: ReviewSession) -> dict[int | None, tuple[str, float | None]]:
    corrections = load_corrections(review.project.corrections("one"))
    return {one.feature_id: (one.decision.value, one.start) for one in corrections}


def start_of(review: ReviewSession, position: int) -> float:
    start = review.describe()["features"][position - 1]["start"]
    assert isinstance(start, float)
    return start


def test_every_feature_is_described_with_all_that_was_found(review: ReviewSession) -> None:
    state = review.describe()
    first = state["features"][0]
    assert (state["title"], state["stale"], state["undo"]) == ("Episode one", False, 0)
    assert (first["title"], first["feature_id"], first["published_s"]) == (
        "Invoices can be sorted by due date",
        500111,
        11.0,
    )
    assert {"status", "confidence", "reason", "quote", "alternatives", "needs_person", "decision"} <= set(first)
    assert review.read_transcript()[0]["words"][:2] == ("Hello", "and")


def test_a_decision_is_in_the_file_at_once_with_its_maker(review: ReviewSession) -> None:
    kept = start_of(review, 1)
    review.decide(1, kept, None)
    review.decide(2, 42.25, None)
    assert decided(review) == {500111: ("confirmed", kept), 500122: ("moved", 42.25)}
    assert {one.who for one in load_corrections(review.project.corrections("one"))} == {"Anna"}
    assert review.describe()["stale"]


def test_not_discussed_is_a_decision_too(review: ReviewSession) -> None:
    review.decide(2, None, None)
    assert decided(review) == {500122: ("not_discussed", None)}


def test_undo_goes_back_one_decision_at_a_time(review: ReviewSession) -> None:
    review.decide(1, 5.0, None)
    review.decide(1, 7.0, review.describe()["features"][0]["signature"])
    review.decide(2, None, None)
    assert review.undo() == 2
    assert decided(review) == {500111: ("moved", 7.0)}
    assert review.undo() == 1
    assert decided(review) == {500111: ("moved", 5.0)}
    assert review.undo() == 1
    assert decided(review) == {}
    assert review.undo() is None


def test_a_later_review_can_undo_what_an_earlier_one_decided(review: ReviewSession) -> None:
    review.decide(1, 5.0, None)
    review.decide(1, 7.0, review.describe()["features"][0]["signature"])
    again = ReviewSession.open(review.project, "one")
    assert again.describe()["undo"] == 2
    assert again.undo() == 1
    assert decided(again) == {500111: ("moved", 5.0)}
    assert ReviewSession.open(review.project, "one").describe()["undo"] == 1


def test_what_somebody_else_decided_since_is_not_undone(review: ReviewSession) -> None:
    review.decide(2, None, None)
    review.decide(1, 5.0, None)
    save_correction(review.project, "one", Correction(feature_id=500111, decision=Decision.MOVED, start=9.0, who="Bo"))
    assert review.undo() == 2
    assert decided(review) == {500111: ("moved", 9.0)}


def test_a_damaged_journal_only_forgets_the_way_back(review: ReviewSession) -> None:
    review.decide(1, 5.0, None)
    review.project.undo_journal("one").write_text('{"steps": [[{"start": "soon"}]]}')
    again = ReviewSession.open(review.project, "one")
    assert (again.describe()["undo"], again.undo(), decided(again)) == (0, None, {500111: ("moved", 5.0)})


def test_a_decision_taken_back_can_be_undone(review: ReviewSession) -> None:
    review.decide(1, 5.0, None)
    review.withdraw(1, review.describe()["features"][0]["signature"])
    assert decided(review) == {}
    review.undo()
    assert decided(review) == {500111: ("moved", 5.0)}


def test_what_somebody_else_decided_meanwhile_is_not_overwritten(review: ReviewSession) -> None:
    theirs = Correction(feature_id=500111, decision=Decision.MOVED, start=9.0, who="Bo")
    save_correction(review.project, "one", theirs)
    with pytest.raises(ConflictError, match="Invoices can be sorted"):
        review.decide(1, 5.0, None)
    with pytest.raises(ConflictError):
        review.withdraw(1, None)
    assert decided(review) == {500111: ("moved", 9.0)}


def test_a_new_review_finds_everything_an_interrupted_one_decided(review: ReviewSession) -> None:
    review.decide(1, 5.0, None)
    again = ReviewSession.open(review.project, "one")
    assert again.describe()["features"][0]["decision"]["start"] == 5.0


def test_finishing_aligns_around_the_decisions_and_publishes(review: ReviewSession) -> None:
    review.decide(1, 31.0, None)
    review.decide(2, None, None)
    result = review.finish()
    assert result == {"moved": [], "warnings": []}
    rows = read_rows(review.project.dataset)["one"]
    assert [(row.start_s, row.status) for row in rows] == [(31.0, "corrected"), (None, "corrected")]
    assert not review.describe()["stale"]


def test_finishing_tells_of_decisions_that_fit_nothing(review: ReviewSession) -> None:
    gone = Correction(feature_id=1, title="Gone from the list", decision=Decision.NOT_DISCUSSED)
    save_correction(review.project, "one", gone)
    (warning,) = review.finish()["warnings"]
    assert "#1 is kept but not used" in warning


def test_finishing_says_what_else_moved(review: ReviewSession) -> None:
    was = start_of(review, 2)
    review.decide(1, was, None)
    moved = review.finish()["moved"]
    assert [(one["position"], one["before"]["start"]) for one in moved] == [(2, was)]
    assert moved[0]["after"] != moved[0]["before"]


def test_an_id_listed_twice_is_told_apart_by_its_wording(transcriber: FakeTranscriber, review: ReviewSession) -> None:
    listed = review.project.root / "one.txt"
    listed.write_text(listed.read_text().replace("500122", "500111"))
    run_stages(review.project, ["one"], ("align",), transcriber=lambda show: transcriber, reporter=RecordingReporter())
    review.decide(1, 11.0, None)
    review.decide(2, 33.0, None)
    assert [one["decision"]["start"] for one in review.describe()["features"]] == [11.0, 33.0]


@pytest.mark.parametrize("start", [-1.0, 1e5, float("nan")])
def test_no_start_lies_outside_the_episode(review: ReviewSession, start: float) -> None:
    with pytest.raises(InputError, match="a start lies between 0:00 and 5:22"):
        review.decide(1, start, None)
    with pytest.raises(InputError, match="no entry 9"):
        review.decide(9, 5.0, None)
    assert decided(review) == {}


def test_a_damaged_corrections_file_stays_as_it_is(review: ReviewSession) -> None:
    path = review.project.corrections("one")
    path.parent.mkdir(exist_ok=True)
    path.write_text("corrections: [broken")
    with pytest.raises(ConfigError, match="one.yaml line"):
        review.decide(1, 5.0, None)
    assert path.read_text() == "corrections: [broken"


@pytest.mark.parametrize(("missing", "advice"), [("alignment", "catalog run one"), ("audio", "catalog download one")])
def test_what_a_review_needs_is_named(review: ReviewSession, missing: str, advice: str) -> None:
    path = review.audio if missing == "audio" else review.project.alignment("one")
    path.unlink()
    with pytest.raises(InputError, match=advice):
        ReviewSession.open(review.project, "one")


def test_the_picture_of_the_sound_has_values_for_every_second(review: ReviewSession, tmp_path: Path) -> None:
    loudness = measure_loudness(review.audio)
    assert len(loudness) / PER_SECOND == pytest.approx(322, abs=2)
    assert max(loudness) == 255
    assert min(loudness) < 40
    (tmp_path / "text.ogg").write_text("not sound")
    with pytest.raises(InputError, match="text.ogg"):
        measure_loudness(tmp_path / "text.ogg")
