"""What changed between two revisions of a feature list, in words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.schema import Feature


@dataclass(frozen=True, slots=True)
class ListChanges:
    """Entries of a list that came, went, got another title (same id), or changed otherwise; and whether any moved."""

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
        parts = [f"{count} {what}" for what, count in counts.items() if count]
        if parts:
            number, what = parts[0].split()
            parts[0] = f"{number} {'entry' if number == '1' else 'entries'} {what}"
        if self.reordered:
            parts.append("order changed")
        return ", ".join(parts) or "only its layout"


def compare_lists(before: Sequence[Feature], now: Sequence[Feature]) -> ListChanges:
    """Return what changed; entries are the same by id, else by title."""
    old, new = _by_key(before), _by_key(now)
    kept = [key for key in new if key in old]
    pairs = [(old[key], new[key]) for key in kept]
    renamed = tuple((a, b) for a, b in pairs if a.title != b.title)
    edited = tuple((a, b) for a, b in pairs if a.title == b.title and _content(a) != _content(b))
    return ListChanges(
        added=tuple(new[key] for key in new if key not in old),
        removed=tuple(old[key] for key in old if key not in new),
        renamed=renamed,
        edited=edited,
        reordered=kept != [key for key in old if key in new],
    )


def _by_key(features: Iterable[Feature]) -> dict[object, Feature]:
    """Entries by id, else by title; a second of the same key by its number as well."""
    keyed: dict[object, Feature] = {}
    for feature in features:
        key: object = feature.title if feature.feature_id is None else feature.feature_id
        count = 1
        while key in keyed:
            count += 1
            key = (feature.title, feature.feature_id, count)
        keyed[key] = feature
    return keyed


def _content(feature: Feature) -> tuple[object, ...]:
    return feature.description, feature.version, feature.highlight, feature.published_s, feature.feature_id
