"""Time `catalog search` at the size of a large back catalogue: 20,000 invented rows in 667 episodes.

    python -m benchmarks.search_speed

Prints the process time of a question once everything is loaded, of loading the dataset, and of the whole command beside
that of `catalog --help`.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.fill_list import AREAS, CHANGES
from pipeline.core.project import Project
from pipeline.core.schema import Alignment, Episode, Feature, Method, Placement, Provenance, Status
from pipeline.publish.rows import CatalogRow, build_rows
from pipeline.publish.search import search_catalog
from pipeline.publish.tables import read_dataset, write_catalog

ROWS, EACH = 20_000, 30
QUESTIONS = ("invoices duplicated", "dashbord aproval", "#512345", "v2.12 assets", "archived quotes")


def make_rows(episode: int, chance: random.Random) -> tuple[CatalogRow, ...]:
    """Return one episode's invented rows."""
    features = [
        Feature(n, chance.choice(CHANGES).format(chance.choice(AREAS)), chance.choice(CHANGES).format("them"))
        for n in range(1, EACH + 1)
    ]
    numbered = [replace(f, feature_id=500_000 + episode * EACH + f.position, version=f"v2.{episode}") for f in features]
    quote = " ".join(chance.choice(CHANGES).format("those") for _ in range(3))[:200]
    places = tuple(
        Placement(
            f.position, 60.0 * f.position, 60.0 * f.position + 50, Status.CONFIDENT, 0.9, Method.PHRASE, "", quote
        )
        for f in numbered
    )
    return build_rows(
        Episode("Show", f"ep{episode}", f"Episode {episode}"),
        numbered,
        Alignment(places),
        Provenance("whisper", "base", None, None),
    )


def main() -> None:
    """Make the dataset, ask it, and print the seconds."""
    chance = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder))
        for episode in range(ROWS // EACH):
            write_catalog(make_rows(episode, chance), project.catalog(f"ep{episode}"))
        began = time.process_time()
        table = read_dataset(project.dataset)
        print(f"{table.num_rows} rows in {ROWS // EACH} files, loaded in {time.process_time() - began:.2f} s")
        search_catalog(table, ["warm"])
        for question in QUESTIONS:
            began = time.process_time()
            hits = search_catalog(table, question.split())
            print(f"{question!r}: {time.process_time() - began:.3f} s of process time, {len(hits)} rows")
        for args in (["search", *QUESTIONS[0].split(), "--root", folder], ["--help"]):
            began = os.times()
            subprocess.run([sys.executable, "-m", "pipeline", *args], stdout=subprocess.DEVNULL, check=True)
            ended = os.times()
            seconds = ended.children_user + ended.children_system - began.children_user - began.children_system
            print(f"catalog {args[0]}: {seconds:.2f} s of process time in all")


if __name__ == "__main__":
    main()
