"""Find where hosts stop announcing what will come: where they greet their guests or listeners."""

import re
from collections.abc import Sequence

from pipeline.sentences import Unit

# Greetings count so long from the start, and in such a share of the talk.
LONGEST_S, LARGEST_SHARE = 300.0, 0.15
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
    latest = begin + min(LONGEST_S, LARGEST_SHARE * (units[-1].start - begin))
    greeted = [one.start for one in units if one.start <= latest and GREETING.search(one.folded)]
    return greeted[-1] if greeted else None
