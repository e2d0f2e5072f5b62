"""The stages of an episode: for each what it depends on, what it writes, and the work itself."""

import hashlib
import json
import math
import shutil
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib import metadata
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pipeline import __version__
from pipeline.addresses import is_address, without_secrets
from pipeline.captions import check_captions, keep_captions
from pipeline.catalog import build_rows, trace_inputs
from pipeline.corrections import load_corrections
from pipeline.download import METADATA, Audio, allow_access, download_audio, find_source, read_audio
from pipeline.errors import InputError
from pipeline.features import load_features
from pipeline.fitting import apply_corrections, match_corrections
from pipeline.history import find_latest_file, keep_state
from pipeline.jobs import Job
from pipeline.list_checks import check_duration, check_fit
from pipeline.list_revisions import keep_revision, name_revision
from pipeline.network import take_turn
from pipeline.project import place_file
from pipeline.publish import FORMATS, TAGGED_AUDIO, publish_notes
from pipeline.records import (
    alignment_from_json,
    alignment_to_json,
    features_from_json,
    features_to_json,
    transcript_from_json,
    transcript_to_json,
)
from pipeline.renditions import describe_moves, drop_renditions
from pipeline.schema import Alignment, Episode, Feature, Provenance
from pipeline.storage import read_record, write_json
from pipeline.transcribe import OPTIONS
from pipeline.transcript_files import load_transcript

# Which way of aligning this is: raise it with a change of the code that moves starts or judges them otherwise, so that
# what was aligned before is aligned again. Changed weights are noticed by themselves.
ALIGNMENT = "4"


@dataclass(frozen=True, slots=True)
class Stage:
    """A step from files to files: what it depends on, what it writes, and the work itself."""

    name: str
    inputs: Callable[[Job], dict[str, str]]
    outputs: Callable[[Job], list[Path]]
    work: Callable[[Job], None]


def _download_inputs(job: Job) -> dict[str, str]:
    local = find_source(job.config.source, job.project.root)
    source, entry = job.config.source, job.config.entry
    return {
        # The record must not keep what an address holds of secrets, and still notice any change of it.
        "source": without_secrets(source),
        "exact source": hashlib.sha256("\n".join(filter(None, (source, entry))).encode()).hexdigest(),
        "source file": job.state.digest(local) if local else "",
        **({"entry": without_secrets(entry)} if entry else {}),
    }


def _download_outputs(job: Job) -> list[Path]:
    # The name of the audio is only known once it was fetched: it stands in the metadata.
    metadata_file = job.project.raw(job.episode_id) / METADATA
    if not metadata_file.is_file():
        return [metadata_file]
    try:
        return [metadata_file, read_audio(metadata_file.parent).path]
    except InputError:
        # Nothing can be read there: it was harmed, and what it is to name is made again with it.
        return [metadata_file]


def _mend_record(job: Job) -> bool:
    """Make a harmed record of fetched audio again; False where there is more to do, which a download must."""
    done, record = job.state.stages.get("download"), job.project.raw(job.episode_id) / METADATA
    # A file of this machine is at hand, and all that its record says is found out from it again.
    if done is None or not record.is_file() or (done["inputs"].get("source file") and "entry" not in done["inputs"]):
        return False
    known = {Path(name).name: digest for name, digest in done["outputs"].items()}
    if job.state.digest(record) == known.get(METADATA):
        return False
    from pipeline.mending import mend_record

    # Before a download, too: it keeps the rendition that it replaces, if it can read what that is.
    told = mend_record(record.parent, done["inputs"].get("source", ""), known)
    if told:
        job.warn(told)
    return told is not None and not job.options.force and done["inputs"] == _download_inputs(job)


