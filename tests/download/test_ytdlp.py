"""The real yt-dlp against a server with faults on demand."""

import hashlib
import resource
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yt_dlp

from pipeline.core.errors import InputError
from pipeline.download import ytdlp
from pipeline.download.retry import FetchPolicy, TransientError
from pipeline.download.ytdlp import _OPTIONS, FORMAT, fetch_media, list_playlist
from tests.support.faulty_server import (
    TRICKLE_S,
    Server,
    cut,
    cut_and_go_down,
    cut_at_random,
    redirect,
    respond,
    stall,
    trickle,
    write_tone,
)

QUICK = FetchPolicy(retries=2, first_wait=0.01)


def fetch(url: str, folder: Path, policy: FetchPolicy = QUICK) -> Path:
    return fetch_media(url, folder, policy, lambda done, total: None)[0]


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("name", ["talk.mp3", "talk.m4a", "talk.webm"])
def test_media_file_is_fetched_unchanged(tmp_path: Path, faulty: Server, name: str) -> None:
    path = fetch(f"{faulty.url}/{name}", tmp_path)
    assert path.read_bytes() == faulty.files[f"/{name}"]


def test_stream_is_joined_without_ffmpeg(tmp_path: Path, faulty: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    path = fetch(f"{faulty.url}/index.m3u8", tmp_path)
    pieces = sorted(name for name in faulty.files if name.endswith(".ts"))
    assert path.read_bytes() == b"".join(faulty.files[name] for name in pieces)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1])
def test_download_cut_thirty_times_is_complete(tmp_path: Path, faulty: Server, seed: int) -> None:
    faulty.fail("/talk.mp3", cut_at_random(seed, 30))
    path = fetch(f"{faulty.url}/talk.mp3", tmp_path, FetchPolicy(first_wait=0.001))
    assert digest(path.read_bytes()) == digest(faulty.files["/talk.mp3"])
    assert sum("Range" in headers for _, headers in faulty.requests) > 30


def test_later_run_continues_the_partial_file(tmp_path: Path, faulty: Server) -> None:
    faulty.fail("/talk.mp3", cut_and_go_down(5_000))
    with pytest.raises(TransientError, match="the server has a problem of its own"):
        fetch(f"{faulty.url}/talk.mp3", tmp_path, FetchPolicy(retries=0, first_wait=0.01))
    kept = (tmp_path / "audio.mp3.part").stat().st_size
    assert kept > 1_000
    faulty.faults.clear()
    faulty.requests.clear()
    path = fetch(f"{faulty.url}/talk.mp3", tmp_path)
    assert path.read_bytes() == faulty.files["/talk.mp3"]
    assert [headers["Range"] for _, headers in faulty.requests if "Range" in headers] == [f"bytes={kept}-"]


@pytest.mark.parametrize("has_etag", [True, False])
def test_partial_file_of_another_revision_is_dropped(tmp_path: Path, faulty: Server, has_etag: bool) -> None:
    """A changed ETag, or else a changed length, starts the fetch again."""
    other = write_tone(tmp_path / "other.mp3", "talk.mp3", 20.0 if has_etag else 15.0, pitch=330.0).read_bytes()
    if has_etag:
        faulty.etags["/talk.mp3"] = '"first"'
    faulty.fail("/talk.mp3", cut_and_go_down(5_000))
    with pytest.raises(TransientError):
        fetch(f"{faulty.url}/talk.mp3", tmp_path / "raw", FetchPolicy(retries=0, first_wait=0.01))
    faulty.faults.clear()
    faulty.files["/talk.mp3"] = other
    if has_etag:
        faulty.etags["/talk.mp3"] = '"second"'
    assert fetch(f"{faulty.url}/talk.mp3", tmp_path / "raw").read_bytes() == other


