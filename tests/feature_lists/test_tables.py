"""Tables from any program are read by the names that people give the columns."""

import dataclasses
import io
from datetime import time, timedelta
from typing import get_args

import openpyxl
import pandas as pd
import pytest

from pipeline.core.config import ColumnName
from pipeline.core.errors import InputError
from pipeline.core.schema import Feature
from pipeline.feature_lists.documents import read_document
from pipeline.feature_lists.lines import LineKind, WarningKind
from pipeline.feature_lists.tables import COLUMNS
from tests.support.feature_lists import make_entry


def test_every_field_of_a_feature_is_a_column() -> None:
    assert set(COLUMNS) == {field.name for field in dataclasses.fields(Feature)}


def test_settings_can_name_every_column() -> None:
    assert set(get_args(ColumnName)) == set(COLUMNS)


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        (".csv", 'Feature,ID,Release,Timestamp,Details,Highlight\n"Sort, by date",500111,4.10,2:04,Why,yes\n'),
        (".csv", "Feature;ID;Release;Timestamp;Details;Highlight\nSort, by date;500111;v4.10;124;Why;x\n"),
        (
            ".tsv",
            "Feature\tID\tRelease\tTimestamp\tDetails\tHighlight\nSort, by date\t500111\t4.10\t0:02:04\tWhy\tTrue\n",
        ),
        (
            ".json",
            '[{"Feature": "Sort, by date", "ID": 500111, "Release": "v4.10", "Timestamp": 124, "Details": "Why", '
            '"Highlight": true}]',
        ),
    ],
)
def test_common_column_names_are_known(suffix: str, text: str) -> None:
    entries = [line.entry for line in read_document(text.encode(), suffix).lines if line.kind is LineKind.ROW]
    assert entries == [
        make_entry(
            "Sort, by date",
            ["Why"],
            feature_id=500111,
            version="v4.10",
            highlight=True,
            published_s=124.0,
            feature_key="500111",
        )
    ]


def test_first_sheet_of_workbook_is_a_table() -> None:
    book = io.BytesIO()
    pd.DataFrame({"ID": [500111, None], "Title": ["Sort", "Theme"], "Release": ["4.10", None]}).to_excel(
        book, index=False
    )
    document = read_document(book.getvalue(), ".xlsx")
    assert document.unit == "row"
    assert [line.entry for line in document.lines[1:]] == [
        make_entry("Sort", feature_id=500111, version="v4.10", feature_key="500111"),
        make_entry("Theme"),
    ]


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        ((time(2, 4), time(16, 36), timedelta(hours=49, minutes=41)), (124, 996, 2981)),
        ((time(0, 2, 4), time(0, 16, 36), time(1, 2, 7)), (124, 996, 3727)),
        (("2:04", "16:36", "1:02:07"), (124, 996, 3727)),
    ],
    ids=["minutes read as hours", "hours", "text"],
)
def test_workbook_times_are_minutes_and_seconds(typed: tuple[object], seconds: tuple[float]) -> None:
    sheet, book = openpyxl.Workbook(), io.BytesIO()
    for row in (("Title", "Time"), *zip("ABC", typed, strict=True)):
        sheet.active.append(row)
    sheet.save(book)
    entries = [line.entry for line in read_document(book.getvalue(), ".xlsx").lines[1:]]
    assert [entry.feature.published_s for entry in entries if entry] == list(seconds)


def test_show_may_map_its_own_column_names() -> None:
    document = read_document(b"Was,Nummer\nSort,500111\n", ".csv", columns={"Was": "title", "Nummer": "feature_id"})
    assert document.lines[1].entry == make_entry("Sort", feature_id=500111, feature_key="500111")


def test_unreadable_cells_stay_empty_with_a_warning() -> None:
    document = read_document(b"title,id,time\nSort,soon,late\n", ".csv")
    assert document.lines[1].entry == make_entry("Sort")
    assert {warning.kind for warning in document.warnings} == {WarningKind.UNREADABLE_CELL}
    assert [warning.describe("line") for warning in document.warnings] == [
        "line 2: 'soon' is not an id; left empty",
        "line 2: 'late' is not a time; left empty",
    ]


def test_lines_within_a_cell_are_counted() -> None:
    document = read_document(b'title,notes\nSort,"one\ntwo"\nTheme,\n', ".csv")
    assert [line.number for line in document.lines] == [1, 2, 4]


@pytest.mark.parametrize(
    "text",
    [
        "sep=;\nTicket;Release;Title\n500111;4.10;Sort\n",
        "Export of the board\nMade on Monday\n\nTicket,Release,Title\n500111,4.10,Sort\n",
        'Ticket;Release;"Title (short, clear, said, etc.)"\n500111;4.10;Sort\n',
        "Ticket,Release,Title 1,Title 2\n500111,4.10,,Sort\n",
        "Number,Milestone,Title\n500111,4.10,Sort\n",
    ],
)
def test_tables_of_other_programs_are_read(text: str) -> None:
    entries = [line.entry for line in read_document(text.encode(), ".csv").lines if line.entry is not None]
    assert entries == [make_entry("Sort", feature_id=500111, version="v4.10", feature_key="500111")]


def test_date_is_not_a_version() -> None:
    document = read_document(b"Title,Version\nSort,2026-03-01\n", ".csv")
    assert [line.entry for line in document.lines if line.entry] == [make_entry("Sort")]
    assert [warning.text for warning in document.warnings] == ["'2026-03-01' is not a version; left empty"]


def test_refused_table_shows_the_setting() -> None:
    with pytest.raises(InputError, match=r'found: Wort, Zahl\).* columns: \{"Wort": title\}'):
        read_document(b"Wort,Zahl\nSort,1\n", ".csv")


@pytest.mark.parametrize(
    ("table", "ids"),
    [
        ("#,Subject\n41105,Berths\n41106,Tides\n", [41105, 41106]),
        ("#,Subject\n1,Berths\n2,Tides\n", [None, None]),
        ("#,Subject,ID\n7,Berths,41105\n9,Tides,41106\n", [41105, 41106]),
    ],
)
def test_number_sign_column_has_ids_unless_it_counts(table: str, ids: list[int | None]) -> None:
    lines = read_document(table.encode(), ".csv").lines
    assert [line.entry.feature.feature_id for line in lines if line.entry is not None] == ids
