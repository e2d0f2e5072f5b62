"""What a person should look at in a feature list: each warning names the line and what to do."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from pipeline.core.language import load_stemmer
from pipeline.feature_lists.page import Draft

# Words that stand in release notes of any product, and say nothing about what an entry is about.
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
_COMMENTARY = re.compile(r"\b(?:noted|called out|highlighted|mentioned|discussed|praised|liked|loved)\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W_][\w'’-]*")
_FEW = 5  # warnings of one kind that are told one by one; more are told in one line
_SHARED = 0.75  # part of the shorter entry's words that the other has too, where both probably mean the same


def check_list(entries: Sequence[Draft], unit: str = "line") -> list[str]:
    """Return every warning about a list; `unit` is what its numbers count (line, row, item)."""
    return [
        *_check_missing(entries, unit),
        *_check_versions(entries, unit),
        *_check_times(entries, unit),
        *_check_words(entries, unit),
        *_check_repeats(entries, unit),
    ]


def find_words(text: str) -> frozenset[str]:
    """Return the words of a text that could tell its subject, in small letters, plural and tense cut off."""
    stem = load_stemmer("en")
    words = (word.lower().strip("'’-") for word in _WORD.findall(text))
    return frozenset(stem(word) for word in words if len(word) > 2 and word not in _EMPTY_WORDS)


def _check_missing(entries: Sequence[Draft], unit: str) -> Iterator[str]:
    """Entries without id, version or description; and entries with two ids."""
    advice = "add it, or fill it from the release notes with --fill"
    lacking = {
        f"no id: {advice}": [d for d in entries if d.feature_id is None],
        f"no version: {advice}": [d for d in entries if d.version is None],
        "no description: one sentence more makes it easier to find": [d for d in entries if not d.description],
    }
    for what, drafts in lacking.items():
        if len(drafts) <= _FEW:
            yield from (f"{unit} {d.line}: {shorten(d.title)}: {what}" for d in drafts)
        else:
            yield f"{unit}s {_ranges([d.line for d in drafts])}: {len(drafts)} of {len(entries)} entries have {what}"
    for draft in entries:
        if draft.other_ids:
            others = ", ".join(str(other) for other in draft.other_ids)
            yield f"{unit} {draft.line}: two ids in one entry: {draft.feature_id} is kept, {others} left out"


def _check_versions(entries: Sequence[Draft], unit: str) -> Iterator[str]:
    """A version that differs from those on both sides, which agree."""
    for before, draft, after in zip(entries, entries[1:], entries[2:], strict=False):
        if draft.version and before.version and before.version == after.version != draft.version:
            yield f"{unit} {draft.line}: version {draft.version} between entries of {before.version}: check it"


def _check_times(entries: Sequence[Draft], unit: str) -> Iterator[str]:
    """A time before that of an entry above."""
    timed = [draft for draft in entries if draft.published_s is not None]
    for before, draft in pairwise(timed):
        if (draft.published_s or 0) < (before.published_s or 0):
            yield (
                f"{unit} {draft.line}: its time is before that of {unit} {before.line}: "
                "check it, or leave it if they were discussed in that order"
            )


def _check_words(entries: Sequence[Draft], unit: str) -> Iterator[str]:
    """Entries that do not say what they are about."""
    for draft in entries:
        if not _says_something(draft):
            yield f"{unit} {draft.line}: nothing in it says what it is about ({shorten(draft.title)}): name the feature"


def _says_something(draft: Draft) -> bool:
    text = " ".join((draft.title, *draft.description))
    words = find_words(text)
    if not _COMMENTARY.search(text):
        return bool(words) or draft.feature_id is not None
    # "Ann and Bob noted that…": who said it is not what it is about, and a remark needs more words to tell.
    stem = load_stemmer("en")
    names = {stem(name.lower()) for name in re.findall(r"\b[A-Z][a-z]+\b", text)}
    return len(words - names) >= 3 or draft.feature_id is not None


def _check_repeats(entries: Sequence[Draft], unit: str) -> Iterator[str]:
    """Entries that probably mean the same feature in other words."""
    words = [find_words(draft.title) if _says_something(draft) else frozenset() for draft in entries]
    for later, draft in enumerate(entries):
        for earlier in range(later):
            shared, shorter = words[later] & words[earlier], min(len(words[later]), len(words[earlier]))
            other = entries[earlier]
            if draft.feature_id is not None and other.feature_id is not None:
                continue
            if len(shared) >= 2 and len(shared) >= _SHARED * shorter:
                yield (
                    f"{unit} {draft.line}: probably repeats {unit} {other.line} ({shorten(other.title)}): "
                    "leave one out, or give both their ids"
                )


def check_duration(published: Sequence[float | None], duration: float) -> Iterator[str]:
    """Yield a warning where published times, by position, lie past the end of the audio (seconds)."""
    late = [n for n, seconds in enumerate(published, start=1) if seconds is not None and seconds > duration]
    if late:
        what = "entry" if len(late) == 1 else "entries"
        yield (
            f"{what} {_ranges(late)}: a time past the audio's end ({duration:.0f} s): "
            "check it, and that this is the episode's audio"
        )


def shorten(title: str) -> str:
    """Return a title that fits a warning."""
    return title if len(title) <= 60 else title[:59] + "…"


def _ranges(numbers: Sequence[int]) -> str:
    """`3, 5-8, 10`: numbers as a person would list them."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
