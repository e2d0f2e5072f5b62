"""Turn text into comparable terms: lower-case stems without stop words, numbers as digits."""

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

# A word or a number; `it's` is one word.
_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)?|\d+")
# An abbreviation spelled out, such as `C R M`.
_SPELLED = re.compile(r"\b[A-Z](?:[ .-][A-Z]\b)+")
# The boundary inside `SharePoint`.
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")
_NUMBER_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty"
).split()
NUMBERS = {word: str(value) for value, word in enumerate(_NUMBER_WORDS)}

# The end of a sentence: its punctuation and any closing quotes or brackets.
SENTENCE_END = re.compile(r"[.?!…。？！][\"'”’)\]]*$")
# Frequent words of release notes and of speech about them: they distinguish no feature from another.
_COMMON = frozenset(
    "add added adds adding new now various improve improves improved improvement improvements option allow allows "
    "allowed update updates updated fix fixes fixed issue enable enables enabled support supports change changes "
    "changed feature features release thing things stuff lot okay yeah right like going get got gonna know think "
    "actually really just mean want well sort kind bit let say said go come look see make way one".split()
)
# Snowball stemmers by ISO 639-1 code.
SNOWBALL = {
    "ar": "arabic", "ca": "catalan", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "es": "spanish", "et": "estonian", "eu": "basque", "fi": "finnish", "fr": "french", "ga": "irish",
    "hi": "hindi", "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian",
    "lt": "lithuanian", "ne": "nepali", "nl": "dutch", "no": "norwegian", "pt": "portuguese",
    "ro": "romanian", "ru": "russian", "sr": "serbian", "sv": "swedish", "ta": "tamil", "tr": "turkish",
    "yi": "yiddish",
}  # fmt: skip


def language_code(language: str | None) -> str:
    """Return the two-letter code of a language tag such as `en-GB`; `en` for no tag."""
    return (language or "en").split("-")[0].split("_")[0].lower() or "en"


@lru_cache(maxsize=8)
def load_stemmer(language: str) -> Callable[[str], str]:
    """Return the Snowball stemmer of a language, or the identity where there is none."""
    algorithm = SNOWBALL.get(language)
    if algorithm is None:
        return str
    import snowballstemmer

    stem: Callable[[str], str] = snowballstemmer.stemmer(algorithm).stemWord
    return lru_cache(maxsize=50_000)(stem)


@lru_cache(maxsize=8)
def load_stopwords(language: str) -> frozenset[str]:
    """Return spaCy's stop words of a language; an empty set for a language without any."""
    from spacy.util import get_lang_class

    try:
        words = get_lang_class(language).Defaults.stop_words
    except ImportError:
        words = set()
    return frozenset(words) | (_COMMON if language == "en" else frozenset())


def tokenize(text: str) -> list[str]:
    """Return the lower-case words of a text; `SharePoint` gives two words, `1,000` is `1000`."""
    plain = unicodedata.normalize("NFKC", text).replace("’", "'")
    # Speech recognition writes an abbreviation as "C R M" or "J-S-O-N".
    plain = _SPELLED.sub(lambda match: re.sub(r"[ .-]", "", match.group()), plain)
    words = []
    for word in _WORD.findall(_CAMEL.sub(" ", plain)):
        word = word.lower()
        if word[0].isdigit():
            word = word.replace(",", "")
        elif "'" in word:
            word = word.split("'")[0]
        words.append(word)
    return words


def extract_terms(text: str, language: str = "en") -> list[str]:
    """Return the stems of a text's content words, in order, numbers as digits."""
    stem, stopwords = load_stemmer(language), load_stopwords(language)
    terms = []
    for word in tokenize(text):
        if language == "en":
            word = NUMBERS.get(word, word)
        if word in stopwords or (len(word) == 1 and not word.isdigit()):
            continue
        terms.append(word if word[0].isdigit() else stem(word))
    return terms
