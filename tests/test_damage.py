"""The next plain run repairs a file that was corrupted after a run, or names it in one line.

benchmarks/damage.py does the same to every file, and has campaigns of colliding runs, wrong clocks and missing
permissions. This module runs a few rounds of each campaign, and tests the faults that they revealed.
"""

import json
import os
import random
from pathlib import Path

import pytest

from benchmarks.damage import WAYS, Campaign
from pipeline.core.project import Project
from pipeline.download.feature_lists import find_revision, refresh_revision
from tests.support.command import catalog
from tests.support.faulty_server import Server
from tests.support.project import FakeTranscriber, done, run, wait_for_another_time

# Fixed, so that a failure comes from a change of the code. Other seeds try other files and moments.
SEED = 2026


def flip(path: Path) -> bytes:
    """Flip a bit of a file and keep its modification time; return the previous content."""
    content, status = path.read_bytes(), path.stat()
    wait_for_another_time(path)
    at = len(content) // 2
    path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    return content


@pytest.mark.parametrize(
    "pattern",
    [
        "data/processed/*/one.parquet",
        "data/processed/catalog.csv",
        "data/processed/alignments/one.json",
        "data/processed/transcripts/one.json",
        "data/processed/history/one/*.json",
        "data/raw/one/features/*.txt",
        "data/processed/notes/one/show-notes.md",
        "data/processed/site/data/catalog.js",
    ],
)
def test_flipped_bit_is_repaired(aligned: Project, transcriber: FakeTranscriber, pattern: str) -> None:
    assert run(aligned, transcriber).exit_code == 0
    (path,) = aligned.root.glob(pattern)
    content = flip(path)
    assert run(aligned, transcriber).exit_code == 0
    assert path.read_bytes() == content


def test_flipped_digest_keeps_no_previous_version(aligned: Project, transcriber: FakeTranscriber) -> None:
    run(aligned, transcriber)
    record = aligned.raw("one") / "audio.json"
    content = record.read_text()
    digest = json.loads(content)["sha256"]
    record.write_text(content.replace(digest, f"{int(digest[0], 16) ^ 1:x}{digest[1:]}"))
    assert run(aligned, transcriber).exit_code == 0
    assert json.loads(record.read_text())["sha256"] == digest
    assert not (aligned.raw("one") / "renditions").exists()


def test_missing_history_state_is_written_again(aligned: Project, transcriber: FakeTranscriber) -> None:
    run(aligned, transcriber)
    (state,) = (aligned.history / "one").iterdir()
    content = state.read_bytes()
    state.unlink()
    assert run(aligned, transcriber).exit_code == 0
    assert state.read_bytes() == content
    assert done(run(aligned, transcriber)) == []


def test_damaged_old_state_is_reported_and_stops_nothing(aligned: Project, transcriber: FakeTranscriber) -> None:
    page = aligned.root / "one.txt"
    for word in ("night", "day"):
        page.write_text(page.read_text().replace("dark", word, 1))
        assert run(aligned, transcriber).exit_code == 0
    first = min((aligned.history / "one").iterdir())
    flip(first)
    page.write_text(page.read_text().replace("list", "table", 1))
    assert run(aligned, transcriber).exit_code == 0
    process = catalog("diff", "one", "--from", "1", "--to", "2", "--root", aligned.root)
    assert (process.returncode, process.stdout) == (1, "")
    assert f"{first} was damaged" in process.stderr.replace("\n", " ")


def test_damaged_previous_state_keeps_current_report(aligned: Project, transcriber: FakeTranscriber) -> None:
    run(aligned, transcriber)
    (state,) = (aligned.history / "one").iterdir()
    page = aligned.root / "one.txt"
    page.write_text(page.read_text().replace("dark", "night", 1))
    flip(state)
    result = run(aligned, transcriber)
    assert result.exit_code == 0
    assert any("its changes are unknown" in note for note in result.notes)
    assert "was damaged" in max(aligned.runs.glob("*.json")).read_text()


def test_damaged_list_copy_is_not_read(web_server: Server, tmp_path: Path) -> None:
    web_server.put("/list.txt", b"Sort invoices | v4.10 #500111\n", "text/plain")
    url = f"{web_server.url}/list.txt"
    kept = refresh_revision(url, tmp_path)
    assert find_revision(url, tmp_path) == kept
    flip(kept)
    assert find_revision(url, tmp_path) is None
    assert refresh_revision(url, tmp_path).read_bytes() == web_server.files["/list.txt"]
    flip(tmp_path / "latest.json")
    assert refresh_revision(url, tmp_path) == kept


@pytest.mark.parametrize("way", WAYS)
def test_short_campaign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    monkeypatch.setattr("pipeline.align.encoder.load_encoder", lambda language: None)
    campaign = Campaign(tmp_path, 2, SEED)
    for number in random.Random(SEED).sample(range(1000), 2):
        getattr(campaign, way)(number)
    assert campaign.problems == []
    assert campaign.outcomes["repaired"] + campaign.outcomes["reported"] == 2


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_campaign_over_twenty_episodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    monkeypatch.setattr("pipeline.align.encoder.load_encoder", lambda language: None)
    campaign = Campaign(tmp_path, 20, SEED)
    for number in random.Random(SEED).sample(range(1000), 20):
        getattr(campaign, way)(number)
    assert campaign.problems == []
