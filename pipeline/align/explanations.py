"""Say in words why a start was chosen, or why a feature was left out."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.align.evidence import Evidence
from pipeline.align.units import Unit
from pipeline.core.schema import Feature, Mention, Method, NumberKind
from pipeline.core.times import format_time

QUOTE_LENGTH = 200

# An id or phrase counts for a start from this many seconds before it.
LEAD_S = 2.0

# Below this overlap of a feature's words with what follows the start, only its neighbours place it.
FAINT = 0.12

# From this likeness in meaning on, a passage is about a feature though it shares no words with it.
CLEAR_MEANING = 0.2

# From this share of the title on, the title decided rather than the words of the description.
CLEAR_TITLE = 0.3


@dataclass(frozen=True, slots=True)
class Ground:
    """What decided a start, the mention that shows it, if one does, and whether it was meaning without words."""

    method: Method
    mention: Mention | None = None
    meant: bool = False


def find_ground(evidence: Evidence, row: int, unit: int, mentions: Sequence[Mention], end: float) -> Ground:
    """Return what decided that a feature starts at a unit and lasts until `end`."""
    start = float(evidence.starts[unit])
    inside = [mention for mention in mentions if start - LEAD_S <= mention.start < max(end, start + LEAD_S)]
    for method in (Method.SPOKEN_ID, Method.PHRASE):
        fitting = [mention for mention in inside if mention.method is method]
        if fitting:
            return Ground(method, max(fitting, key=lambda mention: (mention.score, -mention.start)))
    pair = dict(zip(evidence.names.pairs, evidence.pairs[row, unit].tolist(), strict=True))
    if max(pair["text_after_40"], pair["title_after_40"]) < FAINT:
        meant = pair.get("mean_text_after_20", 0.0) >= CLEAR_MEANING
        return Ground(Method.SEMANTIC, meant=True) if meant else Ground(Method.ORDER)
    return Ground(Method.PHRASE if pair["title_after_40"] >= CLEAR_TITLE else Method.SEMANTIC)


def explain_start(feature: Feature, start: float, ground: Ground, rival: float | None, ordered: bool) -> str:
    """Return one sentence on why a feature was placed at `start`; `rival` is a start that fits nearly as well."""
    if ground.method is Method.ORDER:
        return "nothing in its text says what it is about; placed between its neighbours"
    if ground.method is Method.SPOKEN_ID and ground.mention is not None:
        reason = f"{_name_number(feature, ground.mention)} is spoken at {format_time(ground.mention.start)}"
    elif rival is not None:
        reason = f"two passages fit: {format_time(start)} and {format_time(rival)}"
    elif ground.mention is not None:
        reason = f'"{_cut_text(ground.mention.text, 60)}" is said at {format_time(ground.mention.start)}'
    elif ground.method is Method.PHRASE:
        reason = "words of its title are said here"
    elif ground.meant:
        reason = "the passage is about what its text says, in other words"
    else:
        reason = "the passage shares words with its text"
    return reason if ordered else f"{reason}; out of list order"


def _name_number(feature: Feature, mention: Mention) -> str:
    """Return what of a feature's numbers was heard."""
    if mention.number is NumberKind.VERSION:
        return f"its version {feature.version}"
    kinds: dict[NumberKind | None, str] = {
        NumberKind.NEAR_ID: "a number one digit off its id",
        NumberKind.ID_ENDING: "the end of its id",
    }
    return f"{kinds.get(mention.number, 'its id')} {feature.feature_id}"


def explain_absence(
    mentions: Sequence[Mention], begun: Sequence[float], passed: float | None = None
) -> tuple[Method, str]:
    """Return what decided that a feature is not discussed, and one sentence why.

    `begun` are the others' starts, `passed` is when hosts say that they pass it over, if they do.
    """
    if passed is not None:
        return Method.SEMANTIC, f"hosts say at {format_time(passed)} that they pass it over"
    if not mentions:
        return Method.SEMANTIC, "no passage is about it"
    method = min(mentions, key=lambda mention: mention.method is not Method.SPOKEN_ID).method
    if begun and all(mention.start < begun[0] for mention in mentions):
        return method, "named only in the intro"
    if begun and all(mention.start > begun[-1] + 30.0 for mention in mentions):
        return method, "named only near the end"
    return method, f"named at {format_time(mentions[0].start)}, but no passage is about it"


def quote_words(units: Sequence[Unit], unit: int) -> str:
    """Return the words spoken from the start of a unit, at most 200 characters, cut at a word."""
    text = ""
    for following in units[unit:]:
        text = f"{text} {following.text}".strip()
        if len(text) >= QUOTE_LENGTH:
            break
    return _cut_text(" ".join(text.split()), QUOTE_LENGTH)


def quote_from(units: Sequence[Unit], start: float) -> str:
    """Return the words spoken from any time on; a unit that it falls into is quoted whole."""
    following = next((number for number, unit in enumerate(units) if unit.end > start), None)
    return "" if following is None else quote_words(units, following)


def _cut_text(text: str, length: int) -> str:
    """Return a text cut after the last whole word that fits."""
    if len(text) <= length:
        return text
    cut = text[: length + 1].rsplit(" ", 1)[0]
    return cut if len(cut) <= length else text[:length]
