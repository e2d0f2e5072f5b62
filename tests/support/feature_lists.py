"""A page with a feature list, its parser for lists of one episode, and entries."""

from collections.abc import Sequence
from typing import Any

from pipeline.core.schema import Feature, FeatureList
from pipeline.feature_lists.lines import UNPLACED, Entry
from pipeline.feature_lists.load import parse_episodes

LIST_PAGE = """\
In Episode 3 we open the Kite release notes and walk through everything that small teams should know.
Highlights of this episode:
· Darktheme for the mobile app (500122)
Easy on the eyes.
Full Feature review:
Invoices can be sorted by due date | v4.10 #500111 | 0:11
The invoice list gets a sort button.
Added a dark theme to the mobile app | v4.10 #500122 | 1:02:07
Export limit raised | v4.10.1 #500133
"""


def parse_list(text: str, suffix: str = ".txt") -> FeatureList:
    """Return the only list in a text."""
    (features,) = parse_episodes(text.encode(), suffix)
    return features


def make_entry(
    title: str, description: Sequence[str] = (), *, line: int = 0, other_ids: tuple[int, ...] = (), **values: Any
) -> Entry:
    """Return an entry of a list without position; `values` are those of its feature."""
    feature = Feature(position=UNPLACED, title=title, **values)
    return Entry(feature, list(description), line=line, other_ids=other_ids)
