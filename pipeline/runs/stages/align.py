"""The stage `align`: find where the discussion of each feature starts, and apply the corrections."""

import math
import statistics
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.align.aligner import align, alignment_version
from pipeline.align.corrections import CorrectionMatches, Titles, apply_corrections, find_titles
from pipeline.align.decision import check_fit, describe_share
from pipeline.core.corrections import Correction, has_corrections, load_corrections
from pipeline.core.errors import InputError
from pipeline.core.schema import Alignment, Discussed, Feature, FeatureList, Transcript
from pipeline.core.serialization import alignment_to_json, features_to_json, transcript_from_json
from pipeline.core.storage import read_record, write_json
from pipeline.core.times import format_time
from pipeline.download.record import read_audio
from pipeline.feature_lists.checks import check_duration
from pipeline.publish.rows import build_provenance
from pipeline.runs.decisions import match_decisions, read_titles
from pipeline.runs.episode_list import (
    describe_source,
    describe_versions,
    is_list_digest,
    list_inputs,
    list_revisions,
    load_episode_list,
    save_revisions,
)
from pipeline.runs.job import EpisodeRun
from pipeline.runs.result import StageName
from pipeline.runs.stages.base import RELEASES, Stage, digest_output_of, installed_version, parse_alignment

# The inputs by which the last release of version 0.1.0 recorded its way of aligning: a number, and the SHA-256 of the
# fitted weights.
METHOD_INPUTS_0_1_0 = {
    "alignment": "4",
    "alignment weights": "debbf1ffe685bfc1dbaa99440908c199f84d6fa8697470bc9cb58a18f1f9deb6",
}

# The `alignment_version()` that gives the same alignments as version 0.1.0: they need no new alignment.
METHOD_0_1_0 = "dbc8c5af951e54836b80e026eaac8eabdc613468b78c9836fa3e88bba7f79a0f"

# Seconds. Whisper places the same words a little differently in another encoding: a smaller difference is not a shift.
MIN_SHIFT_S = 1.0


def _list_inputs(run: EpisodeRun) -> dict[str, str]:
    # The speech model is not an input: its words are in the transcript.
    transcript = digest_output_of(run, run.project.transcript(run.episode_id), StageName.TRANSCRIBE)
    corrections = run.project.corrections(run.episode_id)
    return {
        "transcript": transcript,
        **list_inputs(run),
        "sentence encoder": _name_encoder(),
        "alignment method": alignment_version(),
        **({"corrections": run.state.digest(corrections)} if has_corrections(corrections) else {}),
        **({"share discussed": discussed.value} if (discussed := _choose_share(run)) else {}),
    }


def _choose_share(run: EpisodeRun) -> Discussed | None:
    """How much of the list is discussed, by the settings of the episode, else by those of the show."""
    return run.config.discussed or run.show.discussed


def _convert_inputs(recorded: Mapping[str, str]) -> Mapping[str, str]:
    """Return recorded inputs with `alignment method` in place of the three that version 0.1.0 recorded for it."""
    if "alignment" not in recorded:
        return recorded
    same = all(recorded.get(name) == value for name, value in METHOD_INPUTS_0_1_0.items())
    kept = {name: recorded[name] for name in recorded if name not in {*METHOD_INPUTS_0_1_0, "episode-catalog"}}
    return {**kept, "alignment method": METHOD_0_1_0 if same else "older than version 0.2.0"}


def _name_encoder() -> str:
    """The sentence encoder that is installed, or `none`."""
    from pipeline.align.encoder import DISTRIBUTION

    version = installed_version(DISTRIBUTION)
    return f"{DISTRIBUTION} {version}" if version else "none"


def _list_outputs(run: EpisodeRun) -> list[Path]:
    return [run.project.alignment(run.episode_id), *list_revisions(run)]


def _work(run: EpisodeRun) -> None:
    transcript = read_record(run.project.transcript(run.episode_id), transcript_from_json)
    listed = load_episode_list(run)
    _warn_about_inputs(run, transcript, listed)
    save_revisions(run)
    corrections = load_corrections(run.project.corrections(run.episode_id))
    titles = _read_titles(run)
    duration = _measure_duration(run, transcript)
    matches = match_decisions(run.project, run.episode_id, corrections, listed.features, duration, titles)
    alignment = _reuse_alignment(run, listed.features) or _align(run, transcript, listed.features, matches)
    _report_fit(run, alignment)
    alignment, unused = apply_corrections(alignment, matches)
    for warning in (*matches.reworded, *(correction.describe() for correction in unused)):
        run.warn(warning)
    _report_shifts(run, listed.features, alignment, transcript.audio_sha256)
    _write_alignment(run, transcript, listed, corrections, alignment, find_titles(matches, listed.features, titles))


def _read_titles(run: EpisodeRun) -> Titles:
    """What the corrections without a title were about in the existing alignment."""
    path = run.project.alignment(run.episode_id)
    # A damaged alignment is about to be replaced.
    with suppress(InputError):
        return read_record(path, read_titles) if path.is_file() else {}
    return {}


def _measure_duration(run: EpisodeRun, transcript: Transcript) -> float | None:
    """The seconds of the audio, which goes on behind the last cue of a transcript."""
    with suppress(InputError):
        return read_audio(run.raw).duration
    return transcript.duration


