"""Draw the alignment of the bundled demo: docs/pictures/alignment.png.

    make demo
    python docs/draw_alignment.py

Needs the extra `plots`. One row per entry; the darker a point, the more probable is a start there.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from pipeline.align.embeddings import embed_episode, encode_units
from pipeline.align.encoder import load_encoder
from pipeline.align.evidence import measure_evidence
from pipeline.align.inference import EpisodePosterior, infer_posterior
from pipeline.align.mentions import find_mentions
from pipeline.align.units import split_units
from pipeline.align.weights import load_weights
from pipeline.core.project import Project
from pipeline.core.schema import Feature, Placement, Status, Transcript
from pipeline.core.serialization import alignment_from_json, transcript_from_json
from pipeline.core.storage import read_json, read_record
from pipeline.feature_lists.load import load_features

REPOSITORY = Path(__file__).parent.parent
PICTURE = Path(__file__).parent / "pictures" / "alignment.png"


def shorten(title: str, most: int = 44) -> str:
    """Return a title cut to at most `most` characters."""
    return title if len(title) <= most else title[: most - 1] + "…"


def read_truth(path: Path) -> dict[int, float | None]:
    """Return the true starts in seconds by feature id; None marks a feature that is not discussed."""
    return {entry["id"]: entry["start_s"] for entry in json.loads(path.read_text())["features"]}


def compute_posterior(
    transcript: Transcript, features: Sequence[Feature]
) -> tuple[NDArray[np.float64], EpisodePosterior]:
    """Return the bounds of the units in minutes, the end of the last one included, and the posterior."""
    units = split_units(transcript)
    encoder = load_encoder(transcript.language)
    vectors = embed_episode(units, features, encode_units(units, encoder), encoder) if encoder else None
    mentions = find_mentions(units, features, transcript.language)
    evidence = measure_evidence(units, features, mentions, transcript.language, vectors)
    posterior = infer_posterior(evidence, load_weights(encoder.name if encoder else None))
    return np.append(evidence.starts, units[-1].end) / 60, posterior


def draw_placement(axes: Axes, position: int, placement: Placement, truth: float | None) -> None:
    """Draw the true start of an entry, and the chosen one: filled where it is confident."""
    if truth is not None:
        axes.plot(truth / 60, position, "|", color="black", markersize=13, markeredgewidth=1.5)
    if placement.start is not None and placement.status is not Status.NOT_FOUND:
        fill = "tab:orange" if placement.status is Status.CONFIDENT else "none"
        axes.plot(placement.start / 60, position, "o", mfc=fill, mec="tab:orange")


def draw_legend(axes: Axes) -> None:
    """Draw the legend of the marks."""
    for style, label in (("|k", "true start"), ("o", "confident"), ("o", "to review")):
        fill = "tab:orange" if label == "confident" else "none"
        axes.plot([], [], style, mfc=fill, mec="black" if style == "|k" else "tab:orange", label=label)
    axes.legend(loc="upper right", fontsize=8, title="the darker, the likelier", title_fontsize=8)


def main() -> None:
    """Compute the posterior of the demo as `align` does, and draw it with the true and the chosen starts."""
    project = Project(REPOSITORY)
    transcript = read_record(project.transcript("demo"), transcript_from_json)
    features = load_features(REPOSITORY / "demo" / "features.txt").features
    placements = alignment_from_json(read_json(project.alignment("demo"))["placements"]).placements
    truth = read_truth(REPOSITORY / "demo" / "gold.json")
    minutes, posterior = compute_posterior(transcript, features)

    figure, axes = plt.subplots(figsize=(9, 4.2), dpi=110, layout="constrained")
    rows = np.arange(len(features) + 1) + 0.5
    axes.pcolormesh(minutes, rows, posterior.window_mass**0.5, cmap="Blues", vmin=0, vmax=1)
    for feature, placement in zip(features, placements, strict=True):
        draw_placement(axes, feature.position, placement, truth[feature.feature_id])
    labels = [f"{feature.position}  {shorten(feature.title)}" for feature in features]
    axes.set_yticks(range(1, len(features) + 1), labels, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("minutes")
    draw_legend(axes)
    figure.savefig(PICTURE, metadata={"Software": ""})


if __name__ == "__main__":
    main()
