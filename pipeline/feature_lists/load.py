"""Load the feature lists of a file or of a document's bytes: read, merge, check."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.core.errors import InputError
from pipeline.core.schema import FeatureList, LineReport, LineRole
from pipeline.core.storage import read_limited
from pipeline.feature_lists.checks import check_list, shorten
from pipeline.feature_lists.documents import read_document
from pipeline.feature_lists.lines import Document, Entry, Line, ListWarning, WarningKind
from pipeline.feature_lists.merge import merge_highlights, merge_repeats
from pipeline.feature_lists.page import Section, read_page

# The largest file, in bytes: a page of 1,000 entries has under 1 MB.
MAX_BYTES = 16 << 20
# The longest title, in characters: a paragraph that is an entry has a few hundred.
MAX_TITLE = 5_000
# The most entries of a list: the longest known list has 60, and each entry is compared with the whole transcript.
MAX_ENTRIES = 2_000


def load_features(path: Path, *, episode: str | None = None, columns: Mapping[str, str] | None = None) -> FeatureList:
    """Return the list in a file; `episode` is its number, `columns` maps a table's names to COLUMNS.

    InputError where the file holds no list, or several and `episode` is the number of none.
    """
    return pick_episode(load_episodes(path, columns=columns), episode, path)


def load_episodes(path: Path, *, columns: Mapping[str, str] | None = None) -> tuple[FeatureList, ...]:
    """Return the lists of all episodes in a file, in its order; InputError where it is unreadable or holds no list."""
    content = read_limited(path, MAX_BYTES, "the feature list")
    try:
        return parse_episodes(content, path.suffix, columns=columns)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def pick_episode(lists: Sequence[FeatureList], episode: str | None, source: Path | str) -> FeatureList:
    """Return the list of `episode`, or the only list where it is None; InputError where there is no such list."""
    if episode is None and len(lists) == 1:
        return lists[0]
    for features in lists:
        if episode is not None and features.episode == episode:
            return features
    numbers = ", ".join(str(features.episode) for features in lists)
    raise InputError(
        f"{source} holds the lists of episodes {numbers}: choose one with --episode, "
        "or with features_episode in the episode's settings"
    )


def parse_episodes(
    content: bytes, suffix: str = ".txt", *, columns: Mapping[str, str] | None = None
) -> tuple[FeatureList, ...]:
    """Return the lists of all episodes in a document's bytes, in its order.

    `suffix` is the ending of the document's format, `columns` maps a table's names to `tables.COLUMNS`. InputError
    where the document has another format, holds no entry, or exceeds the limits of a list.
    """
    document = read_document(content, suffix, columns=columns)
    sections = [section for section in read_page(document.lines) if section.entries or section.highlights]
    if not any(section.entries for section in sections):
        raise InputError("no feature found: expected one entry a line, such as `Title | v2.204 #979667 | 16:36`")
    for section in sections:
        _check_limits(section, document.unit)
    sha256 = hashlib.sha256(content).hexdigest()
    return tuple(_build_list(section, document, sha256) for section in sections)


def _check_limits(section: Section, unit: str) -> None:
    """InputError where a section has too many entries, or a title that is too long."""
    entries = [*section.entries, *section.highlights]
    if len(entries) > MAX_ENTRIES:
        raise InputError(f"a list can have at most {MAX_ENTRIES} entries, not {len(entries)}: is this another file?")
    for entry in entries:
        if (length := len(entry.feature.title)) > MAX_TITLE:
            raise InputError(
                f"{unit} {entry.line}: a title can have at most {MAX_TITLE} characters, not {length}: "
                "is this another file?"
            )


def _build_list(section: Section, document: Document, sha256: str) -> FeatureList:
    """Return the list of one episode, with repeats and highlights merged into their entries."""
    unit = document.unit
    merged = [*merge_repeats(section, unit), *merge_highlights(section, unit)]
    warnings = [*document.warnings, *merged, *_report_unread(section), *check_list(section.entries, unit)]
    for position, entry in enumerate(section.entries, start=1):
        entry.complete(position)
    return FeatureList(
        features=tuple(entry.feature for entry in section.entries),
        warnings=tuple(warning.describe(unit) for warning in warnings),
        sha256=sha256,
        episode=section.episode,
        line_reports=tuple(_place_report(report, entry) for report, entry in section.reports),
    )


def _report_unread(section: Section) -> list[ListWarning]:
    """Return a warning for each reason for which lines that could be entries are not read."""
    by_reason: dict[str, list[Line]] = {}
    for line, reason in section.unread:
        by_reason.setdefault(reason, []).append(line)
    warnings = []
    for reason, lines in by_reason.items():
        numbers = tuple(dict.fromkeys(line.number for line in lines))
        text = f"not read as an entry ({reason}): {shorten(lines[0].text)}"
        if len(numbers) > 1:
            text = f"{len(numbers)} lines not read as entries ({reason}): see them with --explain"
        warnings.append(ListWarning(WarningKind.NOT_READ, numbers, text))
    return warnings


def _place_report(report: LineReport, entry: Entry | None) -> LineReport:
    """Return a report with the position of its entry; the lines of a merged entry are highlights of the other.

    The lines of a highlight that is not in the list have no position.
    """
    if entry is None:
        return report
    if entry.merged_into is not None:
        return replace(report, role=LineRole.HIGHLIGHT, position=entry.merged_into.feature.position)
    return report if report.role is LineRole.HIGHLIGHT else replace(report, position=entry.feature.position)
