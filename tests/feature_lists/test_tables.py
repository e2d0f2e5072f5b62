"""A table is read by the names people give its columns, whatever program it comes from."""

import io
from datetime import time, timedelta

import openpyxl
import pandas as pd
import pytest

from pipeline.feature_lists.documents import read_document
from pipeline.feature_lists.lines import MarkedLine


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        (".csv", 'Feature,ID,Release,Timestamp,Details,Highlight\n"Sort, by date",#500111,4.10,2:04,Why,yes\n'),
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
def test_a_table_is_read_by_the_names_people_give_its_columns(suffix: str, text: str) -> None:
    rows = [line.row for line in read_document(text.encode(), suffix).lines if line.kind == "row"]
    assert rows == [MarkedLine("Sort, by date", "Why", 500111, "v4.10", 124.0, (), True)]


def test_a_workbook_s_first_sheet_is_a_table() -> None:
    book = io.BytesIO()
    pd.DataFrame({"ID": [500111, None], "Title": ["Sort", "Theme"], "Release": ["4.10", None]}).to_excel(
        book, index=False
    )
    document = read_document(book.getvalue(), ".xlsx")
    assert document.unit == "row"
    assert [line.row for line in document.lines[1:]] == [
        MarkedLine("Sort", "", 500111, "v4.10", None),
        MarkedLine("Theme", "", None, None, None),
    ]


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        ((time(2, 4), time(16, 36), timedelta(hours=49, minutes=41)), (124, 996, 2981)),
        ((time(0, 2, 4), time(0, 16, 36), time(1, 2, 7)), (124, 996, 3727)),
        (("2:04", "16:36", "1:02:07"), (124, 996, 3727)),
    ],
    ids=["minutes taken for hours", "hours", "text"],
)
def test_times_in_a_workbook_are_minutes_and_seconds_as_typed(typed: tuple[object], seconds: tuple[float]) -> None:
    sheet, book = openpyxl.Workbook(), io.BytesIO()
    for row in (("Title", "Time"), *zip("ABC", typed, strict=True)):
        sheet.active.append(row)
    sheet.save(book)
    rows = [line.row for line in read_document(book.getvalue(), ".xlsx").lines[1:]]
    assert [row.published_s for row in rows if row] == list(seconds)


def test_a_show_may_name_its_columns_otherwise() -> None:
    document = read_document(b"Was,Nummer\nSort,500111\n", ".csv", columns={"Was": "title", "Nummer": "feature_id"})
    assert document.lines[1].row == MarkedLine("Sort", "", 500111, None, None)


def test_cells_that_are_no_id_or_time_are_left_empty_and_reported() -> None:
    document = read_document(b"title,id,time\nSort,soon,late\n", ".csv")
    assert document.lines[1].row == MarkedLine("Sort", "", None, None, None)
    assert document.warnings == (
        "line 2: 'soon' is not an id; left empty",
        "line 2: 'late' is not a time; left empty",
    )


def test_a_cell_over_several_lines_counts_them() -> None:
    document = read_document(b'title,notes\nSort,"one\ntwo"\nTheme,\n', ".csv")
    assert [line.number for line in document.lines] == [1, 2, 4]
