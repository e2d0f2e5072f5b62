"""Find where a show discusses each feature of a known list: audio and page in, timestamped catalog out.

For notebooks and other programs: `read_catalog` and `locate`.
"""

import os
from typing import TYPE_CHECKING, Any

from pipeline.core.version import __version__

# Telemetry is off. ONNX Runtime (from 1.29 on) stores an id of the machine and reports which models it
# runs. Ray and the model hub count their users. Each of them reads its variable before it sends anything.
for _switch, _off in (
    ("ORT_DISABLE_TELEMETRY", "1"),
    ("HF_HUB_DISABLE_TELEMETRY", "1"),
    ("RAY_USAGE_STATS_ENABLED", "0"),
):
    os.environ.setdefault(_switch, _off)

__all__ = ["__version__", "locate", "read_catalog"]

if TYPE_CHECKING:
    from pipeline.api import locate, read_catalog


def __getattr__(name: str) -> Any:
    """Import `locate` and `read_catalog` on first use, so that `catalog --help` starts fast."""
    if name in {"locate", "read_catalog"}:
        from pipeline import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
