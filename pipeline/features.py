"""Read a feature list in any shape a page comes in, merge its highlights, and say what looks odd, by line."""

import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from pipeline.addresses import is_address, without_secrets
from pipeline.documents import read_document
from pipeline.errors import InputError
from pipeline.fetch import fetch_document
from pipeline.formulas import disarm
from pipeline.identity import normalize_wording, rate_likeness
from pipeline.lines import Document
from pipeline.list_checks import check_list, shorten
from pipeline.list_tables import COLUMNS
from pipeline.network import Access
from pipeline.page import Draft, Role, Section, format_page, read_page
from pipeline.schema import Feature, FeatureList, LineRole
from pipeline.storage import read_limited

LIST_SUFFIXES = frozenset({".csv", ".json", ".txt"})
MAX_BYTES = 16 << 20  # a page of 1,000 entries is under 1 MB; more is some other file
MAX_TITLE = 5_000  # characters: a paragraph that is an entry has a few hundred
MAX_ENTRIES = 2_000  # the longest list that we know has 60; each one is compared with all that is said

# Two wordings are the same entry, spaces and signs apart (pages lose them), at this rapidfuzz ratio; and may be at the
# lower one. On the pages we know, different entries of one list stay under 85, highlights of one lie above 93.
SAME_WORDING = 92.0
LIKE_WORDING = 86.0


def read_lists(
    source: str, *, columns: Mapping[str, str] | None = None, access: Access | None = None
) -> tuple[FeatureList, ...]:
    """Return the lists of all episodes in a file or at an http(s) address; `columns` maps a table's names to ours.

    InputError where it cannot be had, or holds no feature.
    """
    if not is_address(source):
        return load_episodes(Path(source), columns=columns)
    fetched = fetch_document(source, access=access)
    if fetched is None:
        raise InputError(f"{without_secrets(source)} answers that nothing changed, though it was never asked before")
    try:
        return parse_episodes(fetched.content, fetched.suffix, columns=columns)
    except InputError as error:
        raise InputError(f"{without_secrets(source)}: {error}") from error


def load_features(path: Path, *, episode: str | None = None, columns: Mapping[str, str] | None = None) -> FeatureList:
    """Return the list in a file; InputError where there is none, or several and `episode` names none of them."""
    return pick_episode(load_episodes(path, columns=columns), episode, path)


def load_episodes(path: Path, *, columns: Mapping[str, str] | None = None) -> tuple[FeatureList, ...]:
    """Return the lists of all episodes in a file, in its order; InputError where it cannot be read, or holds none."""
    content = read_limited(path, MAX_BYTES, "the feature list")
    try:
        return parse_episodes(content, path.suffix, columns=columns)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def pick_episode(lists: Sequence[FeatureList], episode: str | None, source: Path | str) -> FeatureList:
    """Return the list of the episode asked for, or the only one; InputError names those there are."""
    if episode is None and len(lists) == 1:
        return lists[0]
    found = [features for features in lists if features.episode == episode]
    if episode is None or not found:
        names = ", ".join(str(features.episode) for features in lists)
        raise InputError(f"{source} holds the lists of episodes {names}: say which with --episode (features_episode)")
    return found[0]


def parse_episodes(
    content: bytes, suffix: str = ".txt", *, columns: Mapping[str, str] | None = None
) -> tuple[FeatureList, ...]:
    """Return the lists in a document's bytes; `suffix` tells its format, `columns` maps a table's names to ours.

    InputError where there is no feature in it, or more than any list has.
    """
    document = read_document(content, suffix, columns=columns)
    digest = hashlib.sha256(content).hexdigest()
    sections = [section for section in read_page(document.lines) if section.entries or section.highlights]
    if not any(section.entries for section in sections):
        raise InputError("no feature found: expected one entry a line, such as `Title | v2.204 #979667 | 16:36`")
    if (longest := max(len(section.entries) + len(section.highlights) for section in sections)) > MAX_ENTRIES:
        raise InputError(f"{longest} entries are more than a list can have ({MAX_ENTRIES}): is this another file?")
    for draft in (draft for section in sections for draft in (*section.entries, *section.highlights)):
        if len(draft.title) > MAX_TITLE:
            raise InputError(
                f"{document.unit} {draft.line}: {len(draft.title)} characters are more than a title can have "
                f"({MAX_TITLE}): is this another file?"
            )
    return tuple(_finish(section, document, digest) for section in sections)


def dump_features(features: Sequence[Feature], suffix: str) -> str:
    """Return a list as .csv, .json or a page's text (.txt), which read back as the same list."""
    records = [asdict(feature) for feature in features]
    if suffix == ".txt":
        return format_page(features)
    if suffix == ".json":
        return json.dumps({"features": records}, ensure_ascii=False, indent=1) + "\n"
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _show_cell(record[name]) for name in COLUMNS} for record in records)
    return text.getvalue()


def _show_cell(value: object) -> object:
    """A value as a cell that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    return disarm(value) if isinstance(value, str) else value


def _finish(section: Section, document: Document, digest: str) -> FeatureList:
    """The list of one episode, its repeats and highlights merged into their entries."""
    unit = document.unit
    warnings = [*_merge_repeats(section, unit), *_merge_highlights(section, unit), *check_list(section.entries, unit)]
    features = tuple(
        Feature(
            position,
            draft.title,
            " ".join(draft.description),
            draft.feature_id,
            draft.version,
            draft.highlight,
            draft.published_s,
        )
        for position, draft in enumerate(section.entries, start=1)
    )
    positions = {draft.line: position for position, draft in enumerate(section.entries, start=1)}
    roles = tuple(
        LineRole(a.line, a.role.value, a.text, positions.get(a.entry) if a.entry is not None else None, a.reason)
        for a in section.accounts
    )
    return FeatureList(features, (*document.warnings, *warnings), digest, section.episode, roles)


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
        if rate_likeness(draft.title, late.title) >= LIKE_WORDING:
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
            section.accounts[number] = replace(account, role=Role.HIGHLIGHT, entry=moved[account.entry])