def test_partial_file_with_corrupted_validators_is_dropped(tmp_path: Path, faulty: Server) -> None:
    faulty.fail("/talk.mp3", cut_and_go_down(5_000))
    with pytest.raises(TransientError):
        fetch(f"{faulty.url}/talk.mp3", tmp_path, FetchPolicy(retries=0, first_wait=0.01))
    faulty.faults.clear()
    (tmp_path / "marks.json").write_bytes((tmp_path / "marks.json").read_bytes()[:10])
    assert fetch(f"{faulty.url}/talk.mp3", tmp_path).read_bytes() == faulty.files["/talk.mp3"]


def test_server_without_ranges_sends_whole_file(tmp_path: Path, faulty: Server) -> None:
    faulty.ranges = False
    faulty.fail("/talk.mp3", cut(5_000), times=2)
    assert fetch(f"{faulty.url}/talk.mp3", tmp_path).read_bytes() == faulty.files["/talk.mp3"]


def test_partial_file_longer_than_file_is_dropped(tmp_path: Path, faulty: Server) -> None:
    """yt-dlp alone would take the server's 416 for the end of the file."""
    (tmp_path / "audio.mp3.part").write_bytes(b"x" * 500_000)
    assert fetch(f"{faulty.url}/talk.mp3", tmp_path).read_bytes() == faulty.files["/talk.mp3"]


@pytest.mark.parametrize(("status", "requests"), [(403, 1), (404, 1), (410, 1), (429, 3), (500, 3), (503, 3)])
def test_only_transient_statuses_are_retried(tmp_path: Path, faulty: Server, status: int, requests: int) -> None:
    faulty.fail("/talk.mp3", respond(status))
    with pytest.raises(InputError):
        fetch(f"{faulty.url}/talk.mp3", tmp_path)
    assert faulty.request_counts["/talk.mp3"] == requests


def test_server_that_recovers_is_retried(tmp_path: Path, faulty: Server) -> None:
    faulty.fail("/talk.mp3", respond(503, {"Retry-After": "0"}), times=2)
    assert fetch(f"{faulty.url}/talk.mp3", tmp_path).read_bytes() == faulty.files["/talk.mp3"]


def test_missing_fragment_is_an_error(tmp_path: Path, faulty: Server) -> None:
    faulty.fail("/index3.ts", respond(404))
    with pytest.raises(InputError, match="a fragment of the stream is missing"):
        fetch(f"{faulty.url}/index.m3u8", tmp_path)
    faulty.faults.clear()
    faulty.request_counts.clear()
    fetch(f"{faulty.url}/index.m3u8", tmp_path)
    assert faulty.request_counts["/index0.ts"] == 0  # it continues with the missing fragment
    assert faulty.request_counts["/index3.ts"] == 1


def test_silent_server_times_out(tmp_path: Path, faulty: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_OPTIONS, "socket_timeout", 0.3)
    faulty.fail("/talk.mp3", stall)
    with pytest.raises(TransientError, match="does not answer in time"):
        fetch(f"{faulty.url}/talk.mp3", tmp_path, FetchPolicy(retries=1, first_wait=0.01))


def test_file_above_max_bytes_is_refused(tmp_path: Path, faulty: Server) -> None:
    with pytest.raises(InputError, match="larger than 0 MB.*`max_megabytes`"):
        fetch(f"{faulty.url}/talk.mp3", tmp_path, FetchPolicy(max_bytes=50_000))
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 50_000


def test_fetch_above_max_seconds_is_stopped(tmp_path: Path, faulty: Server) -> None:
    with pytest.raises(InputError, match="takes longer than 0 minutes.*`max_minutes`"):
        fetch(f"{faulty.url}/talk.mp3", tmp_path, FetchPolicy(max_seconds=0.0))


def test_trickling_server_is_left_at_the_limit(tmp_path: Path, faulty: Server) -> None:
    faulty.fail("/talk.mp3", trickle)
    began = time.monotonic()
    with pytest.raises(InputError, match="takes longer than"):
        fetch(f"{faulty.url}/talk.mp3", tmp_path, FetchPolicy(max_seconds=0.5))
    assert time.monotonic() - began < TRICKLE_S * 0.9


