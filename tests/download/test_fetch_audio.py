"""Audio from a file, a URL or a feed: complete and checked, or refused. yt-dlp is the real one."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.config import DownloadConfig
from pipeline.core.errors import InputError
from pipeline.core.project import Project
from pipeline.core.urls import redact_url
from pipeline.download.fetch_audio import download_audio, find_source_file, make_fetch_policy
from pipeline.download.record import Audio, read_audio
from pipeline.download.retry import FetchPolicy
from pipeline.runs.result import RunResult
from pipeline.runs.workflow import run_stages
from tests.support.faulty_server import Handler, Server, cut_and_go_down, respond, serve, write_feed
from tests.support.project import DEMO_AUDIO, REPOSITORY, FakeTranscriber, RecordingReporter, add_episode

DEMO_SECONDS = 322.0


def fetch(
    source: str, folder: Path, root: Path = REPOSITORY, *, policy: FetchPolicy | None = None, **more: Any
) -> Audio:
    policy = policy or FetchPolicy(retries=1, first_wait=0.01)
    return download_audio(source, folder, root=root, policy=policy, on_progress=lambda done, total: None, **more)


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_local_file_is_stored_with_its_record(tmp_path: Path) -> None:
    audio = fetch("demo/audio.ogg", tmp_path)
    assert audio.path.read_bytes() == DEMO_AUDIO.read_bytes()
    assert audio.duration == pytest.approx(DEMO_SECONDS, abs=0.5)
    assert read_audio(tmp_path) == audio
    assert files_in(tmp_path) == {"audio.ogg", "audio.json"}


def test_second_fetch_changes_nothing(tmp_path: Path) -> None:
    assert fetch("demo/audio.ogg", tmp_path) == fetch("demo/audio.ogg", tmp_path)
    assert files_in(tmp_path) == {"audio.ogg", "audio.json"}


def test_url_is_fetched_by_ytdlp(tmp_path: Path, web_server: Server) -> None:
    web_server.put("/talk.ogg", DEMO_AUDIO.read_bytes(), "audio/ogg")
    progress: list[tuple[float, float]] = []
    audio = download_audio(
        f"{web_server.url}/talk.ogg",
        tmp_path,
        root=REPOSITORY,
        on_progress=lambda done, total: progress.append((done, total)),
    )
    assert audio.path.read_bytes() == DEMO_AUDIO.read_bytes()
    assert progress[-1] == (DEMO_AUDIO.stat().st_size, DEMO_AUDIO.stat().st_size)
    assert files_in(tmp_path) == {audio.path.name, "audio.json"}


def test_another_source_replaces_the_audio(tmp_path: Path, web_server: Server) -> None:
    own = tmp_path / "own.oga"
    own.write_bytes(DEMO_AUDIO.read_bytes())
    folder = tmp_path / "raw"
    fetch(str(own), folder)
    fetch("demo/audio.ogg", folder)
    assert files_in(folder) == {"audio.ogg", "audio.json"}


@pytest.mark.parametrize(
    ("path", "kind", "body"),
    [
        ("/gone.mp3", "", b""),
        ("/page.mp3", "text/html", b"<html><title>Sign in</title><p>Please sign in.</p></html>"),
        ("/empty.mp3", "audio/mpeg", b""),
        ("/noise.mp3", "audio/mpeg", b"this is no sound at all " * 200),
    ],
)
def test_content_without_audio_leaves_no_file(
    tmp_path: Path, web_server: Server, path: str, kind: str, body: bytes
) -> None:
    if kind:
        web_server.put(path, body, kind)
    with pytest.raises(InputError) as raised:
        fetch(f"{web_server.url}{path}", tmp_path)
    assert "\n" not in str(raised.value)
    assert not list(tmp_path.glob("audio.*"))


def test_failed_fetch_keeps_the_previous_audio(tmp_path: Path, web_server: Server) -> None:
    before = fetch("demo/audio.ogg", tmp_path)
    with pytest.raises(InputError, match="does not exist"):
        fetch(f"{web_server.url}/gone.mp3", tmp_path)
    assert read_audio(tmp_path) == before
    assert before.path.read_bytes() == DEMO_AUDIO.read_bytes()


@pytest.mark.parametrize("name", ["empty.mp3", "text.mp3"])
def test_local_file_without_sound_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty.mp3").write_bytes(b"")
    (tmp_path / "text.mp3").write_text("not audio")
    with pytest.raises(InputError, match=name):
        fetch(name, tmp_path / "raw", root=tmp_path)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere.mp3 does not exist: correct `source`"):
        find_source_file("nowhere.mp3", tmp_path)


@pytest.mark.parametrize("source", ["ftp://example.org/a.mp3", "file:///etc/passwd", "javascript://x"])
def test_source_is_a_file_or_web_url(tmp_path: Path, source: str) -> None:
    with pytest.raises(InputError, match="neither a file nor an http"):
        find_source_file(source, tmp_path)


def test_offline_fetches_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is on the network: run again without --offline"):
        fetch("https://example.org/a.mp3", tmp_path, offline=True)


def test_record_holds_no_secret_of_url(tmp_path: Path, web_server: Server) -> None:
    web_server.put("/talk.ogg", DEMO_AUDIO.read_bytes(), "audio/ogg")
    fetch(f"{web_server.url}/talk.ogg?episode=7&token=hush", tmp_path)
    source = json.loads((tmp_path / "audio.json").read_text())["source"]
    assert source == f"{web_server.url}/talk.ogg?episode=7&token=***"


FEEDS = [("2", "kite-0002"), ("kite-0003", "kite-0003"), ("Episode 1: kites & wind", "kite-0001")]


@pytest.mark.parametrize(("entry", "guid"), FEEDS)
def test_entry_of_feed_has_its_metadata(tmp_path: Path, faulty: Server, entry: str, guid: str) -> None:
    audio = fetch(f"{faulty.url}/feed.xml", tmp_path, entry=entry)
    assert audio.path.read_bytes() == faulty.files["/talk.mp3"]
    record = json.loads((tmp_path / "audio.json").read_text())
    assert (record["entry"], record["title"]) == (guid, f"Episode {guid[-1]}: kites & wind")
    assert record["chapters"] == [{"start": 5.0, "title": "Sorting"}]
    assert record["description_times"][1] == {"start": 11.0, "title": "Dark theme"}
    assert record["stated_duration"] == 20.0
    assert record["fetched"].endswith("Z")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["audio.json", "audio.mp3"]


def test_feed_may_be_a_file(tmp_path: Path, faulty: Server) -> None:
    (tmp_path / "feed.xml").write_bytes(faulty.files["/feed.xml"])
    audio = fetch("feed.xml", tmp_path / "raw", tmp_path, entry="2", policy=FetchPolicy(allow_private=True))
    assert audio.path.read_bytes() == faulty.files["/talk.mp3"]


@pytest.mark.parametrize("audio", ["http://127.0.0.1:9/a.mp3", "http://192.168.0.1/a.mp3", "http://localhost:9/a.mp3"])
def test_feed_with_private_address_is_refused(tmp_path: Path, faulty: Server, audio: str) -> None:
    faulty.files["/feed.xml"] = write_feed(faulty.url, audio)
    with pytest.raises(InputError, match="leads to the private address"):
        fetch(f"{faulty.url}/feed.xml", tmp_path, entry="2")
    assert not list(tmp_path.iterdir())


def test_setting_allows_private_address_in_feed(project: Project, transcriber: FakeTranscriber, faulty: Server) -> None:
    with serve(Server(files={"/talk.mp3": faulty.files["/talk.mp3"]})) as inner:
        faulty.files["/feed.xml"] = write_feed(faulty.url, f"{inner.url}/talk.mp3")
        add_episode(project, "one", source=f"{faulty.url}/feed.xml")
        settings = project.episode("one")
        settings.write_text(f"{settings.read_text()}entry: 2\n")

        def run() -> RunResult:
            return run_stages(
                project, ["one"], ("download",), transcriber=lambda show: transcriber, reporter=RecordingReporter()
            )

        (refused,) = run().failures
        assert "leads to the private address 127.0.0.1" in str(refused.error)
        assert inner.requests == []
        allowed = f"{project.show.read_text()}download: {{allow_private_addresses: true, pause: 0}}\n"
        project.show.write_text(allowed)
        assert run().failures == []


def test_fetch_policy_follows_the_settings(tmp_path: Path) -> None:
    settings = DownloadConfig(
        max_megabytes=2, max_minutes=3, pause=0, retries=4, cookies="jar.txt", allow_private_addresses=True
    )
    policy = make_fetch_policy(settings, tmp_path)
    assert (policy.max_bytes, policy.max_seconds, policy.retries) == (2 << 20, 180.0, 4)
    assert (policy.cookies, policy.allow_private) == (tmp_path / "jar.txt", True)


@pytest.mark.parametrize("audio", ["file:///etc/passwd", "ftp://example.org/a.mp3"])
def test_feed_with_other_scheme_is_refused(tmp_path: Path, faulty: Server, audio: str) -> None:
    faulty.files["/feed.xml"] = write_feed(faulty.url, audio)
    with pytest.raises(InputError, match="neither a file nor an http"):
        fetch(f"{faulty.url}/feed.xml", tmp_path, entry="2")


def test_publisher_metadata_moves_no_start(project: Project, transcriber: FakeTranscriber) -> None:
    """Chapters and times are stored for comparison; see also the import rules in pyproject.toml."""
    add_episode(project, "one")
    stages = ("download", "transcribe", "align", "publish")

    def run() -> tuple[bytes, bytes]:
        options = {"transcriber": lambda show: transcriber, "reporter": RecordingReporter()}
        assert run_stages(project, ["one"], stages, **options).exit_code == 0  # type: ignore[arg-type]
        return project.alignment("one").read_bytes(), project.catalog("one").read_bytes()

    before = run()
    record = json.loads((project.raw("one") / "audio.json").read_text())
    record["chapters"] = [{"start": 1.0, "title": "Invoices can be sorted by due date"}]
    record["description_times"] = [{"start": 2.0, "title": "Added a dark theme to the mobile app"}]
    (project.raw("one") / "audio.json").write_text(json.dumps(record))
    for path in (project.alignment("one"), project.catalog("one")):
        path.unlink()
    assert run() == before


@pytest.mark.parametrize("name", ["talk.mp3", "talk.m4a", "talk.webm"])
def test_truncated_file_on_server_is_refused(tmp_path: Path, faulty: Server, name: str) -> None:
    faulty.files[f"/{name}"] = faulty.files[f"/{name}"][:70_000]
    with pytest.raises(InputError, match="is cut off: 0:0. of sound where the file itself states 0:20"):
        fetch(f"{faulty.url}/{name}", tmp_path)
    assert not list(tmp_path.iterdir())


def test_stream_shorter_than_duration_is_refused(tmp_path: Path, faulty: Server) -> None:
    with pytest.raises(InputError, match="0:20 of sound where `duration` .* is 1:00: .*correct `duration`"):
        fetch(f"{faulty.url}/index.m3u8", tmp_path, duration=60.0)


def test_sign_in_page_after_partial_file_is_refused(tmp_path: Path, faulty: Server) -> None:
    page = b"<!DOCTYPE html><html><title>Sign in</title></html>"
    seen: list[str] = []

    def sign_out(handler: Handler) -> bool:
        seen.append(handler.path)
        if len(seen) <= 2:
            handler.send_file("/talk.mp3", cut=5_000)
            return True
        return respond(200, {"Content-Type": "audio/mpeg"}, page)(handler)

    faulty.fail("/talk.mp3", sign_out)
    with pytest.raises(InputError, match="is a web page, not audio"):
        fetch(f"{faulty.url}/talk.mp3", tmp_path)
    assert not list(tmp_path.iterdir())


def test_title_is_not_in_file_names(tmp_path: Path, faulty: Server) -> None:
    faulty.files["/feed.xml"] = write_feed(faulty.url).replace(b"Episode 2: kites", b"../../evil $(touch x)")
    fetch(f"{faulty.url}/feed.xml", tmp_path / "raw %(title)s", entry="kite-0002")
    assert {path.name for path in tmp_path.rglob("*")} == {"raw %(title)s", "audio.mp3", "audio.json"}


def test_record_and_errors_hold_no_secret(tmp_path: Path, faulty: Server) -> None:
    feed = faulty.files["/feed.xml"]
    secret = feed.replace(b"?episode=", b"?token=hush&amp;episode=").replace(
        b"Notes.", b"https://a:hush@b.org/?key=hush"
    )
    faulty.files["/private/hush-hush/feed.xml"] = secret
    fetch(f"{faulty.url}/private/hush-hush/feed.xml?auth=hush", tmp_path, entry="2")
    assert "hush" not in (tmp_path / "audio.json").read_text()
    faulty.faults["/talk.mp3"] = respond(403)
    with pytest.raises(InputError) as raised:
        fetch(f"{faulty.url}/private/hush-hush/feed.xml?auth=hush", tmp_path, entry="2")
    assert "hush" not in str(raised.value)


def test_partial_files_of_sources_stay_apart(tmp_path: Path, faulty: Server) -> None:
    """A partial file of one source is never continued with another."""
    faulty.fail("/talk.mp3", cut_and_go_down(5_000))
    for source in ("talk.mp3?n=1", "talk.mp3?n=2"):
        with pytest.raises(InputError):
            fetch(f"{faulty.url}/{source}", tmp_path)
    faulty.faults.clear()
    assert fetch(f"{faulty.url}/talk.m4a", tmp_path).path.read_bytes() == faulty.files["/talk.m4a"]
    assert files_in(tmp_path) == {"audio.m4a", "audio.json"}


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("demo/audio.ogg", "demo/audio.ogg"),
        ("https://ann:pw@example.org/a?v=1", "https://example.org/a?v=1"),
        ("https://example.org/private/0123456789/feed.rss", "https://example.org/private/***/feed.rss"),
        ("https://example.org/keynote/episode-12.mp3", "https://example.org/keynote/episode-12.mp3"),
        ("https://[broken", "https://***"),
        ("https://example.org/a?X-Amz-Signature=ab&v=1", "https://example.org/a?X-Amz-Signature=***&v=1"),
    ],
)
def test_url_is_redacted(source: str, shown: str) -> None:
    assert redact_url(source) == shown
