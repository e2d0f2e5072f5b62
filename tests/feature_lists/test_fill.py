"""Lost titles and ids are proposed from release notes: clearly nearest, never twice, never over what the page says."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.schema import Feature, FeatureList
from pipeline.feature_lists.fill import fill_list, propose_notes

NOTES = (
    Feature(1, "Invoices can be sorted by due date", "", 500111, "v4.10"),
    Feature(2, "Added a dark theme to the mobile app", "", 500122, "v4.10"),
    Feature(3, "The export limit was raised to a thousand rows", "", 500133, "v4.11"),
    Feature(4, "Suppliers can be merged", "", 500144, "v4.10"),
)


def fill(*features: Feature) -> tuple[tuple[Feature, ...], tuple[str, ...]]:
    filled = fill_list(FeatureList(features), NOTES)
    return filled.features, filled.warnings


def test_a_bare_sentence_gets_title_id_and_version_and_stays_as_description() -> None:
    (filled,), (told,) = fill(Feature(1, "Lets people sort invoices by their due date."))
    assert filled == Feature(
        1, "Invoices can be sorted by due date", "Lets people sort invoices by their due date.", 500111, "v4.10"
    )
    assert told.startswith("entry 1: filled from #500111 Invoices can be sorted by due date (score 0.")


def test_what_the_page_says_is_never_overwritten() -> None:
    (filled,), _ = fill(Feature(1, "Dark theme in the mobile app", "At last.", None, "v4.10", True, 12.0))
    assert filled == Feature(1, "Dark theme in the mobile app", "At last.", 500122, "v4.10", True, 12.0)


def test_an_entry_with_an_id_gets_only_its_version() -> None:
    (filled,), _ = fill(Feature(1, "Limit", "", 500133))
    assert filled == Feature(1, "Limit", "", 500133, "v4.11")


def test_a_note_of_another_version_is_not_proposed() -> None:
    (proposal,) = propose_notes([Feature(1, "The export limit was raised", version="v4.10")], NOTES)
    assert proposal.note is None


def test_without_a_word_in_common_the_gap_stays_and_says_so() -> None:
    (filled,), (told,) = fill(Feature(1, "Better visibility in calendars."))
    assert filled.feature_id is None
    assert told == "entry 1: left empty (score 0.00: no release note speaks of it)"


def test_two_entries_that_fit_one_note_stay_empty() -> None:
    entries = (Feature(1, "Suppliers can be merged now."), Feature(2, "Merging of suppliers."))
    proposals = propose_notes(entries, NOTES)
    assert [proposal.note for proposal in proposals] == [None, None]


def test_a_note_whose_id_the_page_has_already_is_not_used_again() -> None:
    entries = (Feature(1, "Dark", feature_id=500122, version="v4.10"), Feature(2, "A dark theme for the mobile app"))
    (proposal,) = propose_notes(entries, NOTES)
    assert proposal.note is None


words = st.lists(
    st.sampled_from("invoice date theme mobile export limit supplier merge rows app dark due".split()), min_size=1
)


@given(st.lists(words.map(" ".join), min_size=1, max_size=8))
def test_no_note_is_ever_used_twice(titles: list[str]) -> None:
    proposals = propose_notes([Feature(n, title) for n, title in enumerate(titles, start=1)], NOTES)
    used = [proposal.note.feature_id for proposal in proposals if proposal.note]
    assert len(used) == len(set(used))
    assert [proposal.position for proposal in proposals] == list(range(1, len(titles) + 1))
