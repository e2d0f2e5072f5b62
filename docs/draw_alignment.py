"""Draw the alignment of the bundled demo: docs/pictures/alignment.png.

    make demo
    python docs/draw_alignment.py

Needs the extra `plots`. One row per entry; the darker a point, the more probable is a start there.
"""

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from pipeline.align.embeddings import embed_episode, encode_units
from pipeline.align.encoder import load_encoder
from pipeline.align.evidence import measure_evidence
from pipeline.align.inference import infer_posterior
from pipeline.align.mentions import find_mentions
from pipeline.align.units import split_units
from pipeline.align.weights import load_weights
from pipeline.core.project import Project
from pipeline.core.schema import Status
from pipeline.core.serialization import alignment_from_json, transcript_from_json
from pipeline.core.storage import read_json, read_record
from pipeline.feature_lists.load import load_features

REPOSITORY = Path(__file__).parent.parent
PICTURE = Path(__file__).parent / "pictures" / "alignment.png"


def shorten(title: str, most: int = 44) -> str:
    """Return a title cut to at most `most` characters."""
    return title if len(title) <= most else title[: most - 1] + "…"


def main() -> None:
    """Compute the posterior of the demo as `align` does, and draw it with the true and the chosen starts."""
    project = Project(REPOSITORY)
    transcript = read_record(project.transcript("demo"), transcript_from_json)
    features = load_features(REPOSITORY / "demo" / "features.txt").features
    placed = alignment_from_json(read_json(project.alignment("demo"))["placements"]).placements
    truth = {
        entry["id"]: entry["start_s"]
        for entry in json.loads((REPOSITORY / "demo" / "gold.json").read_text())["features"]
    }
    units = split_units(transcript)
    encoder = load_encoder(transcript.language)
    meaning = embed_episode(units, features, encode_units(units, encoder), encoder) if encoder else None
    mentions = find_mentions(units, features, transcript.language)
    evidence = measure_evidence(units, features, mentions, transcript.language, meaning)
    posterior = infer_posterior(evidence, load_weights(encoder.name if encoder else None))

    figure, axes = plt.subplots(figsize=(9, 4.2), dpi=110, layout="constrained")
    minutes = np.append(evidence.starts, units[-1].end) / 60
    rows = np.arange(len(features) + 1) + 0.5
    axes.pcolormesh(minutes, rows, posterior.window_mass**0.5, cmap="Blues", vmin=0, vmax=1)
    for feature, placement in zip(features, placed, strict=True):
        true = truth[feature.feature_id]
        if true is not None:
            axes.plot(true / 60, feature.position, "|", color="black", markersize=13, markeredgewidth=1.5)
        if placement.start is not None and placement.status is not Status.NOT_FOUND:
            sure = placement.status is Status.CONFIDENT
            axes.plot(
                placement.start / 60, feature.position, "o", mfc="tab:orange" if sure else "none", mec="tab:orange"
            )
    axes.set_yticks(
        range(1, len(features) + 1), [f"{one.position}  {shorten(one.title)}" for one in features], fontsize=8
    )
    axes.invert_yaxis()
    axes.set_xlabel("minutes")
    for style, label in (("|k", "true start"), ("o", "confident"), ("o", "to review")):
        full = "tab:orange" if label == "confident" else "none"
        axes.plot([], [], style, mfc=full, mec="black" if style == "|k" else "tab:orange", label=label)
    axes.legend(loc="upper right", fontsize=8, title="the darker, the likelier", title_fontsize=8)
    figure.savefig(PICTURE, metadata={"Software": ""})


if __name__ == "__main__":
    main()