def test_page_above_max_bytes_is_refused(tmp_path: Path, faulty: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ytdlp, "_open", partial(ytdlp._open, max_bytes=10_000))
    faulty.files["/page.html"] = b"<html>" + b"<p>more</p>" * 2_000
    with pytest.raises(InputError, match="is larger than"):
        fetch(f"{faulty.url}/page.html", tmp_path)


def test_full_disk_leaves_a_partial_file(tmp_path: Path, faulty: Server) -> None:
    """A limit on file size replaces the full disk: the same write fails."""
    code = (
        "import sys; from pathlib import Path; from pipeline.download.ytdlp import fetch_media\n"
        "from pipeline.download.retry import FetchPolicy\n"
        "fetch_media(sys.argv[1], Path(sys.argv[2]), FetchPolicy(retries=0), lambda done, total: None)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, f"{faulty.url}/talk.mp3", str(tmp_path)],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000)),
    )
    assert ended.returncode == 1
    assert "the disk is full: free some space and run again" in ended.stderr
    assert 0 < (tmp_path / "audio.mp3.part").stat().st_size <= 60_000
    assert fetch(f"{faulty.url}/talk.mp3", tmp_path).read_bytes() == faulty.files["/talk.mp3"]


def test_live_stream_is_refused(tmp_path: Path, faulty: Server) -> None:
    faulty.files["/live.m3u8"] = (
        faulty.files["/index.m3u8"].replace(b"#EXT-X-ENDLIST", b"").replace(b"#EXT-X-PLAYLIST-TYPE:VOD", b"")
    )
    with pytest.raises(InputError, match="is broadcast live: run again when it has ended"):
        fetch(f"{faulty.url}/live.m3u8", tmp_path)


@pytest.mark.parametrize("target", ["http://169.254.169.254/a", "http://127.0.0.1:9/a.mp3", "http://[::1]:9/a"])
def test_redirect_to_private_address_is_refused(tmp_path: Path, faulty: Server, target: str) -> None:
    faulty.fail("/go.mp3", redirect(target))
    with pytest.raises(InputError, match="leads to the private address"):
        fetch(f"{faulty.url}/go.mp3", tmp_path)


def test_stream_with_private_fragment_is_refused(tmp_path: Path, faulty: Server) -> None:
    faulty.files["/index.m3u8"] = faulty.files["/index.m3u8"].replace(b"index2.ts", b"http://127.0.0.1:9/index2.ts")
    with pytest.raises(InputError, match="leads to the private address"):
        fetch(f"{faulty.url}/index.m3u8", tmp_path)


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://example.org/a"])
def test_redirect_to_other_scheme_is_refused(tmp_path: Path, faulty: Server, target: str) -> None:
    faulty.fail("/go.mp3", redirect(target))
    with pytest.raises(InputError, match="neither http nor https"):
        fetch(f"{faulty.url}/go.mp3", tmp_path)
    faulty.files["/index.m3u8"] = faulty.files["/index.m3u8"].replace(b"index2.ts", target.encode())
    with pytest.raises(InputError):
        fetch(f"{faulty.url}/index.m3u8", tmp_path)


def test_several_recordings_need_an_entry(tmp_path: Path, faulty: Server) -> None:
    for page in ("/feed.xml", "/two.html"):
        faulty.files["/two.html"] = b'<html><video src="/talk.mp3"></video><video src="/talk.m4a"></video></html>'
        with pytest.raises(InputError, match="is a feed or playlist: name the episode with `entry`"):
            fetch(f"{faulty.url}{page}", tmp_path)


def test_players_of_a_page_are_a_playlist(faulty: Server) -> None:
    faulty.files["/two.html"] = b'<html><video src="/talk.mp3"></video><video src="/talk.m4a"></video></html>'
    entries = list_playlist(f"{faulty.url}/two.html", QUICK)
    assert sorted(entry.source.rpartition("/")[2] for entry in entries) == ["talk.m4a", "talk.mp3"]
    with pytest.raises(InputError, match="is one recording"):
        list_playlist(f"{faulty.url}/talk.mp3", QUICK)


