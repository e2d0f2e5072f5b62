"""Join the release lists of several versions into the list of one episode."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pipeline.core.schema import Feature, FeatureList
from pipeline.core.text import normalize_key
from pipeline.core.wording import normalize_wording


def join_releases(releases: Sequence[tuple[str, FeatureList]]) -> FeatureList:
    """Return the entries of the lists of several versions as one list, in order.

    An entry without a version gets that of its list. An entry that stands in two lists, by id or else by wording, is
    taken once, from the first. Times of the lists are left out: they are not those of an episode.
    """
    features: list[Feature] = []
    known: set[object] = set()
    for version, listed in releases:
        entries = list(_complete_entries(version, listed))
        # Within one list, repeats were dealt with when it was read.
        features += [feature for feature in entries if _key(feature) not in known]
        known |= {_key(feature) for feature in entries}
    return FeatureList(
        features=tuple(replace(feature, position=position) for position, feature in enumerate(features, start=1)),
        warnings=tuple(f"{version}: {warning}" for version, listed in releases for warning in listed.warnings),
        sha256=_digest([listed for _, listed in releases]),
    )


def _complete_entries(version: str, listed: FeatureList) -> Iterator[Feature]:
    """Yield the entries of a release list with its version and without times."""
    for feature in listed.features:
        yield replace(feature, version=feature.version or version, published_s=None)


def _key(feature: Feature) -> object:
    # Two versions can both have "Minor fixes": the descriptions tell them apart.
    return normalize_key(feature.feature_key, feature.feature_id) or (
        normalize_wording(feature.title),
        normalize_wording(feature.description),
    )


def _digest(lists: Sequence[FeatureList]) -> str | None:
    """Return the digest of one list, or one of several."""
    if len(lists) == 1:
        return lists[0].sha256
    return hashlib.sha256("\n".join(str(listed.sha256) for listed in lists).encode()).hexdigest()