def _download(job: Job) -> None:
    if _mend_record(job):
        return
    # Hosts are asked one episode at a time, however many are under way here.
    networked = is_address(job.config.source) or job.config.entry is not None
    turn = (
        take_turn(job.project.turns, job.show.download.pause)
        if networked and not job.options.offline
        else nullcontext()
    )
    with turn:
        download_audio(
            job.config.source,
            job.project.raw(job.episode_id),
            root=job.project.root,
            entry=job.config.entry,
            duration=job.config.duration,
            access=replace(
                allow_access(job.show.download, job.project.root),
                tell=lambda message: job.warn(message),
            ),
            offline=job.options.offline,
            on_progress=job.reporter.stage_progress,
        )


def _transcribe_inputs(job: Job) -> dict[str, str]:
    folder = job.project.raw(job.episode_id)
    _need(job, folder / METADATA, "download")
    # The digest of the audio stands beside it: hundreds of megabytes need not be read to know it.
    audio = read_audio(folder)
    if not audio.path.is_file():
        raise InputError(f"{audio.path} is missing: run `catalog download {job.episode_id} --force`")
    if (given := _find_transcript(job)) is not None:
        return {"audio": audio.sha256, "transcript file": job.state.digest(given)}
    if (captions := _find_captions(job, audio)) is not None:
        return {"audio": audio.sha256, "captions": job.state.digest(captions)}
    return {
        "audio": audio.sha256,
        "speech model": job.show.model,
        "language": job.show.language or "",
        # What changes the words; what changes only the speed is left out.
        "options": json.dumps(OPTIONS, sort_keys=True),
        "glossary": "; ".join(job.show.glossary) if job.show.retranscribe_on_glossary_change else "",
        # Another version may hear other words from the same sound.
        "recogniser": f"faster-whisper {_find_version('faster-whisper')}",
    }


def _find_transcript(job: Job) -> Path | None:
    """The transcript that the settings name in place of speech recognition."""
    if job.config.transcript is None:
        return None
    path = place_file(job.config.transcript, job.project.root)
    if not path.is_file():
        raise InputError(f"the transcript {path} is not there: correct `transcript` in the episode's settings")
    return path


def _find_captions(job: Job, audio: Audio) -> Path | None:
    """The publisher's captions, where they are asked for and there are any."""
    if not (job.options.captions or job.show.captions):
        return None
    return keep_captions(
        job.config.source,
        job.config.entry,
        job.project.raw(job.episode_id),
        root=job.project.root,
        access=allow_access(job.show.download, job.project.root),
        language=job.show.language,
        audio_sha256=audio.sha256,
        offline=job.options.offline,
        turn=take_turn(job.project.turns, job.show.download.pause),
    )


def _transcribe_outputs(job: Job) -> list[Path]:
    return [job.project.transcript(job.episode_id)]


def _transcribe(job: Job) -> None:
    audio = read_audio(job.project.raw(job.episode_id))
    parts = job.project.transcript_parts(job.episode_id)
    if (given := _find_transcript(job)) is not None:
        transcript = load_transcript(given)
    elif (captions := _find_captions(job, audio)) is not None:
        transcript = replace(load_transcript(captions), source="captions")
        for warning in check_captions(transcript, audio.duration):
            job.warn(warning)
    else:
        transcript = job.transcriber.transcribe(
            audio.path, language=job.show.language, on_progress=job.reporter.stage_progress, parts=parts
        )
    for remark in transcript.remarks:
        job.warn(remark)
    # Parts and the old rendition go once the whole is on disk, and not before.
    record = transcript_to_json(replace(transcript, audio_sha256=audio.sha256))
    write_json(job.project.transcript(job.episode_id), record)
    shutil.rmtree(parts, ignore_errors=True)
    drop_renditions(job.project.raw(job.episode_id))


