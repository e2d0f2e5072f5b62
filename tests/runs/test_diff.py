"""Entries of two snapshots are paired, and every change of an entry is reported."""

from pipeline.runs.diff import compare_rows


def row(position: int, **columns: object) -> dict[str, object]:
    known = {"feature_id": None, "version": None, "title": f"Title {position}", "description": "", "highlight": False}
    times = {"start_s": 10.0 * position, "end_s": 10.0 * position + 10, "published_s": None, "status": "confident"}
    return {"position": position, **known, **times, **columns}


def test_entries_are_paired_by_id_then_title() -> None:
    before = [row(1, feature_id=1), row(2, feature_id=2), row(3), row(4, feature_id=4)]
    now = [
        row(1, title="Title 3"),
        row(2, feature_id=1, title="New name", start_s=15.0),
        row(3, feature_id=22, title="Title 2", start_s=None, status="not_found"),
        row(4, feature_id=5),
    ]
    changes = compare_rows(before, now).to_json()
    assert {kind: [entry["title"] for entry in changes[kind]] for kind in changes if kind != "reordered"} == {
        "renamed": ["New name"],
        "moved": ["Title 3", "New name", "Title 2"],
        "status_changed": ["Title 2"],
        "edited": ["Title 2", "Title 4"],
    }
    assert changes["reordered"] is True
    assert [entry["by_s"] for entry in changes["moved"]] == [-20.0, 5.0, None]
    assert changes["renamed"][0]["before"] == "Title 1"
    assert changes["edited"][0]["columns"] == {"feature_id": [2, 22]}


def test_end_is_reported_only_if_set_by_hand() -> None:
    before = [row(1), row(2), row(3)]
    decided = compare_rows(before, [row(1, end_s=17.5), row(2), row(3)]).to_json()
    assert [entry["columns"] for entry in decided["edited"]] == [{"end_s": [20.0, 17.5]}]
    withdrawn = compare_rows([row(1, end_s=17.5), row(2), row(3)], before).to_json()
    assert [entry["columns"] for entry in withdrawn["edited"]] == [{"end_s": [17.5, 20.0]}]
    moved = compare_rows(before, [row(1, end_s=23.0), row(2, start_s=23.0), row(3)]).to_json()
    assert set(moved) == {"moved"}
    longer = compare_rows(before, [*before[:2], row(3, end_s=45.0)]).to_json()
    assert [entry["columns"] for entry in longer["edited"]] == [{"end_s": [40.0, 45.0]}]
    followed = compare_rows([*before[:2], row(3, end_s=99.0)], [*before, row(4)]).to_json()
    assert set(followed) == {"added"}


def test_equal_rows_give_no_change() -> None:
    rows = [row(1), row(2, feature_id=7), row(3, title="Title 1")]
    assert not compare_rows(rows, rows)
    assert compare_rows(rows, rows).to_json() == {}
