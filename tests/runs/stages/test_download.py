"""The stage `download`."""

from pathlib import Path

from pipeline.core.project import Project
from tests.support.project import (
    DEMO_AUDIO,
    FakeTranscriber,
    add_episode,
    run,
)


def test_secrets_of_urls_are_not_recorded(project: Project, transcriber: FakeTranscriber) -> None:
    add_episode(project, "one", source="http://127.0.0.1:9/talk.mp3?token=hush")
    project.show.write_text(project.show.read_text() + "download: {retries: 0}\n")
    run(project, transcriber)
    kept = [path for path in project.root.rglob("*") if path.is_file() and b"hush" in path.read_bytes()]
    assert kept == [project.episode("one")]


def test_audio_is_linked_where_possible(project: Project, transcriber: FakeTranscriber, tmp_path: Path) -> None:
    own = tmp_path / "talk.ogg"
    own.write_bytes(DEMO_AUDIO.read_bytes())
    add_episode(project, "one", source="talk.ogg")
    run(project, transcriber, stages=("download",))
    assert (project.raw("one") / "audio.ogg").samefile(own)
