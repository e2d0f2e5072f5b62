"""The alignment finds where each feature is discussed, gives its confidence, and leaves out what is not discussed."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.align import aligner
from pipeline.align.aligner import align, alignment_version
from pipeline.align.embeddings import encode_units
from pipeline.align.units import split_units
from pipeline.align.weights import load_weights
from pipeline.core.errors import ModelError
from pipeline.core.schema import Alignment, Feature, Method, Segment, Status, Transcript
from tests.support.invented_shows import InventedEpisode, invent_episode, invent_features
from tests.support.project import LINES, make_transcript
from tests.support.speech import SPEECH, TopicEncoder, load_topic_weights


def measure_recall(episode: InventedEpisode, alignment: Alignment, tolerance_s: float = 10.0) -> float:
    """Return the share of discussed features whose start was found."""
    starts = {placement.position: placement.start for placement in alignment.placements}
    placed = [starts[position] for position in episode.truth]
    errors = [
        abs(start - true) for start, true in zip(placed, episode.truth.values(), strict=True) if start is not None
    ]
    return sum(error <= tolerance_s for error in errors) / len(episode.truth)


def align_episode(episode: InventedEpisode) -> Alignment:
    """Return the alignment of an invented episode."""
    return align(episode.transcript, episode.features)


def test_features_in_list_order_are_found() -> None:
    episode = invent_episode(invent_features(12), range(12))
    alignment = align_episode(episode)
    assert measure_recall(episode, alignment) == 1.0
    assert [placement.position for placement in alignment.placements] == list(range(1, 13))


def test_swapped_halves_are_found() -> None:
    episode = invent_episode(invent_features(12), [*range(6, 12), *range(6)])
    assert measure_recall(episode, align_episode(episode)) >= 0.9


def test_feature_far_out_of_order_is_found() -> None:
    episode = invent_episode(invent_features(12), [0, 1, 10, 2, 3, 4, 5, 6, 7, 8, 9, 11])
    alignment = align_episode(episode)
    assert measure_recall(episode, alignment) == 1.0
    assert "out of list order" in alignment.placements[10].reason


@settings(max_examples=12, deadline=None)
@given(st.integers(2, 14), st.integers(0, 1000), st.booleans())
def test_any_episode_that_says_the_words_is_recovered(count: int, seed: int, swapped: bool) -> None:
    order = list(range(count))
    order = order[count // 2 :] + order[: count // 2] if swapped else order
    episode = invent_episode(invent_features(count), order, seed)
    assert measure_recall(episode, align_episode(episode)) >= 0.8


def test_feature_that_is_not_discussed_is_left_out() -> None:
    episode = invent_episode(invent_features(12), [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11])
    placement = align_episode(episode).placements[5]
    assert placement.status is Status.NOT_FOUND
    assert placement.start is None
    assert placement.end is None
    assert placement.confidence > 0.5


def test_feature_named_only_in_intro_is_absent() -> None:
    features = invent_features(10)
    episode = invent_episode(features, [0, 1, 2, 3, 5, 6, 7, 8, 9])
    teaser = Segment(2.0, 4.0, f"And we will get to {features[4].title.removeprefix('Added ')} maybe.")
    alignment = align(replace(episode.transcript, segments=(teaser, *episode.transcript.segments)), features)
    assert (alignment.placements[4].status, alignment.placements[4].reason) == (
        Status.NOT_FOUND,
        "named only in the intro",
    )


def test_announcement_before_greeting_is_not_a_start() -> None:
    """Without the greeting, the announcement is the better place."""
    features = invent_features(4)
    episode = invent_episode(features, range(4))
    name = features[0].title.removeprefix("Added ")
    texts = [
        f"So, {name}, {name} it is this week.",
        f"All about {name}.",
        "Thanks for having me, it's great to be here.",
    ]
    opening = [Segment(5.0 * number, 5.0 * number + 4.6, text) for number, text in enumerate(texts)]
    later = [
        replace(segment, start=segment.start + 15.0, end=segment.end + 15.0) for segment in episode.transcript.segments
    ]
    greeted, plain = (
        align(replace(episode.transcript, segments=(*opening[:2], last, *later)), features).placements[0].start
        for last in (opening[2], replace(opening[2], text="It really is all about that, as we say."))
    )
    assert greeted == episode.truth[1] + 15.0
    assert plain != greeted


def test_late_greeting_discounts_no_discussion() -> None:
    episode = invent_episode(invent_features(30), range(30))
    segments = list(episode.transcript.segments)
    late = next(number for number, segment in enumerate(segments) if segment.start >= episode.truth[5] - 5.0)
    segments[late] = replace(segments[late], text="Oh hello Ana, thanks for joining us, good to have you here.")
    alignment = align(replace(episode.transcript, segments=tuple(segments)), episode.features)
    assert measure_recall(episode, alignment) == 1.0


@pytest.mark.parametrize(("words", "doubtful"), [(", but let's save that for later.", True), (".", False)])
def test_deferred_mention_is_not_a_confident_start(words: str, doubtful: bool) -> None:
    features = invent_features(8)
    episode = invent_episode(features, [0, 1, 3, 4, 5, 2, 6, 7])
    mention = f"The {features[2].title.removeprefix('Added ')} would be next{words}"
    teaser = Segment(episode.truth[4] - 0.4, episode.truth[4] - 0.1, mention)
    segments = tuple(sorted((*episode.transcript.segments, teaser), key=lambda segment: segment.start))
    placement = align(replace(episode.transcript, segments=segments), features).placements[2]
    assert (placement.status is not Status.CONFIDENT and placement.start != teaser.start) is doubtful


def test_times_are_whole_milliseconds() -> None:
    features = (Feature(1, "Invoices can be sorted by due date"), Feature(2, "A dark theme in the mobile app"))
    for placement in align(make_transcript(LINES, seconds_a_line=10 / 3), features).placements:
        assert placement.start is not None
        assert placement.end is not None
        assert (placement.start, placement.end) == (round(placement.start, 3), round(placement.end, 3))


@pytest.mark.parametrize(("words", "skipped"), [("We're going to skip", True), ("It has", False)])
def test_feature_that_hosts_skip_is_left_out(words: str, skipped: bool) -> None:
    features = invent_features(6)
    episode = invent_episode(features, [0, 1, 2, 4, 5])
    start = episode.truth[5]
    named = features[3].title.removeprefix("Added ")
    passage = (
        Segment(start, start + 4.6, f"All right, next one, {named}, number {features[3].feature_id}."),
        Segment(start + 5.0, start + 9.6, f"{words} {features[3].description.removeprefix('Brings ')}"),
    )
    later = (
        replace(segment, start=segment.start + 10.0, end=segment.end + 10.0) if segment.start >= start else segment
        for segment in episode.transcript.segments
    )
    segments = sorted((*passage, *later), key=lambda segment: segment.start)
    placement = align(replace(episode.transcript, segments=tuple(segments)), features).placements[3]
    assert (placement.status is Status.NOT_FOUND) is skipped
    assert placement.reason.startswith("hosts say at 1:") is skipped


def test_spoken_id_decides_and_is_the_reason() -> None:
    episode = invent_episode(invent_features(6), range(6), say_ids=True)
    placement = align_episode(episode).placements[2]
    assert placement.method is Method.SPOKEN_ID
    assert placement.reason.startswith("its id 600126 is spoken at ")


def test_title_without_content_words_goes_between_neighbors() -> None:
    features = list(invent_features(8))
    episode = invent_episode(features, range(8))
    features[4] = Feature(5, "Various improvements")
    placements = align(episode.transcript, features).placements
    start, before, after = placements[4].start, placements[3].start, placements[5].start
    assert start is not None
    assert before is not None
    assert after is not None
    assert before <= start <= after
    assert (placements[4].method, placements[4].status) == (Method.ORDER, Status.REVIEW)


def test_feature_ends_at_the_next_start_or_outro() -> None:
    episode = invent_episode(invent_features(5), range(5))
    placements = align_episode(episode).placements
    assert [placement.end for placement in placements[:-1]] == [placement.start for placement in placements[1:]]
    outro = next(segment for segment in episode.transcript.segments if segment.text == "That's it for today.")
    assert placements[-1].end == outro.start


def test_quote_begins_at_the_start() -> None:
    episode = invent_episode(invent_features(5), range(5))
    texts = {segment.start: segment.text for segment in episode.transcript.segments}
    for placement in align_episode(episode).placements:
        assert placement.start is not None
        assert placement.quote.startswith(texts[placement.start])
        assert len(placement.quote) <= 200


@pytest.mark.parametrize(("first", "step"), [(999.0, -1.0), (0.0, 7.0)])
def test_published_times_are_never_read(first: float, step: float) -> None:
    episode = invent_episode(invent_features(8), range(8))
    timed = [replace(feature, published_s=first + step * feature.position) for feature in episode.features]
    assert align(episode.transcript, timed) == align_episode(episode)


def test_same_input_gives_the_same_output() -> None:
    episode = invent_episode(invent_features(9), range(9))
    assert align_episode(episode) == align_episode(episode)


def test_empty_transcript_places_nothing() -> None:
    alignment = align(Transcript(()), invent_features(3))
    assert [placement.status for placement in alignment.placements] == [Status.NOT_FOUND] * 3


def test_empty_list_gives_an_empty_alignment() -> None:
    assert align(invent_episode(invent_features(2), range(2)).transcript, []) == Alignment(())


def test_list_of_one_feature_is_aligned() -> None:
    episode = invent_episode(invent_features(1), [0])
    assert measure_recall(episode, align_episode(episode)) == 1.0


def test_list_of_a_hundred_features_is_aligned() -> None:
    episode = invent_episode(invent_features(100), range(100))
    assert measure_recall(episode, align_episode(episode)) > 0.95


def test_transcript_of_one_word_is_aligned() -> None:
    alignment = align(Transcript((Segment(0.0, 1.0, "Hello."),)), invent_features(2))
    assert len(alignment.placements) == 2


@pytest.mark.parametrize("language", [None, "de", "ja", "qqq"])
def test_any_language_is_accepted(language: str | None) -> None:
    episode = invent_episode(invent_features(6), range(6))
    alignment = align(replace(episode.transcript, language=language), episode.features)
    assert measure_recall(episode, alignment) >= 0.8


def test_minute_long_segments_suffice_for_half_a_minute() -> None:
    episode = invent_episode(invent_features(8), range(8))
    segments = episode.transcript.segments
    groups = [segments[at : at + 12] for at in range(0, len(segments), 12)]
    long = tuple(
        Segment(group[0].start, group[-1].end, " ".join(segment.text for segment in group)) for group in groups
    )
    alignment = align(Transcript(long, "en"), episode.features)
    assert measure_recall(episode, alignment, tolerance_s=30.0) == 1.0


def test_title_is_found_by_stems_of_its_language() -> None:
    """German "Rechnungen" and "Rechnung" share a stem; by the rules of English they do not."""
    lines = ("Guten Tag und willkommen.", "Zuerst die sortierte Rechnung.", "Und nun etwas anderes.")
    transcript = replace(make_transcript(lines), language="de")
    (placement,) = align(transcript, [Feature(1, "Sortierte Rechnungen")]).placements
    assert placement.reason == '"sortierte Rechnung" is said at 0:13'


def test_words_are_compared_by_stems_of_their_language() -> None:
    """In German "Haus" and "Häuser" are one word; by the rules of English they hardly resemble each other."""
    lines = ("Guten Tag und willkommen.", "Am Hof steht ein Haus mit einem Garten.", "Und nun etwas anderes.")
    german, english = (
        align(replace(make_transcript(lines), language=language), [Feature(1, "Gärten und Häuser")]).placements[0]
        for language in ("de", "en")
    )
    assert (german.start, german.method) == (10.0, Method.PHRASE)
    assert english.method is Method.ORDER


def test_confidence_is_a_probability_of_three_digits() -> None:
    episode = invent_episode(invent_features(6), [0, 1, 2, 4, 5])
    for placement in align_episode(episode).placements:
        assert 0.0 < placement.confidence < 1.0
        assert placement.confidence == round(placement.confidence, 3)


def test_every_placement_has_a_reason_and_a_method() -> None:
    episode = invent_episode(invent_features(6), [0, 1, 2, 4, 5])
    for placement in align_episode(episode).placements:
        assert placement.reason
        assert placement.method in Method
    (left_out,) = align(Transcript(()), [Feature(1, "A")]).placements
    assert (left_out.reason, left_out.method) == ("the transcript holds no speech", Method.ORDER)


@pytest.mark.parametrize(
    ("anchor", "reason"), [(12.0, "starts here, as a person says"), (None, "not discussed, as a person says")]
)
def test_reason_of_an_anchor_names_a_person(anchor: float | None, reason: str) -> None:
    (placement,) = align(make_transcript(LINES), [Feature(1, "Invoices")], anchors={1: anchor}).placements
    assert placement.reason == reason


def test_anchor_is_kept_and_helps_its_neighbor() -> None:
    features = (
        Feature(1, "Invoices can be sorted by due date"),
        Feature(2, "Various improvements"),
        Feature(3, "Added a dark theme to the mobile app"),
    )
    first, second, third = align(make_transcript(LINES), features, anchors={1: 11.5, 2: 25.0}).placements
    assert (first.start, first.end, first.status, first.method) == (11.5, 25.0, Status.CORRECTED, Method.CORRECTION)
    assert (second.start, second.quote.split(".")[0]) == (
        25.0,
        "So the invoice list has a sort button for the due date",
    )
    assert third.start is not None
    assert third.start >= 28.0


def test_feature_marked_not_discussed_gets_no_place() -> None:
    features = (Feature(1, "Invoices can be sorted by due date"), Feature(2, "Added a dark theme to the mobile app"))
    first, second = align(make_transcript(LINES), features, anchors={1: None}).placements
    assert (first.start, first.end, first.quote, first.status) == (None, None, "", Status.CORRECTED)
    assert second.start is not None


def test_feature_marked_not_discussed_costs_others_nothing() -> None:
    episode = invent_episode(invent_features(6), range(6))
    gone = episode.features[2].position
    placements = align(episode.transcript, episode.features, anchors={gone: None}).placements
    kept = [placement for placement in placements if placement.position != gone]
    without = [feature for feature in episode.features if feature.position != gone]
    assert kept == list(align(episode.transcript, without).placements)


def test_anchor_in_silence_is_kept() -> None:
    (placement,) = align(Transcript(()), (Feature(1, "A"),), anchors={1: 7.0}).placements
    assert (placement.start, placement.end, placement.confidence) == (7.0, 7.0, 1.0)
    (unplaced,) = align(Transcript(()), (Feature(1, "A"),)).placements
    assert (unplaced.start, unplaced.status, unplaced.confidence) == (None, Status.NOT_FOUND, 0.5)


@given(st.lists(st.floats(0, 70), min_size=2, max_size=4), st.booleans())
def test_any_anchors_are_kept(starts: list[float], absent: bool) -> None:
    """Anchors beyond the end, out of order and at the same second are kept too."""
    features = [Feature(number, f"Thing number {number}") for number in range(1, len(starts) + 2)]
    anchors: dict[int, float | None] = dict(enumerate(starts, start=1))
    if absent:
        anchors[len(features)] = None
    placements = align(make_transcript(LINES), features, anchors=anchors).placements
    assert {p.position: p.start for p in placements if p.position in anchors} == anchors
    assert all(p.start is None or (p.end is not None and p.end >= p.start) for p in placements)


def test_encoder_without_weights_is_refused() -> None:
    with pytest.raises(ModelError, match="not for the sentence encoder topics"):
        align(SPEECH, [Feature(1, "A puppy")], encoder=TopicEncoder())


def test_weights_of_another_encoder_are_refused() -> None:
    features = [Feature(1, "A puppy")]
    with pytest.raises(ModelError, match="for words alone, not for the sentence encoder topics"):
        align(SPEECH, features, encoder=TopicEncoder(), weights=load_weights())
    with pytest.raises(ModelError, match="for the sentence encoder topics, not for words alone"):
        align(SPEECH, features, weights=load_topic_weights())


def test_vectors_of_another_encoder_are_refused() -> None:
    encoder = TopicEncoder()
    vectors = replace(encode_units(split_units(SPEECH), encoder), encoder="another")
    with pytest.raises(ModelError, match="vectors are of the encoder another, not of topics"):
        align(SPEECH, [Feature(1, "A puppy")], encoder=encoder, vectors=vectors, weights=load_topic_weights())


def test_alignment_version_covers_weights_phrases_and_code(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {alignment_version()}
    changes = {"ALGORITHM_REVISION": -1, "weights_digest": lambda: "other", "phrases_digest": lambda: "other"}
    for name, value in changes.items():
        with monkeypatch.context() as patched:
            patched.setattr(aligner, name, value)
            alignment_version.cache_clear()
            versions.add(alignment_version())
    alignment_version.cache_clear()
    assert len(versions) == 4
    assert alignment_version() in versions
