"""Attacks by senders of files and pages, and by other users of the machine; each one succeeded before its fix.

docs/security.md holds the threat model. The tests of the pages, of the review server and of the network hold the rest.
"""

import io
import itertools
import json
import os
import stat
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import openpyxl
import pytest

from pipeline.cli.options import print_json
from pipeline.cli.review import _open_browser
from pipeline.cli.tables import print_hits, print_list
from pipeline.core.audio.file import read_samples
from pipeline.core.config import load_episode, load_show
from pipeline.core.errors import ConfigError, InputError
from pipeline.core.schema import Feature, FeatureList, LineReport, LineRole
from pipeline.core.storage import read_json
from pipeline.core.urls import redact_url, redact_urls
from pipeline.download.discovery import make_settings
from pipeline.download.feeds import Entry, find_entry, parse_feed
from pipeline.download.integrity import measure_audio
from pipeline.download.metadata import Metadata, find_timestamps, make_media_link, metadata_of_media
from pipeline.download.retry import FetchPolicy
from pipeline.download.ssrf_guard import guard_connections, is_private
from pipeline.download.ytdlp import fetch_media
from pipeline.feature_lists.load import parse_episodes
from pipeline.feature_lists.writer import dump_features
from pipeline.runs.report import describe_run
from pipeline.transcribe.transcript_files import load_transcript
from tests.support.command import catalog
from tests.support.faulty_server import Server, write_tone
from tests.support.project import REPOSITORY
from tests.support.review import ReviewServer, get, post

CODES = "\x1b]0;owned\x07\x9b2Jtitle\u202e"


@contextmanager
def soon(seconds: float = 10.0) -> Iterator[None]:
    """Fail if the block takes more than `seconds` of CPU time. Before their fixes, these inputs took minutes."""
    began = time.process_time()
    yield
    assert time.process_time() - began < seconds


def refusal_of(read: Callable[[], object], kind: type[Exception] = InputError) -> str:
    """Return the message of the error that a reader raises, which must be one line."""
    with soon(), pytest.raises(kind) as caught:
        read()
    assert "\n" not in str(caught.value)
    return str(caught.value)


# -- output


@pytest.mark.parametrize("text", ["[/red]", "[link=http://evil.example]here[/link]", CODES])
def test_foreign_text_is_neither_markup_nor_terminal_control(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    row = {"episode_id": text, "start_s": 1.0, "feature_id": 1, "version": text, "title": text, "url": text}
    print_hits([row])
    feature = Feature(1, text, version=text)
    print_list(
        FeatureList((feature,), (), "", line_reports=(LineReport(1, LineRole.ENTRY, text, 1, text),)), explain=True
    )
    print_json([row])
    output = capsys.readouterr().out
    assert all(sign.isprintable() or sign == "\n" for sign in output)
    assert text.startswith("[") <= (output.count(text) > 4)
    assert json.loads(output[output.rindex("[\n {") :]) == [row]


def test_mail_holds_no_control_characters() -> None:
    needs = {"one": {"failed": f"download: {CODES}", "warnings": [CODES]}}
    mail = describe_run({"stages": [], "seconds": 1, "interrupted": False, "changes": {}, "needs_a_person": needs})
    assert mail.count("title") == 2
    assert all(sign.isprintable() or sign == "\n" for sign in mail)


def test_captions_hold_no_control_characters(tmp_path: Path) -> None:
    path = tmp_path / "talk.json"
    words = [{"start": 1, "end": 2, "word": f" {CODES}"}]
    path.write_text(json.dumps([{"start": 1, "end": 2, "text": f"{CODES}\ud800", "words": words}]))
    (segment,) = load_transcript(path).segments
    assert segment.text.isprintable()
    assert segment.words[0].word.isprintable()


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "'=", "＝"])
def test_feature_list_cells_are_not_formulas(sign: str) -> None:
    feature = Feature(1, f'{sign}HYPERLINK("http://evil.example")', f"{sign}1")
    written = dump_features((feature,), ".csv")
    cells = written.splitlines()[1].replace('"', "").split(",")
    assert not any(cell.startswith(("=", "+", "-", "@", "＝")) for cell in cells)
    (feature_list,) = parse_episodes(written.encode(), ".csv")
    assert [(read.title, read.description) for read in feature_list.features] == [(feature.title, feature.description)]


# -- settings


