"""How often a lost title and id are filled in rightly: strip a list to its descriptions, hide it among other notes.

    python -m benchmarks.fill_list LIST [--sweep]

LIST is any feature list with titles, ids and descriptions. Its titles are put among 300 invented release notes of the
same kind of product, with ids on both sides of the real ones; then each description must find its title again.
"""

import argparse
import itertools
from dataclasses import replace
from pathlib import Path

from pipeline.core.schema import Feature
from pipeline.feature_lists import fill
from pipeline.feature_lists.load import load_features

AREAS = (
    "Ticket rules", "Email templates", "Quotes", "Invoices", "Contracts", "Assets", "Agent roles", "Client portal",
    "Knowledge base articles", "Reports", "Dashboards", "Calendars", "Timesheets", "Purchase orders", "Suppliers",
    "Stock items", "Surveys", "Approval processes", "Projects", "Workflows", "Mailboxes", "Chat profiles", "Webhooks",
    "Custom fields", "SLA targets", "Distribution lists", "Tags", "Categories", "Sites", "Recurring invoices",
)  # fmt: skip
CHANGES = (
    "{} can now be duplicated together with their attachments",
    "Added a setting to hide archived {} from search results",
    "{} now keep their sort order when the page is reloaded",
    "Fixed {} losing their translation after an import",
    "Added bulk deletion of {} with an undo period",
    "{} can now be restricted to a department",
    "The audit log now records who changed {}",
    "Added a variable that lists all {} in notifications",
    "{} can now be exported as a spreadsheet from the API",
    "Improved loading time of the list of {} on slow connections",
)


def invent_notes(count: int, first_id: int) -> list[Feature]:
    """Return invented release notes, `count` of them."""
    pairs = itertools.islice(itertools.product(AREAS, CHANGES), count)
    return [
        Feature(n, change.format(area if change.startswith("{") else area.lower()), "", first_id + 1409 * n)
        for n, (area, change) in enumerate(pairs, start=1)
    ]


def measure(listed: list[Feature], notes: list[Feature]) -> tuple[int, int, int]:
    """Return how many gaps were filled rightly, wrongly, and left empty."""
    stripped = [Feature(f.position, f.description) for f in listed]
    truth = {f.position: f.feature_id for f in listed}
    proposals = fill.propose_notes(stripped, notes)
    right = sum(p.note is not None and p.note.feature_id == truth[p.position] for p in proposals)
    empty = sum(p.note is None for p in proposals)
    return right, len(proposals) - right - empty, empty


def main() -> None:
    """Print right, wrong and empty for the thresholds in use, and for others with --sweep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("list", type=Path)
    parser.add_argument("--sweep", action="store_true", help="also try other thresholds")
    args = parser.parse_args()
    listed = [f for f in load_features(args.list).features if f.feature_id and f.description]
    others = invent_notes(300, min(f.feature_id or 0 for f in listed) - 200_000)
    notes = [replace(f, description="", position=1) for f in listed] + others
    print(f"{len(listed)} entries, {len(notes)} notes, SAFE {fill.SAFE}, LEAD {fill.LEAD}:", end=" ")
    print("right {}, wrong {}, left empty {}".format(*measure(listed, notes)))
    if args.sweep:
        for fill.SAFE, fill.SAFE_IN_ORDER in itertools.product((0.15, 0.2, 0.25, 0.3, 0.4), (0.04, 0.06, 0.08, 0.12)):
            print(fill.SAFE, fill.SAFE_IN_ORDER, *measure(listed, notes))


if __name__ == "__main__":
    main()
