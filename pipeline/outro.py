"""Find where hosts stop talking about the last feature and take their leave."""

import re
from collections.abc import Sequence

from pipeline.sentences import Unit

# Leave is taken in so many seconds at the end; the last feature gets at least so many.
LONGEST_S, LEAST_S = 150.0, 8.0
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
    earliest = max(last_start + LEAST_S, units[-1].end - LONGEST_S)
    fitting = (one.start for one in units if one.start >= earliest and LEAVE.search(one.folded))
    return next(fitting, None)
