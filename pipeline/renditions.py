"""Renditions of an episode: when its audio changes, the old one is kept until the new one is transcribed.

Times belong to one rendition: another cut, or other advertisements, move everything after them.
"""

import os
import shutil
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.marks import format_time
from pipeline.schema import Alignment, Feature
from pipeline.storage import write_bytes

RENDITIONS = "renditions"
# Whisper places the same words a little differently in another encoding: less than this is no move.
STILL_SECONDS = 1.0


def keep_rendition(audio: Path, record: Path, sha256: str) -> None:
    """Keep an audio file and what is known of it, beside them under `renditions/`, before others take their places."""
    folder = audio.parent / RENDITIONS / sha256[:12]
    kept = folder / audio.name
    folder.mkdir(parents=True, exist_ok=True)
    if not kept.exists():
        try:
            os.link(audio, kept)
        except OSError:
            shutil.copyfile(audio, kept)
    write_bytes(folder / record.name, record.read_bytes())


def drop_renditions(folder: Path) -> None:
    """Take away the renditions that nothing made from them needs any more."""
    shutil.rmtree(folder / RENDITIONS, ignore_errors=True)


def describe_moves(
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
    moved = [move for move in moves if abs(move) >= STILL_SECONDS]
    if not moved:
        return f"the audio changed; none of {len(moves)} starts moved"
    middle, least, most = statistics.median(moved), min(moved), max(moved)
    return (
        f"the audio changed: {len(moved)} of {len(moves)} starts moved, {_signed(middle)} at the median "
        f"(from {_signed(least)} to {_signed(most)})"
    )


def _signed(seconds: float) -> str:
    return f"{'-' if seconds < 0 else '+'}{format_time(abs(seconds))}"