def _warn_about_inputs(run: EpisodeRun, transcript: Transcript, listed: FeatureList) -> None:
    from pipeline.align.encoder import language_warnings

    late = check_duration([feature.published_s for feature in listed.features], transcript.duration or math.inf)
    for warning in (*listed.warnings, *late):
        _warn_about_list(run, warning)
    for warning in language_warnings(transcript.language):
        run.warn(warning)


def _warn_about_list(run: EpisodeRun, warning: str) -> None:
    run.warn(f"{describe_source(run)}: {warning}")


def _report_fit(run: EpisodeRun, alignment: Alignment) -> None:
    """Report how much of the list is discussed; warn where the list may be another episode's."""
    found = sum(placement.start is not None for placement in alignment.placements)
    if run.releases and not found:
        run.warn(f"no entry of {describe_versions(run)} is found in the transcript: check `versions` in its settings")
        return
    if run.releases or alignment.expected_discussed is not None:
        run.note(describe_share(alignment))
    # Of a whole release list, most entries may be discussed in other episodes.
    for warning in () if run.releases else check_fit(alignment):
        _warn_about_list(run, warning)


def _align(
    run: EpisodeRun, transcript: Transcript, features: Sequence[Feature], matches: CorrectionMatches
) -> Alignment:
    from pipeline.align.encoder import load_encoder
    from pipeline.runs.vector_cache import VectorCache

    encoder = load_encoder(transcript.language)
    vectors = VectorCache(run.project.vectors(run.episode_id)).load(transcript, encoder) if encoder else None
    return align(
        transcript,
        features,
        encoder=encoder,
        vectors=vectors,
        anchors=matches.anchors(),
        discussed=_choose_share(run),
    )


def _reuse_alignment(run: EpisodeRun, features: tuple[Feature, ...]) -> Alignment | None:
    """The existing alignment, where only the layout of the list changed; None where it must be computed again."""
    recorded, path = run.state.recorded_inputs("align"), run.project.alignment(run.episode_id)
    if recorded is None or run.options.force or has_corrections(run.project.corrections(run.episode_id)):
        return None
    # All inputs but the lists must be equal, and of the lists their entries.
    inputs = {
        name: recorded.get(name, "") if is_list_digest(name) else value for name, value in _list_inputs(run).items()
    }
    if run.state.find_reason("align", inputs, [path]) is not None:
        return None
    before, alignment, _ = read_record(path, parse_alignment)
    return alignment if before == features else None


def _write_alignment(
    run: EpisodeRun,
    transcript: Transcript,
    listed: FeatureList,
    corrections: Sequence[Correction],
    alignment: Alignment,
    titles: Titles,
) -> None:
    applied = [correction.model_dump(mode="json") for correction in corrections]
    write_json(
        run.project.alignment(run.episode_id),
        {
            "provenance": asdict(build_provenance(transcript, listed)),
            "features": features_to_json(listed.features),
            **({RELEASES: [release.version for release in run.releases]} if run.releases else {}),
            **({"corrections": applied} if applied else {}),
            **({"titles": dict(titles)} if titles else {}),
            "placements": alignment_to_json(alignment),
        },
    )


def _report_shifts(
    run: EpisodeRun, features: Sequence[Feature], alignment: Alignment, audio_sha256: str | None
) -> None:
    """Warn how far starts moved since the existing alignment, where that was made from other audio."""
    path = run.project.alignment(run.episode_id)
    if not path.is_file():
        return
    # A damaged alignment is about to be replaced: there is nothing to compare.
    with suppress(InputError):
        shifts = read_record(path, lambda before: describe_start_shifts(before, features, alignment, audio_sha256))
        if shifts:
            run.result.notes.append(f"{run.episode_id}: {shifts}")
            run.warn(shifts)


def describe_start_shifts(
    before: dict[str, Any], features: Sequence[Feature], alignment: Alignment, audio_sha256: str | None
) -> str | None:
    """Return how far starts moved since the alignment file `before`, in words; None where the audio is the same.

    KeyError, TypeError or ValueError where `before` has not the shape of an alignment file.
    """
    old = before["provenance"]["audio_sha256"]
    if old is None or audio_sha256 is None or old == audio_sha256:
        return None
    starts = {
        (feature["feature_id"], feature["title"]): placement["start"]
        for feature, placement in zip(before["features"], before["placements"], strict=True)
    }
    shifts = [
        placement.start - start
        for feature, placement in zip(features, alignment.placements, strict=True)
        if placement.start is not None and (start := starts.get((feature.feature_id, feature.title))) is not None
    ]
    if not shifts:
        return "the audio changed; no start was found in both versions"
    moved = [shift for shift in shifts if abs(shift) >= MIN_SHIFT_S]
    if not moved:
        return f"the audio changed; none of {len(shifts)} starts moved"
    return (
        f"the audio changed: {len(moved)} of {len(shifts)} starts moved, {_signed(statistics.median(moved))} at the "
        f"median (from {_signed(min(moved))} to {_signed(max(moved))})"
    )


def _signed(seconds: float) -> str:
    return f"{'-' if seconds < 0 else '+'}{format_time(abs(seconds))}"


STAGE = Stage(StageName.ALIGN, _list_inputs, _list_outputs, _work, _convert_inputs)
