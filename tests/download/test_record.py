"""The record of fetched audio: repaired without the network, and kept with each previous version."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.project import Project
from pipeline.core.storage import dump_json
from pipeline.download.fetch_audio import download_audio
from pipeline.download.record import read_fields
from tests.support.faulty_server import Server, write_tone
from tests.support.project import FakeTranscriber, RecordingReporter, add_episode, done, run

REPAIRED = [("download", "data/raw/one/audio.json was changed from outside")]
VALUES = st.one_of(st.text(), st.integers(), st.lists(st.builds(lambda text: {"title": text}, st.text()), min_size=1))


def replace_field(name: str, by: bytes) -> Callable[[bytes], bytes]:
    """A corruption of the line of one field."""

    def corrupt(content: bytes) -> bytes:
        before, mark, after = content.partition(f'"{name}": '.encode())
        return before + mark + by + after[len(by) :]

    return corrupt


# The other stages take most of the time, and read only the digest.
download = partial(run, stages=("download",))


@pytest.fixture
def fetched(project: Project, transcriber: FakeTranscriber, faulty: Server) -> Project:
    """A project whose episode's audio came from a feed that no longer exists."""
    project.show.write_text(project.show.read_text() + "download: {pause: 0}\n")
    add_episode(project, "one", source=f"{faulty.url}/feed.xml")
    with project.episode("one").open("a") as settings:
        settings.write("entry: kite-0002\n")
    assert download(project, transcriber).exit_code == 0
    faulty.files.clear()
    return project


@pytest.mark.parametrize("name", ["file", "sha256", "duration", "source"])
def test_field_known_from_audio_is_restored_exactly(fetched: Project, transcriber: FakeTranscriber, name: str) -> None:
    record = fetched.raw("one") / "audio.json"
    before = record.read_bytes()
    record.write_bytes(replace_field(name, b"\xff")(before))
    notes = RecordingReporter()
    assert done(download(fetched, transcriber, offline=True, notes=notes)) == REPAIRED
    assert record.read_bytes() == before
    assert notes.warnings == []
    assert done(download(fetched, transcriber)) == []


def test_repair_runs_no_other_stage(fetched: Project, transcriber: FakeTranscriber) -> None:
    run(fetched, transcriber)
    (fetched.raw("one") / "audio.json").write_bytes(b"")
    assert done(run(fetched, transcriber)) == REPAIRED
    assert done(run(fetched, transcriber)) == []


@pytest.mark.parametrize(
    "corrupt",
    [lambda content: content[:300], lambda content: b"", replace_field("title", b"?"), lambda content: b"[" * 9000],
)
def test_record_repaired_in_part_is_kept_and_reported(
    fetched: Project, transcriber: FakeTranscriber, corrupt: Callable[[bytes], bytes]
) -> None:
    folder = fetched.raw("one")
    before = json.loads((folder / "audio.json").read_bytes())
    corrupted = corrupt((folder / "audio.json").read_bytes())
    (folder / "audio.json").write_bytes(corrupted)
    notes = RecordingReporter()
    assert done(download(fetched, transcriber, notes=notes)) == REPAIRED
    (warning,) = notes.warnings
    assert "kept as audio.json.damaged; `catalog download one --force` fetches the metadata again" in warning
    assert (folder / "audio.json.damaged").read_bytes() == corrupted
    after = json.loads((folder / "audio.json").read_bytes())
    assert {name: before[name] for name in after} == after
    assert done(download(fetched, transcriber)) == []


def test_corrupted_audio_is_not_used_for_repair(fetched: Project, transcriber: FakeTranscriber) -> None:
    record, audio = fetched.raw("one") / "audio.json", fetched.raw("one") / "audio.mp3"
    record.write_bytes(b"{")
    audio.write_bytes(audio.read_bytes()[:-1])
    (failure,) = download(fetched, transcriber).failures
    assert failure.stage == "download"
    assert record.read_bytes() == b"{"


def test_new_source_keeps_the_previous_version(
    fetched: Project, transcriber: FakeTranscriber, faulty: Server, media: Path
) -> None:
    folder = fetched.raw("one")
    old = (folder / "audio.mp3").read_bytes()
    (folder / "audio.json").write_bytes(b"{")
    faulty.put_folder(media)
    add_episode(fetched, "one", source=f"{faulty.url}/talk.webm")
    assert done(download(fetched, transcriber))[0][0] == "download"
    (kept,) = folder.glob("renditions/*/audio.mp3")
    assert kept.read_bytes() == old
    assert not (folder / "audio.json.damaged").exists()


def test_other_stage_names_the_one_that_repairs(fetched: Project, transcriber: FakeTranscriber) -> None:
    record = fetched.raw("one") / "audio.json"
    record.write_bytes(b"{")
    (failure,) = run(fetched, transcriber, stages=("transcribe",)).failures
    assert failure.error == f"{record} is damaged: run `catalog download one` to repair it"


def test_damaged_record_does_not_stop_other_episodes(fetched: Project, transcriber: FakeTranscriber) -> None:
    fetched.show.write_text(fetched.show.read_text() + "site_audio: copy\n")
    run(fetched, transcriber)
    add_episode(fetched, "two")
    (fetched.raw("one") / "audio.json").write_bytes(b"{")
    notes = RecordingReporter()
    result = run(fetched, transcriber, "two", notes=notes)
    assert result.exit_code == 0
    assert [path.name for path in fetched.site.glob("media/*")] == ["two.ogg"]
    assert any("one: the site has no audio of this episode" in warning for warning in notes.warnings)
    assert len(list(fetched.runs.glob("*.json"))) == 3


@given(st.dictionaries(st.from_regex(r"[a-z_]+", fullmatch=True), VALUES, min_size=1), st.data())
def test_every_intact_line_is_read(fields: dict[str, object], data: st.DataObject) -> None:
    assert read_fields(dump_json(fields).encode()) == fields
    name = data.draw(st.sampled_from(sorted(fields)))
    corrupted = dump_json({**fields, name: 0}).replace(f" {json.dumps(name)}: 0", ' "\x00')
    assert read_fields(corrupted.encode()) == {key: value for key, value in fields.items() if key != name}


def test_previous_version_is_kept_until_transcribed(project: Project, tmp_path: Path) -> None:
    first, second = (write_tone(tmp_path / f"{n}.mp3", "talk.mp3", 3.0, pitch=200.0 * n) for n in (1, 2))
    folder = project.raw("one")
    for source in (first, second, second):
        download_audio(str(source), folder, root=tmp_path, on_progress=lambda done, total: None)
    assert len(list((folder / "renditions").iterdir())) == 1
    (kept,) = (folder / "renditions").glob("*/audio.mp3")
    assert kept.read_bytes() == first.read_bytes()
