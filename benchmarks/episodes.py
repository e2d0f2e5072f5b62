"""Read annotated episodes, whose starts are known, for fitting and scoring; the repository holds none of their text."""

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from pipeline.core.schema import Feature, Segment, Transcript, Word

# Show name of the spoken walkthroughs, which are of different shows.
SPOKEN = "spoken"


@dataclass(frozen=True, slots=True)
class AnnotatedEpisode:
    """An episode with its true starts in seconds, one a feature; None marks a feature that is not discussed."""

    show: str
    name: str
    transcript: Transcript
    features: tuple[Feature, ...]
    truth: tuple[float | None, ...]

    @property
    def key(self) -> tuple[str, str]:
        """Show and name, which no two episodes share."""
        return self.show, self.name


def load_episodes(folders: Iterable[Path]) -> list[AnnotatedEpisode]:
    """Return the episodes below the folders, sorted by show and name.

    Two layouts are read: `<show>/<episode>.json[.gz]` with `segments` and `items` (title, description, start), and
    `<episode>/` with `transcript.json[.gz]`, `gold.json` and `features.txt`.
    """
    episodes = []
    for folder in folders:
        for path in sorted([*folder.rglob("*.json"), *folder.rglob("*.json.gz")]):
            if path.name == "gold.json":
                episodes.append(_read_spoken(path.parent))
            elif not path.name.startswith("transcript."):
                episodes.extend(_read_items(path))
    return sorted(episodes, key=lambda episode: episode.key)


def _read_json(path: Path) -> Any:
    """Return the content of a JSON file, compressed or not."""
    data = path.read_bytes()
    return json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)


def _read_items(path: Path) -> Iterator[AnnotatedEpisode]:
    """Yield the episode of a file with `segments` and `items`; nothing if the file has neither."""
    data = _read_json(path)
    if not isinstance(data, dict) or not {"segments", "items"} <= set(data):
        return
    features = tuple(
        Feature(number, item["title"], item.get("description") or "") for number, item in enumerate(data["items"], 1)
    )
    truth = tuple(item.get("start") for item in data["items"])
    yield AnnotatedEpisode(path.parent.name, path.name.split(".")[0], read_transcript(data), features, truth)


def read_transcript(data: Mapping[str, Any]) -> Transcript:
    """Return the transcript held by decoded JSON, with or without words."""
    segments = tuple(
        Segment(
            segment["start"],
            segment["end"],
            segment["text"],
            tuple(
                Word(word["start"], word["end"], word["word"], word.get("probability"))
                for word in segment.get("words") or ()
            ),
        )
        for segment in data["segments"]
    )
    return Transcript(segments, data.get("language") or "en", data.get("duration"))


def _read_spoken(folder: Path) -> AnnotatedEpisode:
    """Return the episode of a folder with `gold.json`; a description is the line after its title."""
    gold = _read_json(folder / "gold.json")["features"]
    transcript = next(path for path in sorted(folder.iterdir()) if path.name.startswith("transcript.json"))
    lines = [line.strip() for line in (folder / "features.txt").read_text(encoding="utf-8").splitlines()]
    titles = {entry["title"] for entry in gold}
    following = dict(pairwise(lines))
    features = []
    for entry in gold:
        line = next((line for line in lines if entry["id"] and line.endswith(f"#{entry['id']}")), "")
        after = following.get(line, "")
        description = "" if " | " in after or after in titles else after
        features.append(Feature(entry["index"] + 1, entry["title"], description, entry["id"], entry.get("version")))
    truth = tuple(entry["start_s"] for entry in gold)
    return AnnotatedEpisode(SPOKEN, folder.name, read_transcript(_read_json(transcript)), tuple(features), truth)


def swap_halves(episode: AnnotatedEpisode) -> AnnotatedEpisode:
    """Return an episode whose list has its second half first."""
    middle = len(episode.features) // 2
    order = [*range(middle, len(episode.features)), *range(middle)]
    features = tuple(
        Feature(position, entry.title, entry.description, entry.feature_id, entry.version)
        for position, entry in enumerate((episode.features[index] for index in order), 1)
    )
    return replace(episode, features=features, truth=tuple(episode.truth[index] for index in order))
