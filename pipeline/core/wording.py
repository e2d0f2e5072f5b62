"""Compare the wordings of entries: which are the same, which nearly the same, and which contradict each other.

Signs and digits count: C++ is not C#, and 1.1 is not 11. docs/identity.md explains the rules to maintainers.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher
from functools import lru_cache

from pipeline.core.language import NUMBERS, load_stemmer
from pipeline.core.text import INVISIBLE

# rapidfuzz ratio (0 to 100) from which on two wordings may be one entry's, one of them edited.
SAME_ENTRY_RATIO = 80.0
# Least share of the content words of the shorter wording that a reworded entry with the same id keeps.
RELATED_SHARE = 0.5
# Most letters that a slip changes in a word, by its least number of letters.
MAX_SLIPS = ((8, 2), (4, 1), (0, 0))

# Signs that pages lose or add without a change of meaning.
_DECORATION = frozenset("™®©`´^¨˜")
# Punctuation that is part of a name, as in `C#`.
_NAMING = frozenset("#%&@*/\\")
# Kept signs whose change alone makes no other entry.
_UNTELLING = frozenset("&*/\\,:'")
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth once twice single double triple".split()
_NUMBER_WORDS = frozenset({*NUMBERS, *_ORDINALS})
_NEGATIONS = frozenset(
    "not no never none without cannot nor nicht kein keine ohne nie pas sans jamais sin nunca".split()
)
_SMALL_WORDS = frozenset(
    "a an the of to in on at by for from with and or as is are was be been can could will would may now new also it "
    "its this that these those your you our we their they has have had".split()
)
# Words whose exchange reverses an entry. Words with a prefix such as `un` need no line here.
_OPPOSITES = """
add/remove add/delete create/delete insert/delete enable/disable show/hide on/off open/close start/stop begin/end
import/export upload/download allow/block allow/deny allow/forbid accept/reject approve/reject increase/decrease
before/after first/last up/down left/right in/out old/new min/max minimum/maximum minimize/maximize light/dark
public/private read/write send/receive include/exclude encrypt/decrypt encode/decode compress/decompress more/less
more/fewer higher/lower faster/slower always/never online/offline input/output inbound/outbound incoming/outgoing
internal/external manual/automatic push/pull merge/split ascending/descending horizontal/vertical all/none to/from
over/under above/below top/bottom long/short large/small big/small early/late expand/collapse collapse/extend
attach/detach login/logout signin/signout pause/resume grant/revoke win/lose gain/loss success/failure pass/fail
""".split()
_NEGATIVE_PREFIXES = ("un", "dis", "de", "non", "in", "im", "ir", "il", "mis", "anti", "re")


def _fold(text: str) -> str:
    """Return a text in Unicode NFC, case-folded, with one kind of dash."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold()).translate(INVISIBLE)
    return "".join("-" if _is_dash(character) else character for character in folded)


@lru_cache(maxsize=50_000)
def normalize_wording(text: str) -> str:
    """Return what identifies a wording: letters, digits and signs after Unicode NFC, case-folded.

    Spaces and the punctuation that pages lose are left out, except where they separate digits.
    """
    folded = _fold(text)
    kept: list[str] = []
    gap = False
    for number, character in enumerate(folded):
        before, after = folded[number - 1] if number else "", folded[number + 1 : number + 2]
        if not _is_kept(before, character, after):
            gap = True
            continue
        # `1 1` is not `11`.
        if gap and kept and _is_digit(kept[-1]) and _is_digit(character):
            kept.append(" ")
        kept.append(character)
        gap = False
    return unicodedata.normalize("NFC", "".join(kept))


def _is_kept(before: str, character: str, after: str) -> bool:
    """Whether a character belongs to the identity of a wording; `before` and `after` may be empty."""
    group = unicodedata.category(character)[0]
    if group in "LMN" or character in _NAMING:
        return True
    if character == ".":
        return before != "." and _is_word(after)
    if character in ",:'":
        return _is_digit(before) and _is_digit(after)
    if character == "-":
        is_sign = _is_digit(after) and (_is_digit(before) or not _is_word(before))
        return is_sign or (_is_word(before) and not _is_word(after) and after != "-")
    if character in "([{":
        return after in (")", "]", "}")
    if character in ")]}":
        return before in ("(", "[", "{")
    return (group == "S" and character not in _DECORATION) or (character == "!" and after == "=")


def _is_dash(character: str) -> bool:
    return character == "\u2212" or unicodedata.category(character) == "Pd"


def _is_digit(character: str) -> bool:
    return character != "" and unicodedata.category(character)[0] == "N"


def _is_word(character: str) -> bool:
    return character != "" and unicodedata.category(character)[0] in "LMN"


def same_title(left: str | None, right: str | None) -> bool:
    """Tell whether two titles are the same text, whatever their Unicode form and white space."""
    return left is not None and right is not None and plain_title(left) == plain_title(right)


def plain_title(text: str) -> str:
    """Return a title in Unicode NFC, without invisible characters, white space collapsed."""
    return " ".join(unicodedata.normalize("NFC", text).translate(INVISIBLE).split())


def same_wording(left: str | None, right: str | None) -> bool:
    """Tell whether both wordings are given and have the same letters, digits and signs, case ignored."""
    return left is not None and right is not None and normalize_wording(left) == normalize_wording(right)


def wording_similarity(left: str, right: str) -> float:
    """Return the similarity of two normalized wordings, 0 to 100 (normalized Indel distance)."""
    from rapidfuzz import fuzz

    return float(fuzz.ratio(normalize_wording(left), normalize_wording(right)))


