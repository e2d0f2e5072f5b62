"""Merge the entries that stand twice on a page: repeats within the list, and highlights."""

from collections.abc import Sequence
from dataclasses import asdict, replace

from pipeline.core.wording import contradicts, normalize_wording, wording_similarity
from pipeline.feature_lists.checks import shorten
from pipeline.feature_lists.lines import Entry, ListWarning, WarningKind
from pipeline.feature_lists.page import Section

# The lowest similarity, 0 to 100, of two wordings of the same entry. On the pages that were examined, different entries
# of one list stay below 85, and a highlight and its entry lie above 93.
SAME_WORDING = 92.0
# The lowest similarity of two wordings that can be the same entry: below it they are different entries.
SIMILAR_WORDING = 86.0
# The fields of a feature that a merge does not fill from its repeat.
_OWN_FIELDS = {"position", "title", "feature_id"}


def merge_repeats(section: Section, unit: str) -> list[ListWarning]:
    """Merge entries with the same id and similar titles into the last of them; the others are its highlights.

    Returns a warning for each id that stands twice, in page order.
    """
    warnings = []
    last: dict[int, Entry] = {}
    for entry in reversed(section.entries):
        feature_id = entry.feature.feature_id
        if feature_id is None:
            continue
        later = last.setdefault(feature_id, entry)
        if later is entry:
            continue
        title, other = entry.feature.title, later.feature.title
        if wording_similarity(title, other) >= SIMILAR_WORDING and not contradicts(title, other):
            merge_into(entry, later)
            text = f"id {feature_id} stands again in {unit} {later.line}, in the same words: read as its highlight"
            warnings.append(ListWarning(WarningKind.REPEATED_ID, (entry.line,), text))
        else:
            last[feature_id] = entry
            text = f"id {feature_id} stands already in {unit} {entry.line}, for another title: correct one of them"
            warnings.append(ListWarning(WarningKind.CONFLICTING_ID, (later.line,), text))
    section.entries = [entry for entry in section.entries if entry.merged_into is None]
    return warnings[::-1]


def merge_highlights(section: Section, unit: str) -> list[ListWarning]:
    """Merge the page's highlights into their entries, by id or else by wording; return a warning for each other one."""
    warnings: list[ListWarning] = []
    wordings = [normalize_wording(entry.feature.title) for entry in section.entries]
    by_id = {entry.feature.feature_id: entry for entry in section.entries if entry.feature.feature_id is not None}
    for highlight in section.highlights:
        feature_id = highlight.feature.feature_id
        entry = None if feature_id is None else by_id.get(feature_id)
        similarity = 100.0
        if entry is None:
            similarity, entry = _find_similar(highlight, section.entries, wordings)
        if entry is not None and similarity >= SAME_WORDING:
            merge_into(highlight, entry)
        elif entry is not None:
            text = f"this highlight probably repeats {unit} {entry.line}: give it that entry's id, or leave it out"
            warnings.append(ListWarning(WarningKind.UNCERTAIN_HIGHLIGHT, (highlight.line,), text))
        else:
            name = f"id {feature_id}" if feature_id else shorten(highlight.feature.title)
            text = f"this highlight ({name}) is not in the list: add it there"
            warnings.append(ListWarning(WarningKind.UNLISTED_HIGHLIGHT, (highlight.line,), text))
    return warnings


def merge_into(repeat: Entry, entry: Entry) -> None:
    """Make `repeat` a highlight of `entry`, which takes the values that it lacks."""
    missing = [name for name, value in asdict(entry.feature).items() if value in (None, "") and name not in _OWN_FIELDS]
    entry.feature = replace(entry.feature, highlight=True, **{name: getattr(repeat.feature, name) for name in missing})
    entry.description = entry.description or repeat.description
    repeat.merged_into = entry


def _find_similar(highlight: Entry, entries: Sequence[Entry], wordings: Sequence[str]) -> tuple[float, Entry | None]:
    """Return the entry whose title is most similar, and the similarity.

    (0.0, None) where no title is similar, or a second one is the same; an entry with another id is not a candidate.
    """
    from rapidfuzz import fuzz, process

    candidates = {
        index: wordings[index]
        for index, entry in enumerate(entries)
        if highlight.feature.feature_id is None or entry.feature.feature_id is None
    }
    title = highlight.feature.title
    similar = process.extract(
        normalize_wording(title),
        candidates,
        scorer=fuzz.ratio,
        score_cutoff=SIMILAR_WORDING,
        limit=None,
        processor=None,
    )
    ranked = [match for match in similar if not contradicts(title, entries[match[2]].feature.title)]
    if not ranked or (len(ranked) > 1 and ranked[1][1] >= SAME_WORDING):
        return 0.0, None
    return float(ranked[0][1]), entries[ranked[0][2]]