def test_page_with_one_player_is_fetched(tmp_path: Path, faulty: Server) -> None:
    faulty.files["/one.html"] = b'<html><title>Kites</title><video src="/talk.m4a"></video></html>'
    assert fetch(f"{faulty.url}/one.html", tmp_path).read_bytes() == faulty.files["/talk.m4a"]


COOKIES = "# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t2147483647\tsession\thush\n"


def test_cookies_are_sent_and_their_file_unchanged(tmp_path: Path, faulty: Server) -> None:
    jar = tmp_path / "cookies.txt"
    jar.write_text(COOKIES)
    faulty.fail("/talk.m4a", respond(401))
    fetch(f"{faulty.url}/talk.mp3", tmp_path / "raw", FetchPolicy(cookies=jar))
    assert {headers.get("Cookie") for _, headers in faulty.requests} == {"session=hush"}
    with pytest.raises(InputError, match="requires a sign-in") as raised:
        fetch(f"{faulty.url}/talk.m4a", tmp_path / "raw", FetchPolicy(cookies=jar))
    assert "hush" not in str(raised.value)
    assert jar.read_text() == COOKIES
    assert not [path for path in (tmp_path / "raw").iterdir() if b"hush" in path.read_bytes()]


@pytest.mark.parametrize("content", [None, "session=hush"])
def test_unusable_cookie_file_is_named(tmp_path: Path, content: str | None) -> None:
    jar = tmp_path / "cookies.txt"
    if content is not None:
        jar.write_text(content)
    with pytest.raises(
        InputError, match=r"the cookie file .*cookies\.txt (cannot be read|is not in Netscape's format)"
    ):
        fetch("https://example.org/a.mp3", tmp_path / "raw", FetchPolicy(cookies=jar))


def test_own_ytdlp_configuration_is_ignored(tmp_path: Path, faulty: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home" / "yt-dlp"
    home.mkdir(parents=True)
    (home / "config").write_text("--simulate\n--output /nowhere/%(title)s\n")
    plugin = home / "plugins" / "mine" / "yt_dlp_plugins" / "extractor" / "mine.py"
    plugin.parent.mkdir(parents=True)
    plugin.write_text("raise RuntimeError('a plugin was loaded')\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home.parent))
    assert fetch(f"{faulty.url}/talk.mp3", tmp_path / "raw").name == "audio.mp3"


def replay(formats: list[dict[str, Any]]) -> str:
    """The id of the format that yt-dlp chooses from a replayed page."""
    info = {"id": "x", "title": "x", "extractor": "replayed", "extractor_key": "Replayed", "formats": formats}
    with yt_dlp.YoutubeDL({**_OPTIONS, "quiet": True}) as fetcher:
        chosen: str = fetcher.process_ie_result(info, download=False)["format_id"]
    return chosen


def audio(name: str, **more: Any) -> dict[str, Any]:
    url = f"https://example.org/{name}"
    return {"format_id": name, "url": url, "ext": "m4a", "vcodec": "none", "acodec": "mp4a", **more}


def test_original_language_is_preferred_to_dubs() -> None:
    formats = [
        audio("dub", abr=160, language="de", language_preference=-1),
        audio("original", abr=128, language="en", language_preference=10),
        audio("default-dub", abr=160, language="fr", language_preference=5),
    ]
    assert replay(formats) == "original"


def test_audio_is_preferred_to_video() -> None:
    picture = {"format_id": "film", "url": "https://example.org/f", "ext": "mp4", "vcodec": "h264", "acodec": "mp4a"}
    assert replay([{**picture, "height": 1080}, audio("sound", abr=48)]) == "sound"
    small, large = {**picture, "format_id": "small", "height": 360}, {**picture, "height": 1080}
    assert replay([small, large]) == "small"
    assert FORMAT.startswith("bestaudio/")
