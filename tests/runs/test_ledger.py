"""The files of the ledger: written after a run, the same bytes each time, with every moment of an entry."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from pipeline.core.config import load_show
from pipeline.core.errors import InputError
from pipeline.core.project import Project
from pipeline.publish.dataset import read_rows
from pipeline.publish.ledger import LedgerRow
from pipeline.runs.ledger import add_unfound_rows, read_ledger
from tests.support.project import RecordingReporter, add_episode, done
from tests.support.releases import VERSIONS, add_release_episode, make_release_project, run_all, say, write_release

OLD, NEW = VERSIONS["v5.5"], VERSIONS["v5.6"]


def read(project: Project) -> tuple[LedgerRow, ...]:
    return read_ledger(project, load_show(project.show))


def moments(project: Project, feature_id: int | None) -> list[tuple[str | None, str | None]]:
    """Return episode and kind of each certain moment of an entry."""
    rows = [row for row in read(project) if row.feature_id == feature_id]
    return [(row.episode_id, row.kind) for row in rows if row.status != "review"]


def test_every_entry_is_in_the_ledger(released: Project) -> None:
    rows = read(released)
    assert Counter(version for version, _ in {(row.version, row.position) for row in rows}) == {
        "v5.5": 10,
        "v5.6": 10,
        "v5.7": 3,
    }
    assert moments(released, OLD[0].feature_id) == [("old", "discussion")]
    assert moments(released, NEW[1].feature_id) == [("both", "discussion")]
    first = next(row for row in rows if row.feature_id == OLD[0].feature_id)
    assert first.start_s is not None
    assert first.start_s == pytest.approx(25.0, abs=5.0)
    assert first.url == f"https://example.org/old#t={first.start_s:.0f}"


def test_entry_of_two_episodes_has_both_moments(released: Project) -> None:
    speech = say((OLD[0], NEW[8]))
    add_release_episode(released, "later", speech, "versions: v5.5..v5.6\npublished: 2026-12-01\n")
    run_all(released, "later")
    assert moments(released, OLD[0].feature_id) == [("old", "discussion"), ("later", "discussion")]
    assert moments(released, NEW[8].feature_id) == [("later", "discussion")]


def test_callback_is_a_mention(released: Project) -> None:
    speech = say((OLD[0],))
    begin = next(n for n, part in enumerate(speech.segments) if "next one" in part.text)
    called = replace(speech.segments[begin], text=f"As we said last week, {OLD[0].title.lower()}.")
    segments = (*speech.segments[:begin], called, *speech.segments[begin + 1 :])
    speech = replace(speech, segments=segments)
    add_release_episode(released, "later", speech, "versions: v5.5\npublished: 2026-12-01\n")
    run_all(released, "later")
    kinds = [(row.episode_id, row.kind) for row in read(released) if row.feature_id == OLD[0].feature_id]
    assert ("old", "discussion") in kinds
    assert ("later", "mention") in kinds


def test_typed_list_counts_for_the_ledger(released: Project) -> None:
    add_release_episode(released, "typed", say(NEW[7:9]), "features: typed.txt\npublished: 2026-12-01\n")
    lines = [f"{entry.title} | v5.6 #{entry.feature_id}\n" for entry in NEW[7:9]]
    (released.root / "typed.txt").write_text("Full feature review:\n" + "".join(lines))
    run_all(released, "typed")
    assert ("typed", "discussion") in moments(released, NEW[7].feature_id)


def test_second_run_writes_nothing(released: Project) -> None:
    before = {path: path.read_bytes() for path in (released.ledger, released.ledger_csv)}
    assert done(run_all(released)) == []
    times = [path.stat().st_mtime_ns for path in before]
    assert [path.stat().st_mtime_ns for path in before] == times
    released.ledger.unlink()
    assert released.ledger in run_all(released).written
    assert {path: path.read_bytes() for path in before} == before


def test_new_list_enters_the_ledger_without_episodes(tmp_path: Path) -> None:
    project = make_release_project(tmp_path)
    run_all(project)
    assert {row.status for row in read(project)} == {"not_yet"}
    assert len(read(project)) == 23


def test_changed_list_changes_the_ledger(released: Project) -> None:
    write_release(released, "v5.6", (replace(NEW[0], title="Renamed"), *NEW[1:9]))
    run_all(released)
    rows = read(released)
    assert {(row.title, row.episode_id) for row in rows if row.feature_id == NEW[0].feature_id} >= {("Renamed", "both")}
    assert NEW[9].feature_id not in {row.feature_id for row in rows}


def test_csv_equals_parquet_and_escapes_formulas(released: Project) -> None:
    write_release(released, "v5.7", (replace(VERSIONS["v5.7"][0], title='=cmd|calc, "quoted"'),))
    run_all(released)
    table = pd.read_parquet(released.ledger)
    text = pd.read_csv(released.ledger_csv, dtype=str, keep_default_na=False)
    assert list(text.columns) == list(table.columns)
    assert text["title"].iloc[-1] == '\'=cmd|calc, "quoted"'
    assert table["title"].iloc[-1] == '=cmd|calc, "quoted"'
    assert set(text.loc[text["status"] == "not_yet", "episode_id"]) == {""}


def test_parquet_describes_version_and_columns(released: Project) -> None:
    schema = pq.read_schema(released.ledger)
    assert schema.metadata[b"episode_catalog.schema_version"] == b"1"
    assert all(len(column.metadata[b"description"]) > 5 for column in schema)
    assert {str(schema.field(name).type) for name in ("position", "moment")} == {"int32"}
    assert schema.field("start_s").nullable
    assert not schema.field("version").nullable


def test_show_without_releases_has_no_ledger(project: Project) -> None:
    add_episode(project, "one")
    with pytest.raises(InputError, match="names no release lists: add them under `releases`"):
        read(project)


def test_damaged_ledger_names_the_remedy(released: Project) -> None:
    released.ledger.write_bytes(b"PAR1 nonsense")
    with pytest.raises(InputError, match="is damaged .*: remove it and run `catalog run --all`"):
        read(released)
    run_all(released)
    assert read(released)


def test_unreadable_list_leaves_ledger_as_it_was(released: Project) -> None:
    before = released.ledger.read_bytes()
    (released.root / "lists" / "v5.6.csv").write_text("nothing,here\n1,2\n")
    notes = RecordingReporter()
    run_all(released, "old", notes=notes)
    assert released.ledger.read_bytes() == before
    assert any(warning.startswith("ledger: the ledger is not up to date: ") for warning in notes.warnings)


def test_scores_count_entries_that_were_not_found(released: Project) -> None:
    rows = read_rows(released.dataset)
    complete = add_unfound_rows(released, rows)
    assert sorted(row.position for row in complete["old"]) == list(range(1, 11))
    assert {row.status for row in complete["old"][len(rows["old"]) :]} == {"not_found"}
