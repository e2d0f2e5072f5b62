"""The alignment finds where each feature is discussed, says how sure it is, and leaves out what is not there."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.align.aligner import align
from pipeline.core.schema import Alignment, Feature, Method, Segment, Status, Transcript
from tests.support.invented_shows import Show, invent_features, tell
from tests.support.project import LINES, make_transcript


def count_right(show: Show, alignment: Alignment, within: float = 10.0) -> float:
    """Return the share of told features whose start was found."""
    starts = {one.position: one.start for one in alignment.placements}
    found = [starts[position] for position in show.truth]
    errors = [abs(start - true) for start, true in zip(found, show.truth.values(), strict=True) if start is not None]
    return sum(error <= within for error in errors) / len(show.truth)


def align_show(show: Show) -> Alignment:
    """Return the alignment of an invented episode."""
    return align(show.transcript, show.features)


def test_features_told_in_order_are_found() -> None:
    show = tell(invent_features(12), range(12))
    alignment = align_show(show)
    assert count_right(show, alignment) == 1.0
    assert [one.position for one in alignment.placements] == list(range(1, 13))


def test_swapped_halves_are_found_as_well() -> None:
    show = tell(invent_features(12), [*range(6, 12), *range(6)])
    assert count_right(show, align_show(show)) >= 0.9


def test_one_feature_far_out_of_place_is_found_and_named_so() -> None:
    show = tell(invent_features(12), [0, 1, 10, 2, 3, 4, 5, 6, 7, 8, 9, 11])
    alignment = align_show(show)
    assert count_right(show, alignment) == 1.0
    assert "out of list order" in alignment.placements[10].reason


@settings(max_examples=12, deadline=None)
@given(st.integers(2, 14), st.integers(0, 1000), st.booleans())
def test_any_episode_that_says_the_words_is_recovered(count: int, seed: int, swapped: bool) -> None:
    order = list(range(count))
    order = order[count // 2 :] + order[: count // 2] if swapped else order
    show = tell(invent_features(count), order, seed)
    assert count_right(show, align_show(show)) >= 0.8


def test_feature_that_nobody_talks_about_is_left_out() -> None:
    show = tell(invent_features(12), [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11])
    placement = align_show(show).placements[5]
    assert placement.status is Status.NOT_FOUND
    assert placement.start is None
    assert placement.end is None
    assert placement.confidence > 0.5


def test_feature_named_only_in_the_intro_is_left_out() -> None:
    features = invent_features(10)
    show = tell(features, [0, 1, 2, 3, 5, 6, 7, 8, 9])
    teaser = Segment(2.0, 4.0, f"And we will get to {features[4].title.removeprefix('Added ')} maybe.")
    alignment = align(replace(show.transcript, segments=(teaser, *show.transcript.segments)), features)
    assert (alignment.placements[4].status, alignment.placements[4].reason) == (
        Status.NOT_FOUND,
        "named only in the intro",
    )


def test_feature_announced_before_the_greeting_starts_where_it_is_discussed() -> None:
    """Without the greeting, the announcement is the better place."""
    features = invent_features(4)
    show = tell(features, range(4))
    name = features[0].title.removeprefix("Added ")
    opening = [
        f"So, {name}, {name} it is this week.",
        f"All about {name}.",
        "Thanks for having me, it's great to be here.",
    ]
    said = [Segment(5.0 * number, 5.0 * number + 4.6, line) for number, line in enumerate(opening)]
    later = [replace(one, start=one.start + 15.0, end=one.end + 15.0) for one in show.transcript.segments]
    greeted, plain = (
        align(replace(show.transcript, segments=(*said[:2], last, *later)), features).placements[0].start
        for last in (said[2], replace(said[2], text="It really is all about that, as we say."))
    )
    assert greeted == show.truth[1] + 15.0
    assert plain != greeted


def test_a_guest_who_comes_late_takes_nothing_from_what_was_discussed() -> None:
    show = tell(invent_features(30), range(30))
    late = next(number for number, one in enumerate(show.transcript.segments) if one.start >= show.truth[5] - 5.0)
    segments = list(show.transcript.segments)
    segments[late] = replace(segments[late], text="Oh hello Ana, thanks for joining us, good to have you here.")
    assert count_right(show, align(replace(show.transcript, segments=tuple(segments)), show.features)) == 1.0


@pytest.mark.parametrize(("words", "doubtful"), [(", but let's save that for later.", True), (".", False)])
def test_mention_that_is_put_off_is_no_sure_start(words: str, doubtful: bool) -> None:
    features = invent_features(8)
    show = tell(features, [0, 1, 3, 4, 5, 2, 6, 7])
    mention = f"The {features[2].title.removeprefix('Added ')} would be next{words}"
    teaser = Segment(show.truth[4] - 0.4, show.truth[4] - 0.1, mention)
    segments = tuple(sorted((*show.transcript.segments, teaser), key=lambda one: one.start))
    placement = align(replace(show.transcript, segments=segments), features).placements[2]
    assert (placement.status is not Status.CONFIDENT and placement.start != teaser.start) is doubtful


def test_times_are_whole_milliseconds() -> None:
    features = (Feature(1, "Invoices can be sorted by due date"), Feature(2, "A dark theme in the mobile app"))
    for placement in align(make_transcript(LINES, seconds_a_line=10 / 3), features).placements:
        assert placement.start is not None
        assert placement.end is not None
        assert (placement.start, placement.end) == (round(placement.start, 3), round(placement.end, 3))


@pytest.mark.parametrize(("words", "passed"), [("We're going to skip", True), ("It has", False)])
def test_a_feature_named_to_be_passed_over_is_left_out_for_that(words: str, passed: bool) -> None:
    features = invent_features(6)
    show = tell(features, [0, 1, 2, 4, 5])
    begins = show.truth[5]
    named = features[3].title.removeprefix("Added ")
    told = (
        Segment(begins, begins + 4.6, f"All right, next one, {named}, number {features[3].feature_id}."),
        Segment(begins + 5.0, begins + 9.6, f"{words} {features[3].description.removeprefix('Brings ')}"),
    )
    later = (
        replace(one, start=one.start + 10.0, end=one.end + 10.0) if one.start >= begins else one
        for one in show.transcript.segments
    )
    segments = sorted((*told, *later), key=lambda one: one.start)
    placement = align(replace(show.transcript, segments=tuple(segments)), features).placements[3]
    assert (placement.status is Status.NOT_FOUND) is passed
    assert placement.reason.startswith("hosts say at 1:") is passed


def test_spoken_id_decides_and_is_told_in_the_reason() -> None:
    show = tell(invent_features(6), range(6), say_ids=True)
    placement = align_show(show).placements[2]
    assert placement.method is Method.SPOKEN_ID
    assert placement.reason.startswith("its id 600126 is spoken at ")


def test_bare_sentence_is_placed_between_its_neighbours() -> None:
    features = list(invent_features(8))
    show = tell(features, range(8))
    features[4] = Feature(5, "Various improvements")
    placements = align(show.transcript, features).placements
    start, before, after = placements[4].start, placements[3].start, placements[5].start
    assert start is not None
    assert before is not None
    assert after is not None
    assert before <= start <= after
    assert (placements[4].method, placements[4].status) == (Method.ORDER, Status.REVIEW)


def test_feature_ends_where_the_next_one_starts_and_the_last_one_where_leave_is_taken() -> None:
    show = tell(invent_features(5), range(5))
    placements = align_show(show).placements
    assert [one.end for one in placements[:-1]] == [one.start for one in placements[1:]]
    leave = next(segment for segment in show.transcript.segments if segment.text == "That's it for today.")
    assert placements[-1].end == leave.start


def test_quote_is_what_is_said_from_the_start() -> None:
    show = tell(invent_features(5), range(5))
    said = {segment.start: segment.text for segment in show.transcript.segments}
    for placement in align_show(show).placements:
        assert placement.start is not None
        assert placement.quote.startswith(said[placement.start])
        assert len(placement.quote) <= 200


def test_published_times_are_never_read() -> None:
    show = tell(invent_features(8), range(8))
    told = [replace(feature, published_s=999.0 - feature.position) for feature in show.features]
    assert align(show.transcript, told) == align_show(show)


def test_same_input_gives_the_same_output() -> None:
    show = tell(invent_features(9), range(9))
    assert align_show(show) == align_show(show)


def test_empty_transcript_places_nothing() -> None:
    alignment = align(Transcript(()), invent_features(3))
    assert [one.status for one in alignment.placements] == [Status.NOT_FOUND] * 3


def test_empty_list_gives_an_empty_alignment() -> None:
    assert align(tell(invent_features(2), range(2)).transcript, []) == Alignment(())


def test_list_of_one() -> None:
    show = tell(invent_features(1), [0])
    assert count_right(show, align_show(show)) == 1.0


def test_list_of_a_hundred_and_twenty() -> None:
    show = tell(invent_features(100), range(100))
    assert count_right(show, align_show(show)) > 0.95


def test_transcript_of_one_word() -> None:
    alignment = align(Transcript((Segment(0.0, 1.0, "Hello."),)), invent_features(2))
    assert len(alignment.placements) == 2


@pytest.mark.parametrize("language", [None, "de", "ja", "qqq"])
def test_any_language_is_accepted(language: str | None) -> None:
    show = tell(invent_features(6), range(6))
    alignment = align(replace(show.transcript, language=language), show.features)
    assert count_right(show, alignment) >= 0.8


def test_minute_long_paragraphs_are_good_enough_for_half_a_minute() -> None:
    show = tell(invent_features(8), range(8))
    groups = [show.transcript.segments[at : at + 12] for at in range(0, len(show.transcript.segments), 12)]
    long = tuple(Segment(one[0].start, one[-1].end, " ".join(part.text for part in one)) for one in groups)
    assert count_right(show, align(Transcript(long, "en"), show.features), within=30.0) == 1.0


def test_a_title_is_found_by_the_stems_of_its_own_language() -> None:
    """German "Rechnungen" and "Rechnung" share a stem; by the rules of English they do not."""
    lines = ("Guten Tag und willkommen.", "Zuerst die sortierte Rechnung.", "Und nun etwas anderes.")
    talk = replace(make_transcript(lines), language="de")
    (placement,) = align(talk, [Feature(1, "Sortierte Rechnungen")]).placements
    assert placement.reason == '"sortierte Rechnung" is said at 0:13'


def test_words_are_compared_by_the_stems_of_their_own_language() -> None:
    """In German "Haus" and "Häuser" are one word; by the rules of English they hardly resemble each other."""
    lines = ("Guten Tag und willkommen.", "Am Hof steht ein Haus mit einem Garten.", "Und nun etwas anderes.")
    german, english = (
        align(replace(make_transcript(lines), language=language), [Feature(1, "Gärten und Häuser")]).placements[0]
        for language in ("de", "en")
    )
    assert (german.start, german.method) == (10.0, Method.PHRASE)
    assert english.method is Method.ORDER


def test_confidence_is_a_probability_of_three_digits() -> None:
    show = tell(invent_features(6), [0, 1, 2, 4, 5])
    for placement in align_show(show).placements:
        assert 0.0 < placement.confidence < 1.0
        assert placement.confidence == round(placement.confidence, 3)


def test_the_times_on_a_page_change_nothing() -> None:
    show = tell(invent_features(6), range(6))
    timed = [replace(feature, published_s=7.0 * feature.position) for feature in show.features]
    assert align(show.transcript, timed) == align_show(show)


def test_what_a_placement_says_of_itself_is_filled_in() -> None:
    show = tell(invent_features(6), [0, 1, 2, 4, 5])
    for placement in align_show(show).placements:
        assert placement.reason
        assert placement.method in Method
    (nowhere,) = align(Transcript(()), [Feature(1, "A")]).placements
    assert (nowhere.reason, nowhere.method) == ("the transcript holds no speech", Method.ORDER)


@pytest.mark.parametrize(
    ("anchor", "reason"), [(12.0, "starts here, as a person says"), (None, "not discussed, as a person says")]
)
def test_a_persons_decision_is_told_as_one(anchor: float | None, reason: str) -> None:
    (placement,) = align(make_transcript(LINES), [Feature(1, "Invoices")], anchors={1: anchor}).placements
    assert placement.reason == reason


def test_a_start_that_a_person_gave_is_kept_and_helps_its_neighbour() -> None:
    features = (
        Feature(1, "Invoices can be sorted by due date"),
        Feature(2, "Various improvements"),
        Feature(3, "Added a dark theme to the mobile app"),
    )
    transcript = make_transcript(LINES)
    alignment = align(transcript, features, anchors={1: 11.5, 2: 25.0})
    first, second, third = alignment.placements
    assert (first.start, first.end, first.status, first.method) == (11.5, 25.0, Status.CORRECTED, Method.CORRECTION)
    assert (second.start, second.quote.split(".")[0]) == (
        25.0,
        "So the invoice list has a sort button for the due date",
    )
    assert third.start is not None
    assert third.start >= 28.0


def test_what_a_person_calls_not_discussed_gets_no_place() -> None:
    features = (Feature(1, "Invoices can be sorted by due date"), Feature(2, "Added a dark theme to the mobile app"))
    first, second = align(make_transcript(LINES), features, anchors={1: None}).placements
    assert (first.start, first.end, first.quote, first.status) == (None, None, "", Status.CORRECTED)
    assert second.start is not None


def test_what_a_person_calls_not_discussed_costs_the_others_nothing() -> None:
    show = tell(invent_features(6), range(6))
    gone = show.features[2].position
    kept = [
        one for one in align(show.transcript, show.features, anchors={gone: None}).placements if one.position != gone
    ]
    without = [feature for feature in show.features if feature.position != gone]
    assert kept == list(align(show.transcript, without).placements)


def test_a_start_is_kept_where_nobody_speaks() -> None:
    (placement,) = align(Transcript(()), (Feature(1, "A"),), anchors={1: 7.0}).placements
    assert (placement.start, placement.end, placement.confidence) == (7.0, 7.0, 1.0)
    (unplaced,) = align(Transcript(()), (Feature(1, "A"),)).placements
    assert (unplaced.start, unplaced.status, unplaced.confidence) == (None, Status.NOT_FOUND, 0.5)


@given(st.lists(st.floats(0, 70), min_size=2, max_size=4), st.booleans())
def test_any_starts_that_people_give_are_kept(starts: list[float], absent: bool) -> None:
    """Beyond the end, out of order, at the same second: a person's word is a person's word."""
    features = [Feature(number, f"Thing number {number}") for number in range(1, len(starts) + 2)]
    anchors: dict[int, float | None] = dict(enumerate(starts, start=1))
    if absent:
        anchors[len(features)] = None
    placements = align(make_transcript(LINES), features, anchors=anchors).placements
    assert {p.position: p.start for p in placements if p.position in anchors} == anchors
    assert all(p.start is None or (p.end is not None and p.end >= p.start) for p in placements)
