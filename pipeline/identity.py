"""When two entries are one feature: by id, or else by a wording in which spaces, signs and capitals do not count."""

import re
from collections.abc import Callable, Iterable
from typing import TypeVar

Entry = TypeVar("Entry")


def normalize_wording(text: str) -> str:
    """Return a wording's letters and digits alone: pages lose spaces, signs and capitals."""
    return re.sub(r"[\W_]+", "", text).casefold()


def is_same_wording(one: str | None, other: str | None) -> bool:
    """Tell whether two titles are known and are the same, spaces, signs and capitals apart."""
    return one is not None and other is not None and normalize_wording(one) == normalize_wording(other)


def rate_likeness(one: str, other: str) -> float:
    """Return how near two wordings are, 0 to 100, spaces, signs and capitals apart."""
    from rapidfuzz import fuzz

    return float(fuzz.ratio(normalize_wording(one), normalize_wording(other)))


def key_entries(entries: Iterable[Entry], name: Callable[[Entry], tuple[int | None, str]]) -> dict[object, Entry]:
    """Return entries by id, else by title, in their order; a second of the same key by its number as well.

    `name` gives an entry's id and title.
    """
    keyed: dict[object, Entry] = {}
    for entry in entries:
        feature_id, title = name(entry)
        key: object = title if feature_id is None else feature_id
        count = 1
        while key in keyed:
            count += 1
            key = (title, feature_id, count)
        keyed[key] = entry
    return keyed
