"""Gold files: true starts are paired with the entries that they are about, and strange ones are told."""

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.errors import InputError
from pipeline.publish.gold import load_gold
from tests.support.rows import SCORED_ROWS as ROWS

DARK, MAPS = (replace(row, feature_id=None, feature_key=None) for row in ROWS[:2])
BARE = (replace(DARK, title="Dark theme in the app"), replace(MAPS, title="Maps of all branches"))


def write(folder: Path, *records: Mapping[str, Any]) -> Path:
    path = folder / "gold.json"
    path.write_text(json.dumps({"features": records}))
    return path


def test_entry_is_paired_by_id_else_position(tmp_path: Path) -> None:
    gold = write(
        tmp_path,
        {"id": 500_002, "start_s": 5.0},
        {"index": 0, "start_s": 1.0},
        {"index": 6, "id": None, "start_s": None},
    )
    assert load_gold(gold, ROWS) == {2: 5.0, 1: 1.0, 7: None}


def test_feature_list_with_times_is_gold_file(tmp_path: Path) -> None:
    gold = tmp_path / "gold.txt"
    gold.write_text("A | v4.10 #500002 | 1:38\nB | v4.10 #500001\n")
    assert load_gold(gold, ROWS) == {2: 98.0, 1: None}


def test_list_without_ids_is_paired_by_title(tmp_path: Path) -> None:
    gold = tmp_path / "gold.txt"
    gold.write_text("Full feature review:\n- Maps of all branches! | 0:07\n- Dark theme in the app | 1:38\n")
    assert load_gold(gold, BARE) == {2: 7.0, 1: 98.0}


def test_further_entries_shift_no_other(tmp_path: Path) -> None:
    messages: list[str] = []
    gold = write(
        tmp_path,
        {"title": "An entry that is not in the list", "start_s": 1.0},
        {"title": "Another one of some other page", "start_s": 2.0},
        {"title": "Dark theme in the app", "start_s": 30.0},
        {"title": "Map of all the branches", "index": 1, "start_s": 60.0},
    )
    assert load_gold(gold, BARE, messages.append) == {1: 30.0, 2: 60.0}
    (message,) = messages
    assert (
        "2 of 4 entries fit no entry of the list, or one twice: An entry that is not in the list; Another one"
        in message
    )


def test_id_that_is_not_in_the_list_is_not_paired_by_position(tmp_path: Path) -> None:
    messages: list[str] = []
    gold = write(tmp_path, {"id": 111, "start_s": 1.0}, {"id": 500_002, "start_s": 2.0})
    assert load_gold(gold, ROWS, messages.append) == {2: 2.0}
    assert "1 of 2 entries fit no entry of the list, or one twice: 111" in messages[0]


def test_no_entry_is_paired_twice(tmp_path: Path) -> None:
    messages: list[str] = []
    gold = write(tmp_path, {"id": 500_001, "start_s": 1.0}, {"id": 500_001, "start_s": 9.0})
    assert load_gold(gold, ROWS, messages.append) == {1: 1.0}
    assert len(messages) == 1


def test_gold_file_of_another_episode_is_refused(tmp_path: Path) -> None:
    gold = write(tmp_path, {"id": 1, "start_s": 1.0}, {"title": "Elsewhere", "start_s": 2.0})
    with pytest.raises(InputError, match=r"no entry of .*gold\.json is in the episode's list"):
        load_gold(gold, ROWS)


def test_entries_of_one_title_are_told_apart_by_place(tmp_path: Path) -> None:
    same = tuple(replace(row, title="Gamma mode") for row in BARE)
    records = ({"title": "Gamma mode", "start_s": 5.0, "position": n} for n in (1, 2))
    assert load_gold(write(tmp_path, *records), same) == {1: 5.0, 2: 5.0}
    backwards = ({"title": "Gamma mode", "start_s": float(n), "position": n} for n in (2, 1))
    assert load_gold(write(tmp_path, *backwards), same) == {1: 1.0, 2: 2.0}


def test_titles_without_letters_match_no_entry_without_title(tmp_path: Path) -> None:
    rows = (BARE[0], replace(BARE[1], title="—"))
    gold = write(tmp_path, {"index": 0, "start_s": 5.0}, {"index": 1, "start_s": 6.0})
    assert load_gold(gold, rows) == {1: 5.0, 2: 6.0}


@pytest.mark.parametrize(
    "record",
    [
        *(
            {"id": 500_001},
            {"id": 500_001, "start": 5},
            {"id": 500_001, "start_s": -4},
            {"id": 500_001, "start_s": True},
        ),
        *({"index": True, "start_s": 1.0}, {"index": "0", "start_s": 1.0}, {"id": 500_001.0, "start_s": 1.0}),
        *({"id": 500_001, "start_s": math.nan}, {"index": math.inf, "start_s": 1.0}, {"id": 1, "start_s": 10**400}),
        {"title": ["Dark"], "start_s": 1.0},
    ],
)
def test_entry_that_is_no_true_start_is_refused(tmp_path: Path, record: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"gold\.json cannot be read \(entry 2 ") as raised:
        load_gold(write(tmp_path, {"id": 500_002, "start_s": 1.0}, record), ROWS)
    assert "\n" not in str(raised.value)


def test_deep_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "gold.json").write_text("[" * 200_000)
    with pytest.raises(InputError, match="cannot be read"):
        load_gold(tmp_path / "gold.json", ROWS)


@pytest.mark.parametrize("content", ["", "[]", '{"features": [1]}', '{"features": [{"start_s": "soon"}]}'])
def test_other_file_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "gold.json").write_text(content)
    with pytest.raises(InputError, match=r"the gold file .*gold\.json cannot be read"):
        load_gold(tmp_path / "gold.json", ROWS)
