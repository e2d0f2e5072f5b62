"""Count the titles and ids that are filled in correctly: remove those of a list, and add other release notes.

    python -m benchmarks.fill_list LIST [--sweep]

LIST is any feature list with titles, ids and descriptions. Its titles are mixed with 300 invented release notes of a
similar product, with ids on both sides of the real ones. The program must find the title of each description.
"""

import argparse
import itertools
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.core.schema import Feature
from pipeline.feature_lists import fill
from pipeline.feature_lists.load import load_features

# The number of invented release notes.
INVENTED = 300
# The distance of the first invented id below the lowest real one.
ID_OFFSET = 200_000
# The distance between two invented ids.
ID_STEP = 1409
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


@dataclass(frozen=True, slots=True)
class Counts:
    """The number of gaps that were filled correctly, filled wrongly, and left empty."""

    correct: int
    wrong: int
    empty: int


def invent_notes(count: int, first_id: int) -> list[Feature]:
    """Return `count` invented release notes with ids from `first_id` up."""
    pairs = itertools.islice(itertools.product(AREAS, CHANGES), count)
    return [
        Feature(
            position=n,
            title=change.format(area if change.startswith("{") else area.lower()),
            feature_id=first_id + ID_STEP * n,
        )
        for n, (area, change) in enumerate(pairs, start=1)
    ]


def count_filled(features: list[Feature], notes: list[Feature]) -> Counts:
    """Return how the gaps of a list are filled when each entry has only its description."""
    stripped = [Feature(position=feature.position, title=feature.description) for feature in features]
    ids = {feature.position: feature.feature_id for feature in features}
    proposals = fill.propose_notes(stripped, notes)
    filled = [proposal for proposal in proposals if proposal.note is not None]
    correct = sum(proposal.note.feature_id == ids[proposal.position] for proposal in filled if proposal.note)
    return Counts(correct, len(filled) - correct, len(proposals) - len(filled))


def main() -> None:
    """Print the counts for the current thresholds, and for others with --sweep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("list", type=Path)
    parser.add_argument("--sweep", action="store_true", help="also try other thresholds")
    args = parser.parse_args()
    features = [f for f in load_features(args.list).features if f.feature_id and f.description]
    others = invent_notes(INVENTED, min(f.feature_id or 0 for f in features) - ID_OFFSET)
    notes = [replace(feature, description="", position=1) for feature in features] + others
    print(
        f"{len(features)} entries, {len(notes)} notes, MIN_SCORE {fill.MIN_SCORE}, MIN_LEAD {fill.MIN_LEAD}:", end=" "
    )
    print(count_filled(features, notes))
    if args.sweep:
        thresholds = itertools.product((0.15, 0.2, 0.25, 0.3, 0.4), (0.04, 0.06, 0.08, 0.12))
        for fill.MIN_SCORE, fill.MIN_SCORE_IN_ORDER in thresholds:
            print(fill.MIN_SCORE, fill.MIN_SCORE_IN_ORDER, count_filled(features, notes))


if __name__ == "__main__":
    main()
