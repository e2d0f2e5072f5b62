"""Catalog one media or transcript file and one feature list, without a project."""

import math
import re
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.align.decision import check_fit, describe_share
from pipeline.core.errors import InputError
from pipeline.core.schema import Episode
from pipeline.core.storage import sha256_of
from pipeline.feature_lists.checks import check_duration
from pipeline.feature_lists.load import load_features
from pipeline.publish.rows import CatalogRow, build_provenance, build_rows
from pipeline.transcribe.transcriber import Progress, Transcriber
from pipeline.transcribe.transcript_files import SUFFIXES, load_transcript

# Characters of an episode id, at most; see `pipeline.core.config.EPISODE_ID`.
MAX_ID_LENGTH = 64


@dataclass(frozen=True, slots=True)
class FileCatalog:
    """The catalog rows of one file, in list order, and the warnings about the list, the transcript and their fit.

    `notes` say how much of the list is discussed, where that is only a part.
    """

    rows: tuple[CatalogRow, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...] = ()


def locate_features(
    media: Path,
    features: Path,
    *,
    transcriber: Transcriber,
    language: str | None,
    on_progress: Progress,
    list_episode: str | None = None,
    whole: bool = False,
) -> FileCatalog:
    """Return where each feature of a list is discussed in an audio, video or transcript file (.srt, .vtt, .json).

    Args:
        media: The audio, video or transcript file.
        features: The file of the feature list.
        transcriber: Transcribes audio and video; not used for a transcript.
        language: The spoken language, such as `en`; None detects it.
        on_progress: Takes the seconds of audio that are transcribed, and all seconds.
        list_episode: The episode whose list to take, where the page holds several.
        whole: The audio is whole, even where its header states a longer duration.

    Raises:
        InputError: A file is missing, or its content does not match its ending.
    """
    if not media.is_file():
        raise InputError(f"{media} is not there", "name an audio, video or transcript file (.srt, .vtt, .json)")
    # Before the transcription, which takes long: the list may be wrong.
    listed = load_features(features, episode=list_episode)
    if media.suffix.lower() in SUFFIXES:
        transcript = load_transcript(media)
    else:
        transcript = transcriber.transcribe(media, language=language, on_progress=on_progress, whole=whole)
        transcript = replace(transcript, audio_sha256=sha256_of(media))
    from pipeline.align.aligner import align
    from pipeline.align.encoder import language_warnings, load_encoder

    alignment = align(transcript, listed.features, encoder=load_encoder(transcript.language))
    episode = Episode(show="", episode_id=name_episode(media), title=media.stem)
    late = check_duration([feature.published_s for feature in listed.features], transcript.duration or math.inf)
    return FileCatalog(
        build_rows(episode, listed.features, alignment, build_provenance(transcript, listed)),
        (*listed.warnings, *late, *check_fit(alignment), *transcript.remarks, *language_warnings(transcript.language)),
        () if alignment.expected_discussed is None else (describe_share(alignment),),
    )


def name_episode(media: Path) -> str:
    """Return an episode id made from a file's name: lower-case letters, digits, `-` and `_`."""
    plain = unicodedata.normalize("NFKD", media.stem).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9_-]+", "-", plain.lower()).strip("-_")[:MAX_ID_LENGTH] or "episode"


def check_output(output: Path, *inputs: Path) -> None:
    """Check that a catalog can be written to `output`.

    Raises:
        InputError: Its ending is unknown, its folder does not exist, it is a folder, or it is one of the inputs.
    """
    from pipeline.publish.tables import OUTPUT_SUFFIXES

    if output.suffix.lower() not in OUTPUT_SUFFIXES:
        raise InputError(f"the output {output} must end in {', '.join(sorted(OUTPUT_SUFFIXES))}")
    if not output.absolute().parent.is_dir():
        raise InputError(f"the folder of the output {output} does not exist", "create it first")
    if output.is_dir():
        raise InputError(f"the output {output} is a folder", "name a file")
    check_not_input(output, *inputs)


def check_not_input(output: Path, *inputs: Path) -> None:
    """Raise InputError where the file to write is one of the inputs, under this or another name."""
    if output.exists() and any(path.exists() and output.samefile(path) for path in inputs):
        raise InputError(f"the output {output} would replace an input", "give it another name")
