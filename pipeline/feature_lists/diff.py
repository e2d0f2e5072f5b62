"""Compare two revisions of a feature list, and describe the changes."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.core.schema import Feature
from pipeline.core.text import index_by_key


@dataclass(frozen=True, slots=True)
class ListChanges:
    """The changes between two revisions of a list.

    `renamed` entries have the same id and another title, as pairs of before and now; `edited` entries differ in
    anything else; `reordered` is true where entries of both revisions stand in another order.
    """

    added: tuple[Feature, ...]
    removed: tuple[Feature, ...]
    renamed: tuple[tuple[Feature, Feature], ...]
    edited: tuple[tuple[Feature, Feature], ...]
    reordered: bool

    def describe(self) -> str:
        """Return `2 entries added, 1 renamed`; `only its layout` where every entry is as before."""
        counts = {
            "added": len(self.added),
            "removed": len(self.removed),
            "renamed": len(self.renamed),
            "edited": len(self.edited),
        }
        parts: list[str] = []
        for change, count in counts.items():
            if count:
                noun = "" if parts else "entry " if count == 1 else "entries "
                parts.append(f"{count} {noun}{change}")
        if self.reordered:
            parts.append("order changed")
        return ", ".join(parts) or "only its layout"


def compare_lists(before: Sequence[Feature], now: Sequence[Feature]) -> ListChanges:
    """Return the changes; entries are matched by id, else by title, and by title alone where an id was corrected."""
    old, new = _key_features(before), _key_features(now)
    # With a corrected id an entry has another key: without the match by title it would be removed and added.
    added_titles, removed_titles = _unmatched_titles(new, old), _unmatched_titles(old, new)
    corrected = {removed_titles[title]: added_titles[title] for title in added_titles.keys() & removed_titles.keys()}
    old = {corrected.get(key, key): feature for key, feature in old.items()}
    kept = [key for key in new if key in old]
    pairs = [(old[key], new[key]) for key in kept]
    return ListChanges(
        added=tuple(new[key] for key in new if key not in old),
        removed=tuple(old[key] for key in old if key not in new),
        renamed=tuple((a, b) for a, b in pairs if a.title != b.title),
        edited=tuple((a, b) for a, b in pairs if a.title == b.title and replace(a, position=b.position) != b),
        reordered=kept != [key for key in old if key in new],
    )


def _key_features(features: Sequence[Feature]) -> dict[object, Feature]:
    return index_by_key(features, lambda feature: (feature.feature_id, feature.title))


def _unmatched_titles(features: dict[object, Feature], others: dict[object, Feature]) -> dict[str, object]:
    """Return the keys of the features that are not among the others, by title; titles that stand twice are left out."""
    unmatched = [key for key in features if key not in others]
    counts = Counter(features[key].title for key in unmatched)
    return {features[key].title: key for key in unmatched if counts[features[key].title] == 1}
