"""Explanations: the reasons that a maintainer reads, and the quotes."""

from dataclasses import replace

import pytest

from pipeline.align.evidence import measure_evidence
from pipeline.align.explanations import (
    Rationale,
    explain_absence,
    explain_start,
    find_rationale,
    quote_from,
    quote_words,
)
from pipeline.align.units import Unit
from pipeline.core.schema import Feature, Mention, Method, NumberKind
from tests.support.invented_shows import measure_lines

LAMPS = Feature(1, "Dimmer curves", feature_id=700111, version="v2.4")
SPOKEN = Mention(1, 125.9, 127.0, Method.SPOKEN_ID, 1.0, "seven hundred one eleven", NumberKind.ID)
PHRASE = Mention(1, 130.0, 131.0, Method.PHRASE, 0.8, "dimmer curves")


@pytest.mark.parametrize(
    ("rationale", "runner_up", "reason"),
    [
        (Rationale(Method.SPOKEN_ID, SPOKEN), None, "its id 700111 is spoken at 2:05"),
        (Rationale(Method.SPOKEN_ID, SPOKEN), 300.0, "its id 700111 is spoken at 2:05"),
        (
            Rationale(Method.SPOKEN_ID, replace(SPOKEN, number=NumberKind.NEAR_ID)),
            None,
            "a number one digit off its id 700111 is spoken at 2:05",
        ),
        (
            Rationale(Method.SPOKEN_ID, replace(SPOKEN, number=NumberKind.ID_ENDING)),
            None,
            "the end of its id 700111 is spoken at 2:05",
        ),
        (
            Rationale(Method.SPOKEN_ID, replace(SPOKEN, number=NumberKind.VERSION)),
            None,
            "its version v2.4 is spoken at 2:05",
        ),
        (Rationale(Method.PHRASE, PHRASE), None, '"dimmer curves" is said at 2:10'),
        (Rationale(Method.PHRASE, PHRASE), 300.0, "two passages fit: 2:00 and 5:00"),
        (Rationale(Method.PHRASE), None, "words of its title are said here"),
        (Rationale(Method.SEMANTIC), None, "the passage shares words with its text"),
        (Rationale(Method.SEMANTIC, by_meaning=True), None, "the passage is about what its text says, in other words"),
        (Rationale(Method.ORDER), None, "nothing in its text says what it is about; placed between its neighbours"),
    ],
)
def test_start_is_explained_by_what_decided_it(rationale: Rationale, runner_up: float | None, reason: str) -> None:
    assert explain_start(LAMPS, 120.0, rationale, runner_up, in_order=True) == reason
    suffix = "" if rationale.method is Method.ORDER else "; out of list order"
    assert explain_start(LAMPS, 120.0, rationale, runner_up, in_order=False) == reason + suffix


PETS = (Feature(1, "A puppy"), Feature(2, "The weather"), Feature(3, "Zebra quotas"))


@pytest.mark.parametrize(
    ("lines", "with_meaning", "rationale"),
    [
        (
            ("Our dog is a dog.", "A dog it is.", "Now the rain.", "It is rain."),
            True,
            Rationale(Method.SEMANTIC, by_meaning=True),
        ),
        (("Our dog is a dog.", "A dog it is.", "Now the rain.", "It is rain."), False, Rationale(Method.ORDER)),
        (
            ("Our puppy is a puppy.", "A puppy it is.", "Now the rain.", "It is rain."),
            False,
            Rationale(Method.SEMANTIC),
        ),
        (("Now the rain.", "It is rain.", "Rain again.", "Rain all day."), True, Rationale(Method.ORDER)),
    ],
)
def test_meaning_without_words_decides_by_itself(
    lines: tuple[str, ...], with_meaning: bool, rationale: Rationale
) -> None:
    evidence = measure_lines(lines, *PETS, meaning=with_meaning)
    assert find_rationale(evidence, 0, 0, [], evidence.starts[2]) == rationale


@pytest.mark.parametrize(("mentioned_at", "counts"), [(117.9, False), (118.0, True), (149.9, True), (150.0, False)])
def test_mention_counts_from_shortly_before_start_to_end(mentioned_at: float, counts: bool) -> None:
    units = [Unit(10.0 * n, 10.0 * n + 8.0, "It has some words.") for n in range(20)]
    mention = replace(SPOKEN, start=mentioned_at)
    rationale = find_rationale(measure_evidence(units, [LAMPS], []), 0, 12, [mention], 150.0)
    assert (rationale.mention == mention) == counts


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("x" * 53 + " a word", "x" * 53 + " a word"),
        ("x" * 53 + " a words", "x" * 53 + " a"),
        ("x" * 59 + " y z", "x" * 59),
    ],
)
def test_long_phrase_is_cut_after_a_whole_word(text: str, shown: str) -> None:
    rationale = Rationale(Method.PHRASE, replace(PHRASE, text=text))
    assert explain_start(LAMPS, 120.0, rationale, None, in_order=True) == f'"{shown}" is said at 2:10'


@pytest.mark.parametrize(
    ("mentions", "starts", "method", "reason"),
    [
        ([], [60.0], Method.SEMANTIC, "no passage is about it"),
        ([replace(PHRASE, start=20.0)], [60.0, 200.0], Method.PHRASE, "named only in the intro"),
        ([replace(PHRASE, start=230.5)], [60.0, 200.0], Method.PHRASE, "named only near the end"),
        (
            [replace(PHRASE, start=230.0)],
            [60.0, 200.0],
            Method.PHRASE,
            "named at 3:50, but no passage is about it",
        ),
        ([replace(PHRASE, start=20.0)], [], Method.PHRASE, "named at 0:20, but no passage is about it"),
        ([PHRASE, SPOKEN], [60.0], Method.SPOKEN_ID, "named only near the end"),
    ],
)
def test_absence_is_explained_by_where_it_was_named(
    mentions: list[Mention], starts: list[float], method: Method, reason: str
) -> None:
    assert explain_absence(mentions, starts) == (method, reason)


def test_hosts_who_skip_a_feature_explain_its_absence() -> None:
    reason = "hosts say at 1:40 that they pass it over"
    assert explain_absence([replace(PHRASE, start=20.0)], [60.0], 100.0) == (Method.SEMANTIC, reason)


UNITS = [Unit(10.0 * n, 10.0 * n + 8.0, f"Sentence {n} has some words.") for n in range(12)]


def test_quote_has_two_hundred_characters_of_whole_words() -> None:
    quote = quote_words(UNITS, 2)
    assert quote.startswith("Sentence 2 has some words. Sentence 3 has")
    assert 190 < len(quote) <= 200
    whole = " ".join(unit.text for unit in UNITS[2:])
    assert whole.startswith(quote)
    assert whole[len(quote)] == " "


def test_quote_ends_with_the_transcript() -> None:
    assert quote_words(UNITS, 11) == "Sentence 11 has some words."


@pytest.mark.parametrize(("length", "kept"), [(199, 199), (200, 200), (201, 200)])
def test_word_longer_than_a_quote_is_cut(length: int, kept: int) -> None:
    assert quote_words([Unit(0.0, 1.0, "x" * length)], 0) == "x" * kept


@pytest.mark.parametrize(
    ("start", "quote"), [(105.0, "Sentence 10 has"), (108.0, "Sentence 11 has"), (0.0, "Sentence 0 has"), (200.0, "")]
)
def test_quote_begins_with_the_sentence_around_its_start(start: float, quote: str) -> None:
    assert quote_from(UNITS, start).startswith(quote)
    assert bool(quote_from(UNITS, start)) == bool(quote)
