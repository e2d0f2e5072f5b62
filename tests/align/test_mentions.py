"""Mentions: what in a transcript may speak of a feature."""

import time

import pytest

from pipeline.align.mentions import find_mentions
from pipeline.align.units import Unit
from pipeline.core.schema import Feature, Mention, Method

FEATURES = [
    Feature(1, "Added colour labels to the harvest calendar", "", 500101, "v3.1"),
    Feature(2, "Orchard map: show irrigation valves", "", 500202, "v3.1"),
    Feature(3, "Various improvements", "", 500303, "v3.2"),
]


def mention(*texts: str, language: str | None = "en", features: list[Feature] | None = None) -> list[Mention]:
    """Return the mentions in units of ten seconds."""
    units = [Unit(10.0 * index, 10.0 * index + 9.0, text) for index, text in enumerate(texts)]
    return find_mentions(units, features or FEATURES, language)


def test_phrase_of_a_title_is_found_in_other_inflections() -> None:
    found = mention("Hello there.", "Now the orchards map is shown.", "And irrigating valves too.")
    assert [(one.position, one.method, one.start // 10) for one in found] == [
        (2, Method.PHRASE, 1.0),
        (2, Method.PHRASE, 2.0),
    ]


def test_longer_phrase_scores_higher() -> None:
    short, whole = mention("the harvest calendar"), mention("colour labels to the harvest calendar")
    assert short[0].score < whole[0].score <= 1.0


def test_spoken_id_is_a_mention_of_its_feature() -> None:
    found = mention("that's five hundred thousand, no, five zero zero two zero two")
    assert [(one.position, one.method, one.score) for one in found] == [(2, Method.SPOKEN_ID, 1.0)]


def test_version_of_one_feature_alone_names_it() -> None:
    assert [one.position for one in mention("on to three point two")] == [3]


def test_version_shared_by_features_names_none() -> None:
    assert mention("today it is three point one") == []


def test_words_that_every_release_note_has_are_no_mention() -> None:
    assert mention("there are various improvements, they added new options") == []


def test_phrase_shared_by_many_features_is_no_mention() -> None:
    features = [Feature(number, f"Ledger export: format {number}") for number in range(1, 6)]
    assert mention("so the ledger export", features=features) == []


def test_language_without_stemmer_is_matched_by_its_plain_words() -> None:
    features = [Feature(1, "Kalenda mpya ya mavuno")]
    assert [one.position for one in mention("hii ni kalenda mpya ya mavuno", language="sw", features=features)] == [1]


def test_language_unknown_to_spacy_is_matched_by_its_plain_words() -> None:
    features = [Feature(1, "Zamtu belfor")]
    assert [one.position for one in mention("ke zamtu belfor", language="qqq", features=features)] == [1]


def test_time_is_interpolated_inside_a_unit() -> None:
    (found,) = mention("a long way into this sentence comes the harvest calendar")
    assert 5.0 < found.start < found.end <= 9.0


@pytest.mark.parametrize("sign", ["🪁", "so:", "-1:"])
def test_a_word_without_end_takes_no_time(sign: str) -> None:
    """The tokenizer alone takes time by the square of it: minutes."""
    began = time.process_time()
    found = mention(sign * 40_000 + " the harvest calendar", features=[FEATURES[0], Feature(2, sign * 1_500)])
    assert time.process_time() - began < 2
    assert 1 in {one.position for one in found}
    assert all(0.0 <= one.start <= one.end <= 9.0 for one in found)


def test_a_transcript_without_a_full_stop_is_searched_whole() -> None:
    assert [one.position for one in mention("so " * 400_000 + "the harvest calendar")] == [1]