@pytest.mark.parametrize("text", ["name: " + "[" * 200_000, "- " * 200_000, "name: x\nglossary: " + "{a: " * 3000])
def test_deeply_nested_settings_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "show.yaml").write_text(text)
    assert "too many lists in lists" in refusal_of(lambda: load_show(tmp_path / "show.yaml"), ConfigError)


@pytest.mark.parametrize("link", ["{0}: &{0} [{1}]\n", "{0}: &{0} {{<<: [{1}]}}\n"], ids=["lists", "merges"])
def test_yaml_aliases_cannot_expand_without_bound(tmp_path: Path, link: str) -> None:
    names = "abcdefghij"
    lines = [link.format(name, ",".join([f"*{previous}"] * 9)) for previous, name in itertools.pairwise(names)]
    (tmp_path / "show.yaml").write_text("name: x\na: &a {b: 1}\n" + "".join(lines))
    assert "too many aliases" in refusal_of(lambda: load_show(tmp_path / "show.yaml"), ConfigError)


@pytest.mark.parametrize(
    "setting",
    [
        "duration: .inf",
        "link: 'javascript:alert({seconds})'",
        "link: ' JavaScript:alert({seconds})'",
        r'link: "java\tscript:alert({seconds})"',
        "link: data:text/html,{seconds}",
        "link: https://example.org/{seconds:>999999999}",
        "link: https://example.org/{seconds!r}",
        r'title: "\e[2Jx"',
        r'source: "a\0b"',
    ],
)
def test_harmful_settings_are_refused_at_once(tmp_path: Path, setting: str) -> None:
    values = {"title": "title: x", "source": "source: a", "features": "features: b"} | {
        setting.partition(":")[0]: setting
    }
    (tmp_path / "one.yaml").write_text("\n".join(values.values()))
    refusal_of(lambda: load_episode(tmp_path / "one.yaml"), ConfigError)


@pytest.mark.parametrize("setting", ["pause: .inf", "pause: 1e300", "max_minutes: .nan", "retries: 1000000000"])
def test_no_setting_makes_a_run_wait_forever(tmp_path: Path, setting: str) -> None:
    (tmp_path / "show.yaml").write_text(f"name: x\ndownload: {{{setting}}}")
    refusal_of(lambda: load_show(tmp_path / "show.yaml"), ConfigError)


# -- documents


def test_deeply_nested_feed_is_refused() -> None:
    assert "nested elements" in refusal_of(lambda: parse_feed(b"<rss>" + b"<a>" * 200_000, "http://a.example/"))


@pytest.mark.parametrize(
    "text", ["a" * 300_000, "http://a.example/?" + "token" * 20_000, "http://a.example/" + "/private" * 20_000]
)
def test_redaction_is_linear_in_line_length(text: str) -> None:
    with soon():
        redact_urls(text)


@pytest.mark.parametrize("line", ["a" + "!" * 100_000 + "b", "a" + " 1:11" * 50_000 + " x", "\t" * 200_000 + "x"])
def test_time_search_is_linear_in_description_length(line: str) -> None:
    with soon():
        find_timestamps(line)


@pytest.mark.parametrize(
    "query", ["token=s3cret", "a=b=token=s3cret", "x&my_key=s3cret&y=1", "X-Amz-Signature=s3cret=&a", "pass=a=s3cret"]
)
def test_secrets_in_long_queries_are_redacted(query: str) -> None:
    assert "s3cret" not in redact_url(f"https://a.example/?{query}#{query}")


@pytest.mark.parametrize("number", ["1" * 5000, "1" * 400, "1e400", "NaN"])
def test_numbers_beyond_float_range_are_not_times(tmp_path: Path, number: str) -> None:
    (tmp_path / "talk.json").write_text(f'[{{"start": {number}, "text": "x"}}]')
    refusal_of(lambda: load_transcript(tmp_path / "talk.json"))


@pytest.mark.parametrize("text", ['{"a": ' + "1" * 5000 + "}", '{"a": ' + "[" * 100_000])
def test_damaged_internal_file_is_reported(tmp_path: Path, text: str) -> None:
    (tmp_path / "one.json").write_text(text)
    refusal_of(lambda: read_json(tmp_path / "one.json"))


def workbook(**cells: str) -> bytes:
    book, content = openpyxl.Workbook(), io.BytesIO()
    for place, text in {"A1": "title", "A2": "Sort invoices", **cells}.items():
        book.active[place] = text
    book.save(content)
    return content.getvalue()


