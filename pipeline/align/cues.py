"""Find what hosts say between topics: transitions, greetings, sign-offs, skipped features, and number words.

Every phrase that the alignment looks for in speech is an upper-case constant of this module. All are English, in lower
case and with straight apostrophes, as in `Unit.folded`.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.align.lexical import Matrix
from pipeline.align.units import Unit
from pipeline.core.language import NUMBERS

Vector = NDArray[np.float64]

# Phrases with which hosts go on to another topic, by column of the boundary model; each group has one weight.
BOUNDARY_CUES: dict[str, str] = {
    "next_one": r"\bnext (?:one|up|item|thing|topic|story|entry|feature|is|i have|we have|on)\b|^next\b",
    "move_on": r"\bmov(?:e|ing) (?:on|along|over)\b|\bgo(?:ing)? on to\b|\bon to (?:the )?\b|\bcarry on\b",
    "all_right": r"^(?:all right|alright|right)\b",
    "okay": r"^(?:okay|ok)\b",
    "so": r"^so\b",
    "now": r"^now\b|^and now\b",
    "and": r"^and\b",
    "but": r"^(?:but|because|or)\b",
    "also": r"^(?:also|then|and then|plus)\b",
    "well": r"^(?:well|oh|hey|um|uh|anyway|anyways)\b",
    "yes": r"^(?:yes|yeah|no|nope|sure|exactly|thanks|thank you|great|cool|good|nice)\b",
    "ordinal": r"\b(?:first|second|third|final|finally|last)\b",
    "another": r"\b(?:another|other one|one more|also in|same (?:area|place|screen))\b",
    "speaking": r"\bspeaking of\b|\bwhile we(?:'re| are)\b|\bin other\b|\bback to\b|\bon a\b",
    "talk": r"\b(?:talk|talking|discuss|discussing|chat|cover|get|jump|dive|walk)\w* (?:about|into|through|to)\b",
    "lets": r"\blet(?:'s|s| us| me)\b",
    "wanted": r"\b(?:want|wanted|like|going|gonna) to\b",
    "announce": r"\b(?:announce|launch|releas|introduc|report|publish|titled|called|news|article)\w*\b",
    "there_is": r"\b(?:there's|there is|here's|here is|this is|we've got|we have|you've got|i've got)\b",
    "this_one": r"\b(?:this one|that one|the one|this next)\b",
    "you_can": r"\b(?:you can|can now|you could|now has|now have|is now|are now)\b",
    "question": r"\?",
    "wh_question": r"^(?:so |and |okay,? )?(?:what|how|why|who|where|when|which|do|does|did|is|are|can|could)\b",
    "number": r"\b(?:number|ticket|id|pr|pull request|issue)\b|#",
    "number_long": r"\b\d[\d,. ]{3,}\d\b",
    "list": r"\b(?:list|item|topic|section|line|title|headline|sponsor)s?\b",
    "you_know": r"\b(?:you know|i mean|i think|i guess|kind of|sort of)\b",
    "that_it": r"\b(?:that's it|that's all|that is it|moving|done|wrap)\b",
    "who_is": r"\bwho(?:'s| here| has|se)\b|\bremember\b|\bever\b",
    "put_off": r"\b(?:(?:save|leave|keep|park|hold) (?:that|it|this|them|those|these|one) (?:for|until|till|back)"
    r"|(?:save|leave|keep) the \w+ (?:until|till)"
    r"|don't (?:do|say|open|show|start) (?:that|it|this)(?: one)?(?: \w+)? yet"
    r"|(?:come|get|circle|go|return) (?:back )?to (?:that|it|this|them|those|these) (?:one )?(?:later|in a|after|soon)"
    r"|for later|later (?:on )?(?:in|today|tonight|this)|not yet|more on (?:that|it|this) later|another time"
    r"|(?:skip|put|set|leave) (?:that|it|this|them|those) (?:one )?(?:for now|off|aside))\b",
    "pronoun": r"^(?:it|they|he|she|that|them|its|their|this|these|those)\b",
}

# Greetings of guests and listeners, and the thanks of guests.
GREETING = re.compile(
    r"\b(?:thanks|thank you)(?: \w+){0,4},? for (?:having|coming|joining|being|inviting|taking|doing|tuning|listening"
    r"|watching|making)|\bthanks for the invit"
    r"|\bwelcome,|\bwelcome (?:everyone|everybody|back|along|aboard)\b|(?<!\ba )\bwelcome (?:\w+ ){0,2}to\b"
    r"|\b(?:great|good|nice|glad|happy|excited|pleasure|lovely|delighted|honou?red|thrilled|pumped|stoked)"
    r" (?:you (?:are|could|can|made)|to (?:be (?:here|on|back|with)|have (?:you|\w+ (?:here|on|back|with))"
    r"|see (?:you|everyone)|join|meet))|\bpleasure (?:to be|being|having)"
)

# Thanks and goodbyes at the end of an episode, and the look back before them.
SIGN_OFF = re.compile(
    r"\bthank(?:s| you)(?: \w+){0,3} for (?:listening|joining|watching|tuning|being|coming)"
    r"|\bsee you (?:all |guys |both )?(?:next|in|at|then|soon|again)\b"
    r"|\b(?:until|till) next (?:time|week|month)\b|\bnext (?:time|week|month|episode),? (?:we|on|with|it)"
    r"|\bthat(?:'s| is| was|'ll be)?,? (?:it from|all from|it for|all for|everything|the lot|the show|our show|us)\b"
    r"|^that'll do\b|\bsigning off\b|\b(?:good ?bye|bye)(?: everybody| everyone| all)?[.!]?$|^good night\b"
    r"|\bfavou?rites?\b|\bmy pick\b|\bif you (?:only )?do (?:only )?one thing\b|\bsubscribe\b"
    r"|\bwrap(?:s|ping)? (?:it |this |things |us )?up\b"
)

# Hosts speak of themselves; what "you can skip" is most likely what the feature does.
_HOSTS = r"\b(?:i|we)(?:'ll|'m|'re|'ve|'d| will| have)?(?: just| also| only| probably)? "

# Verbs for passing over a feature.
_SKIP = r"(?:skip(?:ped|ping)?|(?:jump|pass|step)(?:ed|ing)? over)"

# Phrases with which hosts pass over a feature or leave it out.
SKIPPING = re.compile(
    rf"{_HOSTS}(?:(?:gonna|going to|have to|had to|want to) )?{_SKIP}\b|\blet(?:'s|s| me| us) (?:just )?{_SKIP}\b"
    rf"|{_HOSTS}(?:leave|leaving|left) (?:\w+ ){{0,5}}out\b(?! of)"
    r"|\b(?:i|we) don't (?:do|use|sell|run) (?!it |that |this |them |you )\w|\b(?:neither|none) of us\b"
    r"|\b(?:won't|not going to|not gonna) (?:cover|discuss|go into|talk about|read)\b"
    r"|\b(?:didn't|couldn't|never) (?:get|got|come|came) (?:a?round )?to (?:it|that|this|them|those|trying|testing)\b"
    r"|\byou can (?:\w+ )?(?:read|look at|find) (?:\w+ ){0,3}(?:yourself|yourselves)\b|\bin your own time\b"
)

# Phrases with which hosts refer to an earlier episode.
CALLBACK = re.compile(
    r"\b(?:as|like|which|remember) (?:i|we)(?:'ve|'d| have| had)? (?:\w+ )?"
    r"(?:said|mentioned|talked|discussed|covered)\b"
    r"|\b(?:said|mentioned|talked|discussed|covered|showed|saw|told|did|looked|went|from|in|on|was|been)"
    r"(?: \w+){0,4} (?:last|previous|earlier|past) (?:week|time|month|episode|show|one|session|video)s?\b"
    r"|\b(?:last|the previous|a previous|an earlier) (?:week|time|month|episode|show|session|video),? "
    r"(?:i|we|you|and)\b"
    r"|\b(?:last|previous|earlier) (?:week|time|month|episode|show|session|video)'s\b"
    r"|\b(?:a few|a couple of|two|three|some) (?:weeks|episodes|shows|months) (?:ago|back)\b"
)

# Number words and the digits that they stand for.
DIGIT_WORDS = {word: digits for word, digits in NUMBERS.items() if int(digits) < 10} | {"nought": "0"}
TEEN_WORDS = {word: digits for word, digits in NUMBERS.items() if 10 <= int(digits) < 20}
TENS_WORDS = {
    word: str(value * 10)
    for value, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)
}
SCALE_WORDS = {"hundred": 100, "thousand": 1000}

# The word between a hundred and the rest of a number.
LINKING_WORD = "and"

# Words that stand for a zero inside a number.
OH_WORDS = frozenset({"oh", "o"})

# Words that repeat the digit after them.
REPEAT_WORDS = {"double": 2, "triple": 3}

# Words and signs between the digits of a version.
POINT_WORDS = frozenset({"point", "dot", "."})

# Words and signs before an id; short ids and ids that look like years count only after one of them.
ID_CUES = frozenset("# id ids number no issue ticket pr pull request feature item case bug story".split())

# Signs before an amount of money.
MONEY_SIGNS = frozenset("$ € £".split())

# Words and signs after an amount.
AMOUNT_WORDS = frozenset("% percent dollars dollar bucks euros euro pounds quid cents".split())

# "The one ending in 163": the verb, and the word after it.
ENDING_VERBS = frozenset({"ending", "ends"})
ENDING_PREPOSITIONS = frozenset({"in", "with", "on"})

# Seconds after a unit and before it whose words are compared: new words suggest a new topic.
AFTER_S = 20.0
BEFORE_S = 60.0

# A unit of fewer words is searched for cues together with the unit after it.
SHORT_UNIT_WORDS = 8

# Pauses before a unit, in seconds: longer than a breath, and longer than most pauses between sentences.
SHORT_PAUSE_S = 0.35
LONG_PAUSE_S = 1.0

# Words in a unit beyond which more words make no difference.
FULL_UNIT_WORDS = 30

# Latest greeting that ends an overview: seconds, and share of the episode.
OVERVIEW_MAX_S = 300.0
OVERVIEW_MAX_SHARE = 0.15

# The sign-off lies in the last seconds of an episode, and this long after the start of the last feature.
OUTRO_MAX_S = 150.0
LAST_FEATURE_MIN_S = 8.0

# A skipped feature takes at most this many seconds; hosts who talk for longer discuss it after all.
SKIPPED_MAX_S = 15.0

# Characters of a passage within which a callback concerns its subject: about the first eight seconds.
CALLBACK_CHARACTERS = 120

# Seconds before the start of a feature and after it in which a skipping phrase is about this feature.
SKIP_LEAD_S = 1.0
SKIP_DELAY_S = 6.0

_CUE_PATTERNS = {name: re.compile(pattern) for name, pattern in BOUNDARY_CUES.items()}

# Cues that also count for the unit after the one that holds them.
_REPEATED_CUES = ("question", "short_answer", "yes", "that_it")
BOUNDARY_NAMES = (
    *BOUNDARY_CUES,
    "short_answer",
    *(f"before_{name}" for name in _REPEATED_CUES),
    *("opens", "pause_short", "pause_long", "words", "words_few", "novelty", "cohesion"),
)


def phrases_digest() -> str:
    """Return the SHA-256 of the upper-case constants of this module, in hexadecimal; callbacks decide no start.

    It changes with any phrase, so that projects notice that their alignments are out of date.
    """
    constants = {name: value for name, value in globals().items() if name.isupper() and not name.startswith("CALLBACK")}
    return hashlib.sha256(json.dumps(constants, sort_keys=True, default=_to_json).encode()).hexdigest()


def _to_json(constant: re.Pattern[str] | frozenset[str]) -> list[str]:
    """Return a pattern or a set of words as JSON can hold it."""
    return [constant.pattern] if isinstance(constant, re.Pattern) else sorted(constant)


def measure_boundaries(units: Sequence[Unit], terms: Sequence[Sequence[str]]) -> Matrix:
    """Return (units, len(BOUNDARY_NAMES)): evidence that any topic starts at a unit; `terms` are those of each unit."""
    rows = np.zeros((len(units), len(BOUNDARY_NAMES)), dtype=np.float32)
    column = {name: rows[:, index] for index, name in enumerate(BOUNDARY_NAMES)}
    novelty, cohesion = _compare_sides(units, terms)
    column["novelty"][:] = novelty
    column["cohesion"][:] = cohesion
    for number, unit in enumerate(units):
        text = unit.folded
        count = len(text.split())
        if count < SHORT_UNIT_WORDS and number + 1 < len(units):
            text += " " + units[number + 1].folded
        for name, pattern in _CUE_PATTERNS.items():
            column[name][number] = bool(pattern.search(text))
        column["short_answer"][number] = count <= 1
        column["opens"][number] = unit.starts_sentence
        pause = unit.start - units[number - 1].end if number else 1.0
        column["pause_short"][number] = pause > SHORT_PAUSE_S
        column["pause_long"][number] = pause > LONG_PAUSE_S
        column["words"][number] = min(count, FULL_UNIT_WORDS) / FULL_UNIT_WORDS
        column["words_few"][number] = count <= 3
    for name in _REPEATED_CUES:
        column[f"before_{name}"][1:] = column[name][:-1]
    return rows


def _compare_sides(units: Sequence[Unit], terms: Sequence[Sequence[str]]) -> tuple[Vector, Vector]:
    """Return for each unit (units) the share of new terms after it, and the cosine of the terms on both sides.

    The terms of the next AFTER_S are compared with those of the BEFORE_S before, each term once.
    """
    novelty, cohesion = np.zeros(len(units)), np.zeros(len(units))
    after: Counter[str] = Counter()
    before: Counter[str] = Counter()
    head = tail = 0
    for number, unit in enumerate(units):
        while head < len(units) and units[head].start < unit.start + AFTER_S:
            after.update(terms[head])
            head += 1
        if number:
            before.update(terms[number - 1])
            _subtract(after, terms[number - 1])
        while units[tail].start < unit.start - BEFORE_S:
            _subtract(before, terms[tail])
            tail += 1
        shared = sum(1 for term in after if term in before)
        novelty[number] = 1.0 - shared / len(after) if after else 0.0
        cohesion[number] = shared / (len(after) * len(before)) ** 0.5 if after and before else 0.0
    return novelty, cohesion


def _subtract(counts: Counter[str], terms: Sequence[str]) -> None:
    """Subtract terms from a running count; terms that reach zero are removed."""
    for term in terms:
        if counts[term] <= 1:
            del counts[term]
        else:
            counts[term] -= 1


def is_callback(text: str) -> bool:
    """Return whether the first words of a passage refer to an earlier episode: "as we said last week"."""
    return CALLBACK.search(text[:CALLBACK_CHARACTERS].replace("’", "'").lower()) is not None


def find_overview_end(units: Sequence[Unit]) -> float | None:
    """Return the start of the last greeting in the opening, in seconds, or None.

    Features named before it are announced there, not discussed.
    """
    if not units:
        return None
    begin = units[0].start
    latest = begin + min(OVERVIEW_MAX_S, OVERVIEW_MAX_SHARE * (units[-1].start - begin))
    greetings = [unit.start for unit in units if unit.start <= latest and GREETING.search(unit.folded)]
    return greetings[-1] if greetings else None


def find_outro(units: Sequence[Unit], last_start: float) -> float | None:
    """Return the start of the sign-off, in seconds, or None; `last_start` is the start of the last feature."""
    if not units:
        return None
    earliest = max(last_start + LAST_FEATURE_MIN_S, units[-1].end - OUTRO_MAX_S)
    return next((unit.start for unit in units if unit.start >= earliest and SIGN_OFF.search(unit.folded)), None)


def find_skipped(units: Sequence[Unit], times: Vector, found: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which of the features `found` at `times` (seconds) hosts explicitly skip.

    A feature is skipped where hosts say so right at its start, and the next feature, or the end, follows soon.
    """
    phrases = np.array([unit.start for unit in units if SKIPPING.search(unit.folded)])
    skipped = np.zeros(len(times), dtype=bool)
    stops = np.append(np.sort(times[found]), max((unit.end for unit in units), default=0.0))
    for row in np.flatnonzero(found):
        start = times[row]
        stop = stops[np.searchsorted(stops, start, side="right") :].min(initial=np.inf)
        near = (phrases >= start - SKIP_LEAD_S) & (phrases < min(stop, start + SKIP_DELAY_S))
        skipped[row] = stop - start <= SKIPPED_MAX_S and bool(near.any())
    return skipped
