"""Find mentions: passages of the transcript that may be about a feature, by id, version or a phrase of the title."""

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from pipeline.align.spoken_numbers import NumberMatch, find_ids, find_versions
from pipeline.align.units import Unit
from pipeline.core.language import language_code, load_stemmer, load_stopwords
from pipeline.core.schema import Feature, Mention, Method, NumberKind

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc, Span

# How certainly a spoken number means its feature, from 0 to 1; a version is also said in passing.
NUMBER_SCORES = {
    NumberKind.ID: 1.0,
    NumberKind.ID_ENDING: 0.9,
    NumberKind.NEAR_ID: 0.7,
    NumberKind.VERSION: 0.6,
}

# Smallest number of a tracker's id, such as PROJ-1234, that is searched in speech.
MIN_KEY_NUMBER = 1000

# Most features that may share a phrase; a phrase of more does not tell them apart.
MAX_SHARED = 3

# Most content words of a phrase.
MAX_PHRASE_WORDS = 4

# Score of the only content word of a title.
SINGLE_WORD_SCORE = 0.5

# The time of spaCy's tokenizer grows with the square of a word's length; no spoken word has 200 characters.
_LONG_WORD = re.compile(r"(\S{200})(?=\S)")


def find_mentions(units: Sequence[Unit], features: Sequence[Feature], language: str | None) -> list[Mention]:
    """Return the mentions of all features in order of time; `language` is a tag such as `en-GB`.

    The score of a number is that of its kind (NUMBER_SCORES). The score of a phrase is its share of the title's content
    words, divided by the number of features that have the phrase.
    """
    mentions = [*_find_numbers(units, features), *_find_phrases(units, features, language_code(language))]
    return sorted(mentions, key=lambda mention: (mention.start, mention.position, mention.method))


def _find_numbers(units: Sequence[Unit], features: Sequence[Feature]) -> list[Mention]:
    """Return the mentions of ids, and of versions that belong to a single feature."""
    owners: dict[str, list[int]] = {}
    for feature in features:
        number = feature.feature_id if feature.feature_id is not None else _number_of_key(feature.feature_key)
        if number is not None:
            owners.setdefault(str(number), []).append(feature.position)
    counts = Counter(feature.version for feature in features if feature.version)
    single = {
        feature.version: feature.position
        for feature in features
        if feature.version and counts[feature.version] == 1 and len(features) > 1
    }
    mentions = []
    for match in find_ids(units, [int(name) for name in owners]):
        mentions += [_make_mention(match, position) for position in owners[match.name]]
    mentions += [_make_mention(match, single[match.name]) for match in find_versions(units, list(single))]
    return mentions


def _number_of_key(key: str | None) -> int | None:
    """Return the number of `KB5034441`; None where it has too few digits to be told from other numbers in speech."""
    digits = re.search(r"(\d{4,15})$", key or "")
    return int(digits[1]) if digits and int(digits[1]) >= MIN_KEY_NUMBER else None


def _make_mention(match: NumberMatch, position: int) -> Mention:
    """Return the mention for a spoken number."""
    score = NUMBER_SCORES[match.kind]
    return Mention(position, match.start, match.end, Method.SPOKEN_ID, score, match.text, match.kind)


@lru_cache(maxsize=8)
def load_spacy(code: str) -> "Language":
    """Return spaCy's tokenizer of a language; the `norm_` of each token is its stem, where there is a stemmer."""
    import spacy
    from spacy.language import Language

    if not Language.has_factory("stem_norms"):
        Language.factory("stem_norms", func=_build_norms)
    try:
        nlp = spacy.blank(code)
    except ImportError:
        # The multi-language tokenizer cuts at blanks and punctuation.
        nlp = spacy.blank("xx")
    nlp.add_pipe("stem_norms")
    # The limit is meant for parsers, which need more memory.
    nlp.max_length = sys.maxsize
    return nlp


def _build_norms(nlp: "Language", name: str) -> Callable[["Doc"], "Doc"]:  # noqa: ARG001 - spaCy passes both by name
    """Return the pipeline component that writes the Snowball stem of every token to its norm."""
    stem = load_stemmer(nlp.lang)

    def set_norms(doc: "Doc") -> "Doc":
        for token in doc:
            token.norm_ = stem(token.lower_)
        return doc

    return set_norms


def _find_phrases(units: Sequence[Unit], features: Sequence[Feature], code: str) -> list[Mention]:
    """Return the mentions of phrases of titles, for each unit and feature the best one."""
    from spacy.matcher import PhraseMatcher

    nlp = load_spacy(code)
    matcher = PhraseMatcher(nlp.vocab, attr="NORM")
    # The share of the title, by phrase and position of the feature.
    shares: dict[str, dict[int, float]] = {}
    for feature in features:
        for phrase, share in _list_phrases(nlp(_cut_long_words(feature.title)), load_stopwords(code)):
            key = " ".join(token.norm_ for token in phrase)
            if key not in shares:
                matcher.add(key, [phrase.as_doc()])
            shares.setdefault(key, {})[feature.position] = share
    mentions: list[Mention] = []
    texts = (_cut_long_words(unit.text) for unit in units)
    for unit, doc in zip(units, nlp.pipe(texts), strict=True):
        best: dict[int, Mention] = {}
        for match, begin, stop in matcher(doc):
            owners = shares[nlp.vocab.strings[match]]
            if len(owners) > MAX_SHARED:
                continue
            for position, share in owners.items():
                score = share / len(owners)
                if position not in best or score > best[position].score:
                    best[position] = _place_span(doc[begin:stop], unit, position, score)
        mentions.extend(best.values())
    return mentions


def _cut_long_words(text: str) -> str:
    """Return a text with a blank after every 200 characters of a word."""
    return _LONG_WORD.sub(r"\1 ", text)


def _list_phrases(title: "Doc", stopwords: frozenset[str]) -> Iterator[tuple["Span", float]]:
    """Yield the runs of 2 to MAX_PHRASE_WORDS content words of a title, each with its share of all content words."""
    content = [
        token.i
        for token in title
        if (token.is_alpha or token.like_num or len(token.text) > 2)
        and not token.is_punct
        and token.lower_ not in stopwords
    ]
    if len(content) == 1:
        yield title[content[0] : content[0] + 1], SINGLE_WORD_SCORE
    for size in range(2, MAX_PHRASE_WORDS + 1):
        for first in range(len(content) - size + 1):
            begin, last = content[first], content[first + size - 1]
            # Two other words may stand between, as in "notifications can be triggered".
            if last - begin <= size + 1:
                yield title[begin : last + 1], size / len(content)


def _place_span(span: "Span", unit: Unit, position: int, score: float) -> Mention:
    """Return the mention for matched words; times inside a unit are interpolated by characters."""
    per_character = (unit.end - unit.start) / max(1, len(span.doc.text))
    start, end = unit.start + span.start_char * per_character, unit.start + span.end_char * per_character
    return Mention(position, start, end, Method.PHRASE, min(1.0, score), span.text)