@lru_cache(maxsize=20_000)
def _split_words(text: str) -> tuple[str, ...]:
    """Return the words of a wording, case-folded; an apostrophe inside a word belongs to it."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold()).translate(INVISIBLE)
    letters = "".join(c if _is_word(c) else "'" if c in "'’" else " " for c in folded.replace("&", " and "))
    return tuple(word for part in letters.split() if (word := part.strip("'")))


@lru_cache(maxsize=20_000)
def _list_numbers(text: str) -> Counter[str]:
    """Return the numbers of a wording, in digits, words and letters, such as `-1.1`, `two` and the B of Plan B."""
    folded = _fold(text)
    digits = "".join("0" if _is_digit(character) else character for character in folded.replace("0", "1"))
    spans = re.finditer(r"0+(?:[.,:/-]0+)*", digits)
    numbers = Counter(folded[span.start() : span.end()] for span in spans)
    words = _split_words(text)
    numbers.update(
        word for word in words if word in _NUMBER_WORDS or (len(word) == 1 and word != "a" and word.isalpha())
    )
    numbers.update(re.findall(r"\b[IVXLC]{2,}\b", text))
    return numbers


@lru_cache(maxsize=20_000)
def _list_signs(text: str) -> tuple[Counter[str], Counter[str]]:
    """Return the telling signs of a wording, as the # of C#, and its pictures, such as stars."""
    folded = _fold(text)
    telling: Counter[str] = Counter()
    pictures: Counter[str] = Counter()
    for number, character in enumerate(folded):
        before, after = folded[number - 1] if number else "", folded[number + 1 : number + 2]
        if not _is_kept(before, character, after) or _is_word(character) or character in _UNTELLING:
            continue
        if unicodedata.category(character) == "So":
            pictures[character] += 1
        # Between two words, a dot or a dash may be lost; numbers are compared by themselves.
        elif character not in ".-" or not (_is_word(before) and _is_word(after)):
            telling[character] += 1
    return telling, pictures


@lru_cache(maxsize=1)
def _opposite_stems() -> frozenset[frozenset[str]]:
    stem = load_stemmer("en")
    return frozenset(frozenset(stem(word) for word in pair.split("/")) for pair in _OPPOSITES)


def _is_opposite(left: str, right: str) -> bool:
    """Whether two words reverse each other: `added` and `removed`, `lock` and `unlock`."""
    stem = load_stemmer("en")
    if frozenset({stem(left), stem(right)}) in _opposite_stems():
        return True
    return any(
        long == prefix + short for prefix in _NEGATIVE_PREFIXES for long, short in ((left, right), (right, left))
    )


def contradicts(left: str, right: str) -> bool:
    """Tell whether two wordings differ in a number, a sign or an opposite: then they are two entries, however alike."""
    if _list_numbers(left) != _list_numbers(right):
        return True
    (signs, pictures), (other_signs, other_pictures) = _list_signs(left), _list_signs(right)
    if signs != other_signs or (pictures and other_pictures and pictures != other_pictures):
        return True
    words, others = _split_words(left), _split_words(right)
    if _count_negations(words) != _count_negations(others):
        return True
    only_left, only_right = set(words) - set(others), set(others) - set(words)
    return any(_is_opposite(word, other) for word in only_left for other in only_right)


def _count_negations(words: Sequence[str]) -> int:
    return sum(word in _NEGATIONS or word.endswith(("n't", "n’t")) for word in words)


def nearly_same(left: str, right: str) -> bool:
    """Tell whether one wording may be the other with slips and small words changed.

    Never where they contradict each other, and never where a word was exchanged for another one.
    """
    if same_wording(left, right):
        return True
    if wording_similarity(left, right) < SAME_ENTRY_RATIO or contradicts(left, right):
        return False
    words, others = _split_words(left), _split_words(right)
    added: list[list[str]] = [[], []]
    for tag, start, end, other_start, other_end in SequenceMatcher(None, words, others, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        sides = words[start:end], others[other_start:other_end]
        if "".join(sides[0]) == "".join(sides[1]):
            continue
        content = [[word for word in side if word not in _SMALL_WORDS] for side in sides]
        if all(content):
            if len(content[0]) != len(content[1]) or not all(map(_is_slip, *content)):
                return False
        else:
            added = [known + more for known, more in zip(added, content, strict=True)]
    # One word more is an edit; a word here for a word there is another entry.
    return len(added[0]) + len(added[1]) <= 1


def _is_slip(left: str, right: str) -> bool:
    """Whether two words are one word in two spellings or inflections."""
    from rapidfuzz.distance import OSA

    if left == right:
        return True
    # In scripts without case, such as Chinese, each character is a word of its own.
    if not all(character.lower() != character.upper() for character in left + right) or left[0] != right[0]:
        return False
    stem = load_stemmer("en")
    most = next(slips for letters, slips in MAX_SLIPS if min(len(left), len(right)) >= letters)
    return stem(left) == stem(right) or OSA.distance(left, right, score_cutoff=most) <= most


def is_related(left: str, right: str) -> bool:
    """Tell whether one wording may be the other in other words: they share content words and do not contradict."""
    stem = load_stemmer("en")
    contents = [{stem(word) for word in _split_words(text) if word not in _SMALL_WORDS} for text in (left, right)]
    smaller = min(len(content) for content in contents)
    shared = len(contents[0] & contents[1])
    return smaller > 0 and shared >= RELATED_SHARE * smaller and not contradicts(left, right)
