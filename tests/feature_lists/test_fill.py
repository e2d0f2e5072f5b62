"""Lost titles, ids and versions, proposed from release notes."""

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


def test_bare_sentence_becomes_the_description() -> None:
    (filled,), (message,) = fill(Feature(1, "Lets people sort invoices by their due date."))
    assert filled == Feature(
        1, "Invoices can be sorted by due date", "Lets people sort invoices by their due date.", 500111, "v4.10"
    )
    assert message.startswith("entry 1: filled from #500111 Invoices can be sorted by due date (score 0.")


def test_published_values_are_never_overwritten() -> None:
    (filled,), _ = fill(Feature(1, "Dark theme in the mobile app", "At last.", None, "v4.10", True, 12.0))
    assert filled == Feature(1, "Dark theme in the mobile app", "At last.", 500122, "v4.10", True, 12.0)


def test_entry_with_id_gets_its_version() -> None:
    (filled,), _ = fill(Feature(1, "Limit", "", 500133))
    assert filled == Feature(1, "Limit", "", 500133, "v4.11")


def test_note_of_another_version_is_not_proposed() -> None:
    (proposal,) = propose_notes([Feature(1, "The export limit was raised", version="v4.10")], NOTES)
    assert proposal.note is None


def test_note_without_id_is_named_by_its_title() -> None:
    notes = [Feature(1, "Suppliers can be merged")]
    filled = fill_list(FeatureList((Feature(1, "Merging of suppliers."),)), notes)
    assert filled.features[0].title == "Suppliers can be merged"
    assert filled.warnings[0].startswith("entry 1: filled from Suppliers can be merged (score ")


def test_gap_without_common_words_stays() -> None:
    (filled,), (message,) = fill(Feature(1, "Better visibility in calendars."))
    assert filled.feature_id is None
    assert message == "entry 1: left empty (score 0.00: no release note has a word of it)"


def test_two_entries_for_one_note_stay_empty() -> None:
    entries = (Feature(1, "Suppliers can be merged now."), Feature(2, "Merging of suppliers."))
    proposals = propose_notes(entries, NOTES)
    assert [proposal.note for proposal in proposals] == [None, None]


def test_listed_id_is_not_used_again() -> None:
    entries = (Feature(1, "Dark", feature_id=500122, version="v4.10"), Feature(2, "A dark theme for the mobile app"))
    (proposal,) = propose_notes(entries, NOTES)
    assert proposal.note is None


words = st.lists(
    st.sampled_from("invoice date theme mobile export limit supplier merge rows app dark due".split()), min_size=1
)


@given(st.lists(words.map(" ".join), min_size=1, max_size=8))
def test_no_note_is_used_twice(titles: list[str]) -> None:
    proposals = propose_notes([Feature(n, title) for n, title in enumerate(titles, start=1)], NOTES)
    used = [proposal.note.feature_id for proposal in proposals if proposal.note]
    assert len(used) == len(set(used))
    assert [proposal.position for proposal in proposals] == list(range(1, len(titles) + 1))
