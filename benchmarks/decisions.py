"""Edit lists and decide about them at random, and check that no decision is lost or with another entry in silence.

python -m benchmarks.decisions [STEPS] [SEED]
"""

import random
import sys
import tempfile
from collections import Counter
from pathlib import Path
from unittest import mock

from tests.support.decisions_model import Walk

# Steps after which a walk starts with a new list: titles run out.
STEPS_A_WALK = 500


def main() -> None:
    """Walk, and print how often everything happened."""
    steps, seed = _read_arguments()
    counts: Counter[str] = Counter()
    # A flush to the disk proves nothing here, and takes most of the time.
    with mock.patch("os.fsync"):
        for number in range(-(-steps // STEPS_A_WALK)):
            with tempfile.TemporaryDirectory() as folder:
                walk = Walk(Path(folder), random.Random(seed * 1_000_003 + number))
                for _ in range(min(STEPS_A_WALK, steps - number * STEPS_A_WALK)):
                    walk.step()
                counts += walk.counts
    print(f"{steps} steps, seed {seed}: no decision lost or misapplied")
    for name, count in sorted(counts.items()):
        print(f"{count:8} {name}")


def _read_arguments() -> tuple[int, int]:
    steps, seed = [*sys.argv[1:3], *("100000", "1")[len(sys.argv) - 1 :]]
    return int(steps), int(seed)


if __name__ == "__main__":
    main()
