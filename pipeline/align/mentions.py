"""Find stretches of the transcript that may speak of a feature: its id, its version, phrases of its title."""

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


# A phrase that fits more features than this tells none of them from the others.
MAX_SHARED = 3
PHRASE_WORDS = 4

# How surely a spoken number means its feature, from 0 to 1; a version may also be said in passing.
NUMBER_SCORES = {
    NumberKind.ID: 1.0,
    NumberKind.ID_ENDING: 0.9,
    NumberKind.NEAR_ID: 0.7,
    NumberKind.VERSION: 0.6,
}

# spaCy takes time by the square of a word's length; no word that is said has so many characters.
_LONG_WORD = re.compile(r"(\S{200})(?=\S)")


def find_mentions(units: Sequence[Unit], features: Sequence[Feature], language: str | None) -> list[Mention]:
    """Return the mentions of all features in order of time, scored from 0 to 1.

    An id that is said exactly scores 1, a phrase by how much of its title it is, shared by the features that have it.
    """
    mentions = [*_find_numbers(units, features), *_find_phrases(units, features, language_code(language))]
    return sorted(mentions, key=lambda mention: (mention.start, mention.position, mention.method))


def _find_numbers(units: Sequence[Unit], features: Sequence[Feature]) -> list[Mention]:
    """Return where ids are said, and versions that belong to one feature alone."""
    owners: dict[str, list[int]] = {}
    for feature in features:
        if feature.feature_id is not None:
            owners.setdefault(str(feature.feature_id), []).append(feature.position)
    versions = Counter(feature.version for feature in features if feature.version)
    single = {
        feature.version: feature.position
        for feature in features
        if feature.version and versions[feature.version] == 1 and len(features) > 1
    }
    mentions = []
    for match in find_ids(units, [int(name) for name in owners]):
        mentions += [_make_mention(match, position) for position in owners[match.name]]
    mentions += [_make_mention(match, single[match.name]) for match in find_versions(units, list(single))]
    return mentions


def _make_mention(match: NumberMatch, position: int) -> Mention:
    """Return the mention for a spoken number."""
    score = NUMBER_SCORES[match.kind]
    return Mention(position, match.start, match.end, Method.SPOKEN_ID, score, match.text, match.kind)


@lru_cache(maxsize=8)
def load_language(code: str) -> "Language":
    """Return spaCy's tokenizer for a language, with each token's stem as its `norm_`; plain tokens otherwise."""
    import spacy
    from spacy.language import Language

    if not Language.has_factory("stem_norms"):
        Language.factory("stem_norms", func=_build_norms)
    try:
        nlp = spacy.blank(code)
    except ImportError:
        # A language that spaCy does not know is still cut at blanks and punctuation.
        nlp = spacy.blank("xx")
    nlp.add_pipe("stem_norms")
    # The limit is there for parsers, which would need the memory.
    nlp.max_length = sys.maxsize
    return nlp


def _build_norms(nlp: "Language", name: str) -> Callable[["Doc"], "Doc"]:  # noqa: ARG001 - spaCy names both
    """Return the component that writes the Snowball stem of every token into its norm."""
    stem = load_stemmer(nlp.lang)

    def set_norms(doc: "Doc") -> "Doc":
        for token in doc:
            token.norm_ = stem(token.lower_)
        return doc

    return set_norms


def _find_phrases(units: Sequence[Unit], features: Sequence[Feature], code: str) -> list[Mention]:
    """Return where two to four content words of a title are said in a row."""
    from spacy.matcher import PhraseMatcher

    nlp = load_language(code)
    matcher = PhraseMatcher(nlp.vocab, attr="NORM")
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
            span = doc[begin:stop]
            for position, share in owners.items():
                score = share / len(owners)
                if position not in best or score > best[position].score:
                    best[position] = _place_span(span, unit, position, score)
        mentions.extend(best.values())
    return mentions


def _cut_long_words(text: str) -> str:
    return _LONG_WORD.sub(r"\1 ", text)


def _list_phrases(title: "Doc", stopwords: frozenset[str]) -> Iterator[tuple["Span", float]]:
    """Yield a title's runs of two to four content words, with their share of all its content words."""
    content = [
        token.i
        for token in title
        if (token.is_alpha or token.like_num or len(token.text) > 2)
        and not token.is_punct
        and token.lower_ not in stopwords
    ]
    if len(content) == 1:
        yield title[content[0] : content[0] + 1], 0.5
    for size in range(2, PHRASE_WORDS + 1):
        for first in range(len(content) - size + 1):
            begin, last = content[first], content[first + size - 1]
            # At most two small words between: "notifications can be triggered".
            if last - begin <= size + 1:
                yield title[begin : last + 1], size / len(content)


def _place_span(span: "Span", unit: Unit, position: int, score: float) -> Mention:
    """Return the mention for matched words; times inside a unit are interpolated by characters."""
    per_character = (unit.end - unit.start) / max(1, len(span.doc.text))
    start, end = unit.start + span.start_char * per_character, unit.start + span.end_char * per_character
    return Mention(position, start, end, Method.PHRASE, min(1.0, score), span.text)