def test_far_corner_cell_does_not_exhaust_memory() -> None:
    with soon():
        assert len(parse_episodes(workbook(XFD3="x"), ".xlsx")[0].features) == 1
    assert "rows" in refusal_of(lambda: parse_episodes(workbook(XFD1048576="x"), ".xlsx"))


def test_workbook_bomb_is_refused() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook())) as book, zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as bomb:
        for name in book.namelist():
            row = b"<row><c><v>1</v></c></row>" if name.endswith("sheet1.xml") else b""
            bomb.writestr(name, book.read(name).replace(b"<sheetData>", b"<sheetData>" + row * 1_000_000))
    assert "unpacks to 24 MB" in refusal_of(lambda: parse_episodes(content.getvalue(), ".xlsx"))


def test_page_of_thousands_of_entries_is_refused() -> None:
    page = "\n".join(f"Added thing {number} | v1.2 #{100_000 + number}" for number in range(2500))
    with soon(4), pytest.raises(InputError, match="a list can have at most"):
        parse_episodes(page.encode())


# -- media


@pytest.mark.parametrize("program", ["rtmpdump", "ffmpeg", "mpv", "curl"])
def test_ytdlp_starts_no_helper_program(
    web_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    (tmp_path / "bin").mkdir()
    helper = tmp_path / "bin" / program
    helper.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/called\nexit 1\n')
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    web_server.put("/a.html", b'<html><video src="rtmp://10.0.0.1/x.flv"></video></html>', "text/html")
    protected = (
        b'#EXTM3U\n#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://x"\n#EXTINF:9,\nhttp://10.0.0.1/x.ts\n#EXT-X-ENDLIST\n'
    )
    web_server.put("/a.m3u8", protected, "application/x-mpegurl")
    for number, (page, private) in enumerate(itertools.product(("a.html", "a.m3u8"), (False, True))):
        policy = FetchPolicy(retries=0, allow_private=private)
        with pytest.raises(InputError):
            fetch_media(f"{web_server.url}/{page}", tmp_path / str(number), policy, lambda done, total: None)
    assert not (tmp_path / "called").exists()


@pytest.mark.parametrize("listing", ["ffconcat version 1.0\nfile {name}\n", "#EXTM3U\n#EXTINF:9,\n{path}\n"])
def test_recording_cannot_reference_local_files(tmp_path: Path, listing: str) -> None:
    secret = write_tone(tmp_path / "secret.mp3", "talk.mp3", 2.0)
    assert measure_audio(secret).seconds > 1.9
    fake = tmp_path / "audio.mp3"
    fake.write_bytes(listing.format(name=secret.name, path=secret).encode() + b"\n#\xff\xfb")
    refusal_of(lambda: measure_audio(fake))
    refusal_of(lambda: list(read_samples(fake)))


@pytest.mark.parametrize("address", ["::127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b:1::a00:1", "fec0::1", "4000::1"])
def test_alternative_forms_of_private_addresses_are_recognized(address: str) -> None:
    assert is_private(address)


def test_compressed_body_stops_at_the_limit(faulty: Server, tmp_path: Path) -> None:
    import gzip

    from tests.support.faulty_server import respond

    bomb = gzip.compress(b"\0" * (64 << 20))
    faulty.files["/bomb.html"] = b""
    faulty.fail("/bomb.html", respond(200, {"Content-Encoding": "gzip", "Content-Type": "text/html"}, bomb), 100)
    policy = FetchPolicy(retries=0, max_bytes=8 << 20)
    assert "larger than" in refusal_of(
        lambda: fetch_media(f"{faulty.url}/bomb.html", tmp_path / "in", policy, lambda done, total: None)
    )


# -- text of feeds and pages in settings, links and messages


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)//a.mp3", "data:audio/mpeg,x", "file:///etc/passwd", "ftp://a.example/b"]
)
def test_deep_links_are_http_only(url: str) -> None:
    assert make_media_link(url) is None


def test_publisher_title_is_plain_text() -> None:
    metadata = metadata_of_media({"title": CODES, "id": "x"})
    settings = make_settings("ep1", "http://a.example/x.mp3", None, metadata, "list.txt")
    assert settings.title.isprintable()
    feed = b'<rss><channel><item><title>a&#x9b;2J</title><guid>g</guid><enclosure url="http://a.example/b.mp3"/></item></channel></rss>'
    assert all((entry.metadata.title or "").isprintable() for entry in parse_feed(feed, "http://a.example/"))


