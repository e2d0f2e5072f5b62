"""The checks of a feature list: each warning says what is doubtful in which lines, and what to do."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from pipeline.core.language import load_stemmer
from pipeline.feature_lists.lines import Entry, ListWarning, WarningKind

# Words that occur in release notes of any product, and in remarks about them: they name no subject.
_EMPTY_WORDS = frozenset(
    "a an and are as at be been being but by can could did do does during each even for from had has have how if "
    "in into is it its more most much new not now of off on once one only or other our out over own per so some "
    "such than that the their them then there these they this those through to too under up use used uses using "
    "very via was we were what when where which while who will with within without would you your add added "
    "adding adds allow allowed allows change changed changes demo enable enabled enables enhance enhanced "
    "enhancement enhancements enhances feature features fix fixed fixes genuinely great handy helpful highlighted "
    "improve improved improvement improvements improves introduce introduced introduces minor nice option overall "
    "practical provide provided provides really several small support supported supports thing things ui update "
    "updated updates useful usability various workflow".split()
)
# Verbs of remarks about a feature: "Ann noted that…".
_COMMENTARY = re.compile(r"\b(?:noted|called out|highlighted|mentioned|discussed|praised|liked|loved)\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W_][\w'’-]*")
# The most warnings of one kind with a line each; more become one warning.
MAX_SINGLE_WARNINGS = 5
# The shortest word, in letters, that can name a subject.
MIN_WORD = 3
# The fewest words, without names, of a remark that names a subject.
MIN_COMMENTARY_WORDS = 3
# The fewest words that an entry shares with its repeat.
MIN_SHARED_WORDS = 2
# The lowest share of the shorter title's words that an entry shares with its repeat.
MIN_SHARED_PART = 0.75
# The most earlier entries with one of its words that an entry is compared with.
MAX_COMPARED = 60
# The longest title, in characters, that a warning shows in full.
MAX_TITLE_SHOWN = 60
# What to do about a missing id or version.
_FILL_ADVICE = "add it, or fill it from the release notes with --fill"


def check_list(entries: Sequence[Entry], unit: str = "line") -> list[ListWarning]:
    """Return every warning about a list; `unit` is the singular of what line numbers count (line, row, item)."""
    return [
        *_check_missing(entries),
        *_check_versions(entries),
        *_check_times(entries, unit),
        *_check_subjects(entries),
        *_check_repeats(entries, unit),
    ]


def find_subject_words(text: str) -> frozenset[str]:
    """Return the stems of a text's words that can name its subject, in lower case."""
    stem = load_stemmer("en")
    words = (word.lower().strip("'’-") for word in _WORD.findall(text))
    return frozenset(stem(word) for word in words if len(word) >= MIN_WORD and word not in _EMPTY_WORDS)


def _check_missing(entries: Sequence[Entry]) -> Iterator[ListWarning]:
    """Yield warnings about entries without id, version or description, and about entries with several ids."""
    no_id = [entry for entry in entries if entry.feature.feature_id is None and entry.feature.feature_key is None]
    no_version = [entry for entry in entries if entry.feature.version is None]
    no_description = [entry for entry in entries if not entry.description]
    total = len(entries)
    yield from _report_missing(WarningKind.NO_ID, no_id, total, f"no id: {_FILL_ADVICE}")
    yield from _report_missing(WarningKind.NO_VERSION, no_version, total, f"no version: {_FILL_ADVICE}")
    advice = "no description: one more sentence makes the entry easier to find"
    yield from _report_missing(WarningKind.NO_DESCRIPTION, no_description, total, advice)
    for entry in entries:
        if entry.other_ids:
            others = ", ".join(map(str, entry.other_ids))
            text = f"several ids in one entry: {entry.feature.feature_id} is kept, {others} left out"
            yield ListWarning(WarningKind.SEVERAL_IDS, (entry.line,), text)


def _report_missing(kind: WarningKind, entries: Sequence[Entry], total: int, text: str) -> Iterator[ListWarning]:
    """Yield a warning for each of a few entries, or one for many."""
    if len(entries) <= MAX_SINGLE_WARNINGS:
        yield from (ListWarning(kind, (entry.line,), f"{shorten(entry.feature.title)}: {text}") for entry in entries)
    else:
        lines = tuple(entry.line for entry in entries)
        yield ListWarning(kind, lines, f"{len(entries)} of {total} entries have {text}")


