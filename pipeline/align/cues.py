"""Measure what says that a new topic starts at a unit of speech, whatever the topic is."""

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.align.units import Unit

Matrix = NDArray[np.float32]

# The words of the next 20 s are held against those of the minute before.
AFTER_S, BEFORE_S = 20.0, 60.0

# What hosts say when they go on to the next entry. One group, one weight.
CUES: dict[str, str] = {
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
_CUES = {name: re.compile(pattern) for name, pattern in CUES.items()}
BOUNDARY_NAMES = (
    *CUES,
    "short_answer",
    *(f"before_{name}" for name in ("question", "short_answer", "yes", "that_it")),
    *("opens", "pause_short", "pause_long", "words", "words_few", "novelty", "cohesion"),
)


def measure_boundaries(units: Sequence[Unit], spoken: Sequence[Sequence[str]]) -> Matrix:
    """Return (units, len(BOUNDARY_NAMES)): what says that any topic starts at a unit; `spoken` are their terms."""
    rows = np.zeros((len(units), len(BOUNDARY_NAMES)), dtype=np.float32)
    column = {name: rows[:, index] for index, name in enumerate(BOUNDARY_NAMES)}
    novelty, cohesion = _compare_sides(units, spoken)
    column["novelty"][:] = novelty
    column["cohesion"][:] = cohesion
    for number, unit in enumerate(units):
        text = unit.folded
        count = len(text.split())
        if count < 8 and number + 1 < len(units):
            text += " " + units[number + 1].folded
        for name, pattern in _CUES.items():
            column[name][number] = bool(pattern.search(text))
        column["short_answer"][number] = count <= 1
        column["opens"][number] = unit.starts_sentence
        pause = unit.start - units[number - 1].end if number else 1.0
        column["pause_short"][number] = pause > 0.35
        column["pause_long"][number] = pause > 1.0
        column["words"][number] = min(count, 30) / 30.0
        column["words_few"][number] = count <= 3
    for name in ("question", "short_answer", "yes", "that_it"):
        column[f"before_{name}"][1:] = column[name][:-1]
    return rows


def _compare_sides(
    units: Sequence[Unit], spoken: Sequence[Sequence[str]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return per unit the share of words after it not said shortly before, and the likeness of both sides."""
    novelty, cohesion = np.zeros(len(units)), np.zeros(len(units))
    after: Counter[str] = Counter()
    before: Counter[str] = Counter()
    head = tail = 0
    for number, unit in enumerate(units):
        while head < len(units) and units[head].start < unit.start + AFTER_S:
            after.update(spoken[head])
            head += 1
        if number:
            before.update(spoken[number - 1])
            _subtract(after, spoken[number - 1])
        while units[tail].start < unit.start - BEFORE_S:
            _subtract(before, spoken[tail])
            tail += 1
        shared = sum(1 for term in after if term in before)
        novelty[number] = 1.0 - shared / len(after) if after else 0.0
        cohesion[number] = shared / (len(after) * len(before)) ** 0.5 if after and before else 0.0
    return novelty, cohesion


def _subtract(counts: Counter[str], terms: Sequence[str]) -> None:
    """Take terms out of a running count, leaving no zeros behind."""
    for term in terms:
        if counts[term] <= 1:
            del counts[term]
        else:
            counts[term] -= 1


# Greetings count so long from the start, and in such a share of the talk.
OVERVIEW_LONGEST_S, OVERVIEW_LARGEST_SHARE = 300.0, 0.15

# To guests, by guests, and to listeners.
GREETING = re.compile(
    r"\b(?:thanks|thank you)(?: \w+){0,4},? for (?:having|coming|joining|being|inviting|taking|doing|tuning|listening"
    r"|watching|making)|\bthanks for the invit"
    r"|\bwelcome,|\bwelcome (?:everyone|everybody|back|along|aboard)\b|(?<!\ba )\bwelcome (?:\w+ ){0,2}to\b"
    r"|\b(?:great|good|nice|glad|happy|excited|pleasure|lovely|delighted|honou?red|thrilled|pumped|stoked)"
    r" (?:you (?:are|could|can|made)|to (?:be (?:here|on|back|with)|have (?:you|\w+ (?:here|on|back|with))"
    r"|see (?:you|everyone)|join|meet))|\bpleasure (?:to be|being|having)"
)


def find_overview_end(units: Sequence[Unit]) -> float | None:
    """Return when somebody is greeted for the last time in the opening, in seconds, or None. English only.

    What is named before is announced there, not discussed.
    """
    if not units:
        return None
    begin = units[0].start
    latest = begin + min(OVERVIEW_LONGEST_S, OVERVIEW_LARGEST_SHARE * (units[-1].start - begin))
    greeted = [one.start for one in units if one.start <= latest and GREETING.search(one.folded)]
    return greeted[-1] if greeted else None


# Leave is taken in so many seconds at the end; the last feature gets at least so many.
OUTRO_LONGEST_S, OUTRO_LEAST_S = 150.0, 8.0

# Thanks and goodbyes, and the look back that comes before them.
LEAVE = re.compile(
    r"\bthank(?:s| you)(?: \w+){0,3} for (?:listening|joining|watching|tuning|being|coming)"
    r"|\bsee you (?:all |guys |both )?(?:next|in|at|then|soon|again)\b"
    r"|\b(?:until|till) next (?:time|week|month)\b|\bnext (?:time|week|month|episode),? (?:we|on|with|it)"
    r"|\bthat(?:'s| is| was|'ll be)?,? (?:it from|all from|it for|all for|everything|the lot|the show|our show|us)\b"
    r"|^that'll do\b|\bsigning off\b|\b(?:good ?bye|bye)(?: everybody| everyone| all)?[.!]?$|^good night\b"
    r"|\bfavou?rites?\b|\bmy pick\b|\bif you (?:only )?do (?:only )?one thing\b|\bsubscribe\b"
    r"|\bwrap(?:s|ping)? (?:it |this |things |us )?up\b"
)


def find_outro(units: Sequence[Unit], last_start: float) -> float | None:
    """Return when leave is taken, in seconds, or None; `last_start` is where the last feature starts. English only."""
    if not units:
        return None
    earliest = max(last_start + OUTRO_LEAST_S, units[-1].end - OUTRO_LONGEST_S)
    fitting = (one.start for one in units if one.start >= earliest and LEAVE.search(one.folded))
    return next(fitting, None)


# Passing over is done within so many seconds; who talks for longer discusses the feature after all.
PASSING_LONGEST_S = 15.0

# The words for it begin at most so long before the feature's start and after it: later ones are about another feature.
LEAD_S, BREATH_S = 1.0, 6.0

# Hosts speak of themselves; what "you can skip" is most likely the feature.
_HOSTS = r"\b(?:i|we)(?:'ll|'m|'re|'ve|'d| will| have)?(?: just| also| only| probably)? "
_SKIP = r"(?:skip(?:ped|ping)?|(?:jump|pass|step)(?:ed|ing)? over)"
PASSING = re.compile(
    rf"{_HOSTS}(?:(?:gonna|going to|have to|had to|want to) )?{_SKIP}\b|\blet(?:'s|s| me| us) (?:just )?{_SKIP}\b"
    rf"|{_HOSTS}(?:leave|leaving|left) (?:\w+ ){{0,5}}out\b(?! of)"
    r"|\b(?:i|we) don't (?:do|use|sell|run) (?!it |that |this |them |you )\w|\b(?:neither|none) of us\b"
    r"|\b(?:won't|not going to|not gonna) (?:cover|discuss|go into|talk about|read)\b"
    r"|\b(?:didn't|couldn't|never) (?:get|got|come|came) (?:a?round )?to (?:it|that|this|them|those|trying|testing)\b"
    r"|\byou can (?:\w+ )?(?:read|look at|find) (?:\w+ ){0,3}(?:yourself|yourselves)\b|\bin your own time\b"
)
Times = NDArray[np.float64]


def find_skipped(units: Sequence[Unit], times: Times, found: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which of the features that are `found` at `times`, in seconds, are only passed over there. English only.

    One counts as such if hosts say right away that they skip it or leave it out, and the next one found, or the end,
    is near.
    """
    heard = np.array([unit.start for unit in units if PASSING.search(unit.folded)])
    passed = np.zeros(len(times), dtype=bool)
    stops = np.append(np.sort(times[found]), max((unit.end for unit in units), default=0.0))
    for row in np.flatnonzero(found):
        start = times[row]
        stop = stops[np.searchsorted(stops, start, side="right") :].min(initial=np.inf)
        said = (heard >= start - LEAD_S) & (heard < min(stop, start + BREATH_S))
        passed[row] = stop - start <= PASSING_LONGEST_S and bool(said.any())
    return passed
