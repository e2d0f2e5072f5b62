"""Find where a show discusses each feature of a known list: audio and page in, timestamped catalog out.

For notebooks and other programs: `read_catalog` and `locate`.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["locate", "read_catalog"]

if TYPE_CHECKING:
    from pipeline.api import locate, read_catalog


def __getattr__(name: str) -> Any:
    """Import what is asked for, and only then: the command must answer at once."""
    if name in __all__:
        from pipeline import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
