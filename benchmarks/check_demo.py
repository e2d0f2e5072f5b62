"""Compare the demo's catalog with its true starts, and fail where it is worse than the README states.

python -m benchmarks.check_demo [CATALOG.parquet]
"""

import json
import sys
from pathlib import Path

import pandas as pd

REPOSITORY = Path(__file__).parent.parent
CATALOG = REPOSITORY / "data" / "processed" / "catalog" / "demo.parquet"
GOLD = REPOSITORY / "demo" / "gold.json"

# The tolerances to print, in seconds.
TOLERANCES_S = (3, 5, 10, 30)

# The number of features that must be found within 10 s: all that are discussed. No other may be placed.
FOUND_WITHIN_10_S = 11


def main() -> None:
    """Print the comparison, a line for each feature; exit with 1 where the catalog is not good enough."""
    catalog = pd.read_parquet(sys.argv[1] if len(sys.argv) > 1 else CATALOG)
    gold = pd.DataFrame(json.loads(GOLD.read_text(encoding="utf-8"))["features"])
    rows = catalog.merge(gold, left_on="feature_id", right_on="id", suffixes=("", "_true"), validate="one_to_one")
    rows["error_s"] = (rows["start_s"] - rows["start_s_true"]).round(1)
    print(rows[["position", "feature_id", "start_s_true", "start_s", "error_s", "status", "confidence"]].to_string())
    discussed = rows["start_s_true"].notna()
    within = {seconds: int((rows["error_s"].abs() <= seconds).sum()) for seconds in TOLERANCES_S}
    placed = int((rows["start_s"].notna() & ~discussed).sum())
    print(", ".join(f"within {s} s: {n} of {discussed.sum()}" for s, n in within.items()))
    print(f"placed but not discussed: {placed} of {(~discussed).sum()}")
    if len(rows) != len(gold) or within[10] < FOUND_WITHIN_10_S or placed:
        sys.exit("the demo's catalog is worse than the README states")


if __name__ == "__main__":
    main()
