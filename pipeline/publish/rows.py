"""The catalog's rows: one row for each feature of an episode, and the columns they have."""

import dataclasses
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Annotated

from pipeline.core.schema import Alignment, Episode, Feature, FeatureList, Placement, Provenance, Status, Transcript
from pipeline.core.times import format_clock, format_time
from pipeline.core.urls import escape_url
from pipeline.core.version import __version__

# The version of the columns. Raise it with each new column: a file of an older version may lack the column, a file of
# this version that lacks it is damaged.
SCHEMA_VERSION = "2"


@dataclass(frozen=True, slots=True)
class CatalogRow:
    """One feature of one episode; the fields, in this order, are the columns of every catalog file.

    Each field carries its column's description; a column whose type allows None is nullable. The Parquet schema and
    docs/catalog.md are made from both. A new column stands at the end, is nullable, and raises SCHEMA_VERSION.
    """

    show: Annotated[str, "the show's name"]
    episode_id: Annotated[str, "the episode's id, as in the names of its files"]
    episode_title: Annotated[str, "the episode's title"]
    published_on: Annotated[date | None, "when the episode was published"]
    position: Annotated[int, "place in the feature list, from 1"]
    feature_id: Annotated[int | None, "the vendor's number of the feature"]
    version: Annotated[str | None, "the release, such as v2.204"]
    title: Annotated[str, "the feature's title, as published"]
    description: Annotated[str, "the feature's description; empty where the page has none"]
    highlight: Annotated[bool, "named among the page's highlights"]
    start_s: Annotated[float | None, "where its discussion starts, in seconds; null where it was not found"]
    end_s: Annotated[float | None, "where its discussion ends, in seconds; null where it was not found"]
    start: Annotated[str | None, "start_s for people and spreadsheets: 0:16:36, 1:02:07"]
    url: Annotated[str | None, "deep link at the start"]
    status: Annotated[str, "confident, review, not_found or corrected"]
    confidence: Annotated[
        float,
        "calibrated probability that start_s is within 30 s of what a person would write; "
        "for not_found, that the feature is really not discussed",
    ]
    method: Annotated[str, "what decided: spoken_id, phrase, semantic, order, correction"]
    reason: Annotated[str, "why, in one short sentence"]
    quote: Annotated[str, "the words spoken from the start, at most 200 characters"]
    published_s: Annotated[float | None, "the page's own time, in seconds"]
    drift_s: Annotated[float | None, "start_s minus published_s"]
    transcript_source: Annotated[str, "whisper, captions or file"]
    model: Annotated[str, "the speech model's name; empty for a transcript made elsewhere"]
    audio_sha256: Annotated[str | None, "digest of the audio"]
    features_sha256: Annotated[str | None, "digest of the feature list"]
    pipeline_version: Annotated[str, "the version of episode-catalog that made the row"]
    feature_key: Annotated[
        str | None, "the id as published, such as #998146, PROJ-1234 or KB5034441; feature_id is its number"
    ]

    @property
    def shown_start(self) -> str:
        """The start as players show it, such as 16:36; empty without a start."""
        return "" if self.start_s is None else format_time(self.start_s)


def build_provenance(transcript: Transcript, features: FeatureList) -> Provenance:
    """Return which transcript and which feature list an alignment is made from."""
    return Provenance(transcript.source, transcript.model or "", transcript.audio_sha256, features.sha256)


def build_rows(
    episode: Episode, features: Sequence[Feature], alignment: Alignment, provenance: Provenance
) -> tuple[CatalogRow, ...]:
    """Return one row for each feature, in list order; ValueError where the alignment is of another list."""
    return tuple(
        _build_row(episode, feature, placement, provenance)
        for feature, placement in zip(features, alignment.placements, strict=True)
    )


def title_of(rows: Sequence[CatalogRow]) -> str:
    """Return the title of the episode of these rows; empty where no entry of its list is found."""
    return rows[0].episode_title if rows else ""


def extract_feature(row: CatalogRow) -> Feature:
    """Return the entry of the feature list that a row was built from."""
    return Feature(**{field.name: getattr(row, field.name) for field in dataclasses.fields(Feature)})


def _build_row(episode: Episode, feature: Feature, placement: Placement, provenance: Provenance) -> CatalogRow:
    # A mismatch would put every start next to the wrong title, and nothing else would show it.
    if feature.position != placement.position:
        raise ValueError(f"position {feature.position} of the list got the placement of {placement.position}")
    found = placement.status is not Status.NOT_FOUND and placement.start is not None
    start = _round_seconds(placement.start) if found else None
    return CatalogRow(
        # A column that comes from the feature list has the name of its field in `Feature`: it needs no line here.
        **asdict(feature),
        **asdict(provenance),
        show=episode.show,
        episode_id=episode.episode_id,
        episode_title=episode.title,
        published_on=episode.published_on,
        start_s=start,
        end_s=_round_seconds(placement.end) if found else None,
        start=None if start is None else format_clock(start),
        url=None if start is None else _format_deep_link(episode, start),
        status=placement.status.value,
        confidence=round(placement.confidence, 4),
        method=placement.method.value,
        reason=placement.reason,
        quote=placement.quote,
        drift_s=None if start is None or feature.published_s is None else _round_seconds(start - feature.published_s),
        pipeline_version=__version__,
    )


def _round_seconds(seconds: float | None) -> float | None:
    """Return seconds in whole milliseconds: more digits differ between machines."""
    return None if seconds is None else round(seconds, 3)


def _format_deep_link(episode: Episode, start: float) -> str | None:
    if episode.link is None:
        return None
    return escape_url(episode.link.format(seconds=int(start), episode_id=episode.episode_id))