def _check_versions(entries: Sequence[Entry]) -> Iterator[ListWarning]:
    """Yield a warning for each version between two equal ones that differ from it."""
    versions = [entry.feature.version for entry in entries]
    for before, entry, after in zip(versions, entries[1:], versions[2:], strict=False):
        version = entry.feature.version
        if version and before and before == after != version:
            text = f"version {version} between entries of {before}: check it"
            yield ListWarning(WarningKind.ODD_VERSION, (entry.line,), text)


def _check_times(entries: Sequence[Entry], unit: str) -> Iterator[ListWarning]:
    """Yield a warning for each time before that of an entry above."""
    timed = [(entry.feature.published_s, entry.line) for entry in entries if entry.feature.published_s is not None]
    for (time_before, line_before), (time, line) in pairwise(timed):
        if time < time_before:
            text = (
                f"its time is before that of {unit} {line_before}: "
                "check it, or leave it if they were discussed in that order"
            )
            yield ListWarning(WarningKind.FALLING_TIME, (line,), text)


def _check_subjects(entries: Sequence[Entry]) -> Iterator[ListWarning]:
    """Yield a warning for each entry that names no subject."""
    for entry in entries:
        if not _names_subject(entry):
            text = f"no word says what the entry is about ({shorten(entry.feature.title)}): name the feature"
            yield ListWarning(WarningKind.NO_SUBJECT, (entry.line,), text)


def _names_subject(entry: Entry) -> bool:
    if entry.feature.feature_id is not None:
        return True
    text = " ".join((entry.feature.title, *entry.description))
    words = find_subject_words(text)
    if not _COMMENTARY.search(text):
        return bool(words)
    # "Ann and Bob noted that…": the names are not a subject, and a remark has words of its own.
    stem = load_stemmer("en")
    names = {stem(name.lower()) for name in re.findall(r"\b[A-Z][a-z]+\b", text)}
    return len(words - names) >= MIN_COMMENTARY_WORDS


def _check_repeats(entries: Sequence[Entry], unit: str) -> Iterator[ListWarning]:
    """Yield a warning for each two entries that probably are the same feature in other words."""
    words = [find_subject_words(entry.feature.title) if _names_subject(entry) else frozenset() for entry in entries]
    earlier_with: dict[str, list[int]] = {}
    for later, entry in enumerate(entries):
        # A word that very many entries have is no sign of a repeat, and would make the search quadratic.
        near = {i for word in words[later] for i in earlier_with.get(word, ())[-MAX_COMPARED:]}
        for word in words[later]:
            earlier_with.setdefault(word, []).append(later)
        for earlier in sorted(near):
            other = entries[earlier]
            if entry.feature.feature_id is not None and other.feature.feature_id is not None:
                continue
            shared, shorter = words[later] & words[earlier], min(len(words[later]), len(words[earlier]))
            if len(shared) >= MIN_SHARED_WORDS and len(shared) >= MIN_SHARED_PART * shorter:
                text = (
                    f"probably repeats {unit} {other.line} ({shorten(other.feature.title)}): "
                    "leave one out, or give both their ids"
                )
                yield ListWarning(WarningKind.PROBABLE_REPEAT, (entry.line,), text)


def check_duration(published: Sequence[float | None], duration: float) -> Iterator[str]:
    """Yield a warning where published times lie past the end of the audio.

    `published` has the time of each entry, in list order; times and `duration` are in seconds.
    """
    late = tuple(n for n, seconds in enumerate(published, start=1) if seconds is not None and seconds > duration)
    if late:
        text = f"a time past the audio's end ({duration:.0f} s): check it, and that this is the episode's audio"
        yield ListWarning(WarningKind.LATE_TIME, late, text).describe("entry")


def shorten(title: str) -> str:
    """Return a title with at most `MAX_TITLE_SHOWN` characters."""
    return title if len(title) <= MAX_TITLE_SHOWN else title[: MAX_TITLE_SHOWN - 1] + "…"