def _align_inputs(job: Job) -> dict[str, str]:
    # The speech model is no input: what it heard is in the transcript.
    transcript = _need(job, job.project.transcript(job.episode_id), "transcribe")
    if not job.feature_list.is_file():
        raise InputError(f"the feature list {job.feature_list} is not there: correct `features` in the settings")
    corrections = job.project.corrections(job.episode_id)
    return {
        "transcript": transcript,
        "feature list": job.state.digest(job.feature_list),
        "episode in the list": job.config.features_episode or "",
        "columns": json.dumps(job.show.columns, sort_keys=True),
        "sentence encoder": _name_encoder(),
        "alignment weights": _digest_weights(),
        "alignment": ALIGNMENT,
        "episode-catalog": __version__,
        **({"corrections": job.state.digest(corrections)} if corrections.is_file() else {}),
    }


@cache
def _digest_weights() -> str:
    """The SHA-256 of the fitted weights, which change in a checkout long before its version does."""
    return hashlib.sha256(files("pipeline").joinpath("weights.json").read_bytes()).hexdigest()


def _name_encoder() -> str:
    """What tells the meaning of sentences on this machine."""
    from pipeline.encoder import DISTRIBUTION

    version = _find_version(DISTRIBUTION)
    return f"{DISTRIBUTION} {version}" if version else "none"


@cache
def _find_version(distribution: str) -> str | None:
    """The installed version of a package; asked for each of hundreds of episodes, and read once."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _align_outputs(job: Job) -> list[Path]:
    revision = name_revision(job.state.digest(job.feature_list), job.feature_list.suffix)
    return [job.project.alignment(job.episode_id), job.project.lists(job.episode_id) / revision]


def _align(job: Job) -> None:
    from pipeline.align import align
    from pipeline.encoder import load_encoder, warn_of_language
    from pipeline.vectors import KeptVectors

    transcript = read_record(job.project.transcript(job.episode_id), transcript_from_json)
    features = load_features(job.feature_list, episode=job.config.features_episode, columns=job.show.columns)
    late = check_duration([feature.published_s for feature in features.features], transcript.duration or math.inf)
    for warning in (*features.warnings, *late):
        job.warn(f"{without_secrets(job.config.features)}: {warning}")
    for warning in warn_of_language(transcript.language):
        job.warn(warning)
    # Every revision of the list is kept as it was, since pages are edited after publication.
    keep_revision(job.feature_list.read_bytes(), job.feature_list.suffix, job.project.lists(job.episode_id))
    corrections = load_corrections(job.project.corrections(job.episode_id))
    fitting = match_corrections(corrections, features.features, transcript.duration)
    alignment = _recall_alignment(job, features.features)
    if alignment is None:
        encoder = load_encoder(transcript.language)
        vectors = KeptVectors(job.project.vectors(job.episode_id)).load(transcript, encoder) if encoder else None
        anchors = fitting.find_anchors()
        alignment = align(transcript, features.features, encoder=encoder, vectors=vectors, anchors=anchors)
    for warning in check_fit(alignment):
        job.warn(f"{without_secrets(job.config.features)}: {warning}")
    alignment, complaints = apply_corrections(alignment, fitting)
    for warning in (*fitting.describe_unfit(), *complaints):
        job.warn(warning)
    _tell_moves(job, features.features, alignment, transcript.audio_sha256)
    write_json(
        job.project.alignment(job.episode_id),
        {
            "provenance": asdict(trace_inputs(transcript, features)),
            "features": features_to_json(features.features),
            **({"corrections": [one.model_dump(mode="json") for one in corrections]} if corrections else {}),
            "placements": alignment_to_json(alignment),
        },
    )


def _recall_alignment(job: Job, features: tuple[Feature, ...]) -> Alignment | None:
    """The alignment of before, where only the layout of the list changed; None where it must be made anew."""
    record, path = job.state.stages.get("align"), job.project.alignment(job.episode_id)
    if record is None or job.options.force or job.project.corrections(job.episode_id).exists():
        return None
    # All but the list must be as it was; of the list, its entries.
    inputs = {**_align_inputs(job), "feature list": record["inputs"].get("feature list", "")}
    if job.state.find_reason("align", inputs, [path]) is not None:
        return None
    before, alignment, _ = read_record(path, _parse_alignment)
    return alignment if before == features else None


def _tell_moves(job: Job, features: tuple[Feature, ...], alignment: Alignment, audio_sha256: str | None) -> None:
    """Say by how much starts moved where the audio is another than that of the alignment of before."""
    path = job.project.alignment(job.episode_id)
    if not path.is_file():
        return
    with suppress(InputError):
        moves = read_record(path, lambda before: describe_moves(before, features, alignment, audio_sha256))
        if moves:
            job.result.notes.append(f"{job.episode_id}: {moves}")
            job.warn(moves)


def _publish_inputs(job: Job) -> dict[str, str]:
    return {
        "alignment": _need(job, job.project.alignment(job.episode_id), "align"),
        "transcript": _need(job, job.project.transcript(job.episode_id), "transcribe"),
        # What appears in the rows, and nothing else: another model or glossary publishes nothing anew.
        "show": job.show.name,
        "title": job.config.title,
        "published date": str(job.config.published or ""),
        "link": job.config.link or job.show.link or "",
        "doubtful starts": "published" if job.options.include_review or job.show.include_review else "left out",
        "mp3 with chapters": (_need(job, tagged, "download") if (tagged := _find_mp3(job)) else ""),
        "episode-catalog": __version__,
    }


def _find_mp3(job: Job) -> Path | None:
    """The episode's audio, where its chapters can be written into a copy of it."""
    folder = job.project.raw(job.episode_id)
    if not job.show.id3_chapters or not (folder / METADATA).is_file():
        return None
    path = read_audio(folder).path
    return path if path.suffix == ".mp3" and path.is_file() else None


