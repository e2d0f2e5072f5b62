"""Merge entries that stand twice."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pipeline.core.schema import LineRole
from pipeline.core.text import normalize_wording, wording_similarity
from pipeline.feature_lists.checks import shorten
from pipeline.feature_lists.page import Draft, Section

# Two wordings are the same entry, spaces and signs apart (pages lose them), at this rapidfuzz ratio; and may be at the
# lower one. On the pages we know, different entries of one list stay under 85, highlights of one lie above 93.
SAME_WORDING = 92.0
LIKE_WORDING = 86.0


def _merge_repeats(section: Section, unit: str) -> list[str]:
    """Merge an entry that stands twice, same id and near wording, into its last place: the first was a highlight."""
    warnings = []
    # A hostile list is all repeats: what they are merged into is noted, and done to the section once.
    last: dict[int, Draft] = {}
    moved: dict[int, int] = {}
    for draft in reversed(section.entries):
        late = None if draft.feature_id is None else last.get(draft.feature_id)
        if draft.feature_id is not None:
            last[draft.feature_id] = draft
        if late is None:
            continue
        if wording_similarity(draft.title, late.title) >= LIKE_WORDING:
            _absorb(draft, late, moved)
            last[draft.feature_id or 0] = late
            warnings.append(
                f"{unit} {draft.line}: id {draft.feature_id} stands again in {unit} {late.line}, in the same words: "
                "read as its highlight"
            )
        else:
            warnings.append(
                f"{unit} {late.line}: id {late.feature_id} stands already in {unit} {draft.line}, for another title: "
                "correct one of them"
            )
    section.entries = [draft for draft in section.entries if draft.line not in moved]
    _retell(section, moved)
    return warnings[::-1]


def _merge_highlights(section: Section, unit: str) -> list[str]:
    """Mark the entries that the page's highlights name, by id or else by wording; report the others."""
    warnings: list[str] = []
    moved: dict[int, int] = {}
    letters = [normalize_wording(entry.title) for entry in section.entries]
    by_id = {draft.feature_id: draft for draft in section.entries if draft.feature_id is not None}
    for highlight in section.highlights:
        entry = by_id.get(highlight.feature_id) if highlight.feature_id is not None else None
        likeness = 100.0
        if entry is None:
            likeness, entry = _find_like(highlight, section.entries, letters)
        if entry is not None and likeness >= SAME_WORDING:
            _absorb(highlight, entry, moved)
        elif entry is not None and likeness >= LIKE_WORDING:
            warnings.append(
                f"{unit} {highlight.line}: this highlight probably repeats {unit} {entry.line}: "
                f"give it that entry's id, or leave it out"
            )
        else:
            name = f"id {highlight.feature_id}" if highlight.feature_id else shorten(highlight.title)
            warnings.append(f"{unit} {highlight.line}: this highlight ({name}) is not in the list: add it there")
    _retell(section, moved)
    return warnings


def _find_like(highlight: Draft, entries: Sequence[Draft], letters: Sequence[str]) -> tuple[float, Draft | None]:
    """The entry whose wording is nearest, unless a second one is as near or its id says it is another."""
    from rapidfuzz import fuzz, process

    free = {
        number: letters[number]
        for number, entry in enumerate(entries)
        if highlight.feature_id is None or entry.feature_id is None
    }
    ranked = process.extract(
        normalize_wording(highlight.title), free, scorer=fuzz.ratio, score_cutoff=LIKE_WORDING, limit=2, processor=None
    )
    if not ranked or (len(ranked) > 1 and ranked[1][1] >= SAME_WORDING):
        return 0.0, None
    return float(ranked[0][1]), entries[ranked[0][2]]


def _absorb(early: Draft, entry: Draft, moved: dict[int, int]) -> None:
    """Let an entry take over what its highlight says, and note in `moved` whose lines it is written in."""
    entry.highlight = True
    entry.description = entry.description or early.description
    entry.version = entry.version or early.version
    entry.published_s = early.published_s if entry.published_s is None else entry.published_s
    moved[early.line] = entry.line


def _retell(section: Section, moved: Mapping[int, int]) -> None:
    """Let the lines of what was merged be the highlights of what it was merged into."""
    for number, account in enumerate(section.accounts):
        if account.entry is not None and account.entry in moved:
            section.accounts[number] = replace(account, role=LineRole.HIGHLIGHT, entry=moved[account.entry])
