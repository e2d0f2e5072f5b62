"""The catalog's rows: what the episode, its feature list and the alignment say together."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pipeline.core.schema import Alignment, Episode, Feature, FeatureList, Provenance, Status, Transcript
from pipeline.core.times import format_time
from pipeline.core.version import __version__


# Each column describes itself where it is declared: the Parquet schema, the data dictionary and the docs read it.
def _column(description: str, *, nullable: bool = False) -> dict[str, object]:
    return {"description": description, "nullable": nullable}


@dataclass(frozen=True, slots=True)
class CatalogRow:
    """One feature of one episode; the fields, in this order, are the columns of every catalog file."""

    show: str = dataclasses.field(metadata=_column("the show's name"))
    episode_id: str = dataclasses.field(metadata=_column("the episode's id, as in the names of its files"))
    episode_title: str = dataclasses.field(metadata=_column("the episode's title"))
    published_on: date | None = dataclasses.field(metadata=_column("when the episode was published", nullable=True))
    position: int = dataclasses.field(metadata=_column("place in the feature list, from 1"))
    feature_id: int | None = dataclasses.field(metadata=_column("the vendor's number of the feature", nullable=True))
    version: str | None = dataclasses.field(metadata=_column("the release, such as v2.204", nullable=True))
    title: str = dataclasses.field(metadata=_column("the feature's title, as published"))
    description: str = dataclasses.field(metadata=_column("the feature's description; empty where the page has none"))
    highlight: bool = dataclasses.field(metadata=_column("named among the page's highlights"))
    start_s: float | None = dataclasses.field(
        metadata=_column("where its discussion starts, in seconds; null where it was not found", nullable=True)
    )
    end_s: float | None = dataclasses.field(
        metadata=_column("where its discussion ends, in seconds; null where it was not found", nullable=True)
    )
    start: str | None = dataclasses.field(metadata=_column("start_s for people: 16:36, 1:02:07", nullable=True))
    url: str | None = dataclasses.field(metadata=_column("deep link at the start", nullable=True))
    status: str = dataclasses.field(metadata=_column("confident, review, not_found or corrected"))
    confidence: float = dataclasses.field(
        metadata=_column(
            "calibrated probability that start_s is within 30 s of what a person would write; "
            "for not_found, that the feature is really not discussed"
        )
    )
    method: str = dataclasses.field(metadata=_column("what decided: spoken_id, phrase, semantic, order, correction"))
    reason: str = dataclasses.field(metadata=_column("why, in one short sentence"))
    quote: str = dataclasses.field(metadata=_column("the words spoken from the start, at most 200 characters"))
    published_s: float | None = dataclasses.field(metadata=_column("the page's own time, in seconds", nullable=True))
    drift_s: float | None = dataclasses.field(metadata=_column("start_s minus published_s", nullable=True))
    transcript_source: str = dataclasses.field(metadata=_column("whisper, captions or file"))
    model: str = dataclasses.field(metadata=_column("the speech model's name; empty for a transcript made elsewhere"))
    audio_sha256: str | None = dataclasses.field(metadata=_column("digest of the audio", nullable=True))
    features_sha256: str | None = dataclasses.field(metadata=_column("digest of the feature list", nullable=True))
    pipeline_version: str = dataclasses.field(metadata=_column("the version of episode-catalog that made the row"))


def build_provenance(transcript: Transcript, features: FeatureList) -> Provenance:
    """Return which transcript and which list an alignment is made from."""
    return Provenance(transcript.source, transcript.model or "", transcript.audio_sha256, features.sha256)


def build_rows(
    episode: Episode, features: Sequence[Feature], alignment: Alignment, provenance: Provenance
) -> tuple[CatalogRow, ...]:
    """Return one row for each feature, in list order; ValueError where the alignment is of another list."""
    rows = []
    for feature, placement in zip(features, alignment.placements, strict=True):
        # Cannot be, and would put every start beside the wrong title without anybody noticing.
        if feature.position != placement.position:
            raise ValueError(f"position {feature.position} of the list got the placement of {placement.position}")
        found = placement.status is not Status.NOT_FOUND and placement.start is not None
        # Milliseconds: more digits are noise that differs between machines.
        start = round(placement.start, 3) if found and placement.start is not None else None
        end = round(placement.end, 3) if found and placement.end is not None else None
        drift = None if start is None or feature.published_s is None else round(start - feature.published_s, 3)
        rows.append(
            CatalogRow(
                show=episode.show,
                episode_id=episode.episode_id,
                episode_title=episode.title,
                published_on=episode.published_on,
                position=feature.position,
                feature_id=feature.feature_id,
                version=feature.version,
                title=feature.title,
                description=feature.description,
                highlight=feature.highlight,
                start_s=start,
                end_s=end,
                start=None if start is None else format_time(start),
                url=None if start is None else _deep_link(episode, start),
                status=placement.status.value,
                confidence=round(placement.confidence, 4),
                method=placement.method.value,
                reason=placement.reason,
                quote=placement.quote,
                published_s=feature.published_s,
                drift_s=drift,
                transcript_source=provenance.transcript_source,
                model=provenance.model,
                audio_sha256=provenance.audio_sha256,
                features_sha256=provenance.features_sha256,
                pipeline_version=__version__,
            )
        )
    return tuple(rows)


def _deep_link(episode: Episode, start: float) -> str | None:
    if episode.link is None:
        return None
    return episode.link.format(seconds=int(start), episode_id=episode.episode_id)