def test_invalid_settings_give_one_line() -> None:
    metadata = Metadata(title="x", link="javascript:{seconds}")
    message = refusal_of(
        lambda: make_settings("ep1", "http://a.example/x.mp3?token=s3cret", None, metadata, "list.txt")
    )
    assert "`link`" in message
    assert "s3cret" not in message


def test_missing_entry_message_redacts_private_feed_key() -> None:
    entries = [Entry("https://a.example/b.mp3?token=s3cret", Metadata(entry="https://a.example/b.mp3?token=s3cret"))]
    assert "s3cret" not in refusal_of(lambda: find_entry(entries, "elsewhere", "the feed"))


# -- other users of the machine


def test_review_url_is_hidden_from_other_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    _open_browser("http://127.0.0.1:9/s3cret/", str(private))
    assert opened[0].startswith("file://")
    assert "s3cret" not in opened[0]
    assert "s3cret" in (private / "review.html").read_text()


def test_file_origin_may_only_open_the_page(review_server: ReviewServer) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert get(review_server, **headers).status_code == 200
    assert get(review_server, "state", **headers).status_code == 403
    assert get(review_server, **{**headers, "Sec-Fetch-Dest": "iframe"}).status_code == 403
    assert post(review_server, "undo", {}, **headers).status_code == 403


def test_deeply_nested_request_is_refused(review_server: ReviewServer) -> None:
    response = post(review_server, "decide", "[" * 9000)
    assert (response.status_code, "not a decision" in response.text) == (400, True)


def test_secret_url_reaches_no_arguments_or_reports(tmp_path: Path) -> None:
    """After a failed run over a private feed, only the settings that a person wrote hold the key."""
    root = tmp_path / "show"
    assert catalog("init", root).returncode == 0
    url = "http://user:s3cret@127.0.0.1:9/private/s3cretkey/feed.rss?token=s3cret"
    (root / "configs/episodes/ep1.yaml").write_text(f"title: x\nsource: {url}\nentry: 1\nfeatures: {url}\n")
    (root / "configs/show.yaml").write_text("name: x\ndownload: {retries: 0, pause: 0}\n")
    process = catalog("run", "--all", "--root", root)
    assert process.returncode == 1
    assert "s3cret" not in process.stdout + process.stderr
    leaking = [path for path in (root / "data").rglob("*") if path.is_file() and b"s3cret" in path.read_bytes()]
    assert leaking == []


def test_files_obey_umask_and_temporary_files_are_new(tmp_path: Path) -> None:
    from pipeline.core.storage import atomic_write

    before = os.umask(0o077)
    try:
        with atomic_write(tmp_path / "one.json") as temporary:
            temporary.write_text("{}")
            first = temporary.name
        with atomic_write(tmp_path / "one.json") as temporary:
            assert temporary.name != first
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "one.json").stat().st_mode) == 0o600


def test_symlinked_output_is_replaced_not_followed(tmp_path: Path) -> None:
    from pipeline.core.storage import write_bytes

    outside = tmp_path / "outside.txt"
    outside.write_text("mine")
    (tmp_path / "out.csv").symlink_to(outside)
    write_bytes(tmp_path / "out.csv", b"new")
    assert outside.read_text() == "mine"
    assert not (tmp_path / "out.csv").is_symlink()


def test_guard_applies_to_its_own_fetch_only() -> None:
    """Other threads of the process, such as a transcriber's, may start programs."""
    import subprocess

    with guard_connections("https://example.org", FetchPolicy()), pytest.raises(FileNotFoundError):
        subprocess.run(["true"], check=True)
    subprocess.run(["true"], check=True)
    started: list[int] = []
    with guard_connections("https://example.org", FetchPolicy()):
        other = threading.Thread(target=lambda: started.append(subprocess.run(["true"], check=False).returncode))
        other.start()
        other.join()
    assert started == [0]


@pytest.mark.parametrize("module", ["pipeline", "pipeline.align.encoder", "pipeline.transcribe.whisper"])
def test_libraries_send_no_telemetry(tmp_path: Path, module: str) -> None:
    """ONNX Runtime stored an id and events to send in the cache. Where `CI` is set, it sends none by itself."""
    pytest.importorskip("onnxruntime")
    own = {name: str(tmp_path) for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME")}
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "LD_LIBRARY_PATH"}}
    program = f"import {module}, onnxruntime; onnxruntime.SessionOptions()"
    subprocess.run([sys.executable, "-c", program], env=kept | own, check=True, cwd=REPOSITORY)
    assert list(tmp_path.rglob("*")) == []
