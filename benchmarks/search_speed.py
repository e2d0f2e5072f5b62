"""Time `catalog search` at the size of a large back catalog: 20,000 invented rows in 667 episodes.

    python -m benchmarks.search_speed

Prints the process time of loading the dataset, of a query once everything is loaded, and of the whole command beside
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
from pipeline.publish.dataset import read_dataset
from pipeline.publish.rows import CatalogRow, build_rows
from pipeline.publish.search import search_catalog
from pipeline.publish.tables import write_catalog

ROWS = 20_000
ROWS_PER_EPISODE = 30

# Words that occur, words with a typing error, an id, a version with a word, and words of one title.
QUERIES = ("invoices duplicated", "dashbord aproval", "#512345", "v2.12 assets", "archived quotes")


def make_rows(episode: int, chance: random.Random) -> tuple[CatalogRow, ...]:
    """Return one episode's invented rows."""
    first_id = 500_000 + episode * ROWS_PER_EPISODE
    features = [
        Feature(n, chance.choice(CHANGES).format(chance.choice(AREAS)), chance.choice(CHANGES).format("them"))
        for n in range(1, ROWS_PER_EPISODE + 1)
    ]
    features = [replace(f, feature_id=first_id + f.position, version=f"v2.{episode}") for f in features]
    quote = " ".join(chance.choice(CHANGES).format("those") for _ in range(3))[:200]
    placements = tuple(
        Placement(
            f.position, 60.0 * f.position, 60.0 * f.position + 50, Status.CONFIDENT, 0.9, Method.PHRASE, "", quote
        )
        for f in features
    )
    return build_rows(
        Episode("Show", f"ep{episode}", f"Episode {episode}"),
        features,
        Alignment(placements),
        Provenance("whisper", "base", None, None),
    )


def time_queries(project: Project) -> None:
    """Print the process time of loading the dataset and of each query."""
    began = time.process_time()
    table = read_dataset(project.dataset)
    print(f"{table.num_rows} rows, loaded in {time.process_time() - began:.2f} s")
    search_catalog(table, ["warm"])
    for query in QUERIES:
        began = time.process_time()
        hits = search_catalog(table, query.split())
        print(f"{query!r}: {time.process_time() - began:.3f} s of process time, {len(hits)} rows")


def time_command(*arguments: str) -> None:
    """Print the process time of a command."""
    began = os.times()
    subprocess.run([sys.executable, "-m", "pipeline", *arguments], stdout=subprocess.DEVNULL, check=True)
    ended = os.times()
    seconds = ended.children_user + ended.children_system - began.children_user - began.children_system
    print(f"catalog {arguments[0]}: {seconds:.2f} s of process time in all")


def main() -> None:
    """Write the dataset, search it, and print the times."""
    chance = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder))
        for episode in range(ROWS // ROWS_PER_EPISODE):
            write_catalog(make_rows(episode, chance), project.catalog(f"ep{episode}"))
        time_queries(project)
        time_command("search", *QUERIES[0].split(), "--root", folder)
        time_command("--help")


if __name__ == "__main__":
    main()
