"""Mentions of features are found by id, version and phrases of the title."""

import time

import pytest

from pipeline.align.mentions import find_mentions
from pipeline.align.units import Unit
from pipeline.core.schema import Feature, Mention, Method, NumberKind

FEATURES = [
    Feature(1, "Added colour labels to the harvest calendar", "", 500101, "v3.1"),
    Feature(2, "Orchard map: show irrigation valves", "", 500202, "v3.1"),
    Feature(3, "Various improvements", "", 500303, "v3.2"),
]


def list_mentions(*texts: str, language: str | None = "en", features: list[Feature] | None = None) -> list[Mention]:
    """Return the mentions in units of ten seconds."""
    units = [Unit(10.0 * index, 10.0 * index + 9.0, text) for index, text in enumerate(texts)]
    return find_mentions(units, features or FEATURES, language)


def test_phrase_is_found_in_other_inflections() -> None:
    mentions = list_mentions("Hello there.", "Now the orchards map is shown.", "And irrigating valves too.")
    assert [(mention.position, mention.method, mention.start // 10) for mention in mentions] == [
        (2, Method.PHRASE, 1.0),
        (2, Method.PHRASE, 2.0),
    ]


def test_longer_phrase_scores_higher() -> None:
    short, whole = list_mentions("the harvest calendar"), list_mentions("colour labels to the harvest calendar")
    assert short[0].score < whole[0].score <= 1.0


def test_spoken_id_is_mention_of_its_feature() -> None:
    mentions = list_mentions("that's five hundred thousand, no, five zero zero two zero two")
    assert [(mention.position, mention.method, mention.score) for mention in mentions] == [(2, Method.SPOKEN_ID, 1.0)]


def test_version_of_single_feature_is_mention() -> None:
    assert [mention.position for mention in list_mentions("on to three point two")] == [3]


def test_shared_version_is_not_a_mention() -> None:
    assert list_mentions("today it is three point one") == []


def test_words_of_every_release_note_are_ignored() -> None:
    assert list_mentions("there are various improvements, they added new options") == []


def test_phrase_of_many_features_is_ignored() -> None:
    features = [Feature(number, f"Ledger export: format {number}") for number in range(1, 6)]
    assert list_mentions("so the ledger export", features=features) == []


def test_language_without_stemmer_matches_plain_words() -> None:
    features = [Feature(1, "Kalenda mpya ya mavuno")]
    assert [
        mention.position for mention in list_mentions("hii ni kalenda mpya ya mavuno", language="sw", features=features)
    ] == [1]


def test_language_unknown_to_spacy_matches_plain_words() -> None:
    features = [Feature(1, "Zamtu belfor")]
    assert [mention.position for mention in list_mentions("ke zamtu belfor", language="qqq", features=features)] == [1]


def test_time_is_interpolated_inside_unit() -> None:
    (mention,) = list_mentions("a long way into this sentence comes the harvest calendar")
    assert 5.0 < mention.start < mention.end <= 9.0


@pytest.mark.parametrize("sign", ["🪁", "so:", "-1:"])
def test_endless_word_is_searched_fast(sign: str) -> None:
    """Without cuts, the tokenizer alone takes minutes."""
    began = time.process_time()
    mentions = list_mentions(sign * 40_000 + " the harvest calendar", features=[FEATURES[0], Feature(2, sign * 1_500)])
    assert time.process_time() - began < 2
    assert 1 in {mention.position for mention in mentions}
    assert all(0.0 <= mention.start <= mention.end <= 9.0 for mention in mentions)


@pytest.mark.slow
def test_unit_of_a_million_characters_is_searched() -> None:
    assert [mention.position for mention in list_mentions("so " * 400_000 + "the harvest calendar")] == [1]


@pytest.mark.parametrize(
    ("key", "spoken"), [("KB5034441", "K B five oh three four four four one"), ("KITE-4512", "4512")]
)
def test_number_of_a_key_is_a_mention(key: str, spoken: str) -> None:
    mentions = list_mentions(f"Next is {spoken}, as you see.", features=[Feature(1, "Dark theme", feature_key=key)])
    assert [mention.number for mention in mentions] == [NumberKind.ID]
