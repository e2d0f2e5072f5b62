"""Read a feature list in any shape a page comes in, merge its highlights, and say what looks odd, by line."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.core.errors import InputError
from pipeline.core.schema import Feature, FeatureList, LineReport
from pipeline.core.storage import read_limited
from pipeline.feature_lists.checks import check_list
from pipeline.feature_lists.documents import read_document
from pipeline.feature_lists.lines import Document
from pipeline.feature_lists.merge import _merge_highlights, _merge_repeats
from pipeline.feature_lists.page import Section, read_page

MAX_BYTES = 16 << 20  # a page of 1,000 entries is under 1 MB; more is some other file
MAX_TITLE = 5_000  # characters: a paragraph that is an entry has a few hundred
MAX_ENTRIES = 2_000  # the longest list that we know has 60; each one is compared with all that is said


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
    line_reports = tuple(
        LineReport(a.line, a.role, a.text, positions.get(a.entry) if a.entry is not None else None, a.reason)
        for a in section.accounts
    )
    return FeatureList(features, (*document.warnings, *warnings), digest, section.episode, line_reports)
