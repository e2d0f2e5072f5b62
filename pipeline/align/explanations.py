"""Say in one sentence why a start was chosen, or why a feature was left out, and quote what is said there."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.align.evidence import Evidence
from pipeline.align.units import Unit
from pipeline.core.schema import Feature, Mention, Method, NumberKind
from pipeline.core.times import format_time

# Characters of a quote at most; the catalog's column `quote` has the same limit.
QUOTE_LENGTH = 200

# Characters of a phrase that a reason quotes at most.
PHRASE_LENGTH = 60

# Seconds before a start from which on an id or phrase counts for it.
LEAD_S = 2.0

# Share of a feature's words in the next 40 s below which only the neighbors place it.
FAINT_OVERLAP = 0.12

# Similarity in meaning from which on a passage is about a feature although it shares no words with it.
CLEAR_MEANING = 0.2

# Share of the title in the next 40 s from which on the title decided, not the words of the description.
CLEAR_TITLE = 0.3

# Seconds after the last start from which on a mention is near the end.
NEAR_END_S = 30.0


@dataclass(frozen=True, slots=True)
class Rationale:
    """What decided a start.

    Attributes:
        method: The kind of evidence.
        mention: The mention that shows it, if one does.
        by_meaning: Whether the passage matches in meaning and shares no words with the feature.
    """

    method: Method
    mention: Mention | None = None
    by_meaning: bool = False


def find_rationale(evidence: Evidence, row: int, unit: int, mentions: Sequence[Mention], end: float) -> Rationale:
    """Return what decided that the feature of a row starts at a unit; `end` is the discussion's, in seconds."""
    start = float(evidence.starts[unit])
    inside = [mention for mention in mentions if start - LEAD_S <= mention.start < max(end, start + LEAD_S)]
    for method in (Method.SPOKEN_ID, Method.PHRASE):
        matches = [mention for mention in inside if mention.method is method]
        if matches:
            return Rationale(method, max(matches, key=lambda mention: (mention.score, -mention.start)))
    pair = dict(zip(evidence.names.pairs, evidence.pairs[row, unit].tolist(), strict=True))
    if max(pair["text_after_40"], pair["title_after_40"]) < FAINT_OVERLAP:
        by_meaning = pair.get("mean_text_after_20", 0.0) >= CLEAR_MEANING
        return Rationale(Method.SEMANTIC, by_meaning=True) if by_meaning else Rationale(Method.ORDER)
    return Rationale(Method.PHRASE if pair["title_after_40"] >= CLEAR_TITLE else Method.SEMANTIC)


def explain_start(feature: Feature, start: float, rationale: Rationale, runner_up: float | None, in_order: bool) -> str:
    """Return one sentence on why a feature was placed at `start`; `runner_up` is a start that fits nearly as well."""
    mention = rationale.mention
    if rationale.method is Method.ORDER:
        return "nothing in its text says what it is about; placed between its neighbours"
    if rationale.method is Method.SPOKEN_ID and mention is not None:
        reason = f"{_name_number(feature, mention)} is spoken at {format_time(mention.start)}"
    elif runner_up is not None:
        reason = f"two passages fit: {format_time(start)} and {format_time(runner_up)}"
    elif mention is not None:
        reason = f'"{_cut_text(mention.text, PHRASE_LENGTH)}" is said at {format_time(mention.start)}'
    elif rationale.method is Method.PHRASE:
        reason = "words of its title are said here"
    elif rationale.by_meaning:
        reason = "the passage is about what its text says, in other words"
    else:
        reason = "the passage shares words with its text"
    return reason if in_order else f"{reason}; out of list order"


def _name_number(feature: Feature, mention: Mention) -> str:
    """Return which of a feature's numbers is spoken."""
    if mention.number is NumberKind.VERSION:
        return f"its version {feature.version}"
    kinds: dict[NumberKind | None, str] = {
        NumberKind.NEAR_ID: "a number one digit off its id",
        NumberKind.ID_ENDING: "the end of its id",
    }
    return f"{kinds.get(mention.number, 'its id')} {feature.feature_id or feature.feature_key}"


def explain_absence(
    mentions: Sequence[Mention], starts: Sequence[float], skipped_at: float | None = None
) -> tuple[Method, str]:
    """Return what decided that a feature is not discussed, and one sentence why.

    Args:
        mentions: Mentions of the feature, in order of time.
        starts: Starts of the other features, in seconds and in order of time.
        skipped_at: Second at which hosts say that they skip the feature, or None.
    """
    if skipped_at is not None:
        return Method.SEMANTIC, f"hosts say at {format_time(skipped_at)} that they pass it over"
    if not mentions:
        return Method.SEMANTIC, "no passage is about it"
    method = min(mentions, key=lambda mention: mention.method is not Method.SPOKEN_ID).method
    if starts and all(mention.start < starts[0] for mention in mentions):
        return method, "named only in the intro"
    if starts and all(mention.start > starts[-1] + NEAR_END_S for mention in mentions):
        return method, "named only near the end"
    return method, f"named at {format_time(mentions[0].start)}, but no passage is about it"


def quote_words(units: Sequence[Unit], unit: int) -> str:
    """Return the words spoken from the start of a unit on, at most QUOTE_LENGTH characters, cut after a word."""
    text = ""
    for following in units[unit:]:
        text = f"{text} {following.text}".strip()
        if len(text) >= QUOTE_LENGTH:
            break
    return _cut_text(" ".join(text.split()), QUOTE_LENGTH)


def quote_from(units: Sequence[Unit], start: float) -> str:
    """Return the words spoken from the unit at `start`, in seconds, or the next unit after it; empty if none is."""
    index = next((index for index, unit in enumerate(units) if unit.end > start), None)
    return "" if index is None else quote_words(units, index)


def _cut_text(text: str, length: int) -> str:
    """Return at most `length` characters, cut after a whole word where there is one."""
    if len(text) <= length:
        return text
    cut = text[: length + 1].rsplit(" ", 1)[0]
    return cut if len(cut) <= length else text[:length]
