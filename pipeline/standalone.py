"""One media or transcript file and one feature list in, one catalog's rows out: no project needed."""

import math
import re
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.align.decision import check_fit
from pipeline.core.errors import InputError
from pipeline.core.schema import Episode
from pipeline.core.storage import sha256_of
from pipeline.feature_lists.checks import check_duration
from pipeline.feature_lists.load import load_features
from pipeline.publish.rows import CatalogRow, build_provenance, build_rows
from pipeline.transcribe.transcriber import Progress, Transcriber
from pipeline.transcribe.transcript_files import SUFFIXES, load_transcript


@dataclass(frozen=True, slots=True)
class Located:
    """The rows of a file's catalog, and what looked odd in its feature list."""

    rows: tuple[CatalogRow, ...]
    warnings: tuple[str, ...]


def locate_features(
    media: Path,
    features: Path,
    *,
    transcriber: Transcriber,
    language: str | None,
    on_progress: Progress,
    list_episode: str | None = None,
) -> Located:
    """Return where each feature of a list is discussed in an audio, video or transcript file (.srt, .vtt, .json).

    `list_episode` names the episode whose list it is, where the page holds several.
    InputError where a file is missing or is not what its ending says.
    """
    if not media.is_file():
        raise InputError(f"{media} is not there: name an audio, video or transcript file (.srt, .vtt, .json)")
    # The list is read first: a mistake in it should not cost a transcription.
    listed = load_features(features, episode=list_episode)
    if media.suffix.lower() in SUFFIXES:
        transcript = load_transcript(media)
    else:
        transcript = transcriber.transcribe(media, language=language, on_progress=on_progress)
        transcript = replace(transcript, audio_sha256=sha256_of(media))
    from pipeline.align.aligner import align
    from pipeline.align.encoder import language_warnings, load_encoder

    alignment = align(transcript, listed.features, encoder=load_encoder(transcript.language))
    episode = Episode(show="", episode_id=name_episode(media), title=media.stem)
    late = check_duration([feature.published_s for feature in listed.features], transcript.duration or math.inf)
    return Located(
        build_rows(episode, listed.features, alignment, build_provenance(transcript, listed)),
        (*listed.warnings, *late, *check_fit(alignment), *transcript.remarks, *language_warnings(transcript.language)),
    )


def name_episode(media: Path) -> str:
    """Return an episode id made from a file's name: lower-case letters, digits, `-` and `_`."""
    plain = unicodedata.normalize("NFKD", media.stem).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9_-]+", "-", plain.lower()).strip("-_")[:64] or "episode"


def check_output(output: Path, *inputs: Path) -> None:
    """InputError where a catalog could not be written to `output`, or would take the place of an input."""
    from pipeline.publish.tables import OUTPUT_SUFFIXES

    if output.suffix.lower() not in OUTPUT_SUFFIXES:
        raise InputError(f"the output {output} must end in {', '.join(sorted(OUTPUT_SUFFIXES))}")
    if not output.absolute().parent.is_dir():
        raise InputError(f"the folder of the output {output} does not exist: create it first")
    if output.is_dir():
        raise InputError(f"the output {output} is a folder: name a file")
    check_apart(output, *inputs)


def check_apart(output: Path, *inputs: Path) -> None:
    """InputError where a file to write is one of those to read."""
    if output.exists() and any(path.exists() and output.samefile(path) for path in inputs):
        raise InputError(f"the output {output} would take the place of what is read: give it another name")
