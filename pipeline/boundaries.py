"""Measure what says that a new topic starts at a unit of speech, whatever the topic is."""

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.sentences import Unit

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
        column["opens"][number] = unit.opens
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
