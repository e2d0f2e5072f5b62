"""What changed between two revisions of a feature list, in words."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.core.schema import Feature
from pipeline.core.text import index_by_key


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
    """Return what changed; entries are the same by id, else by title, and by title where an id was corrected."""
    old, new = index_by_key(before, _name), index_by_key(now, _name)
    came, went = _by_lone_title(new, old), _by_lone_title(old, new)
    corrected = {went[title]: came[title] for title in came.keys() & went.keys()}
    old = {corrected.get(key, key): feature for key, feature in old.items()}
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


def _by_lone_title(these: dict[object, Feature], others: dict[object, Feature]) -> dict[str, object]:
    """The keys of entries that are not among the others, by title, where no second one of them has it."""
    alone = [key for key in these if key not in others]
    titles = Counter(these[key].title for key in alone)
    return {these[key].title: key for key in alone if titles[these[key].title] == 1}


def _name(feature: Feature) -> tuple[int | None, str]:
    return feature.feature_id, feature.title


def _content(feature: Feature) -> tuple[object, ...]:
    return feature.description, feature.version, feature.highlight, feature.published_s, feature.feature_id