def _publish_outputs(job: Job) -> list[Path]:
    folder = job.project.notes(job.episode_id)
    # Without the extra no copy is written, and one that is missing must not be missed.
    tagged = [folder / TAGGED_AUDIO] if _find_mp3(job) and find_spec("mutagen") else []
    kept = [state] if (state := find_latest_file(job.project, job.episode_id)) else []
    return [job.project.catalog(job.episode_id), *(folder / name for name in FORMATS), *tagged, *kept]


def _publish(job: Job) -> None:
    from pipeline.tables import write_catalog

    features, alignment, provenance = read_record(job.project.alignment(job.episode_id), _parse_alignment)
    config = job.config
    episode = Episode(job.show.name, job.episode_id, config.title, config.published, config.link or job.show.link)
    rows = build_rows(episode, features, alignment, provenance)
    publish_notes(
        rows,
        read_record(job.project.transcript(job.episode_id), transcript_from_json),
        job.project.notes(job.episode_id),
        include_review=job.options.include_review or job.show.include_review,
        audio=_find_mp3(job),
        warn=job.warn,
    )
    # The state comes before the catalog: where rows are published, what they were can be told.
    keep_state(job.project, job.episode_id, rows)
    write_catalog(rows, job.project.catalog(job.episode_id))
    job.result.rows[job.episode_id] = rows
    job.result.written += [job.project.catalog(job.episode_id), job.project.notes(job.episode_id)]


def _parse_alignment(record: dict[str, Any]) -> tuple[tuple[Feature, ...], Alignment, Provenance]:
    return (
        features_from_json(record["features"]),
        alignment_from_json(record["placements"]),
        Provenance(**record["provenance"]),
    )


def _need(job: Job, path: Path, stage: str) -> str:
    """The digest of the file an earlier stage makes; InputError where it is not there yet."""
    if not path.is_file():
        raise InputError(f"{path} is not there: run `catalog {stage} {job.episode_id}` first, or `catalog run`")
    return job.state.digest(path)


STAGES = (
    Stage("download", _download_inputs, _download_outputs, _download),
    Stage("transcribe", _transcribe_inputs, _transcribe_outputs, _transcribe),
    Stage("align", _align_inputs, _align_outputs, _align),
    Stage("publish", _publish_inputs, _publish_outputs, _publish),
)
