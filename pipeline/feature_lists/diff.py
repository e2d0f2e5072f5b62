"""Compare two revisions of a feature list, and describe the changes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.core.identity import name_features, pair_entries
from pipeline.core.schema import Feature
from pipeline.core.wording import same_title


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
    """Return the changes; `core.identity.pair_entries` says which entries are the same."""
    indexes = pair_entries(name_features(before), name_features(now))
    pairs = [(before[old], now[new]) for old, new in indexes]
    kept, found = {old for old, _ in indexes}, {new for _, new in indexes}
    order = [old for old, _ in indexes]
    return ListChanges(
        added=tuple(feature for index, feature in enumerate(now) if index not in found),
        removed=tuple(feature for index, feature in enumerate(before) if index not in kept),
        renamed=tuple((a, b) for a, b in pairs if not same_title(a.title, b.title)),
        edited=tuple(
            (a, b)
            for a, b in pairs
            if same_title(a.title, b.title) and replace(a, position=b.position, title=b.title) != b
        ),
        reordered=order != sorted(order),
    )
