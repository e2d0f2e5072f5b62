"""When two entries of feature lists are the same, and which entry a person's decision is about.

Lists, corrections, histories and diffs all ask this module. docs/identity.md explains the rules to maintainers.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pipeline.core.schema import Feature
from pipeline.core.text import normalize_key
from pipeline.core.wording import is_related, nearly_same, normalize_wording, plain_title, same_title, same_wording


class Name(NamedTuple):
    """What identifies an entry: its id, where it has one, and its title; a decision may have only one of them.

    The id is compared as `core.text.normalize_key` returns it.
    """

    key: int | str | None
    title: str | None


# The earlier revisions of a list, each as the names of its entries; called only where they matter.
History = Callable[[], Sequence[Sequence[Name]]]


def name_features(features: Sequence[Feature]) -> tuple[Name, ...]:
    """Return the names of a list's entries."""
    return tuple(Name(normalize_key(feature.feature_key, feature.feature_id), feature.title) for feature in features)


def same_name(left: Name, right: Name, loosely: bool = False) -> bool:
    """Tell whether two decisions name the same entry; `loosely`, an id may be missing in one of them."""
    if left.key != right.key:
        return loosely and None in (left.key, right.key) and same_wording(left.title, right.title)
    if left.title is None or right.title is None:
        return left.key is not None
    return same_wording(left.title, right.title) or (
        loosely and left.key is not None and nearly_same(left.title, right.title)
    )


def pair_entries(before: Sequence[Name], now: Sequence[Name]) -> list[tuple[int, int]]:
    """Return the pairs of indexes of one entry in two lists, in the order of `now`.

    Entries are paired by id and wording, then by wording where both have no id, then by wording where an id was
    corrected, then by id where the wording was changed.
    """
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    rules: tuple[tuple[Callable[[Name], Hashable], bool], ...] = (
        (lambda name: (name.key, plain_title(name.title or "")), False),
        (lambda name: (name.key, normalize_wording(name.title or "")), False),
        (lambda name: normalize_wording(name.title or ""), True),
        (lambda name: name.key, False),
    )
    for find_key, only_unique in rules:
        old = _group((index, find_key(name)) for index, name in enumerate(before) if index not in taken)
        new = _group((index, find_key(name)) for index, name in enumerate(now) if index not in pairs)
        for key in old.keys() & new.keys():
            if key is None or (only_unique and not len(old[key]) == len(new[key]) == 1):
                continue
            found = list(zip(new[key], old[key], strict=False))
            pairs.update(found)
            taken.update(index for _, index in found)
    return [(pairs[index], index) for index in sorted(pairs)]


def _group(items: Iterator[tuple[int, Hashable]]) -> dict[Hashable, list[int]]:
    groups: dict[Hashable, list[int]] = {}
    for index, key in items:
        groups.setdefault(key, []).append(index)
    return groups


def no_history() -> Sequence[Sequence[Name]]:
    """Return no earlier revision."""
    return ()


@dataclass(frozen=True, slots=True)
class Match:
    """What became of a decision: the index of its entry, or why it has none.

    `reworded` says that the entry has another wording than the decision, by more than a slip.
    """

    index: int | None
    reason: str = ""
    reworded: bool = False


