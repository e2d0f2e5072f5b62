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


# Names of languages in English, as speech recognition writes them, and in the language itself; codes of three letters.
_NAMES = {
    "af": "afrikaans afr", "ar": "arabic ara العربية", "az": "azerbaijani aze", "be": "belarusian bel",
    "bg": "bulgarian bul български", "bn": "bengali ben", "bs": "bosnian bos", "ca": "catalan cat català valencian",
    "cs": "czech ces cze čeština", "cy": "welsh cym wel", "da": "danish dan dansk", "de": "german deu ger deutsch",
    "el": "greek ell gre ελληνικά", "en": "english eng", "es": "spanish spa español castilian",
    "et": "estonian est eesti", "eu": "basque eus baq euskara", "fa": "persian fas per farsi فارسی",
    "fi": "finnish fin suomi", "fr": "french fra fre français", "ga": "irish gle gaeilge", "gl": "galician glg",
    "gu": "gujarati guj", "he": "hebrew heb עברית", "hi": "hindi hin हिन्दी", "hr": "croatian hrv hrvatski",
    "hu": "hungarian hun magyar", "hy": "armenian hye arm", "id": "indonesian ind", "is": "icelandic isl ice",
    "it": "italian ita italiano", "ja": "japanese jpn 日本語", "ka": "georgian kat geo", "kk": "kazakh kaz",
    "km": "khmer khm", "kn": "kannada kan", "ko": "korean kor 한국어", "la": "latin lat", "lo": "lao",
    "lt": "lithuanian lit", "lv": "latvian lav", "mk": "macedonian mkd mac", "ml": "malayalam mal",
    "mn": "mongolian mon", "mr": "marathi mar", "ms": "malay msa may", "mt": "maltese mlt", "my": "burmese mya bur",
    "ne": "nepali nep", "nl": "dutch nld dut nederlands flemish", "no": "norwegian nor norsk nb nn bokmål nynorsk",
    "pa": "punjabi pan panjabi", "pl": "polish pol polski", "ps": "pashto pus", "pt": "portuguese por português",
    "ro": "romanian ron rum română moldovan", "ru": "russian rus русский", "sk": "slovak slk slo slovenčina",
    "sl": "slovenian slv slovene", "so": "somali som", "sq": "albanian sqi alb", "sr": "serbian srp српски",
    "sv": "swedish swe svenska", "sw": "swahili swa", "ta": "tamil tam", "te": "telugu tel", "th": "thai tha ไทย",
    "tl": "tagalog tgl filipino fil", "tr": "turkish tur türkçe", "uk": "ukrainian ukr українська",
    "ur": "urdu urd", "uz": "uzbek uzb", "vi": "vietnamese vie", "yi": "yiddish yid", "yo": "yoruba yor",
    "zh": "chinese zho chi mandarin cantonese yue cmn 中文", "zu": "zulu zul",
}  # fmt: skip
_CODES = {name: code for code, names in _NAMES.items() for name in (code, *names.split())}

# A tag as in IETF BCP 47: a language, then script, region and variants.
_TAG = re.compile(r"([a-z]{2,3})((?:[-_][a-z0-9]{1,8}){0,4})", re.IGNORECASE)


def read_language(name: str | None) -> str | None:
    """Return the tag of a language: `en` for `English`, `eng` or `EN`, and `en-GB` for `en_GB`; None if unknown."""
    # Windows and macOS show "English (United States)".
    plain = unicodedata.normalize("NFC", name or "").partition("(")[0].strip().lower()
    if plain in _CODES:
        return _CODES[plain]
    tag = _TAG.fullmatch((name or "").strip())
    if tag is None or (len(tag[1]) == 3 and tag[1].lower() not in _CODES):
        return None
    return _CODES.get(tag[1].lower(), tag[1].lower()) + tag[2].replace("_", "-")


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
