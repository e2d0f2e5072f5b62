"""The stage `download`."""

from pathlib import Path

from pipeline.core.project import Project
from tests.support.faulty_server import Server, write_feed
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


def test_number_that_names_another_entry_now_is_told(
    project: Project, transcriber: FakeTranscriber, faulty: Server
) -> None:
    feed = f"{faulty.url}/feed.xml"
    faulty.files["/feed.xml"] = write_feed(faulty.url)
    add_episode(project, "one", source=feed)
    settings = project.episode("one")
    settings.write_text(settings.read_text() + "entry: 2\n")
    assert run(project, transcriber, stages=("download",)).exit_code == 0
    before = (project.raw("one") / "audio.json").read_bytes()
    # The feed keeps the last entries only; its new season counts from 1 again.
    faulty.files["/feed.xml"] = write_feed(faulty.url).replace(b"kite-", b"gust-")
    (failure,) = run(project, transcriber, stages=("download",), force=True).failures
    assert failure.error is not None
    assert "'2' of " in failure.error
    assert "was the entry kite-0002 and is gust-0002 now: name the guid of the right one" in failure.error
    assert (project.raw("one") / "audio.json").read_bytes() == before
    settings.write_text(settings.read_text().replace("entry: 2", "entry: gust-0002"))
    assert run(project, transcriber, stages=("download",)).exit_code == 0
