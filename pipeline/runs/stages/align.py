"""The stages of an episode: for each what it depends on, what it writes, and the work itself."""

import hashlib
import json
import math
import statistics
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from pipeline.align.corrections import apply_corrections, match_corrections
from pipeline.align.decision import check_fit
from pipeline.core.corrections import load_corrections
from pipeline.core.errors import InputError
from pipeline.core.schema import Alignment, Feature
from pipeline.core.serialization import (
    alignment_to_json,
    features_to_json,
    transcript_from_json,
)
from pipeline.core.storage import read_record, write_json
from pipeline.core.times import format_time
from pipeline.core.urls import redact_url
from pipeline.core.version import __version__
from pipeline.download.feature_lists import name_revision, save_revision
from pipeline.feature_lists.checks import check_duration
from pipeline.feature_lists.load import load_features
from pipeline.publish.rows import build_provenance
from pipeline.runs.job import EpisodeRun
from pipeline.runs.stages.base import _find_version, _need, _parse_alignment

# Which way of aligning this is: raise it with a change of the code that moves starts or judges them otherwise, so that
# what was aligned before is aligned again. Changed weights are noticed by themselves.
ALIGNMENT = "4"

# Seconds. Whisper places the same words a little differently in another encoding: a smaller difference is no shift.
MIN_SHIFT_S = 1.0


def _align_inputs(run: EpisodeRun) -> dict[str, str]:
    # The speech model is no input: what it heard is in the transcript.
    transcript = _need(run, run.project.transcript(run.episode_id), "transcribe")
    if not run.feature_list.is_file():
        raise InputError(f"the feature list {run.feature_list} is not there: correct `features` in the settings")
    corrections = run.project.corrections(run.episode_id)
    return {
        "transcript": transcript,
        "feature list": run.state.digest(run.feature_list),
        "episode in the list": run.config.features_episode or "",
        "columns": json.dumps(run.show.columns, sort_keys=True),
        "sentence encoder": _name_encoder(),
        "alignment weights": _digest_weights(),
        "alignment": ALIGNMENT,
        "episode-catalog": __version__,
        **({"corrections": run.state.digest(corrections)} if corrections.is_file() else {}),
    }


@cache
def _digest_weights() -> str:
    """The SHA-256 of the fitted weights, which change in a checkout long before its version does."""
    return hashlib.sha256(files("pipeline.align").joinpath("weights.json").read_bytes()).hexdigest()


def _name_encoder() -> str:
    """What tells the meaning of sentences on this machine."""
    from pipeline.align.encoder import DISTRIBUTION

    version = _find_version(DISTRIBUTION)
    return f"{DISTRIBUTION} {version}" if version else "none"


def _align_outputs(run: EpisodeRun) -> list[Path]:
    revision = name_revision(run.state.digest(run.feature_list), run.feature_list.suffix)
    return [run.project.alignment(run.episode_id), run.project.lists(run.episode_id) / revision]


def _align(run: EpisodeRun) -> None:
    from pipeline.align.aligner import align
    from pipeline.align.encoder import language_warnings, load_encoder
    from pipeline.runs.vector_cache import VectorCache

    transcript = read_record(run.project.transcript(run.episode_id), transcript_from_json)
    features = load_features(run.feature_list, episode=run.config.features_episode, columns=run.show.columns)
    late = check_duration([feature.published_s for feature in features.features], transcript.duration or math.inf)
    for warning in (*features.warnings, *late):
        run.warn(f"{redact_url(run.config.features)}: {warning}")
    for warning in language_warnings(transcript.language):
        run.warn(warning)
    # Every revision of the list is kept as it was, since pages are edited after publication.
    save_revision(run.feature_list.read_bytes(), run.feature_list.suffix, run.project.lists(run.episode_id))
    corrections = load_corrections(run.project.corrections(run.episode_id))
    matches = match_corrections(corrections, features.features, transcript.duration)
    alignment = _recall_alignment(run, features.features)
    if alignment is None:
        encoder = load_encoder(transcript.language)
        vectors = VectorCache(run.project.vectors(run.episode_id)).load(transcript, encoder) if encoder else None
        anchors = matches.anchors()
        alignment = align(transcript, features.features, encoder=encoder, vectors=vectors, anchors=anchors)
    for warning in check_fit(alignment):
        run.warn(f"{redact_url(run.config.features)}: {warning}")
    alignment, unused = apply_corrections(alignment, matches)
    for correction in unused:
        run.warn(correction.describe())
    _tell_moves(run, features.features, alignment, transcript.audio_sha256)
    write_json(
        run.project.alignment(run.episode_id),
        {
            "provenance": asdict(build_provenance(transcript, features)),
            "features": features_to_json(features.features),
            **({"corrections": [one.model_dump(mode="json") for one in corrections]} if corrections else {}),
            "placements": alignment_to_json(alignment),
        },
    )


def _recall_alignment(run: EpisodeRun, features: tuple[Feature, ...]) -> Alignment | None:
    """The alignment of before, where only the layout of the list changed; None where it must be made anew."""
    recorded, path = run.state.recorded_inputs("align"), run.project.alignment(run.episode_id)
    if recorded is None or run.options.force or run.project.corrections(run.episode_id).exists():
        return None
    # All but the list must be as it was; of the list, its entries.
    inputs = {**_align_inputs(run), "feature list": recorded.get("feature list", "")}
    if run.state.find_reason("align", inputs, [path]) is not None:
        return None
    before, alignment, _ = read_record(path, _parse_alignment)
    return alignment if before == features else None


def _tell_moves(run: EpisodeRun, features: tuple[Feature, ...], alignment: Alignment, audio_sha256: str | None) -> None:
    """Say by how much starts moved where the audio is another than that of the alignment of before."""
    path = run.project.alignment(run.episode_id)
    if not path.is_file():
        return
    with suppress(InputError):
        moves = read_record(path, lambda before: describe_start_shifts(before, features, alignment, audio_sha256))
        if moves:
            run.result.notes.append(f"{run.episode_id}: {moves}")
            run.warn(moves)


def describe_start_shifts(
    before: dict[str, Any], features: Sequence[Feature], alignment: Alignment, audio_sha256: str | None
) -> str | None:
    """Return by how much starts moved since the alignment file `before`, in words; None where the audio is the same.

    ValueError, KeyError or TypeError where `before` is not what we wrote.
    """
    old = before["provenance"]["audio_sha256"]
    if old is None or audio_sha256 is None or old == audio_sha256:
        return None
    starts = {
        (feature["feature_id"], feature["title"]): placement["start"]
        for feature, placement in zip(before["features"], before["placements"], strict=True)
    }
    moves = [
        placement.start - was
        for feature, placement in zip(features, alignment.placements, strict=True)
        if placement.start is not None and (was := starts.get((feature.feature_id, feature.title))) is not None
    ]
    if not moves:
        return "the audio changed; no start was found in both renditions"
    moved = [move for move in moves if abs(move) >= MIN_SHIFT_S]
    if not moved:
        return f"the audio changed; none of {len(moves)} starts moved"
    middle, least, most = statistics.median(moved), min(moved), max(moved)
    return (
        f"the audio changed: {len(moved)} of {len(moves)} starts moved, {_signed(middle)} at the median "
        f"(from {_signed(least)} to {_signed(most)})"
    )


def _signed(seconds: float) -> str:
    return f"{'-' if seconds < 0 else '+'}{format_time(abs(seconds))}"