@dataclass
class _Matcher:
    """Finds the entry of each decision, rule by rule; no entry takes two decisions."""

    entries: Sequence[Name]
    history: History

    def __post_init__(self) -> None:
        self.by_key = _group((index, entry.key) for index, entry in enumerate(self.entries))
        self.by_wording = _group((n, normalize_wording(entry.title or "")) for n, entry in enumerate(self.entries))

    def with_key(self, name: Name) -> list[int]:
        return [] if name.key is None else self.by_key.get(name.key, [])

    def with_wording(self, name: Name) -> list[int]:
        return [] if name.title is None else self.by_wording.get(normalize_wording(name.title), [])

    def find_by_both(self, name: Name) -> int | None:
        """The entry with the id and the wording; without an id, the entry without one that has the wording.

        A decision without a title is about the only entry that has its id.
        """
        if name.title is None:
            return self.find_by_key(name)
        return self._only(name, [index for index in self.with_wording(name) if self.entries[index].key == name.key])

    def find_by_wording(self, name: Name) -> int | None:
        """The only entry with the wording, whose id was corrected, added or removed.

        None where the entry that has the id now may be the same one in other words: nobody knows which is meant.
        """
        index = self._only(name, self.with_wording(name))
        if index is None or any(index != other and self._may_be(name, other) for other in self.with_key(name)):
            return None
        return None if self._stood_beside(name, index, by_key=False) else index

    def find_by_key(self, name: Name) -> int | None:
        """The only entry with the id, where its wording is unknown to the decision, or the same in other words."""
        indexes = self.with_key(name)
        if len(indexes) != 1 or (name.title is not None and self.with_wording(name)):
            return None
        return indexes[0] if name.title is None or self._may_be(name, indexes[0]) else None

    def find_nearly_same(self, name: Name) -> int | None:
        """The only entry whose wording is nearly the same, where it or the decision has no id."""
        if name.title is None or self.with_key(name) or self.with_wording(name):
            return None
        near = [
            index
            for index, entry in enumerate(self.entries)
            if (name.key is None or entry.key is None) and entry.title and nearly_same(name.title, entry.title)
        ]
        return near[0] if len(near) == 1 and not self._stood_beside(name, near[0], by_key=True) else None

    def explain(self, name: Name, taken: set[int]) -> str:
        """Why a decision has no entry."""
        both = [index for index in self.with_wording(name) if self.entries[index].key == name.key]
        with_key, same = self.with_key(name), both or self.with_wording(name) or self.with_key(name)
        if len(same) == 1 and same[0] in taken:
            return "another correction is about the same entry"
        if len(same) > 1:
            return f"{len(same)} entries of the list fit it: name it more exactly"
        if name.title is not None and len(with_key) == 1:
            other = f'its id now stands for "{self.entries[with_key[0]].title}"'
            return f"{other}, and its wording for another entry" if self.with_wording(name) else other
        if same:
            return "the entry with its wording stood beside it in an earlier list"
        return "no entry of the list has this id or wording"

    def _only(self, name: Name, indexes: list[int]) -> int | None:
        """The only one of the entries, or the only one whose title is the very same text."""
        if len(indexes) > 1:
            indexes = [index for index in indexes if same_title(self.entries[index].title, name.title)]
        return indexes[0] if len(indexes) == 1 else None

    def _may_be(self, name: Name, index: int) -> bool:
        """Whether an entry with the decision's id may be the decision's own in other words."""
        title, other = name.title or "", self.entries[index].title or ""
        alike = nearly_same(title, other) or is_related(title, other)
        return alike and not self._stood_beside(name, index, by_key=False)

    def _stood_beside(self, name: Name, index: int, *, by_key: bool) -> bool:
        """Whether some earlier list had both the decision's entry and, as another one, this entry."""
        entry = self.entries[index]
        for listed in self.history():
            own = _find_own(name, listed)
            if own is not None and any(
                same_wording(other.title, entry.title) or (by_key and other.key is not None and other.key == entry.key)
                for number, other in enumerate(listed)
                if number != own
            ):
                return True
        return False


def _find_own(name: Name, listed: Sequence[Name]) -> int | None:
    """The first entry of a list that a decision names exactly."""
    same = [
        number for number, other in enumerate(listed) if name.title is None or same_wording(other.title, name.title)
    ]
    own = [number for number in same if listed[number].key == name.key]
    # A decision without an id may be about the only entry that has its wording.
    return own[0] if own else same[0] if name.key is None and len(same) == 1 else None


def match_names(names: Sequence[Name], entries: Sequence[Name], history: History = no_history) -> list[Match]:
    """Return what became of each decision, in their order; the rules are those of docs/identity.md."""
    matcher = _Matcher(entries, history)
    matched: dict[int, int] = {}
    taken: set[int] = set()
    for find in (matcher.find_by_both, matcher.find_by_wording, matcher.find_by_key, matcher.find_nearly_same):
        waiting = [(number, find(name)) for number, name in enumerate(names) if number not in matched]
        wanted = {number: index for number, index in waiting if index is not None}
        counts, is_exact = Counter(wanted.values()), find == matcher.find_by_both
        for number, index in wanted.items():
            # Of two decisions that name an entry exactly, the first is used; of two that only resemble it, none.
            if index not in taken and (is_exact or counts[index] == 1):
                matched[number] = index
                taken.add(index)
    return [
        Match(matched[number], reworded=not _names_exactly(name, entries[matched[number]]))
        if number in matched
        else Match(None, matcher.explain(name, taken))
        for number, name in enumerate(names)
    ]


def _names_exactly(name: Name, entry: Name) -> bool:
    """Whether a decision's wording is the entry's, or with the same id nearly so."""
    if name.title is None or same_wording(name.title, entry.title):
        return True
    return name.key is not None and name.key == entry.key and nearly_same(name.title, entry.title or "")
