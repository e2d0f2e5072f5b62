"""The command `ledger`."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.options import Json, Root, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.publish.ledger import LedgerRow


class LedgerFormat(StrEnum):
    """The formats in which the ledger is printed."""

    TABLE = "table"
    CSV = "csv"
    MARKDOWN = "markdown"


def ledger(
    *,
    version: Annotated[str | None, typer.Option(help="Only this version, such as v2.204.")] = None,
    not_yet: Annotated[bool, typer.Option("--not-yet", help="Only entries that no episode speaks of yet.")] = False,
    output_format: Annotated[
        LedgerFormat, typer.Option("--format", help="table, csv, or markdown: a list in the format of a page.")
    ] = LedgerFormat.TABLE,
    root: Root = Path(),
    as_json: Json = False,
) -> None:
    """Show which entries of the release lists are discussed where. With --not-yet, what is still to come."""
    from dataclasses import asdict

    from pipeline.cli.tables import print_ledger, print_line
    from pipeline.core.config import load_show
    from pipeline.core.project import Project
    from pipeline.publish.ledger import NOT_YET, choose_version, count_discussed
    from pipeline.runs.ledger import read_ledger

    project = Project(root.resolve())
    show = load_show(project.show)
    rows = choose_version(read_ledger(project, show), version, [release.version for release in show.releases])
    shown = [row for row in rows if row.status == NOT_YET] if not_yet else rows
    if as_json:
        print_json([asdict(row) for row in shown])
    elif output_format is LedgerFormat.CSV:
        _print_csv(shown)
    elif output_format is LedgerFormat.MARKDOWN:
        _print_page(shown)
    else:
        if shown:
            print_ledger(shown)
        for counts in count_discussed(rows):
            print_line(counts.describe())


def _print_csv(rows: "Sequence[LedgerRow]") -> None:
    from pipeline.publish.tables import build_table, format_csv, ledger_schema

    print(format_csv(build_table(rows, ledger_schema())), end="")


def _print_page(rows: "Sequence[LedgerRow]") -> None:
    """Print entries as the page of a feature list, which `catalog features` reads."""
    from pipeline.core.text import printable
    from pipeline.feature_lists.writer import format_page
    from pipeline.publish.ledger import list_entries

    if entries := list_entries(rows):
        print(printable(format_page(entries)), end="")
    else:
        from pipeline.cli.progress import ConsoleReporter

        ConsoleReporter().note("ledger", "nothing is still to come")
