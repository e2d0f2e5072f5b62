"""Audio comes from a file or an address, whole and checked, or not at all. yt-dlp is the real one."""

import json
from pathlib import Path

import pytest
from conftest import DEMO_AUDIO, REPOSITORY, MediaServer

from pipeline.addresses import without_secrets
from pipeline.download import Audio, download_audio, find_source, read_audio
from pipeline.errors import InputError

# yt-dlp leaves a page's connection to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning")

DEMO_SECONDS = 322.0


def fetch(source: str, folder: Path, root: Path = REPOSITORY, *, offline: bool = False) -> Audio:
    return download_audio(source, folder, root=root, offline=offline, on_progress=lambda done, total: None)


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_local_file_is_kept_beside_what_is_known_of_it(tmp_path: Path) -> None:
    audio = fetch("demo/audio.ogg", tmp_path)
    assert audio.path.read_bytes() == DEMO_AUDIO.read_bytes()
    assert audio.duration == pytest.approx(DEMO_SECONDS, abs=0.5)
    assert read_audio(tmp_path) == audio
    assert files_in(tmp_path) == {"audio.ogg", "audio.json"}


def test_fetching_again_changes_nothing(tmp_path: Path) -> None:
    assert fetch("demo/audio.ogg", tmp_path) == fetch("demo/audio.ogg", tmp_path)
    assert files_in(tmp_path) == {"audio.ogg", "audio.json"}


def test_an_address_is_fetched_by_yt_dlp(tmp_path: Path, media_server: MediaServer) -> None:
    media_server.pages["/talk.ogg"] = ("audio/ogg", DEMO_AUDIO.read_bytes())
    seen: list[tuple[float, float]] = []
    audio = download_audio(
        f"{media_server.address}/talk.ogg",
        tmp_path,
        root=REPOSITORY,
        on_progress=lambda done, total: seen.append((done, total)),
    )
    assert audio.path.read_bytes() == DEMO_AUDIO.read_bytes()
    assert seen[-1] == (DEMO_AUDIO.stat().st_size, DEMO_AUDIO.stat().st_size)
    assert files_in(tmp_path) == {audio.path.name, "audio.json"}


def test_another_source_takes_the_place_of_the_first(tmp_path: Path, media_server: MediaServer) -> None:
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
def test_what_is_no_audio_is_refused_and_leaves_none(
    tmp_path: Path, media_server: MediaServer, path: str, kind: str, body: bytes
) -> None:
    if kind:
        media_server.pages[path] = (kind, body)
    with pytest.raises(InputError) as raised:
        fetch(f"{media_server.address}{path}", tmp_path)
    assert "\n" not in str(raised.value)
    assert not list(tmp_path.glob("audio.*"))


def test_a_failed_fetch_leaves_the_audio_of_before(tmp_path: Path, media_server: MediaServer) -> None:
    before = fetch("demo/audio.ogg", tmp_path)
    with pytest.raises(InputError, match="nothing is there"):
        fetch(f"{media_server.address}/gone.mp3", tmp_path)
    assert read_audio(tmp_path) == before
    assert before.path.read_bytes() == DEMO_AUDIO.read_bytes()


@pytest.mark.parametrize("name", ["empty.mp3", "text.mp3"])
def test_a_local_file_without_sound_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty.mp3").write_bytes(b"")
    (tmp_path / "text.mp3").write_text("not audio")
    with pytest.raises(InputError, match=name):
        fetch(name, tmp_path / "raw", root=tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere.mp3 is not there: correct `source`"):
        find_source("nowhere.mp3", tmp_path)


@pytest.mark.parametrize("source", ["ftp://example.org/a.mp3", "file:///etc/passwd", "javascript://x"])
def test_only_files_and_web_addresses_are_sources(tmp_path: Path, source: str) -> None:
    with pytest.raises(InputError, match="neither a file nor an http"):
        find_source(source, tmp_path)


def test_offline_asks_nobody(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--offline forbids"):
        fetch("https://example.org/a.mp3", tmp_path, offline=True)


def test_secrets_of_an_address_are_not_written_down(tmp_path: Path, media_server: MediaServer) -> None:
    media_server.pages["/talk.ogg"] = ("audio/ogg", DEMO_AUDIO.read_bytes())
    fetch(f"{media_server.address}/talk.ogg?episode=7&token=hush", tmp_path)
    source = json.loads((tmp_path / "audio.json").read_text())["source"]
    assert source == f"{media_server.address}/talk.ogg?episode=7&token=***"


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("demo/audio.ogg", "demo/audio.ogg"),
        ("https://ann:pw@example.org/a?v=1", "https://example.org/a?v=1"),
        ("https://example.org/a?X-Amz-Signature=ab&v=1", "https://example.org/a?X-Amz-Signature=***&v=1"),
    ],
)
def test_an_address_is_shown_without_its_secrets(source: str, shown: str) -> None:
    assert without_secrets(source) == shown
