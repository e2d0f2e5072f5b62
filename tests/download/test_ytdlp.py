"""yt-dlp, the real one, against a server that fails in every way it is told to."""

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
from pipeline.download import ytdlp as media_module
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
def test_a_media_file_comes_as_it_is(tmp_path: Path, faulty: Server, name: str) -> None:
    path = fetch(f"{faulty.url}/{name}", tmp_path)
    assert path.read_bytes() == faulty.files[f"/{name}"]


def test_a_stream_in_pieces_is_put_together_without_ffmpeg(
    tmp_path: Path, faulty: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    path = fetch(f"{faulty.url}/index.m3u8", tmp_path)
    pieces = sorted(name for name in faulty.files if name.endswith(".ts"))
    assert path.read_bytes() == b"".join(faulty.files[name] for name in pieces)


@pytest.mark.parametrize("seed", [1])
def test_a_download_that_is_cut_thirty_times_ends_with_the_right_bytes(
    tmp_path: Path, faulty: Server, seed: int
) -> None:
    faulty.fail("/talk.mp3", cut_at_random(seed, 30))
    path = fetch(f"{faulty.url}/talk.mp3", tmp_path, FetchPolicy(first_wait=0.001))
    assert digest(path.read_bytes()) == digest(faulty.files["/talk.mp3"])
    assert sum("Range" in headers for _, headers in faulty.requests) > 30


def test_a_later_run_goes_on_where_the_one_before_was_cut(tmp_path: Path, faulty: Server) -> None:
    faulty.fail("/talk.mp3", cut_and_go_down(5_000))
    with pytest.raises(TransientError, match="the server has trouble of its own"):
        fetch(f"{faulty.url}/talk.mp3", tmp_path, FetchPolicy(retries=0, first_wait=0.01))
    kept = (tmp_path / "audio.mp3.part").stat().st_size
    assert kept > 1_000
    faulty.faults.clear()
    faulty.requests.clear()
    path = fetch(f"{faulty.url}/talk.mp3", tmp_path)
    assert path.read_bytes() == faulty.files["/talk.mp3"]
    assert [headers["Range"] for _, headers in faulty.requests if "Range" in headers] == [f"bytes={kept}-"]


@pytest.mark.parametrize("marked", [True, False])
def test_the_rest_of_another_cut_is_not_joined_to_what_came(tmp_path: Path, faulty: Server, marked: bool) -> None:
    """By its ETag, or else by its length, a file is known for another one; then it is fetched from its beginning."""
    other = write_tone(tmp_path / "other.mp3", "talk.mp3", 20.0 if marked else 15.0, pitch=330.0).read_bytes()
    if marked:
        faulty.etags["/talk.mp3"] = '"first"'
    faulty.fail("/talk.mp3", cut_and_go_down(5_000))
    with pytest.raises(TransientError):
        fetch(f"{faulty.url}/talk.mp3", tmp_path / "raw", FetchPolicy(retries=0, first_wait=0.01))
    faulty.faults.clear()
    faulty.files["/talk.mp3"] = other
    if marked:
        faulty.etags["/talk.mp3"] = '"second"'
    assert fetch(f"{faulty.url}/talk.mp3", tmp_path / "raw").read_bytes() == other


def test_a_part_whose_note_was_harmed_is_fetched_anew(tmp_path: Path, faulty: Server) -> None:
    faulty.fail("/talk.mp3", cut_and_go_down(5_000))
    with pytest.raises(TransientError):
        fetch(f"{faulty.url}/talk.mp3", tmp_path, FetchPolicy(retries=0, first_wait=0.01))
    faulty.faults.clear()
    (tmp_path / "marks.json").write_bytes((tmp_path / "marks.json").read_bytes()[:10])
    assert fetch(f"{faulty.url}/talk.mp3", tmp_path).read_bytes() == faulty.files["/talk.mp3"]


def test_a_server_that_knows_no_ranges_is_asked_for_all_of_it(tmp_path: Path, faulty: Server) -> None:
    faulty.ranges = False
    faulty.fail("/talk.mp3", cut(5_000), times=2)
    assert fetch(f"{faulty.url}/talk.mp3", tmp_path).read_bytes() == faulty.files["/talk.mp3"]


def test_a_stale_part_that_is_longer_than_the_file_is_thrown_away(tmp_path: Path, faulty: Server) -> None:
    """The server answers 416, which yt-dlp alone would take for the end of the file."""
    (tmp_path / "audio.mp3.part").write_bytes(b"x" * 500_000)
    assert fetch(f"{faulty.url}/talk.mp3", tmp_path).read_bytes() == faulty.files["/talk.mp3"]


@pytest.mark.parametrize(("status", "asked"), [(403, 1), (404, 1), (410, 1), (429, 3), (500, 3), (503, 3)])
def test_only_what_may_pass_is_asked_for_again(tmp_path: Path, faulty: Server, status: int, asked: int) -> None:
    faulty.fail("/talk.mp3", respond(status))
    with pytest.raises(InputError):
        fetch(f"{faulty.url}/talk.mp3", tmp_path)
    assert faulty.request_counts["/talk.mp3"] == asked


def test_a_server_that_recovers_is_waited_for(tmp_path: Path, faulty: Server) -> None:
    faulty.fail("/talk.mp3", respond(503, {"Retry-After": "0"}), times=2)
    assert fetch(f"{faulty.url}/talk.mp3", tmp_path).read_bytes() == faulty.files["/talk.mp3"]


def test_a_piece_that_is_missing_is_no_success(tmp_path: Path, faulty: Server) -> None:
    faulty.fail("/index3.ts", respond(404))
    with pytest.raises(InputError, match="a piece of the stream is missing"):
        fetch(f"{faulty.url}/index.m3u8", tmp_path)
    faulty.faults.clear()
    faulty.request_counts.clear()
    fetch(f"{faulty.url}/index.m3u8", tmp_path)
    assert faulty.request_counts["/index0.ts"] == 0  # it went on with the piece that was missing
    assert faulty.request_counts["/index3.ts"] == 1


def test_a_server_that_falls_silent_is_given_up(
    tmp_path: Path, faulty: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(_OPTIONS, "socket_timeout", 0.3)
    faulty.fail("/talk.mp3", stall)
    with pytest.raises(TransientError, match="does not answer in time"):
        fetch(f"{faulty.url}/talk.mp3", tmp_path, FetchPolicy(retries=1, first_wait=0.01))


def test_what_is_larger_than_allowed_is_not_fetched(tmp_path: Path, faulty: Server) -> None:
    with pytest.raises(InputError, match="larger than 0 MB.*`max_megabytes`"):
        fetch(f"{faulty.url}/talk.mp3", tmp_path, FetchPolicy(max_bytes=50_000))
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 50_000


def test_what_takes_longer_than_allowed_is_stopped(tmp_path: Path, faulty: Server) -> None:
    with pytest.raises(InputError, match="takes longer than 0 minutes.*`max_minutes`"):
        fetch(f"{faulty.url}/talk.mp3", tmp_path, FetchPolicy(max_seconds=0.0))


def test_a_server_that_trickles_is_left_in_time(tmp_path: Path, faulty: Server) -> None:
    faulty.fail("/talk.mp3", trickle)
    began = time.monotonic()
    with pytest.raises(InputError, match="takes longer than"):
        fetch(f"{faulty.url}/talk.mp3", tmp_path, FetchPolicy(max_seconds=0.5))
    assert time.monotonic() - began < TRICKLE_S * 0.9


def test_a_page_without_end_is_not_read_to_it(tmp_path: Path, faulty: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media_module, "_open", partial(media_module._open, most=10_000))
    faulty.files["/page.html"] = b"<html>" + b"<p>more</p>" * 2_000
    with pytest.raises(InputError, match="is larger than"):
        fetch(f"{faulty.url}/page.html", tmp_path)


def test_a_full_disk_leaves_a_part_that_is_gone_on_with(tmp_path: Path, faulty: Server) -> None:
    """A limit on the size of files stands in for the disk: writing fails in the same place."""
    code = (
        "import sys; from pathlib import Path; from pipeline.download.ytdlp import fetch_media\n"
        "from pipeline.download.ssrf_guard import FetchPolicy\n"
        "fetch_media(sys.argv[1], Path(sys.argv[2]), FetchPolicy(retries=0), lambda done, total: None)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, f"{faulty.url}/talk.mp3", str(tmp_path)],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000)),
    )
    assert ended.returncode == 1
    assert "the disk is full: make room and run again" in ended.stderr
    assert 0 < (tmp_path / "audio.mp3.part").stat().st_size <= 60_000
    assert fetch(f"{faulty.url}/talk.mp3", tmp_path).read_bytes() == faulty.files["/talk.mp3"]


def test_a_live_stream_is_left_for_later(tmp_path: Path, faulty: Server) -> None:
    faulty.files["/live.m3u8"] = (
        faulty.files["/index.m3u8"].replace(b"#EXT-X-ENDLIST", b"").replace(b"#EXT-X-PLAYLIST-TYPE:VOD", b"")
    )
    with pytest.raises(InputError, match="is broadcast live: run again when it has ended"):
        fetch(f"{faulty.url}/live.m3u8", tmp_path)


@pytest.mark.parametrize("target", ["http://169.254.169.254/a", "http://127.0.0.1:9/a.mp3", "http://[::1]:9/a"])
def test_a_redirect_into_a_private_network_is_refused(tmp_path: Path, faulty: Server, target: str) -> None:
    faulty.fail("/go.mp3", redirect(target))
    with pytest.raises(InputError, match="leads to the private address"):
        fetch(f"{faulty.url}/go.mp3", tmp_path)


def test_a_stream_whose_pieces_lie_in_a_private_network_is_refused(tmp_path: Path, faulty: Server) -> None:
    faulty.files["/index.m3u8"] = faulty.files["/index.m3u8"].replace(b"index2.ts", b"http://127.0.0.1:9/index2.ts")
    with pytest.raises(InputError, match="leads to the private address"):
        fetch(f"{faulty.url}/index.m3u8", tmp_path)


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://example.org/a"])
def test_nothing_but_the_web_is_followed(tmp_path: Path, faulty: Server, target: str) -> None:
    faulty.fail("/go.mp3", redirect(target))
    with pytest.raises(InputError, match="something else than http"):
        fetch(f"{faulty.url}/go.mp3", tmp_path)
    faulty.files["/index.m3u8"] = faulty.files["/index.m3u8"].replace(b"index2.ts", target.encode())
    with pytest.raises(InputError):
        fetch(f"{faulty.url}/index.m3u8", tmp_path)


def test_several_recordings_are_not_taken_for_one(tmp_path: Path, faulty: Server) -> None:
    for page in ("/feed.xml", "/two.html"):
        faulty.files["/two.html"] = b'<html><video src="/talk.mp3"></video><video src="/talk.m4a"></video></html>'
        with pytest.raises(InputError, match="is a feed or playlist: say which episode is meant with `entry`"):
            fetch(f"{faulty.url}{page}", tmp_path)


def test_the_players_of_a_page_are_a_playlist(faulty: Server) -> None:
    faulty.files["/two.html"] = b'<html><video src="/talk.mp3"></video><video src="/talk.m4a"></video></html>'
    entries = list_playlist(f"{faulty.url}/two.html", QUICK)
    assert sorted(entry.source.rpartition("/")[2] for entry in entries) == ["talk.m4a", "talk.mp3"]
    with pytest.raises(InputError, match="is one recording"):
        list_playlist(f"{faulty.url}/talk.mp3", QUICK)


def test_a_page_with_one_player_is_that_recording(tmp_path: Path, faulty: Server) -> None:
    faulty.files["/one.html"] = b'<html><title>Kites</title><video src="/talk.m4a"></video></html>'
    assert fetch(f"{faulty.url}/one.html", tmp_path).read_bytes() == faulty.files["/talk.m4a"]


COOKIES = "# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t2147483647\tsession\thush\n"


def test_cookies_are_sent_and_their_file_stays_as_it_is(tmp_path: Path, faulty: Server) -> None:
    jar = tmp_path / "cookies.txt"
    jar.write_text(COOKIES)
    faulty.fail("/talk.m4a", respond(401))
    fetch(f"{faulty.url}/talk.mp3", tmp_path / "raw", FetchPolicy(cookies=jar))
    assert {headers.get("Cookie") for _, headers in faulty.requests} == {"session=hush"}
    with pytest.raises(InputError, match="wants us signed in") as raised:
        fetch(f"{faulty.url}/talk.m4a", tmp_path / "raw", FetchPolicy(cookies=jar))
    assert "hush" not in str(raised.value)
    assert jar.read_text() == COOKIES
    assert not [path for path in (tmp_path / "raw").iterdir() if b"hush" in path.read_bytes()]


@pytest.mark.parametrize("content", [None, "session=hush"])
def test_cookies_that_cannot_be_used_are_named(tmp_path: Path, content: str | None) -> None:
    jar = tmp_path / "cookies.txt"
    if content is not None:
        jar.write_text(content)
    with pytest.raises(InputError, match=r"the cookies .*cookies\.txt (cannot be read|are not in Netscape's format)"):
        fetch("https://example.org/a.mp3", tmp_path / "raw", FetchPolicy(cookies=jar))


def test_the_users_own_configuration_of_yt_dlp_is_ignored(
    tmp_path: Path, faulty: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home" / "yt-dlp"
    home.mkdir(parents=True)
    (home / "config").write_text("--simulate\n--output /nowhere/%(title)s\n")
    plugin = home / "plugins" / "mine" / "yt_dlp_plugins" / "extractor" / "mine.py"
    plugin.parent.mkdir(parents=True)
    plugin.write_text("raise RuntimeError('a plugin was loaded')\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home.parent))
    assert fetch(f"{faulty.url}/talk.mp3", tmp_path / "raw").name == "audio.mp3"


def replay(formats: list[dict[str, Any]]) -> str:
    """The format that yt-dlp chooses for us among those of a page, replayed: no site is asked."""
    info = {"id": "x", "title": "x", "extractor": "replayed", "extractor_key": "Replayed", "formats": formats}
    with yt_dlp.YoutubeDL({**_OPTIONS, "quiet": True}) as fetcher:
        chosen: str = fetcher.process_ie_result(info, download=False)["format_id"]
    return chosen


def audio(name: str, **more: Any) -> dict[str, Any]:
    url = f"https://example.org/{name}"
    return {"format_id": name, "url": url, "ext": "m4a", "vcodec": "none", "acodec": "mp4a", **more}


def test_the_original_language_is_taken_before_a_better_sounding_dub() -> None:
    formats = [
        audio("dub", abr=160, language="de", language_preference=-1),
        audio("original", abr=128, language="en", language_preference=10),
        audio("default-dub", abr=160, language="fr", language_preference=5),
    ]
    assert replay(formats) == "original"


def test_audio_alone_is_taken_before_any_picture() -> None:
    picture = {"format_id": "film", "url": "https://example.org/f", "ext": "mp4", "vcodec": "h264", "acodec": "mp4a"}
    assert replay([{**picture, "height": 1080}, audio("sound", abr=48)]) == "sound"
    small, large = {**picture, "format_id": "small", "height": 360}, {**picture, "height": 1080}
    assert replay([small, large]) == "small"
    assert FORMAT.startswith("bestaudio/")
